package dev.engagement.faults;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.Statement;
import java.time.Duration;
import org.junit.jupiter.api.Test;

/**
 * The whole job on an outbox whose rows are removed under way, while what capture depends on is killed: every destination
 * equals SQL over the tables, which nothing but the outbox's triggers reads.
 */
class OutboxFaultsIT {

    private static final long SEED = 1;
    private static final double RATE = 300;

    @Test
    void killed_processes_lose_and_double_nothing_that_went_through_an_outbox() throws Exception {
        FaultOptions options =
                FaultOptions.fromSystemProperties(() -> SEED, RATE).ofOutbox();
        try (FaultRun run = FaultRun.start("outbox", Path.of("target/it/faults-outbox"), options, System.out)) {
            run.strike(Faults.kill(Role.TASK_MANAGER_1));
            run.strike(Faults.kill(Role.POSTGRES));
            run.strike(Faults.terminateWalsender());
            run.strike(Faults.kill(Role.JOB_MANAGER));
            run.strike(Faults.kill(Role.KAFKA));
            run.compare();
            run.with("the outbox is as good as empty", OutboxFaultsIT::awaitRemoved);
        }
    }

    /** What has been written since the last checkpoint is there. */
    private static void awaitRemoved(Installation installation) throws Exception {
        try (Connection connection = installation.connectToSource();
                Statement statement = connection.createStatement()) {
            assertThat(count(statement, "engagement_events")).isPositive();
            await().atMost(Duration.ofMinutes(10))
                    .until(() -> count(statement, "outbox_events") < count(statement, "engagement_events") / 2);
        }
    }

    private static long count(Statement statement, String table) throws Exception {
        try (ResultSet row = statement.executeQuery("SELECT count(*) FROM " + table)) {
            row.next();
            return row.getLong(1);
        }
    }
}
