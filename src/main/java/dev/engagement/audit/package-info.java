/**
 * The stores compared: what PostgreSQL holds of a range of event time, against the warehouse, the receipts of delivery and
 * the counts of the live view.
 *
 * <p>Enters: options. Leaves: a report, as a table or as JSON, and the commands that mend what differs; nothing is changed
 * anywhere. A plain client: no Flink job. May import: {@code event}, {@code deadletter}, {@code connection}, {@code
 * ingest}, {@code liveview} and {@code warehouse}, of the last two keys, names and the way to ask.
 */
@NullMarked
package dev.engagement.audit;

import org.jspecify.annotations.NullMarked;
