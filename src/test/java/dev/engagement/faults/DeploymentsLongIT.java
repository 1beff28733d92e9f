package dev.engagement.faults;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Deployments under load, some minutes: {@code ./mvnw verify -Pfaults -Dit.test=DeploymentsLongIT}. */
@Tag("faults")
class DeploymentsLongIT {

    @Test
    void the_same_jar_another_parallelism_and_a_broken_jar_deployed_lose_and_double_nothing() throws Exception {
        FaultOptions options = FaultOptions.fromSystemProperties(() -> 1);
        try (FaultRun run = FaultRun.start("deployments", Path.of("target/it/deployments"), options, System.out)) {
            run.strike(Faults.deploy(2));
            run.strike(Faults.deploy(4));
            run.strike(Faults.deployBroken());
            run.compare();
            assertThat(run.table()).hasSizeGreaterThanOrEqualTo(3);
        }
    }
}
