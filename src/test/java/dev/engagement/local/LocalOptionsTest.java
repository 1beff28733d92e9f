package dev.engagement.local;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.engagement.event.EventIdKind;
import dev.engagement.local.LocalOptions.UsageException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class LocalOptionsTest {

    private static LocalOptions parse(String commandLine) throws UsageException {
        return LocalOptions.parse(commandLine.isBlank() ? List.of() : List.of(commandLine.split(" ")));
    }

    @Test
    void withoutOptionsItGeneratesFiftyEventsASecondWithoutEnd() throws UsageException {
        assertThat(parse(""))
                .isEqualTo(new LocalOptions(
                        new LoadOptions(1, 200, 50, 0, 0, Duration.ZERO),
                        false,
                        Duration.ofSeconds(60),
                        2,
                        true,
                        false,
                        false,
                        false,
                        EventIdKind.LONG,
                        null,
                        false));
    }

    @Test
    void everyOptionIsRead() throws UsageException {
        assertThat(parse("--rate 500 --events=20000 --burst 30 --burst-every 5 --contents 7 --seed -3 --exit"
                        + " --timeout 9 --parallelism 4 --source outbox --picture a.svg --format avro --event-id text"))
                .isEqualTo(new LocalOptions(
                        new LoadOptions(-3, 7, 500, 20_000, 30, Duration.ofSeconds(5)),
                        true,
                        Duration.ofSeconds(9),
                        4,
                        true,
                        false,
                        true,
                        true,
                        EventIdKind.TEXT,
                        Path.of("a.svg"),
                        false));
        assertThat(parse("--no-jobs").jobs()).isFalse();
        assertThat(parse("--cluster").cluster()).isTrue();
        assertThat(parse("--source tables").outbox()).isFalse();
        assertThat(parse("--help").help()).isTrue();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "--rat 5             | Unknown option '--rat'",
                "stray               | Unknown option 'stray'",
                "--rate              | --rate needs a value",
                "--source view       | --source is 'view'; it can be tables or outbox",
                "--rate fast         | --rate is 'fast', which is not a number",
                "--rate -1           | --rate is -1.0; it needs to be 0 to",
                "--rate NaN          | --rate is NaN",
                "--events 1.5        | --events is '1.5', which is not a whole number",
                "--parallelism 0     | --parallelism is 0; it needs to be 1 to",
                "--exit=yes          | --exit takes no value",
                "--exit              | --exit needs --events above 0",
                "--exit --events 5 --no-jobs      | --exit and --no-jobs exclude each other",
                "--rate 0 --events 5              | --events is 5, which --rate 0 with --burst 0 never reaches",
                "--rate 0 --events 5 --burst 4    | never reaches",
            })
    void whatCannotBeRunIsRefusedWithItsName(String commandLine, String message) {
        assertThatThrownBy(() -> parse(commandLine))
                .isInstanceOf(UsageException.class)
                .hasMessageContaining(message);
    }

    @Test
    void aBurstAloneMayMakeAllEvents() throws UsageException {
        assertThat(parse("--rate 0 --events 5 --burst 5").load().burst()).isEqualTo(5);
        assertThat(parse("--rate 0 --events 5 --burst 2 --burst-every 1").load().burst())
                .isEqualTo(2);
    }

    @Test
    void theHelpTextNamesEveryOptionAndItsDefault() {
        String help = LocalStack.helpText();
        for (String option : List.of(
                "--rate",
                "--events",
                "--burst",
                "--burst-every",
                "--contents",
                "--seed",
                "--exit",
                "--timeout",
                "--parallelism",
                "--format",
                "--no-jobs",
                "--help")) {
            assertThat(help).containsPattern("(?m)^  " + Pattern.quote(option) + " ");
        }
        assertThat(help.lines()).allSatisfy(line -> assertThat(line.length()).isLessThanOrEqualTo(120));
    }
}
