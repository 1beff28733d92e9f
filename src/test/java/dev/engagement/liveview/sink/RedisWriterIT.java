package dev.engagement.liveview.sink;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.engagement.connection.SecretRef;
import dev.engagement.liveview.LiveValue;
import dev.engagement.liveview.LiveViewKeys;
import dev.engagement.liveview.LiveViewOptions;
import dev.engagement.liveview.LiveViewScript;
import dev.engagement.liveview.Samples;
import dev.engagement.liveview.ScriptedWrite;
import dev.engagement.local.RedisServer;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.flink.api.connector.sink2.SinkWriter;
import org.apache.flink.util.ExceptionUtils;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import redis.clients.jedis.Jedis;
import redis.clients.jedis.args.ClientType;
import redis.clients.jedis.exceptions.JedisConnectionException;
import redis.clients.jedis.params.ClientKillParams;

/** The writer on a real Redis that has a password, is killed, frozen, and forgets. */
class RedisWriterIT {

    private static final String PASSWORD = "s3cret-of-the-live-view";
    private static final Duration LIMIT = Duration.ofSeconds(30);
    /** What the contract allows for after Redis' return. */
    private static final Duration AFTER_RETURN = Duration.ofSeconds(5);

    private static final int CONTENTS = 200;

    private static RedisServer server;

    @TempDir
    private Path secrets;

    private final RecordedMetrics metrics = new RecordedMetrics();
    private final Map<String, String> oracle = new HashMap<>();
    private final RealTask task = new RealTask();
    private Path secret;
    private RedisWriter<LiveValue> writer;
    private long total;

    @BeforeAll
    static void startServer() {
        server = RedisServer.start(Path.of("target/redis/RedisWriterIT"), 0, PASSWORD);
    }

    @AfterAll
    static void stopServer() {
        server.close();
    }

    @BeforeEach
    void start() throws IOException {
        try (Jedis redis = server.connect()) {
            redis.flushAll();
        }
        secret = Files.writeString(secrets.resolve("password"), PASSWORD + "\n");
        writer = writer("", List.of());
    }

    @AfterEach
    void close() {
        writer.close();
        task.close();
    }

    @Test
    void values_are_shown_and_expire_when_they_should() throws Exception {
        long now = System.currentTimeMillis() * 1_000;
        LiveValue.Last last = Samples.last("c", 1, now - 1_000_000);
        write(last);
        write(new LiveValue.Count("c", 3));
        write(new LiveValue.Meta(Samples.content("c"), 5));
        written();

        try (Jedis redis = server.connect()) {
            assertThat(redis.get("content:last:c")).startsWith("{\"event_id\":1,\"content_id\":\"c\",");
            assertThat(redis.pexpireTime("content:last:c")).isEqualTo(last.expiresAtMillis());
            assertThat(redis.get("content:count:c")).isEqualTo("3");
            assertThat(redis.ttl("content:count:c")).isEqualTo(-1);
            assertThat(redis.hgetAll("content:meta:c"))
                    .containsEntry("title", "Title of c")
                    .containsEntry("publish_ts", "2026-01-08T14:21:52.000000Z");
            assertThat(redis.ttl("content:meta:c")).isEqualTo(-1);
        }
        assertThat(metrics.histogram("commitToVisibleMillis").getStatistics().getMax())
                .isBetween(1_000L, 20_000L);
    }

    @Test
    void a_replay_of_older_values_changes_nothing() throws Exception {
        long now = System.currentTimeMillis() * 1_000;
        write(Samples.last("c", 9, now));
        write(new LiveValue.Count("c", 9));
        write(new LiveValue.MetaGone("c", 9));
        written();
        writer.close();

        RedisWriter<LiveValue> zombie = writer("", List.of(new LiveValue.Count("c", 8).write(new LiveViewKeys(""))));
        writer = zombie;
        write(Samples.last("c", 8, now));
        write(Samples.last("c", 10, now - 1));
        write(new LiveValue.Meta(Samples.content("c"), 8));
        written();

        try (Jedis redis = server.connect()) {
            assertThat(redis.get("content:last:c")).startsWith("{\"event_id\":9,");
            assertThat(redis.get("content:count:c")).isEqualTo("9");
            assertThat(redis.exists("content:meta:c")).isFalse();
        }
        assertThat(metrics.count("superseded")).isEqualTo(3);
    }

    @Test
    void killed_under_load_and_back_empty_everything_that_changed_is_right_again() throws Exception {
        load(2_000);
        server.kill();
        task.runUntil(LIMIT, () -> {
            load(100);
            return metrics.count("redisRetries") >= 3;
        });
        load(20_000);
        assertThat(metrics.gauge("pendingEntries")).isBetween((long) CONTENTS, 2L * CONTENTS);
        assertThat(metrics.gauge("redisUp")).isZero();

        server.restart();
        task.runUntil(AFTER_RETURN, this::isRight);

        load(2_000);
        written();
        assertThat(isRight()).isTrue();
        assertThat(metrics.gauge("redisUp")).isOne();
        assertThat(metrics.gauge("pendingBytes")).isZero();
    }

    @Test
    void a_server_that_forgets_the_scripts_under_load_gets_them_again() throws Exception {
        for (int i = 0; i < 20; i++) {
            load(500);
            written();
            try (Jedis redis = server.connect()) {
                redis.scriptFlush();
            }
            load(500);
        }
        written();

        assertThat(isRight()).isTrue();
        assertThat(metrics.count("redisRetries")).isZero();
    }

