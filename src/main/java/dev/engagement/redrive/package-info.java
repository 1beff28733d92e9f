/**
 * Putting dead letters back where they belong, each once.
 *
 * <p>Enters: the dead-letter topic, the topic of those that were put back, the topics' own records and PostgreSQL's rows
 * where a letter only refers to them. Leaves: records in the topics that the letters came from or belong to, rows in the
 * warehouse, and a mark for each letter. May import: {@code event}, {@code deadletter}, {@code connection}, {@code ingest},
 * and of the destinations {@code delivery} for its retry record and {@code warehouse} for its rows.
 */
@NullMarked
package dev.engagement.redrive;

import org.jspecify.annotations.NullMarked;
