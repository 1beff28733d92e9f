package dev.engagement.writeback;

/**
 * Something to be written.
 *
 * @param value as it is now
 * @param parts which of its parts
 * @param <V> kind of value
 */
public record Item<V extends WriteBackValue<V>>(V value, long parts) {}
