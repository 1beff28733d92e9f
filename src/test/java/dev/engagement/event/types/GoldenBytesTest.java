package dev.engagement.event.types;

import dev.engagement.event.Content;
import dev.engagement.event.ContentChange;
import dev.engagement.event.EngagementEvent;
import dev.engagement.event.EngagementRule;
import dev.engagement.event.EnrichedEvent;
import dev.engagement.event.Position;
import dev.engagement.event.Samples;
import dev.engagement.event.types.testing.GoldenBytes;
import java.io.IOException;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What version 1 wrote of the types of {@code event} is read for ever: see {@link GoldenBytes}. */
class GoldenBytesTest {

    static List<GoldenBytes<?>> cases() {
        EngagementEvent bare = new EngagementEvent(
                -1, "", null, null, -1, EngagementEvent.NO_DURATION, null, null, true, 0, new Position(-1, -1, -1));
        EngagementEvent ofNothing =
                new EngagementEvent(17, null, "u", "purchase", 1, 2, "web", "{}", false, 0, new Position(1, 2, 3));
        return List.of(
                new GoldenBytes<>("event-without-content", EventTypes.EVENT, ofNothing),
                new GoldenBytes<>(
                        "enriched-without-content",
                        EventTypes.ENRICHED,
                        EngagementRule.DEFAULT.enrich(ofNothing, Content.NONE)),
                new GoldenBytes<>("event", EventTypes.EVENT, Samples.event(16, 1)),
                new GoldenBytes<>("event-bare", EventTypes.EVENT, bare),
                new GoldenBytes<>("content", EventTypes.CONTENT, Samples.content(1)),
                new GoldenBytes<>("content-bare", EventTypes.CONTENT, new Content("c", null, null, null, null, null)),
                new GoldenBytes<>("content-put", EventTypes.CONTENT_CHANGE, Samples.put(1)),
                new GoldenBytes<>(
                        "content-put-unchanged",
                        EventTypes.CONTENT_CHANGE,
                        new ContentChange.Put(
                                Samples.content(2), new ContentChange.Unchanged(true, false), new Position(1, 2, 3))),
                new GoldenBytes<>(
                        "content-delete",
                        EventTypes.CONTENT_CHANGE,
                        new ContentChange.Delete("c-ü", new Position(1, 2, 3))),
                new GoldenBytes<>("content-read-to-end", EventTypes.CONTENT_CHANGE, new ContentChange.ReadToEnd(3, 16)),
                new GoldenBytes<EnrichedEvent>("enriched", EventTypes.ENRICHED, Samples.enriched(16, 1)));
    }

    @ParameterizedTest
    @MethodSource("cases")
    void version_1_is_read(GoldenBytes<?> one) throws IOException {
        one.assertThatVersion1IsRead();
    }

    @ParameterizedTest
    @MethodSource("cases")
    void a_newer_version_is_refused_with_the_way_out(GoldenBytes<?> one) throws IOException {
        one.assertThatANewerVersionIsRefused();
    }
}
