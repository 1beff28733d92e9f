package dev.engagement.capture;

import java.io.Serializable;
import java.util.HashSet;
import java.util.List;

/**
 * The outbox that is captured instead of the two tables: a table in the columns of Debezium's Event Router, whose payloads
 * are the rows of both.
 *
 * @param table its name, in the schema of the tables
 * @param idColumn the row's own id
 * @param aggregateTypeColumn says which of the two tables the payload is a row of
 * @param aggregateIdColumn id of that row, as text; read only where the payload has none
 * @param typeColumn what happened to that row
 * @param payloadColumn that row as JSON
 * @param createdAtColumn when the row was written; of a table without it no existing rows are read, and none are removed
 * @param eventAggregate the aggregate type of events
 * @param contentAggregate the aggregate type of contents
 * @param ignoredAggregates aggregate types of others who use the same outbox
 * @param deleteTypes the last words of types that say that a row was deleted, in lower case
 * @param messagePrefix of messages that stand for rows of the outbox
 * @param purge whether rows are removed once a completed checkpoint covers them
 */
public record OutboxOptions(
        String table,
        String idColumn,
        String aggregateTypeColumn,
        String aggregateIdColumn,
        String typeColumn,
        String payloadColumn,
        String createdAtColumn,
        String eventAggregate,
        String contentAggregate,
        List<String> ignoredAggregates,
        List<String> deleteTypes,
        String messagePrefix,
        boolean purge)
        implements Serializable, ReadColumns {

    private static final long serialVersionUID = 1L;

    public OutboxOptions {
        ignoredAggregates = List.copyOf(ignoredAggregates);
        deleteTypes = List.copyOf(deleteTypes);
        List<String> columns =
                List.of(idColumn, aggregateTypeColumn, aggregateIdColumn, typeColumn, payloadColumn, createdAtColumn);
        if (new HashSet<>(columns).size() < columns.size()) {
            throw new IllegalArgumentException("capture.outbox names a column twice: " + String.join(", ", columns)
                    + "; each must be a column of its own");
        }
        if (eventAggregate.equals(contentAggregate)) {
            throw new IllegalArgumentException("capture.outbox.event-aggregate and capture.outbox.content-aggregate are"
                    + " both '" + eventAggregate + "', so nobody could tell events from contents");
        }
        for (String ignored : ignoredAggregates) {
            if (ignored.equals(eventAggregate) || ignored.equals(contentAggregate)) {
                throw new IllegalArgumentException("capture.outbox.ignored-aggregates names '" + ignored
                        + "', which is the aggregate type of events or of contents");
            }
        }
        for (String type : deleteTypes) {
            if (!type.matches("[a-z]+")) {
                throw new IllegalArgumentException("capture.outbox.delete-types names '" + type
                        + "'; each must be one word in lower case, such as deleted");
            }
        }
    }

    /** What is read of each row. */
    @Override
    public List<String> columns() {
        return List.of(idColumn, aggregateTypeColumn, aggregateIdColumn, typeColumn, payloadColumn);
    }

    @Override
    public boolean isText(String column) {
        return true;
    }
}
