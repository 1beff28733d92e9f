package dev.engagement.capture;

/** The two tables that are captured. The order is part of the serialized form of {@link Captured}. */
enum CapturedTable {
    EVENTS,
    CONTENT
}
