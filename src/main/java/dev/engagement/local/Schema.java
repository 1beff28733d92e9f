package dev.engagement.local;

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

    private static final String DDL = """
            CREATE TABLE content (
              id UUID PRIMARY KEY,
              slug TEXT UNIQUE NOT NULL,
              title TEXT NOT NULL,
              content_type TEXT CHECK (content_type IN ('podcast', 'newsletter', 'video')),
              length_seconds INTEGER,
              publish_ts TIMESTAMPTZ NOT NULL
            );
            CREATE TABLE engagement_events (
              id BIGSERIAL PRIMARY KEY,
              content_id UUID REFERENCES content (id),
              user_id UUID,
              event_type TEXT CHECK (event_type IN ('play', 'pause', 'finish', 'click')),
              event_ts TIMESTAMPTZ NOT NULL,
              duration_ms INTEGER,
              device TEXT,
              raw_payload JSONB
            );
            CREATE TABLE engagement_heartbeat (
              id INT PRIMARY KEY,
              beat_at TIMESTAMPTZ NOT NULL
            );
            INSERT INTO engagement_heartbeat VALUES (1, now());
            CREATE PUBLICATION engagement_publication
              FOR TABLE content, engagement_events, engagement_heartbeat;
            """;

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
            statement.execute(DDL);
            connection.commit();
        } catch (SQLException e) {
            connection.rollback();
            throw e;
        } finally {
            connection.setAutoCommit(autoCommit);
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
}
