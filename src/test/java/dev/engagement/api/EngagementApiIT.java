package dev.engagement.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.engagement.api.definition.ApiDefinition;
import dev.engagement.api.definition.Operation;
import dev.engagement.local.ApiProcess;
import dev.engagement.local.PostgresServer;
import dev.engagement.local.testing.SharedServers;
import dev.engagement.rollup.definition.RollupDefinition;
import dev.engagement.rollup.definition.RollupDefinitions;
import java.io.BufferedReader;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.Statement;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The whole API on a real PostgreSQL and Redis, as its main starts it. */
class EngagementApiIT {

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Path DIRECTORY = Path.of("target/it/engagement-api");
    private static final String CONTENT = "7c9e6679-7425-40de-944b-e07fc1f90ae7";

    private final HttpClient http =
            HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

    private SharedServers servers;
    private List<String> options;

    @BeforeEach
    void lease() throws Exception {
        servers = SharedServers.lease(DIRECTORY);
        options = ApiProcess.options(servers.analytics(), Path.of(servers.postgresPasswordFile()), servers.redis());
        try (Connection connection = servers.postgres().connect();
                Statement statement = connection.createStatement()) {
            statement.execute(
                    "INSERT INTO content VALUES ('" + CONTENT + "', 'winter', 'Winter', 'podcast', 60, now())");
        }
        makeTablesOfRollups();
    }

    /** As the job makes them, with a type that takes what is read. */
    private void makeTablesOfRollups() throws Exception {
        try (Connection connection = servers.analytics().connect(PostgresServer.ANALYTICS);
                Statement statement = connection.createStatement()) {
            for (RollupDefinition rollup : RollupDefinitions.shipped()) {
                String columns = rollup.columns().stream()
                        .map(column -> '"' + column + "\" " + type(rollup, column))
                        .collect(Collectors.joining(", "));
                statement.execute("CREATE TABLE \"" + rollup.table() + "\" (" + columns + ")");
            }
        }
    }

    private static String type(RollupDefinition rollup, String column) {
        return switch (column) {
            case RollupDefinition.WINDOW_START, RollupDefinition.WINDOW_END -> "timestamptz";
            case RollupDefinition.UNIQUE_USERS_EXACT -> "boolean";
            default -> rollup.keyColumns().contains(column) ? "text" : "numeric";
        };
    }

    @AfterEach
    void giveBack() {
        servers.close();
    }

    private EngagementApi start() {
        List<String> arguments = new ArrayList<>(options);
        // Of a machine that does something else, too.
        arguments.addAll(List.of("--api.port", "0", "--api.store-timeout", "30 s"));
        return EngagementApi.start(ApiOptions.parse(arguments.toArray(String[]::new), Map.of()), Clock.systemUTC());
    }

    @Test
    void every_read_answers_with_the_time_that_its_numbers_are_of() throws Exception {
        try (EngagementApi api = start()) {
            // The first to ask waits for the stores, and for less than a second: on a busy machine that may be too
            // short.
            await().until(() -> get(api, "/health/ready").statusCode() == 200);
            for (Operation operation : ApiDefinition.get().reads()) {
                HttpResponse<String> answer = get(api, operation.example());

                assertThat(answer.statusCode())
                        .as(operation.id() + ": " + answer.body())
                        .isIn(200, 404);
                if (answer.statusCode() == 200) {
                    JsonNode body = JSON.readTree(answer.body());
                    assertThat(body.fieldNames())
                            .toIterable()
                            .as(operation.id())
                            .contains("as_of", "window");
                    assertThat(body.has("exact") || body.has("error"))
                            .as(operation.id())
                            .isTrue();
                }
            }
        }
    }

    @Test
    void what_is_sent_is_committed_when_it_is_answered_and_once_however_often_it_is_sent() throws Exception {
        try (EngagementApi api = start()) {
            String event = "{\"content_id\":\"" + CONTENT + "\",\"user_id\":\"0b5b3d6c-6f0c-4c8a-9d0e-6a3f1f6f0a11\","
                    + "\"event_type\":\"play\",\"payload\":{\"title\":\"<script>alert(1)</script>\"}}";

            JsonNode first = JSON.readTree(post(api, "/track", event, "key-1").body());
            JsonNode second = JSON.readTree(post(api, "/track", event, "key-1").body());

            assertThat(second.get("ids")).isEqualTo(first.get("ids"));
            assertThat(second.get("repeated").booleanValue()).isTrue();
            assertThat(rows()).isEqualTo(1);
            HttpResponse<String> refused = post(api, "/track", "{}\n" + event, "key-2");
            assertThat(refused.statusCode()).as(refused.body()).isIn(415, 422);
            assertThat(JSON.readTree(refused.body()).get("errors")).isNotEmpty();
            assertThat(rows()).isEqualTo(1);
            assertThat(get(api, "/prometheus").body()).contains("engagement_api_track_events_total ");
        }
    }

