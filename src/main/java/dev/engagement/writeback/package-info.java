/**
 * Write-back: values in state that a store outside is to hold, and how they get there. A stage puts the newest value of an id
 * into its place, a thread of its own writes what waits, in batches, and nothing waits for the store: not a checkpoint, not
 * the stage, not what is upstream of it.
 *
 * <p>Enters: {@link dev.engagement.writeback.WriteBackValue}s, absolute and versioned, so that the order and the number of
 * writes do not matter. Leaves: batches, by a {@link dev.engagement.writeback.Link} to the store. An operator extends
 * {@link dev.engagement.writeback.WriteBackOperator}; what it needs of Flink's tasks is there, all else in
 * {@link dev.engagement.writeback.WriteBack}.
 *
 * <p>May import: {@code event.types}, {@code connection}, Flink. {@link dev.engagement.writeback.WriteBackValue} alone is
 * free of Flink, so that rooms whose readers run without it can have such values.
 */
@NullMarked
package dev.engagement.writeback;

import org.jspecify.annotations.NullMarked;
