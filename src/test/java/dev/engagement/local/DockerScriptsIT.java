package dev.engagement.local;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.sun.net.httpserver.HttpServer;
import dev.engagement.config.Keys;
import dev.engagement.connection.PostgresDriver;
import dev.engagement.report.testing.Programs;
import java.io.File;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermission;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import redis.clients.jedis.Jedis;

/** The scripts of the containers, outside of containers. */
class DockerScriptsIT {

    private static final Path DIRECTORY = Path.of("target/it/docker-scripts").toAbsolutePath();
    private static final Path DOCKER = Path.of("docker").toAbsolutePath();
    /** Whatever a person may choose. */
    private static final String PASSWORD = "it's \"quoted\" \\ $HOME `id` %s";

    private static PostgresServer postgres;

    @BeforeAll
    static void start() {
        PostgresServer.discard(DIRECTORY.resolve("postgres"));
        Folders.deleteRecursively(DIRECTORY);
        postgres = PostgresServer.start(DIRECTORY.resolve("postgres"), 0);
        Schema.create(postgres);
    }

    @AfterAll
    static void stop() {
        postgres.close();
    }

    @Test
    void redis_has_the_password_in_no_argument_and_keeps_what_it_is_told() throws Exception {
        Path folder = Files.createDirectories(DIRECTORY.resolve("redis"));
        int port = Ports.free();
        Files.createSymbolicLink(folder.resolve("redis-server"), Binaries.redis());
        Map<String, String> environment = Map.of(
                "REDISCLI_AUTH",
                PASSWORD,
                "REDIS_DIRECTORY",
                folder.toString(),
                "REDIS_PORT",
                Integer.toString(port),
                "PATH",
                folder + File.pathSeparator + System.getenv("PATH"));

        for (@Nullable String expected : new @Nullable String[] {null, "kept"}) {
            Process server = launch(
                    "redis",
                    environment,
                    List.of(DOCKER.resolve("redis/start.sh").toString()));
            try {
                await().ignoreExceptions().untilAsserted(() -> {
                    try (Jedis redis = new Jedis("127.0.0.1", port)) {
                        redis.auth(PASSWORD);
                        assertThat(redis.get("key")).isEqualTo(expected);
                        redis.set("key", "kept");
                        assertThat(redis.configGet("maxmemory-policy")).containsValue("noeviction");
                    }
                });
                assertThat(Files.readString(Path.of("/proc", Long.toString(server.pid()), "cmdline")))
                        .contains("redis-server")
                        .doesNotContain("quoted");
            } finally {
                end(server);
            }
        }
    }

    @Test
    void redis_does_not_start_without_a_password() throws Exception {
        Programs.Ended ended = Programs.run(
                DIRECTORY,
                Map.of("REDISCLI_AUTH", ""),
                List.of(DOCKER.resolve("redis/start.sh").toString()));
        assertThat(ended.code()).isNotZero();
        assertThat(ended.text()).contains("REDIS_PASSWORD in .env");
    }

