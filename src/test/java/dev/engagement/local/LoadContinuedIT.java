package dev.engagement.local;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import org.junit.jupiter.api.Test;

/** Load over a crash of the database. */
class LoadContinuedIT {

    private static final Path DIRECTORY = Path.of("target/it/load-continued");

    @Test
    void goesOnAfterACrashAndStillKnowsEveryContentVersion() throws SQLException {
        PostgresServer.discard(DIRECTORY);
        try (PostgresServer postgres = PostgresServer.start(DIRECTORY, 0)) {
            Schema.create(postgres);
            LoadOptions options = new LoadOptions(5, 40, 4_000, 0, 0, Duration.ZERO);
            LoadGenerator first = LoadGenerator.start(options, postgres.connect(), Clock.systemUTC());
            await().until(() -> first.created() > 1_000);
            postgres.kill();
            await().until(() -> first.failure() != null);
            first.close();
            postgres.restart();

            LoadGenerator second = first.continued(postgres.connect());
            await().until(() -> second.created() > first.created() + 1_000);
            second.close();
            assertThat((Throwable) second.failure()).isNull();
            try (Connection connection = postgres.connect();
                    Statement statement = connection.createStatement()) {
                try (ResultSet rows = statement.executeQuery("SELECT count(*) FROM engagement_events")) {
                    rows.next();
                    assertThat(rows.getLong(1)).isGreaterThanOrEqualTo(second.created());
                }
                try (ResultSet rows = statement.executeQuery("SELECT id, title FROM content")) {
                    while (rows.next()) {
                        List<ContentRow> versions = second.versions(rows.getObject(1, UUID.class));
                        assertThat(versions.get(versions.size() - 1).title()).isEqualTo(rows.getString(2));
                    }
                }
            }
        }
    }
}
