package dev.engagement;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.engagement.local.LoadGenerator;
import dev.engagement.local.LoadOptions;
import dev.engagement.local.Ports;
import dev.engagement.local.testing.SharedServers;
import dev.engagement.report.testing.Programs;
import java.io.IOException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import org.apache.flink.api.common.JobID;
import org.apache.flink.configuration.Configuration;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * What the dashboard and the alerts ask for is what the jobs say: both jobs run under load, a real Prometheus scrapes them,
 * and each query is put to it.
 */
class MetricsIT {

    private static final Duration TIMEOUT = Duration.ofMinutes(5);
    private static final Path DIRECTORY = Path.of("target/it/metrics");
    private static final Path DASHBOARD = Path.of("docker/grafana/dashboards/engagement.json");
    private static final Path RULES = Path.of("docker/prometheus/rules.yml");

    /** Alerts whose expression has a value during an incident only: something is not there. */
    private static final Set<String> NEED_AN_INCIDENT = Set.of("StreamMissing", "CaptureMissing");

    /** Whether they are silent is a question of how fast the machine is. */
    private static final Set<String> ASK_HOW_FAST = Set.of("LiveViewStale");

    private static final HttpClient HTTP = HttpClient.newHttpClient();
    private static final ObjectMapper JSON = new ObjectMapper();

    private static SharedServers servers;
    private static JobCluster cluster;
    private static @Nullable LoadGenerator load;
    private static int reporter;

    @BeforeAll
    static void start() throws Exception {
        servers = SharedServers.lease(DIRECTORY);
        reporter = Ports.free();
        Configuration prometheus = new Configuration();
        prometheus.setString(
                "metrics.reporter.prom.factory.class", "org.apache.flink.metrics.prometheus.PrometheusReporterFactory");
        prometheus.setString("metrics.reporter.prom.port", Integer.toString(reporter));
        cluster = JobCluster.start(DIRECTORY, 1, 4, "hashmap", prometheus);
        List<String> arguments = new ArrayList<>(List.of(
                "stream",
                "--kafka.bootstrap-servers",
                servers.kafka().bootstrapServers(),
                "--redis.url",
                servers.redis().url()));
        arguments.addAll(servers.bigQuery().streamArguments());
        arguments.addAll(servers.receiver().streamArguments());
        arguments.addAll(servers.rollupArguments());
        JobID capture = cluster.run(
                "capture",
                "--kafka.bootstrap-servers",
                servers.kafka().bootstrapServers(),
                "--postgres.url",
                servers.postgres().jdbcUrl(),
                "--postgres.username",
                servers.postgres().username(),
                "--postgres.password.secret-file",
                servers.postgresPasswordFile(),
                "--capture.heartbeat-interval",
                "500 ms",
                "--parallelism",
                "1");
        JobID stream = cluster.run(arguments.toArray(String[]::new));
        load = LoadGenerator.start(
                new LoadOptions(1, 50, 200, 0, 0, Duration.ZERO),
                servers.postgres().connect(),
                Clock.systemUTC());
        cluster.awaitCheckpoint(capture);
        cluster.awaitCheckpoint(stream);
    }

    @AfterAll
    static void stop() throws Exception {
        if (load != null) {
            load.close();
        }
        cluster.close();
        servers.close();
    }

    @Test
    void every_query_of_the_dashboard_and_of_the_alerts_has_an_answer() throws Exception {
        Programs.need("prometheus", "prometheus", "every query of the dashboard and of the alerts has an answer");
        Map<String, String> queries = dashboardQueries();
        alertQueries().forEach((alert, query) -> {
            if (!NEED_AN_INCIDENT.contains(alert)) {
                queries.put("alert " + alert, query);
            }
        });
        assertThat(queries).hasSizeGreaterThan(50);

        try (Prometheus prometheus = Prometheus.start(DIRECTORY.resolve("prometheus"), reporter)) {
            Map<String, String> unanswered = new TreeMap<>(queries);
            await().atMost(TIMEOUT).pollInterval(Duration.ofMillis(200)).untilAsserted(() -> {
                for (Map.Entry<String, String> query : queries.entrySet()) {
                    if (unanswered.containsKey(query.getKey()) && prometheus.answers(query.getValue())) {
                        unanswered.remove(query.getKey());
                    }
                }
                assertThat(unanswered).isEmpty();
            });
            assertThat(prometheus.alerts().keySet())
                    .as("the rules that Prometheus took")
                    .containsExactlyElementsOf(new TreeMap<>(alertQueries()).keySet());
            // Before the first scrape everything is missing, and so pending until rules are looked at again.
            await().atMost(TIMEOUT).untilAsserted(() -> assertThat(prometheus.alerts())
                    .as("nothing is wrong here")
                    .allSatisfy((name, state) -> assertThat(ASK_HOW_FAST.contains(name) || state.equals("inactive"))
                            .as(name + " is " + state)
                            .isTrue()));
        }
    }

