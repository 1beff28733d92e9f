package dev.engagement.liveview.sink;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.engagement.event.EngagementEvent;
import dev.engagement.event.EnrichedEvent;
import dev.engagement.event.Position;
import dev.engagement.liveview.LiveValue;
import dev.engagement.liveview.LiveViewKeys;
import dev.engagement.liveview.LiveViewRules;
import dev.engagement.liveview.Samples;
import dev.engagement.liveview.ScriptedWrite;
import dev.engagement.liveview.WriteOutcome;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.apache.flink.api.connector.sink2.SinkWriter;
import org.apache.flink.configuration.MemorySize;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import redis.clients.jedis.exceptions.JedisAccessControlException;
import redis.clients.jedis.exceptions.JedisConnectionException;
import redis.clients.jedis.exceptions.JedisDataException;

class RedisWriterTest {

    private static final long START = 1_767_882_112_000L;
    private static final LiveViewKeys KEYS = new LiveViewKeys("");
    private static final WriterLimits LIMITS = new WriterLimits(
            100, MemorySize.ofMebiBytes(1), 10, MemorySize.parse("64kb"), Duration.ofMillis(5), Duration.ofSeconds(15));

    private final ManualTask task = new ManualTask(START);
    private final ScriptedRedis redis = new ScriptedRedis();
    private final RecordedMetrics metrics = new RecordedMetrics();

    @Test
    void connects_and_loads_the_scripts_before_anything_is_written() throws Exception {
        started(LIMITS);

        assertThat(redis.connects).isEqualTo(1);
        assertThat(redis.loads).isEqualTo(1);
        assertThat(redis.batches).isEmpty();
    }

    @Test
    void the_first_value_does_not_wait() throws Exception {
        RedisWriter<LiveValue> writer = started(LIMITS);

        writer.write(count("a", 1), context());
        task.runAll();

        assertThat(redis.batches).containsExactly(List.of(count("a", 1).write(KEYS)));
        assertThat(metrics.count("writes")).isEqualTo(1);
        assertThat(metrics.gauge("pendingEntries")).isZero();
        assertThat(metrics.gauge("pendingBytes")).isZero();
    }

    @Test
    void what_arrives_while_a_batch_is_under_way_coalesces_into_the_next() throws Exception {
        RedisWriter<LiveValue> writer = started(LIMITS);
        writer.write(count("a", 1), context());

        writer.write(count("a", 2), context());
        writer.write(count("b", 5), context());
        writer.write(count("a", 4), context());
        writer.write(count("a", 3), context());
        task.runAll();
        task.pass(5);
        task.runAll();

        assertThat(redis.batches)
                .containsExactly(
                        List.of(count("a", 1).write(KEYS)),
                        List.of(count("a", 4).write(KEYS), count("b", 5).write(KEYS)));
        assertThat(metrics.count("coalesced")).isEqualTo(2);
    }

    @Test
    void two_batches_start_at_least_the_linger_time_apart() throws Exception {
        RedisWriter<LiveValue> writer = started(LIMITS);
        writer.write(count("a", 1), context());
        task.runAll();
        writer.write(count("a", 2), context());

        task.pass(4);
        task.runAll();
        assertThat(redis.batches).hasSize(1);

        task.pass(1);
        task.runAll();
        assertThat(redis.batches).hasSize(2);
    }

    @Test
    void a_batch_takes_what_has_waited_longest_up_to_its_limit() throws Exception {
        RedisWriter<LiveValue> writer = started(LIMITS);
        for (int i = 0; i < 26; i++) {
            writer.write(count("c" + i, 1), context());
        }
        drain();

        assertThat(redis.batches).extracting(List::size).containsExactly(1, 10, 10, 5);
        assertThat(redis.keys(1)).startsWith("content:count:c1", "content:count:c2");
    }

    @Test
    void a_last_whose_hour_is_over_is_dropped_and_counted() throws Exception {
        RedisWriter<LiveValue> writer = started(LIMITS);

        writer.write(Samples.last("a", 1, (START - 3_600_000) * 1_000), context());
        task.runAll();

        assertThat(redis.batches).isEmpty();
        assertThat(metrics.count("expired")).isEqualTo(1);
        assertThat(metrics.gauge("pendingEntries")).isZero();
    }

