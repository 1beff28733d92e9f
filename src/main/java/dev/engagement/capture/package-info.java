/**
 * From PostgreSQL into the two topics: a job of its own, so that the stream does not depend on PostgreSQL.
 *
 * <p>Enters: rows of the two tables, or of an outbox whose payloads are their rows, by logical replication. Leaves:
 * Debezium envelopes in Kafka, at least once, and dead letters of rows that are too large or cannot be read. May import:
 * {@code event}, {@code deadletter}, {@code connection}.
 */
@NullMarked
package dev.engagement.capture;

import org.jspecify.annotations.NullMarked;
