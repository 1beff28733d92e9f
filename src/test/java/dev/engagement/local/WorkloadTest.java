package dev.engagement.local;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

class WorkloadTest {

    private static final Instant START = Instant.parse("2026-01-08T14:21:52.123456789Z");

    private static List<Workload.Step> steps(long seed, int count) {
        Workload workload = new Workload(seed, 50);
        List<Workload.Step> steps = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            steps.add(workload.next(START.plusMillis(i)));
        }
        return steps;
    }

    @Test
    void theSameSeedGivesTheSameRows() {
        assertThat(new Workload(7, 50).initialContents()).isEqualTo(new Workload(7, 50).initialContents());
        assertThat(steps(7, 5_000)).isEqualTo(steps(7, 5_000));
    }

    @Test
    void anotherSeedGivesOtherRows() {
        assertThat(steps(7, 10)).isNotEqualTo(steps(8, 10));
    }

    @Test
    void everyEventBelongsToAContentThatExistsByThen() {
        Workload workload = new Workload(1, 50);
        Set<UUID> known =
                workload.initialContents().stream().map(ContentRow::id).collect(Collectors.toCollection(HashSet::new));
        Set<String> slugs = workload.initialContents().stream()
                .map(ContentRow::slug)
                .collect(Collectors.toCollection(HashSet::new));
        assertThat(slugs).hasSize(50);
        int premieres = 0;
        for (int i = 0; i < 10_000; i++) {
            Workload.Step step = workload.next(START);
            for (ContentRow change : step.contentChanges()) {
                if (known.add(change.id())) {
                    premieres++;
                    assertThat(slugs.add(change.slug())).isTrue();
                    assertThat(step.event().contentId()).isEqualTo(change.id());
                }
            }
            assertThat(known).contains(step.event().contentId());
        }
        assertThat(premieres).isEqualTo(10);
    }

    @Test
    void eventTimeIsTheClockOrLessThanASecondBefore() {
        Workload workload = new Workload(1, 50);
        List<Long> delays = new ArrayList<>();
        for (int i = 0; i < 5_000; i++) {
            Instant eventTs = workload.next(START).event().eventTs();
            assertThat(eventTs.getNano() % 1_000).isZero();
            delays.add(Duration.between(eventTs, START).toNanos());
        }
        assertThat(delays).allSatisfy(delay -> assertThat(delay).isBetween(0L, 1_000_000_000L));
        assertThat(delays.stream().distinct().count()).isGreaterThan(1_000);
    }

    @Test
    void nullsStandWhereRealDataHaveThem() {
        List<EventRow> events =
                steps(3, 20_000).stream().map(Workload.Step::event).toList();
        for (Function<EventRow, Object> column : List.<Function<EventRow, Object>>of(
                EventRow::userId, EventRow::durationMs, EventRow::device, EventRow::rawPayload)) {
            assertThat(events).extracting(column).containsNull();
            assertThat(events.stream().filter(event -> column.apply(event) != null))
                    .isNotEmpty();
        }
        assertThat(events).extracting(EventRow::contentId).doesNotContainNull();
        assertThat(events).filteredOn(event -> event.durationMs() != null).allMatch(event -> event.durationMs() >= 0);
        assertThat(new Workload(3, 200).initialContents())
                .extracting(ContentRow::lengthSeconds)
                .containsNull()
                .anyMatch(length -> length != null && length > 0);
    }

    @Test
    void clicksAreWorthSomethingAndSomePlaysArePaidFor() {
        Map<String, List<String>> payloads = steps(3, 20_000).stream()
                .map(Workload.Step::event)
                .filter(event -> event.rawPayload() != null)
                .collect(Collectors.groupingBy(
                        EventRow::eventType, Collectors.mapping(EventRow::rawPayload, Collectors.toList())));
        assertThat(payloads.get("click")).allMatch(payload -> payload.contains("\"value\":"));
        assertThat(payloads.get("play"))
                .anyMatch(payload -> payload.matches(".*\"price\":[0-9]+[.][0-9]{2}[,}].*"))
                .anyMatch(payload -> payload.matches(".*\"price\":\"[0-9]+[.][0-9]{2}\"[,}].*"))
                .anyMatch(payload -> payload.contains("\"price\":\"free\""))
                .anyMatch(payload -> !payload.contains("\"price\":"));
        assertThat(payloads.get("finish"))
                .noneMatch(payload -> payload.contains("\"price\":") || payload.contains("\"value\":"));
    }

    @Test
    void sessionsClickPlayPauseAndFinish() {
        Map<String, Long> types = steps(3, 20_000).stream()
                .collect(Collectors.groupingBy(step -> step.event().eventType(), Collectors.counting()));
        assertThat(types).containsOnlyKeys("click", "play", "pause", "finish");
        assertThat(types.values()).allMatch(count -> count > 1_000);
    }

    @Test
    void aFewContentsTakeMostEvents() {
        Map<UUID, Long> counts = steps(3, 20_000).stream()
                .collect(Collectors.groupingBy(step -> step.event().contentId(), Collectors.counting()));
        List<ContentRow> contents = new Workload(3, 50).initialContents();
        long first = counts.get(contents.get(0).id());
        long twentieth = counts.getOrDefault(contents.get(19).id(), 0L);
        assertThat(first).isGreaterThan(5 * twentieth);
    }
}
