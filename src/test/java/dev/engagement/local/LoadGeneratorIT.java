package dev.engagement.local;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.engagement.local.testing.SharedServers;
import java.io.IOException;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

class LoadGeneratorIT {

    private static final Path DIRECTORY = Path.of("target/it/load-generator");
    private static SharedServers servers;
    private static PostgresServer postgres;

    @BeforeAll
    static void start() throws IOException {
        servers = SharedServers.lease(DIRECTORY);
        postgres = servers.postgres();
    }

    @AfterAll
    static void stop() {
        servers.close();
    }

    @Test
    void writesExactlyItsEventsAndKnowsEveryContentVersion() throws SQLException {
        LoadOptions options = new LoadOptions(5, 40, 4_000, 6_000, 2_500, Duration.ZERO);
        try (LoadGenerator generator = LoadGenerator.start(options, postgres.connect(), Clock.systemUTC());
                Connection connection = postgres.connect();
                Statement statement = connection.createStatement()) {
            await().until(generator::isDone);
            assertThat((Throwable) generator.failure()).isNull();
            assertThat(generator.created()).isEqualTo(6_000);
            assertThat(count(statement, "engagement_events")).isEqualTo(6_000);
            // It has ended: nothing is under way that could bring more.
            generator.close();
            assertThat(count(statement, "engagement_events")).isEqualTo(6_000);

            assertThat(count(statement, "content")).isEqualTo(46);
            try (ResultSet rows = statement.executeQuery("SELECT id, title, length_seconds FROM content")) {
                while (rows.next()) {
                    List<ContentRow> versions = generator.versions(rows.getObject(1, UUID.class));
                    ContentRow last = versions.get(versions.size() - 1);
                    assertThat(last.title()).isEqualTo(rows.getString(2));
                    assertThat(last.lengthSeconds()).isEqualTo(rows.getObject(3, Integer.class));
                }
            }
        }
    }

    private static long count(Statement statement, String table) throws SQLException {
        try (ResultSet result = statement.executeQuery("SELECT count(*) FROM " + table)) {
            result.next();
            return result.getLong(1);
        }
    }
}
