package dev.engagement.api.definition;

/** What a parameter's text has to be. */
public enum ParameterType {
    /** Any text without control characters, up to a length in bytes of UTF-8. */
    TEXT,
    /** A whole number in decimal digits. */
    INTEGER,
    /** A moment: ISO-8601 with its zone, or milliseconds since the epoch. */
    INSTANT,
    /** One of a few texts. */
    CHOICE
}
