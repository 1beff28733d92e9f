package dev.engagement.liveview.sink;

import static org.assertj.core.api.Assertions.assertThat;

import dev.engagement.event.EngagementEvent;
import dev.engagement.event.EngagementRule;
import dev.engagement.event.EnrichedEvent;
import dev.engagement.event.Position;
import dev.engagement.liveview.LiveViewRules;
import dev.engagement.liveview.Samples;
import dev.engagement.liveview.Tally;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.Tuple;
import org.apache.flink.api.common.serialization.SerializerConfigImpl;
import org.apache.flink.streaming.util.OneInputStreamOperatorTestHarness;

/** Partial counts and what they add up to, against one look at every event. */
class TallyingProperties {

    /** Beside the epoch, so that minutes have both signs. */
    private static final long NOW = 300_000;

    private static final LiveViewRules RULES = new LiveViewRules(Duration.ofMinutes(1), false);

    @Property(tries = 200)
    void whenever_partial_counts_leave_they_add_up_to_every_event(@ForAll("steps") List<Step> steps) throws Exception {
        Map<String, Long> totals = new HashMap<>();
        Map<String, SortedMap<Long, Long>> minutes = new HashMap<>();
        RecordedView view = new RecordedView(NOW);
        try (var harness = new OneInputStreamOperatorTestHarness<>(new CountPartials(RULES))) {
            harness.setup(CountPartial.TYPE.createSerializer(new SerializerConfigImpl()));
            harness.setProcessingTime(NOW);
            harness.open();
            for (Step step : steps) {
                harness.processElement(event(step), 0);
                totals.merge(step.contentId, 1L, Long::sum);
                if (!step.futureDated) {
                    minutes.computeIfAbsent(step.contentId, id -> new TreeMap<>())
                            .merge(step.minute, 1L, Long::sum);
                }
                if (step.leave) {
                    harness.prepareSnapshotPreBarrier(1);
                }
            }
            harness.getOneInputOperator().finish();
            for (CountPartial partial : harness.extractOutputValues()) {
                LiveViewMappings.tallies().show(partial, view);
            }
        }

        totals.forEach((contentId, total) -> {
            SortedMap<Long, Long> kept = new TreeMap<>(minutes.getOrDefault(contentId, new TreeMap<>()));
            kept.keySet().removeIf(minute -> (minute + 17) * 60_000 <= NOW);
            Tally oracle = Tally.none(contentId).plus(total);
            for (Map.Entry<Long, Long> minute : kept.entrySet()) {
                oracle = oracle.plusInMinute(minute.getKey(), minute.getValue());
            }
            assertThat(view.held(contentId)).isEqualTo(oracle);
        });
    }

    private static EnrichedEvent event(Step step) {
        long micros = step.minute * 60_000_000 + 59_999_999;
        long kafkaMillis = Math.floorDiv(micros, 1_000L) - (step.futureDated ? 60_001 : 0);
        EngagementEvent event = new EngagementEvent(
                1, step.contentId, null, null, micros, 0, null, null, false, 0, new Position(0, 0, kafkaMillis));
        return EngagementRule.DEFAULT.enrich(event, Samples.content(step.contentId));
    }

    /** An event, and whether what was counted leaves after it. */
    record Step(String contentId, long minute, boolean futureDated, boolean leave) {}

    @Provide
    Arbitrary<List<Step>> steps() {
        return Combinators.combine(
                        Arbitraries.of("a", "b"),
                        Arbitraries.oneOf(
                                Arbitraries.longs().between(-14, 5),
                                Arbitraries.longs().between(-200, 5)),
                        Arbitraries.of(false, false, false, true),
                        Arbitraries.frequency(Tuple.of(20, false), Tuple.of(1, true)))
                .as(Step::new)
                .list()
                .ofMaxSize(300);
    }
}
