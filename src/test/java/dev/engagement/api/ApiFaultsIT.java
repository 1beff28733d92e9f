package dev.engagement.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.engagement.local.ApiProcess;
import dev.engagement.local.PostgresServer;
import dev.engagement.local.RedisServer;
import dev.engagement.local.Schema;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Events through the API while it, PostgreSQL and Redis are killed in turn: clients repeat what was not answered. */
class ApiFaultsIT {

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Path DIRECTORY = Path.of("target/it/api-faults");
    private static final String CONTENT = "7c9e6679-7425-40de-944b-e07fc1f90ae7";
    private static final int CLIENTS = 3;
    private static final int REQUESTS = 60;
    private static final int EVENTS = 4;

    private final ExecutorService clients = Executors.newCachedThreadPool();
    private final HttpClient http =
            HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
    private PostgresServer postgres;
    private RedisServer redis;
    private ApiProcess api;

    @BeforeEach
    void start() throws Exception {
        ApiProcess.discard(DIRECTORY.resolve("api"));
        PostgresServer.discard(DIRECTORY.resolve("postgres"));
        RedisServer.discard(DIRECTORY.resolve("redis"));
        postgres = PostgresServer.start(DIRECTORY.resolve("postgres"), 0);
        redis = RedisServer.start(DIRECTORY.resolve("redis"), 0);
        Schema.create(postgres);
        postgres.createDatabase(PostgresServer.ANALYTICS);
        try (Connection connection = postgres.connect();
                Statement statement = connection.createStatement()) {
            statement.execute(
                    "INSERT INTO content VALUES ('" + CONTENT + "', 'winter', 'Winter', 'podcast', 60, now())");
        }
        Path password = DIRECTORY.resolve("postgres.password").toAbsolutePath();
        Files.writeString(password, postgres.password());
        api = ApiProcess.start(DIRECTORY.resolve("api"), 0, ApiProcess.options(postgres, password, redis));
    }

    @AfterEach
    void stop() {
        clients.shutdownNow();
        api.close();
        redis.close();
        postgres.close();
    }

    @Test
    void every_acknowledged_event_is_in_the_database_once() throws Exception {
        AtomicInteger answered = new AtomicInteger();
        List<Future<List<Long>>> all = new ArrayList<>();
        for (int client = 0; client < CLIENTS; client++) {
            String name = "client-" + client;
            all.add(clients.submit(() -> {
                List<Long> ids = new ArrayList<>();
                for (int i = 0; i < REQUESTS; i++) {
                    ids.addAll(sent(name + "-" + i));
                    answered.incrementAndGet();
                }
                return ids;
            }));
        }
        List<Runnable> faults = List.of(
                () -> {
                    api.kill();
                    api.restart();
                },
                () -> {
                    postgres.kill();
                    postgres.restart();
                },
                () -> {
                    redis.kill();
                    redis.restart();
                },
                () -> {
                    postgres.kill();
                    api.kill();
                    api.restart();
                    postgres.restart();
                });
        for (int i = 0; i < faults.size(); i++) {
            int next = (i + 1) * CLIENTS * REQUESTS / (faults.size() + 2);
            await().until(() -> answered.get() >= next);
            faults.get(i).run();
        }

        Set<Long> acknowledged = new TreeSet<>();
        for (Future<List<Long>> each : all) {
            acknowledged.addAll(each.get());
        }
        assertThat(acknowledged).hasSize(CLIENTS * REQUESTS * EVENTS);
        assertThat(ids()).containsExactlyElementsOf(acknowledged);
        await().ignoreExceptions().until(() -> api.get("/health/ready").contains("\"ready\""));
    }

    /** The ids, once somebody has answered with them. */
    private List<Long> sent(String key) throws Exception {
        String event = "{\"content_id\":\"" + CONTENT + "\",\"user_id\":\"0b5b3d6c-6f0c-4c8a-9d0e-6a3f1f6f0a11\","
                + "\"event_type\":\"click\"}\n";
        HttpRequest request = HttpRequest.newBuilder(URI.create(api.url() + "/track"))
                .timeout(Duration.ofMinutes(1))
                .header("Content-Type", "application/x-ndjson")
                .header("Idempotency-Key", key)
                .POST(HttpRequest.BodyPublishers.ofString(event.repeat(EVENTS)))
                .build();
        HttpResponse<String> answer = null;
        while (answer == null || answer.statusCode() != 202) {
            try {
                answer = http.send(request, HttpResponse.BodyHandlers.ofString());
            } catch (IOException e) {
                // Nobody knows whether it was written, which is what the key is for.
                answer = null;
                continue;
            }
            assertThat(answer.statusCode()).as(answer.body()).isIn(202, 503);
        }
        List<Long> ids = new ArrayList<>();
        for (JsonNode id : JSON.readTree(answer.body()).get("ids")) {
            ids.add(id.longValue());
        }
        assertThat(ids).hasSize(EVENTS);
        return ids;
    }

    private List<Long> ids() throws Exception {
        List<Long> ids = new ArrayList<>();
        try (Connection connection = postgres.connect();
                Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery("SELECT id FROM engagement_events ORDER BY id")) {
            while (row.next()) {
                ids.add(row.getLong(1));
            }
        }
        return ids;
    }
}
