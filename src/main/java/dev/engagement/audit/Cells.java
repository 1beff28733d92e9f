package dev.engagement.audit;

import dev.engagement.event.RollupRow;
import dev.engagement.rollup.RollupWindows;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/** The cells of rollups: what SQL over the source says of them, and what their tables hold. */
interface Cells {

    /** Takes cells. */
    @FunctionalInterface
    interface Each {

        /**
         * The next cell, in the order of windows; at least one side has it.
         *
         * @param expected by SQL; null if no event is in it
         * @param found in the table; null if there is no row
         */
        void take(@Nullable RollupRow expected, @Nullable RollupRow found);
    }

    /**
     * Every cell of some windows.
     *
     * @param without events that SQL leaves out
     * @throws IOException if a store does not answer
     */
    void compare(RollupWindows windows, IdSet without, Each each) throws IOException;

    /**
     * When the first event of the source happened, microseconds since the epoch: of what was before some may have been
     * purged.
     *
     * @throws IOException if the source does not answer
     */
    long oldestEventMicros() throws IOException;

    /** Whether the source says when a row was committed, by which events that are stamped ahead of it are left out. */
    boolean knowsCommits();
}
