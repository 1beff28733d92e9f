package dev.engagement.dedupe;

import java.nio.ByteBuffer;
import java.util.Arrays;

/**
 * Which of {@link #IDS} consecutive positions of a shard have been seen. Mutable while a subtask works on it; what goes
 * into state is {@link Frozen}.
 */
final class IdChunk {

    /** Positions in a chunk. */
    static final int IDS = 4_096;

    private final long[] bits;
    private int count;
    private long newestArrivalMillis;

    /** Whether it differs from what state holds. */
    private boolean changed;

    IdChunk() {
        this(new long[IDS / 64], 0, Long.MIN_VALUE);
    }

    private IdChunk(long[] bits, int count, long newestArrivalMillis) {
        this.bits = bits;
        this.count = count;
        this.newestArrivalMillis = newestArrivalMillis;
    }

    /**
     * Marks a position as seen.
     *
     * @param arrivalMillis Kafka time of the arrival
     * @return whether this is the first time
     */
    boolean add(int position, long arrivalMillis) {
        long bit = 1L << (position & 63);
        int word = position >> 6;
        if ((bits[word] & bit) != 0) {
            return false;
        }
        bits[word] |= bit;
        count++;
        newestArrivalMillis = Math.max(newestArrivalMillis, arrivalMillis);
        changed = true;
        return true;
    }

    /**
     * Marks a position as not seen.
     *
     * @return whether it was seen
     */
    boolean remove(int position) {
        long bit = 1L << (position & 63);
        int word = position >> 6;
        if ((bits[word] & bit) == 0) {
            return false;
        }
        bits[word] &= ~bit;
        count--;
        changed = true;
        return true;
    }

    boolean isEmpty() {
        return count == 0;
    }

    boolean changed() {
        return changed;
    }

    /** The chunk as it goes into state, which then knows all of it. */
    Frozen freeze() {
        changed = false;
        return new Frozen(encode(), newestArrivalMillis);
    }

    static IdChunk thaw(Frozen frozen) {
        return decode(frozen.encoded(), frozen.newestArrivalMillis());
    }

    /**
     * A chunk in state. Immutable: its bytes are not to be written to.
     *
     * @param encoded one byte if all positions were seen; two bytes a position if few were; else one bit a position. The
     *     three differ by their length
     * @param newestArrivalMillis the latest Kafka time of a first arrival in it
     */
    record Frozen(byte[] encoded, long newestArrivalMillis) {}

    private static final int BITMAP_BYTES = IDS / 8;

    private static final int FULL_BYTES = 1;

    private byte[] encode() {
        if (count == IDS) {
            return new byte[FULL_BYTES];
        }
        if (count * 2 < BITMAP_BYTES) {
            byte[] list = new byte[count * 2];
            int at = 0;
            for (int word = 0; word < bits.length; word++) {
                for (long rest = bits[word]; rest != 0; rest &= rest - 1) {
                    int position = word * 64 + Long.numberOfTrailingZeros(rest);
                    list[at++] = (byte) (position >> 8);
                    list[at++] = (byte) position;
                }
            }
            return list;
        }
        byte[] bitmap = new byte[BITMAP_BYTES];
        ByteBuffer.wrap(bitmap).asLongBuffer().put(bits);
        return bitmap;
    }

    private static IdChunk decode(byte[] encoded, long newestArrivalMillis) {
        long[] bits = new long[IDS / 64];
        if (encoded.length == FULL_BYTES) {
            Arrays.fill(bits, -1L);
            return new IdChunk(bits, IDS, newestArrivalMillis);
        }
        if (encoded.length == BITMAP_BYTES) {
            ByteBuffer.wrap(encoded).asLongBuffer().get(bits);
            int count = 0;
            for (long word : bits) {
                count += Long.bitCount(word);
            }
            return new IdChunk(bits, count, newestArrivalMillis);
        }
        for (int at = 0; at < encoded.length; at += 2) {
            int position = (encoded[at] & 0xFF) << 8 | encoded[at + 1] & 0xFF;
            bits[position >> 6] |= 1L << (position & 63);
        }
        return new IdChunk(bits, encoded.length / 2, newestArrivalMillis);
    }
}
