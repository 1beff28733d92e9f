package dev.engagement.capture;

import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What capture depends on in its database, as it was at one moment, and the rules it is judged by.
 *
 * @param version major version of the server
 * @param standby whether the server is one
 * @param walLevel setting of that name
 * @param database its name
 * @param mayReplicate whether the role may read a replication slot
 * @param at the database's time
 * @param publication null if there is none of that name
 */
record SourceShape(
        int version,
        boolean standby,
        String walLevel,
        String database,
        boolean mayReplicate,
        Instant at,
        @Nullable Publication publication,
        Table events,
        Table content,
        Table heartbeat) {

    private static final int MIN_VERSION = 13;

    /**
     * A publication.
     *
     * @param allTables whether it is one {@code FOR ALL TABLES}
     * @param viaRoot whether changes of a partition come under the name of its partitioned table
     * @param allChanges whether it publishes inserts, updates and deletes
     */
    record Publication(boolean allTables, boolean viaRoot, boolean allChanges) {}

    /**
     * A table and what the publication has of it.
     *
     * @param name without the schema
     * @param oid identity; another table of the same name has another. 0 if there is no such table
     * @param kind {@code pg_class.relkind}: r is a table, p a partitioned one
     * @param hasChildren whether other tables inherit from it, partitions aside
     * @param permanent whether it is neither temporary nor unlogged
     * @param mayRead whether the role may
     * @param mayWrite whether the role may insert and update
     * @param rowsHidden whether row-level security hides rows from the role
     * @param hasPrimaryKey whether it has one
     * @param published whether changes come under its name
     * @param named whether the publication names it itself
     * @param partsPublished whether changes come under the name of one of its partitions
     */
    record Table(
            String name,
            long oid,
            String kind,
            boolean hasChildren,
            boolean permanent,
            boolean mayRead,
            boolean mayWrite,
            boolean rowsHidden,
            boolean hasPrimaryKey,
            boolean published,
            boolean named,
            boolean partsPublished) {

        boolean exists() {
            return oid != 0;
        }

        boolean isPartitioned() {
            return "p".equals(kind);
        }

        /** An ordinary table or a partitioned one, and no view, sequence or foreign table. */
        boolean isTable() {
            return "r".equals(kind) || isPartitioned();
        }
    }

    /** What keeps capture from working here, each with what to do about it; empty if nothing does. */
    List<String> problems(CaptureOptions options) {
        List<String> problems = new ArrayList<>();
        server(problems);
        if (!mayReplicate) {
            problems.add("The role " + options.username() + " has no REPLICATION: ALTER ROLE "
                    + quote(options.username()) + " REPLICATION");
        }
        captured(options, events, problems);
        captured(options, content, problems);
        heartbeat(options, problems);
        published(options, problems);
        return problems;
    }

    private void server(List<String> problems) {
        if (version < MIN_VERSION) {
            problems.add("The server is PostgreSQL " + version + "; capture needs " + MIN_VERSION + " or later");
        }
        if (standby) {
            problems.add(
                    "The server is a standby, on which no heartbeat can be written; point postgres.url at the primary");
        }
        if (!"logical".equals(walLevel)) {
            problems.add("wal_level is '" + walLevel
                    + "'; capture needs 'logical': ALTER SYSTEM SET wal_level = 'logical', then restart PostgreSQL");
        }
    }

    private void captured(CaptureOptions options, Table table, List<String> problems) {
        String name = quoted(options, table);
        if (!table.exists()) {
            problems.add("The table " + name + " does not exist in database " + database
                    + "; create it, or name the right one in capture's options");
            return;
        }
        if (!table.isTable()) {
            problems.add(name + " is no table, so nothing of it is in the write-ahead log; name the table behind it in"
                    + " capture's options");
            return;
        }
        if (!table.permanent()) {
            problems.add("The table " + name + " is unlogged or temporary, so nothing of it is in the write-ahead log:"
                    + " ALTER TABLE " + name + " SET LOGGED");
        }
        if (table.hasChildren()) {
            problems.add("Other tables inherit from " + name + ", and their rows would come under their own names:"
                    + " make it a partitioned table, or move the rows into it and detach them with"
                    + " ALTER TABLE … NO INHERIT " + name);
        }
        if (!table.mayRead()) {
            problems.add("The role " + options.username() + " may not read " + name + ": GRANT SELECT ON " + name
                    + " TO " + quote(options.username()));
        }
        if (table.rowsHidden()) {
            problems.add("Row-level security hides rows of " + name + " from the role " + options.username()
                    + " while existing rows are read: ALTER ROLE " + quote(options.username()) + " BYPASSRLS");
        }
        if (!table.hasPrimaryKey()) {
            problems.add("The table " + name + " has no primary key, which is the key of its records: ALTER TABLE "
                    + name + " ADD PRIMARY KEY (id)");
        }
    }

    private void heartbeat(CaptureOptions options, List<String> problems) {
        String name = quoted(options, heartbeat);
        String grant = "GRANT SELECT, INSERT, UPDATE ON " + name + " TO " + quote(options.username());
        if (!heartbeat.exists()) {
            problems.add("The heartbeat table " + name + " does not exist: CREATE TABLE " + name
                    + " (id INT PRIMARY KEY, beat_at TIMESTAMPTZ NOT NULL); " + grant);
        } else if (!heartbeat.mayRead() || !heartbeat.mayWrite()) {
            problems.add("The role " + options.username() + " may not write " + name + ": " + grant);
        }
    }

    private void published(CaptureOptions options, List<String> problems) {
        Publication found = publication;
        String publicationName = options.publication();
        if (found == null) {
            boolean partitioned = events.isPartitioned() || content.isPartitioned();
            problems.add("The publication " + publicationName + " does not exist: CREATE PUBLICATION "
                    + quote(publicationName) + " FOR TABLE " + quoted(options, events) + ", "
                    + quoted(options, content) + ", " + quoted(options, heartbeat)
                    + (partitioned ? " WITH (publish_via_partition_root = true)" : ""));
            return;
        }
        for (Table table : List.of(events, content, heartbeat)) {
            if (!table.published()) {
                problems.add(unpublished(options, found, table));
            }
        }
        if (!found.allChanges()) {
            problems.add("The publication " + publicationName + " leaves out some changes: ALTER PUBLICATION "
                    + quote(publicationName) + " SET (publish = 'insert, update, delete, truncate')");
        }
    }

    private static String unpublished(CaptureOptions options, Publication publication, Table table) {
        String alter = "ALTER PUBLICATION " + quote(options.publication());
        String viaRoot = alter + " SET (publish_via_partition_root = true)";
        String name = quoted(options, table);
        boolean named = table.named() || table.partsPublished() || publication.allTables();
        if (table.isPartitioned() && !publication.viaRoot() && named) {
            // It is in the publication already, so PostgreSQL would refuse to add it.
            return "The publication " + options.publication() + " publishes the partitions of " + name
                    + " under their own names: " + viaRoot;
        }
        return "The publication " + options.publication() + " does not contain " + name + ": "
                + (table.isPartitioned() && !publication.viaRoot() ? viaRoot + "; " : "") + alter + " ADD TABLE "
                + name;
    }

    private static String quoted(CaptureOptions options, Table table) {
        return quote(options.schema()) + '.' + quote(table.name());
    }

    /** A name as it can stand in SQL. */
    static String quote(String name) {
        return name.matches("[a-z_][a-z0-9_]*") ? name : '"' + name.replace("\"", "\"\"") + '"';
    }
}
