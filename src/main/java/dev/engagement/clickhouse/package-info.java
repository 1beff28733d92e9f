/**
 * ClickHouse: every enriched event once in a table, visible when its checkpoint completes.
 *
 * <p>Enters: unique enriched events. Leaves: rows; REJECTED dead letters. May import: {@code event}, {@code deadletter},
 * {@code connection}, {@code rowstore}, Flink.
 */
@NullMarked
package dev.engagement.clickhouse;

import org.jspecify.annotations.NullMarked;
