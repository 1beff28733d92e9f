/**
 * The stores compared: what PostgreSQL holds of a range of event time, against the warehouse, the receipts of delivery, the
 * counts of the live view and the rows of rollups.
 *
 * <p>Enters: options. Leaves: a report, as a table or as JSON, and the commands that mend what differs; nothing is changed
 * anywhere. A plain client: no Flink job. May import: {@code event}, {@code deadletter}, {@code connection}, {@code
 * ingest}, {@code source}, {@code liveview}, {@code warehouse} and {@code rollup}, of the last three keys, names and the way to
 * ask.
 */
@NullMarked
package dev.engagement.audit;

import org.jspecify.annotations.NullMarked;
