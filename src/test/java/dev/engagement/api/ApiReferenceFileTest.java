package dev.engagement.api;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ApiReferenceFileTest {

    private static final Path FILE = Path.of("src/main/resources").resolve(ApiReferenceFile.NAME);

    /** A key that is commented out; words are commented with a blank behind the sign. */
    private static final Pattern ENTRY = Pattern.compile("(?m)^#([^ #=][^ =]*)=(.*)$");

    @TempDir
    private Path folder;

    /** With {@code -Dengagement.reference.write=true} it writes the file instead. */
    @Test
    void it_is_what_the_keys_declare() throws IOException {
        if (Boolean.getBoolean("engagement.reference.write")) {
            Files.writeString(FILE, ApiReferenceFile.text());
        }
        assertThat(Files.readString(FILE))
                .as("written anew by ./mvnw test -Dtest=ApiReferenceFileTest -Dengagement.reference.write=true")
                .isEqualTo(ApiReferenceFile.text());
    }

    @Test
    void it_holds_every_key_with_its_default_and_no_other() throws IOException {
        Map<String, String> expected = new LinkedHashMap<>();
        for (ApiKey<?> key : ApiKeys.ALL) {
            String text = key.defaultText();
            expected.put(ApiReferenceFile.entry(key), text == null ? "" : text);
        }

        assertThat(entries()).isEqualTo(expected);
    }

    @Test
    void every_key_is_explained_with_the_bounds_that_are_held() {
        for (ApiKey<?> key : ApiKeys.ALL) {
            String said = key.explanation().replaceAll("\\s+", " ");
            assertThat(said).as(key.name()).isNotBlank().contains(key.type().bounds());
            if (key.type().isOrdered() && !key.name().equals("api.port")) {
                assertThat(said)
                        .as(key.name())
                        .contains("Too low:", "Too high:")
                        .containsPattern("Duration|Size|Number");
            }
        }
    }

    @Test
    void uncommented_it_changes_nothing() throws IOException {
        Path file = folder.resolve("all.properties");
        StringBuilder lines = new StringBuilder();
        entries().forEach((key, value) -> {
            if (key.matches("[a-z].*[a-z0-9]")) {
                lines.append(key).append('=').append(value).append('\n');
            }
        });
        Files.writeString(file, lines);
        Map<String, String> environment = Map.of(
                "ENGAGEMENT_POSTGRES_USERNAME", "u",
                "ENGAGEMENT_ROLLUP_POSTGRES_USERNAME", "r");

        ApiOptions byFile = ApiOptions.parse(new String[] {"--config", file.toString()}, environment);
        ApiOptions byDefault = ApiOptions.parse(new String[0], environment);

        assertThat(byFile.toString()).isEqualTo(byDefault.toString());
    }

    @Test
    void no_two_keys_share_a_variable() {
        Set<String> variables = new HashSet<>();
        assertThat(ApiKeys.ALL)
                .allSatisfy(key ->
                        assertThat(variables.add(key.variable())).as(key.name()).isTrue());
    }

    @Test
    void what_the_job_has_as_well_has_the_same_default() {
        for (ApiKey<?> key : ApiKeys.ALL) {
            if (JobsKeys.hasName(key.name()) && !key.name().startsWith("rollup.")) {
                assertThat(jobs())
                        .containsEntry(
                                key.name(), entriesOf(ApiReferenceFile.text()).get(key.name()));
            }
        }
        assertThat(JobsKeys.names()).contains("redis.url", "postgres.url", "rollups", "kafka.bootstrap-servers");
    }

    private static Map<String, String> jobs() {
        try {
            return entriesOf(Files.readString(Path.of("src/main/resources/engagement-reference.properties")));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static Map<String, String> entries() throws IOException {
        return entriesOf(Files.readString(FILE));
    }

    private static Map<String, String> entriesOf(String text) {
        Map<String, String> entries = new LinkedHashMap<>();
        Matcher entry = ENTRY.matcher(text);
        while (entry.find()) {
            assertThat(entries.put(entry.group(1), entry.group(2)))
                    .as(entry.group(1))
                    .isNull();
        }
        return entries;
    }
}
