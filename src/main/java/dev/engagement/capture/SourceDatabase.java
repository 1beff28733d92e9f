package dev.engagement.capture;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.List;
import java.util.Properties;
import org.jspecify.annotations.Nullable;
import org.postgresql.Driver;

/**
 * The captured database, over a connection of its own for each call: rare calls, and none that breaks because a
 * connection grew old. Blocking; callable from any thread.
 */
final class SourceDatabase {

    private static final String CONNECT_SECONDS = "10";

    /** Every answer but that of {@link #createSlot} takes milliseconds. */
    private static final int ANSWER_SECONDS = 30;

    private static final int MIN_VERSION = 13;

    private final CaptureOptions options;
    private final int answerSeconds;

    SourceDatabase(CaptureOptions options) {
        this(options, ANSWER_SECONDS);
    }

    SourceDatabase(CaptureOptions options, int answerSeconds) {
        this.options = options;
        this.answerSeconds = answerSeconds;
    }

    /** A look at the slot, with what is needed to describe a gap. */
    record SlotView(@Nullable Slot slot, long currentLsn, Instant databaseTime, String database) {}

    /**
     * A replication slot.
     *
     * @param plugin output plugin
     * @param database database it decodes, null for a physical one
     * @param walStatus {@code reserved}, {@code extended}, {@code unreserved} or {@code lost}
     * @param restartLsn oldest position it still holds, 0 if it holds none
     * @param confirmedLsn up to where its reader confirmed, 0 if nowhere
     */
    record Slot(
            String plugin,
            @Nullable String database,
            @Nullable String walStatus,
            long restartLsn,
            long confirmedLsn) {
        boolean isLost() {
            return "lost".equals(walStatus);
        }
    }

    /** The slot as it is now. */
    SlotView slot() throws SQLException {
        try (Connection connection = connect()) {
            return slot(connection);
        }
    }

    private SlotView slot(Connection connection) throws SQLException {
        String sql = """
                SELECT s.plugin, s.database, s.wal_status,
                       (s.restart_lsn - '0/0')::bigint, (s.confirmed_flush_lsn - '0/0')::bigint,
                       (pg_current_wal_lsn() - '0/0')::bigint, clock_timestamp(), current_database()
                FROM (SELECT 1) AS one LEFT JOIN pg_replication_slots AS s ON s.slot_name = ?""";
        try (PreparedStatement statement = connection.prepareStatement(sql)) {
            statement.setString(1, options.slotName());
            try (ResultSet row = statement.executeQuery()) {
                row.next();
                String plugin = row.getString(1);
                Slot slot = plugin == null
                        ? null
                        : new Slot(plugin, row.getString(2), row.getString(3), row.getLong(4), row.getLong(5));
                return new SlotView(
                        slot,
                        row.getLong(6),
                        row.getObject(7, OffsetDateTime.class).toInstant(),
                        row.getString(8));
            }
        }
    }

    /** Creates the slot; waits until the transactions that run now have ended. */
    void createSlot() throws SQLException {
        try (Connection connection = connect(0);
                PreparedStatement statement =
                        connection.prepareStatement("SELECT pg_create_logical_replication_slot(?, 'pgoutput')")) {
            statement.setString(1, options.slotName());
            statement.execute();
        }
    }

    /**
     * Writes the heartbeat row: a change in the publication, which moves the slot on though nothing else does.
     *
     * @return a look at the slot
     */
    SlotView beat() throws SQLException {
        try (Connection connection = connect();
                Statement statement = connection.createStatement()) {
            statement.execute("INSERT INTO " + quoted(options.heartbeatTable())
                    + " (id, beat_at) VALUES (1, clock_timestamp())"
                    + " ON CONFLICT (id) DO UPDATE SET beat_at = excluded.beat_at");
            return slot(connection);
        }
    }

    /**
     * What keeps capture from working here, each with what to do about it; empty if nothing does.
     *
     * @param firstStart whether a slot that is already there must be fit to start from; a restart judges its slot by
     *     the position it wants to continue at
     */
    List<String> problems(boolean firstStart) throws SQLException {
        try (Connection connection = connect()) {
            List<String> problems = new ArrayList<>();
            server(connection, problems);
            role(connection, problems);
            tables(connection, problems);
            publication(connection, problems);
            if (firstStart && problems.isEmpty()) {
                slotFitness(connection, problems);
            }
            return problems;
        }
    }

