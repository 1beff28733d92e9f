package dev.engagement.audit;

import static org.assertj.core.api.Assertions.assertThat;

import dev.engagement.audit.AuditReport.Finding;
import dev.engagement.event.RollupRow;
import dev.engagement.rollup.RollupWindows;
import dev.engagement.rollup.definition.RollupDefinition;
import dev.engagement.rollup.definition.RollupDefinitions;
import java.math.BigDecimal;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** What is said of cells that are not simply there, with both sides in memory. */
class RollupCheckTest {

    private static final RollupDefinition ROLLUP = RollupDefinitions.parse(
                    List.of("mine"),
                    Map.of(
                            "mine.by", "category=content_type",
                            "mine.window", "1 min",
                            "mine.measures", "count,users=unique(user_id)"))
            .get(0);

    private static final RollupWindows WINDOWS = RollupWindows.beginningIn(ROLLUP, 0, 3_600_000_000L);

    private final Sides sides = new Sides();

    /** Cells by their places, and how many events each side has of them. */
    private static final class Sides implements Cells {

        private final SortedMap<String, RollupRow> expected = new TreeMap<>();
        private final SortedMap<String, RollupRow> found = new TreeMap<>();
        private int looks;
        private long oldestEventMicros = Long.MIN_VALUE;

        void put(int minute, String type, int expectedEvents, int foundEvents) {
            put(expected, minute, type, expectedEvents);
            put(found, minute, type, foundEvents);
        }

        private static void put(Map<String, RollupRow> side, int minute, String type, int events) {
            String place = String.format("%03d %s", minute, type);
            if (events == 0) {
                side.remove(place);
            } else {
                side.put(place, row(minute, type, events, 1));
            }
        }

        @Override
        public void compare(RollupWindows windows, IdSet without, Each each) {
            looks++;
            TreeSet<String> places = new TreeSet<>(expected.keySet());
            places.addAll(found.keySet());
            for (String place : places) {
                RollupRow wanted = expected.get(place);
                RollupRow row = found.get(place);
                long start = (wanted == null ? row : wanted).windowStartMillis();
                if (windows.fromMillis() <= start && start < windows.toMillis()) {
                    each.take(wanted, row);
                }
            }
        }

        @Override
        public long oldestEventMicros() {
            return oldestEventMicros;
        }

        @Override
        public boolean knowsCommits() {
            return false;
        }
    }

    private static RollupRow row(int minute, String type, long events, long users) {
        return new RollupRow(
                "mine",
                minute * 60_000L,
                (minute + 1) * 60_000L,
                List.of(type),
                List.of(BigDecimal.valueOf(events), BigDecimal.valueOf(users)),
                true,
                0,
                events,
                true);
    }

    private RollupCheck check() {
        Source none = new World().source();
        Repairs repairs = new Repairs(Audits.RANGE, none, null, null, 10);
        return new RollupCheck(
                WINDOWS, sides, none, 10, repairs, Duration.ofHours(1), Instant.ofEpochSecond(10 * 3_600));
    }

    private static @Nullable Finding finding(AuditReport.Destination destination, Kind kind) {
        return destination.findings().stream()
                .filter(each -> each.kind() == kind)
                .findFirst()
                .orElse(null);
    }

    private static List<Kind> kinds(AuditReport.Destination destination) {
        return destination.findings().stream().map(Finding::kind).toList();
    }

    @Test
    void one_look_is_enough_where_nothing_differs() throws Exception {
        sides.put(1, "a", 5, 5);
        RollupCheck check = check();

        assertThat(check.differs()).isFalse();
        assertThat(check.lookAgain().isEmpty()).isTrue();
        AuditReport.Destination report = check.report(Evidence.none());
        assertThat(report.findings()).isEmpty();
        assertThat(report.expected()).isOne();
        assertThat(report.present()).isOne();
        assertThat(sides.looks).isOne();
    }

