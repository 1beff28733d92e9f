package dev.engagement.local;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
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

    /**
     * Creates tables and publication in the schema {@value #NAME}, all or nothing.
     *
     * @throws SQLException if one of them exists already, or the role may not create them
     */
    public static void create(Connection connection) throws SQLException {
        boolean autoCommit = connection.getAutoCommit();
        connection.setAutoCommit(false);
        try (Statement statement = connection.createStatement()) {
            statement.execute(ddl());
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

    /** As {@link #create(Connection)}, on a connection of its own. */
    public static void create(PostgresServer server) {
        try (Connection connection = server.connect()) {
            create(connection);
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
