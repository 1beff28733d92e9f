package dev.engagement.capture;

/**
 * Which tables are captured, whatever they are called.
 *
 * @param events oid of the table of events, 0 if it is not known
 * @param content oid of the table of contents, 0 if it is not known
 */
record TableIds(long events, long content) {
    static final TableIds UNKNOWN = new TableIds(0, 0);
}
