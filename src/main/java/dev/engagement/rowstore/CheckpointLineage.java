package dev.engagement.rowstore;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Where a run of the job stands in the line of checkpoints that the table's rows come from. Immutable.
 *
 * <p>A table holds rows once only if they come from one line: each run begins where the checkpoint it was started from
 * ended, and nobody else put rows there since. So before rows of a checkpoint become visible, a {@link FencingLabel} on the table
 * says which run shows which checkpoint. A run goes on only over its own marks and over those that were behind it when it
 * started: of two runs from the same checkpoint the first that shows a checkpoint wins, and the other is refused, as is a
 * run from a checkpoint that is older than the mark.
 *
 * @param run the run, named anew with each submission and kept over its restarts
 * @param behind the marks that this run goes on from: of each run the last checkpoint that is in this line
 */
public record CheckpointLineage(String run, List<FencingLabel> behind) {

    /**
     * A note on the table.
     *
     * @param run which run shows rows
     * @param checkpoint up to which checkpoint
     */
    public record FencingLabel(String run, long checkpoint) {}

    public CheckpointLineage {
        behind = List.copyOf(behind);
    }

    /** What is known when a run starts. */
    record Start(
            String run,
            @Nullable Restored restored,
            @Nullable FencingLabel found) {

        /** The checkpoint that a run was started from. */
        record Restored(CheckpointLineage line, long checkpoint) {}
    }

    /**
     * The line of a run that starts.
     *
     * @param start what is known
     * @param hasRows whether the table holds rows; asked only if it matters
     * @throws Broken if this run would put rows into the table that are there, or leave a gap
     */
    static CheckpointLineage begin(Start start, RowsAsked hasRows)
            throws Broken, StoreRequestException, InterruptedException {
        FencingLabel found = start.found();
        Start.Restored restored = start.restored();
        if (restored == null) {
            if (found != null && found.run().equals(start.run())) {
                throw new Broken(found, Broken.Kind.STATE_IS_LOST);
            }
            if (hasRows.ask()) {
                throw new Broken(found, Broken.Kind.TABLE_HAS_ROWS);
            }
            return new CheckpointLineage(start.run(), found == null ? List.of() : List.of(found));
        }
        CheckpointLineage line = restored.line();
        FencingLabel behind = new FencingLabel(line.run(), restored.checkpoint());
        if (found == null) {
            // The notes were taken off, or it is another table: of a restart of the same run its checkpoint is the
            // newest.
            if (!line.run().equals(start.run()) && hasRows.ask()) {
                throw new Broken(null, Broken.Kind.TABLE_HAS_ROWS);
            }
        } else if (found.run().equals(start.run()) || found.run().equals(line.run())) {
            if (found.checkpoint() > restored.checkpoint()) {
                throw new Broken(found, Broken.Kind.CHECKPOINT_IS_OLD);
            }
        } else if (!line.isBehind(found)) {
            throw Broken.by(found, restored.checkpoint());
        }
        if (line.run().equals(start.run())) {
            return line;
        }
        List<FencingLabel> marks = new ArrayList<>();
        marks.add(behind);
        if (found != null && !found.run().equals(line.run()) && !found.run().equals(start.run())) {
            marks.add(found);
        }
        return new CheckpointLineage(start.run(), marks);
    }

    /** The line of a run that goes on although it may double rows: a new one, from whatever is there. */
    static CheckpointLineage beginAnyway(Start start) {
        List<FencingLabel> marks = new ArrayList<>();
        if (start.restored() != null) {
            marks.add(new FencingLabel(
                    start.restored().line().run(), start.restored().checkpoint()));
        }
        if (start.found() != null) {
            marks.add(start.found());
        }
        return new CheckpointLineage(start.run(), marks);
    }

    /** Whether this run's rows may become visible in a table on which {@code found} stands. */
    boolean mayShow(@Nullable FencingLabel found) {
        return found == null || found.run().equals(run) || isBehind(found);
    }

    /** What is to stand on the table before rows of {@code checkpoint} become visible; null if it stands there already. */
    @Nullable
    FencingLabel markFor(long checkpoint, @Nullable FencingLabel found) {
        boolean stands = found != null && found.run().equals(run) && found.checkpoint() >= checkpoint;
        return stands ? null : new FencingLabel(run, checkpoint);
    }

    private boolean isBehind(FencingLabel found) {
        return behind.stream()
                .anyMatch(mark -> mark.run().equals(found.run()) && found.checkpoint() <= mark.checkpoint());
    }

    /** Asks the table whether it holds rows. */
    @FunctionalInterface
    interface RowsAsked {
        boolean ask() throws StoreRequestException, InterruptedException;
    }

    /** The line is broken. */
    static final class Broken extends Exception {

        private static final long serialVersionUID = 1L;

        /** In what way. */
        enum Kind {
            /** Started without state onto a table that has rows. */
            TABLE_HAS_ROWS,
            /** The checkpoint is older than what is visible. */
            CHECKPOINT_IS_OLD,
            /** Another run went on from the same checkpoint, or the table belongs to another job. */
            OTHER_LINE,
            /** This very run showed rows and now starts without state. */
            STATE_IS_LOST
        }

        private final transient @Nullable FencingLabel found;
        private final Kind kind;

        Broken(@Nullable FencingLabel found, Kind kind) {
            super(kind.name(), null, false, false);
            this.found = found;
            this.kind = kind;
        }

        /** The table shows {@code found}, which is not in the past of {@code checkpoint}. */
        static Broken by(@Nullable FencingLabel found, long checkpoint) {
            boolean later = found != null && found.checkpoint() > checkpoint;
            return new Broken(found, later ? Kind.CHECKPOINT_IS_OLD : Kind.OTHER_LINE);
        }

        /** What happened, and the ways out. */
        String text(StoreName store, String table, @Nullable Long restoredCheckpoint) {
            String newest = found == null ? "its newest checkpoint" : "checkpoint " + found.checkpoint();
            String from = restoredCheckpoint == null ? "without state" : "from checkpoint " + restoredCheckpoint;
            return switch (kind) {
                case TABLE_HAS_ROWS ->
                    "The " + store.destination() + " table " + table + " has rows, and this job starts " + from
                            + (restoredCheckpoint == null ? "" : ", which knows nothing of them")
                            + ": its rows could be there twice. Start it from " + newest
                            + " of the job that wrote them (flink run -s …), choose another " + store.option("table")
                            + ", or say "
                            + store.acceptDuplicates();
                case CHECKPOINT_IS_OLD ->
                    "The " + store.destination() + " table " + table + " shows rows up to " + newest
                            + ", and this job starts " + from
                            + ": the rows between would be there twice. Start it from " + newest
                            + " or a newer one (flink run -s …), choose another " + store.option("table") + ", or say "
                            + store.acceptDuplicates();
                case OTHER_LINE ->
                    "The " + store.destination() + " table " + table + " shows rows of another run ("
                            + Objects.requireNonNull(found).run() + ", up to " + newest
                            + "), which is not in the past of this one: started from the same checkpoint, or another job."
                            + " Rows could be there twice. Stop one of the two; start from " + newest
                            + " of that run (flink run -s …), choose another " + store.option("table") + ", or say "
                            + store.acceptDuplicates();
                case STATE_IS_LOST ->
                    "This very run showed rows up to " + newest + " in the " + store.destination() + " table " + table
                            + ", and starts again without state: they would be there twice. Start it from " + newest
                            + " (flink run -s …), choose another " + store.option("table") + ", or say "
                            + store.acceptDuplicates();
            };
        }
    }
}
