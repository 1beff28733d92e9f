package dev.engagement.liveview.sink;

import dev.engagement.event.EnrichedEvent;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.ScheduledFuture;
import org.apache.flink.streaming.api.operators.AbstractStreamOperator;
import org.apache.flink.streaming.api.operators.ChainingStrategy;
import org.apache.flink.streaming.api.operators.OneInputStreamOperator;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;

/**
 * Counts events where they are, so that what crosses the network is one small partial count per content and interval,
 * however popular the content.
 *
 * <p>It needs no state: all that was counted leaves before each checkpoint's barrier and at the end of input. Partial
 * counts carry no timestamp; watermarks pass.
 */
public final class CountPartials extends AbstractStreamOperator<CountPartial>
        implements OneInputStreamOperator<EnrichedEvent, CountPartial> {

    private static final long serialVersionUID = 1L;

    /** Short beside the freshness promised for counts, long beside a record's way through the task. */
    static final long INTERVAL_MILLIS = 50;

    /** Contents counted before they leave ahead of time. */
    static final int MAX_CONTENTS = 10_000;

    private transient Map<String, Sum> sums;
    private transient boolean scheduled;

    /** Chained to what comes before it. */
    public CountPartials() {
        chainingStrategy = ChainingStrategy.ALWAYS;
    }

    @Override
    public void open() throws Exception {
        super.open();
        sums = new HashMap<>();
    }

    @Override
    public void processElement(StreamRecord<EnrichedEvent> element) {
        sums.computeIfAbsent(element.getValue().event().contentId(), contentId -> new Sum()).events++;
        if (sums.size() >= MAX_CONTENTS) {
            emit();
        } else if (!scheduled) {
            scheduled = true;
            ScheduledFuture<?> unused = getProcessingTimeService()
                    .registerTimer(getProcessingTimeService().getCurrentProcessingTime() + INTERVAL_MILLIS, time -> {
                        scheduled = false;
                        emit();
                    });
        }
    }

    @Override
    public void prepareSnapshotPreBarrier(long checkpointId) {
        emit();
    }

    @Override
    public void finish() throws Exception {
        emit();
        super.finish();
    }

    private void emit() {
        sums.forEach((contentId, sum) -> output.collect(new StreamRecord<>(new CountPartial(contentId, sum.events))));
        sums.clear();
    }

    private static final class Sum {
        private long events;
    }
}
