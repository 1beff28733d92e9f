package dev.engagement.rollup.sink;

import static dev.engagement.rollup.sink.SampleRows.ALL;
import static dev.engagement.rollup.sink.SampleRows.METRICS;
import static dev.engagement.rollup.sink.SampleRows.views;
import static org.assertj.core.api.Assertions.assertThat;

import dev.engagement.connection.PostgresConnection;
import dev.engagement.connection.SecretRef;
import dev.engagement.event.RollupRow;
import dev.engagement.writeback.Item;
import dev.engagement.writeback.Link.Outcome;
import dev.engagement.writeback.WriteBackValue;
import dev.engagement.writeback.testing.RecordedMetrics;
import java.math.BigDecimal;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class PostgresLinkTest {

    private static final PostgresConnection TARGET =
            new PostgresConnection("jdbc:postgresql://host/analytics", "job", SecretRef.none());
    private static final long WHOLE = WriteBackValue.ALL_PARTS;

    private final RecordedMetrics registered = new RecordedMetrics();
    private final RollupWriterMetrics metrics = new RollupWriterMetrics(registered);
    private final ScriptedRows database = new ScriptedRows();
    private long nanos;
    private final PostgresLink link = new PostgresLink(TARGET, ALL, database, null, () -> nanos, metrics);

    @Test
    void an_empty_attempt_connects() {
        Outcome outcome = write();

        assertThat(database.connects).isOne();
        assertThat(outcome.error()).isNull();
        assertThat(outcome.incarnation()).isEqualTo("");
        assertThat(database.transactions).isEmpty();
    }

    @Test
    void a_batch_is_one_transaction_sorted_by_rollup_window_and_key() {
        RollupRow later = views("a", SampleRows.START + 120_000, 1, true);
        Outcome outcome = write(later, SampleRows.metrics(METRICS, "play", 1, "1"), views("b", 1), views("a", 1));

        assertThat(database.transactions)
                .containsExactly(List.of(
                        views("a", 1).id(),
                        views("b", 1).id(),
                        later.id(),
                        SampleRows.metrics(METRICS, "play", 1, "1").id()));
        assertThat(outcome.missing()).containsOnly(0);
        assertThat(registered.count("rowsWritten")).isEqualTo(4);
        assertThat(registered.histogram("batchSize").getStatistics().getMax()).isEqualTo(4);
    }

    @Test
    void of_several_rows_of_one_cell_the_newest_is_sent_and_all_are_done_with() {
        Outcome outcome = write(views("a", 2), views("a", 3), views("a", 1));

        assertThat(outcome.missing()).containsExactly(0, 0, 0);
        assertThat(database.transactions).containsExactly(List.of(views("a", 1).id()));
        assertThat(database.held.get(views("a", 1).id()).version()).isEqualTo(3);
    }

    @Test
    void what_the_table_has_as_new_is_superseded() {
        write(views("a", 5), views("b", 5));
        write(views("a", 4), views("b", 6));

        assertThat(registered.count("rowsWritten")).isEqualTo(3);
        assertThat(registered.count("superseded")).isOne();
        assertThat(database.held.get(views("a", 1).id()).version()).isEqualTo(5);
    }

    @Test
    void one_bad_row_is_found_and_given_up_alone() {
        RollupRow[] rows = rows(1_000);
        database.bad.put(rows[517].id(), "23514");

        Outcome outcome = write(rows);

        assertThat(outcome.error()).isNull();
        assertThat(outcome.missing()).containsOnly(0);
        assertThat(database.held).hasSize(999).doesNotContainKey(rows[517].id());
        assertThat(registered.count("rowsGivenUp")).isOne();
        assertThat(registered.count("rowsWritten")).isEqualTo(999);
        assertThat(database.transactions).hasSizeLessThanOrEqualTo(1 + 2 * 10);
        assertThat(database.connects).isOne();
    }

    @Test
    void every_bad_row_is_given_up_and_every_good_one_is_written() {
        RollupRow[] rows = rows(100);
        for (int i = 0; i < 100; i += 3) {
            database.bad.put(rows[i].id(), "22003");
        }
        Outcome outcome = write(rows);

        assertThat(outcome.missing()).containsOnly(0);
        assertThat(database.held).hasSize(66);
        assertThat(registered.count("rowsGivenUp")).isEqualTo(34);
    }

    @Test
    void a_table_that_takes_no_row_at_all_loses_none() {
        database.badRollups.put(SampleRows.VIEWS.name(), "23502");
        RollupRow[] rows = rows(1_000);
        RollupRow metric = SampleRows.metrics(METRICS, "play", 1, "1");

        Outcome outcome = write(rows);
        assertThat(missing(outcome)).hasSize(1_000);
        assertThat(outcome.error()).contains("If it takes no other row either, put the table right");
        assertThat(registered.gauge("refused")).isOne();
        assertThat(database.transactions).hasSizeLessThan(3 * PostgresLink.MAX_SUSPECTS);
        assertThat(missing(write(metric))).isEmpty();
        int before = database.transactions.size();
        write(rows);
        assertThat(database.transactions).hasSize(before);
        nanos += PostgresLink.TABLE_RESTS.toNanos();
        write(rows);
        assertThat(database.transactions).hasSizeGreaterThan(before);

        database.badRollups.clear();
        nanos += PostgresLink.SUSPECT_RESTS.toNanos();
        assertThat(missing(write(rows))).isEmpty();
        assertThat(registered.count("rowsGivenUp")).isZero();
        assertThat(registered.gauge("refused")).isZero();
        assertThat(database.held).hasSize(1_001);
    }

    @Test
    void a_row_alone_waits_until_its_table_takes_another_one() {
        database.bad.put(views("bad", 1).id(), "23514");
        assertThat(missing(write(views("bad", 1)))).containsExactly(0);
        nanos += Duration.ofSeconds(1).toNanos();
        assertThat(missing(write(views("bad", 1)))).containsExactly(0);
        assertThat(registered.gauge("refused")).isOne();

        nanos += Duration.ofSeconds(1).toNanos();
        write(views("good", 1));
        assertThat(missing(write(views("bad", 1)))).isEmpty();
        assertThat(registered.count("rowsGivenUp")).isOne();
        assertThat(registered.gauge("refused")).isZero();
    }

    @Test
    void however_many_bad_rows_come_first_those_behind_them_are_found() {
        RollupRow[] rows = rows(400);
        List<RollupRow> inOrder = Arrays.stream(rows)
                .sorted(Comparator.<RollupRow, String>comparing(row -> row.key().get(0)))
                .toList();
        inOrder.subList(0, 300).forEach(row -> database.bad.put(row.id(), "22003"));
        List<RollupRow> left = List.of(rows);
        for (int i = 0; i < 20 && !left.isEmpty(); i++) {
            List<RollupRow> tried = left;
            left = missing(write(tried.toArray(RollupRow[]::new))).stream()
                    .map(tried::get)
                    .toList();
            nanos += PostgresLink.TABLE_RESTS.toNanos();
        }
        assertThat(left).isEmpty();
        assertThat(database.held).hasSize(100);
        assertThat(registered.count("rowsGivenUp")).isEqualTo(300);
    }

    @Test
    void a_row_that_somebody_holds_is_left_and_the_others_are_written() {
        RollupRow[] rows = rows(1_000);
        database.bad.put(rows[3].id(), "55P03");

        Outcome outcome = write(rows);

        assertThat(outcome.error()).contains("somebody else holds").contains(rows[3].id());
        assertThat(outcome.refused()).isFalse();
        assertThat(outcome.someDone()).isTrue();
        assertThat(missing(outcome)).containsExactly(3);
        assertThat(database.held).hasSize(999);
        assertThat(database.longWaits).isOne();
    }

    @Test
    void while_somebody_holds_a_row_it_rests_and_costs_the_others_nothing() {
        database.bad.put(views("held", 1).id(), "55P03");
        write(views("held", 1), views("a", 1));
        int before = database.transactions.size();

        Outcome outcome = write(views("held", 1), views("b", 1));
        assertThat(missing(outcome)).containsExactly(0);
        assertThat(outcome.error()).contains("somebody else holds");
        assertThat(database.transactions.subList(before, before + 1))
                .containsExactly(List.of(views("b", 1).id()));
        assertThat(database.transactions).hasSize(before + 1);

        database.bad.clear();
        nanos += PostgresLink.ROW_RESTS.toNanos();
        assertThat(write(views("held", 1)).error()).isNull();
        assertThat(database.held).containsKey(views("held", 1).id());
    }

    @Test
    void a_table_that_somebody_holds_is_waited_for_only_so_often_and_other_tables_are_written() {
        List<RollupRow> rows = new ArrayList<>(Arrays.asList(rows(500)));
        rows.add(SampleRows.metrics(METRICS, "play", 1, "1"));
        rows.add(SampleRows.extremes(1, null, null));
        database.badRollups.put(SampleRows.VIEWS.name(), "55P03");

        Outcome outcome = write(rows.toArray(RollupRow[]::new));

        assertThat(database.held).hasSize(2);
        assertThat(missing(outcome)).hasSize(500);
        assertThat(database.transactions).hasSizeLessThanOrEqualTo(PostgresLink.MAX_LOCK_WAITS + 12);
        int before = database.transactions.size();
        write(rows.toArray(RollupRow[]::new));
        assertThat(database.transactions).hasSize(before + 1);
    }

    @Test
    void a_table_that_is_refused_rests_and_the_others_are_written() {
        database.badRollups.put(SampleRows.VIEWS.name(), "42P01");
        RollupRow metric = SampleRows.metrics(METRICS, "play", 1, "1");

        Outcome outcome = write(views("a", 1), metric, views("b", 1));

        assertThat(missing(outcome)).containsExactly(0, 2);
        assertThat(outcome.error())
                .contains("of the table views")
                .contains("start the job anew")
                .contains("CREATE TABLE IF NOT EXISTS \"views\"");
        assertThat(outcome.refused()).as("others need not wait").isFalse();
        assertThat(outcome.someDone()).isTrue();
        assertThat(registered.gauge("refused")).isOne();
        assertThat(database.held).containsOnlyKeys(metric.id());

        int before = database.transactions.size();
        write(views("a", 1), SampleRows.extremes(1, BigDecimal.ONE, BigDecimal.TEN));
        assertThat(database.transactions).hasSize(before + 1);
        assertThat(registered.gauge("refused")).isOne();

        database.badRollups.clear();
        nanos += PostgresLink.TABLE_RESTS.toNanos();
        assertThat(write(views("a", 1), views("b", 1)).error()).isNull();
        assertThat(registered.gauge("refused")).isZero();
        assertThat(database.held).hasSize(4);
    }

    @Test
    void a_database_that_goes_away_leaves_the_whole_batch_and_is_connected_anew() {
        write(views("a", 1));
        database.away = "57P01";

        Outcome outcome = write(views("a", 2), views("b", 1));

        assertThat(outcome.missing()).containsExactly(WHOLE, WHOLE);
        assertThat(outcome.error()).isEqualTo("as told");
        assertThat(outcome.refused()).isFalse();
        assertThat(outcome.someDone()).isFalse();
        assertThat(outcome.incarnation()).isNull();
        assertThat(database.aborts).isOne();

        database.away = null;
        assertThat(write(views("a", 2), views("b", 1)).missing()).containsOnly(0);
        assertThat(database.connects).isEqualTo(2);
    }

    @Test
    void a_refused_password_waits_for_a_person() {
        database.away = "28P01";

        Outcome outcome = write(views("a", 1));

        assertThat(outcome.refused()).isTrue();
        assertThat(outcome.error())
                .contains("jdbc:postgresql://host/analytics")
                .contains("rollup.postgres.password.secret-file");
        assertThat(outcome.missing()).containsExactly(WHOLE);
    }

    @Test
    void a_fault_of_the_driver_is_told_and_does_not_fail_the_job() {
        PostgresLink faulty = new PostgresLink(
                TARGET,
                ALL,
                () -> {
                    throw new IllegalArgumentException("as told");
                },
                null,
                () -> nanos,
                metrics);
        Outcome outcome = write(faulty, views("a", 1));

        assertThat(outcome.refused()).isTrue();
        assertThat(outcome.error()).contains("as told");
    }

    @Test
    void a_row_of_a_rollup_that_is_not_defined_is_given_up() {
        RollupRow gone = new RollupRow("gone", 0, 1, List.of(), List.of(), true, 0, 1, true);
        RollupRow otherShape = new RollupRow(SampleRows.VIEWS.name(), 0, 1, List.of(), List.of(), true, 0, 1, true);

        Outcome outcome = write(gone, views("a", 1), otherShape);

        assertThat(outcome.missing()).containsOnly(0);
        assertThat(registered.count("rowsGivenUp")).isEqualTo(2);
        assertThat(database.held).hasSize(1);
    }

    @Test
    void an_idle_connection_is_asked_now_and_then() {
        write();
        write();
        assertThat(database.pings).isZero();

        nanos += PostgresLink.PING_INTERVAL.toNanos();
        write();
        write();
        assertThat(database.pings).isOne();

        nanos += PostgresLink.PING_INTERVAL.toNanos();
        database.away = "08006";
        assertThat(write().error()).isEqualTo("as told");
    }

    @Test
    void old_rows_are_removed_in_steps_behind_the_batches_and_every_minute() {
        OldRows old = new OldRows(ALL, nanos);
        PostgresLink removing = new PostgresLink(TARGET, ALL, database, old, () -> nanos, metrics);
        database.old.put(SampleRows.METRICS.name(), 2 * OldRows.STEP + 5);
        for (int i = 0; i < 10; i++) {
            write(removing, views("a", i + 1));
        }

        assertThat(database.removals)
                .containsExactly(
                        "content_views", "metrics_30s", "metrics_30s", "metrics_30s", "metrics_1m", "extremes");
        assertThat(registered.count("rowsRemoved")).isEqualTo(2 * OldRows.STEP + 5);
        assertThat(database.held.values()).extracting(RollupRow::version).containsExactly(10L);

        nanos += OldRows.INTERVAL.toNanos();
        write(removing);
        assertThat(database.removals).hasSize(7);
    }

    @Test
    void rows_that_must_not_be_removed_stay_and_nothing_else_suffers() {
        PostgresLink removing = new PostgresLink(TARGET, ALL, database, new OldRows(ALL, nanos), () -> nanos, metrics);
        database.badRemovals.add(SampleRows.VIEWS.name());
        for (int i = 0; i < 4; i++) {
            assertThat(write(removing, views("a", i + 1)).error()).isNull();
        }

        assertThat(database.removals).containsExactly("content_views", "metrics_30s", "metrics_1m", "extremes");
        assertThat(database.connects).isOne();
    }

    @Test
    void closing_ends_the_connection_in_order_and_aborting_closes_it_at_once() {
        link.abort();
        write();
        link.abort();
        assertThat(database.aborts).isOne();
        link.close();
        link.close();
        assertThat(database.closes).isOne();
    }

    private Outcome write(RollupRow... rows) {
        return write(link, rows);
    }

    private static Outcome write(PostgresLink link, RollupRow... rows) {
        List<Item<PendingRow>> items = Arrays.stream(rows)
                .map(row -> new Item<>(new PendingRow(row), WHOLE))
                .toList();
        PostgresLink.Attempt attempt = link.attempt(items, Duration.ofDays(1).toMillis());
        attempt.send();
        return attempt.outcome(Duration.ofDays(1).toMillis());
    }

    /** Places of the rows that are still to be written. */
    private static List<Integer> missing(Outcome outcome) {
        return IntStream.range(0, outcome.missing().length)
                .filter(i -> outcome.missing()[i] != 0)
                .boxed()
                .toList();
    }

    private static RollupRow[] rows(int number) {
        return IntStream.range(0, number).mapToObj(i -> views("c" + i, 1)).toArray(RollupRow[]::new);
    }
}
