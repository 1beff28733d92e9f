package dev.engagement.faults;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

/** What makes a failure of the long form replayable. */
class RandomScriptTest {

    @Test
    void theSameSeedGivesTheSameScriptAndAnotherOneAnother() {
        assertThat(described(42)).isEqualTo(described(42)).isNotEqualTo(described(43));
    }

    @Test
    void aScriptHasItsKillsOfEveryProcessSoonerOrLaterAndOtherFaultsBetween() {
        assertThat(RandomScript.of(7, 20).stream().filter(step -> step.fault().isKill()))
                .hasSize(20);
        List<String> all = LongStream.range(0, 500)
                .boxed()
                .flatMap(seed -> RandomScript.of(seed, 20).stream())
                .map(step -> step.fault().name())
                .distinct()
                .toList();
        for (Role role : Role.values()) {
            assertThat(all).contains("kill -9 " + role.title());
        }
        assertThat(all)
                .contains(
                        "walsender terminated",
                        "wrong jars submitted",
                        "savepoint, restored at 4",
                        "Redis emptied",
                        "kill -9 Redis, its file kept",
                        "Redis gone for 30 s",
                        "BigQuery gone for 30 s",
                        "BigQuery's replies lost",
                        "receiver gone for 30 s",
                        "receiver hangs for 7 s",
                        "receiver answers 500 for 7 s",
                        "receiver moody for 7 s",
                        "rollups' database gone for 7 s",
                        "rollups' database silent for 7 s",
                        "rollups' database read-only for 7 s");
    }

    private static List<String> described(long seed) {
        return RandomScript.of(seed, 20).stream()
                .map(step -> step.fault().name() + " " + step.afterwards() + " " + step.awaitRecovery())
                .toList();
    }
}
