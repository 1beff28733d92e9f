package dev.engagement.liveview.sink;

import static org.assertj.core.api.Assertions.assertThat;

import dev.engagement.event.EnrichedEvent;
import dev.engagement.liveview.Samples;
import java.util.List;
import org.apache.flink.api.common.serialization.SerializerConfigImpl;
import org.apache.flink.streaming.api.watermark.Watermark;
import org.apache.flink.streaming.util.OneInputStreamOperatorTestHarness;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class CountPartialsTest {

    private OneInputStreamOperatorTestHarness<EnrichedEvent, CountPartial> harness;

    @BeforeEach
    void open() throws Exception {
        harness = new OneInputStreamOperatorTestHarness<>(new CountPartials());
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
        see("a", "b", "a", "a");
        harness.setProcessingTime(1_049);
        assertThat(harness.extractOutputValues()).isEmpty();

        harness.setProcessingTime(1_050);

        assertThat(harness.extractOutputValues())
                .containsExactlyInAnyOrder(new CountPartial("a", 3), new CountPartial("b", 1));
    }

    @Test
    void the_next_interval_starts_from_nothing() throws Exception {
        see("a", "a");
        harness.setProcessingTime(1_050);
        see("a");
        harness.setProcessingTime(1_100);

        assertThat(harness.extractOutputValues()).containsExactly(new CountPartial("a", 2), new CountPartial("a", 1));
    }

    @Test
    void everything_leaves_before_a_checkpoint_which_has_no_state() throws Exception {
        see("a", "a");

        harness.prepareSnapshotPreBarrier(1);

        assertThat(harness.extractOutputValues()).containsExactly(new CountPartial("a", 2));
        assertThat(harness.snapshot(1, 0).getManagedOperatorState().iterator().hasNext())
                .isFalse();
    }

    @Test
    void everything_leaves_at_the_end_of_input() throws Exception {
        see("a");

        harness.getOneInputOperator().finish();

        assertThat(harness.extractOutputValues()).containsExactly(new CountPartial("a", 1));
    }

    @Test
    void many_contents_leave_ahead_of_time() throws Exception {
        for (int i = 0; i < CountPartials.MAX_CONTENTS; i++) {
            see("c" + i);
        }

        assertThat(harness.extractOutputValues()).hasSize(CountPartials.MAX_CONTENTS);
    }

    @Test
    void watermarks_pass() throws Exception {
        harness.processWatermark(77);

        assertThat(harness.getOutput()).containsExactly(new Watermark(77));
    }

    private void see(String... contentIds) throws Exception {
        for (String contentId : List.of(contentIds)) {
            harness.processElement(Samples.event(contentId, 1, 0), 0);
        }
    }
}
