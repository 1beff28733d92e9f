package dev.engagement.local;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.microsoft.playwright.assertions.PlaywrightAssertions;
import com.microsoft.playwright.options.ColorScheme;
import dev.engagement.api.Chromium;
import dev.engagement.connection.PostgresDriver;
import java.io.IOException;
import java.io.StringReader;
import java.net.URI;
import java.net.http.HttpRequest;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Properties;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.apache.flink.util.FileUtils;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The local stack as its user has it: a process of its own, with real servers and, for the self-check, real jobs. */
class LocalStackIT {

    private static final Path DIRECTORY = Path.of("target/it/local-stack").toAbsolutePath();
    /** A guard against hanging, longer than the stack's own timeout, which says what it waits for. */
    private static final long MINUTES = 20;

    private final List<Process> started = new ArrayList<>();

    @BeforeAll
    static void forgetEarlierRuns() throws IOException {
        FileUtils.deleteDirectory(DIRECTORY.toFile());
    }

    @AfterEach
    void leaveNothing() {
        started.forEach(Process::destroyForcibly);
        serversOf(DIRECTORY).forEach(ProcessHandle::destroyForcibly);
    }

    @ParameterizedTest
    @ValueSource(strings = {"--parallelism=2", "--cluster"})
    void theSelfCheckFindsEveryEventInEveryDestinationAndLeavesNoProcess(String option) throws Exception {
        // Below a folder as people have them: with a space, and with a letter that is not ASCII.
        Path directory = Folders.create(DIRECTORY.resolve("a b/ü" + option));
        Process stack = start(
                directory, option, "--events", "600", "--rate", "300", "--burst", "100", "--timeout", "300", "--exit");
        boolean ended = stack.waitFor(MINUTES, TimeUnit.MINUTES);
        String output = output(directory);
        assertThat(ended).as(output).isTrue();
        assertThat(stack.exitValue()).as(output).isZero();
        assertThat(output)
                .containsPattern("page +http://127[.]0[.]0[.]1:[0-9]+/")
                .contains("PASSED")
                .containsPattern("events +600 +600 +equal")
                .containsPattern("rows +600 +600 +equal")
                .doesNotContain("INFO:")
                .containsPattern("events delivered, or UNDELIVERABLE +600 +600 +equal")
                .containsPattern("rows with the source's facts, once +600 +600 +equal")
                .containsPattern("closed windows \\(metrics\\) +\\d+ +\\d+ +equal")
                .containsPattern("windows shown, and newest events in one \\(metric:…:30s\\) +[1-9]\\d* +\\d+ +equal");
        assertThat(serversOf(directory)).isEmpty();
        assertThat(strangers()).isEmpty();
        assertThat(Files.readAllLines(directory.resolve("target/local/endpoints.properties")))
                .anyMatch(line -> line.startsWith("postgres.url=jdbc:postgresql://127.0.0.1:"))
                .anyMatch(line -> line.startsWith("postgres.username="))
                .anyMatch(line -> line.startsWith("postgres.password="))
                .anyMatch(line -> line.matches("analytics[.]url=jdbc:postgresql://127[.]0[.]0[.]1:[0-9]+/analytics"))
                .anyMatch(line -> line.startsWith("kafka.bootstrap-servers=127.0.0.1:"))
                .anyMatch(line -> line.startsWith("redis.url=redis://127.0.0.1:"))
                .anyMatch(line -> line.startsWith("bigquery.rest=http://127.0.0.1:"))
                .anyMatch(line -> line.startsWith("bigquery.grpc=127.0.0.1:"))
                .anyMatch(line -> line.equals("warehouse.project=local"))
                .anyMatch(line -> line.startsWith("receiver.url=http://127.0.0.1:"))
                .anyMatch(line -> line.startsWith("api.url=http://127.0.0.1:"))
                .anyMatch(line -> line.startsWith("flink.rest=http://127.0.0.1:"));
    }

    @Test
    void aKilledRunIsSweptByTheNextAndATerminatedOneLeavesNothing() throws Exception {
        Path directory = Folders.create(DIRECTORY.resolve("killed"));
        Process killed = start(directory, "--no-jobs");
        awaitFirstLine(directory);
        assertThat(killed.destroyForcibly().waitFor(MINUTES, TimeUnit.MINUTES)).isTrue();
        assertThat(serversOf(directory)).isNotEmpty();

        Process next = start(directory, "--no-jobs");
        awaitFirstLine(directory);
        assertThat(output(directory)).contains("swept servers that a killed earlier run left behind");
        Process second = startWritingTo("second.out", directory, "--no-jobs");
        assertThat(second.waitFor(MINUTES, TimeUnit.MINUTES)).isTrue();
        assertThat(second.exitValue()).isEqualTo(1);
        assertThat(Files.readString(directory.resolve("second.out"))).contains("Another local stack runs");

        next.destroy();
        assertThat(next.waitFor(MINUTES, TimeUnit.MINUTES)).isTrue();
        assertThat(serversOf(directory)).isEmpty();
        assertThat(output(directory)).endsWith("stopped\n");
    }

