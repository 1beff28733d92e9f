package dev.engagement.writeback;

import org.jspecify.annotations.Nullable;

/**
 * Where the value of an id is held.
 *
 * @param <V> kind of value
 */
public interface Place<V> {

    /** What is held of it, whether the store has it yet or not; null if nothing is known of it. */
    @Nullable
    V value();
}
