/**
 * The rollups' tables in PostgreSQL: rows wait in state until PostgreSQL has them, and a thread of its own brings them there
 * by upserts that only ever move forward. Nothing waits for PostgreSQL.
 *
 * <p>Enters: {@link dev.engagement.event.RollupRow}s. Leaves: rows of the tables that
 * {@link dev.engagement.rollup.RollupTable} describes; rows older than their retention go. May import: {@code rollup},
 * {@code rollup.definition}, {@code writeback}, {@code event}, {@code connection}, Flink.
 */
@NullMarked
package dev.engagement.rollup.sink;

import org.jspecify.annotations.NullMarked;
