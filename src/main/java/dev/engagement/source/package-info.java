/**
 * Rows of the two captured tables, read by JDBC, and what decoding their envelopes would give: for backfill, rebuild and
 * redrive.
 *
 * <p>Enters: the tables, as far as a publication lets them through. Leaves: rows ({@code EventRow}, {@code ContentRow}),
 * {@code EngagementEvent}, {@code ContentChange}, and the dead letters that the topics' decoders make. May import:
 * {@code event}, {@code deadletter}, {@code connection}, {@code ingest}.
 */
@NullMarked
package dev.engagement.source;

import org.jspecify.annotations.NullMarked;