    @Test
    void a_frozen_server_holds_nothing_up_and_gets_everything_when_it_thaws() throws Exception {
        load(1_000);
        signal("STOP");
        try {
            // Several pipelines of large values, which the frozen server's socket takes only in part.
            long now = System.currentTimeMillis() * 1_000;
            for (int i = 0; i < 2_000; i++) {
                write(new LiveValue.Last(Samples.event("big" + i, i, now, "web", bigPayload(), false)));
            }
            load(50_000);
            writer.snapshotState(1);
            task.runUntil(LIMIT, () -> metrics.count("redisRetries") >= 1);
            load(50_000);
        } finally {
            signal("CONT");
        }
        task.runUntil(LIMIT, this::isRight);
        written();

        try (Jedis redis = server.connect()) {
            assertThat(redis.keys("content:last:big*")).hasSize(2_000);
        }
        assertThat(metrics.count("blockedMillis")).isZero();
    }

    @Test
    void what_a_full_server_refuses_is_written_when_it_has_room() throws Exception {
        try (Jedis redis = server.connect()) {
            redis.configSet("maxmemory", "1");
            load(1_000);
            task.runUntil(LIMIT, () -> metrics.count("redisOutOfMemory") > 0);
            redis.configSet("maxmemory", "0");
        }
        written();

        assertThat(isRight()).isTrue();
    }

    @Test
    void a_rotated_password_is_found_at_the_next_connect() throws Exception {
        load(500);
        written();
        try (Jedis redis = server.connect()) {
            Files.writeString(secret, "another");
            redis.configSet("requirepass", "another");
            redis.clientKill(new ClientKillParams().type(ClientType.NORMAL).skipMe(ClientKillParams.SkipMe.YES));
            load(500);
            written();
            redis.configSet("requirepass", PASSWORD);
        }

        assertThat(isRight()).isTrue();
        assertThat(metrics.count("redisRetries")).isPositive();
    }

    @Test
    void a_wrong_password_fails_the_job_and_stays_secret() throws Exception {
        writer.close();
        Files.writeString(secret, "wrong-and-secret");
        writer = writer("", List.of());

        assertThatThrownBy(() -> task.runFor(Duration.ofSeconds(5)))
                .isInstanceOf(LiveViewRefusedException.class)
                .hasMessageContaining("WRONGPASS")
                .satisfies(e -> assertThat(ExceptionUtils.stringifyException(e)).doesNotContain("wrong-and-secret"));
    }

    /** Jedis connects again by itself when its socket was closed, and does not log in again. */
    @Test
    void a_connection_that_was_given_up_is_not_used_again_without_its_password() {
        JedisConnection connection = JedisConnection.connect(options(""));
        connection.load(LiveViewScript.values());

        connection.abort();

        assertThatThrownBy(() -> connection.perform(List.of(new LiveValue.Count("c", 1).write(new LiveViewKeys("")))))
                .isInstanceOf(JedisConnectionException.class);
    }

    @Test
    void the_path_of_the_url_chooses_the_database() throws Exception {
        writer.close();
        writer = writer("/3", List.of());
        write(new LiveValue.Count("c", 1));
        written();

        try (Jedis redis = server.connect()) {
            assertThat(redis.exists("content:count:c")).isFalse();
            redis.select(3);
            assertThat(redis.get("content:count:c")).isEqualTo("1");
        }
    }

    private RedisWriter<LiveValue> writer(String path, List<ScriptedWrite> restored) {
        LiveViewOptions options = options(path);
        return new RedisWriter<>(
                LiveViewMappings.values(),
                new LiveViewKeys(""),
                WriterLimits.DEFAULT,
                Backoff.DEFAULT,
                () -> JedisConnection.connect(options),
                task.environment(metrics),
                restored);
    }

    private LiveViewOptions options(String path) {
        return new LiveViewOptions(
                URI.create(server.url() + path), SecretRef.inFile("redis.password", secret.toString()), "");
    }

    /** Counts that grow, over all contents in turn. */
    private void load(int values) {
        try {
            for (int i = 0; i < values; i++) {
                total++;
                String contentId = "c" + total % CONTENTS;
                write(new LiveValue.Count(contentId, total));
                oracle.put("content:count:" + contentId, Long.toString(total));
            }
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    private void write(LiveValue value) throws InterruptedException {
        writer.write(value, NO_CONTEXT);
    }

    private void written() throws Exception {
        task.runUntil(LIMIT, () -> metrics.gauge("pendingEntries") == 0);
    }

    private boolean isRight() {
        String[] keys = oracle.keySet().toArray(String[]::new);
        try (Jedis redis = server.connect()) {
            List<String> values = redis.mget(keys);
            for (int i = 0; i < keys.length; i++) {
                if (!oracle.get(keys[i]).equals(values.get(i))) {
                    return false;
                }
            }
            return true;
        }
    }

    private static String bigPayload() {
        return "\"" + "x".repeat(20_000) + "\"";
    }

    private static void signal(String signal) throws IOException, InterruptedException {
        int exit = new ProcessBuilder("/bin/sh", "-c", "kill -" + signal + " " + server.pid())
                .inheritIO()
                .start()
                .waitFor();
        assertThat(exit).isZero();
    }

    private static final SinkWriter.Context NO_CONTEXT = new SinkWriter.Context() {
        @Override
        public long currentWatermark() {
            return Long.MIN_VALUE;
        }

        @Override
        public @Nullable Long timestamp() {
            return null;
        }
    };
}