    @Test
    void the_roles_can_do_their_work_and_no_more() throws Exception {
        Programs.need("psql", "postgresql-client", "the roles of the containers can do their work and no more");
        Map<String, String> environment = Map.of(
                "PGHOST",
                "127.0.0.1",
                "PGPORT",
                Integer.toString(postgres.port()),
                "PGPASSWORD",
                postgres.password(),
                "POSTGRES_USER",
                postgres.username(),
                "POSTGRES_DB",
                postgres.jdbcUrl().replaceFirst(".*/", ""),
                "CAPTURE_PASSWORD",
                PASSWORD,
                "GENERATOR_PASSWORD",
                "generator's",
                "ROLLUP_PASSWORD",
                PASSWORD,
                "API_PASSWORD",
                PASSWORD);
        Programs.Ended ended = Programs.run(
                DIRECTORY,
                environment,
                List.of(DOCKER.resolve("postgres/roles.sh").toString()));
        assertThat(ended).isEqualTo(new Programs.Ended(0, ""));

        Properties login = new Properties();
        login.setProperty("user", "capture");
        login.setProperty("password", PASSWORD);
        try (Connection capture = PostgresDriver.connect(postgres.jdbcUrl(), login);
                Statement statement = capture.createStatement()) {
            try (ResultSet answer = statement.executeQuery("SELECT rolreplication, rolsuper FROM pg_roles"
                    + " WHERE rolname = current_user AND has_table_privilege('engagement_heartbeat', 'UPDATE')"
                    + " AND has_table_privilege('content', 'SELECT')"
                    + " AND NOT has_table_privilege('engagement_events', 'INSERT')")) {
                assertThat(answer.next()).isTrue();
                assertThat(answer.getBoolean(1)).isTrue();
                assertThat(answer.getBoolean(2)).isFalse();
            }
        }
        login.setProperty("user", "rollups");
        try (Connection rollups = PostgresDriver.connect(postgres.jdbcUrl(PostgresServer.ANALYTICS), login);
                Statement statement = rollups.createStatement()) {
            statement.execute("CREATE TABLE metrics (count BIGINT)");
        }
        login.setProperty("user", "api");
        try (Connection api = PostgresDriver.connect(postgres.jdbcUrl(PostgresServer.ANALYTICS), login);
                Statement statement = api.createStatement();
                ResultSet answer = statement.executeQuery("SELECT count(*) FROM metrics"
                        + " WHERE has_table_privilege('metrics', 'INSERT') OR"
                        + " has_table_privilege('metrics', 'DELETE')")) {
            assertThat(answer.next()).isTrue();
        }
        try (Connection api = PostgresDriver.connect(postgres.jdbcUrl(), login);
                Statement statement = api.createStatement();
                ResultSet answer = statement.executeQuery("SELECT rolsuper OR rolreplication OR rolcreatedb OR"
                        + " has_table_privilege('content', 'INSERT') OR"
                        + " has_table_privilege('engagement_events', 'UPDATE') OR"
                        + " has_table_privilege('engagement_events', 'DELETE') OR"
                        + " NOT has_table_privilege('engagement_events', 'INSERT') OR"
                        + " NOT has_schema_privilege('public', 'CREATE')"
                        + " FROM pg_roles WHERE rolname = current_user")) {
            assertThat(answer.next()).isTrue();
            assertThat(answer.getBoolean(1)).isFalse();
        }
        login.setProperty("user", "rollups");
        try (Connection rollups = PostgresDriver.connect(postgres.jdbcUrl(), login);
                Statement statement = rollups.createStatement();
                ResultSet answer = statement.executeQuery("SELECT rolsuper OR rolreplication OR rolcreatedb OR"
                        + " has_table_privilege('content', 'SELECT') OR"
                        + " has_table_privilege('engagement_events', 'SELECT')"
                        + " FROM pg_roles WHERE rolname = current_user")) {
            assertThat(answer.next()).isTrue();
            assertThat(answer.getBoolean(1)).isFalse();
        }
        // As that role, the generator writes.
        Path tools = tools();
        Process generator = launch(
                "load",
                Map.of(
                        LoadProgram.RATE,
                        "0",
                        LoadProgram.BURST_MODE,
                        "true",
                        LoadProgram.BURST_COUNT,
                        "300",
                        LoadProgram.BURST_EVERY,
                        "0",
                        "DATA_DIRECTORY",
                        DIRECTORY.resolve("load-data").toString(),
                        Keys.POSTGRES_URL.variable(),
                        postgres.jdbcUrl(),
                        Keys.POSTGRES_USERNAME.variable(),
                        "generator",
                        Keys.POSTGRES_PASSWORD.variable(),
                        "generator's"),
                List.of(tools.resolve("start.sh").toString(), "load"));
        assertThat(generator.waitFor(5, TimeUnit.MINUTES)).isTrue();
        assertThat(Files.readString(DIRECTORY.resolve("load.log"))).contains("300 events, and no more to come");
        assertThat(generator.exitValue()).isZero();
        assertThat(count("engagement_events")).isEqualTo(300);
    }

