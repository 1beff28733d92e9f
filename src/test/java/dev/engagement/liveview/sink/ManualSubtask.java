package dev.engagement.liveview.sink;

import dev.engagement.event.EnrichedEvent;
import dev.engagement.liveview.LiveValue;
import dev.engagement.liveview.LiveViewKeys;
import dev.engagement.writeback.Keeping;
import dev.engagement.writeback.Place;
import dev.engagement.writeback.WriteBack;
import dev.engagement.writeback.WriteBackPlan;
import dev.engagement.writeback.WriterLimits;
import dev.engagement.writeback.testing.ManualTask;
import dev.engagement.writeback.testing.MapShownState;
import dev.engagement.writeback.testing.RecordedMetrics;
import java.util.concurrent.TimeUnit;

/** All of a live view's operator but what is Flink's, on a {@link ManualTask}. */
final class ManualSubtask<T> implements LiveViewMapping.View {

    private static final int MAX_ROUNDS = 10_000;
    private static final long EVENT_CACHE_BYTES = 1 << 20;

    final ManualTask task;
    final RecordedMetrics metrics = new RecordedMetrics();
    final MapShownState<LiveValue> state;
    final CachedEvents cachedEvents;
    final WriteBack<LiveValue> writer;
    private final LiveViewMapping<T> mapping;
    private final LiveViewWriterMetrics writerMetrics = new LiveViewWriterMetrics(metrics);

    ManualSubtask(
            LiveViewMapping<T> mapping,
            MapShownState<LiveValue> state,
            RedisConnection.Connector redis,
            WriterLimits limits,
            int maxHeld,
            long now)
            throws Exception {
        this.mapping = mapping;
        this.state = state;
        task = new ManualTask(now);
        cachedEvents = new CachedEvents(EVENT_CACHE_BYTES, writerMetrics.eventCacheLeftOut);
        writer = new WriteBack<>(
                state,
                new WriteBackPlan(
                        Keeping.WHILE_ALIVE,
                        mapping.rewriteOrder(),
                        limits,
                        WriteBackPlan.BACKOFF,
                        WriteBackPlan.REFUSED_BACKOFF),
                maxHeld,
                new LiveViewLink(
                        new RedisLink(redis, () -> TimeUnit.MILLISECONDS.toNanos(task.getCurrentProcessingTime())),
                        new LiveViewKeys(""),
                        "host:6379/0",
                        limits.maxBatchEntries(),
                        cachedEvents,
                        writerMetrics),
                new WriteBack.Environment(
                        "Redis at host:6379/0", "the live view", task, task, task.io(), task::stopIo, () -> 0.0),
                writerMetrics.writeBack);
        writerMetrics.show(metrics, writer);
        writer.open();
    }

    void show(T element) throws Exception {
        mapping.show(element, this);
        writer.startIfDue();
    }

    /** What a checkpoint stores now. */
    MapShownState<LiveValue> checkpoint() throws Exception {
        writer.save();
        return state.copy();
    }

    /** Time passes, and everybody works, until Redis has everything. */
    void settle() throws Exception {
        for (int round = 0; round < MAX_ROUNDS; round++) {
            task.runAll();
            if (writer.isEmpty()) {
                return;
            }
            task.pass(5);
        }
        throw new AssertionError("Redis still lacks something");
    }

    @Override
    public Place<LiveValue> place(String id) throws Exception {
        return writer.place(id);
    }

    @Override
    public void show(Place<LiveValue> place, LiveValue value, long changedParts) {
        writer.put(place, value, changedParts);
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
