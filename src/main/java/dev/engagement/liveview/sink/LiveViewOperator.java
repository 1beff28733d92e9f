package dev.engagement.liveview.sink;

import dev.engagement.event.EnrichedEvent;
import dev.engagement.liveview.LiveValue;
import dev.engagement.liveview.LiveViewKeys;
import java.time.Duration;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import org.apache.flink.api.common.TaskInfo;
import org.apache.flink.api.common.operators.MailboxExecutor;
import org.apache.flink.runtime.state.KeyGroupRangeAssignment;
import org.apache.flink.runtime.state.StateSnapshotContext;
import org.apache.flink.runtime.state.VoidNamespace;
import org.apache.flink.runtime.state.VoidNamespaceSerializer;
import org.apache.flink.streaming.api.operators.AbstractStreamOperator;
import org.apache.flink.streaming.api.operators.BoundedOneInput;
import org.apache.flink.streaming.api.operators.ChainingStrategy;
import org.apache.flink.streaming.api.operators.OneInputStreamOperator;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;

/**
 * Shows a stream in Redis: the end of a branch, built by {@link LiveViewStreams}.
 *
 * <p><b>Guarantee.</b> Flink state holds every value that is shown; Redis is a picture of it. What changed is written as
 * absolute, versioned values, so a replay, a restart or a zombie leaves the newest. Between two writes only the newest
 * value of an id is kept; a reader may never see those in between. A checkpoint holds all values and which of them Redis
 * may lack; it never waits for Redis, and neither does anything upstream. When Redis returns it gets what waited; when it
 * has forgotten anything, or too much waited to be remembered one by one, it gets everything again. The end of a bounded
 * input waits until all is written. Cached events alone are best effort.
 *
 * <p>An operator with keyed state and not a {@code Sink}, because what is written has to be found again in state.
 *
 * @param <T> element of the stream
 */
final class LiveViewOperator<T> extends AbstractStreamOperator<Void>
        implements OneInputStreamOperator<T, Void>, BoundedOneInput {

    private static final long serialVersionUID = 1L;

    /** Longer than a connect takes to time out. */
    private static final long CLOSE_SECONDS = 5;

    /** One shard is looked through for what is over, then the next: all of them within about an hour. */
    static final Duration SWEEP_INTERVAL = Duration.ofSeconds(25);

    private final LiveViewOperatorFactory<T> parts;
    private final MailboxExecutor mailbox;

    private transient WriteBackCache values;
    private transient Backlog backlog;
    private transient CachedEvents cachedEvents;
    private transient RedisWriter writer;
    private transient LiveViewWriterMetrics writerMetrics;
    private transient View view;
    private transient ShownState state;
    private transient int nextSwept;

    LiveViewOperator(LiveViewOperatorFactory<T> parts, MailboxExecutor mailbox) {
        this.parts = parts;
        this.mailbox = mailbox;
        setChainingStrategy(ChainingStrategy.ALWAYS);
    }

    @Override
    public void open() throws Exception {
        super.open();
        TaskInfo task = getRuntimeContext().getTaskInfo();
        state = new KeyedShownState(
                getKeyedStateBackend(),
                KeyGroupRangeAssignment.computeKeyGroupRangeForOperatorIndex(
                        task.getMaxNumberOfParallelSubtasks(),
                        task.getNumberOfParallelSubtasks(),
                        task.getIndexOfThisSubtask()),
                task.getMaxNumberOfParallelSubtasks(),
                getPartitionedState(VoidNamespace.INSTANCE, VoidNamespaceSerializer.INSTANCE, KeyedShownState.SHOWN),
                getPartitionedState(VoidNamespace.INSTANCE, VoidNamespaceSerializer.INSTANCE, KeyedShownState.DIRTY),
                parts.spread());
        writerMetrics = new LiveViewWriterMetrics(getMetricGroup());
        values = new WriteBackCache(state, WriteBackCache.MAX_HELD, WriteBackCache.MAX_HELD_BYTES);
        backlog = new Backlog(
                values,
                state,
                parts.mapping().rewriteOrder(),
                parts.limits(),
                writerMetrics.coalesced,
                writerMetrics.backlogForgotten);
        writerMetrics.show(getMetricGroup(), backlog);
        backlog.restore();
        cachedEvents = new CachedEvents(parts.limits().eventCache().getBytes(), writerMetrics.eventCacheLeftOut);
        view = new View();
        ExecutorService io = parts.ioThreads()
                .of("live-view-" + parts.name() + " (" + (task.getIndexOfThisSubtask() + 1) + "/"
                        + task.getNumberOfParallelSubtasks() + ")");
        writer = new RedisWriter(
                backlog,
                cachedEvents,
                new LiveViewKeys(parts.keyPrefix()),
                parts.limits(),
                parts.backoff(),
                parts.refusedBackoff(),
                new RedisLink(parts.connector()),
                new RedisWriter.Environment(
                        parts.server(),
                        mailbox,
                        getProcessingTimeService(),
                        io,
                        () -> stop(io),
                        () -> ThreadLocalRandom.current().nextDouble()),
                writerMetrics);
        writer.start();
        scheduleSweep();
    }

    static ExecutorService ioThread(String name) {
        return Executors.newSingleThreadExecutor(runnable -> {
            Thread created = new Thread(runnable, name);
            created.setDaemon(true);
            return created;
        });
    }

    private static void stop(ExecutorService io) {
        io.shutdown();
        try {
            // A thread that outlives its task would keep the job's class loader alive.
            boolean ended = io.awaitTermination(CLOSE_SECONDS, TimeUnit.SECONDS);
            if (!ended) {
                io.shutdownNow();
            }
        } catch (InterruptedException e) {
            io.shutdownNow();
            Thread.currentThread().interrupt();
        }
    }

    private void scheduleSweep() {
        ScheduledFuture<?> unused = getProcessingTimeService()
                .registerTimer(view.nowMillis() + SWEEP_INTERVAL.toMillis(), time -> {
                    int[] shards = state.shards();
                    values.sweep(shards[nextSwept++ % shards.length], view.nowMillis());
                    scheduleSweep();
                });
    }

    /** Only values that are not at hand need the key: it is set there, and not for each element. */
    @Override
    public boolean hasKeyContext1() {
        return false;
    }

    @Override
    public void processElement(StreamRecord<T> record) throws Exception {
        parts.mapping().show(record.getValue(), view);
        writer.startIfDue();
    }

    @Override
    public void snapshotState(StateSnapshotContext context) throws Exception {
        super.snapshotState(context);
        values.save(view.nowMillis());
        backlog.save();
    }

    @Override
    public void endInput() throws Exception {
        writer.flush();
    }

    @Override
    public void close() throws Exception {
        // Null if opening failed.
        if (writer != null) {
            writer.close();
        }
        super.close();
    }

    private final class View implements LiveViewMapping.View {

        @Override
        public LiveViewMapping.Place place(String id) throws Exception {
            return values.held(id);
        }

        @Override
        public void show(LiveViewMapping.Place place, LiveValue value, long changedParts) {
            backlog.changed((WriteBackCache.Held) place, value, changedParts);
        }

        @Override
        public void cache(EnrichedEvent enriched) {
            cachedEvents.add(enriched);
        }

        @Override
        public long nowMillis() {
            return getProcessingTimeService().getCurrentProcessingTime();
        }

        @Override
        public void leaveOutFutureDated() {
            writerMetrics.futureDated.inc();
        }

        @Override
        public void leaveOutExpired(long events) {
            writerMetrics.expired.inc(events);
        }
    }
}
