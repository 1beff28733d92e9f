package dev.engagement.audit;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.LongConsumer;
import java.util.function.LongPredicate;

/** A set of ids, in order: some two bits for each of dense ones, some 250 bytes for one that is alone. Not thread safe. */
final class IdSet {

    private static final int CHUNK_BITS = 10;
    private static final int WORDS = (1 << CHUNK_BITS) / Long.SIZE;

    private final TreeMap<Long, long[]> chunks = new TreeMap<>();
    private long size;

    static IdSet of(long... ids) {
        IdSet set = new IdSet();
        for (long id : ids) {
            set.add(id);
        }
        return set;
    }

    /** Whether it was not in it before. */
    boolean add(long id) {
        long[] words = chunks.computeIfAbsent(id >> CHUNK_BITS, chunk -> new long[WORDS]);
        int word = wordOf(id);
        long before = words[word];
        words[word] |= 1L << id;
        if (words[word] == before) {
            return false;
        }
        size++;
        return true;
    }

    /** Whether it was in it before. */
    boolean remove(long id) {
        long[] words = chunks.get(id >> CHUNK_BITS);
        if (words == null || (words[wordOf(id)] & 1L << id) == 0) {
            return false;
        }
        words[wordOf(id)] &= ~(1L << id);
        size--;
        return true;
    }

    boolean contains(long id) {
        long[] words = chunks.get(id >> CHUNK_BITS);
        return words != null && (words[wordOf(id)] & 1L << id) != 0;
    }

    long size() {
        return size;
    }

    boolean isEmpty() {
        return size == 0;
    }

    /** In ascending order. The set must not change meanwhile. */
    void forEach(LongConsumer each) {
        for (Map.Entry<Long, long[]> chunk : chunks.entrySet()) {
            long first = chunk.getKey() << CHUNK_BITS;
            long[] words = chunk.getValue();
            for (int i = 0; i < WORDS; i++) {
                for (long left = words[i]; left != 0; left &= left - 1) {
                    each.accept(first + (long) i * Long.SIZE + Long.numberOfTrailingZeros(left));
                }
            }
        }
    }

    /** The ids of which that is true. */
    IdSet where(LongPredicate predicate) {
        IdSet chosen = new IdSet();
        forEach(id -> {
            if (predicate.test(id)) {
                chosen.add(id);
            }
        });
        return chosen;
    }

    void removeAll(IdSet other) {
        other.forEach(this::remove);
    }

    void addAll(IdSet other) {
        other.forEach(this::add);
    }

    /** The lowest ids. */
    List<Long> first(int limit) {
        List<Long> ids = new ArrayList<>();
        for (Map.Entry<Long, long[]> chunk : chunks.entrySet()) {
            long first = chunk.getKey() << CHUNK_BITS;
            for (int i = 0; i < WORDS * Long.SIZE; i++) {
                if (ids.size() == limit) {
                    return ids;
                }
                if ((chunk.getValue()[i >> 6] & 1L << i) != 0) {
                    ids.add(first + i);
                }
            }
        }
        return ids;
    }

    /** The highest id. The set is not empty. */
    long last() {
        long[] last = {0};
        forEach(id -> last[0] = id);
        return last[0];
    }

    /** In ascending order, {@code size} at a time. */
    List<List<Long>> batches(int size) {
        List<List<Long>> batches = new ArrayList<>();
        forEach(id -> {
            if (batches.isEmpty() || batches.get(batches.size() - 1).size() == size) {
                batches.add(new ArrayList<>());
            }
            batches.get(batches.size() - 1).add(id);
        });
        return batches;
    }

    private static int wordOf(long id) {
        return (int) (id & (1 << CHUNK_BITS) - 1) / Long.SIZE;
    }

    @Override
    public String toString() {
        return first(100) + (size > 100 ? " and " + (size - 100) + " more" : "");
    }
}