    @Test
    void live_clients_are_told_at_once_what_is_known() throws Exception {
        try (EngagementApi api = start()) {
            HttpResponse<InputStream> events =
                    http.send(request(api, "/live").build(), HttpResponse.BodyHandlers.ofInputStream());
            try (BufferedReader lines =
                    new BufferedReader(new InputStreamReader(events.body(), StandardCharsets.UTF_8))) {
                String line = lines.readLine();
                while (line != null && !line.startsWith("event: ")) {
                    line = lines.readLine();
                }
                assertThat(line).isIn("event: snapshot", "event: heartbeat");
            }
        }
    }

    @Test
    void what_is_injected_into_the_stores_is_text_to_them() throws Exception {
        List<String> evil = List.of(
                "'; DROP TABLE engagement_events; --",
                "\"; DROP TABLE content; --",
                "x' OR '1'='1",
                "*",
                "a:b:c",
                "metric:{click}:30s",
                "\ud83d\ude00");
        try (EngagementApi api = start()) {
            for (String text : evil) {
                String encoded = URLEncoder.encode(text, StandardCharsets.UTF_8).replace("+", "%20");
                for (String path : List.of(
                        "/metrics/realtime?event_type=",
                        "/metrics/realtime?event_type=click&window_size=",
                        "/metrics/history?event_type=",
                        "/metrics/history?event_type=click&cursor=",
                        "/leaderboard?by=events&type=",
                        "/content/",
                        "/rollups/",
                        "/rollups/hourly?key=",
                        "/rollups/hourly?cursor=",
                        "/events/",
                        "/live?types=x&last_event_id=%00")) {
                    HttpResponse<String> answer = get(api, path + encoded);
                    assertThat(answer.statusCode())
                            .as(path + text + ": " + answer.body())
                            .isIn(200, 400, 404);
                }
                HttpResponse<String> sent = post(
                        api,
                        "/track",
                        JSON.writeValueAsString(JSON.createObjectNode()
                                .put("content_id", CONTENT)
                                .put("user_id", "0b5b3d6c-6f0c-4c8a-9d0e-6a3f1f6f0a11")
                                .put("event_type", "play")
                                .put("device", text)),
                        "key " + evil.indexOf(text));
                assertThat(sent.statusCode()).as(sent.body()).isEqualTo(202);
            }
        }

        assertThat(rows()).isEqualTo(evil.size());
        try (Connection connection = servers.postgres().connect();
                Statement statement = connection.createStatement();
                ResultSet devices = statement.executeQuery("SELECT device FROM engagement_events ORDER BY id")) {
            List<String> stored = new ArrayList<>();
            while (devices.next()) {
                stored.add(devices.getString(1));
            }
            assertThat(stored).isEqualTo(evil);
        }
    }

    @Test
    void as_a_process_it_is_killed_and_comes_back_where_it_was() {
        ApiProcess.discard(DIRECTORY.resolve("process"));
        try (ApiProcess process = ApiProcess.start(DIRECTORY.resolve("process"), 0, options)) {
            assertThat(process.get("/health/live")).contains("up");
            assertThat(process.get("/")).startsWith("<!doctype html>");
            String url = process.url();

            process.kill();
            assertThat(process.isAlive()).isFalse();
            process.restart();

            assertThat(process.url()).isEqualTo(url);
            assertThat(process.get("/health/live")).contains("up");
        }
    }

    private long rows() throws Exception {
        try (Connection connection = servers.postgres().connect();
                Statement statement = connection.createStatement();
                ResultSet count = statement.executeQuery("SELECT count(*) FROM engagement_events")) {
            assertThat(count.next()).isTrue();
            return count.getLong(1);
        }
    }

    private static HttpRequest.Builder request(EngagementApi api, String path) {
        return HttpRequest.newBuilder(URI.create(api.address() + path)).timeout(Duration.ofMinutes(5));
    }

    private HttpResponse<String> get(EngagementApi api, String path) throws Exception {
        return http.send(request(api, path).build(), HttpResponse.BodyHandlers.ofString());
    }

    private HttpResponse<String> post(EngagementApi api, String path, String body, String key) throws Exception {
        return http.send(
                request(api, path)
                        .header("Content-Type", "application/json")
                        .header("Idempotency-Key", key)
                        .POST(HttpRequest.BodyPublishers.ofString(body))
                        .build(),
                HttpResponse.BodyHandlers.ofString());
    }
}
