package dev.engagement.audit;

import static dev.engagement.audit.Audits.at;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.engagement.audit.AuditReport.Finding;
import dev.engagement.deadletter.Reason;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class AuditTest {

    private final World world = new World();

    /** A hundred events, one every five seconds, of ten contents. */
    @BeforeEach
    void aWorldInOrder() {
        for (int id = 1; id <= 100; id++) {
            world.add(id, at(id * 5L), "content-" + id % 10, id % 7 == 0 ? null : id * 10L);
        }
        world.countAll();
    }

    private World.Event event(long id) {
        return world.events.get((int) id - 1);
    }

    private List<String> repairs(AuditReport report, Kind kind) {
        return report.destinations().stream()
                .flatMap(destination -> destination.findings().stream())
                .filter(finding -> finding.kind() == kind)
                .map(Finding::repairs)
                .flatMap(List::stream)
                .toList();
    }

    @Test
    void finds_nothing_where_nothing_differs_and_neither_waits_nor_asks() throws Exception {
        AuditReport report = Audits.of(world);

        assertThat(report.isEqual()).isTrue();
        assertThat(Audits.found(report)).isEmpty();
        assertThat(world.settled).as("waited").isFalse();
        assertThat(world.askedForReasons).isFalse();
        assertThat(report.events()).isEqualTo(100);
        assertThat(report.destinations())
                .extracting(destination -> destination.name() + " " + destination.present())
                .containsExactly("warehouse 100", "delivery 100", "liveview 10");
    }

    @Test
    void names_each_thing_that_differs() throws Exception {
        event(17).rows = 0;
        event(18).inSource = false;
        event(18).captured = null;
        event(18).receipt = false;
        world.counts.put("content-8", "9");
        event(19).rows = 2;
        event(20).receipt = false;
        event(21).rowDuration = 1L;
        world.counts.put("content-2", "11");
        event(23).inSource = false;

        AuditReport report = Audits.of(world);

        assertThat(report.isEqual()).isFalse();
        assertThat(Audits.found(report))
                .containsExactlyInAnyOrderEntriesOf(Map.of(
                        "warehouse missing", "17",
                        "warehouse extra", "18",
                        "warehouse doubled", "19",
                        "warehouse changed", "21",
                        "warehouse purged", "23",
                        "delivery missing", "20",
                        "delivery purged", "23",
                        "liveview miscounted", "content-2",
                        "liveview purged", "content-3"));
    }

    @Test
    void what_is_on_its_way_at_the_first_look_is_not_missing() throws Exception {
        event(99).rowsAreLate = true;
        event(100).receiptIsLate = true;

        AuditReport report = Audits.of(world);

        assertThat(world.settled).as("waited").isTrue();
        assertThat(report.isEqual()).isTrue();
        assertThat(Audits.found(report)).isEmpty();
    }

    @Test
    void dead_letters_explain_what_is_not_there() throws Exception {
        event(1).letter = Reason.UNRESOLVED;
        event(1).rows = 0;
        event(1).receipt = false;
        event(2).letter = Reason.REJECTED;
        event(2).rows = 0;
        event(3).letter = Reason.UNDELIVERABLE;
        event(3).receipt = false;
        world.countAll();

        AuditReport report = Audits.of(world);

        assertThat(report.isEqual()).isTrue();
        assertThat(Audits.found(report))
                .containsExactlyInAnyOrderEntriesOf(Map.of(
                        "warehouse dead letter", "1,2",
                        "delivery dead letter", "1,3",
                        "liveview dead letter", "content-1"));
        assertThat(repairs(report, Kind.DEAD_LETTER))
                .contains(
                        "flink run engagement-job.jar redrive --reason UNRESOLVED --event-id 1",
                        "flink run engagement-job.jar redrive --reason REJECTED --event-id 2",
                        "flink run engagement-job.jar redrive --reason UNDELIVERABLE --event-id 3");
    }

    @Test
    void a_letter_of_another_destination_explains_nothing() throws Exception {
        event(2).letter = Reason.REJECTED;
        event(2).receipt = false;
        event(3).letter = Reason.UNDELIVERABLE;
        event(3).rows = 0;

        assertThat(Audits.found(Audits.of(world)))
                .containsOnlyKeys("warehouse missing", "delivery missing")
                .containsEntry("warehouse missing", "3")
                .containsEntry("delivery missing", "2");
    }

    @Test
    void deliveries_that_were_diverted_are_not_missing() throws Exception {
        event(5).receipt = false;
        event(5).retry = World.Retry.WAITING;
        event(6).receipt = false;
        event(6).retry = World.Retry.HELD;
        event(7).receipt = false;
        event(7).captured = "r";

        AuditReport report = Audits.of(world);

        assertThat(report.isEqual()).isTrue();
        assertThat(Audits.found(report))
                .containsExactlyInAnyOrderEntriesOf(
                        Map.of("delivery waiting", "5", "delivery held", "6", "delivery left out", "7"));
    }

    @Test
    void rows_of_a_snapshot_are_missed_where_they_are_delivered() throws Exception {
        event(7).receipt = false;
        event(7).captured = "r";

        assertThat(Audits.found(Audits.of(world, true, world.warehouse(), world.counts())))
                .isEqualTo(Map.of("delivery missing", "7"));
    }

    @Test
    void what_is_older_than_the_topic_is_purged_or_unproven() throws Exception {
        world.topicReachesBackTo = at(60);
        event(3).inSource = false;
        event(3).captured = null;
        event(3).receipt = false;
        event(4).receipt = false;
        event(4).captured = null;
        world.counts.put("content-3", "9");

        AuditReport report = Audits.of(world);

        assertThat(Audits.found(report))
                .containsEntry("warehouse purged", "3")
                .containsEntry("delivery unproven", "4")
                .doesNotContainKeys("warehouse extra", "delivery missing");
        assertThat(report.isEqual()).isFalse();
    }

    @Test
    void an_event_that_moved_has_changed_and_is_neither_missing_nor_extra() throws Exception {
        event(30).rowMicros = at(400);

        assertThat(Audits.found(Audits.of(world))).isEqualTo(Map.of("warehouse changed", "30"));
    }

    @Test
    void a_row_under_the_id_of_another_event_is_named_and_needs_an_id_of_its_own() throws Exception {
        event(30).rowMicros = Audits.RANGE.fromMicros() - 3_600_000_000L;

        AuditReport report = Audits.of(world);

        assertThat(Audits.found(report)).isEqualTo(Map.of("warehouse conflict", "30"));
        assertThat(report.isEqual()).isFalse();
        assertThat(repairs(report, Kind.CONFLICT))
                .singleElement()
                .asString()
                .contains("UPDATE engagement_events SET id = DEFAULT WHERE id IN (30)");
    }

    @Test
    void says_what_brings_back_rows_that_were_never_captured_and_those_that_were() throws Exception {
        event(10).rows = 0;
        event(10).captured = null;
        event(11).rows = 0;
        event(11).captured = null;
        event(40).rows = 0;

        List<String> repairs = repairs(Audits.of(world), Kind.MISSING);

        assertThat(repairs.get(0))
                .isEqualTo(
                        "flink run engagement-job.jar backfill --from 2026-01-08T09:00:00Z --to 2026-01-08T09:01:00Z");
        assertThat(repairs.get(1)).startsWith("#");
        assertThat(repairs.get(2))
                .isEqualTo("flink run engagement-job.jar rebuild --from 2026-01-08T09:03:00Z --to 2026-01-08T09:04:00Z"
                        + " --destinations warehouse --warehouse.table engagement_events_mended");
        assertThat(repairs.get(3))
                .startsWith("bq query --nouse_legacy_sql 'MERGE `project.analytics.engagement_events` AS t USING"
                        + " `project.analytics.engagement_events_mended` AS m ON t.event_id = m.event_id");
    }

    @Test
    void says_what_takes_rows_away_and_sets_counts() throws Exception {
        event(18).inSource = false;
        event(18).captured = null;
        event(18).receipt = false;
        world.counts.put("content-8", "9");
        world.counts.put("content-2", "11");
        world.counts.remove("content-4");
        world.counts.put("content-gone", "1");
        world.counts.put("content-5", "many");

        AuditReport report = Audits.of(world);

        assertThat(repairs(report, Kind.EXTRA))
                .containsExactly("bq query --nouse_legacy_sql 'DELETE FROM `project.analytics.engagement_events` WHERE"
                        + " event_id IN (18) AND event_ts >= TIMESTAMP \"2026-01-08T09:00:00.000000Z\" AND event_ts <"
                        + " TIMESTAMP \"2026-01-08T09:10:00.000000Z\"'");
        assertThat(repairs(report, Kind.MISCOUNTED))
                .containsExactly(
                        "redis-cli -u redis://localhost:6379 SET 'p:content:count:content-2' 10",
                        "redis-cli -u redis://localhost:6379 SET 'p:content:count:content-4' 10",
                        "redis-cli -u redis://localhost:6379 SET 'p:content:count:content-5' 10",
                        "redis-cli -u redis://localhost:6379 DEL 'p:content:count:content-gone'");
    }

    @Test
    void a_count_that_lacks_what_the_warehouse_lacks_is_mended_with_it() throws Exception {
        event(12).rows = 0;
        event(12).captured = null;
        world.counts.put("content-2", "9");

        assertThat(repairs(Audits.of(world), Kind.MISCOUNTED))
                .containsExactly(
                        "# content-2 lacks the events that are missing in the warehouse: a backfill mends both");
    }

    @Test
    void without_the_warehouse_letters_still_explain_a_count() throws Exception {
        event(1).letter = Reason.INVALID;
        event(1).receipt = false;
        world.countAll();
        world.counts.put("content-2", "11");

        assertThat(Audits.found(Audits.of(world, false, null, world.counts())))
                .isEqualTo(Map.of(
                        "delivery dead letter", "1",
                        "liveview dead letter", "content-1",
                        "liveview miscounted", "content-2"));
    }

    @Test
    void receipts_of_before_the_range_are_read_only_if_one_is_wanted() throws Exception {
        assertThat(Audits.found(Audits.of(world))).isEmpty();
        assertThat(world.askedForEarlierReceipts).isFalse();

        event(7).receiptIsEarlier = true;
        assertThat(Audits.found(Audits.of(world))).isEmpty();
        assertThat(world.askedForEarlierReceipts).isTrue();
    }

    @Test
    void the_witness_is_asked_once_for_all_counts_that_differ() throws Exception {
        world.counts.replaceAll((content, count) -> Long.toString(Long.parseLong(count) + 1));
        assertThat(world.counts).hasSizeGreaterThan(5);

        assertThat(Audits.found(Audits.of(world))).containsOnlyKeys("liveview miscounted");
        assertThat(world.questions).isEqualTo(1);
    }

    @Test
    void says_it_in_words_and_in_json() throws Exception {
        event(17).rows = 0;

        AuditReport report = Audits.of(world);

        assertThat(report.asText(true))
                .contains("Audit of [2026-01-08T09:00:00Z, 2026-01-08T09:10:00Z): 100 events in PostgreSQL")
                .contains("  warehouse    events         100     99 ")
                .contains("  warehouse: 1 missing\n    17  2026-01-08T09:01:25.000000Z\n    mended by\n")
                .endsWith("DIFFERENT\n");
        assertThat(report.asText(false)).doesNotContain("mended by");
        assertThat(report.asJson(false))
                .startsWith("{\"equal\":false,\"from\":\"2026-01-08T09:00:00Z\",\"to\":\"2026-01-08T09:10:00Z\","
                        + "\"events\":100,")
                .contains("{\"destination\":\"warehouse\",\"compared\":\"events\",\"expected\":100,\"there\":99,")
                .contains("{\"kind\":\"missing\",\"difference\":true,\"count\":1,\"listed\":[{\"id\":\"17\",\"detail\":"
                        + "\"2026-01-08T09:01:25.000000Z\"}]}");
    }

    @Test
    void leaves_out_what_is_too_young() {
        Instant now = Audits.FROM.plusSeconds(300);

        assertThat(Audit.settled(Audits.options(false), now)).isEqualTo(Range.of(Audits.FROM, now.minusSeconds(60)));
        assertThat(Audit.settled(Audits.options(false), Audits.TO.plusSeconds(60)))
                .isEqualTo(Audits.RANGE);
        assertThatThrownBy(() -> Audit.settled(Audits.options(false), Audits.FROM.plusSeconds(60)))
                .hasMessageContaining("from is 2026-01-08T09:00:00Z")
                .hasMessageContaining("audit.settle");
    }

    @Test
    void refuses_ranges_and_margins_that_mean_nothing() {
        assertThatThrownBy(() -> Audits.options(Audits.TO, Audits.FROM, Audits.SETTLE, false))
                .hasMessageContaining("from is 2026-01-08T09:10:00Z and to is 2026-01-08T09:00:00Z");
        assertThatThrownBy(() -> Audits.options(Audits.FROM, Audits.TO, Duration.ofSeconds(-1), false))
                .hasMessageContaining("audit.settle");
        assertThatThrownBy(
                        () -> Audits.options(Instant.parse("-0001-01-01T00:00:00Z"), Audits.TO, Audits.SETTLE, false))
                .hasMessageContaining("from is -0001-01-01T00:00:00Z; it must lie within years 1..9999");
    }

    @Test
    void a_range_may_begin_with_the_first_year() {
        Instant first = Instant.parse("0001-01-01T00:00:00.000001Z");

        assertThat(Range.of(first, Audits.TO).from()).isEqualTo(first);
        assertThat(Range.of(Audits.FROM, Audits.TO).days()).isEqualTo(1);
        assertThat(new Range(-1, 1).days()).isEqualTo(2);
    }
}
