package dev.engagement.clickhouse;

import dev.engagement.connection.Backoff;
import dev.engagement.rowstore.RowApi;
import dev.engagement.rowstore.RowEncoder;
import dev.engagement.rowstore.RowStore;
import dev.engagement.rowstore.RowWriter;
import dev.engagement.rowstore.StoreName;
import dev.engagement.rowstore.StoreTable;
import java.time.Duration;

/**
 * ClickHouse as a store of rows.
 *
 * @param options where and how
 */
record ClickHouseStore(ClickHouseOptions options) implements RowStore {

    private static final long serialVersionUID = 1L;

    static final StoreName NAME = new StoreName("ClickHouse", "clickhouse");

    private static final Backoff BACKOFF = new Backoff(Duration.ofMillis(100), Duration.ofSeconds(10));

    /** Beyond what the client gives a request. */
    private static final Duration ANSWER_WITHIN = Duration.ofSeconds(90);

    @Override
    public StoreName name() {
        return NAME;
    }

    @Override
    public String table() {
        return options.tableName();
    }

    @Override
    public RowWriter.Limits limits() {
        return new RowWriter.Limits(
                options.limits().maxInFlight().getBytes(),
                options.limits().flushSize().getBytes(),
                ClickHouseOptions.MAX_FLUSH_SIZE.getBytes(),
                options.limits().flushInterval(),
                ANSWER_WITHIN,
                options.limits().commitTimeout(),
                true);
    }

    @Override
    public Backoff backoff() {
        return BACKOFF;
    }

    @Override
    public Duration commitTimeout() {
        return options.limits().commitTimeout();
    }

    @Override
    public boolean acceptsDuplicates() {
        return options.acceptDuplicates();
    }

    @Override
    public RowApi connect() {
        return new StagingTables(options);
    }

    @Override
    public RowEncoder encoder() {
        return new ClickHouseRowEncoder(options);
    }

    @Override
    public String tableOf(String stream) {
        return StagingTables.tableOf(stream);
    }

    @Override
    public StoreTable open(String table) {
        return new ClickHouseTable(options, table);
    }

    @Override
    public String advice() {
        return "clickhouse.url, username, password, database and rights (CREATE, ALTER, INSERT, SELECT and DROP on the"
                + " database)";
    }

    @Override
    public String lostStreamAdvice() {
        return "Somebody dropped the staging table, or this checkpoint or savepoint is older than"
                + " clickhouse.staging-retention. If the job was stopped with a savepoint, these rows were shown when it"
                + " stopped: go on with " + NAME.acceptDuplicates()
                + ". If it failed, they are missing: backfill the range"
                + " of event_ts that is missing (flink run … backfill --from … --to … --into clickhouse)";
    }
}
