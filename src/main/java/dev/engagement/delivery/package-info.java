/**
 * Delivery: each enriched event posted to an HTTP receiver that we do not control, signed, at least once, under one id.
 *
 * <p>Enters: {@code EnrichedEvent}, and what was diverted to the retry topic. Leaves: HTTP requests, diverted deliveries,
 * receipts, dead letters UNDELIVERABLE. May import: {@code event}, {@code deadletter}, {@code connection}.
 */
@NullMarked
package dev.engagement.delivery;

import org.jspecify.annotations.NullMarked;
