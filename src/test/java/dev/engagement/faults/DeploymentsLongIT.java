package dev.engagement.faults;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Deployments under load, some minutes: {@code ./mvnw verify -Pfaults -Dit.test=DeploymentsLongIT}. */
@Tag("faults")
class DeploymentsLongIT {

    private static final int DEPLOYMENTS = 5;

    @Test
    void the_same_jar_rescaling_from_1_to_4_to_2_and_a_broken_jar_lose_and_double_nothing() throws Exception {
        FaultOptions options = FaultOptions.fromSystemProperties(() -> 1);
        try (FaultRun run = FaultRun.start("deployments", Path.of("target/it/deployments"), options, System.out)) {
            // At what the installation starts with, and by hand: so it is taken over as well.
            run.strike(Faults.deploy(2));
            run.compare();

            run.strike(Faults.deploy(1));
            run.strike(Faults.deploy(4));
            run.strike(Faults.deploy(2));
            run.compare();

            // At a parallelism of its own, so that going back is to the old options as well.
            run.strike(Faults.deployBroken(4, 2));
            run.compare();
            // A header and a line of each.
            assertThat(run.table()).hasSize(1 + DEPLOYMENTS);
        }
    }
}
