package dev.engagement.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class InvocationTest {

    @Test
    void firstWordIsTheCommand() {
        assertThat(parse("stream", "--job.name", "x", "--destinations", "liveview"))
                .isInstanceOfSatisfying(Invocation.Run.class, run -> {
                    assertThat(run.settings().command()).isEqualTo(Command.STREAM);
                    assertThat(run.settings().jobName()).isEqualTo("x");
                });
    }

    @Test
    void withoutACommandNothingRuns() {
        assertThatThrownBy(() -> parse())
                .isInstanceOf(ConfigurationException.class)
                .hasMessageContaining("capture or stream or backfill or rebuild or redrive or audit");
        assertThatThrownBy(() -> parse("--job.name", "x")).hasMessageContaining("must be the command");
        assertThatThrownBy(() -> parse("steam")).hasMessageContaining("did you mean stream?");
    }

    @ParameterizedTest
    @ValueSource(strings = {"--help", "-h", "help"})
    void helpOverallListsCommandsAndEveryKey(String word) {
        String text = help(word);

        assertThat(text).contains("capture ", "stream ");
        for (Key<?> key : Keys.ALL) {
            assertThat(text).contains(key.isSecret() ? key.variable() : "--" + key, key.description());
        }
    }

    @ParameterizedTest
    @EnumSource
    void helpOfACommandListsItsKeysWithUnitAndDefault(Command command) {
        String text = help(command.word(), "--unknown", "--help");

        for (Key<?> key : Keys.ALL) {
            String shown = key.isSecret() ? key.variable() : "--" + key;
            assertThat(text.lines()
                            .anyMatch(line ->
                                    line.startsWith("  " + shown + (key.kind() == Key.Kind.NAMESPACE ? "*" : " "))))
                    .as(key.name())
                    .isEqualTo(key.commands().contains(command));
        }
        assertThat(text).containsPattern("--checkpoint\\.interval +duration +\\[30 s]");
    }

    @ParameterizedTest
    @EnumSource
    void helpFitsAScreen(Command command) {
        assertThat(help(command.word(), "--help").lines())
                .allSatisfy(line -> assertThat(line.length()).isLessThanOrEqualTo(140));
    }

    private static String help(String... args) {
        return ((Invocation.Help) parse(args)).text();
    }

    private static Invocation parse(String... args) {
        return Invocation.parse(args, Map.of());
    }
}
