package dev.engagement.capture;

import dev.engagement.capture.SourceDatabase.Watched;
import java.io.IOException;
import java.sql.SQLException;
import java.time.Clock;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;
import org.apache.flink.api.connector.source.SourceEvent;
import org.apache.flink.api.connector.source.SplitEnumerator;
import org.apache.flink.api.connector.source.SplitEnumeratorContext;
import org.apache.flink.cdc.connectors.base.source.assigner.state.HybridPendingSplitsState;
import org.apache.flink.cdc.connectors.base.source.assigner.state.PendingSplitsState;
import org.apache.flink.cdc.connectors.base.source.assigner.state.StreamPendingSplitsState;
import org.apache.flink.cdc.connectors.base.source.enumerator.IncrementalSourceEnumerator;
import org.apache.flink.cdc.connectors.base.source.meta.split.SourceSplitBase;
import org.apache.flink.runtime.execution.SuppressRestartsException;
import org.apache.flink.util.FlinkRuntimeException;
import org.jspecify.annotations.Nullable;

/**
 * Flink CDC's enumerator, which begins only once the database is found fit, and a heartbeat beside it.
 *
 * <p>The slot is created at a first start and never after a restore: there its absence is a gap. What must be set up by
 * hand ends the job; a database that is away restarts it. At each heartbeat the source is looked at again: its line of
 * history, tables, their identity, and the publication; what changed so that rows do not come any more ends the job. At
 * each, too, rows of an outbox are removed, if asked to. All methods on the coordinator's thread, but the heartbeat and
 * that, which are on its worker thread.
 */
final class CaptureEnumerator implements SplitEnumerator<SourceSplitBase, PendingSplitsState> {

    /** Heartbeats that may fail in a row: a database that restarts is not yet an error. */
    private static final int MAX_FAILED_HEARTBEATS = 3;

    private final CaptureOptions options;
    private final SplitEnumeratorContext<SourceSplitBase> context;
    private final @Nullable PendingSplitsState restored;
    private final Supplier<IncrementalSourceEnumerator> factory;
    private final SourceDatabase database;
    private final CaptureMetrics metrics;
    private @Nullable IncrementalSourceEnumerator delegate;
    private int failedHeartbeats;
    private int failedPurges;
    /** The tables that are captured. */
    private TableIds captured;
    /** When the source was last found whole, in the database's time. */
    private @Nullable Instant wholeAt;
    /** What the source was at the last look. */
    private KnownSource source;
    /** Whether the snapshot was over at the last checkpoint, so that a reader has the stream's position. */
    private volatile boolean positioned;

    CaptureEnumerator(
            CaptureOptions options,
            SplitEnumeratorContext<SourceSplitBase> context,
            @Nullable PendingSplitsState restored,
            Supplier<IncrementalSourceEnumerator> factory) {
        this.options = options;
        this.context = context;
        this.restored = CaptureState.splits(restored);
        this.captured = restored instanceof CaptureState state ? state.captured() : TableIds.UNKNOWN;
        this.wholeAt = restored instanceof CaptureState state ? state.wholeAt() : null;
        this.source = restored instanceof CaptureState state ? state.source() : KnownSource.NOTHING;
        this.positioned = this.restored != null && isStreamAssigned(this.restored);
        this.factory = factory;
        this.database = new SourceDatabase(options);
        this.metrics = new CaptureMetrics(Clock.systemUTC());
    }

    @Override
    public void start() {
        try {
            if (restored != null) {
                requireSameSource();
            }
            SourceDatabase.Fitness fitness = database.fitness(restored == null);
            KnownSource seen = source;
            if (fitness.shape().canBeLookedAt()) {
                seen = database.look();
                // First, as another cluster has other tables and no slot, too.
                LineContinuity.requireSame(options, source, seen, positioned);
            }
            if (restored != null) {
                requireWhole(fitness.shape());
            }
            CapturePreflight.require(options, fitness);
            captured = fitness.shape().ids();
            wholeAt = fitness.shape().at();
            source = seen.orIdOf(source);
            if (restored == null) {
                if (database.slot().slot() == null) {
                    database.createSlot();
                }
            } else if (!isStreamAssigned(restored)) {
                // Once the stream is assigned its reader knows the position, and so says more than could be said here.
                SlotContinuity.require(options, database.slot(), SlotContinuity.Position.UNKNOWN);
            }
        } catch (CaptureSetupException | SlotLostException | SourceChangedException | SourceWentBackException e) {
            throw new SuppressRestartsException(e);
        } catch (SQLException e) {
            throw new FlinkRuntimeException(
                    "Capture cannot work with " + options.postgres().jdbcUrl() + " as "
                            + options.postgres().username() + ": " + e.getMessage(),
                    e);
        }
        IncrementalSourceEnumerator enumerator = factory.get();
        delegate = enumerator;
        enumerator.start();
        long interval = options.heartbeatInterval().toMillis();
        metrics.show(context.metricGroup());
        TableIds tables = captured;
        AtomicReference<KnownSource> known = new AtomicReference<>(source);
        context.callAsync(
                () -> {
                    Watched watched = database.watch(tables, known.get(), positioned);
                    known.set(watched.source());
                    return watched;
                },
                this::onBeat,
                interval,
                interval);
        OutboxOptions outbox = options.outbox();
        if (outbox != null && outbox.purge()) {
            OutboxPurge purge = new OutboxPurge(options, outbox, database);
            metrics.showRemoved(context.metricGroup());
            context.callAsync(purge::purge, this::onPurged, interval, interval);
        }
    }

