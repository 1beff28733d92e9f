package dev.engagement.capture;

import dev.engagement.capture.SlotContinuity.Position;
import dev.engagement.capture.SourceDatabase.Slot;
import dev.engagement.capture.SourceDatabase.SlotView;
import dev.engagement.connection.KafkaConnection;
import io.debezium.jdbc.JdbcConnection;
import java.io.IOException;
import java.sql.SQLException;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.flink.cdc.connectors.base.config.JdbcSourceConfig;
import org.apache.flink.cdc.connectors.base.source.meta.offset.Offset;
import org.apache.flink.cdc.connectors.base.source.meta.split.SourceSplitBase;
import org.apache.flink.cdc.connectors.base.source.reader.external.FetchTask;
import org.apache.flink.cdc.connectors.base.source.reader.external.JdbcSourceFetchTaskContext;
import org.apache.flink.cdc.connectors.postgres.source.PostgresDialect;
import org.apache.flink.cdc.connectors.postgres.source.config.PostgresSourceConfig;
import org.apache.flink.cdc.connectors.postgres.source.offset.PostgresOffset;
import org.apache.flink.runtime.execution.SuppressRestartsException;
import org.apache.flink.util.FlinkRuntimeException;
import org.jspecify.annotations.Nullable;

/** Flink CDC's way of reading PostgreSQL, with the slot judged each time before it is read from. */
final class CaptureDialect extends PostgresDialect {

    private static final long serialVersionUID = 1L;

    private static final String CONNECTION_NAME = "postgres-cdc-connector";

    /** Slots found whole by this process. */
    private static final Map<String, Found> FOUND = new ConcurrentHashMap<>();

    private final CaptureOptions options;
    private final KafkaConnection kafka;
    /** Where the stream is read, as it was found when reading (re)started; null before. */
    private transient volatile @Nullable SourceLine line;

    CaptureDialect(PostgresSourceConfig config, CaptureOptions options, KafkaConnection kafka) {
        super(config);
        this.options = options;
        this.kafka = kafka;
    }

    /**
     * A slot was found whole for a position, when the log ended at {@code reach}, behind a change of our own.
     *
     * <p>Until a checkpoint holds that change, the slot may still have moved ahead of the position, as the driver
     * confirms what it has seen no change in, but not past the change; a slot created later begins after it. Nor is that
     * line judged again for that position: what was handed out since is on it.
     */
    private record Found(long position, long reach, SourceLine line) {}

    /** What is asked when the timeline is another one. */
    private static final class Asked implements LineContinuity.Evidence {

        private final SourceLines lines;
        private final CaptureOptions options;
        private final KafkaConnection kafka;

        Asked(CaptureOptions options, KafkaConnection kafka) {
            this.lines = new SourceLines(options);
            this.options = options;
            this.kafka = kafka;
        }

        @Override
        public @Nullable TimelineHistory history(int timeline) throws SQLException {
            return lines.history(timeline);
        }

        @Override
        public HandedOut.Tail handedOut() throws IOException {
            return HandedOut.tail(kafka, List.of(options.eventsTopic(), options.contentTopic()));
        }

        @Override
        public int uncommitted(Collection<Long> txIds) throws SQLException {
            return lines.uncommitted(txIds);
        }
    }

    /** The line that is read. */
    SourceLine line() {
        SourceLine read = line;
        return read == null ? SourceLine.UNKNOWN : read;
    }

    /** Called on the fetching thread, at each (re)start of reading a split. */
    @Override
    public FetchTask<SourceSplitBase> createFetchTask(SourceSplitBase split) {
        if (split.isStreamSplit()) {
            prepareStream(split.asStreamSplit().getStartingOffset());
        }
        return split.isSnapshotSplit() ? new SnapshotTask(split.asSnapshotSplit()) : super.createFetchTask(split);
    }

    @Override
    public JdbcSourceFetchTaskContext createFetchTaskContext(JdbcSourceConfig config) {
        return new CaptureContext(config, this, options);
    }

