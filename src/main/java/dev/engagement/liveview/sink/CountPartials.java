package dev.engagement.liveview.sink;

import dev.engagement.event.EngagementEvent;
import dev.engagement.event.EnrichedEvent;
import dev.engagement.liveview.LiveViewRules;
import dev.engagement.liveview.Tally;
import java.util.Arrays;
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

    /** An event of no minute that is shown. */
    private static final long NO_MINUTE = Long.MIN_VALUE;

    /** Contents counted before they leave ahead of time. */
    static final int MAX_CONTENTS = 10_000;

    /** Minutes of one content counted before they leave ahead of time: each event looks through them. */
    static final int MAX_MINUTES = 64;

    private final LiveViewRules rules;

    private transient Map<String, Sum> sums;
    private transient boolean scheduled;

    /** Chained to what comes before it. */
    public CountPartials(LiveViewRules rules) {
        this.rules = rules;
        chainingStrategy = ChainingStrategy.ALWAYS;
    }

    @Override
    public void open() throws Exception {
        super.open();
        sums = new HashMap<>();
    }

    @Override
    public void processElement(StreamRecord<EnrichedEvent> element) {
        EngagementEvent event = element.getValue().event();
        String contentId = event.contentId();
        if (contentId == null) {
            return;
        }
        Sum sum = sums.get(contentId);
        if (sum == null) {
            sum = new Sum();
            sums.put(contentId, sum);
        }
        sum.add(rules.isFutureDated(event) ? NO_MINUTE : Tally.minuteOf(event.eventTsMicros()));
        if (sum.size == MAX_MINUTES) {
            output.collect(new StreamRecord<>(sum.of(contentId)));
            sums.remove(contentId);
        }
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
        sums.forEach((contentId, sum) -> output.collect(new StreamRecord<>(sum.of(contentId))));
        sums.clear();
    }

    private static final class Sum {
        private long events;
        private int size;
        private long[] minutes = new long[2];
        private long[] inMinute = new long[2];

        void add(long minute) {
            events++;
            if (minute == NO_MINUTE) {
                return;
            }
            // Backwards, as the newest minute comes again most often.
            for (int i = size - 1; i >= 0; i--) {
                if (minutes[i] == minute) {
                    inMinute[i]++;
                    return;
                }
            }
            if (size == minutes.length) {
                minutes = Arrays.copyOf(minutes, 2 * size);
                inMinute = Arrays.copyOf(inMinute, 2 * size);
            }
            minutes[size] = minute;
            inMinute[size] = 1;
            size++;
        }

        CountPartial of(String contentId) {
            return new CountPartial(contentId, events, Arrays.copyOf(minutes, size), Arrays.copyOf(inMinute, size));
        }
    }
}
