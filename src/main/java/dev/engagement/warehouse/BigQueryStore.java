package dev.engagement.warehouse;

import dev.engagement.connection.Backoff;
import dev.engagement.rowstore.CheckpointLineage;
import dev.engagement.rowstore.RowApi;
import dev.engagement.rowstore.RowEncoder;
import dev.engagement.rowstore.RowStore;
import dev.engagement.rowstore.RowWriter;
import dev.engagement.rowstore.StoreName;
import dev.engagement.rowstore.StoreTable;
import java.time.Duration;
import org.apache.flink.api.common.typeinfo.TypeInformation;

/**
 * BigQuery as a store of rows. A stream is one of type BUFFERED, which goes on behind a checkpoint, and its rows are shown
 * by FlushRows.
 *
 * @param options where and how
 * @param answerWithin after which a connection that says nothing is given up
 * @param backoff before repetitions
 * @param writes how rows are written
 * @param tables how tables are described
 */
record BigQueryStore(
        WarehouseOptions options,
        Duration answerWithin,
        Backoff backoff,
        Connector<RowApi> writes,
        Connector<TableApi> tables)
        implements RowStore {

    private static final long serialVersionUID = 1L;

    static final StoreName NAME = new StoreName("BigQuery", "warehouse");

    private static final Backoff BACKOFF = new Backoff(Duration.ofMillis(100), Duration.ofSeconds(10));

    /** A slow append takes a few seconds. */
    private static final Duration ANSWER_WITHIN = Duration.ofSeconds(30);

    private static final String STREAMS = "/streams/";

    /** projects/p/datasets/d/tables/t. */
    private static final int TABLE_PARTS = 6;

    /** Over Google's client and REST. */
    static BigQueryStore of(WarehouseOptions options) {
        return new BigQueryStore(options, ANSWER_WITHIN, BACKOFF, GoogleWriteApi::new, RestTable::new);
    }

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
                options.maxInFlight().getBytes(),
                options.flushSize().getBytes(),
                WarehouseOptions.MAX_APPEND_BYTES,
                options.flushInterval(),
                answerWithin,
                options.commitTimeout(),
                false);
    }

    @Override
    public Duration commitTimeout() {
        return options.commitTimeout();
    }

    @Override
    public boolean acceptsDuplicates() {
        return options.acceptDuplicates();
    }

    @Override
    public RowApi connect() {
        return writes.connect(options);
    }

    @Override
    public RowEncoder encoder() {
        return new ProtoRowEncoder(options.jsonNumbers());
    }

    @Override
    public String tableOf(String stream) {
        int end = stream.indexOf(STREAMS);
        if (end < 0 || stream.split("/").length != TABLE_PARTS + 2) {
            throw new IllegalStateException("'" + stream + "' is not the name of a stream");
        }
        return options.ofTable(stream.substring(0, end)).tableName();
    }

    @Override
    public StoreTable open(String table) {
        WarehouseOptions where = options.ofTableNamed(table);
        return new BigQueryTable(tables.connect(where), where);
    }

    @Override
    public TypeInformation<CheckpointLineage> lineType() {
        return CheckpointLineageSerializer.TYPE;
    }

    @Override
    public String advice() {
        return "warehouse.project, dataset, endpoint, credentials and rights (bigquery.dataEditor on the dataset)";
    }

    @Override
    public String lostStreamAdvice() {
        return "Streams live for 7 days without use, so this checkpoint or savepoint is too old, or somebody ended the"
                + " stream. If the job was stopped with a savepoint, these rows were shown when it stopped: go on with "
                + NAME.acceptDuplicates()
                + ". If it failed, they are missing: start it from this checkpoint into a fresh"
                + " table (flink run -s … --warehouse.table NEW), rebuild the range of event_ts that is missing (flink run …"
                + " rebuild --from … --to … --warehouse.table REBUILT) and MERGE the tables on event_id";
    }
}
