package dev.engagement.audit;

/** What can be said of an event, of a count or of a rollup's cell, that is not simply there. */
public enum Kind {
    /** In the source, not in the destination, and nothing says why. */
    MISSING("missing", true),
    /** In the destination, never in the source. */
    EXTRA("extra", true),
    /** In the destination more than once. */
    DOUBLED("doubled", true),
    /** In both, with another event_ts or duration_ms. */
    CHANGED("changed", true),
    /** In the source under the id of another event, which the destination has at another time. */
    CONFLICT("conflict", true),
    /** A count that is not the number of the content's events; a cell of which a number is not SQL's. */
    MISCOUNTED("miscounted", true),
    /** Without a receipt, and so old that nothing tells whether it was to be delivered. */
    UNPROVEN("unproven", true),
    /** Not in the destination, and a dead letter says why. */
    DEAD_LETTER("dead letter", false),
    /** In the destination, and deleted at the source since. */
    PURGED("purged", false),
    /** A cell whose events are all there, under a content that was another one when they happened. */
    CONTENT_CHANGED("content changed", false),
    /** Diverted by delivery, and not taken up again yet. */
    WAITING("waiting", false),
    /** Taken up again by the drain, which has no answer yet. */
    HELD("held", false),
    /** A row of a snapshot, which is not delivered. */
    LEFT_OUT("left out", false);

    private final String text;
    private final boolean difference;

    Kind(String text, boolean difference) {
        this.text = text;
        this.difference = difference;
    }

    /** The word for it. */
    public String text() {
        return text;
    }

    /** Whether source and destination differ by it; else it is accounted for. */
    public boolean isDifference() {
        return difference;
    }
}
