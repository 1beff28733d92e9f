package dev.engagement.audit;

import static dev.engagement.audit.Audits.at;
import static org.assertj.core.api.Assertions.assertThat;

import dev.engagement.audit.World.Event;
import dev.engagement.audit.World.Retry;
import dev.engagement.deadletter.Reason;
import java.util.List;
import java.util.LongSummaryStatistics;
import java.util.Objects;
import java.util.Random;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;

/** Against brute force, which looks at each event and each store by itself. */
class AuditProperties {

    private static final List<Reason> BEFORE =
            List.of(Reason.UNDECODABLE, Reason.INVALID, Reason.OVERSIZE, Reason.UNRESOLVED, Reason.CONFLICT);

    @Property(tries = 300)
    void finds_what_brute_force_finds(
            @ForAll long seed,
            @ForAll @IntRange(max = 60) int events,
            @ForAll @IntRange(min = 1, max = 100) int oneIn,
            @ForAll boolean includesSnapshot)
            throws Exception {
        Random random = new Random(seed);
        World world = new World();
        world.topicReachesBackTo = random.nextBoolean() ? Long.MIN_VALUE : at(random.nextInt(600));
        for (int i = 0; i < events; i++) {
            // Dense and far apart; before, in and behind the range.
            long id = random.nextBoolean() ? i + 1 : (i + 1) * 100_003L;
            long time = at(random.nextInt(800) - 100) + random.nextInt(1_000_000);
            if (world.events.stream().noneMatch(event -> event.id == id)) {
                spoil(world.add(id, time, "c", random.nextInt(5) == 0 ? null : 1L + random.nextInt(9)), random, oneIn);
            }
        }

        AuditReport report = Audits.of(world, includesSnapshot, world.warehouse(), null);

        SortedMap<String, Set<Long>> expected = new TreeMap<>();
        world.events.forEach(event -> {
            inWarehouse(event, world, expected);
            delivered(event, world, includesSnapshot, expected);
            receivedWithoutAnEvent(event, world, expected);
        });
        SortedMap<String, Set<Long>> found = new TreeMap<>();
        Audits.found(report).forEach((what, ids) -> {
            for (String id : ids.split(",")) {
                found.computeIfAbsent(what, any -> new TreeSet<>()).add(Long.valueOf(id));
            }
        });
        assertThat(found).isEqualTo(expected);
        assertThat(report.isEqual())
                .isEqualTo(expected.keySet().stream()
                        .noneMatch(what -> what.matches(".* (missing|extra|doubled|changed|conflict|unproven)")));
    }

    private static void spoil(Event event, Random random, int oneIn) {
        if (random.nextInt(oneIn) > 0) {
            return;
        }
        event.inSource = random.nextInt(4) > 0;
        event.rows = random.nextInt(4) == 0 ? 2 : random.nextInt(2);
        event.rowsAreLate = random.nextInt(4) == 0;
        event.rowDuration = random.nextInt(3) == 0 ? Long.valueOf(77) : event.duration;
        // To another minute: within one, totals do not tell. What is late has not moved as well.
        event.rowMicros = event.micros
                + (event.rowsAreLate || random.nextInt(3) > 0 ? 0 : (random.nextInt(21) - 10) * 60_000_000L);
        event.receipt = random.nextBoolean();
        event.receiptIsLate = random.nextInt(4) == 0;
        event.letter = random.nextBoolean() ? null : Reason.values()[random.nextInt(Reason.values().length)];
        event.retry = Retry.values()[random.nextInt(3)];
        event.captured = random.nextInt(3) == 0 ? null : random.nextBoolean() ? "c" : "r";
    }

    private static void inWarehouse(Event event, World world, SortedMap<String, Set<Long>> expected) {
        boolean wanted = event.inSource && Audits.RANGE.contains(event.micros);
        boolean anyRows = event.rows > 0;
        boolean thereEverInRange = anyRows && Audits.RANGE.contains(event.rowMicros);
        // What differs must differ at the first look, when late rows are not there.
        boolean thereFirst = thereEverInRange && !event.rowsAreLate;
        if (wanted && !thereEverInRange) {
            boolean dead = event.letter != null && (BEFORE.contains(event.letter) || event.letter == Reason.REJECTED);
            boolean elsewhere = anyRows && event.captured != null;
            put(
                    expected,
                    dead ? "warehouse dead letter" : elsewhere ? "warehouse conflict" : "warehouse missing",
                    event);
        }
        if (!thereFirst) {
            return;
        }
        if (event.inSource) {
            boolean moved = event.rowMicros != event.micros;
            if (!wanted || moved || !Objects.equals(event.duration, event.rowDuration)) {
                put(expected, "warehouse changed", event);
            }
        } else {
            boolean purged = event.captured != null || event.rowMicros < world.topicReachesBackTo;
            put(expected, purged ? "warehouse purged" : "warehouse extra", event);
        }
        if (event.rows > 1) {
            put(expected, "warehouse doubled", event);
        }
    }

    private static void delivered(
            Event event, World world, boolean includesSnapshot, SortedMap<String, Set<Long>> expected) {
        if (!Audits.RANGE.contains(event.micros)) {
            return;
        }
        if (!event.inSource || event.receipt) {
            return;
        }
        boolean dead = event.letter != null && (BEFORE.contains(event.letter) || event.letter == Reason.UNDELIVERABLE);
        if (event.retry == Retry.WAITING) {
            put(expected, "delivery waiting", event);
        } else if (event.retry == Retry.HELD) {
            put(expected, "delivery held", event);
        } else if (dead) {
            put(expected, "delivery dead letter", event);
        } else if (!includesSnapshot && "r".equals(event.captured)) {
            put(expected, "delivery left out", event);
        } else if (!includesSnapshot && event.captured == null && event.micros < world.topicReachesBackTo) {
            put(expected, "delivery unproven", event);
        } else {
            put(expected, "delivery missing", event);
        }
    }

    /** Only between the ids of the range, as a receipt does not say when its event happened. */
    private static void receivedWithoutAnEvent(Event event, World world, SortedMap<String, Set<Long>> expected) {
        LongSummaryStatistics range = world.events.stream()
                .filter(each -> each.inSource && Audits.RANGE.contains(each.micros))
                .mapToLong(each -> each.id)
                .summaryStatistics();
        if (!event.inSource
                && event.receipt
                && !event.receiptIsLate
                && range.getMin() < event.id
                && event.id < range.getMax()) {
            boolean purged = event.captured != null || at(0) < world.topicReachesBackTo;
            put(expected, purged ? "delivery purged" : "delivery extra", event);
        }
    }

    private static void put(SortedMap<String, Set<Long>> expected, String what, Event event) {
        expected.computeIfAbsent(what, any -> new TreeSet<>()).add(event.id);
    }
}
