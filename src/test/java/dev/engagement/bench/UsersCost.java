package dev.engagement.bench;

import dev.engagement.rollup.CellsProbe;
import dev.engagement.rollup.RollupOptions;
import dev.engagement.rollup.definition.RollupDefinition;
import dev.engagement.rollup.definition.RollupDefinitions;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/** What an open cell weighs that counts users: one by one while they are few, estimated above. */
final class UsersCost {

    private static final long MICROS = 1_800_000_000_000_000L;

    private static final List<Case> CASES =
            List.of(new Case(1, 20_000), new Case(100, 2_000), new Case(1_000, 500), new Case(100_000, 500));

    /** So many cells, for what else is in the heap not to matter. */
    private record Case(int users, int cells) {}

    private UsersCost() {}

    static void measure() throws Exception {
        System.out.printf(
                "%nusers: cells of one set of users and one sum, by content, in one pane; state is what a checkpoint"
                        + " holds,%n       heap what the subtask does, before a checkpoint and with state beside it%n");
        System.out.printf(
                "%10s %8s %14s %14s %18s%n", "users", "cells", "state B/cell", "heap B/cell", "with state B/cell");
        // One pane: windows that do not overlap.
        List<RollupDefinition> definitions =
                RollupDefinitions.parse(List.of("audience"), Map.of("audience.slide", "5 min"));
        RollupOptions options = RollupBenchmark.options(definitions);
        int most = CASES.stream().mapToInt(Case::users).max().orElseThrow();
        String[] ids =
                IntStream.range(0, most).mapToObj(RollupBenchmark::userId).toArray(String[]::new);
        for (Case one : CASES) {
            weigh(one, ids, options);
        }
    }

    private static void weigh(Case one, String[] ids, RollupOptions options) throws Exception {
        try (CellsProbe probe = new CellsProbe(options)) {
            long before = SlideCost.usedHeap();
            for (int cell = 0; cell < one.cells; cell++) {
                String contentId = BenchEnvelopes.contentId(cell);
                for (int user = 0; user < one.users; user++) {
                    probe.add(contentId, ids[user], MICROS);
                }
            }
            long heap = SlideCost.usedHeap() - before;
            long state = probe.snapshotBytes();
            long heapWithState = SlideCost.usedHeap() - before;
            System.out.printf(
                    "%,10d %,8d %,14.1f %,14.1f %,18.1f%n",
                    one.users,
                    one.cells,
                    (double) state / one.cells,
                    (double) heap / one.cells,
                    (double) heapWithState / one.cells);
        }
    }
}
