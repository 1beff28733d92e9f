package dev.engagement.capture;

import dev.engagement.connection.KafkaConnection;
import dev.engagement.connection.PostgresDriver;
import java.util.Properties;
import java.util.function.Supplier;
import org.apache.flink.api.connector.source.SourceReaderContext;
import org.apache.flink.api.connector.source.SplitEnumerator;
import org.apache.flink.api.connector.source.SplitEnumeratorContext;
import org.apache.flink.cdc.connectors.base.config.JdbcSourceConfig;
import org.apache.flink.cdc.connectors.base.config.SourceConfig;
import org.apache.flink.cdc.connectors.base.options.StartupOptions;
import org.apache.flink.cdc.connectors.base.source.assigner.HybridSplitAssigner;
import org.apache.flink.cdc.connectors.base.source.assigner.SplitAssigner;
import org.apache.flink.cdc.connectors.base.source.assigner.StreamSplitAssigner;
import org.apache.flink.cdc.connectors.base.source.assigner.state.HybridPendingSplitsState;
import org.apache.flink.cdc.connectors.base.source.assigner.state.PendingSplitsState;
import org.apache.flink.cdc.connectors.base.source.assigner.state.StreamPendingSplitsState;
import org.apache.flink.cdc.connectors.base.source.enumerator.IncrementalSourceEnumerator;
import org.apache.flink.cdc.connectors.base.source.jdbc.JdbcIncrementalSource;
import org.apache.flink.cdc.connectors.base.source.meta.split.SourceRecords;
import org.apache.flink.cdc.connectors.base.source.meta.split.SourceSplitBase;
import org.apache.flink.cdc.connectors.base.source.meta.split.SourceSplitState;
import org.apache.flink.cdc.connectors.base.source.metrics.SourceReaderMetrics;
import org.apache.flink.cdc.connectors.base.source.reader.IncrementalSourceReader;
import org.apache.flink.cdc.connectors.base.source.reader.IncrementalSourceReaderContext;
import org.apache.flink.cdc.connectors.base.source.reader.IncrementalSourceReaderWithCommit;
import org.apache.flink.cdc.connectors.base.source.reader.IncrementalSourceSplitReader;
import org.apache.flink.cdc.connectors.base.source.utils.hooks.SnapshotPhaseHooks;
import org.apache.flink.cdc.connectors.postgres.source.config.PostgresSourceConfig;
import org.apache.flink.cdc.connectors.postgres.source.config.PostgresSourceConfigFactory;
import org.apache.flink.cdc.connectors.postgres.source.offset.PostgresOffsetFactory;
import org.apache.flink.cdc.debezium.DebeziumDeserializationSchema;
import org.apache.flink.connector.base.source.reader.RecordEmitter;
import org.apache.flink.connector.base.source.reader.RecordsWithSplitIds;
import org.apache.flink.connector.base.source.reader.synchronization.FutureCompletingBlockingQueue;
import org.apache.flink.core.io.SimpleVersionedSerializer;
import org.jspecify.annotations.Nullable;
import org.postgresql.PGProperty;

/**
 * Flink CDC's source of the two tables, or of an outbox, at least once. What differs from Flink CDC's own: the position in state
 * ({@link StreamPosition}), the slot that is judged before it is read from and never created twice
 * ({@link CaptureDialect}, {@link CaptureEnumerator}), the columns, of which only those in use are read and each from the
 * same text ({@link RowReading}), and the password, which is read only when connecting ({@link SecretPassword}).
 *
 * <p>The snapshot is read by all parallel readers, changes by one.
 */
final class CaptureSource extends JdbcIncrementalSource<Captured> {

    private static final long serialVersionUID = 1L;

    private static final int SNAPSHOT_SPLIT_ROWS = 50_000;
    /** Held at once, each of a megabyte at the worst. */
    private static final int SNAPSHOT_FETCH_ROWS = 1_000;

    /** While a connection is closed its attempt to connect is waited for, by a thread that all jobs of a process need. */
    private static final String CONNECT_SECONDS = "5";

