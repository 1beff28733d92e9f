package dev.engagement.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.engagement.api.read.WarehouseReadOptions;
import dev.engagement.api.web.Right;
import dev.engagement.rollup.definition.RollupDefinition;
import dev.engagement.rollup.definition.RollupDefinitions;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ApiOptionsTest {

    @TempDir
    private Path folder;

    @Test
    void without_a_word_it_listens_on_loopback_reads_redis_and_takes_no_events() {
        ApiOptions options = parse(Map.of());

        assertThat(options.web().address()).isEqualTo("127.0.0.1");
        assertThat(options.web().port()).isEqualTo(8088);
        assertThat(options.web().tokens().isOpen(Right.READ)).isTrue();
        assertThat(options.read().redis().server()).isEqualTo("localhost:6379/0");
        assertThat(options.read().source()).isNull();
        assertThat(options.read().rollupTables()).isNull();
        assertThat(options.read().rollups())
                .extracting(RollupDefinition::name)
                .isEqualTo(RollupDefinitions.shippedNames());
        assertThat(options.live().eventTypes()).containsExactly("play", "pause", "finish", "click");
        assertThat(options.track()).isNull();
    }

    @Test
    void the_command_line_wins_over_the_environment_and_that_over_the_file() throws IOException {
        String file = file("""
                api.port=1
                api.read-rate=1
                api.write-rate=1
                """);
        ApiOptions options = parse(
                Map.of("ENGAGEMENT_CONFIG", file, "ENGAGEMENT_API_PORT", "2", "ENGAGEMENT_API_READ_RATE", "2"),
                "--api.port=3");

        assertThat(options.web().port()).isEqualTo(3);
        assertThat(options.web().limits().readRate()).isEqualTo(2);
        assertThat(options.web().limits().writeRate()).isEqualTo(1);
    }

    @Test
    void values_have_their_units() {
        ApiOptions options = parse(
                Map.of("ENGAGEMENT_POSTGRES_USERNAME", "u"),
                "--api.idle-timeout",
                "PT1M",
                "--api.max-header-bytes",
                "32 KB",
                "--api.track.max-body-bytes=2097152",
                "--api.track.keys-kept-for=36 h",
                "--api.allowed-origins=https://Metrics.example.com, http://localhost:3000",
                "--redis.url=rediss://redis.example.com/3",
                "--redis.key-prefix",
                "staging:");

        assertThat(options.web().limits().idleTimeout()).isEqualTo(Duration.ofMinutes(1));
        assertThat(options.web().limits().maxHeaderBytes()).isEqualTo(32_768);
        assertThat(options.web().limits().maxBodyBytes()).isEqualTo(2_097_152);
        assertThat(options.track()).isNotNull();
        assertThat(options.track().keysKeptFor()).isEqualTo(Duration.ofHours(36));
        assertThat(options.web().allowedOrigins())
                .containsExactlyInAnyOrder("https://metrics.example.com", "http://localhost:3000");
        assertThat(options.read().redis().server()).isEqualTo("redis.example.com:6379/3");
        assertThat(options.read().redis().keyPrefix()).isEqualTo("staging:");
    }

    @Test
    void rollups_are_defined_as_the_job_has_them() throws IOException {
        String file = file("""
                rollups=shipped,views_by_device
                rollup.views_by_device.by=device
                rollup.views_by_device.window=1 min
                rollup.views_by_device.measures=views=count_if(event_type = play)
                """);

        ApiOptions options = parse(
                Map.of("ENGAGEMENT_ROLLUP_VIEWS_BY_DEVICE_WINDOW", "2 min", "ENGAGEMENT_ROLLUP_POSTGRES_USERNAME", "r"),
                "--config",
                file);

        assertThat(options.read().rollups())
                .filteredOn(rollup -> rollup.name().equals("views_by_device"))
                .singleElement()
                .satisfies(rollup -> assertThat(rollup.windowMillis()).isEqualTo(120_000));
        assertThat(options.read().rollupTables()).isNotNull();
    }

    @Test
    void a_file_and_an_environment_of_the_job_are_no_mistake() throws IOException {
        String file = file("""
                kafka.bootstrap-servers=kafka:9092
                kafka.properties.security.protocol=SSL
                warehouse.project=p
                checkpoint.interval=10 s
                api.port=4
                """);

        ApiOptions options = parse(
                Map.of(
                        "ENGAGEMENT_DELIVERY_URL", "http://127.0.0.1:1/nobody",
                        "ENGAGEMENT_KAFKA_PROPERTIES_SECURITY_PROTOCOL", "SSL",
                        "ENGAGEMENT_DELIVERY_SECRET", "x",
                        "ENGAGEMENT_LOCAL_JAVA_OPTS", "-Xmx1g",
                        "ENGAGEMENT_API_SERVICE_HOST", "10.0.0.1",
                        "ENGAGEMENT_API_PORT_80_TCP", "tcp://10.0.0.1:80",
                        "ENGAGEMENT_API_PORT", "tcp://10.0.0.1:80",
                        "PATH", "/bin"),
                "--config",
                file);

        assertThat(options.web().port()).isEqualTo(4);
        assertThat(options.read().warehouse())
                .isEqualTo(new WarehouseReadOptions(
                        "p",
                        "analytics",
                        "engagement_events",
                        URI.create("https://bigquery.googleapis.com"),
                        null,
                        Duration.ofSeconds(10),
                        10L << 30));
    }

    @Test
    void a_table_that_could_end_a_statement_is_no_name() {
        for (String table : List.of("a`b", "a\\b", "a.b", "a'b")) {
            assertThatThrownBy(() -> parse(Map.of(), "--warehouse.project", "p", "--warehouse.table", table))
                    .hasMessageContaining("warehouse.table is '" + table + "'; it must be a name");
        }
    }

    @ParameterizedTest
    @CsvSource({
        "--api.prot=1, did you mean --api.port?",
        "--api.tokn.secret-file=x, did you mean --api.token.secret-file?",
        "--redis.ulr=x, did you mean --redis.url?",
        "--port=1, did you mean --api.port?",
        "--kafka.group-id=x, which is one of the job",
        "--nothing.like.it.anywhere=1, --help lists all",
        "--api.token=x, is a secret",
        "--postgres.password=x, is a secret",
        "--api.port=x, it must be a whole number",
        "--api.port=65536, 0 to 65535",
        "--api.port, has no value",
        "--api.idle-timeout=30, it has no unit",
        "--warehouse.endpoint=bigquery:9050, it must be of the form https://host:port",
        "--warehouse.endpoint=https://user@host, it must be of the form https://host:port",
        "--warehouse.endpoint=https://big_query, checks no certificate",
        "--api.warehouse-timeout=1 h, 1 s to 1 min",
        "--api.warehouse-max-bytes=1 kb, 10 mb to 1000000 gb",
        "--api.idle-timeout=1 s, 5 s to 10 min",
        "--api.max-header-bytes=1 gb, 4 kb to 64 kb",
        "--api.allowed-hosts=http://x, is not a host",
        "--api.allowed-origins=metrics.example.com, is not an origin",
        "--redis.url=http://x, it must be of the form redis://",
        "--postgres.url=mysql://x, it must be of the form jdbc:postgresql://",
        "--api.live.max-clients=4000, leave some for requests",
        "--api.address=0.0.0.0, ENGAGEMENT_API_TOKEN",
        "--rollups=nothing, is not defined",
        "stray, does not begin with --"
    })
    void what_cannot_be_used_is_said_with_the_way_out(String argument, String saying) {
        assertThat(problems(Map.of(), argument)).contains(saying).contains("nothing was started");
    }

    @Test
    void typing_errors_in_file_and_environment_are_found_too() throws IOException {
        String file = file("api.thraeds=8\nkafka.bootstrp-servers=x\napi.token=x\n");

        assertThat(problems(Map.of("ENGAGEMENT_API_PROT", "1"), "--config", file))
                .contains("Unknown key 'api.thraeds'")
                .contains("did you mean api.threads?")
                .contains("did you mean kafka.bootstrap-servers?")
                .contains("Unknown environment variable ENGAGEMENT_API_PROT; did you mean ENGAGEMENT_API_PORT?")
                .contains("api.token stands in");
        assertThat(problems(Map.of(), "--config=/nowhere/at/all"))
                .contains("/nowhere/at/all")
                .contains("does not exist");
    }

    @Test
    void all_that_is_wrong_is_said_at_once() {
        assertThat(problems(Map.of(), "--api.port=x", "--api.threads=1", "--rollups=")
                        .lines()
                        .filter(line -> line.startsWith("  - ")))
                .hasSize(3);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "jdbc:postgresql://u:hunter2@host/db",
                "jdbc:postgresql://host/db?user=u&password=hunter2",
                "jdbc:postgresql://host/db?sslpassword=hunter2"
            })
    void a_password_where_it_does_not_belong_is_refused_and_not_repeated(String url) {
        assertThat(problems(Map.of("ENGAGEMENT_POSTGRES_USERNAME", "u"), "--postgres.url", url))
                .contains("ENGAGEMENT_POSTGRES_PASSWORD")
                .doesNotContain("hunter2");
        assertThat(problems(Map.of(), "--redis.url", "redis://u:hunter2@host")).doesNotContain("hunter2");
        assertThat(problems(Map.of(), "--api.port", "1", "hunter2")).doesNotContain("hunter2");
    }

    @Test
    void secrets_are_references_and_given_once() throws IOException {
        String token = file("a-token-for-everything-0123456789");
        ApiOptions options = parse(
                Map.of("ENGAGEMENT_REDIS_PASSWORD", "hunter2"),
                "--api.token.secret-file",
                token,
                "--api.address=0.0.0.0");

        assertThat(options.toString()).contains("secret in ").doesNotContain("hunter2", "a-token-for-everything");
        assertThat(options.web().tokens().isOpen(Right.METRICS)).isFalse();
        assertThat(problems(Map.of("ENGAGEMENT_API_TOKEN", "x"), "--api.token.secret-file", token))
                .contains("api.token is given twice");
    }

    @Test
    void the_records_of_the_rooms_speak_of_the_options_as_they_are_called() {
        assertThat(problems(
                        Map.of("ENGAGEMENT_POSTGRES_USERNAME", "u"),
                        "--api.track.max-body-bytes=10 kb",
                        "--api.track.max-event-bytes=1 mb"))
                .contains("api.track.max-event-bytes is 1048576");
        assertThat(problems(Map.of("ENGAGEMENT_POSTGRES_USERNAME", "u"), "--api.event-types="))
                .contains("event-types is empty");
    }

    @Test
    void help_names_every_option() {
        String help = ApiHelp.text();

        assertThat(ApiKeys.ALL)
                .allSatisfy(key -> assertThat(help).contains(key.isSecret() ? key.variable() : "--" + key.name()));
        assertThat(help.lines()).allSatisfy(line -> assertThat(line.length()).isLessThanOrEqualTo(130));
    }

    private static ApiOptions parse(Map<String, String> environment, String... args) {
        return ApiOptions.parse(args, environment);
    }

    private static String problems(Map<String, String> environment, String... args) {
        ApiOptionsException refused =
                catchThrowableOfType(ApiOptionsException.class, () -> ApiOptions.parse(args, environment));
        assertThat(refused).as("%s", List.of(args)).isNotNull();
        return String.valueOf(refused.getMessage());
    }

    private String file(String text) throws IOException {
        Path file = folder.resolve("f" + Math.abs(text.hashCode()));
        Files.writeString(file, text);
        return file.toString();
    }
}
