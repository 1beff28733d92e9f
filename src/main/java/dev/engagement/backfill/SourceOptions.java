package dev.engagement.backfill;

import dev.engagement.connection.SecretRef;
import java.io.Serializable;
import org.jspecify.annotations.Nullable;

/**
 * Where the rows are read.
 *
 * @param jdbcUrl {@code jdbc:postgresql://host:port/database}; a standby will do for events
 * @param username a role with SELECT on both tables
 * @param password read where the connection is made
 * @param schema schema of both tables
 * @param eventsTable table of events, without the schema
 * @param contentTable table of contents, without the schema
 * @param publication of which no more is read than it lets through, rows and columns; null for the whole tables
 */
public record SourceOptions(
        String jdbcUrl,
        String username,
        SecretRef password,
        String schema,
        String eventsTable,
        String contentTable,
        @Nullable String publication)
        implements Serializable {

    private static final long serialVersionUID = 1L;

    public SourceOptions {
        if (!jdbcUrl.startsWith("jdbc:postgresql://")) {
            throw new IllegalArgumentException("postgres.url is not of the form jdbc:postgresql://host:port/database");
        }
        if (eventsTable.equals(contentTable)) {
            throw new IllegalArgumentException("postgres.events-table and postgres.content-table are both '"
                    + eventsTable + "'; each must be a table of its own");
        }
    }

    String quotedEvents() {
        return quote(schema) + '.' + quote(eventsTable);
    }

    String quotedContents() {
        return quote(schema) + '.' + quote(contentTable);
    }

    private static String quote(String name) {
        return '"' + name.replace("\"", "\"\"") + '"';
    }
}
