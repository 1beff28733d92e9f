package dev.engagement.warehouse;

/**
 * Rows that BigQuery has and does not show yet: what a checkpoint keeps of them, and the committer shows. Immutable.
 *
 * @param stream the stream's resource name
 * @param lastOffset of the last row to be shown; those before it are shown with it
 * @param checkpoint the checkpoint they belong to
 * @param line of the run that appended them
 */
record Appended(String stream, long lastOffset, long checkpoint, CheckpointLineage line) {

    /** The resource name of the table that the stream belongs to. */
    String tablePath() {
        int end = stream.indexOf("/streams/");
        if (end < 0 || stream.split("/").length != TABLE_PARTS + 2) {
            throw new IllegalStateException("'" + stream + "' is not the name of a stream");
        }
        return stream.substring(0, end);
    }

    /** projects/p/datasets/d/tables/t. */
    private static final int TABLE_PARTS = 6;
}
