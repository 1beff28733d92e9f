/**
 * Reading the events topic and the content topic: the Kafka source, Debezium decoding, event time.
 *
 * <p>Enters: Kafka records in the shapes of Flink CDC and of Kafka Connect, or plain events. Leaves: {@code EngagementEvent},
 * {@code ContentChange}, and the dead letters UNDECODABLE, INVALID and OVERSIZE. May import: {@code event},
 * {@code deadletter}, {@code connection}.
 */
@NullMarked
package dev.engagement.ingest;

import org.jspecify.annotations.NullMarked;
