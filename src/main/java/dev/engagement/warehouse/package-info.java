/**
 * The warehouse: every enriched event once in a BigQuery table.
 *
 * <p>Enters: unique enriched events. Leaves: rows, visible when the checkpoint they belong to completes; REJECTED dead
 * letters. May import: {@code event}, {@code deadletter}, {@code connection}, Flink, BigQuery's client.
 */
@NullMarked
package dev.engagement.warehouse;

import org.jspecify.annotations.NullMarked;
