package dev.engagement.liveview.sink;

import dev.engagement.event.types.Wire;
import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;

/** The bytes of events by minute. */
final class Tallies {

    private static final int MAX_MINUTES = 1 << 24;

    private Tallies() {}

    /** Minutes, as the distance from the one before, then the events of each. */
    static void writeMinutes(long[] minutes, long[] events, DataOutput out) throws IOException {
        Wire.writeUnsigned(minutes.length, out);
        long before = 0;
        for (long minute : minutes) {
            // Minutes before the epoch exist, and a partial's come in the order of its events.
            long distance = minute - before;
            Wire.writeUnsigned(distance << 1 ^ distance >> 63, out);
            before = minute;
        }
        for (long count : events) {
            Wire.writeUnsigned(count, out);
        }
    }

    /** The minutes that {@link #writeMinutes} wrote; {@link #readEvents} follows. */
    static long[] readMinutes(DataInput in) throws IOException {
        long size = Wire.readUnsigned(in);
        if (size < 0 || size > MAX_MINUTES) {
            throw new IOException(size + " minutes of one content: the data is damaged");
        }
        long[] minutes = new long[(int) size];
        long before = 0;
        for (int i = 0; i < minutes.length; i++) {
            long coded = Wire.readUnsigned(in);
            before += coded >>> 1 ^ -(coded & 1);
            minutes[i] = before;
        }
        return minutes;
    }

    /** The events of each of the minutes just read. */
    static long[] readEvents(int minutes, DataInput in) throws IOException {
        long[] events = new long[minutes];
        for (int i = 0; i < minutes; i++) {
            events[i] = Wire.readUnsigned(in);
        }
        return events;
    }
}
