/**
 * What stores that keep a row for each event have in common: how events become rows of a checkpoint, within bounded
 * memory and again after any failure, how a store's refusal of a row becomes a REJECTED dead letter, how rows of a
 * completed checkpoint are shown, and how a start from an older checkpoint is refused.
 *
 * <p>Enters: unique enriched events, and a {@link dev.engagement.rowstore.RowStore}, which knows one store. Leaves: rows in
 * that store; REJECTED dead letters. May import: {@code event}, {@code deadletter}, {@code connection}, Flink.
 */
@NullMarked
package dev.engagement.rowstore;

import org.jspecify.annotations.NullMarked;
