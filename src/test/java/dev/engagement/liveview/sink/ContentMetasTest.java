package dev.engagement.liveview.sink;

import static org.assertj.core.api.Assertions.assertThat;

import dev.engagement.event.Content;
import dev.engagement.event.ContentChange;
import dev.engagement.event.ContentChange.Unchanged;
import dev.engagement.event.Position;
import dev.engagement.liveview.LiveValue;
import dev.engagement.liveview.Samples;
import org.apache.flink.api.common.serialization.SerializerConfigImpl;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.runtime.checkpoint.OperatorSubtaskState;
import org.apache.flink.streaming.api.operators.KeyedProcessOperator;
import org.apache.flink.streaming.util.KeyedOneInputStreamOperatorTestHarness;
import org.junit.jupiter.api.Test;

class ContentMetasTest {

    private static final Content WITHOUT_TITLE = new Content("c", "new-slug", null, "podcast", 10, null);

    @Test
    void a_change_becomes_the_value_with_its_offset_as_version() throws Exception {
        try (var harness = harness()) {
            harness.open();
            harness.processElement(put(Samples.content("c"), Unchanged.NOTHING, 4), 0);
            harness.processElement(delete("c", 9), 0);

            assertThat(harness.extractOutputValues())
                    .containsExactly(new LiveValue.Meta(Samples.content("c"), 4), new LiveValue.MetaGone("c", 9));
            assertThat(harness.numKeyedStateEntries()).isZero();
        }
    }

    @Test
    void a_text_that_was_left_out_is_the_one_shown_before_even_after_a_restore() throws Exception {
        OperatorSubtaskState state;
        try (var harness = harness()) {
            harness.open();
            harness.processElement(put(Samples.content("c"), Unchanged.NOTHING, 4), 0);
            state = harness.snapshot(1, 1);
        }
        try (var harness = harness()) {
            harness.initializeState(state);
            harness.open();
            harness.processElement(put(WITHOUT_TITLE, new Unchanged(false, true), 5), 0);

            assertThat(harness.extractOutputValues())
                    .containsExactly(
                            new LiveValue.Meta(new Content("c", "new-slug", "Title of c", "podcast", 10, null), 5));
        }
    }

    private static ContentChange put(Content content, Unchanged unchanged, long offset) {
        return new ContentChange.Put(content, unchanged, new Position(0, offset, 0));
    }

    private static ContentChange delete(String contentId, long offset) {
        return new ContentChange.Delete(contentId, new Position(0, offset, 0));
    }

    private static KeyedOneInputStreamOperatorTestHarness<String, ContentChange, LiveValue> harness() throws Exception {
        KeyedOneInputStreamOperatorTestHarness<String, ContentChange, LiveValue> harness =
                new KeyedOneInputStreamOperatorTestHarness<>(
                        new KeyedProcessOperator<>(new ContentMetas()), change -> "c", Types.STRING);
        harness.setup(LiveValueType.LIVE_VALUE.createSerializer(new SerializerConfigImpl()));
        return harness;
    }
}
