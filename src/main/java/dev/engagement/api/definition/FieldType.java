package dev.engagement.api.definition;

/** What a field of JSON holds. */
public enum FieldType {
    /** A string. */
    TEXT,
    /** A whole number of up to 64 bits. */
    INTEGER,
    /** A number, as exact as its digits. */
    DECIMAL,
    /** True or false. */
    BOOLEAN,
    /** A moment as a number: milliseconds since the epoch. */
    MILLIS,
    /** A moment as a string: ISO-8601 in UTC. */
    INSTANT,
    /** An object of known fields; without fields, any JSON value. */
    OBJECT,
    /** An array: of objects of the fields; or, with a single field that has no name, of such values. */
    LIST
}
