package dev.engagement.clickhouse;

import dev.engagement.connection.Pause;
import dev.engagement.event.EnrichedEvent;
import dev.engagement.rowstore.RowPlan;
import dev.engagement.rowstore.Rows;
import java.io.IOException;
import java.util.UUID;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.datastream.SingleOutputStreamOperator;

/**
 * ClickHouse as a destination: every event once in a table.
 *
 * <pre>{@code
 * ClickHouse.prepare(options);
 * var stored = ClickHouse.append(unique, options, eventsTopic, OperatorIds.CLICKHOUSE_APPEND, OperatorIds.CLICKHOUSE_COMMIT);
 * out.deadLetters().keep(…, stored);
 * }</pre>
 *
 * <p><b>Guarantee.</b> Exactly once along one line of checkpoints, without FINAL: a row is visible when the checkpoint after
 * it has completed, once and only once, whatever fails in between. What would break that is refused, as for the warehouse.
 * A row that ClickHouse refuses is a REJECTED dead letter, at least once. While it takes nothing the task stands still with
 * at most {@code maxInFlight} of rows, and nothing is lost.
 */
public final class ClickHouse {

    private ClickHouse() {}

    /**
     * Makes the table, or checks the one that is there: for the client, before a job is submitted.
     *
     * @throws dev.engagement.rowstore.RowStoreRefusedException if the table does not fit; the message names the columns
     * @throws IOException if ClickHouse does not answer or refuses
     */
    public static void prepare(ClickHouseOptions options) throws IOException, InterruptedException {
        plan(options, "", "").prepareTable();
    }

    /**
     * Appends events to the table.
     *
     * @param unique every event once
     * @param eventsTopic named in dead letters
     * @param appendUid uid of the operator that appends rows
     * @param commitUid uid of the operator that shows them
     * @return the stage, with REJECTED letters in its side output
     */
    public static SingleOutputStreamOperator<?> append(
            DataStream<EnrichedEvent> unique,
            ClickHouseOptions options,
            String eventsTopic,
            String appendUid,
            String commitUid) {
        return Rows.append(unique, plan(options, eventsTopic, UUID.randomUUID().toString()), appendUid, commitUid);
    }

    private static RowPlan plan(ClickHouseOptions options, String eventsTopic, String run) {
        return new RowPlan(new ClickHouseStore(options), eventsTopic, run, Pause.real());
    }
}
