package dev.engagement.redrive;

/** What has just been done: between any two a redrive may die, and tests make it. */
enum Step {
    /** A row stands in the warehouse, and its letter has no mark. */
    ROW_WRITTEN,
    /** Records are sent, in a transaction that has no marks yet. */
    SENT,
    /** So are their marks. */
    MARKED,
    /** The transaction is committed. */
    COMMITTED;

    /** Told of each. */
    @FunctionalInterface
    interface Listener {
        void reached(Step step);
    }
}
