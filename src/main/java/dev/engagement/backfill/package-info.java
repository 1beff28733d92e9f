/**
 * History once more, beside a live job: rows of PostgreSQL that the stream never saw are published to it
 * ({@link dev.engagement.backfill.Backfill}), or a range of them runs through the same pipeline into fresh destinations
 * ({@link dev.engagement.backfill.RebuildSource}); and the cells of rollups of a range, computed anew where they are kept
 * ({@link dev.engagement.backfill.RollupBackfill}).
 *
 * <p>Enters: rows of the two tables, by JDBC, in ranges of ids within a range of event_ts. Leaves: envelopes as capture
 * writes them, in the events topic; or arrivals, as the topics' sources give them. May import: {@code event},
 * {@code deadletter}, {@code connection}, {@code ingest}, and of the stores' rooms what is asked of them.
 */
@NullMarked
package dev.engagement.backfill;

import org.jspecify.annotations.NullMarked;
