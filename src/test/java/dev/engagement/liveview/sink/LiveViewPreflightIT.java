package dev.engagement.liveview.sink;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.engagement.connection.SecretRef;
import dev.engagement.liveview.LiveViewOptions;
import dev.engagement.local.Ports;
import dev.engagement.local.RedisServer;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.assertj.core.api.InstanceOfAssertFactories;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import redis.clients.jedis.Jedis;

class LiveViewPreflightIT {

    private static final String PASSWORD = "s3cret-of-the-live-view";

    private static RedisServer server;

    @TempDir
    private static Path directory;

    private static Path secret;

    @BeforeAll
    static void start() throws IOException {
        server = RedisServer.start(Path.of("target/redis/LiveViewPreflightIT"), 0, PASSWORD);
        secret = Files.writeString(directory.resolve("password"), PASSWORD);
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    @Test
    void a_redis_that_takes_the_live_view_is_left_as_it_was_but_for_the_epoch() {
        assertThat(LiveViewPreflight.check(options(server.url(), secret), true)).isEmpty();

        try (Jedis redis = server.connect()) {
            Awaitility.await().untilAsserted(() -> assertThat(redis.keys("*")).containsExactly("p:live-view:epoch"));
        }
    }

    @Test
    void a_wrong_password_is_told_without_showing_it() throws IOException {
        Path wrong = Files.writeString(directory.resolve("wrong"), "wrong-and-secret");

        assertThatThrownBy(() -> LiveViewPreflight.check(options(server.url(), wrong)))
                .isInstanceOf(LiveViewRefusedException.class)
                .hasMessageContaining("redis.url is " + server.url())
                .hasMessageContaining("WRONGPASS")
                .hasMessageContaining("redis.password.secret-file")
                .extracting(Throwable::getMessage, InstanceOfAssertFactories.STRING)
                .doesNotContain("wrong-and-secret");
    }

    @Test
    void each_missing_right_is_told() {
        for (String missing : "-evalsha -script|load -time -exists -get -set -hget -hset -del".split(" ")) {
            try (Jedis redis = server.connect()) {
                redis.aclSetUser(
                        "somebody",
                        ("reset on >" + PASSWORD + " ~p:* +evalsha +script|load +time +exists +get +set +hget +hset"
                                        + " +del " + missing)
                                .split(" "));
            }
            String url = server.url().replace("redis://", "redis://somebody@");

            assertThatThrownBy(() -> LiveViewPreflight.check(options(url, secret)))
                    .as(missing)
                    .isInstanceOf(LiveViewRefusedException.class)
                    .hasMessageContaining("give the user of redis.url the right to");
        }
    }

    @Test
    void each_right_that_rollups_need_is_told_if_they_are_shown_and_only_then() {
        String url = server.url().replace("redis://", "redis://somebody@");
        for (String missing :
                List.of("-zrange", "-zrem", "-zremrangebyscore", "-hdel", "-publish", "resetchannels &q:*")) {
            try (Jedis redis = server.connect()) {
                redis.flushAll();
                redis.aclSetUser("somebody", ("reset on >" + PASSWORD + " ~p:* &p:* +@all " + missing).split(" "));
            }

            assertThatThrownBy(() -> LiveViewPreflight.check(options(url, secret), true))
                    .as(missing)
                    .isInstanceOf(LiveViewRefusedException.class)
                    .hasMessageContaining("give the user of redis.url the right to")
                    .hasMessageContaining("PUBLISH on channels");
            assertThat(LiveViewPreflight.check(options(url, secret), false))
                    .as(missing)
                    .isEmpty();
        }
        try (Jedis redis = server.connect()) {
            redis.aclSetUser("somebody", ("reset on >" + PASSWORD + " ~p:* &p:* +@all").split(" "));
        }
        assertThat(LiveViewPreflight.check(options(url, secret), true)).isEmpty();
    }

    @Test
    void a_redis_that_is_not_there_is_no_reason_not_to_start() {
        String url = "redis://127.0.0.1:" + Ports.free();

        assertThat(LiveViewPreflight.check(options(url, secret))).hasValueSatisfying(warning -> assertThat(warning)
                .contains(url)
                .contains("The job starts all the same")
                .hasLineCount(1));
    }

    @Test
    void a_redis_that_is_busy_or_frozen_is_no_reason_not_to_start() {
        server.freeze();
        try {
            assertThat(LiveViewPreflight.check(options(server.url(), secret)))
                    .hasValueSatisfying(warning -> assertThat(warning).contains("The job starts all the same"));
        } finally {
            server.thaw();
        }
    }

    @Test
    void a_secret_that_is_only_where_the_job_runs_is_no_reason_not_to_start() {
        assertThat(LiveViewPreflight.check(options(server.url(), directory.resolve("elsewhere"))))
                .hasValueSatisfying(warning -> assertThat(warning)
                        .contains("redis.password", "elsewhere")
                        .contains("The job starts all the same"));
    }

    private static LiveViewOptions options(String url, Path password) {
        return new LiveViewOptions(URI.create(url), SecretRef.inFile("redis.password", password.toString()), "p:");
    }
}