    private static void server(Connection connection, List<String> problems) throws SQLException {
        int version = connection.getMetaData().getDatabaseMajorVersion();
        if (version < MIN_VERSION) {
            problems.add("The server is PostgreSQL " + version + "; capture needs " + MIN_VERSION + " or later");
        }
        if (flag(connection, "SELECT pg_is_in_recovery()")) {
            problems.add(
                    "The server is a standby, on which no heartbeat can be written; point postgres.url at the primary");
        }
        String walLevel = text(connection, "SHOW wal_level");
        if (!"logical".equals(walLevel)) {
            problems.add("wal_level is '" + walLevel
                    + "'; capture needs 'logical': ALTER SYSTEM SET wal_level = 'logical', then restart PostgreSQL");
        }
    }

    private void role(Connection connection, List<String> problems) throws SQLException {
        // Amazon's servers grant replication by membership instead of by attribute.
        boolean replication = flag(connection, """
                SELECT rolsuper OR rolreplication OR EXISTS (SELECT 1 FROM pg_roles AS granted
                    WHERE granted.rolname = 'rds_replication' AND pg_has_role(granted.oid, 'member'))
                FROM pg_roles WHERE rolname = current_user""");
        if (!replication) {
            problems.add("The role " + options.username() + " has no REPLICATION: ALTER ROLE "
                    + quote(options.username()) + " REPLICATION");
        }
    }

    private void tables(Connection connection, List<String> problems) throws SQLException {
        for (String table : List.of(options.eventsTable(), options.contentTable())) {
            if (!exists(connection, table)) {
                problems.add("The table " + quoted(table) + " does not exist in database "
                        + text(connection, "SELECT current_database()")
                        + "; create it, or name the right one in capture's options");
                continue;
            }
            if (!may(connection, table, "SELECT")) {
                problems.add("The role " + options.username() + " may not read " + quoted(table) + ": GRANT SELECT ON "
                        + quoted(table) + " TO " + quote(options.username()));
            }
            if (!flag(
                    connection,
                    "SELECT EXISTS (SELECT 1 FROM pg_index WHERE indisprimary AND indrelid = to_regclass(?))",
                    quoted(table))) {
                problems.add("The table " + quoted(table) + " has no primary key, which is the key of its records:"
                        + " ALTER TABLE " + quoted(table) + " ADD PRIMARY KEY (id)");
            }
        }
        String heartbeat = options.heartbeatTable();
        if (!exists(connection, heartbeat)) {
            problems.add("The heartbeat table " + quoted(heartbeat) + " does not exist: CREATE TABLE "
                    + quoted(heartbeat) + " (id INT PRIMARY KEY, beat_at TIMESTAMPTZ NOT NULL); GRANT SELECT, INSERT,"
                    + " UPDATE ON " + quoted(heartbeat) + " TO " + quote(options.username()));
        } else if (!may(connection, heartbeat, "SELECT")
                || !may(connection, heartbeat, "INSERT")
                || !may(connection, heartbeat, "UPDATE")) {
            problems.add("The role " + options.username() + " may not write " + quoted(heartbeat)
                    + ": GRANT SELECT, INSERT, UPDATE ON " + quoted(heartbeat) + " TO " + quote(options.username()));
        }
    }

