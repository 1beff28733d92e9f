package dev.engagement.liveview.sink;

import dev.engagement.event.EnrichedEvent;
import dev.engagement.liveview.LiveValue;
import dev.engagement.liveview.LiveViewKeys;
import java.util.concurrent.TimeUnit;

/** All of a live view's operator but what is Flink's, on a {@link ManualTask}. */
final class ManualSubtask<T> implements LiveViewMapping.View {

    private static final int MAX_ROUNDS = 10_000;

    final ManualTask task;
    final RecordedMetrics metrics = new RecordedMetrics();
    final MapShownState state;
    final WriteBackCache values;
    final Backlog backlog;
    final CachedEvents cachedEvents;
    final RedisWriter writer;
    private final LiveViewMapping<T> mapping;
    private final LiveViewWriterMetrics writerMetrics = new LiveViewWriterMetrics(metrics);

    ManualSubtask(
            LiveViewMapping<T> mapping,
            MapShownState state,
            RedisConnection.Connector redis,
            WriterLimits limits,
            int maxHeld,
            long now)
            throws Exception {
        this.mapping = mapping;
        this.state = state;
        task = new ManualTask(now);
        values = new WriteBackCache(state, maxHeld, WriteBackCache.MAX_HELD_BYTES);
        backlog = new Backlog(
                values, state, mapping.rewriteOrder(), limits, writerMetrics.coalesced, writerMetrics.backlogForgotten);
        writerMetrics.show(metrics, backlog);
        backlog.restore();
        cachedEvents = new CachedEvents(limits.eventCache().getBytes(), writerMetrics.eventCacheLeftOut);
        writer = new RedisWriter(
                backlog,
                cachedEvents,
                new LiveViewKeys(""),
                limits,
                RedisWriter.BACKOFF,
                RedisWriter.REFUSED_BACKOFF,
                new RedisLink(redis, () -> TimeUnit.MILLISECONDS.toNanos(task.getCurrentProcessingTime())),
                new RedisWriter.Environment("host:6379/0", task, task, task.io(), task::stopIo, () -> 0.0),
                writerMetrics);
        writer.start();
    }

    void show(T element) throws Exception {
        mapping.show(element, this);
        writer.startIfDue();
    }

    /** What a checkpoint stores now. */
    MapShownState checkpoint() throws Exception {
        values.save(nowMillis());
        backlog.save();
        return state.copy();
    }

    /** Time passes, and everybody works, until Redis has everything. */
    void settle() throws Exception {
        for (int round = 0; round < MAX_ROUNDS; round++) {
            task.runAll();
            if (backlog.isEmpty()) {
                return;
            }
            task.pass(5);
        }
        throw new AssertionError("Redis still lacks something");
    }

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
        return task.getCurrentProcessingTime();
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
