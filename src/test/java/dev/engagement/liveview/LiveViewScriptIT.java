package dev.engagement.liveview;

import static org.assertj.core.api.Assertions.assertThat;

import dev.engagement.event.Content;
import dev.engagement.local.RedisServer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import redis.clients.jedis.Jedis;

/** Single cases of the scripts on a real Redis. */
class LiveViewScriptIT {

    private static final LiveViewKeys KEYS = new LiveViewKeys("");
    private static final long NOW_MICROS = System.currentTimeMillis() * 1_000;

    private static RedisServer server;
    private static Jedis redis;

    @BeforeAll
    static void start() {
        server = RedisServer.start(Path.of("target/redis/LiveViewScriptIT"), 0);
        redis = server.connect();
    }

    @AfterAll
    static void stop() {
        redis.close();
        server.close();
    }

    @BeforeEach
    void empty() {
        redis.flushAll();
    }

    @Test
    void the_server_knows_a_script_by_the_hash_that_we_compute() {
        for (LiveViewScript script : LiveViewScript.values()) {
            assertThat(redis.scriptLoad(script.text())).isEqualTo(script.sha1());
        }
    }

    @Test
    void a_last_whose_hour_is_over_is_not_written() {
        assertThat(apply(Samples.last("c", 1, NOW_MICROS - 3_600_000_000L - 5_000L)))
                .isEqualTo(WriteOutcome.EXPIRED);
        assertThat(redis.exists("content:last:c")).isFalse();
    }

    @Test
    void a_last_expires_an_hour_after_its_event_however_late_it_is_written() {
        long ts = NOW_MICROS - 1_800_000_000L;

        apply(Samples.last("c", 1, ts));

        assertThat(redis.pexpireTime("content:last:c")).isEqualTo(ts / 1_000 + 3_600_000);
    }

    @Test
    void an_older_put_does_not_bring_a_deleted_content_back() {
        apply(new LiveValue.Meta(Samples.content("c"), 5));
        assertThat(apply(new LiveValue.MetaGone("c", 6))).isEqualTo(WriteOutcome.WRITTEN);
        assertThat(redis.exists("content:meta:c")).isFalse();

        assertThat(apply(new LiveValue.Meta(Samples.content("c"), 5))).isEqualTo(WriteOutcome.SUPERSEDED);
        assertThat(redis.exists("content:meta:c")).isFalse();
    }

    @Test
    void a_deletion_that_arrives_before_its_put_holds() {
        apply(new LiveValue.MetaGone("c", 6));

        assertThat(apply(new LiveValue.Meta(Samples.content("c"), 5))).isEqualTo(WriteOutcome.SUPERSEDED);
        assertThat(redis.exists("content:meta:c")).isFalse();
    }

    @Test
    void an_older_deletion_does_not_remove_a_content_that_came_again() {
        apply(new LiveValue.MetaGone("c", 6));
        assertThat(apply(new LiveValue.Meta(Samples.content("c"), 7))).isEqualTo(WriteOutcome.WRITTEN);
        assertThat(apply(new LiveValue.MetaGone("c", 6))).isEqualTo(WriteOutcome.SUPERSEDED);

        assertThat(redis.hget("content:meta:c", "slug")).isEqualTo("slug-c");
    }

    @Test
    void a_grave_is_kept_for_two_weeks() {
        apply(new LiveValue.MetaGone("c", 6));

        assertThat(redis.pttl("gone:{content:meta:c}")).isBetween(14 * 86_400_000L - 60_000, 14 * 86_400_000L);
    }

    @Test
    void a_field_that_became_null_disappears() {
        apply(new LiveValue.Meta(Samples.content("c"), 5));
        apply(new LiveValue.Meta(new Content("c", "s", null, null, null, null), 6));

        assertThat(redis.hgetAll("content:meta:c")).isEqualTo(Map.of("slug", "s", "_version", "6"));
    }

    @Test
    void what_somebody_else_wrote_there_is_replaced() {
        redis.set("content:last:c", "hello");
        redis.set("content:count:c", "many");
        redis.set("content:meta:c", "hello");
        redis.hset("content:last:d", "a", "b");
        redis.lpush("content:count:d", "1");
        redis.hset("content:meta:d", "slug", "by hand");

        assertThat(apply(Samples.last("c", 1, NOW_MICROS))).isEqualTo(WriteOutcome.REPLACED_UNREADABLE);
        assertThat(apply(Samples.last("d", 1, NOW_MICROS))).isEqualTo(WriteOutcome.REPLACED_UNREADABLE);
        assertThat(apply(new LiveValue.Count("c", 1))).isEqualTo(WriteOutcome.REPLACED_UNREADABLE);
        assertThat(apply(new LiveValue.Count("d", 1))).isEqualTo(WriteOutcome.REPLACED_UNREADABLE);
        assertThat(apply(new LiveValue.Meta(Samples.content("c"), 1))).isEqualTo(WriteOutcome.REPLACED_UNREADABLE);
        assertThat(apply(new LiveValue.Meta(Samples.content("d"), 1))).isEqualTo(WriteOutcome.REPLACED_UNREADABLE);

        assertThat(redis.get("content:last:d")).startsWith("{\"event_id\":1,");
        assertThat(redis.get("content:count:d")).isEqualTo("1");
        assertThat(redis.hget("content:meta:c", "slug")).isEqualTo("slug-c");
    }

    private static WriteOutcome apply(LiveValue value) {
        ScriptedWrite write = value.write(KEYS);
        return WriteOutcome.of((Long)
                redis.eval(write.script().text().getBytes(StandardCharsets.UTF_8), write.keys(), write.arguments()));
    }
}
