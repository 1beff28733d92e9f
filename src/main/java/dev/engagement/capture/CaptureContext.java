package dev.engagement.capture;

import io.debezium.DebeziumException;
import io.debezium.config.Configuration;
import io.debezium.connector.base.ChangeEventQueue;
import io.debezium.connector.postgresql.PostgresConnectorConfig;
import io.debezium.connector.postgresql.PostgresErrorHandler;
import io.debezium.connector.postgresql.PostgresObjectUtils;
import io.debezium.connector.postgresql.PostgresOffsetContext;
import io.debezium.connector.postgresql.PostgresPartition;
import io.debezium.connector.postgresql.PostgresTaskContext;
import io.debezium.connector.postgresql.PostgresTopicSelector;
import io.debezium.connector.postgresql.PostgresValueConverter;
import io.debezium.connector.postgresql.connection.PostgresConnection;
import io.debezium.connector.postgresql.connection.ReplicationConnection;
import io.debezium.connector.postgresql.spi.Snapshotter;
import io.debezium.data.Envelope;
import io.debezium.heartbeat.Heartbeat;
import io.debezium.heartbeat.HeartbeatFactory;
import io.debezium.jdbc.JdbcConnection;
import io.debezium.pipeline.DataChangeEvent;
import io.debezium.pipeline.ErrorHandler;
import io.debezium.pipeline.metrics.DefaultChangeEventSourceMetricsFactory;
import io.debezium.pipeline.metrics.SnapshotChangeEventSourceMetrics;
import io.debezium.pipeline.source.spi.EventMetadataProvider;
import io.debezium.relational.TableId;
import io.debezium.schema.TopicSelector;
import java.sql.SQLException;
import org.apache.flink.cdc.connectors.base.config.JdbcSourceConfig;
import org.apache.flink.cdc.connectors.base.source.meta.offset.Offset;
import org.apache.flink.cdc.connectors.base.source.meta.split.SourceSplitBase;
import org.apache.flink.cdc.connectors.postgres.source.fetch.CDCPostgresDispatcher;
import org.apache.flink.cdc.connectors.postgres.source.fetch.PostgresSourceFetchTaskContext;
import org.apache.flink.cdc.connectors.postgres.source.offset.PostgresOffsetFactory;
import org.apache.flink.cdc.connectors.postgres.source.offset.PostgresOffsetUtils;
import org.apache.flink.cdc.connectors.shaded.org.apache.kafka.connect.data.Struct;
import org.apache.flink.cdc.connectors.shaded.org.apache.kafka.connect.source.SourceRecord;
import org.apache.flink.util.FlinkRuntimeException;
import org.jspecify.annotations.Nullable;

/**
 * What one split is read with: as Flink CDC puts it together, with a {@link CaptureSchema} and a {@link
 * CaptureConnection}. There is no replication connection for a split of the snapshot, which is not followed by changes of
 * its own.
 */
final class CaptureContext extends PostgresSourceFetchTaskContext {

    private static final String CONNECTION_NAME = "postgres-fetch-task-connection";

    private static final String MESSAGE = Envelope.Operation.MESSAGE.code();

    private final CaptureOptions options;
    private final CaptureDialect judged;
    private @Nullable Parts parts;

    CaptureContext(JdbcSourceConfig config, CaptureDialect dialect, CaptureOptions options) {
        super(config, dialect);
        this.options = options;
        this.judged = dialect;
    }

    private record Parts(
            CaptureConnection connection,
            CaptureSchema schema,
            PostgresTaskContext task,
            @Nullable ReplicationConnection replication,
            Snapshotter snapshotter,
            ChangeEventQueue<DataChangeEvent> queue,
            ErrorHandler errors,
            CDCPostgresDispatcher dispatcher,
            PostgresOffsetContext offset,
            PostgresPartition partition,
            SnapshotChangeEventSourceMetrics<PostgresPartition> metrics) {}

    @Override
    public void configure(SourceSplitBase split) {
        close();
        Configuration.Builder edited = getDbzConnectorConfig()
                .getConfig()
                .edit()
                // The slot belongs to the whole job.
                .with(PostgresConnectorConfig.DROP_SLOT_ON_STOP.name(), false);
        if (split.isSnapshotSplit()) {
            edited.with(Heartbeat.HEARTBEAT_INTERVAL, 0);
        }
        PostgresConnectorConfig config = new PostgresConnectorConfig(edited.build());
        setDbzConnectorConfig(config);
        CaptureConnection connection = CaptureConnection.reconnecting(config, CONNECTION_NAME);
        try {
            parts = parts(split, config, connection);
        } catch (SQLException e) {
            connection.end();
            throw new FlinkRuntimeException(
                    "The tables of " + options.postgres().jdbcUrl() + " cannot be looked at", e);
        } catch (RuntimeException e) {
            connection.end();
            throw e;
        }
    }

