package dev.engagement.event.types;

import static org.assertj.core.api.Assertions.assertThat;

import dev.engagement.event.EngagementEvent;
import dev.engagement.event.EnrichedEvent;
import dev.engagement.event.EventId;
import dev.engagement.event.Samples;
import dev.engagement.event.types.testing.GoldenBytes;
import java.io.IOException;
import org.apache.flink.api.common.serialization.SerializerConfigImpl;
import org.apache.flink.core.memory.DataInputDeserializer;
import org.junit.jupiter.api.Test;

/** Events whose ids are texts are written in a version of their own, which is read for ever; all others stay as they were. */
class TextIdBytesTest {

    @Test
    void version_2_is_of_texts_alone() throws IOException {
        EngagementEvent event = withText(Samples.event(16, 1));
        EnrichedEvent sample = Samples.enriched(16, 1);
        EnrichedEvent enriched = new EnrichedEvent(event, sample.content(), sample.engagement());
        assertGolden(new GoldenBytes<>("event-text", EventTypes.EVENT, event));
        assertGolden(new GoldenBytes<>("enriched-text", EventTypes.ENRICHED, enriched));
        assertThat(new GoldenBytes<>("event", EventTypes.EVENT, Samples.event(16, 1)).written()[0])
                .isEqualTo((byte) 1);
    }

    private static <T> void assertGolden(GoldenBytes<T> one) throws IOException {
        byte[] golden = GoldenBytes.golden(2, one.name(), one.written());
        assertThat(one.written()).isEqualTo(golden);
        assertThat(one.type()
                        .createSerializer(new SerializerConfigImpl())
                        .deserialize(new DataInputDeserializer(golden)))
                .isEqualTo(one.value());
    }

    private static EngagementEvent withText(EngagementEvent of) {
        String id = "0190a5b0-7c3e-7d4a-8f00-000000000001";
        return new EngagementEvent(
                EventId.hash(id),
                id,
                of.contentId(),
                of.userId(),
                of.eventType(),
                of.eventTsMicros(),
                of.durationMs(),
                of.device(),
                of.rawPayload(),
                of.snapshot(),
                of.committedAtMillis(),
                of.position());
    }
}
