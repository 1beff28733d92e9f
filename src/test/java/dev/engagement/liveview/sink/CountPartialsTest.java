package dev.engagement.liveview.sink;

import static org.assertj.core.api.Assertions.assertThat;

import dev.engagement.event.EngagementEvent;
import dev.engagement.event.EngagementRule;
import dev.engagement.event.EnrichedEvent;
import dev.engagement.event.Position;
import dev.engagement.liveview.LiveViewRules;
import dev.engagement.liveview.Samples;
import java.time.Duration;
import java.util.List;
import java.util.stream.LongStream;
import org.apache.flink.api.common.serialization.SerializerConfigImpl;
import org.apache.flink.streaming.api.watermark.Watermark;
import org.apache.flink.streaming.util.OneInputStreamOperatorTestHarness;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class CountPartialsTest {

    private static final long MINUTE = 29_464_701L;

    private OneInputStreamOperatorTestHarness<EnrichedEvent, CountPartial> harness;

    @BeforeEach
    void open() throws Exception {
        harness = new OneInputStreamOperatorTestHarness<>(
                new CountPartials(new LiveViewRules(Duration.ofMinutes(1), false)));
        harness.setup(CountPartial.TYPE.createSerializer(new SerializerConfigImpl()));
        harness.setProcessingTime(1_000);
        harness.open();
    }

    @AfterEach
    void close() throws Exception {
        harness.close();
    }

    @Test
    void events_of_an_interval_leave_as_one_partial_count_per_content() throws Exception {
        see("a", MINUTE);
        see("b", MINUTE);
        see("a", MINUTE + 1);
        see("a", MINUTE - 5);
        see("a", MINUTE);
        harness.setProcessingTime(1_049);
        assertThat(harness.extractOutputValues()).isEmpty();

        harness.setProcessingTime(1_050);

        assertThat(partials())
                .containsExactlyInAnyOrder("a 4 [29464701, 29464702, 29464696] [2, 1, 1]", "b 1 [29464701] [1]");
    }

    @Test
    void the_next_interval_starts_from_nothing() throws Exception {
        see("a", MINUTE);
        see("a", MINUTE);
        harness.setProcessingTime(1_050);
        see("a", MINUTE);
        harness.setProcessingTime(1_100);

        assertThat(partials()).containsExactly("a 2 [29464701] [2]", "a 1 [29464701] [1]");
    }

    @Test
    void a_future_dated_event_counts_in_the_total_only() throws Exception {
        see("a", MINUTE);
        harness.processElement(event("a", MINUTE * 60_000_000 + 60_000_001, MINUTE * 60_000), 0);
        harness.processElement(event("b", MINUTE * 60_000_000 + 60_000_001, MINUTE * 60_000), 0);
        harness.setProcessingTime(1_050);

        assertThat(partials()).containsExactlyInAnyOrder("a 2 [29464701] [1]", "b 1 [] []");
    }

    @Test
    void an_event_without_a_content_is_in_no_count_and_no_bucket() throws Exception {
        harness.processElement(Samples.eventWithoutContent(1), 0);
        harness.setProcessingTime(1_050);

        assertThat(partials()).isEmpty();
    }

    @Test
    void a_minute_before_the_epoch_is_a_minute_like_any_other() throws Exception {
        harness.processElement(event("a", -1, 0), 0);
        harness.setProcessingTime(1_050);

        assertThat(partials()).containsExactly("a 1 [-1] [1]");
    }

    @Test
    void everything_leaves_before_a_checkpoint_which_has_no_state() throws Exception {
        see("a", MINUTE);

        harness.prepareSnapshotPreBarrier(1);

        assertThat(partials()).containsExactly("a 1 [29464701] [1]");
        assertThat(harness.snapshot(1, 0).getManagedOperatorState().iterator().hasNext())
                .isFalse();
    }

    @Test
    void what_left_before_a_checkpoint_does_not_leave_again_when_the_interval_ends() throws Exception {
        see("a", MINUTE);
        harness.prepareSnapshotPreBarrier(1);
        see("a", MINUTE);
        harness.setProcessingTime(1_050);
        harness.setProcessingTime(1_100);

        assertThat(partials()).containsExactly("a 1 [29464701] [1]", "a 1 [29464701] [1]");
    }

    @Test
    void everything_leaves_at_the_end_of_input() throws Exception {
        see("a", MINUTE);

        harness.getOneInputOperator().finish();

        assertThat(partials()).containsExactly("a 1 [29464701] [1]");
    }

    @Test
    void many_contents_leave_ahead_of_time() throws Exception {
        for (int i = 0; i < CountPartials.MAX_CONTENTS; i++) {
            assertThat(harness.getOutput()).isEmpty();
            see("c" + i, MINUTE);
        }

        assertThat(harness.extractOutputValues()).hasSize(CountPartials.MAX_CONTENTS);
    }

    @Test
    void a_content_of_many_minutes_leaves_ahead_of_time_and_alone() throws Exception {
        see("b", MINUTE);
        for (int i = 0; i < CountPartials.MAX_MINUTES; i++) {
            assertThat(harness.getOutput()).isEmpty();
            see("a", MINUTE + i);
        }
        assertThat(harness.extractOutputValues()).hasSize(1);
        CountPartial partial = harness.extractOutputValues().get(0);
        assertThat(partial.contentId()).isEqualTo("a");
        assertThat(partial.events()).isEqualTo(CountPartials.MAX_MINUTES);
        assertThat(partial.minutes())
                .containsExactly(LongStream.range(MINUTE, MINUTE + CountPartials.MAX_MINUTES)
                        .toArray());
        assertThat(partial.eventsInMinute()).hasSize(CountPartials.MAX_MINUTES).containsOnly(1);

        see("a", MINUTE);
        harness.setProcessingTime(1_050);

        assertThat(partials().subList(1, 3)).containsExactlyInAnyOrder("a 1 [29464701] [1]", "b 1 [29464701] [1]");
    }

    @Test
    void watermarks_pass_and_partial_counts_have_no_timestamp() throws Exception {
        harness.processWatermark(77);
        assertThat(harness.getOutput()).containsExactly(new Watermark(77));

        harness.processElement(event("a", 0, 0), 55);
        harness.setProcessingTime(1_050);

        assertThat(harness.extractOutputStreamRecords())
                .allSatisfy(partial -> assertThat(partial.hasTimestamp()).isFalse())
                .hasSize(1);
    }

    private void see(String contentId, long minute) throws Exception {
        harness.processElement(Samples.event(contentId, 1, minute * 60_000_000 + 1), 0);
    }

    private List<String> partials() {
        return harness.extractOutputValues().stream()
                .map(CountPartialsTest::text)
                .toList();
    }

    private static String text(CountPartial partial) {
        return partial.contentId() + " " + partial.events() + " "
                + LongStream.of(partial.minutes()).boxed().toList() + " "
                + LongStream.of(partial.eventsInMinute()).boxed().toList();
    }

    private static EnrichedEvent event(String contentId, long eventTsMicros, long kafkaMillis) {
        EngagementEvent event = new EngagementEvent(
                1, contentId, null, null, eventTsMicros, 0, null, null, false, 0, new Position(0, 0, kafkaMillis));
        return EngagementRule.DEFAULT.enrich(event, Samples.content(contentId));
    }
}
