package dev.engagement.audit;

import static org.assertj.core.api.Assertions.assertThat;

import dev.engagement.local.testing.SharedServers;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.Statement;
import org.junit.jupiter.api.Test;

/** What is compared of a table that capture takes as it is. */
class PublishedIT {

    @Test
    void a_column_that_the_table_does_not_have_is_compared_as_empty() throws Exception {
        try (SharedServers servers = SharedServers.lease(Path.of("target/it/published"))) {
            servers.sql("ALTER TABLE engagement_events RENAME duration_ms TO length_ms");
            servers.sql("INSERT INTO engagement_events (event_type, event_ts, length_ms) VALUES ('play', now(), 5)");
            servers.sql("CREATE PUBLICATION odd FOR TABLE engagement_events");
            try (Connection connection = servers.postgres().connect()) {
                Published published =
                        Published.of(connection, "engagement_events", new AuditOptions.Publication("odd", true));

                assertThat(published.notes())
                        .containsExactly("The table engagement_events has no column duration_ms; only what is left is"
                                + " compared (capture.accept-filtered)");
                try (Statement statement = connection.createStatement();
                        ResultSet row = statement.executeQuery(
                                "SELECT count(*), count(duration_ms) FROM " + published.relation())) {
                    row.next();
                    assertThat(row.getLong(1)).isEqualTo(1);
                    assertThat(row.getLong(2)).isZero();
                }
            }
        }
    }
}
