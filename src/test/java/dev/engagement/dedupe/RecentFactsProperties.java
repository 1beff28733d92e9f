package dev.engagement.dedupe;

import static org.assertj.core.api.Assertions.assertThat;

import dev.engagement.event.EngagementEvent;
import dev.engagement.event.Position;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.IntRange;

class RecentFactsProperties {

    /** However small the window: what is told was so, and the event that was remembered last is always known. */
    @Property
    void only_facts_that_differ_contradict(
            @ForAll("events") List<EngagementEvent> arrivals, @ForAll @IntRange(min = 1, max = 64) int window) {
        RecentFacts facts = new RecentFacts(window);
        Map<Long, List<Object>> oracle = new HashMap<>();
        EngagementEvent last = null;
        for (EngagementEvent event : arrivals) {
            List<Object> first = oracle.get(event.id());
            if (first == null) {
                facts.add(event);
                oracle.put(event.id(), factsOf(event));
                last = event;
            } else if (facts.contradict(event)) {
                assertThat(factsOf(event)).isNotEqualTo(first);
            }
            if (last != null && last.id() == event.id()) {
                assertThat(facts.contradict(event)).isEqualTo(!factsOf(event).equals(factsOf(last)));
            }
        }
    }

    private static List<Object> factsOf(EngagementEvent event) {
        return List.of(
                event.contentId(),
                String.valueOf(event.userId()),
                String.valueOf(event.eventType()),
                event.eventTsMicros(),
                event.durationMs(),
                String.valueOf(event.device()));
    }

    @Provide
    Arbitrary<List<EngagementEvent>> events() {
        Arbitrary<String> texts = Arbitraries.of("a", "b", "ab", "", "\u00e9");
        return Combinators.combine(
                        Arbitraries.longs().between(-3, 3),
                        texts,
                        texts.injectNull(0.3),
                        texts.injectNull(0.3),
                        Arbitraries.longs().between(0, 2),
                        Arbitraries.integers().between(-1, 1),
                        texts.injectNull(0.3))
                .as((id, content, user, type, micros, duration, device) -> new EngagementEvent(
                        id, content, user, type, micros, duration, device, null, false, 0, new Position(0, id, micros)))
                .list()
                .ofMaxSize(40);
    }
}