    @Test
    void whatIsInsertedIntoPostgresqlIsSeenOnThePage() throws Exception {
        Chromium.need("a row that is inserted into PostgreSQL is seen on the page");
        Path directory = Folders.create(DIRECTORY.resolve("page"));
        Process stack = start(directory, "--rate", "0");
        Path file = directory.resolve("target/local/endpoints.properties");
        await().atMost(Duration.ofMinutes(MINUTES)).until(() -> Files.exists(file) || !stack.isAlive());
        assertThat(stack.isAlive()).as(output(directory)).isTrue();
        Properties endpoints = new Properties();
        endpoints.load(new StringReader(Files.readString(file)));
        String api = endpoints.getProperty("api.url");
        // Until the job has made the rollups' tables nothing is known of the past, as the page would say.
        ControlHttp http = new ControlHttp("The API");
        await().atMost(Duration.ofMinutes(MINUTES)).ignoreExceptions().until(() -> http.send(
                        HttpRequest.newBuilder(URI.create(api + "/metrics/history?event_type=play")))
                .contains("entries"));

        try (Chromium chromium = Chromium.start();
                Chromium.Look look = chromium.look(api + "/", 1_440, ColorScheme.LIGHT)) {
            PlaywrightAssertions.assertThat(look.page().locator(".card")).hasCount(5);
            Properties login = new Properties();
            login.setProperty("user", endpoints.getProperty("postgres.username"));
            login.setProperty("password", endpoints.getProperty("postgres.password"));
            try (Connection connection = PostgresDriver.connect(endpoints.getProperty("postgres.url"), login);
                    Statement statement = connection.createStatement()) {
                statement.execute("INSERT INTO content VALUES ('7c9e6679-7425-40de-944b-e07fc1f90ae7', 'rivers',"
                        + " 'The <b>Secret</b> Life of Rivers', 'podcast', 60, now())");
                statement.execute("INSERT INTO engagement_events (content_id, user_id, event_type, event_ts, device)"
                        + " SELECT '7c9e6679-7425-40de-944b-e07fc1f90ae7', gen_random_uuid(), 'play', now(), 'web'"
                        + " FROM generate_series(1, 7)");
            }

            PlaywrightAssertions.assertThat(look.page().locator(".card[data-type=play] .big"))
                    .hasText("7");
            PlaywrightAssertions.assertThat(look.page().locator(".card[data-type=click] .big"))
                    .hasText("0");
            assertThat(look.errors()).isEmpty();
        }
        // Of a new database; its row shows with the next checkpoint.
        await().atMost(Duration.ofMinutes(MINUTES)).ignoreExceptions().until(() -> http.send(
                        HttpRequest.newBuilder(URI.create(api + "/events/1?fallback=warehouse")))
                .contains("\"slug\":\"rivers\""));
        stack.destroy();
        assertThat(stack.waitFor(MINUTES, TimeUnit.MINUTES)).isTrue();
    }

    @Test
    void anUnknownOptionIsRefusedBeforeAnythingStarts() throws Exception {
        Path directory = Folders.create(DIRECTORY.resolve("unknown"));
        Process stack = start(directory, "--evnets", "5");
        assertThat(stack.waitFor(MINUTES, TimeUnit.MINUTES)).isTrue();
        assertThat(stack.exitValue()).isEqualTo(2);
        assertThat(output(directory))
                .isEqualTo("Unknown option '--evnets'; scripts/local.sh --help lists the options\n");
        assertThat(directory.resolve("target")).doesNotExist();
    }

    /** Files whose place was written in another form than it has: {@code %20} for a space, letters in another encoding. */
    private static List<Path> strangers() throws IOException {
        try (Stream<Path> all = Files.walk(DIRECTORY)) {
            return all.filter(path -> path.toString().contains("%20")
                            || path.toString().contains("%C3")
                            || path.toString().contains("Ã"))
                    .toList();
        }
    }

    private static void awaitFirstLine(Path directory) {
        await().atMost(Duration.ofMinutes(MINUTES))
                .until(() -> output(directory).contains("dead letters"));
    }

    private Process start(Path directory, String... arguments) throws IOException {
        return startWritingTo("out", directory, arguments);
    }

    private Process startWritingTo(String output, Path directory, String... arguments) throws IOException {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "--add-opens=java.base/java.util=ALL-UNNAMED",
                "--add-opens=java.base/java.time=ALL-UNNAMED",
                "--add-opens=java.base/java.lang=ALL-UNNAMED",
                "-Xmx1g",
                "-Dfile.encoding=UTF-8",
                "-Dlog4j2.configurationFile=dev/engagement/local/log4j2-local.properties",
                "-Djava.util.logging.config.file="
                        + Path.of("src/main/resources/dev/engagement/local/logging.properties")
                                .toAbsolutePath(),
                "-D" + SessionCluster.SCRIPTS_PROPERTY + "="
                        + Path.of("scripts").toAbsolutePath(),
                "-Dengagement.local.programs=" + Path.of("target/servers").toAbsolutePath(),
                "-cp",
                System.getProperty("java.class.path"),
                LocalStack.class.getName()));
        command.addAll(List.of(arguments));
        ProcessBuilder builder = new ProcessBuilder(command)
                .directory(directory.toFile())
                .redirectErrorStream(true)
                .redirectOutput(directory.resolve(output).toFile());
        // What the machine's user has set for his own jobs is not part of this test.
        builder.environment().keySet().removeIf(name -> name.startsWith("ENGAGEMENT_"));
        Process process = builder.start();
        started.add(process);
        return process;
    }

    private static String output(Path directory) throws IOException {
        return Files.readString(directory.resolve("out"));
    }

    /** Servers that were started below that folder, whoever their parent is now. */
    private static List<ProcessHandle> serversOf(Path directory) {
        return ProcessHandle.allProcesses()
                .filter(process -> process.info().commandLine().orElse("").contains(directory.toString())
                        || workingDirectory(process).startsWith(directory))
                .filter(process -> process.pid() != ProcessHandle.current().pid())
                .toList();
    }

    private static Path workingDirectory(ProcessHandle process) {
        try {
            return Files.readSymbolicLink(Path.of("/proc", Long.toString(process.pid()), "cwd"));
        } catch (IOException notOurs) {
            return Path.of("/");
        }
    }
}
