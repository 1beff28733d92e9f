package dev.engagement.liveview;

/**
 * The place in the live view that a value takes: of two values of one slot the newer one replaces the other.
 *
 * @param kind what is shown there
 * @param id of what it is shown
 */
public record Slot(Kind kind, String id) {

    /** What a slot shows. */
    public enum Kind {
        /** {@code content:last}. */
        LAST,
        /** {@code content:count}. */
        COUNT,
        /** {@code content:meta}. */
        META
    }
}
