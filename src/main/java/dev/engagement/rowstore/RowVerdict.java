package dev.engagement.rowstore;

/** What an answer of a store means for what was asked of it. */
public enum RowVerdict {
    /** It was done before. */
    DONE,
    /** Repeat it, until the timeout has passed. */
    TRANSIENT,
    /** Rows of the append are wrong: put them aside, append the others. */
    RECORD,
    /** What comes before it has to be repeated. */
    GAP,
    /** The stream takes nothing any more. */
    STREAM_LOST,
    /** Fail the job. */
    TERMINAL;

    /** What was asked of the store. */
    public enum Operation {
        /** A stream for rows that are not shown yet. */
        OPEN,
        /** To take rows. */
        APPEND,
        /** To say what is to be known of a stream's rows to show them. */
        COMPLETE,
        /** To show rows. */
        SHOW
    }
}