    private static final String POLL_MILLIS = "10";
    private static final String SLOT_RETRIES = "30";
    private static final String SLOT_RETRY_MILLIS = "1000";
    /**
     * Also how often Debezium asks the database for a sign of life: the only way it has to notice that a killed server has
     * closed the stream, as the driver takes the end of the stream for one that is quiet.
     */
    private static final String STATUS_MILLIS = "2000";
    /** How often the position moves on while transactions bring no captured row. */
    private static final long POSITION_MILLIS = 1_000;

    private final CaptureOptions options;

    /** @param kafka where the topics are that it is captured to */
    CaptureSource(CaptureOptions options, KafkaConnection kafka) {
        this(options, kafka, configFactory(options));
    }

    private CaptureSource(CaptureOptions options, KafkaConnection kafka, PostgresSourceConfigFactory configFactory) {
        super(
                configFactory,
                deserializer(options),
                new PostgresOffsetFactory(),
                new CaptureDialect(configFactory.create(0), options, kafka));
        this.options = options;
    }

    private static DebeziumDeserializationSchema<Captured> deserializer(CaptureOptions options) {
        return options.outbox() == null
                ? new RowDeserializer(options)
                : new OutboxDeserializer(options, options.outbox());
    }

    static PostgresSourceConfigFactory configFactory(CaptureOptions options) {
        Properties address = PostgresDriver.parse(options.postgres().jdbcUrl());
        if (address == null) {
            throw new IllegalArgumentException("postgres.url is not of the form jdbc:postgresql://host:port/database: "
                    + options.postgres().jdbcUrl());
        }
        PostgresSourceConfigFactory factory = new PostgresSourceConfigFactory();
        factory.hostname(address.getProperty("PGHOST"));
        factory.port(Integer.parseInt(address.getProperty("PGPORT")));
        factory.database(address.getProperty("PGDBNAME"));
        factory.username(options.postgres().username());
        // Flink CDC insists on one; the driver asks SecretPassword instead.
        factory.password("");
        factory.schemaList(new String[] {pattern(options.schema())});
        factory.tableList(options.capturedTables().stream()
                .map(table -> pattern(options.schema()) + "\\." + pattern(table))
                .toArray(String[]::new));
        // Otherwise the snapshot passes over them without a word.
        factory.setIncludePartitionedTables(true);
        factory.slotName(options.slotName());
        factory.decodingPluginName("pgoutput");
        // What an outbox says of one content is in order only if all of it is read by one.
        factory.splitSize(options.source() == CaptureOptions.Source.OUTBOX ? Integer.MAX_VALUE : SNAPSHOT_SPLIT_ROWS);
        factory.fetchSize(SNAPSHOT_FETCH_ROWS);
        factory.skipSnapshotBackfill(true);
        // With a slot there is always a committed position: that of its creation at least.
        factory.startupOptions(
                options.start() == CaptureOptions.Start.INITIAL
                        ? StartupOptions.initial()
                        : StartupOptions.committed());
        factory.debeziumProperties(debezium(options, address));
        return factory;
    }

    private static Properties debezium(CaptureOptions options, Properties address) {
        Properties properties = new Properties();
        properties.setProperty("publication.name", options.publication());
        properties.setProperty("publication.autocreate.mode", "disabled");
        properties.setProperty("poll.interval.ms", POLL_MILLIS);
        properties.setProperty(
                "heartbeat.interval.ms",
                Long.toString(
                        Math.min(POSITION_MILLIS, options.heartbeatInterval().toMillis())));
        properties.setProperty("status.update.interval.ms", STATUS_MILLIS);
        properties.setProperty("tombstones.on.delete", "false");
        properties.setProperty("slot.max.retries", SLOT_RETRIES);
        properties.setProperty("slot.retry.delay.ms", SLOT_RETRY_MILLIS);
        SecretPassword.properties(options.postgres().password())
                .forEach((key, value) -> properties.setProperty("database." + key, value.toString()));
        properties.setProperty("database." + PGProperty.CONNECT_TIMEOUT.getName(), CONNECT_SECONDS);
        for (String parameter : address.stringPropertyNames()) {
            if (!parameter.startsWith("PG")) {
                properties.setProperty("database." + parameter, address.getProperty(parameter));
            }
        }
        return properties;
    }

