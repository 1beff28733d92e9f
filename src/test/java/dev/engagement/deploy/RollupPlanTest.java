package dev.engagement.deploy;

import static org.assertj.core.api.Assertions.assertThat;

import dev.engagement.deploy.RestorePlan.Entry;
import dev.engagement.deploy.RestorePlan.Verdict;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.flink.runtime.jobgraph.OperatorID;
import org.junit.jupiter.api.Test;

/** What the plan says of rollups; that a savepoint tells of them, {@link RollupPlanIT} shows. */
class RollupPlanTest {

    private static final String UID = "rollup-cells";
    private static final OperatorID ID = OperatorHash.of(UID);
    private static final ClassLoader CLASSES = RollupPlanTest.class.getClassLoader();

    private static RestorePlan plan(Map<String, String> before, Map<String, String> now) {
        SavedState.Operator saved =
                new SavedState.Operator(2, 128, false, true, List.of(), Set.of(), List.of(), before);
        JobShape.Operator operator = new JobShape.Operator(UID, 2, 128, now);
        return RestorePlan.compare(
                new SavedState("savepoint", 1, Map.of(ID, saved)),
                Map.of(ID, UID),
                new JobShape(Map.of(ID, operator)),
                StateCatalogue.empty(),
                CLASSES);
    }

    @Test
    void the_same_rollups_go_on_without_a_word() {
        Map<String, String> same = Map.of("views", "window=2m", "users", "window=5m");

        assertThat(plan(same, same).entries()).containsExactly(new Entry(UID, Verdict.RESTORED, List.of()));
    }

    @Test
    void a_changed_definition_is_refused_with_the_way_out_and_cannot_be_allowed() {
        RestorePlan plan = plan(
                Map.of("views", "window=2m", "users", "window=5m"), Map.of("views", "window=1m", "users", "window=5m"));

        assertThat(plan.entries())
                .containsExactly(new Entry(
                        UID,
                        Verdict.INCOMPATIBLE,
                        List.of(
                                "rollup views was defined as window=2m",
                                "and would be window=1m",
                                "a changed definition is a new name: give it a new name and table")));
        assertThat(plan.losses(Set.of(UID))).containsExactly(UID);
    }

    @Test
    void rollups_that_were_left_out_or_added_are_told_and_lose_nothing() {
        RestorePlan plan = plan(
                Map.of("views", "window=2m", "users", "window=5m"), Map.of("users", "window=5m", "again", "window=1m"));

        assertThat(plan.entries())
                .containsExactly(new Entry(
                        UID,
                        Verdict.RESTORED,
                        List.of(
                                "rollup views is left out: its windows are forgotten, and its table stays as it is",
                                "rollup again is new: it counts what comes from here on")));
        assertThat(plan.losses(Set.of())).isEmpty();
    }

    @Test
    void a_state_that_says_nothing_of_rollups_is_compared_as_any_other() {
        assertThat(plan(Map.of(), Map.of("views", "window=2m")).entries())
                .containsExactly(new Entry(UID, Verdict.RESTORED, List.of()));
    }
}
