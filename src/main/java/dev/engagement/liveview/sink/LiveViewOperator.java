package dev.engagement.liveview.sink;

import dev.engagement.event.EnrichedEvent;
import dev.engagement.liveview.LiveValue;
import dev.engagement.liveview.LiveViewKeys;
import dev.engagement.writeback.Keeping;
import dev.engagement.writeback.Place;
import dev.engagement.writeback.WriteBack;
import dev.engagement.writeback.WriteBackOperator;
import dev.engagement.writeback.WriteBackPlan;
import org.apache.flink.api.common.operators.MailboxExecutor;
import org.apache.flink.api.common.state.MapStateDescriptor;
import org.apache.flink.api.common.typeinfo.Types;
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
 * @param <T> element of the stream
 */
final class LiveViewOperator<T> extends WriteBackOperator<T, LiveValue> {

    private static final long serialVersionUID = 1L;

    static final MapStateDescriptor<String, LiveValue> SHOWN =
            new MapStateDescriptor<>("shown", Types.STRING, LiveValueType.LIVE_VALUE);

    private final LiveViewOperatorFactory<T> parts;

    private transient WriteBack<LiveValue> values;
    private transient CachedEvents cachedEvents;
    private transient LiveViewWriterMetrics metrics;
    private transient View view;

    LiveViewOperator(LiveViewOperatorFactory<T> parts, MailboxExecutor mailbox) {
        super(mailbox);
        this.parts = parts;
    }

    @Override
    public void open() throws Exception {
        super.open();
        metrics = new LiveViewWriterMetrics(getMetricGroup());
        cachedEvents = new CachedEvents(parts.eventCache().getBytes(), metrics.eventCacheLeftOut);
        view = new View();
        values = begin(
                new Setting<>(
                        SHOWN,
                        parts.spread(),
                        "Redis at " + parts.server(),
                        "the live view",
                        "live-view-" + parts.name(),
                        parts.ioThreads()),
                new WriteBackPlan(
                        Keeping.WHILE_ALIVE,
                        parts.mapping().rewriteOrder(),
                        parts.limits(),
                        parts.backoff(),
                        parts.refusedBackoff()),
                new LiveViewLink(
                        new RedisLink(parts.connector()),
                        new LiveViewKeys(parts.keyPrefix()),
                        parts.server(),
                        parts.limits().maxBatchEntries(),
                        cachedEvents,
                        metrics),
                metrics.writeBack);
        metrics.show(getMetricGroup(), values);
    }

    @Override
    public void processElement(StreamRecord<T> record) throws Exception {
        parts.mapping().show(record.getValue(), view);
        values.startIfDue();
    }

    private final class View implements LiveViewMapping.View {

        @Override
        public Place<LiveValue> place(String id) throws Exception {
            return values.place(id);
        }

        @Override
        public void show(Place<LiveValue> place, LiveValue value, long changedParts) {
            values.put(place, value, changedParts);
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
            metrics.futureDated.inc();
        }

        @Override
        public void leaveOutExpired(long events) {
            metrics.expired.inc(events);
        }
    }
}
