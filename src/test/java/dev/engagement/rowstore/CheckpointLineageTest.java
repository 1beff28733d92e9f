package dev.engagement.rowstore;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.engagement.rowstore.CheckpointLineage.FencingLabel;
import dev.engagement.rowstore.CheckpointLineage.Start;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class CheckpointLineageTest {

    private static final CheckpointLineage I = new CheckpointLineage("i", List.of());

    @Test
    void the_first_run_needs_an_empty_table() throws Exception {
        assertThat(begin("a", null, null, false)).isEqualTo(new CheckpointLineage("a", List.of()));
        refused("a", null, null, true, "has rows", "--accept-warehouse-duplicates");
    }

    @Test
    void a_restart_before_the_first_checkpoint_goes_on() throws Exception {
        CheckpointLineage first = begin("a", null, null, false);

        assertThat(begin("a", null, null, false)).isEqualTo(first);
    }

    @Test
    void a_restart_goes_on_from_the_newest_checkpoint() throws Exception {
        CheckpointLineage a = new CheckpointLineage("a", List.of());

        assertThat(begin("a", from(a, 7), new FencingLabel("a", 7), true)).isEqualTo(a);
        // The mark of the checkpoint is set after it completed.
        assertThat(begin("a", from(a, 7), new FencingLabel("a", 6), true)).isEqualTo(a);
    }

    @Test
    void a_restart_whose_mark_somebody_took_off_goes_on() throws Exception {
        CheckpointLineage a = new CheckpointLineage("a", List.of());

        assertThat(begin("a", from(a, 7), null, true)).isEqualTo(a);
    }

    @Test
    void a_run_goes_on_from_the_last_savepoint_of_another() throws Exception {
        CheckpointLineage next = begin("a", from(I, 10), new FencingLabel("i", 10), true);

        assertThat(next.mayShow(new FencingLabel("i", 10))).isTrue();
        assertThat(next.markFor(11, new FencingLabel("i", 10))).isEqualTo(new FencingLabel("a", 11));
        assertThat(next.markFor(11, new FencingLabel("a", 11))).isNull();
        assertThat(next.markFor(11, new FencingLabel("a", 12)))
                .as("never lowered")
                .isNull();
    }

    @Test
    void an_older_checkpoint_is_refused_and_the_newest_named() {
        refused(
                "a",
                from(I, 9),
                new FencingLabel("i", 10),
                true,
                "from checkpoint 9",
                "from checkpoint 10",
                "warehouse.table");
    }

    @Test
    void a_savepoint_in_the_middle_is_refused_once_its_job_showed_more() throws Exception {
        // Savepoint 11 shows nothing itself; checkpoint 12 shows both.
        begin("a", from(I, 11), new FencingLabel("i", 10), true);
        refused("a", from(I, 11), new FencingLabel("i", 12), true, "checkpoint 12");
    }

    @Test
    void of_two_runs_from_one_savepoint_the_first_that_shows_rows_goes_on() throws Exception {
        CheckpointLineage a = begin("a", from(I, 10), new FencingLabel("i", 10), true);
        CheckpointLineage b = begin("b", from(I, 10), new FencingLabel("i", 10), true);

        assertThat(a.mayShow(new FencingLabel("i", 10))).isTrue();
        assertThat(b.mayShow(new FencingLabel("a", 11))).isFalse();
        assertThat(a.mayShow(new FencingLabel("a", 11))).isTrue();
        // Nor does a later run from the checkpoints of the one that was refused.
        refused("c", from(b, 12), new FencingLabel("a", 11), true, "another run (a");
    }

    @Test
    void a_job_that_went_on_after_a_savepoint_and_a_run_from_it_exclude_each_other() throws Exception {
        CheckpointLineage a = begin("a", from(I, 10), new FencingLabel("i", 10), true);

        assertThat(a.mayShow(new FencingLabel("i", 11))).isFalse();
        assertThat(I.mayShow(new FencingLabel("a", 11))).isFalse();
    }

    @Test
    void runs_that_showed_nothing_pass_the_mark_on() throws Exception {
        CheckpointLineage idle = begin("a", from(I, 10), new FencingLabel("i", 10), true);
        CheckpointLineage idleToo = begin("b", from(idle, 13), new FencingLabel("i", 10), true);
        CheckpointLineage third = begin("c", from(idleToo, 15), new FencingLabel("i", 10), true);

        assertThat(third.mayShow(new FencingLabel("i", 10))).isTrue();
        assertThat(third.behind()).containsExactly(new FencingLabel("b", 15), new FencingLabel("i", 10));
    }

    @Test
    void a_run_that_ended_before_its_first_checkpoint_leaves_nothing() throws Exception {
        begin("a", from(I, 10), new FencingLabel("i", 10), true);

        assertThat(begin("b", from(I, 10), new FencingLabel("i", 10), true).run())
                .isEqualTo("b");
    }

    @Test
    void a_checkpoint_onto_an_empty_table_begins_there() throws Exception {
        assertThat(begin("a", from(I, 10), null, false).mayShow(null)).isTrue();
        refused("a", from(I, 10), null, true, "from checkpoint 10", "has rows");
    }

    @Test
    void a_run_that_lost_its_state_is_refused() {
        refused("a", null, new FencingLabel("a", 3), true, "without state", "from checkpoint 3");
    }

    @Test
    void two_first_runs_on_one_empty_table_exclude_each_other() throws Exception {
        CheckpointLineage a = begin("a", null, null, false);
        CheckpointLineage b = begin("b", null, null, false);

        assertThat(a.mayShow(null)).isTrue();
        assertThat(b.mayShow(new FencingLabel("a", 1))).isFalse();
    }

    @Test
    void whoever_accepts_duplicates_goes_on_from_what_is_there() {
        CheckpointLineage line = CheckpointLineage.beginAnyway(new Start("x", from(I, 3), new FencingLabel("a", 9)));

        assertThat(line.run()).isEqualTo("x");
        assertThat(line.mayShow(new FencingLabel("a", 9))).isTrue();
        assertThat(line.mayShow(new FencingLabel("a", 10))).isFalse();
    }

    private static Start.Restored from(CheckpointLineage line, long checkpoint) {
        return new Start.Restored(line, checkpoint);
    }

    private static CheckpointLineage begin(
            String run, Start.@Nullable Restored restored, @Nullable FencingLabel found, boolean rows)
            throws Exception {
        return CheckpointLineage.begin(new Start(run, restored, found), () -> rows);
    }

    private static void refused(
            String run, Start.@Nullable Restored restored, @Nullable FencingLabel found, boolean rows, String... said) {
        assertThatThrownBy(() -> begin(run, restored, found, rows))
                .isInstanceOfSatisfying(CheckpointLineage.Broken.class, broken -> assertThat(broken.text(
                                new StoreName("BigQuery", "warehouse"),
                                "p.d.t",
                                restored == null ? null : restored.checkpoint()))
                        .contains(said));
    }
}