    @Test
    void a_last_whose_hour_ends_while_redis_is_away_is_dropped_and_counted() throws Exception {
        RedisWriter<LiveValue> writer = started(LIMITS);
        redis.failBatch(new JedisConnectionException("broken"));
        writer.write(Samples.last("a", 1, (START - 3_599_990) * 1_000), context());
        writer.write(Samples.last("b", 2, (START - 3_599_990) * 1_000), context());
        writer.write(Samples.last("c", 3, START * 1_000), context());
        task.runAll();

        task.pass(100);
        task.runAll();

        assertThat(redis.keys(1)).containsExactly("content:last:c");
        assertThat(metrics.count("expired")).isEqualTo(2);
        assertThat(metrics.gauge("pendingEntries")).isZero();
        assertThat(metrics.gauge("pendingBytes")).isZero();
    }

    @Test
    void while_redis_is_away_values_coalesce_and_are_written_when_it_returns() throws Exception {
        RedisWriter<LiveValue> writer = started(LIMITS);
        redis.failBatch(new JedisConnectionException("broken"));
        redis.failConnect(new JedisConnectionException("refused"));
        redis.failConnect(new JedisConnectionException("refused"));
        writer.write(count("a", 1), context());
        task.runAll();
        assertThat(metrics.gauge("redisUp")).isZero();

        writer.write(count("a", 2), context());
        writer.write(count("b", 1), context());
        drain();

        assertThat(redis.batches)
                .last()
                .isEqualTo(List.of(count("a", 2).write(KEYS), count("b", 1).write(KEYS)));
        assertThat(redis.connects).isEqualTo(4);
        assertThat(metrics.count("redisRetries")).isEqualTo(3);
        assertThat(metrics.gauge("redisUp")).isOne();
        assertThat(metrics.gauge("pendingEntries")).isZero();
        assertThat(metrics.gauge("pendingBytes")).isZero();
    }

    @Test
    void an_older_value_that_failed_is_not_repeated_and_a_newer_one_is() throws Exception {
        RedisWriter<LiveValue> writer = started(LIMITS);
        redis.failBatch(new JedisConnectionException("broken"));
        writer.write(count("a", 5), context());
        task.runAll();

        writer.write(count("a", 3), context());
        drain();

        assertThat(redis.batches.get(1)).startsWith(count("a", 5).write(KEYS));
    }

    @Test
    void retries_wait_longer_each_time() throws Exception {
        RedisWriter<LiveValue> writer = started(LIMITS);
        redis.failBatch(new JedisConnectionException("broken"));
        redis.failConnect(new JedisConnectionException("refused"));
        writer.write(count("a", 1), context());
        task.runAll();

        task.pass(24);
        assertThat(task.hasIo()).isFalse();
        task.pass(1);
        assertThat(task.hasIo()).isTrue();
        task.runAll();
        task.pass(49);
        assertThat(task.hasIo()).isFalse();
        task.pass(1);
        task.runAll();

        assertThat(redis.batches).hasSize(2);
    }

    @Test
    void a_checkpoint_stores_what_is_under_way_and_what_waits_without_waiting() throws Exception {
        RedisWriter<LiveValue> writer = started(LIMITS);
        writer.write(count("a", 1), context());
        writer.write(count("a", 2), context());
        writer.write(count("b", 1), context());

        writer.flush(false);

        assertThat(writer.snapshotState(1))
                .containsExactly(
                        count("a", 1).write(KEYS),
                        count("a", 2).write(KEYS),
                        count("b", 1).write(KEYS));
        assertThat(redis.batches).isEmpty();
    }

    @Test
    void a_checkpoint_stores_what_waits_for_a_retry() throws Exception {
        RedisWriter<LiveValue> writer = started(LIMITS);
        redis.failBatch(new JedisConnectionException("broken"));
        writer.write(count("a", 1), context());
        task.runAll();

        assertThat(writer.snapshotState(1)).containsExactly(count("a", 1).write(KEYS));
    }

