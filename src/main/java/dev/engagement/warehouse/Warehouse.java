package dev.engagement.warehouse;

import dev.engagement.connection.Pause;
import dev.engagement.event.EnrichedEvent;
import dev.engagement.rowstore.RowPlan;
import dev.engagement.rowstore.RowStoreRefusedException;
import dev.engagement.rowstore.Rows;
import java.io.IOException;
import java.util.UUID;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.datastream.SingleOutputStreamOperator;

/**
 * The warehouse as a destination: every event once in a BigQuery table.
 *
 * <pre>{@code
 * Warehouse.prepare(options);
 * var warehouse = Warehouse.append(unique, options, eventsTopic, OperatorIds.WAREHOUSE, OperatorIds.WAREHOUSE_COMMIT);
 * out.deadLetters().keep(…, warehouse);
 * }</pre>
 *
 * <p><b>Guarantee.</b> Exactly once along one line of checkpoints: a row is visible when the checkpoint after it has
 * completed, once and only once, whatever fails in between. What would break that is refused: a start without state onto a
 * table that has rows, a start from a checkpoint older than what is visible, the second of two runs from one checkpoint. A
 * row that BigQuery refuses is a REJECTED dead letter, at least once. While BigQuery takes nothing the task stands still
 * with at most {@code maxInFlight} of rows, and nothing is lost.
 */
public final class Warehouse {

    private Warehouse() {}

    /**
     * Makes the table, or checks the one that is there: for the client, before a job is submitted.
     *
     * @throws RowStoreRefusedException if the table does not fit; the message names column, wanted and found type
     * @throws IOException if BigQuery does not answer or refuses
     */
    public static void prepare(WarehouseOptions options) throws IOException, InterruptedException {
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
            WarehouseOptions options,
            String eventsTopic,
            String appendUid,
            String commitUid) {
        return Rows.append(unique, plan(options, eventsTopic, UUID.randomUUID().toString()), appendUid, commitUid);
    }

    private static RowPlan plan(WarehouseOptions options, String eventsTopic, String run) {
        return new RowPlan(BigQueryStore.of(options), eventsTopic, run, Pause.real());
    }
}
