package dev.engagement.local;

import dev.engagement.event.EventIdKind;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;

/** The source tables, the heartbeat table and the publication of all three, as production has them. */
public final class Schema {

    /** The schema of all tables. */
    public static final String NAME = "public";

    /** The table of events. */
    public static final String EVENTS = "engagement_events";

    /** The table of contents. */
    public static final String CONTENT = "content";

    /** The table of one row that capture touches. */
    public static final String HEARTBEAT = "engagement_heartbeat";

    /** The publication of the three tables. */
    public static final String PUBLICATION = "engagement_publication";

    /** The replication slot that capture creates and uses. */
    public static final String SLOT = "engagement_slot";

    /** The publication of the outbox and the heartbeat table. */
    public static final String OUTBOX_PUBLICATION = "engagement_outbox";

    /** What an installation of one's own runs, too. */
    private static final Path OUTBOX_SQL = Path.of("scripts/sql/outbox.sql");

    /** Beside this class; a PostgreSQL in a container runs the same file. */
    private static final String DDL = "schema.sql";

    private Schema() {}

    private static final String NUMBER_KEY = "id BIGSERIAL PRIMARY KEY";

    private static final String UUID_KEY = "id UUID PRIMARY KEY DEFAULT gen_random_uuid()";

    /** As {@link #create(Connection, EventIdKind)}, with numbers as the keys of events. */
    public static void create(Connection connection) throws SQLException {
        create(connection, EventIdKind.LONG);
    }

    /**
     * Creates tables and publication in the schema {@value #NAME}, all or nothing.
     *
     * @param eventIds what the keys of events are; texts are UUIDs here
     * @throws SQLException if one of them exists already, or the role may not create them
     */
    public static void create(Connection connection, EventIdKind eventIds) throws SQLException {
        boolean autoCommit = connection.getAutoCommit();
        connection.setAutoCommit(false);
        try (Statement statement = connection.createStatement()) {
            statement.execute(eventIds == EventIdKind.LONG ? ddl() : ddl().replace(NUMBER_KEY, UUID_KEY));
            connection.commit();
        } catch (SQLException e) {
            connection.rollback();
            throw e;
        } finally {
            connection.setAutoCommit(autoCommit);
        }
    }

    private static String ddl() {
        try (InputStream in = Schema.class.getResourceAsStream(DDL)) {
            if (in == null) {
                throw new ServerException("The class path has no " + DDL + " beside " + Schema.class.getName());
            }
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(DDL + " cannot be read", e);
        }
    }

    /**
     * Creates an outbox beside the tables, which are there: by the file in {@code scripts/sql}, which has a transaction of its
     * own.
     *
     * @throws SQLException if there is one already, or the role may not create it
     */
    public static void addOutbox(Connection connection) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute(Files.readString(OUTBOX_SQL));
        } catch (IOException e) {
            throw new ServerException(
                    OUTBOX_SQL + " cannot be read in " + Path.of("").toAbsolutePath()
                            + "; start this in the root of the checkout",
                    e);
        }
    }

    /** What the keys of the events are that are there. */
    static EventIdKind eventIds(Connection connection) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery("SELECT atttypid = 'bigint'::regtype FROM pg_attribute"
                        + " WHERE attrelid = '" + EVENTS + "'::regclass AND attname = 'id'")) {
            row.next();
            return row.getBoolean(1) ? EventIdKind.LONG : EventIdKind.TEXT;
        }
    }

    /** By what ids of that kind are in order, as SQL: texts by their bytes. */
    static String orderedBy(String column, EventIdKind eventIds) {
        return eventIds == EventIdKind.LONG ? column : column + "::text COLLATE \"C\"";
    }

    /** As {@link #create(Connection)}, on a connection of its own. */
    public static void create(PostgresServer server) {
        create(server, EventIdKind.LONG);
    }

    /** As {@link #create(Connection, EventIdKind)}, on a connection of its own. */
    public static void create(PostgresServer server, EventIdKind eventIds) {
        try (Connection connection = server.connect()) {
            create(connection, eventIds);
        } catch (SQLException e) {
            throw new ServerException("The source tables cannot be created in " + server.jdbcUrl(), e);
        }
    }

    /** As {@link #addOutbox(Connection)}, on a connection of its own. */
    public static void addOutbox(PostgresServer server) {
        try (Connection connection = server.connect()) {
            addOutbox(connection);
        } catch (SQLException e) {
            throw new ServerException("The outbox cannot be created in " + server.jdbcUrl(), e);
        }
    }
}
