package dev.engagement.faults;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Losing something and mending it under load, by the commands that a person would use, some minutes:
 * {@code ./mvnw verify -Pfaults -Dit.test=MendingLongIT}.
 */
@Tag("faults")
class MendingLongIT {

    private static final long DELETED = 4_711;

    @Test
    void what_was_lost_is_put_back_once_everywhere_and_the_audit_agrees() throws Exception {
        FaultOptions options = FaultOptions.fromSystemProperties(() -> 1);
        String from = Instant.now().toString();
        try (FaultRun run = FaultRun.start(
                "mending", Path.of("target/it/mending"), options, List.of("--delivery.receipts", "true"), System.out)) {
            run.strike(Faults.slotLost(Duration.ofSeconds(15)));
            run.compare();

            run.strike(Faults.slotLost(Duration.ofSeconds(15), Faults.kill(Role.TASK_MANAGER_1)));
            run.compare();

            run.strike(Faults.refusedAndRedriven(Duration.ofSeconds(5)));
            run.compare();

            run.with("an audit of three destinations finds nothing", installation -> {
                Shell.Outcome outcome =
                        installation.audit("--from", from, "--to", Instant.now().toString());
                assertThat(outcome.exit()).as(outcome.output()).isZero();
            });
            run.with("an audit names the row that the warehouse lost", installation -> {
                installation.deleteFromWarehouse(DELETED);
                Shell.Outcome outcome = installation.audit(
                        "--repair", "--from", from, "--to", Instant.now().toString());
                assertThat(outcome.exit()).as(outcome.output()).isEqualTo(1);
                assertThat(outcome.output()).contains(Long.toString(DELETED)).contains("MERGE");
            });
        }
    }
}
