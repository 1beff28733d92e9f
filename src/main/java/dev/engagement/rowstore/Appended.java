package dev.engagement.rowstore;

import java.util.Arrays;
import java.util.Objects;

/**
 * Rows that a store has and does not show yet: what a checkpoint keeps of them, and the committer shows. Immutable.
 *
 * @param stream the stream's name
 * @param lastOffset of the last row to be shown; those before it are shown with it
 * @param detail what the store needs to know beside, in a form of its own; empty for nothing
 * @param checkpoint the checkpoint they belong to
 * @param line of the run that appended them
 */
public record Appended(String stream, long lastOffset, byte[] detail, long checkpoint, CheckpointLineage line) {

    /** Nothing beside. */
    public static final byte[] NO_DETAIL = {};

    @Override
    public boolean equals(Object other) {
        return other instanceof Appended that
                && stream.equals(that.stream)
                && lastOffset == that.lastOffset
                && Arrays.equals(detail, that.detail)
                && checkpoint == that.checkpoint
                && line.equals(that.line);
    }

    @Override
    public int hashCode() {
        return Objects.hash(stream, lastOffset, checkpoint);
    }
}
