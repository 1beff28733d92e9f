/**
 * Joining events with their content.
 *
 * <p>Enters: {@code EngagementEvent} keyed by a shard of its id, {@code ContentChange} broadcast. Leaves:
 * {@code EnrichedEvent}, and the dead letter UNRESOLVED. May import: {@code event}, {@code deadletter}, {@code connection}.
 */
@NullMarked
package dev.engagement.enrichment;

import org.jspecify.annotations.NullMarked;
