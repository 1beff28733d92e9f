package dev.engagement.faults;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** A random script: {@code ./mvnw verify -Pfaults -Dfaults.seed=… -Dfaults.kills=… -Dfaults.rate=…}. */
@Tag("faults")
class FaultsLongIT {

    private static final int COMPARE_EVERY = 5;

    @Test
    void a_random_script_of_faults_loses_and_doubles_nothing() throws Exception {
        FaultOptions options = FaultOptions.fromSystemProperties(() -> System.nanoTime() & 0xff_ffff);
        List<RandomScript.Step> script = RandomScript.of(options.seed(), options.kills());
        try (FaultRun run = FaultRun.start("random faults", Path.of("target/it/faults"), options, System.out)) {
            int struck = 0;
            for (RandomScript.Step step : script) {
                if (step.awaitRecovery()) {
                    run.strike(step.fault());
                } else {
                    run.strikeInHaste(step.fault());
                }
                struck++;
                if (struck % COMPARE_EVERY == 0) {
                    run.compare();
                }
                Faults.hold(step.afterwards());
            }
            run.compare();
            assertThat(struck).isEqualTo(script.size());
        }
    }
}