    /**
     * Not from Flink CDC's pool, which stays open in the process when the job has ended: whoever asks closes what he got, and
     * asks seldom.
     */
    @Override
    public JdbcConnection openJdbcConnection(JdbcSourceConfig config) {
        CaptureConnection connection =
                CaptureConnection.closedOnce(((PostgresSourceConfig) config).getDbzConnectorConfig(), CONNECTION_NAME);
        try {
            connection.connect();
        } catch (SQLException e) {
            throw new FlinkRuntimeException(
                    "PostgreSQL at " + options.postgres().jdbcUrl() + " cannot be reached", e);
        }
        return connection;
    }

    private void prepareStream(Offset start) {
        SourceDatabase database = new SourceDatabase(options);
        try {
            Position position = StreamPosition.of(start);
            String slot = options.postgres().jdbcUrl() + ' ' + options.slotName();
            Found before = FOUND.get(slot);
            boolean found = before != null && before.position() == position.lsn();
            KnownSource seen = database.look();
            // Before the slot: a source that went back may have none, and more is to be said of it.
            LineContinuity.require(
                    options,
                    found ? before.line() : StreamPosition.lineOf(start),
                    position,
                    seen,
                    new Asked(options, kafka));
            line = seen.line();
            // A change of our own, so that the position is found and confirmed at once; see confirm().
            SlotView view = database.touch();
            SlotContinuity.require(options, view, position, found ? before.reach() : 0);
            FOUND.put(slot, new Found(position.lsn(), view.currentLsn(), seen.line()));
        } catch (SlotLostException | SourceWentBackException e) {
            throw new SuppressRestartsException(e);
        } catch (SQLException e) {
            throw new FlinkRuntimeException(
                    "Replication slot " + options.slotName() + " of "
                            + options.postgres().jdbcUrl() + " cannot be looked at",
                    e);
        } catch (IOException e) {
            throw new FlinkRuntimeException("What was captured last cannot be read from Kafka", e);
        }
    }

    /**
     * From where the log makes up for what a snapshot that is about to be read does not see: from where the slot stands.
     *
     * <p>Not from the present end of the log, as Flink CDC has it. A transaction is in the log before it can be seen, by as
     * long as its commit waits for the disk or a synchronous standby: one that the snapshot does not see yet could stand
     * before that end, and would come neither way. A slot begins only when all that is before it can be seen; what comes
     * both ways is the same row twice, which its id tells.
     */
    @Override
    public Offset displayCurrentOffset(JdbcSourceConfig config) {
        return displayCommittedOffset(config);
    }

    /** Where the slot stands; Flink CDC's own falls back to the present end if there is no slot. */
    @Override
    public Offset displayCommittedOffset(JdbcSourceConfig config) {
        try {
            SourceDatabase database = new SourceDatabase(options);
            SlotView view = database.slot();
            SlotContinuity.require(options, view, Position.UNKNOWN);
            Slot slot = view.slot();
            return StreamPosition.offset(
                    slot == null ? 0L : slot.confirmedLsn(), 0L, database.look().line());
        } catch (SlotLostException e) {
            throw new SuppressRestartsException(e);
        } catch (SQLException e) {
            throw new FlinkRuntimeException(
                    "Replication slot " + options.slotName() + " of "
                            + options.postgres().jdbcUrl() + " cannot be looked at",
                    e);
        }
    }

    /**
     * Confirms a position of which nothing after it was read yet. On the task thread.
     *
     * <p>While the driver has received no change, it takes every position that the server mentions for confirmed, and
     * tells it so some seconds later: the slot would move beyond the state, and after the next failure look like one
     * that was created again. Once there was a change, and an explicit confirmation before it, it no longer does.
     */
    void confirm(long lsn) throws Exception {
        super.notifyCheckpointComplete(
                0, PostgresOffset.of(Map.of(StreamPosition.LSN, lsn, StreamPosition.COMMIT_TIME, 0L)));
    }

    @Override
    public void notifyCheckpointComplete(long checkpointId, @Nullable Offset offset) throws Exception {
        // For a checkpoint from before the stream began there is no offset, and Flink CDC would confirm the newest.
        if (offset != null) {
            super.notifyCheckpointComplete(checkpointId, offset);
        }
    }
}