    @Test
    void a_checkpoint_after_everything_is_written_is_empty() throws Exception {
        RedisWriter<LiveValue> writer = started(LIMITS);
        writer.write(count("a", 1), context());
        drain();

        assertThat(writer.snapshotState(1)).isEmpty();
    }

    @Test
    void a_restored_writer_writes_first_what_the_checkpoint_kept() throws Exception {
        RedisWriter<LiveValue> writer =
                restored(List.of(count("a", 1).write(KEYS), count("b", 1).write(KEYS)));
        assertThat(metrics.gauge("pendingEntries")).isEqualTo(2);
        writer.write(count("a", 2), context());
        drain();

        assertThat(redis.batches)
                .containsExactly(
                        List.of(count("a", 1).write(KEYS), count("b", 1).write(KEYS)),
                        List.of(count("a", 2).write(KEYS)));
        assertThat(metrics.gauge("pendingEntries")).isZero();
        assertThat(metrics.gauge("pendingBytes")).isZero();
    }

    @Test
    void a_checkpoint_right_after_a_restore_keeps_everything() throws Exception {
        List<ScriptedWrite> kept = new ArrayList<>();
        for (int i = 0; i < 15; i++) {
            kept.add(count("c" + i, 1).write(KEYS));
        }
        RedisWriter<LiveValue> writer = restored(kept);

        assertThat(writer.snapshotState(2)).isEqualTo(kept);
    }

    @Test
    void the_end_of_input_waits_until_redis_has_everything() throws Exception {
        RedisWriter<LiveValue> writer = started(LIMITS);
        redis.failBatch(new JedisConnectionException("broken"));
        redis.failConnect(new JedisConnectionException("refused"));
        writer.write(count("a", 1), context());
        writer.write(count("b", 1), context());

        writer.flush(true);

        assertThat(redis.batches.stream().skip(1).flatMap(List::stream))
                .containsExactlyInAnyOrder(
                        count("a", 1).write(KEYS), count("b", 1).write(KEYS));
        assertThat(metrics.gauge("pendingEntries")).isZero();
    }

    @Test
    void too_much_pending_holds_the_task_until_there_is_room() throws Exception {
        RedisWriter<LiveValue> writer = started(new WriterLimits(
                3,
                MemorySize.ofMebiBytes(1),
                10,
                MemorySize.parse("64kb"),
                Duration.ofMillis(5),
                Duration.ofSeconds(15)));
        redis.failBatch(new JedisConnectionException("broken"));
        writer.write(count("a", 1), context());
        writer.write(count("b", 1), context());
        writer.write(count("c", 1), context());
        assertThat(metrics.count("blockedMillis")).isZero();

        writer.write(count("d", 1), context());

        assertThat(metrics.count("blockedMillis")).isEqualTo(25);
        assertThat(metrics.gauge("pendingEntries")).isLessThanOrEqualTo(3);
    }

    @Test
    void while_the_task_is_held_the_time_is_counted_already() throws Exception {
        RedisWriter<LiveValue> writer = started(new WriterLimits(
                1,
                MemorySize.ofMebiBytes(1),
                10,
                MemorySize.parse("64kb"),
                Duration.ofMillis(5),
                Duration.ofSeconds(15)));
        writer.write(count("a", 1), context());
        List<Long> seen = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            redis.answer(replies -> {
                seen.add(metrics.count("blockedMillis"));
                throw new JedisConnectionException("broken");
            });
        }

        writer.write(count("b", 1), context());

