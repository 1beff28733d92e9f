package dev.engagement.liveview.sink;

import static org.assertj.core.api.Assertions.assertThat;

import dev.engagement.liveview.LiveValue;
import org.apache.flink.api.common.serialization.SerializerConfigImpl;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.runtime.checkpoint.OperatorSubtaskState;
import org.apache.flink.streaming.api.operators.KeyedProcessOperator;
import org.apache.flink.streaming.api.watermark.Watermark;
import org.apache.flink.streaming.util.KeyedOneInputStreamOperatorTestHarness;
import org.junit.jupiter.api.Test;

class CountTotalsTest {

    @Test
    void each_partial_count_leads_to_the_new_total_of_its_content() throws Exception {
        try (var harness = harness()) {
            harness.open();
            harness.processElement(new CountPartial("a", 2), 0);
            harness.processElement(new CountPartial("b", 1), 0);
            harness.processElement(new CountPartial("a", 3), 0);

            assertThat(harness.extractOutputValues())
                    .containsExactly(
                            new LiveValue.Count("a", 2), new LiveValue.Count("b", 1), new LiveValue.Count("a", 5));
        }
    }

    @Test
    void a_restored_total_goes_on() throws Exception {
        OperatorSubtaskState state;
        try (var harness = harness()) {
            harness.open();
            harness.processElement(new CountPartial("a", 2), 0);
            state = harness.snapshot(1, 1);
        }
        try (var harness = harness()) {
            harness.initializeState(state);
            harness.open();
            harness.processElement(new CountPartial("a", 3), 0);

            assertThat(harness.extractOutputValues()).containsExactly(new LiveValue.Count("a", 5));
        }
    }

    @Test
    void state_is_one_entry_per_content() throws Exception {
        try (var harness = harness()) {
            harness.open();
            for (int i = 0; i < 1_000; i++) {
                harness.processElement(new CountPartial("c" + i % 10, 1), 0);
            }

            assertThat(harness.numKeyedStateEntries()).isEqualTo(10);
        }
    }

    @Test
    void watermarks_pass() throws Exception {
        try (var harness = harness()) {
            harness.open();
            harness.processWatermark(77);

            assertThat(harness.getOutput()).containsExactly(new Watermark(77));
        }
    }

    private static KeyedOneInputStreamOperatorTestHarness<String, CountPartial, LiveValue> harness() throws Exception {
        KeyedOneInputStreamOperatorTestHarness<String, CountPartial, LiveValue> harness =
                new KeyedOneInputStreamOperatorTestHarness<>(
                        new KeyedProcessOperator<>(new CountTotals()), CountPartial::contentId, Types.STRING);
        harness.setup(LiveValueType.LIVE_VALUE.createSerializer(new SerializerConfigImpl()));
        return harness;
    }
}