    @Test
    void the_emulator_answers_its_health_check_once_it_is_up() throws Exception {
        Path tools = tools();
        int rest = Ports.free();
        List<String> check =
                List.of(DOCKER.resolve("tools/answers.sh").toString(), Integer.toString(rest), "/emulator/stats");
        assertThat(Programs.run(DIRECTORY, Map.of(), check).code()).isNotZero();

        Process emulator = launch(
                "bigquery",
                Map.of(
                        "DATA_DIRECTORY", DIRECTORY.resolve("bigquery-data").toString(),
                        "REST_PORT", Integer.toString(rest),
                        "GRPC_PORT", Integer.toString(Ports.free())),
                List.of(tools.resolve("start.sh").toString(), "bigquery"));
        try {
            await().untilAsserted(() ->
                    assertThat(Programs.run(DIRECTORY, Map.of(), check)).isEqualTo(new Programs.Ended(0, "")));
            List<String> wrong = List.of(check.get(0), check.get(1), "/nothing/here");
            assertThat(Programs.run(DIRECTORY, Map.of(), wrong).code()).isNotZero();
        } finally {
            end(emulator);
        }
    }

    @Test
    void the_receiver_takes_posts_that_are_signed_by_the_secret_of_the_environment() throws Exception {
        int port = Ports.free();
        Process receiver = launch(
                "receiver",
                Map.of(
                        "DATA_DIRECTORY", DIRECTORY.resolve("receiver-data").toString(),
                        "RECEIVER_PORT", Integer.toString(port),
                        "DELIVERY_SECRET", "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="),
                List.of(tools().resolve("start.sh").toString(), "receiver"));
        try {
            List<String> check =
                    List.of(DOCKER.resolve("tools/answers.sh").toString(), Integer.toString(port), "/stats");
            await().untilAsserted(() ->
                    assertThat(Programs.run(DIRECTORY, Map.of(), check)).isEqualTo(new Programs.Ended(0, "")));
            HttpRequest unsigned = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + "/events"))
                    .header("webhook-id", "evt_1")
                    .POST(HttpRequest.BodyPublishers.ofString("{\"event_id\":1}"))
                    .build();
            assertThat(HttpClient.newHttpClient()
                            .send(unsigned, HttpResponse.BodyHandlers.discarding())
                            .statusCode())
                    .isEqualTo(401);
            assertThat(Files.getPosixFilePermissions(DIRECTORY.resolve("receiver-data/receiver/secret")))
                    .containsOnly(PosixFilePermission.OWNER_READ, PosixFilePermission.OWNER_WRITE);
            assertThat(Files.readString(Path.of("/proc", Long.toString(receiver.pid()), "cmdline")))
                    .doesNotContain("whsec_");
        } finally {
            end(receiver);
        }
    }

    @Test
    void a_job_that_runs_is_left_alone_and_another_is_deployed_with_the_options() throws Exception {
        Path image = Files.createDirectories(DIRECTORY.resolve("flink/scripts")).getParent();
        Path submit = Files.copy(
                DOCKER.resolve("flink/submit.sh"), image.resolve("submit.sh"), StandardCopyOption.COPY_ATTRIBUTES);
        Path flink = script(image.resolve("flink"), """
                [[ $1 == list ]] && echo "27.11.2026 10:00:00 : 0123456789abcdef : engagement-capture (RESTARTING)"
                """);
        script(image.resolve("scripts/deploy.sh"), """
                echo "deploy $* of $ENGAGEMENT_FLINK_REST by $ENGAGEMENT_FLINK with $ENGAGEMENT_FLINK_LIB"; exit 4
                """);
        Map<String, String> environment = Map.of("ENGAGEMENT_FLINK", flink.toString(), "FLINK_HOME", "/flink");

        assertThat(Programs.run(DIRECTORY, environment, List.of(submit.toString(), "capture")))
                .isEqualTo(new Programs.Ended(0, "engagement-capture runs already; nothing to do\n"));
        String deployed = "deploy %s --config " + image.resolve("engagement.properties")
                + " of http://jobmanager:8081 by " + flink + " with /flink/lib\n";
        assertThat(Programs.run(DIRECTORY, environment, List.of(submit.toString(), "stream")))
                .as("its exit code is the script's")
                .isEqualTo(new Programs.Ended(4, deployed.formatted("stream")));
        Map<String, String> again = new HashMap<>(environment);
        again.put("REDEPLOY", "true");
        assertThat(Programs.run(DIRECTORY, again, List.of(submit.toString(), "capture")))
                .isEqualTo(new Programs.Ended(4, deployed.formatted("capture")));
        assertThat(Programs.run(DIRECTORY, environment, List.of(submit.toString(), "rebuild"))
                        .code())
                .isEqualTo(2);
    }

    private static Path script(Path file, String text) throws IOException {
        Files.writeString(file, "#!/usr/bin/env bash\n" + text);
        assertThat(file.toFile().setExecutable(true)).isTrue();
        return file;
    }

    @Test
    void an_unknown_program_is_refused_with_what_there_is() throws Exception {
        Programs.Ended ended = Programs.run(
                DIRECTORY, Map.of(), List.of(DOCKER.resolve("tools/start.sh").toString(), "kafka"));
        assertThat(ended.code()).isEqualTo(2);
        assertThat(ended.text()).contains("bigquery", "load");
    }

    @Test
    void a_connector_is_put_as_it_stands_in_its_file_and_a_refusal_is_shown() throws Exception {
        StringBuffer received = new StringBuffer();
        HttpServer connect = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        connect.createContext("/connectors/engagement/config", exchange -> {
            received.append(exchange.getRequestMethod()).append(' ');
            received.append(new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8));
            boolean first = !received.toString().contains("}PUT");
            byte[] answer = (first ? "{}" : "no such class").getBytes(StandardCharsets.UTF_8);
            exchange.sendResponseHeaders(first ? 201 : 400, answer.length);
            exchange.getResponseBody().write(answer);
            exchange.close();
        });
        connect.start();
        try {
            Path file = DOCKER.resolve("connect/engagement-source.json");
            List<String> command = List.of(
                    DOCKER.resolve("connect/register.sh").toString(),
                    "127.0.0.1:" + connect.getAddress().getPort(),
                    "engagement",
                    file.toString());
            Programs.Ended ended = Programs.run(DIRECTORY, Map.of(), command);
            assertThat(ended).isEqualTo(new Programs.Ended(0, "connector engagement is registered\n"));
            assertThat(received.toString())
                    .isEqualTo("PUT " + Files.readString(file).stripTrailing());

            Programs.Ended refused = Programs.run(DIRECTORY, Map.of(), command);
            assertThat(refused.code()).isEqualTo(1);
            assertThat(refused.text()).contains("refuses the connector engagement", "no such class");
        } finally {
            connect.stop(0);
        }
    }

    /** The folder of the tools' image: its scripts beside the classes and libraries of this build. */
    private static Path tools() throws IOException {
        Path folder = DIRECTORY.resolve("tools");
        if (Files.exists(folder)) {
            return folder;
        }
        Files.createDirectories(folder.resolve("lib"));
        Files.createSymbolicLink(
                folder.resolve("classes"), Path.of("target/classes").toAbsolutePath());
        Files.copy(DOCKER.resolve("tools/start.sh"), folder.resolve("start.sh"), StandardCopyOption.COPY_ATTRIBUTES);
        for (String entry : System.getProperty("java.class.path").split(File.pathSeparator)) {
            Path jar = Path.of(entry).toAbsolutePath();
            if (entry.endsWith(".jar")) {
                Files.createSymbolicLink(folder.resolve("lib").resolve(jar.getFileName()), jar);
            }
        }
        return folder;
    }

    private static Process launch(String name, Map<String, String> environment, List<String> command)
            throws IOException {
        ProcessBuilder builder = new ProcessBuilder(command)
                .directory(DIRECTORY.toFile())
                .redirectErrorStream(true)
                .redirectOutput(DIRECTORY.resolve(name + ".log").toFile());
        builder.environment().putAll(environment);
        Files.createDirectories(DIRECTORY.resolve(name + "-data"));
        return builder.start();
    }

    private static void end(Process process) throws InterruptedException {
        process.destroy();
        if (!process.waitFor(5, TimeUnit.MINUTES)) {
            process.destroyForcibly();
        }
    }

    private static long count(String table) throws SQLException {
        try (Connection connection = postgres.connect();
                Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery("SELECT count(*) FROM " + table)) {
            rows.next();
            return rows.getLong(1);
        }
    }
}
