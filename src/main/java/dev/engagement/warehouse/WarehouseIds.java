package dev.engagement.warehouse;

import dev.engagement.connection.Pause;
import dev.engagement.event.EventId;
import dev.engagement.event.EventIdKind;
import java.io.IOException;
import java.util.function.Consumer;
import java.util.function.LongConsumer;

/**
 * Which events the warehouse has, by BigQuery's query interface. Blocking; what passes by itself is tried again for a
 * minute. Thread-safe.
 */
public final class WarehouseIds {

    private final String tableName;
    private final WarehouseQuery query;

    private WarehouseIds(WarehouseOptions options, Pause pause) {
        this.tableName = options.project() + "." + options.dataset() + "." + options.table();
        this.query = new WarehouseQuery(options, pause);
    }

    /** Those of the table of {@code options}. */
    public static WarehouseIds of(WarehouseOptions options) {
        return of(options, Pause.real());
    }

    static WarehouseIds of(WarehouseOptions options, Pause pause) {
        return new WarehouseIds(options, pause);
    }

    /**
     * The ids of rows whose event_ts lies in {@code [from, to)}: a repeated one more than once, none if there is no table
     * yet. BigQuery reads two columns of the partitions of that time for it, whatever part of a partition that is.
     *
     * @param fromMicros microseconds since the epoch
     * @param toMicros microseconds since the epoch
     * @throws IOException if BigQuery refuses, or does not answer in time; the message says what it said
     */
    public void between(long fromMicros, long toMicros, LongConsumer each) throws IOException, InterruptedException {
        numbers(idsBetween(fromMicros, toMicros), each);
    }

    /** The same of ids of a kind. */
    public void between(long fromMicros, long toMicros, EventIdKind kind, Consumer<EventId> each)
            throws IOException, InterruptedException {
        if (kind == EventIdKind.LONG) {
            between(fromMicros, toMicros, id -> each.accept(EventId.of(id)));
        } else {
            query.rows(idsBetween(fromMicros, toMicros), row -> each.accept(EventId.of(String.valueOf(row.get(0)))));
        }
    }

    private String idsBetween(long fromMicros, long toMicros) {
        return "SELECT event_id FROM `" + tableName + "` WHERE event_ts >= TIMESTAMP_MICROS(" + fromMicros
                + ") AND event_ts < TIMESTAMP_MICROS(" + toMicros + ")";
    }

    /**
     * How many bytes BigQuery would read to answer {@link #between}, as its dry run says; 0 if there is no table yet.
     *
     * @throws IOException if BigQuery refuses, or does not answer in time
     */
    public long bytesToRead(long fromMicros, long toMicros) throws IOException, InterruptedException {
        return query.bytesProcessed(idsBetween(fromMicros, toMicros));
    }

    /**
     * Whether no job has ever written to the table: it is not there, or has neither rows nor the mark of a job.
     *
     * @throws IOException if BigQuery refuses, or does not answer in time
     */
    public boolean isFresh() throws IOException, InterruptedException {
        return query.patiently(table -> {
            TableApi.Table found = table.get();
            return found == null || (!found.labels().containsKey(LineMarks.RUN) && !table.hasRows());
        });
    }

    /** How many rows the table has, or 0 if it is not there. */
    public long rows() throws IOException, InterruptedException {
        long[] rows = {0};
        // With a filter, as a table may be told to refuse queries without.
        numbers(
                "SELECT COUNT(*) FROM `" + tableName + "` WHERE event_ts >= TIMESTAMP '0001-01-01'",
                count -> rows[0] = count);
        return rows[0];
    }

    /** The answer to a query of one column that is a number and never NULL. */
    private void numbers(String sql, LongConsumer each) throws IOException, InterruptedException {
        query.rows(sql, row -> each.accept(Long.parseLong(row.get(0))));
    }
}
