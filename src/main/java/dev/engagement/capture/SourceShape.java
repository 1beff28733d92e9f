package dev.engagement.capture;

import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import java.util.stream.Stream;
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
 * @param captured the table of events and that of contents, or the outbox alone
 */
record SourceShape(
        int version,
        boolean standby,
        String walLevel,
        String database,
        boolean mayReplicate,
        Instant at,
        @Nullable Publication publication,
        List<Table> captured,
        Table heartbeat) {

    private static final int MIN_VERSION = 13;
    /** From here on a publication may contain generated columns. */
    private static final int GENERATED_VERSION = 18;

    /**
     * A publication.
     *
     * @param allTables whether it is one {@code FOR ALL TABLES}
     * @param viaRoot whether changes of a partition come under the name of its partitioned table
     * @param allChanges whether it publishes inserts and updates, and deletes where they count
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
     * @param filter condition of the rows that are published, null if all are
     * @param absent columns in use that the table does not have
     * @param leftOut columns in use that the publication's list leaves out
     * @param generated columns in use that are generated, and so are not published
     * @param withoutKey the table, or its partitions, whose replica identity leaves the primary key out of deletes
     * @param confused columns, none of them in use, whose names differ from another's only in case
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
            boolean partsPublished,
            @Nullable String filter,
            List<String> absent,
            List<String> leftOut,
            List<String> generated,
            List<String> withoutKey,
            List<String> confused) {

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

    /** Whether it can be asked for its line of history, and its heartbeat. */
    boolean canBeLookedAt() {
        return !standby && heartbeat.exists() && heartbeat.mayRead();
    }

    /** The identity of what is captured. */
    TableIds ids() {
        return captured.size() == 1
                ? TableIds.ofOutbox(captured.get(0).oid())
                : new TableIds(captured.get(0).oid(), captured.get(1).oid());
    }

    private static void replaced(CaptureOptions options, Table table, long before, List<String> problems) {
        if (before != 0 && table.exists() && table.oid() != before) {
            problems.add("The table " + quoted(options, table) + " is another one than was captured so far (oid "
                    + table.oid() + ", it was " + before + "): that one was renamed or dropped");
        }
    }

    /** What keeps capture from working here, each with what to do about it; empty if nothing does. */
    List<String> problems(CaptureOptions options) {
        List<String> problems = setup(options);
        problems.addAll(losses(options, TableIds.UNKNOWN));
        return problems;
    }

    /** What keeps it from beginning, and loses nothing while it runs already. */
    private List<String> setup(CaptureOptions options) {
        List<String> problems = new ArrayList<>();
        server(problems);
        if (!mayReplicate) {
            problems.add("The role " + options.postgres().username() + " has no REPLICATION: ALTER ROLE "
                    + quote(options.postgres().username()) + " REPLICATION");
        }
        captured.forEach(table -> readable(options, table, problems));
        heartbeat(options, problems);
        return problems;
    }

    /**
     * Why rows do not come, or not whole, each with what to do about it; empty if they do.
     *
     * @param before the tables that were captured so far
     */
    List<String> losses(CaptureOptions options, TableIds before) {
        List<String> problems = new ArrayList<>();
        captured.forEach(table -> captured(options, table, problems));
        replaced(options, captured.get(0), before.events(), problems);
        if (captured.size() > 1) {
            replaced(options, captured.get(1), before.content(), problems);
        }
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

    private static void readable(CaptureOptions options, Table table, List<String> problems) {
        String name = quoted(options, table);
        if (table.exists() && !table.mayRead()) {
            problems.add("The role " + options.postgres().username() + " may not read " + name + ": GRANT SELECT ON "
                    + name + " TO " + quote(options.postgres().username()));
        }
        if (table.rowsHidden()) {
            problems.add("Row-level security hides rows of " + name + " from the role "
                    + options.postgres().username() + " while existing rows are read: ALTER ROLE "
                    + quote(options.postgres().username()) + " BYPASSRLS");
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
        if (!table.hasPrimaryKey()) {
            problems.add("The table " + name + " has no primary key, which is the key of its records: ALTER TABLE "
                    + name + " ADD PRIMARY KEY (id)");
        }
        // Of an outbox no delete counts.
        for (String part : options.outbox() == null ? table.withoutKey() : List.<String>of()) {
            problems.add("The replica identity of " + part + " is not its primary key, so a delete would come without"
                    + " the id of its row: ALTER TABLE " + part + " REPLICA IDENTITY DEFAULT");
        }
        for (String column : table.confused()) {
            problems.add("The column " + quote(column) + " of " + name + " differs from another one only in case, and"
                    + " Debezium takes one for the other: ALTER TABLE " + name + " RENAME " + quote(column) + " TO "
                    + quote(column.toLowerCase(Locale.ROOT) + "_2"));
        }
        for (String column : table.generated()) {
            problems.add(
                    "The column " + column + " of " + name + " is generated, and PostgreSQL does not publish it, so"
                            + " changes would come without: ALTER TABLE " + name + " ALTER COLUMN " + quote(column)
                            + " DROP EXPRESSION, after which the application or a trigger has to fill it"
                            + (version < GENERATED_VERSION
                                    ? ""
                                    : "; or ALTER PUBLICATION " + quote(options.publication())
                                            + " SET (publish_generated_columns = stored)"));
        }
        if (options.outbox() != null) {
            readOfOutbox(options, table, problems);
        }
        if (!options.acceptFiltered()) {
            unfiltered(options, table, problems);
        }
    }

    /** What of an outbox nothing can be read without. */
    private static void readOfOutbox(CaptureOptions options, Table table, List<String> problems) {
        String name = quoted(options, table);
        for (String column : table.absent()) {
            problems.add("The outbox " + name + " has no column " + column + ": ALTER TABLE " + name + " ADD "
                    + quote(column) + " …, or name the one that has its values (capture.outbox.…-column)");
        }
        if (!table.leftOut().isEmpty()) {
            problems.add("The publication " + options.publication() + " leaves out columns of the outbox " + name + " ("
                    + String.join(", ", table.leftOut()) + "): " + publishedWhole(options, name));
        }
    }

    private static String publishedWhole(CaptureOptions options, String name) {
        String alter = "ALTER PUBLICATION " + quote(options.publication());
        return "BEGIN; " + alter + " DROP TABLE " + name + "; " + alter + " ADD TABLE " + name + "; COMMIT";
    }

    private static void unfiltered(CaptureOptions options, Table table, List<String> problems) {
        String name = quoted(options, table);
        String whole = publishedWhole(options, name) + ". If that is meant, set capture.accept-filtered=true";
        boolean isOutbox = options.outbox() != null;
        for (String column : isOutbox ? List.<String>of() : table.absent()) {
            problems.add("The table " + name + " has no column " + column + ", which is in use: ALTER TABLE " + name
                    + " ADD " + quote(column) + " …, or rename the one that has its values. If that is meant, set"
                    + " capture.accept-filtered=true");
        }
        if (table.filter() != null) {
            problems.add("The publication " + options.publication() + " leaves out rows of " + name + " (only WHERE "
                    + table.filter() + "), and they would never come: " + whole);
        }
        if (!isOutbox && !table.leftOut().isEmpty()) {
            problems.add("The publication " + options.publication() + " leaves out columns of " + name + " ("
                    + String.join(", ", table.leftOut()) + "), and changes would come without: " + whole);
        }
    }

    private void heartbeat(CaptureOptions options, List<String> problems) {
        String name = quoted(options, heartbeat);
        String grant = "GRANT SELECT, INSERT, UPDATE ON " + name + " TO "
                + quote(options.postgres().username());
        if (!heartbeat.exists()) {
            problems.add("The heartbeat table " + name + " does not exist: CREATE TABLE " + name
                    + " (id INT PRIMARY KEY, beat_at TIMESTAMPTZ NOT NULL); " + grant);
        } else if (!heartbeat.mayRead() || !heartbeat.mayWrite()) {
            problems.add("The role " + options.postgres().username() + " may not write " + name + ": " + grant);
        }
    }

    private void published(CaptureOptions options, List<String> problems) {
        Publication found = publication;
        String publicationName = options.publication();
        if (found == null) {
            boolean partitioned = captured.stream().anyMatch(Table::isPartitioned);
            problems.add("The publication " + publicationName + " does not exist: CREATE PUBLICATION "
                    + quote(publicationName) + " FOR TABLE "
                    + withHeartbeat().map(table -> quoted(options, table)).collect(Collectors.joining(", "))
                    + (partitioned ? " WITH (publish_via_partition_root = true)" : ""));
            return;
        }
        withHeartbeat()
                .filter(table -> !table.published())
                .forEach(table -> problems.add(unpublished(options, found, table)));
        if (!found.allChanges()) {
            problems.add("The publication " + publicationName + " leaves out some changes: ALTER PUBLICATION "
                    + quote(publicationName) + " SET (publish = 'insert, update, delete, truncate')");
        }
    }

    private Stream<Table> withHeartbeat() {
        return Stream.concat(captured.stream(), Stream.of(heartbeat));
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