    private Parts parts(SourceSplitBase split, PostgresConnectorConfig config, CaptureConnection connection)
            throws SQLException {
        TopicSelector<TableId> topics = PostgresTopicSelector.create(config);
        PostgresValueConverter values = connection.values();
        CaptureSchema schema = new CaptureSchema(options, config, connection, topics, values);
        PostgresTaskContext task = PostgresObjectUtils.newTaskContext(config, schema, topics);
        Snapshotter snapshotter = PostgresConnectorConfig.SnapshotMode.parse(
                        config.getConfig().getString(PostgresConnectorConfig.SNAPSHOT_MODE.name()))
                .getSnapshotter(config.getConfig());
        ReplicationConnection replication = split.isSnapshotSplit()
                ? null
                : PostgresObjectUtils.createReplicationConnection(
                        task, connection, snapshotter.shouldSnapshot(), config);
        if (replication != null) {
            requireJudged(replication);
        }
        ChangeEventQueue<DataChangeEvent> queue = new ChangeEventQueue.Builder<DataChangeEvent>()
                .pollInterval(config.getPollInterval())
                .maxBatchSize(config.getMaxBatchSize())
                .maxQueueSize(config.getMaxQueueSize())
                .maxQueueSizeInBytes(config.getMaxQueueSizeInBytes())
                .loggingContextSupplier(() -> task.configureLoggingContext("postgres-cdc-connector-task"))
                .build();
        EventMetadataProvider metadata = PostgresObjectUtils.newEventMetadataProvider();
        HeartbeatFactory<TableId> heartbeats = new HeartbeatFactory<>(
                config,
                topics,
                schemaNameAdjuster,
                () -> new PostgresConnection(config.getJdbcConfig(), PostgresConnection.CONNECTION_GENERAL),
                failure -> {
                    throw new DebeziumException("The heartbeat's query failed", failure);
                });
        CDCPostgresDispatcher dispatcher = new CDCPostgresDispatcher(
                config,
                topics,
                schema,
                queue,
                config.getTableFilters().dataCollectionFilter(),
                DataChangeEvent::new,
                metadata,
                heartbeats,
                schemaNameAdjuster);
        Offset start = split.isSnapshotSplit()
                ? new PostgresOffsetFactory().createInitialOffset()
                : split.asStreamSplit().getStartingOffset();
        return new Parts(
                connection,
                schema,
                task,
                replication,
                snapshotter,
                queue,
                new PostgresErrorHandler(config, queue),
                dispatcher,
                PostgresOffsetUtils.getPostgresOffsetContext(new PostgresOffsetContext.Loader(config), start),
                new PostgresPartition(config.getLogicalName()),
                new DefaultChangeEventSourceMetricsFactory<PostgresPartition>()
                        .getSnapshotMetrics(task, queue, metadata));
    }

    /**
     * A message is of no table, and Flink CDC's fetcher lets nothing through that is of no captured one; it stands for a row of
     * the outbox.
     */
    @Override
    public TableId getTableId(SourceRecord record) {
        OutboxOptions outbox = options.outbox();
        return outbox != null && MESSAGE.equals(((Struct) record.value()).getString(Envelope.FieldName.OPERATION))
                ? new TableId(null, options.schema(), outbox.table())
                : super.getTableId(record);
    }

    /** An address that follows the primary may lead somewhere else a moment after the source was looked at. */
    private void requireJudged(ReplicationConnection replication) throws SQLException {
        SourceLine judgedLine = judged.line();
        SourceLine read = ((JdbcConnection) replication).queryAndMap("IDENTIFY_SYSTEM", row -> {
            row.next();
            return SourceLines.identified(row);
        });
        if (judgedLine.isKnown() && !judgedLine.equals(read)) {
            replicationClosed(replication);
            throw new FlinkRuntimeException(options.postgres().jdbcUrl() + " led to " + judgedLine
                    + " and a moment later to " + read + "; capture looks again");
        }
    }

    private Parts configured() {
        Parts configured = parts;
        if (configured == null) {
            throw new IllegalStateException("No split was configured");
        }
        return configured;
    }

    @Override
    public CaptureSchema getDatabaseSchema() {
        return configured().schema();
    }

    @Override
    public ErrorHandler getErrorHandler() {
        return configured().errors();
    }

    @Override
    public CDCPostgresDispatcher getEventDispatcher() {
        return configured().dispatcher();
    }

    @Override
    public CDCPostgresDispatcher getWaterMarkDispatcher() {
        return configured().dispatcher();
    }

    @Override
    public PostgresOffsetContext getOffsetContext() {
        return configured().offset();
    }

    @Override
    public PostgresPartition getPartition() {
        return configured().partition();
    }

    @Override
    public ChangeEventQueue<DataChangeEvent> getQueue() {
        return configured().queue();
    }

    @Override
    public CaptureConnection getConnection() {
        return configured().connection();
    }

    @Override
    public PostgresTaskContext getTaskContext() {
        return configured().task();
    }

    @Override
    public @Nullable ReplicationConnection getReplicationConnection() {
        return configured().replication();
    }

    @Override
    public SnapshotChangeEventSourceMetrics<PostgresPartition> getSnapshotChangeEventSourceMetrics() {
        return configured().metrics();
    }

    @Override
    public Snapshotter getSnapShotter() {
        return configured().snapshotter();
    }

    @Override
    public void close() {
        Parts open = parts;
        if (open == null) {
            return;
        }
        open.connection().end();
        if (open.replication() != null) {
            replicationClosed(open.replication());
        }
    }

    private static void replicationClosed(ReplicationConnection replication) {
        try {
            replication.close();
        } catch (Exception e) {
            throw new FlinkRuntimeException("The replication connection cannot be closed", e);
        }
    }
}
