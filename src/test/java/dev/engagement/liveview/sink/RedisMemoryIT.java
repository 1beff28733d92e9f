package dev.engagement.liveview.sink;

import static org.assertj.core.api.Assertions.assertThat;

import dev.engagement.connection.SecretRef;
import dev.engagement.liveview.LiveViewKeys;
import dev.engagement.liveview.LiveViewOptions;
import dev.engagement.liveview.ScriptedWrite;
import dev.engagement.local.RedisServer;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import redis.clients.jedis.Jedis;

/** How a single Redis that lost something is told from one that has everything. */
class RedisMemoryIT {

    private static final List<ScriptedWrite> WRITES = List.of(Writes.count("a", 1, new LiveViewKeys("p:")));
    private static final Path DIRECTORY = Path.of("target/redis/RedisMemoryIT");

    private static RedisServer server;

    @TempDir
    private static Path directory;

    private static Path secret;

    private long now;

    @BeforeAll
    static void start() throws IOException {
        secret = Files.writeString(directory.resolve("password"), "pw");
        RedisServer.discard(DIRECTORY);
        server = RedisServer.startDurable(DIRECTORY, 0);
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    @BeforeEach
    void empty() {
        try (Jedis redis = server.connect()) {
            redis.configSet("maxmemory", "0");
            redis.flushAll();
        }
    }

    @Test
    void it_is_the_same_for_all_who_ask_as_long_as_nothing_is_lost() {
        RedisLink some = link("");
        RedisLink other = link("");
        String memory = memory(some);

        for (int i = 0; i < 5; i++) {
            assertThat(memory(other)).isEqualTo(memory);
            assertThat(memory(some)).isEqualTo(memory);
        }
        try (Jedis redis = server.connect()) {
            assertThat(redis.ttl("p:live-view:epoch")).isEqualTo(-1);
        }
    }

    @Test
    void it_changes_within_a_second_of_an_emptying_that_breaks_no_connection() {
        RedisLink link = link("");
        String before = memory(link);
        try (Jedis redis = server.connect()) {
            redis.flushAll();
        }

        assertThat(link.attempt(WRITES).incarnation()).isEqualTo(before);
        assertThat(memory(link)).isNotEqualTo(before);
        try (Jedis redis = server.connect()) {
            redis.flushDB();
        }
        assertThat(memory(link)).isNotEqualTo(before);
    }

    @Test
    void it_changes_with_every_restart_since_the_last_second_may_be_lost() {
        RedisLink link = link("");
        String before = memory(link);
        server.kill();
        assertThat(link.attempt(WRITES).failure()).isNotNull();
        server.restart();
        String afterACrash = memory(link);
        server.restartEmpty();
        assertThat(link.attempt(WRITES).failure()).isNotNull();

        assertThat(afterACrash).isNotEqualTo(before);
        assertThat(epochOf(afterACrash)).isEqualTo(epochOf(before));
        assertThat(epochOf(memory(link))).isNotEqualTo(epochOf(before));
    }

    @Test
    void without_the_right_to_ask_for_the_run_an_emptying_is_still_noticed() {
        try (Jedis redis = server.connect()) {
            redis.aclSetUser("modest", "reset", "on", ">pw", "~p:*", "+@all", "-info");
        }
        RedisLink link = link("modest@");
        String before = memory(link);
        assertThat(before).startsWith("/").hasSizeGreaterThan(1);
        assertThat(memory(link)).isEqualTo(before);

        try (Jedis redis = server.connect()) {
            redis.flushAll();
        }
        assertThat(memory(link)).isNotEqualTo(before);
    }

    @Test
    void a_full_server_still_says_that_it_has_everything() {
        RedisLink link = link("");
        String before = memory(link);
        try (Jedis redis = server.connect()) {
            redis.configSet("maxmemory", "1");
        }

        assertThat(memory(link)).isEqualTo(before);
    }

    @Test
    void two_environments_in_one_server_have_each_their_own() {
        String some = memory(link(""));
        String other = memory(new RedisLink(new RedisConnector(options("", "q:")), () -> now));

        assertThat(epochOf(other)).isNotEqualTo(epochOf(some));
    }

    /** After the answer that is remembered has become too old. */
    private String memory(RedisLink link) {
        now += TimeUnit.SECONDS.toNanos(1);
        RedisLink.Attempt attempt = link.attempt(List.of());
        assertThat(attempt.failure()).isNull();
        return Objects.requireNonNull(attempt.incarnation());
    }

    private static String epochOf(String memory) {
        return memory.substring(memory.indexOf('/'));
    }

    private RedisLink link(String user) {
        return new RedisLink(new RedisConnector(options(user, "p:")), () -> now);
    }

    private static LiveViewOptions options(String user, String prefix) {
        return new LiveViewOptions(
                URI.create("redis://" + user + server.host() + ":" + server.port()),
                user.isEmpty() ? SecretRef.none() : SecretRef.inFile("redis.password", secret.toString()),
                prefix);
    }
}
