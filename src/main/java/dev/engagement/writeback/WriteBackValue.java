package dev.engagement.writeback;

import org.jspecify.annotations.Nullable;

/**
 * What a store outside is to hold under one id, absolute and versioned. Immutable; two are equal if they say the same.
 *
 * <p>Some values have parts that are written apart from each other, each a bit of a mask.
 *
 * @param <V> the kind of value itself
 */
public interface WriteBackValue<V extends WriteBackValue<V>> {

    /** Every part. */
    long ALL_PARTS = -1L;

    /** Of what it is the value. */
    String id();

    /** Whether it has any of these parts. */
    default boolean has(long parts) {
        return true;
    }

    /** What is still of use of it at that time, milliseconds since the epoch: itself, less of it, or null. */
    @Nullable
    V aliveAt(long nowMillis);

    /** About how much memory the value holds, in bytes. */
    int estimatedBytes();
}