    /** Throws if the state is of the tables and an outbox is captured now, or the other way round. */
    private void requireSameSource() {
        CaptureOptions.Source before = captured.source();
        CaptureOptions.Source now = options.source();
        if (before != now) {
            throw new CaptureSetupException("This state is one of capture.source=" + word(before)
                    + ", and capture.source is " + word(now)
                    + " now: how far one has been read says nothing of the other."
                    + " Set it back; or start capture without its old state, and it goes on at its slot "
                    + options.slotName() + ":\n" + Gap.START_AGAIN);
        }
    }

    private static String word(CaptureOptions.Source source) {
        return source.name().toLowerCase(Locale.ROOT);
    }

    /** Throws if the source is no longer what it was when it was last found whole. */
    private void requireWhole(SourceShape shape) {
        List<String> problems = shape.losses(options, captured);
        if (!problems.isEmpty()) {
            throw new SourceChangedException(message(problems, Gap.between(wholeAt, shape.at())));
        }
        wholeAt = shape.at();
    }

    private String message(List<String> problems, Gap gap) {
        return "Capture has stopped for good: PostgreSQL at "
                + options.postgres().jdbcUrl()
                + " is no longer what was captured so far.\n- " + String.join("\n- ", problems)
                + "\nRows committed from " + gap.beginning() + " to " + gap.to()
                + " may not have been captured and will not come by themselves.\n"
                + "First mend the above; a table that replaced another is captured from now on, once it is in the"
                + " publication.\n"
                + "Start capture again, without its old state; it goes on at its slot:\n" + Gap.START_AGAIN
                + "Then fill the gap:\n" + gap.backfill()
                + "The gap grows until capture runs again: " + Gap.RANGE;
    }

    private static boolean isStreamAssigned(PendingSplitsState state) {
        return state instanceof StreamPendingSplitsState stream
                ? stream.isStreamSplitAssigned()
                : state instanceof HybridPendingSplitsState hybrid && hybrid.isStreamSplitAssigned();
    }

    private void onBeat(@Nullable Watched watched, @Nullable Throwable failure) {
        if (watched != null) {
            failedHeartbeats = 0;
            try {
                requireWhole(watched.shape());
            } catch (SourceChangedException e) {
                throw new SuppressRestartsException(e);
            }
            source = watched.source().orIdOf(source);
            if (watched.slot() != null) {
                metrics.seen(watched.slot());
            }
        } else if (failure instanceof SourceWentBackException) {
            throw new SuppressRestartsException(failure);
        } else if (++failedHeartbeats > MAX_FAILED_HEARTBEATS) {
            throw new FlinkRuntimeException(
                    "The heartbeat table " + options.schema() + '.' + options.heartbeatTable() + " of "
                            + options.postgres().jdbcUrl() + " could not be written " + failedHeartbeats
                            + " times in a row; without it an idle database keeps its write-ahead log for slot "
                            + options.slotName(),
                    failure);
        }
    }

    private void onPurged(@Nullable Long removed, @Nullable Throwable failure) {
        if (removed != null) {
            failedPurges = 0;
            metrics.removed(removed);
        } else if (++failedPurges > MAX_FAILED_HEARTBEATS) {
            throw new FlinkRuntimeException(
                    "Rows of the outbox " + String.join(", ", options.capturedTables()) + " of "
                            + options.postgres().jdbcUrl() + " could not be removed " + failedPurges
                            + " times in a row, which capture.outbox.purge asks for",
                    failure);
        }
    }

    private IncrementalSourceEnumerator delegate() {
        IncrementalSourceEnumerator enumerator = delegate;
        if (enumerator == null) {
            throw new IllegalStateException("Capture's enumerator has not started");
        }
        return enumerator;
    }

    @Override
    public void handleSplitRequest(int subtaskId, @Nullable String requesterHostname) {
        delegate().handleSplitRequest(subtaskId, requesterHostname);
    }

    @Override
    public void addSplitsBack(List<SourceSplitBase> splits, int subtaskId) {
        delegate().addSplitsBack(splits, subtaskId);
    }

    @Override
    public void addReader(int subtaskId) {
        delegate().addReader(subtaskId);
    }

    @Override
    public void handleSourceEvent(int subtaskId, SourceEvent event) {
        delegate().handleSourceEvent(subtaskId, event);
    }

    @Override
    public PendingSplitsState snapshotState(long checkpointId) {
        PendingSplitsState splits = delegate().snapshotState(checkpointId);
        positioned = isStreamAssigned(splits);
        return new CaptureState(splits, captured, wholeAt, source);
    }

    @Override
    public void notifyCheckpointComplete(long checkpointId) {
        delegate().notifyCheckpointComplete(checkpointId);
        metrics.checkpointed();
    }

    @Override
    public void close() throws IOException {
        if (delegate != null) {
            delegate.close();
        }
    }
}