    private void publication(Connection connection, List<String> problems) throws SQLException {
        String publication = options.publication();
        if (!flag(connection, "SELECT EXISTS (SELECT 1 FROM pg_publication WHERE pubname = ?)", publication)) {
            problems.add("The publication " + publication + " does not exist: CREATE PUBLICATION " + quote(publication)
                    + " FOR TABLE " + quoted(options.eventsTable()) + ", " + quoted(options.contentTable()) + ", "
                    + quoted(options.heartbeatTable()));
            return;
        }
        for (String table : List.of(options.eventsTable(), options.contentTable(), options.heartbeatTable())) {
            if (!flag(
                    connection,
                    "SELECT EXISTS (SELECT 1 FROM pg_publication_tables"
                            + " WHERE pubname = ? AND schemaname = ? AND tablename = ?)",
                    publication,
                    options.schema(),
                    table)) {
                problems.add("The publication " + publication + " does not contain " + quoted(table)
                        + ": ALTER PUBLICATION " + quote(publication) + " ADD TABLE " + quoted(table));
            }
        }
        if (!flag(
                connection,
                "SELECT pubinsert AND pubupdate AND pubdelete FROM pg_publication WHERE pubname = ?",
                publication)) {
            problems.add("The publication " + publication + " leaves out some changes: ALTER PUBLICATION "
                    + quote(publication) + " SET (publish = 'insert, update, delete, truncate')");
        }
    }

    private void slotFitness(Connection connection, List<String> problems) throws SQLException {
        SlotView view = slot(connection);
        Slot slot = view.slot();
        if (slot == null) {
            if (!flag(
                    connection,
                    "SELECT (SELECT count(*) FROM pg_replication_slots) < current_setting('max_replication_slots')::int")) {
                problems.add("No replication slot is free for " + options.slotName()
                        + "; drop one (SELECT slot_name, active FROM pg_replication_slots) or raise"
                        + " max_replication_slots");
            }
        } else if (!"pgoutput".equals(slot.plugin()) || !view.database().equals(slot.database())) {
            problems.add("The replication slot " + options.slotName() + " decodes database " + slot.database()
                    + " with " + slot.plugin() + "; capture needs " + view.database()
                    + " with pgoutput. Choose another postgres.slot-name, or drop it: "
                    + dropSlot(options.slotName()));
        } else if (slot.isLost()) {
            problems.add("The replication slot " + options.slotName()
                    + " is lost: PostgreSQL removed the write-ahead log it had to hold. Drop it, capture creates a"
                    + " new one: " + dropSlot(options.slotName()));
        }
    }

    static String dropSlot(String slotName) {
        return "SELECT pg_drop_replication_slot('" + slotName + "')";
    }

    private boolean exists(Connection connection, String table) throws SQLException {
        return flag(connection, "SELECT to_regclass(?) IS NOT NULL", quoted(table));
    }

    private boolean may(Connection connection, String table, String privilege) throws SQLException {
        return flag(connection, "SELECT has_table_privilege(?, ?)", quoted(table), privilege);
    }

    private String quoted(String table) {
        return quote(options.schema()) + '.' + quote(table);
    }

    private static String quote(String name) {
        return name.matches("[a-z_][a-z0-9_]*") ? name : '"' + name.replace("\"", "\"\"") + '"';
    }

    private static boolean flag(Connection connection, String sql, String... arguments) throws SQLException {
        return "t".equals(text(connection, sql, arguments));
    }

    private static @Nullable String text(Connection connection, String sql, String... arguments) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(sql)) {
            for (int i = 0; i < arguments.length; i++) {
                statement.setString(i + 1, arguments[i]);
            }
            try (ResultSet row = statement.executeQuery()) {
                return row.next() ? row.getString(1) : null;
            }
        }
    }

    private Connection connect() throws SQLException {
        return connect(answerSeconds);
    }

    /**
     * Connects.
     *
     * @param seconds that an answer may take; 0 for any time
     */
    private Connection connect(int seconds) throws SQLException {
        Properties properties = SecretPassword.properties(options.password());
        properties.setProperty("user", options.username());
        properties.setProperty("connectTimeout", CONNECT_SECONDS);
        // A server that is gone without a word must not hold up the coordinator, nor a heartbeat that nobody misses.
        properties.setProperty("socketTimeout", Integer.toString(seconds));
        properties.setProperty("tcpKeepAlive", "true");
        properties.setProperty("ApplicationName", "engagement-capture");
        Connection connection = new Driver().connect(options.jdbcUrl(), properties);
        if (connection == null) {
            throw new SQLException("The driver does not take the address " + options.jdbcUrl());
        }
        return connection;
    }
}
