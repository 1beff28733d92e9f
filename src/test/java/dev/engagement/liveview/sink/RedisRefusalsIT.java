package dev.engagement.liveview.sink;

import static org.assertj.core.api.Assertions.assertThat;

import dev.engagement.connection.SecretRef;
import dev.engagement.event.Standings;
import dev.engagement.liveview.EventCache;
import dev.engagement.liveview.LiveValue;
import dev.engagement.liveview.LiveViewKeys;
import dev.engagement.liveview.LiveViewOptions;
import dev.engagement.liveview.LiveViewScript;
import dev.engagement.liveview.Samples;
import dev.engagement.liveview.ScriptedWrite;
import dev.engagement.liveview.Tally;
import dev.engagement.liveview.WriteOutcome;
import dev.engagement.local.RedisServer;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import redis.clients.jedis.Jedis;

/** What a real Redis says when it will not, and what the link makes of it. */
class RedisRefusalsIT {

    private static final LiveViewKeys KEYS = new LiveViewKeys("p:");
    private static final String RIGHTS =
            "+evalsha +script|load +time +type +exists +get +set +hget +hset +hlen +zadd +pexpireat +del"
                    + " +hdel +zrange +zrem +zremrangebyscore +publish &p:*";

    private static RedisServer server;

    @TempDir
    private static Path directory;

    private static Path secret;

    private long now;

