package dev.engagement.config;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class ReferenceFileTest {

    /** A key that is commented out; words are commented with a blank behind the sign. */
    private static final Pattern ENTRY = Pattern.compile("#([^ #=][^ =]*)=(.*)");

    private static final Map<String, String> DEFAULTS = new LinkedHashMap<>();
    private static final Map<String, String> COMMENTS = new LinkedHashMap<>();

    /** What a start has to be told on its command line. */
    private static final Map<Command, List<String>> OF_ONE_START = Map.of(
            Command.BACKFILL, List.of("--from", "2026-01-08T09:00:00Z", "--to", "2026-01-08T10:00:00Z"),
            // Delivery and rollups, of the default, are refused where they are given.
            Command.REBUILD,
                    List.of(
                            "--from",
                            "2026-01-08T09:00:00Z",
                            "--to",
                            "2026-01-08T10:00:00Z",
                            "--destinations",
                            "liveview,warehouse"),
            Command.REDRIVE, List.of("--reason", "INVALID"),
            Command.AUDIT, List.of("--from", "2026-01-08T09:00:00Z", "--to", "2026-01-08T10:00:00Z"));

    @TempDir
    private Path folder;

    @BeforeAll
    static void read() throws IOException {
        StringBuilder comment = new StringBuilder();
        for (String line : lines()) {
            Matcher entry = ENTRY.matcher(line);
            if (entry.matches()) {
                assertThat(DEFAULTS.put(entry.group(1), entry.group(2)))
                        .as("%s stands twice", entry.group(1))
                        .isNull();
                COMMENTS.put(entry.group(1), comment.toString());
                comment.setLength(0);
            } else {
                assertThat(line)
                        .as("a comment begins with '# ', a key with '#' alone")
                        .matches("|#|# .*");
                comment = line.isEmpty()
                        ? new StringBuilder()
                        : comment.append(line).append('\n');
            }
        }
    }

    /** With {@code -Dengagement.reference.write=true} it writes the file instead. */
    @Test
    void itIsWhatTheKeysDeclare() throws IOException {
        Path file = Path.of("src/main/resources").resolve(ReferenceFile.NAME);
        if (Boolean.getBoolean("engagement.reference.write")) {
            Files.writeString(file, ReferenceFile.text());
        }
        assertThat(Files.readString(file))
                .as("written anew by ./mvnw test -Dtest=ReferenceFileTest -Dengagement.reference.write=true")
                .isEqualTo(ReferenceFile.text());
    }

    @Test
    void holdsEveryKeyAndNoOther() {
        assertThat(DEFAULTS.keySet())
                .containsExactlyInAnyOrderElementsOf(
                        Keys.ALL.stream().map(ReferenceFile::entry).toList());
    }

    @Test
    void defaultsAreThoseOfTheCode() {
        for (Key<?> key : Keys.ALL) {
            String text = key.defaultText();
            assertThat(DEFAULTS).containsEntry(ReferenceFile.entry(key), text == null ? "" : text);
        }
    }

    @Test
    void everyKeyIsExplained() {
        for (Key<?> key : Keys.ALL) {
            assertThat(COMMENTS.get(ReferenceFile.entry(key)))
                    .as("comment of %s", key)
                    .isNotBlank();
            if (key.type().ordered()) {
                assertThat(COMMENTS.get(ReferenceFile.entry(key)))
                        .as("comment of %s", key)
                        .contains("Too low:", "Too high:")
                        .containsPattern("Duration|Size|Number|duration");
            }
        }
    }

    @Test
    void boundsAreThoseThatAreHeld() {
        for (Key<?> key : Keys.ALL) {
            String said = key.explanation().replaceAll("\\s+", " ").replaceAll("(?<=\\d),(?=\\d{3})", "");
            String bounds = key.type().bounds();
            // A room's own record may bound it on the other side, too.
            assertThat(said)
                    .as("explanation of %s", key)
                    .containsAnyOf(bounds, bounds.replaceFirst("at least ", "") + " to ");
        }
    }

    @ParameterizedTest
    @EnumSource
    void uncommentedItChangesNothing(Command command) throws IOException {
        Path file = folder.resolve("all.properties");
        Files.write(
                file,
                DEFAULTS.entrySet().stream()
                        .filter(entry -> entry.getKey().matches("[a-z].*[a-z]"))
                        .filter(entry ->
                                !entry.getValue().isEmpty() && !entry.getValue().contains("{"))
                        .map(entry -> entry.getKey() + "=" + entry.getValue())
                        .toList());
        Map<String, String> environment = Map.of(
                "ENGAGEMENT_POSTGRES_USERNAME", "u",
                "ENGAGEMENT_POSTGRES_PASSWORD", "p",
                // Without it, rollups are left out of the default, and refused where they are given.
                "ENGAGEMENT_ROLLUP_POSTGRES_USERNAME", "r",
                "ENGAGEMENT_WAREHOUSE_PROJECT", "w");

        List<String> required = OF_ONE_START.getOrDefault(command, List.of());
        Settings byFile = Settings.parse(
                command,
                Stream.concat(required.stream(), Stream.of("--config", file.toString()))
                        .toArray(String[]::new),
                environment);
        Settings byDefault = Settings.parse(command, required.toArray(String[]::new), environment);

        assertThat(byFile.jobName()).isEqualTo(byDefault.jobName());
        assertThat(byFile.topics()).isEqualTo(byDefault.topics());
        if (command == Command.CAPTURE) {
            assertThat(byFile.captureOptions().toString())
                    .isEqualTo(byDefault.captureOptions().toString());
        } else if (command == Command.BACKFILL) {
            assertThat(byFile.backfillOptions().toString())
                    .isEqualTo(byDefault.backfillOptions().toString());
            assertThat(byFile.warehouseOptions()).isEqualTo(byDefault.warehouseOptions());
        } else if (command == Command.REDRIVE) {
            assertThat(byFile.redriveOptions().toString())
                    .isEqualTo(byDefault.redriveOptions().toString());
            assertThat(byFile.warehouseOptions()).isEqualTo(byDefault.warehouseOptions());
        } else if (command == Command.AUDIT) {
            assertThat(byFile.auditOptions().toString())
                    .isEqualTo(byDefault.auditOptions().toString());
        } else {
            assertThat(byFile.ingestOptions()).isEqualTo(byDefault.ingestOptions());
            assertThat(byFile.enrichmentOptions()).isEqualTo(byDefault.enrichmentOptions());
            assertThat(byFile.dedupeOptions()).isEqualTo(byDefault.dedupeOptions());
            assertThat(byFile.destinations()).isEqualTo(byDefault.destinations());
            assertThat(byFile.liveViewOptions()).isEqualTo(byDefault.liveViewOptions());
            assertThat(byFile.warehouseOptions()).isEqualTo(byDefault.warehouseOptions());
            if (command == Command.STREAM) {
                assertThat(byFile.deliveryOptions()).isEqualTo(byDefault.deliveryOptions());
                assertThat(byFile.rollupOptions().toString())
                        .isEqualTo(byDefault.rollupOptions().toString());
            }
        }
    }

    @Test
    void noTwoKeysShareAVariable() {
        assertThat(Keys.ALL.stream().map(Key::variable).collect(Collectors.toSet()))
                .hasSameSizeAs(Keys.ALL);
    }

    private static List<String> lines() throws IOException {
        try (InputStream file = Keys.class.getResourceAsStream("/engagement-reference.properties")) {
            assertThat(file).as("engagement-reference.properties").isNotNull();
            return new String(file.readAllBytes(), StandardCharsets.UTF_8)
                    .lines()
                    .toList();
        }
    }
}
