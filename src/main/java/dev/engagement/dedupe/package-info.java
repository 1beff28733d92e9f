/**
 * Dropping every arrival of an event but the first, however late, at about a bit per dense id.
 *
 * <p>Enters: {@code EnrichedEvent} keyed by a shard of its id. Leaves: the first arrivals. May import: {@code event},
 * {@code deadletter}, {@code connection}.
 */
@NullMarked
package dev.engagement.dedupe;

import org.jspecify.annotations.NullMarked;
