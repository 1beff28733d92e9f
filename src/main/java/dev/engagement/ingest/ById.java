package dev.engagement.ingest;

import java.util.Arrays;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A few values by the ids of their schemas. A topic has few schemas and mostly the same one again, so that looking at the
 * last one first beats a map, and boxes nothing. For one thread.
 */
final class ById<V> {

    private long[] ids = new long[8];
    private @Nullable Object[] values = new @Nullable Object[8];
    private int size;
    private int last;

    /** The value of an id, or null. */
    @SuppressWarnings("unchecked") // only what put() took
    @Nullable
    V get(long id) {
        if (last < size && ids[last] == id) {
            return (V) values[last];
        }
        for (int i = 0; i < size; i++) {
            if (ids[i] == id) {
                last = i;
                return (V) values[i];
            }
        }
        return null;
    }

    /** Adds a value for an id that has none. */
    void put(long id, V value) {
        Objects.requireNonNull(value);
        if (size == ids.length) {
            ids = Arrays.copyOf(ids, 2 * size);
            values = Arrays.copyOf(values, 2 * size);
        }
        ids[size] = id;
        values[size] = value;
        last = size++;
    }
}
