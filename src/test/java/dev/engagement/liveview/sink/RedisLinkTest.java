package dev.engagement.liveview.sink;

import static org.assertj.core.api.Assertions.assertThat;

import dev.engagement.liveview.LiveViewScript;
import dev.engagement.liveview.ScriptedWrite;
import dev.engagement.liveview.WriteOutcome;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import redis.clients.jedis.exceptions.JedisConnectionException;

class RedisLinkTest {

    private static final List<ScriptedWrite> WRITES = List.of(new ScriptedWrite(
            LiveViewScript.COUNT,
            List.of("content:count:a".getBytes(StandardCharsets.UTF_8)),
            List.of("1".getBytes(StandardCharsets.UTF_8))));

    private final ScriptedRedis redis = new ScriptedRedis();
    private long now = Long.MAX_VALUE - TimeUnit.MILLISECONDS.toNanos(500);
    private final RedisLink link = new RedisLink(redis, () -> now);

    @Test
    void memory_is_asked_at_connect_and_then_at_most_once_a_second() {
        assertThat(link.attempt(List.of()).incarnation()).isEqualTo("one");
        redis.incarnation = "two";

        pass(Duration.ofMillis(999));
        assertThat(link.attempt(WRITES).incarnation()).isEqualTo("one");
        assertThat(link.attempt(List.of()).incarnation()).isEqualTo("one");
        assertThat(redis.incarnationAsked).isOne();

        pass(Duration.ofMillis(1));
        assertThat(link.attempt(WRITES).incarnation()).isEqualTo("two");
        assertThat(redis.incarnationAsked).isEqualTo(2);
    }

    @Test
    void an_attempt_without_writes_asks_too() {
        link.attempt(List.of());
        redis.incarnation = "two";
        pass(Duration.ofSeconds(1));

        assertThat(link.attempt(List.of()).incarnation()).isEqualTo("two");
    }

    /** Else a write that was lost with its memory would be reported as one of the next memory. */
    @Test
    void memory_is_asked_before_the_writes() {
        List<Integer> askedBefore = new ArrayList<>();
        for (int i = 0; i < 2; i++) {
            redis.answer(replies -> {
                askedBefore.add(redis.incarnationAsked);
                return replies;
            });
            link.attempt(WRITES);
            pass(Duration.ofSeconds(1));
        }

        assertThat(askedBefore).containsExactly(1, 2);
    }

    @Test
    void an_attempt_that_failed_as_a_whole_says_nothing_of_the_memory_and_the_next_one_asks() {
        link.attempt(List.of());
        redis.failBatch(new JedisConnectionException("broken"));

        assertThat(link.attempt(WRITES).incarnation()).isNull();
        redis.incarnation = "two";
        assertThat(link.attempt(WRITES).incarnation()).isEqualTo("two");
    }

    @Test
    void a_failure_that_another_connection_may_heal_leads_to_one() {
        link.attempt(List.of());
        for (String error : List.of("READONLY replica", "OOM command not allowed", "NOPERM no right")) {
            int connects = redis.connects;
            redis.answer(replies -> List.of(new Reply.Failed(error)));
            link.attempt(WRITES);
            link.attempt(WRITES);
            assertThat(redis.connects).as(error).isEqualTo(connects + 1);
        }
    }

    @Test
    void a_write_that_can_never_be_applied_does_not_cost_the_connection() {
        redis.answer(replies -> List.of(new Reply.Failed("CROSSSLOT Keys in request")));

        assertThat(link.attempt(WRITES).hasFailures()).isTrue();
        assertThat(link.attempt(WRITES).replies()).containsExactly(new Reply.Done(WriteOutcome.WRITTEN));
        assertThat(redis.connects).isOne();
    }

    private void pass(Duration time) {
        now += time.toNanos();
    }
}
