package dev.engagement.ranking;

/** A content with events in the window or about to enter it, and its running sums over the window. Mutable. */
final class ContentScore {

    /** No place on a board's list. */
    static final int NOWHERE = -1;

    final String contentId;

    /** As {@link ContentIds#write} writes it: a second's contents go into state at most checkpoints. */
    final byte[] encodedId;

    final int shard;

    /** By which the panes' logs refer to it. */
    final int index;

    /** Events in the window. */
    long events;

    /** Events in the window that have a duration. */
    long measured;

    /** Milliseconds of engagement in the window. */
    long millis;

    /** Entries of logs that refer to it, in the window or ahead of it. */
    int entries;

    int placeByEvents = NOWHERE;
    int placeByEngagement = NOWHERE;

    /** Where its sums stand while a pane is consolidated. */
    int scratch = NOWHERE;

    ContentScore(String contentId, int shard, int index) {
        this.contentId = contentId;
        this.encodedId = ContentIds.encoded(contentId);
        this.shard = shard;
        this.index = index;
    }
}
