package dev.engagement.source;

import dev.engagement.connection.PostgresConnection;
import dev.engagement.ingest.EventRules;
import java.io.Serializable;
import org.jspecify.annotations.Nullable;

/**
 * Where the rows are read.
 *
 * @param postgres the database, or for events a standby of it, by a role with SELECT on both tables
 * @param schema schema of both tables
 * @param eventsTable table of events, without the schema
 * @param contentTable table of contents, without the schema
 * @param publication of which no more is read than it lets through, rows and columns; null for the whole tables
 * @param rules what an event must have
 */
public record SourceOptions(
        PostgresConnection postgres,
        String schema,
        String eventsTable,
        String contentTable,
        @Nullable String publication,
        EventRules rules)
        implements Serializable {

    private static final long serialVersionUID = 1L;

    /** Where the primary keys of events are numbers. */
    public SourceOptions(
            PostgresConnection postgres,
            String schema,
            String eventsTable,
            String contentTable,
            @Nullable String publication) {
        this(postgres, schema, eventsTable, contentTable, publication, EventRules.DEFAULT);
    }

    public SourceOptions {
        if (eventsTable.equals(contentTable)) {
            throw new IllegalArgumentException("postgres.events-table and postgres.content-table are both '"
                    + eventsTable + "'; each must be a table of its own");
        }
    }

    /** The table of events, as SQL names it. */
    public String quotedEvents() {
        return quote(schema) + '.' + quote(eventsTable);
    }

    /** The table of contents, as SQL names it. */
    public String quotedContents() {
        return quote(schema) + '.' + quote(contentTable);
    }

    private static String quote(String name) {
        return '"' + name.replace("\"", "\"\"") + '"';
    }
}
