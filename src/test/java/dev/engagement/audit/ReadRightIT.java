package dev.engagement.audit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.engagement.connection.PostgresConnection;
import dev.engagement.connection.SecretRef;
import dev.engagement.local.testing.SharedServers;
import dev.engagement.source.RangeOptions;
import dev.engagement.source.SourceOptions;
import dev.engagement.source.SourceTables;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Instant;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Where the role may read an outbox and not the tables. */
class ReadRightIT {

    @TempDir
    private Path folder;

    @Test
    void a_role_that_may_not_read_the_tables_is_refused_in_plain_words() throws Exception {
        try (SharedServers servers = SharedServers.lease(Path.of("target/it/read-right"))) {
            servers.sql("CREATE ROLE outsider LOGIN PASSWORD 'secret'");
            PostgresConnection outsider = new PostgresConnection(
                    servers.postgres().jdbcUrl(),
                    "outsider",
                    SecretRef.inFile(
                            "postgres.password",
                            Files.writeString(folder.resolve("password"), "secret")
                                    .toString()));

            assertThatThrownBy(() -> PostgresSource.connect(
                            new AuditOptions.Database(outsider, "public", "engagement_events", null)))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("The role outsider may not read \"public\".\"engagement_events\" at jdbc:")
                    .hasMessageContaining("GRANT SELECT ON \"public\".\"engagement_events\" TO outsider")
                    .hasMessageContaining("backfill, rebuild and audit do not");

            SourceTables tables = new SourceTables(
                    new SourceOptions(outsider, "public", "engagement_events", "content", null), "read-right");
            try (Connection connection = tables.connect()) {
                SQLException refusal = catchThrowableOfType(
                        SQLException.class,
                        () -> tables.extent(
                                connection, RangeOptions.of(Instant.EPOCH, Instant.EPOCH.plusSeconds(60)), null));
                assertThat(tables.explain(refusal, null))
                        .contains(
                                "The role outsider may not read \"public\".\"engagement_events\", \"public\".\"content\"")
                        .contains("permission denied for table engagement_events")
                        .contains("GRANT SELECT ON");
            }
        }
    }
}
