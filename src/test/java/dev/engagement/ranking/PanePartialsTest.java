package dev.engagement.ranking;

import static org.assertj.core.api.Assertions.assertThat;

import dev.engagement.event.Content;
import dev.engagement.event.EngagementEvent;
import dev.engagement.event.EngagementRule;
import dev.engagement.event.EnrichedEvent;
import dev.engagement.event.Samples;
import java.util.ArrayList;
import java.util.List;
import org.apache.flink.streaming.api.watermark.Watermark;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;
import org.apache.flink.streaming.util.OneInputStreamOperatorTestHarness;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class PanePartialsTest {

    private PanePartials operator;
    private OneInputStreamOperatorTestHarness<EnrichedEvent, RankingPartial> harness;

    @BeforeEach
    void open() throws Exception {
        operator = new PanePartials(RankingOptions.DEFAULT);
        harness = new OneInputStreamOperatorTestHarness<>(operator);
        harness.setup(RankingStage.serializer(RankingPartial.TYPE));
        harness.open();
    }

    @AfterEach
    void close() throws Exception {
        harness.close();
    }

    @Test
    void events_are_summed_by_content_and_second() throws Exception {
        see(10_000, "a", 7);
        see(10_999, "a", EngagementEvent.NO_DURATION);
        see(11_000, "a", 5);
        see(10_500, "a", 0);
        see(10_000, "b", EngagementEvent.NO_DURATION);

        harness.processWatermark(10_999);

        assertThat(output())
                .containsExactlyInAnyOrder("a[10, 3, 2, 7, 11, 1, 1, 5]", "b[10, 1, 0, 0]", "watermark 10999")
                .endsWith("watermark 10999");
    }

    @Test
    void nothing_leaves_between_two_watermarks_of_the_same_second() throws Exception {
        harness.processWatermark(9_999);
        see(10_000, "a", 7);
        harness.processWatermark(10_000);
        harness.processWatermark(10_998);
        assertThat(output()).containsExactly("watermark 9999", "watermark 10000", "watermark 10998");

        harness.processWatermark(10_999);
        assertThat(output()).containsExactly("a[10, 1, 1, 7]", "watermark 10999");
    }

    @Test
    void an_event_without_a_content_is_on_no_board() throws Exception {
        harness.processElement(EngagementRule.DEFAULT.enrich(Samples.eventWithoutContent(1), Content.NONE), 0);

        harness.processWatermark(Long.MAX_VALUE - 1);

        assertThat(output()).containsExactly("watermark " + (Long.MAX_VALUE - 1));
    }

    @Test
    void times_before_the_epoch_have_seconds_too() throws Exception {
        see(-1, "a", 7);

        harness.processWatermark(-1);

        assertThat(output()).containsExactly("a[-1, 1, 1, 7]", "watermark -1");
    }

    @Test
    void an_event_of_a_clock_gone_wrong_is_left_out_and_counted() throws Exception {
        harness.processElement(Events.of("a", 60_000_000, 0, 1), 0);
        harness.processElement(Events.of("b", 60_000_001, 0, 1), 0);

        harness.prepareSnapshotPreBarrier(1);

        assertThat(output()).containsExactly("a[60, 1, 1, 1]");
        assertThat(operator.futureDated()).isEqualTo(1);
    }

    @Test
    void everything_leaves_before_a_checkpoint_which_has_no_state() throws Exception {
        see(10_000, "a", 7);

        harness.prepareSnapshotPreBarrier(1);

        assertThat(output()).containsExactly("a[10, 1, 1, 7]");
        assertThat(harness.snapshot(1, 0).getManagedOperatorState()).isEmpty();
        harness.prepareSnapshotPreBarrier(2);
        assertThat(output()).isEmpty();
    }

    @Test
    void everything_leaves_when_the_task_finishes() throws Exception {
        see(10_000, "a", 7);

        operator.finish();

        assertThat(output()).containsExactly("a[10, 1, 1, 7]");
    }

    @Test
    void at_the_end_of_all_input_each_shard_hears_of_the_newest_second() throws Exception {
        see(12_000, "a", 7);
        see(10_000, "a", 7);

        harness.processWatermark(Watermark.MAX_WATERMARK);

        assertThat(output())
                .hasSize(1 + 128 + 1)
                .filteredOn(one -> one.endsWith("[12, 0, 0, 0]"))
                .hasSize(128);
    }

    @Test
    void many_contents_leave_ahead_of_time() throws Exception {
        for (int i = 0; i < PanePartials.MAX_HELD; i++) {
            assertThat(harness.getOutput()).isEmpty();
            see(10_000, "c" + i, 7);
        }
        assertThat(output()).hasSize(PanePartials.MAX_HELD);
    }

    @Test
    void many_seconds_of_a_content_leave_ahead_of_time() throws Exception {
        for (int i = 0; i < PanePartials.MAX_PANES_OF_A_CONTENT; i++) {
            assertThat(harness.getOutput()).isEmpty();
            see(1_000 * i, "a", 7);
        }
        assertThat(output()).hasSize(1);
    }

    private void see(long eventMillis, String contentId, int durationMs) throws Exception {
        harness.processElement(Events.at(eventMillis, contentId, durationMs), 0);
    }

    private List<String> output() {
        List<String> all = new ArrayList<>();
        for (Object one : harness.getOutput()) {
            all.add(
                    one instanceof StreamRecord<?> record
                            ? record.getValue().toString()
                            : "watermark " + ((Watermark) one).getTimestamp());
        }
        harness.getOutput().clear();
        return all;
    }
}