        assertThat(seen).hasSize(4).isSorted();
        assertThat(seen.get(3)).isPositive().isLessThan(metrics.count("blockedMillis"));
    }

    @Test
    void values_of_known_slots_need_no_room() throws Exception {
        RedisWriter<LiveValue> writer = started(new WriterLimits(
                2,
                MemorySize.ofMebiBytes(1),
                10,
                MemorySize.parse("64kb"),
                Duration.ofMillis(5),
                Duration.ofSeconds(15)));
        writer.write(count("a", 1), context());
        for (int i = 2; i < 1_000; i++) {
            writer.write(count("a", i), context());
        }

        assertThat(metrics.gauge("pendingEntries")).isEqualTo(2);
        assertThat(metrics.count("blockedMillis")).isZero();
    }

    @Test
    void a_server_that_forgot_the_scripts_gets_them_again_and_only_what_failed_is_repeated() throws Exception {
        RedisWriter<LiveValue> writer = started(LIMITS);
        redis.flushScripts();

        writer.write(count("a", 1), context());
        drain();

        assertThat(redis.loads).isEqualTo(2);
        assertThat(redis.connects).isEqualTo(1);
        assertThat(redis.batches).hasSize(2);
        assertThat(metrics.count("writes")).isEqualTo(1);
        assertThat(metrics.count("redisRetries")).isZero();
    }

    @Test
    void what_redis_refused_for_want_of_memory_is_repeated_alone() throws Exception {
        RedisWriter<LiveValue> writer = started(LIMITS);
        writer.write(count("x", 1), context());
        writer.write(count("a", 1), context());
        writer.write(count("b", 1), context());
        redis.answer(replies -> replies);
        redis.answer(replies -> List.of(
                replies.get(0),
                new Reply.Failed(
                        "OOM command not allowed when used memory > 'maxmemory'. script: 1, on @user_script:1.")));
        drain();

        assertThat(redis.keys(1)).containsExactly("content:count:a", "content:count:b");
        assertThat(redis.keys(2)).containsExactly("content:count:b");
        assertThat(metrics.count("redisOutOfMemory")).isEqualTo(1);
        assertThat(metrics.count("writes")).isEqualTo(3);
    }

    @Test
    void a_read_only_replica_is_left_for_a_new_connection() throws Exception {
        RedisWriter<LiveValue> writer = started(LIMITS);
        redis.answer(replies -> List.of(new Reply.Failed("READONLY You can't write against a read only replica.")));
        writer.write(count("a", 1), context());
        drain();

        assertThat(redis.connects).isEqualTo(2);
        assertThat(redis.batches).hasSize(2);
    }

    @Test
    void a_wrong_password_fails_the_job_at_its_start() {
        redis.failConnect(
                new JedisAccessControlException("WRONGPASS invalid username-password pair or user is disabled."));

        assertThatThrownBy(() -> started(LIMITS))
                .isInstanceOf(LiveViewRefusedException.class)
                .hasMessageContaining("host:6379/0")
                .hasMessageContaining("WRONGPASS")
                .hasMessageContaining("redis.url");
    }

    @Test
    void a_refused_write_names_its_key() throws Exception {
        RedisWriter<LiveValue> writer = started(LIMITS);
        redis.answer(replies -> List.of(new Reply.Failed("NOPERM No permissions to access a key")));
        writer.write(count("a", 1), context());

        assertThatThrownBy(task::runAll)
                .isInstanceOf(LiveViewRefusedException.class)
                .hasMessageContaining("content:count:a")
                .hasMessageContaining("NOPERM");
    }

    @Test
    void a_missing_secret_fails_the_job_with_its_own_words() {
        redis.failConnect(new IllegalStateException("The secret redis.password is expected in X, which is not set"));

        assertThatThrownBy(() -> started(LIMITS))
                .isInstanceOf(LiveViewRefusedException.class)
                .hasMessageContaining("redis.password is expected in X");
    }

    @Test
    void a_loading_server_is_waited_for() throws Exception {
        redis.failConnect(new JedisDataException("LOADING Redis is loading the dataset in memory"));
        RedisWriter<LiveValue> writer = started(LIMITS);
        writer.write(count("a", 1), context());
        drain();

        assertThat(redis.batches).hasSize(1);
    }

    @Test
    void freshness_is_measured_from_commit_to_acknowledgement_of_values_that_are_shown() throws Exception {
        RedisWriter<LiveValue> writer = started(LIMITS);
        writer.write(Samples.last("a", 1, START * 1_000), context());
        task.pass(120);
        task.runAll();
        writer.write(new LiveValue.Last(Samples.event("b", 2, START * 1_000, null, null, true)), context());
        drain();
        redis.answer(replies -> List.of(new Reply.Done(WriteOutcome.SUPERSEDED)));
        writer.write(Samples.last("c", 3, START * 1_000), context());
        drain();

        assertThat(metrics.histogram("commitToVisibleMillis").getCount()).isEqualTo(1);
        assertThat(metrics.histogram("commitToVisibleMillis").getStatistics().getMax())
                .isEqualTo(130);
        assertThat(metrics.count("superseded")).isEqualTo(1);
        assertThat(metrics.count("writes")).isEqualTo(3);
    }

    @Test
    void a_batch_without_an_answer_is_given_up_by_closing_its_connection() throws Exception {
        RedisWriter<LiveValue> writer = started(LIMITS);
        writer.write(count("a", 1), context());

        task.pass(14_999);
        assertThat(redis.aborted.getCount()).isOne();
        task.pass(15_001);

        assertThat(redis.aborted.await(10, TimeUnit.SECONDS)).isTrue();
    }

    @Test
    void a_closed_writer_ends_its_thread_and_ignores_what_comes_back() throws Exception {
        RedisWriter<LiveValue> writer = started(LIMITS);
        writer.write(count("a", 1), context());
        writer.close();
        task.runAll();

        assertThat(task.isIoStopped()).isTrue();
        assertThat(redis.aborted.await(10, TimeUnit.SECONDS)).isTrue();
        assertThat(metrics.count("writes")).isZero();
    }

    @Test
    void a_future_dated_event_is_left_out_and_counted() throws Exception {
        RedisWriter<EnrichedEvent> writer = new RedisWriter<>(
                LiveViewMappings.last(new LiveViewRules(Duration.ofMinutes(1))),
                KEYS,
                LIMITS,
                Backoff.DEFAULT,
                redis,
                environment(),
                List.of());
        task.runAll();
        EnrichedEvent ahead = Samples.event("a", 1, (START + 60_001) * 1_000);
        EngagementEvent event = ahead.event();
        writer.write(
                new EnrichedEvent(
                        new EngagementEvent(
                                event.id(),
                                event.contentId(),
                                event.userId(),
                                event.eventType(),
                                event.eventTsMicros(),
                                event.durationMs(),
                                event.device(),
                                event.rawPayload(),
                                event.snapshot(),
                                event.committedAtMillis(),
                                new Position(0, 1, START)),
                        ahead.content(),
                        ahead.engagement()),
                context());
        writer.write(Samples.event("b", 2, START * 1_000), context());
        drain();

        assertThat(redis.keys(0)).containsExactly("content:last:b");
        assertThat(new String(redis.batches.get(0).get(0).arguments().get(0), StandardCharsets.UTF_8))
                .startsWith("{\"event_id\":2,");
        assertThat(metrics.count("futureDated")).isEqualTo(1);
    }

    private RedisWriter<LiveValue> started(WriterLimits limits) throws Exception {
        RedisWriter<LiveValue> writer = new RedisWriter<>(
                LiveViewMappings.values(), KEYS, limits, Backoff.DEFAULT, redis, environment(), List.of());
        task.runAll();
        task.pass(10);
        return writer;
    }

    private RedisWriter<LiveValue> restored(List<ScriptedWrite> writes) {
        return new RedisWriter<>(
                LiveViewMappings.values(), KEYS, LIMITS, Backoff.DEFAULT, redis, environment(), writes);
    }

    private RedisWriter.Environment environment() {
        return new RedisWriter.Environment("host:6379/0", task, task, task.io(), task::stopIo, () -> 0.0, metrics);
    }

    /** Time passes until nothing is left to write. */
    private void drain() throws Exception {
        for (int i = 0; i < 1_000 && metrics.gauge("pendingEntries") > 0; i++) {
            task.runAll();
            task.pass(5);
        }
        task.runAll();
        assertThat(metrics.gauge("pendingEntries")).isZero();
    }

    private static LiveValue count(String contentId, long total) {
        return new LiveValue.Count(contentId, total);
    }

    private static SinkWriter.Context context() {
        return new SinkWriter.Context() {
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
}
