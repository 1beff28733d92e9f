package dev.engagement.local.receiver;

import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * A set of longs as bits, in chunks made where one is: dense ids cost a bit each, an id far from all others some 200
 * bytes. Only grows. Not thread safe.
 */
final class LongBits {

    private static final int CHUNK_SHIFT = 10;
    private static final int WORDS = 1 << (CHUNK_SHIFT - 6);

    /** A run of ids without a gap; both ends are in it. */
    record Run(long first, long last) {}

    /** Takes runs in order. */
    @FunctionalInterface
    interface Runs {
        /** @return whether it wants more */
        boolean take(Run run);
    }

    private final TreeMap<Long, long[]> chunks = new TreeMap<>();
    /** The chunk used last: ids come mostly in order. */
    private long lastKey;

    private long @Nullable [] last;
    private long size;

    /** @return whether it was not there */
    boolean add(long value) {
        long[] words = chunk(value >> CHUNK_SHIFT);
        int word = (int) (value >> 6) & (WORDS - 1);
        long bit = 1L << value;
        if ((words[word] & bit) != 0) {
            return false;
        }
        words[word] |= bit;
        size++;
        return true;
    }

    boolean contains(long value) {
        long @Nullable [] words = chunks.get(value >> CHUNK_SHIFT);
        return words != null && (words[(int) (value >> 6) & (WORDS - 1)] & (1L << value)) != 0;
    }

    long size() {
        return size;
    }

    /** The runs of what is between two values, both included, cut at these. */
    void runs(long from, long to, Runs runs) {
        if (from > to) {
            return;
        }
        boolean open = false;
        long first = 0;
        long previous = 0;
        for (Map.Entry<Long, long[]> chunk : chunks.subMap(from >> CHUNK_SHIFT, true, to >> CHUNK_SHIFT, true)
                .entrySet()) {
            long base = chunk.getKey() << CHUNK_SHIFT;
            long[] words = chunk.getValue();
            for (int word = 0; word < WORDS; word++) {
                for (long bits = words[word]; bits != 0; bits &= bits - 1) {
                    long value = base + word * 64L + Long.numberOfTrailingZeros(bits);
                    if (value < from || value > to) {
                        continue;
                    }
                    if (open && value == previous + 1) {
                        previous = value;
                        continue;
                    }
                    if (open && !runs.take(new Run(first, previous))) {
                        return;
                    }
                    open = true;
                    first = value;
                    previous = value;
                }
            }
        }
        if (open) {
            // Nothing comes after it, whatever the answer is.
            boolean unused = runs.take(new Run(first, previous));
        }
    }

    private long[] chunk(long key) {
        long[] known = last;
        if (known != null && key == lastKey) {
            return known;
        }
        long[] words = chunks.computeIfAbsent(key, none -> new long[WORDS]);
        last = words;
        lastKey = key;
        return words;
    }
}