    @Test
    void every_metric_of_the_table_that_needs_no_option_is_told() {
        await().atMost(TIMEOUT).untilAsserted(() -> {
            String exposition = get("http://127.0.0.1:" + reporter + "/metrics");
            List<String> missing = MetricsTableTest.always().stream()
                    .filter(name -> !exposition.contains("_" + name + "{"))
                    .toList();
            assertThat(missing).isEmpty();
        });
    }

    private static Map<String, String> dashboardQueries() throws IOException {
        Map<String, String> queries = new LinkedHashMap<>();
        for (JsonNode panel : JSON.readTree(DASHBOARD.toFile()).get("panels")) {
            for (JsonNode target : panel.path("targets")) {
                queries.put(
                        "panel " + panel.get("title").textValue() + " "
                                + target.get("refId").textValue(),
                        target.get("expr").textValue());
            }
        }
        return queries;
    }

    /** By alert, what stands before the threshold. */
    private static Map<String, String> alertQueries() throws IOException {
        Map<String, String> queries = new LinkedHashMap<>();
        String alert = null;
        List<String> lines = Files.readAllLines(RULES);
        for (int i = 0; i < lines.size(); i++) {
            String line = lines.get(i).strip();
            if (line.startsWith("- alert: ")) {
                alert = line.substring("- alert: ".length());
            } else if (line.equals("expr: >-") && alert != null) {
                queries.put(alert, lines.get(i + 1).strip().replaceFirst(" [<>] -?[0-9.e]+$", ""));
            }
        }
        return queries;
    }

    private static String get(String url) throws IOException, InterruptedException {
        return HTTP.send(HttpRequest.newBuilder(URI.create(url)).build(), HttpResponse.BodyHandlers.ofString())
                .body();
    }

    /**
     * A Prometheus with the rules of the compose file, which scrapes one address. Its scrapes have ten seconds: on a busy
     * machine the reporter needs more than one for all metrics of both jobs.
     */
    private record Prometheus(Process process, String url, Path log) implements AutoCloseable {

        static Prometheus start(Path directory, int target) throws IOException {
            Files.createDirectories(directory);
            int port = Ports.free();
            Path configuration = directory.resolve("prometheus.yml");
            Files.writeString(configuration, """
                    global: {scrape_interval: 10s, scrape_timeout: 10s, evaluation_interval: 1s}
                    rule_files: ["%s"]
                    scrape_configs:
                      - job_name: flink
                        static_configs: [{targets: ["127.0.0.1:%d"]}]
                    """.formatted(RULES.toAbsolutePath(), target));
            Path log = directory.resolve("log");
            Process process = new ProcessBuilder(List.of(
                            "prometheus",
                            "--config.file=" + configuration,
                            "--storage.tsdb.path=" + directory.resolve("data"),
                            "--web.listen-address=127.0.0.1:" + port,
                            "--log.level=warn"))
                    .redirectErrorStream(true)
                    .redirectOutput(log.toFile())
                    .start();
            Prometheus prometheus = new Prometheus(process, "http://127.0.0.1:" + port, log);
            await().atMost(TIMEOUT).ignoreExceptions().untilAsserted(() -> assertThat(
                            prometheus.answers("up{job=\"flink\"} == 1"))
                    .as(prometheus::whatItSays)
                    .isTrue());
            return prometheus;
        }

        /** How the last scrape went, or why there was none. */
        private String whatItSays() {
            try {
                return process.isAlive()
                        ? get(url + "/api/v1/targets")
                        : "Prometheus ended with " + process.exitValue() + ": " + Files.readString(log);
            } catch (IOException e) {
                return e.toString();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return e.toString();
            }
        }

        /** Whether the query has a value. */
        boolean answers(String query) throws IOException, InterruptedException {
            JsonNode answer =
                    JSON.readTree(get(url + "/api/v1/query?query=" + URLEncoder.encode(query, StandardCharsets.UTF_8)));
            assertThat(answer.path("status").asText()).as(query + ": " + answer).isEqualTo("success");
            return !answer.path("data").path("result").isEmpty();
        }

        /** The state of each alert. */
        Map<String, String> alerts() throws IOException, InterruptedException {
            Map<String, String> states = new TreeMap<>();
            List<JsonNode> rules = new ArrayList<>();
            JSON.readTree(get(url + "/api/v1/rules"))
                    .path("data")
                    .path("groups")
                    .forEach(group -> group.path("rules").forEach(rules::add));
            rules.forEach(rule ->
                    states.put(rule.path("name").asText(), rule.path("state").asText()));
            return states;
        }

        @Override
        public void close() {
            process.destroy();
            try {
                if (!process.waitFor(10, TimeUnit.SECONDS)) {
                    process.destroyForcibly();
                }
            } catch (InterruptedException e) {
                process.destroyForcibly();
                Thread.currentThread().interrupt();
            }
        }
    }
}
