package dev.engagement.ranking;

import java.util.Arrays;
import java.util.BitSet;

/**
 * One second of event time: an append-only log of what was added to which content, a few bytes an entry, read once when
 * the pane enters the window and once when it leaves. Mutable.
 */
final class Pane {

    /** Four numbers of at most ten bytes. */
    private static final int LONGEST_ENTRY = 40;

    private static final int FIRST_CAPACITY = 64;

    /** Seconds since the epoch at which it begins. */
    final long second;

    /** Shards of which it holds more than state does. */
    final BitSet changed = new BitSet();

    /** Shards of which state has this pane. */
    final BitSet stored = new BitSet();

    private byte[] log = new byte[FIRST_CAPACITY];
    private int length;
    private int entries;

    Pane(long second) {
        this.second = second;
    }

    /**
     * Adds an entry.
     *
     * @param index of the content
     * @param events at least 1
     */
    void append(int index, long events, long measured, long millis) {
        if (log.length - length < LONGEST_ENTRY) {
            log = Arrays.copyOf(log, Math.addExact(log.length, (log.length >> 1) + LONGEST_ENTRY));
        }
        put(index);
        // Of most contents all events have a duration, or none.
        if (measured == events) {
            put(events << 1 | 1);
            put(millis);
        } else {
            put(events << 1);
            put(measured);
            if (measured != 0) {
                put(millis);
            }
        }
        entries++;
    }

    void clear() {
        length = 0;
        entries = 0;
    }

    int bytes() {
        return length;
    }

    int entries() {
        return entries;
    }

    /** Before the first entry. Valid until the pane is written to. */
    Cursor read() {
        return new Cursor(log, length);
    }

    private void put(long value) {
        long rest = value;
        while ((rest & ~0x7FL) != 0) {
            log[length++] = (byte) (rest & 0x7F | 0x80);
            rest >>>= 7;
        }
        log[length++] = (byte) rest;
    }

    /** Stands on one entry after another. */
    static final class Cursor {
        int index;
        long events;
        long measured;
        long millis;

        private final byte[] log;
        private final int length;
        private int at;

        private Cursor(byte[] log, int length) {
            this.log = log;
            this.length = length;
        }

        /** Whether there was another entry to step to. */
        boolean next() {
            if (at == length) {
                return false;
            }
            index = (int) take();
            long head = take();
            events = head >>> 1;
            measured = (head & 1) == 1 ? events : take();
            millis = measured == 0 ? 0 : take();
            return true;
        }

        private long take() {
            long value = 0;
            int shift = 0;
            byte next = log[at++];
            while (next < 0) {
                value |= (long) (next & 0x7F) << shift;
                shift += 7;
                next = log[at++];
            }
            return value | (long) next << shift;
        }
    }
}