    @Test
    void a_cell_that_differs_twice_is_found_unless_an_event_came_to_it_meanwhile() throws Exception {
        sides.put(1, "a", 5, 4);
        sides.put(2, "a", 5, 4);
        sides.put(3, "a", 5, 0);
        sides.put(3, "b", 5, 5);
        sides.put(4, "a", 0, 4);
        RollupCheck check = check();
        assertThat(check.differs()).isTrue();

        sides.put(2, "a", 6, 4);
        sides.put(3, "b", 6, 5);
        assertThat(check.lookAgain().isEmpty()).as("there are no events").isTrue();

        AuditReport.Destination report = check.report(Evidence.none());
        assertThat(kinds(report)).containsExactly(Kind.MISSING, Kind.EXTRA, Kind.MISCOUNTED);
        assertThat(finding(report, Kind.MISCOUNTED).listed()).singleElement().satisfies(item -> assertThat(item.id())
                .isEqualTo("1970-01-01T00:01:00Z a"));
        assertThat(finding(report, Kind.MISSING).note()).contains("track_commit_timestamp is off");
        assertThat(report.expected()).isEqualTo(4);
        assertThat(report.present()).isEqualTo(2);
    }

    @Test
    void events_that_count_for_another_type_are_put_down_to_their_contents_only_if_none_is_lost() throws Exception {
        sides.put(1, "a", 2, 5);
        sides.put(1, "b", 3, 0);
        sides.put(2, "a", 2, 5);
        sides.put(2, "b", 4, 0);
        sides.put(3, "a", 5, 5);
        sides.found.put("003 a", row(3, "a", 5, 2));
        RollupCheck check = check();
        check.differs();
        check.lookAgain();

        AuditReport.Destination report = check.report(Evidence.none());
        assertThat(finding(report, Kind.CONTENT_CHANGED).count()).isEqualTo(2);
        assertThat(finding(report, Kind.CONTENT_CHANGED).repairs()).isEmpty();
        assertThat(finding(report, Kind.MISSING).listed().get(0).id()).isEqualTo("1970-01-01T00:02:00Z b");
        assertThat(finding(report, Kind.MISCOUNTED).listed())
                .extracting(AuditReport.Item::id)
                .as("users are told whatever their events say")
                .containsExactly("1970-01-01T00:02:00Z a", "1970-01-01T00:03:00Z a");
    }

    @Test
    void before_the_first_event_rows_may_have_more_than_there_is() throws Exception {
        sides.oldestEventMicros = 90_000_000;
        sides.put(1, "a", 2, 5);
        sides.put(1, "b", 6, 2);
        sides.put(2, "a", 2, 5);
        RollupCheck check = check();
        check.differs();
        check.lookAgain();

        AuditReport.Destination report = check.report(Evidence.none());
        assertThat(kinds(report)).containsExactly(Kind.MISCOUNTED, Kind.PURGED);
        assertThat(finding(report, Kind.PURGED).listed().get(0).id()).isEqualTo("1970-01-01T00:01:00Z a");
        assertThat(finding(report, Kind.MISCOUNTED).count()).isEqualTo(2);
    }

    @Test
    void neighbours_are_mended_together_and_many_by_one_command() throws Exception {
        for (int minute = 0; minute < 50; minute += 2) {
            sides.put(minute, "a", 2, 1);
        }
        sides.put(1, "a", 2, 1);
        assertThat(RollupCheck.stretches(ROLLUP, new TreeSet<>(List.of(0L, 60_000L, 120_000L, 240_000L))))
                .containsExactly(new RollupWindows(ROLLUP, 0, 180_000), new RollupWindows(ROLLUP, 240_000, 300_000));
        RollupCheck check = check();
        check.differs();
        check.lookAgain();

        assertThat(finding(check.report(Evidence.none()), Kind.MISCOUNTED).repairs())
                .containsExactly("flink run engagement-job.jar backfill --rollups mine --from 1970-01-01T00:00:00Z"
                        + " --to 1970-01-01T00:49:00Z");
    }
}
