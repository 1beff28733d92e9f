package dev.engagement.capture;

/**
 * Which tables are captured, whatever they are called.
 *
 * @param events oid of the table of events, or of the outbox; 0 if it is not known
 * @param content oid of the table of contents, 0 if it is not known; -1 if an outbox is captured
 */
record TableIds(long events, long content) {

    static final TableIds UNKNOWN = new TableIds(0, 0);

    private static final long OUTBOX = -1;

    static TableIds ofOutbox(long oid) {
        return new TableIds(oid, OUTBOX);
    }

    /** What was captured. */
    CaptureOptions.Source source() {
        return content == OUTBOX ? CaptureOptions.Source.OUTBOX : CaptureOptions.Source.TABLES;
    }
}
