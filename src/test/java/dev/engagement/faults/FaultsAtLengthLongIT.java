package dev.engagement.faults;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Faults of {@link FaultsShortIT} that last, some minutes: beyond what a call may take before it is tried again.
 * {@code ./mvnw verify -Pfaults -Dit.test=FaultsAtLengthLongIT}.
 */
@Tag("faults")
class FaultsAtLengthLongIT {

    private static final int FAULTS = 7;
    /** Beyond the thirty seconds after which a call of the warehouse's is given up, or a statement of the rollups'. */
    private static final Duration BEYOND_A_CALL = Duration.ofSeconds(45);

    /** Beyond the heartbeat timeout of ten seconds, whether or not anybody has noticed. */
    private static final Duration BEYOND_THE_HEARTBEAT = Duration.ofSeconds(13);

    @Test
    void what_hangs_for_long_loses_and_doubles_nothing_and_holds_up_nobody() throws Exception {
        FaultOptions options = FaultOptions.fromSystemProperties(() -> 1);
        try (FaultRun run =
                FaultRun.start("faults at length", Path.of("target/it/faults-at-length"), options, System.out)) {
            run.strike(Faults.freeze(Role.TASK_MANAGER_2, BEYOND_THE_HEARTBEAT));
            run.compare();
            run.strike(Faults.freeze(Role.BIGQUERY, BEYOND_A_CALL));
            run.compare();
            run.strike(Faults.halfOpen(Role.BIGQUERY, BEYOND_A_CALL));
            run.compare();
            run.strike(Faults.receiverHangsAlone(Duration.ofSeconds(60)));
            run.compare();
            run.strike(Faults.receiverAnswers(500, Duration.ofSeconds(30)));
            run.compare();
            run.strike(Faults.rollupsSilent(BEYOND_A_CALL));
            run.compare();
            run.strike(Faults.rollupsLocked(Duration.ofSeconds(30)));
            run.compare();
            // A header and a line of each.
            assertThat(run.table()).hasSize(1 + FAULTS);
        }
    }
}