    /** Debezium's include lists are lists of patterns. */
    private static String pattern(String name) {
        return name.replaceAll("([^A-Za-z0-9_])", "\\\\$1");
    }

    @Override
    public SplitEnumerator<SourceSplitBase, PendingSplitsState> createEnumerator(
            SplitEnumeratorContext<SourceSplitBase> context) {
        return new CaptureEnumerator(options, context, null, () -> enumerator(context, null));
    }

    @Override
    public SplitEnumerator<SourceSplitBase, PendingSplitsState> restoreEnumerator(
            SplitEnumeratorContext<SourceSplitBase> context, PendingSplitsState checkpoint) {
        return new CaptureEnumerator(
                options, context, checkpoint, () -> enumerator(context, CaptureState.splits(checkpoint)));
    }

    @Override
    public SimpleVersionedSerializer<PendingSplitsState> getEnumeratorCheckpointSerializer() {
        return new CaptureState.Serializer(super.getEnumeratorCheckpointSerializer());
    }

    /** Not Flink CDC's enumerator for PostgreSQL: that one creates a missing slot after a restore, too, silently. */
    private IncrementalSourceEnumerator enumerator(
            SplitEnumeratorContext<SourceSplitBase> context, @Nullable PendingSplitsState checkpoint) {
        PostgresSourceConfig config = (PostgresSourceConfig) configFactory.create(0);
        return new IncrementalSourceEnumerator(
                context, config, assigner(config, context, checkpoint), getBoundedness());
    }

    private SplitAssigner assigner(
            PostgresSourceConfig config,
            SplitEnumeratorContext<SourceSplitBase> context,
            @Nullable PendingSplitsState checkpoint) {
        if (checkpoint instanceof HybridPendingSplitsState hybrid) {
            return new HybridSplitAssigner<>(
                    config, context.currentParallelism(), hybrid, dataSourceDialect, offsetFactory, context);
        }
        if (checkpoint instanceof StreamPendingSplitsState stream) {
            return new StreamSplitAssigner(config, stream, dataSourceDialect, offsetFactory, context);
        }
        if (checkpoint != null) {
            throw new IllegalStateException("Capture's state is of an unknown kind: " + checkpoint);
        }
        if (config.getStartupOptions().isStreamOnly()) {
            return new StreamSplitAssigner(config, dataSourceDialect, offsetFactory, context);
        }
        return new HybridSplitAssigner<>(
                config,
                context.currentParallelism(),
                dataSourceDialect.discoverDataCollections(config),
                dataSourceDialect.isDataCollectionIdCaseSensitive(config),
                dataSourceDialect,
                offsetFactory,
                context);
    }

    /** A reader that confirms the position of each completed checkpoint to the slot. */
    @Override
    @SuppressWarnings("unchecked") // Flink CDC extends its own reader without type arguments.
    public IncrementalSourceReader<Captured, JdbcSourceConfig> createReader(SourceReaderContext context) {
        JdbcSourceConfig config = configFactory.create(context.getIndexOfSubtask());
        IncrementalSourceReaderContext readerContext = new IncrementalSourceReaderContext(context);
        Supplier<IncrementalSourceSplitReader<JdbcSourceConfig>> splitReaders =
                () -> new IncrementalSourceSplitReader<>(
                        context.getIndexOfSubtask(),
                        dataSourceDialect,
                        config,
                        readerContext,
                        SnapshotPhaseHooks.empty());
        return new IncrementalSourceReaderWithCommit(
                new FutureCompletingBlockingQueue<RecordsWithSplitIds<SourceRecords>>(),
                splitReaders,
                createRecordEmitter(config, new SourceReaderMetrics(context.metricGroup())),
                context.getConfiguration(),
                readerContext,
                config,
                sourceSplitSerializer,
                dataSourceDialect);
    }

    @Override
    protected RecordEmitter<SourceRecords, Captured, SourceSplitState> createRecordEmitter(
            SourceConfig config, SourceReaderMetrics metrics) {
        return new TransactionEmitter(
                deserializationSchema, metrics, offsetFactory, (CaptureDialect) dataSourceDialect);
    }
}
