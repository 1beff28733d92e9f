package dev.engagement.ranking;

import dev.engagement.event.EngagementEvent;
import dev.engagement.event.EnrichedEvent;
import dev.engagement.event.Timestamps;
import dev.engagement.event.types.EventShards;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import org.apache.flink.metrics.Counter;
import org.apache.flink.streaming.api.operators.AbstractStreamOperator;
import org.apache.flink.streaming.api.operators.ChainingStrategy;
import org.apache.flink.streaming.api.operators.OneInputStreamOperator;
import org.apache.flink.streaming.api.watermark.Watermark;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;

/**
 * Sums events by content and second where they are, so that what crosses the network is small, however popular the
 * content and whatever the slide. Events of a clock gone wrong are left out and counted; those without a content are on no
 * board.
 *
 * <p>What was summed leaves before the first watermark that passes the end of another second, since no board can end
 * between two such watermarks; and before each checkpoint's barrier, hence there is no state.
 */
final class PanePartials extends AbstractStreamOperator<RankingPartial>
        implements OneInputStreamOperator<EnrichedEvent, RankingPartial> {

    private static final long serialVersionUID = 1L;

    /** Contents, and panes of all of them, summed before they leave ahead of time. */
    static final int MAX_HELD = 65_536;

    /** Panes of one content, which are searched one by one: more come only of event times all over the place. */
    static final int MAX_PANES_OF_A_CONTENT = 32;

    private static final int MICROS_PER_SECOND = 1_000_000;

    private final long maxClockSkewMillis;

    private transient Map<String, Sums> sums;
    private transient int heldPanes;
    private transient long newestSecond;

    /** Seconds whose end a watermark has passed. */
    private transient long passedSeconds;

    private transient Counter futureDated;

    PanePartials(RankingOptions options) {
        this.maxClockSkewMillis = options.maxClockSkew().toMillis();
        chainingStrategy = ChainingStrategy.ALWAYS;
    }

    @Override
    public void open() throws Exception {
        super.open();
        sums = new HashMap<>();
        newestSecond = Long.MIN_VALUE;
        passedSeconds = Long.MIN_VALUE;
        futureDated = getMetricGroup().counter("futureDated");
    }

    @Override
    public void processElement(StreamRecord<EnrichedEvent> element) {
        EnrichedEvent enriched = element.getValue();
        EngagementEvent event = enriched.event();
        String contentId = event.contentId();
        if (contentId == null) {
            return;
        }
        if (Timestamps.isAhead(event.eventTsMicros(), event.position().timestampMillis(), maxClockSkewMillis)) {
            futureDated.inc();
            return;
        }
        Sums ofContent = sums.get(contentId);
        if (ofContent == null) {
            ofContent = new Sums();
            sums.put(contentId, ofContent);
        }
        long second = Math.floorDiv(event.eventTsMicros(), MICROS_PER_SECOND);
        int panesBefore = ofContent.panes;
        ofContent.add(
                second,
                enriched.engagement().hasSeconds(),
                enriched.engagement().millis());
        if (ofContent.panes != panesBefore) {
            newestSecond = Math.max(newestSecond, second);
            heldPanes++;
            if (heldPanes >= MAX_HELD || ofContent.panes >= MAX_PANES_OF_A_CONTENT) {
                emit();
            }
        }
    }

    @Override
    public void processWatermark(Watermark mark) throws Exception {
        if (mark.equals(Watermark.MAX_WATERMARK)) {
            emit();
            emitNewestSecond();
        } else {
            long passed = Math.floorDiv(mark.getTimestamp() + 1, 1_000L);
            if (passed > passedSeconds) {
                passedSeconds = passed;
                emit();
            }
        }
        super.processWatermark(mark);
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

    /** Events left out because their clock went wrong. */
    long futureDated() {
        return futureDated.getCount();
    }

    private void emit() {
        sums.forEach((contentId, ofContent) ->
                output.collect(new StreamRecord<>(new RankingPartial(contentId, ofContent.panes, ofContent.numbers))));
        sums.clear();
        heldPanes = 0;
    }

    /** At the end of all input every shard has to end with the same board, whichever of them has the last event. */
    private void emitNewestSecond() {
        if (newestSecond != Long.MIN_VALUE) {
            for (int shard = 0; shard < EventShards.SHARDS; shard++) {
                output.collect(new StreamRecord<>(RankingPartial.mark(shard, newestSecond)));
            }
        }
    }

    /** The sums of one content; its numbers are handed over as they are. */
    private static final class Sums {
        private int panes;
        private long[] numbers = new long[RankingPartial.WIDTH];

        private void add(long second, boolean measured, int millis) {
            int at = (panes - 1) * RankingPartial.WIDTH;
            // Most events are of the pane that came last.
            while (at >= 0 && numbers[at] != second) {
                at -= RankingPartial.WIDTH;
            }
            if (at < 0) {
                at = panes * RankingPartial.WIDTH;
                if (at == numbers.length) {
                    numbers = Arrays.copyOf(numbers, at * 2);
                }
                numbers[at] = second;
                panes++;
            }
            numbers[at + 1]++;
            if (measured) {
                numbers[at + 2]++;
                numbers[at + 3] += millis;
            }
        }
    }
}