    @BeforeAll
    static void start() throws IOException {
        secret = Files.writeString(directory.resolve("of-somebody"), "pw");
        server = RedisServer.start(Path.of("target/redis/RedisRefusalsIT"), 0);
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    @AfterEach
    void heal() {
        try (Jedis redis = server.connect()) {
            redis.replicaofNoOne();
            redis.configSet("maxmemory", "0");
            redis.flushAll();
        }
    }

    @Test
    void a_master_that_became_a_replica_is_left_until_it_is_master_again() {
        RedisLink link = link("");
        assertThat(verdict(link.attempt(count(1)))).isNull();
        try (RedisServer master = RedisServer.start(Path.of("target/redis/RedisRefusalsIT-master"), 0);
                Jedis redis = server.connect()) {
            redis.replicaof(master.host(), master.port());

            assertThat(verdict(link.attempt(count(2)))).isEqualTo(RedisVerdict.TRANSIENT);
            redis.replicaofNoOne();
        }
        assertThat(verdict(link.attempt(count(2)))).isNull();
    }

    @Test
    void a_full_server_is_told_apart() {
        RedisLink link = link("");
        assertThat(verdict(link.attempt(count(1)))).isNull();
        try (Jedis redis = server.connect()) {
            redis.configSet("maxmemory", "1");
            assertThat(verdict(link.attempt(count(2)))).isEqualTo(RedisVerdict.OUT_OF_MEMORY);
            // Its memory cannot be named when there is none to write the epoch to.
            redis.del("p:live-view:epoch");
            assertThat(verdict(link.attempt(count(2)))).isEqualTo(RedisVerdict.OUT_OF_MEMORY);
            redis.configSet("maxmemory", "0");
        }
        assertThat(verdict(link.attempt(count(2)))).isNull();
    }

    @Test
    void a_server_that_wants_a_password_and_gets_none_or_a_wrong_one_refuses() throws IOException {
        try (RedisServer closed = RedisServer.start(Path.of("target/redis/RedisRefusalsIT-closed"), 0, "right")) {
            String url = closed.url();
            Path file = Files.writeString(directory.resolve("password"), "wrong-and-secret");
            RedisLink without = new RedisLink(new RedisConnector(options(url, SecretRef.none())));
            RedisLink with = new RedisLink(
                    new RedisConnector(options(url, SecretRef.inFile("redis.password", file.toString()))));

            assertThat(verdict(without.attempt(count(1)))).isEqualTo(RedisVerdict.REFUSED);
            RedisLink.Attempt attempt = with.attempt(count(1));
            assertThat(verdict(attempt)).isEqualTo(RedisVerdict.REFUSED);
            assertThat(attempt.failure()).hasMessageContaining("WRONGPASS");
            assertThat(RefusalAdvice.text("host:1/0", "p:", attempt.failure()))
                    .contains("WRONGPASS", "redis.password.secret-file")
                    .doesNotContain("wrong-and-secret");

            Files.delete(file);
            assertThat(verdict(with.attempt(count(1)))).isEqualTo(RedisVerdict.REFUSED);
            Files.writeString(file, "right");
            assertThat(verdict(with.attempt(count(1)))).isNull();
        }
    }

    @Test
    void the_rights_that_are_named_are_enough() {
        user(RIGHTS + " ~p:*");
        long millis = System.currentTimeMillis();
        List<ScriptedWrite> writes = List.of(
                Writes.count("a", 1, KEYS),
                Writes.one(Samples.last("a", 1, millis * 1_000), KEYS),
                Writes.one(new LiveValue.Meta(Samples.content("a"), 1), KEYS),
                Writes.one(new LiveValue.MetaGone("a", 2, System.currentTimeMillis()), KEYS),
                Writes.of(Tally.none("a").plusInMinute(Tally.minuteOf(millis * 1_000), 1), KEYS)
                        .get(1),
                Writes.one(
                        new LiveValue.Board(LiveValue.Board.Kind.EVENTS, millis, List.of(new Standings.Place("a", 1))),
                        KEYS),
                EventCache.write(Samples.last("a", 1, millis * 1_000).enriched(), KEYS, millis),
                Writes.one(Samples.cell(Samples.metric("a", millis, 1)), KEYS),
                Writes.one(Samples.cell(Samples.metric("a", millis, 2)), KEYS));

        assertThat(link("somebody@").attempt(writes).replies())
                .hasSize(9)
                .containsOnly(new Reply.Done(WriteOutcome.WRITTEN));
        assertThat(LiveViewPreflight.check(options(url("somebody@"), password("somebody@")), true))
                .isEmpty();
    }

    @Test
    void a_right_that_is_missing_refuses_until_it_is_given() {
        for (String missing : List.of("-set", "-evalsha", "-script|load", "-get", "-time", "resetkeys ~q:*")) {
            user(RIGHTS + " ~p:* " + missing);
            RedisLink link = link("somebody@");
            List<ScriptedWrite> writes =
                    List.of(Writes.one(Samples.last("a", 1, System.currentTimeMillis() * 1_000), KEYS));

            RedisLink.Attempt attempt = link.attempt(writes);

            assertThat(verdict(attempt)).as(missing).isEqualTo(RedisVerdict.REFUSED);
            user(RIGHTS + " ~p:*");
            assertThat(verdict(link.attempt(writes))).as(missing).isNull();
        }
    }

    @Test
    void an_error_of_a_script_is_of_this_write_alone() {
        ScriptedWrite broken =
                new ScriptedWrite(LiveViewScript.COUNT, List.of("p:a".getBytes(StandardCharsets.UTF_8)), List.of());
        try (Jedis redis = server.connect()) {
            redis.set("p:a", "1");
        }

        List<Reply> replies = link("").attempt(List.of(broken, count(1).get(0))).replies();

        assertThat(((Reply.Failed) replies.get(0)).verdict()).isEqualTo(RedisVerdict.UNUSABLE);
        assertThat(replies.get(1)).isInstanceOf(Reply.Done.class);
    }

    @Test
    void a_database_that_is_not_there_is_refused() {
        RedisLink link = new RedisLink(new RedisConnector(options(server.url() + "/99", SecretRef.none())));

        assertThat(verdict(link.attempt(List.of()))).isEqualTo(RedisVerdict.REFUSED);
    }

    @Test
    void a_busy_server_is_waited_for() throws Exception {
        RedisLink link = link("");
        link.attempt(List.of());
        try (Jedis redis = server.connect();
                Jedis looping = server.connect()) {
            redis.configSet("busy-reply-threshold", "10");
            Thread loop = new Thread(() -> {
                try {
                    looping.eval("while true do end");
                } catch (RuntimeException killed) {
                    Thread.currentThread().interrupt();
                }
            });
            loop.start();
            while (!isBusy(redis)) {
                Thread.onSpinWait();
            }

            assertThat(verdict(link.attempt(count(1)))).isEqualTo(RedisVerdict.TRANSIENT);
            assertThat(verdict(link.attempt(count(1)))).isEqualTo(RedisVerdict.TRANSIENT);
            redis.scriptKill();
            loop.join();
        }
        assertThat(verdict(link.attempt(count(1)))).isNull();
    }

    private static boolean isBusy(Jedis redis) {
        try {
            redis.ping();
            return false;
        } catch (RuntimeException busy) {
            return String.valueOf(busy.getMessage()).startsWith("BUSY");
        }
    }

    /** Null if all went well. */
    private RedisVerdict verdict(RedisLink.Attempt attempt) {
        // The next attempt asks for the memory again.
        now += TimeUnit.SECONDS.toNanos(1);
        if (attempt.failure() != null) {
            return RedisVerdict.of(attempt.failure());
        }
        return attempt.replies().stream()
                .filter(Reply.Failed.class::isInstance)
                .map(reply -> ((Reply.Failed) reply).verdict())
                .findFirst()
                .orElse(null);
    }

    private static void user(String rules) {
        try (Jedis redis = server.connect()) {
            redis.aclSetUser("somebody", ("reset on >pw " + rules).split(" "));
        }
    }

    private static List<ScriptedWrite> count(long total) {
        return List.of(Writes.count("c", total, KEYS));
    }

    private RedisLink link(String user) {
        return new RedisLink(new RedisConnector(options(url(user), password(user))), () -> now);
    }

    private static String url(String user) {
        return "redis://" + user + server.host() + ":" + server.port();
    }

    private static SecretRef password(String user) {
        return user.isEmpty() ? SecretRef.none() : SecretRef.inFile("redis.password", secret.toString());
    }

    private static LiveViewOptions options(String url, SecretRef password) {
        return new LiveViewOptions(URI.create(url), password, KEYS.prefix());
    }
}
