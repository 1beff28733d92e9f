package dev.engagement.liveview.sink;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.engagement.event.EnrichedEvent;
import dev.engagement.liveview.LiveValue;
import dev.engagement.liveview.LiveViewRules;
import dev.engagement.liveview.Samples;
import dev.engagement.liveview.ScriptedWrite;
import dev.engagement.liveview.WriteOutcome;
import dev.engagement.writeback.KeyedShownState;
import dev.engagement.writeback.WriterLimits;
import dev.engagement.writeback.testing.MapShownState;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.apache.flink.configuration.MemorySize;
import org.junit.jupiter.api.Test;
import redis.clients.jedis.exceptions.JedisAccessControlException;
import redis.clients.jedis.exceptions.JedisConnectionException;
import redis.clients.jedis.exceptions.JedisDataException;

class LiveViewWriterTest {

    private static final long START = 1_767_882_112_000L;
    private static final WriterLimits LIMITS = limits(100);
    private static final int MAX_HELD = 32_768;
    private static final long[] NO_MINUTES = {};

    private final ScriptedRedis redis = new ScriptedRedis();

    @Test
    void connects_and_asks_for_the_memory_before_anything_is_written() throws Exception {
        ManualSubtask<CountPartial> counts = started();

        assertThat(redis.connects).isEqualTo(1);
        assertThat(redis.loads).isEqualTo(1);
        assertThat(redis.incarnationAsked).isEqualTo(1);
        assertThat(redis.batches).isEmpty();
        assertThat(counts.metrics.gauge("rewrites")).as("a fresh start adopts").isZero();
    }

    @Test
    void opening_does_not_wait_for_redis() throws Exception {
        ManualSubtask<CountPartial> counts = counts();

        assertThat(redis.connects).isZero();
        assertThat(counts.task.hasIo()).isTrue();
    }

    @Test
    void the_first_value_does_not_wait() throws Exception {
        ManualSubtask<CountPartial> counts = started();

        counts.show(events("a", 1));
        counts.task.runAll();

        assertThat(batches()).containsExactly(List.of("a=1"));
        assertThat(counts.metrics.count("writes")).isEqualTo(1);
        assertNothingWaits(counts);
    }

    @Test
    void what_arrives_while_a_batch_is_under_way_coalesces_into_the_next() throws Exception {
        ManualSubtask<CountPartial> counts = started();
        counts.show(events("a", 1));

        counts.show(events("a", 1));
        counts.show(events("b", 5));
        counts.show(events("a", 2));
        counts.task.runAll();
        counts.task.pass(5);
        counts.task.runAll();

        assertThat(batches()).containsExactly(List.of("a=1"), List.of("a=4", "b=5"));
        assertThat(counts.metrics.count("coalesced")).isEqualTo(1);
    }

    @Test
    void two_batches_start_at_least_the_linger_time_apart() throws Exception {
        ManualSubtask<CountPartial> counts = started();
        counts.show(events("a", 1));
        counts.task.runAll();
        counts.show(events("a", 1));

        counts.task.pass(4);
        counts.task.runAll();
        assertThat(redis.batches).hasSize(1);

        counts.task.pass(1);
        counts.task.runAll();
        assertThat(redis.batches).hasSize(2);
    }

    @Test
    void a_clock_that_is_set_back_delays_nothing() throws Exception {
        ManualSubtask<CountPartial> counts = started();
        counts.show(events("a", 1));
        counts.task.runAll();
        counts.task.setBack(3_600_000);
        counts.show(events("a", 1));

        counts.task.pass(5);
        counts.task.runAll();

        assertThat(redis.batches).hasSize(2);
    }

    @Test
    void a_batch_takes_what_has_waited_longest_up_to_its_limit() throws Exception {
        ManualSubtask<CountPartial> counts = started();
        for (int i = 0; i < 26; i++) {
            counts.show(events("c" + i, 1));
        }
        counts.settle();

        assertThat(batches()).extracting(List::size).containsExactly(1, 10, 10, 5);
        assertThat(batches().get(1)).startsWith("c1=1", "c2=1");
    }

    @Test
    void a_batch_takes_no_more_bytes_than_its_limit_unless_one_value_has_more() throws Exception {
        ManualSubtask<EnrichedEvent> lasts = lasts(START, false);
        lasts.task.runAll();
        lasts.task.pass(10);
        String payload = "\"" + "x".repeat(40_000) + "\"";
        for (int i = 0; i < 4; i++) {
            lasts.show(Samples.event("c" + i, i, START * 1_000, "web", payload, false));
        }
        lasts.settle();

        assertThat(redis.batches).extracting(List::size).containsExactly(1, 1, 1, 1);
        assertNothingWaits(lasts);
    }

    @Test
    void a_last_whose_hour_ends_while_redis_is_away_is_dropped_and_counted() throws Exception {
        ManualSubtask<EnrichedEvent> lasts = lasts(START, false);
        lasts.task.runAll();
        redis.failBatch(new JedisConnectionException("broken"));
        lasts.show(Samples.event("a", 1, (START - 3_599_990) * 1_000));
        lasts.show(Samples.event("b", 2, (START - 3_599_990) * 1_000));
        lasts.show(Samples.event("c", 3, START * 1_000));
        lasts.task.runAll();

        lasts.task.pass(100);
        lasts.settle();

        assertThat(redis.keys(redis.batches.size() - 1)).containsExactly("content:last:c");
        assertThat(lasts.metrics.count("expired")).isEqualTo(2);
        assertNothingWaits(lasts);
    }

    @Test
    void while_redis_is_away_values_coalesce_and_are_written_when_it_returns() throws Exception {
        ManualSubtask<CountPartial> counts = started();
        redis.failBatch(new JedisConnectionException("broken"));
        redis.failConnect(new JedisConnectionException("refused"));
        redis.failConnect(new JedisConnectionException("refused"));
        counts.show(events("a", 1));
        counts.task.runAll();
        assertThat(counts.metrics.gauge("redisUp")).isZero();

        counts.show(events("a", 1));
        counts.show(events("b", 1));
        counts.settle();

        assertThat(batches()).last().isEqualTo(List.of("a=2", "b=1"));
        assertThat(redis.connects).isEqualTo(4);
        assertThat(counts.metrics.count("redisRetries")).isEqualTo(3);
        assertThat(counts.metrics.gauge("redisUp")).isOne();
        assertThat(counts.metrics.gauge("rewrites")).as("the same memory").isZero();
        assertNothingWaits(counts);
    }

    @Test
    void retries_wait_longer_each_time() throws Exception {
        ManualSubtask<CountPartial> counts = started();
        redis.failBatch(new JedisConnectionException("broken"));
        redis.failConnect(new JedisConnectionException("refused"));
        counts.show(events("a", 1));
        counts.task.runAll();

        counts.task.pass(24);
        assertThat(counts.task.hasIo()).isFalse();
        counts.task.pass(1);
        assertThat(counts.task.hasIo()).isTrue();
        counts.task.runAll();
        counts.task.pass(49);
        assertThat(counts.task.hasIo()).isFalse();
        counts.task.pass(1);
        counts.task.runAll();

        assertThat(redis.batches).hasSize(2);
    }

    @Test
    void a_part_of_redis_that_is_away_does_not_slow_down_the_rest() throws Exception {
        ManualSubtask<CountPartial> counts = started();
        counts.show(events("a", 1));
        counts.show(events("b", 1));
        for (int i = 0; i < 20; i++) {
            redis.answer(replies -> replies.size() == 1
                    ? replies
                    : List.of(replies.get(0), new Reply.Failed("CLUSTERDOWN Hash slot not served")));
        }
        for (int i = 0; i < 8; i++) {
            counts.task.runAll();
            counts.task.pass(25);
            counts.show(events("a", 1));
        }

        assertThat(redis.batches.size()).isGreaterThanOrEqualTo(8);
    }

    @Test
    void the_end_of_input_waits_until_redis_has_everything() throws Exception {
        ManualSubtask<CountPartial> counts = started();
        redis.failBatch(new JedisConnectionException("broken"));
        redis.failConnect(new JedisConnectionException("refused"));
        counts.show(events("a", 1));
        counts.show(events("b", 1));

        counts.writer.flush();

        assertThat(batches().stream().skip(1).flatMap(List::stream)).containsExactlyInAnyOrder("a=1", "b=1");
        assertNothingWaits(counts);
    }

    @Test
    void the_end_of_input_waits_until_it_is_known_what_redis_remembers() throws Exception {
        ManualSubtask<CountPartial> before = started();
        before.show(events("a", 1));
        before.settle();
        MapShownState<LiveValue> stored = before.checkpoint();
        redis.incarnation = "two";
        redis.failConnect(new JedisConnectionException("refused"));

        restored(stored).writer.flush();

        assertThat(batches()).last().isEqualTo(List.of("a=1"));
    }

    @Test
    void an_end_of_input_with_nothing_to_show_does_not_need_redis() throws Exception {
        redis.failConnect(new JedisConnectionException("refused"));
        ManualSubtask<CountPartial> counts = counts();

        counts.writer.flush();

        assertThat(redis.connects).isOne();
    }

    @Test
    void a_server_that_forgot_the_scripts_gets_them_again_and_only_what_failed_is_repeated() throws Exception {
        ManualSubtask<CountPartial> counts = started();
        redis.flushScripts();

        counts.show(events("a", 1));
        counts.settle();

        assertThat(redis.loads).isEqualTo(2);
        assertThat(redis.connects).isEqualTo(1);
        assertThat(redis.batches).hasSize(2);
        assertThat(counts.metrics.count("writes")).isEqualTo(1);
        assertThat(counts.metrics.count("redisRetries")).isZero();
    }

    @Test
    void what_redis_refused_for_want_of_memory_is_repeated_alone() throws Exception {
        ManualSubtask<CountPartial> counts = started();
        counts.show(events("x", 1));
        counts.show(events("a", 1));
        counts.show(events("b", 1));
        redis.answer(replies -> replies);
        redis.answer(replies -> List.of(
                replies.get(0),
                new Reply.Failed(
                        "OOM command not allowed when used memory > 'maxmemory'. script: 1, on @user_script:1.")));
        counts.settle();

        assertThat(batches()).containsExactly(List.of("x=1"), List.of("a=1", "b=1"), List.of("b=1"));
        assertThat(counts.metrics.count("redisOutOfMemory")).isEqualTo(1);
        assertThat(counts.metrics.count("writes")).isEqualTo(3);
    }

    @Test
    void a_read_only_replica_is_left_for_a_new_connection() throws Exception {
        ManualSubtask<CountPartial> counts = started();
        redis.answer(replies -> List.of(new Reply.Failed("READONLY You can't write against a read only replica.")));
        counts.show(events("a", 1));
        counts.settle();

        assertThat(redis.connects).isEqualTo(2);
        assertThat(redis.batches).hasSize(2);
    }

    @Test
    void a_wrong_password_is_tried_again_more_slowly_and_shown() throws Exception {
        redis.failConnect(
                new JedisAccessControlException("WRONGPASS invalid username-password pair or user is disabled."));
        ManualSubtask<CountPartial> counts = started();
        counts.show(events("a", 1));
        assertThat(counts.metrics.gauge("redisRefused")).isOne();

        counts.task.pass(480);
        assertThat(counts.task.hasIo()).isFalse();
        counts.task.pass(10);
        counts.task.runAll();

        assertThat(redis.batches).hasSize(1);
        assertThat(counts.metrics.gauge("redisRefused")).isZero();
        assertThat(counts.metrics.gauge("redisUp")).isOne();
    }

    @Test
    void a_write_that_can_never_be_applied_is_given_up_alone() throws Exception {
        ManualSubtask<CountPartial> counts = started();
        counts.show(events("x", 1));
        counts.task.runAll();
        counts.show(events("a", 1));
        counts.show(events("b", 1));
        redis.answer(replies -> List.of(replies.get(0), new Reply.Failed("CROSSSLOT Keys in request")));
        counts.settle();

        assertThat(counts.metrics.count("givenUp")).isOne();
        assertThat(counts.metrics.count("writes")).isEqualTo(2);
        assertThat(redis.batches).hasSize(2);
        assertThat(redis.connects).isOne();
        assertNothingWaits(counts);
    }

    @Test
    void a_loading_server_is_waited_for() throws Exception {
        redis.failConnect(new JedisDataException("LOADING Redis is loading the dataset in memory"));
        ManualSubtask<CountPartial> counts = started();
        counts.show(events("a", 1));
        counts.settle();

        assertThat(redis.batches).hasSize(1);
    }

    @Test
    void what_the_io_thread_throws_fails_the_job() throws Exception {
        ManualSubtask<CountPartial> counts = started();
        redis.answer(replies -> {
            throw new OutOfMemoryError("as told");
        });
        counts.show(events("a", 1));

        assertThatThrownBy(counts.task::runAll)
                .isInstanceOf(IllegalStateException.class)
                .hasRootCauseMessage("as told");
    }

    @Test
    void freshness_is_measured_from_commit_to_acknowledgement_of_values_that_are_shown() throws Exception {
        ManualSubtask<EnrichedEvent> lasts = lasts(START, false);
        lasts.task.runAll();
        lasts.task.pass(10);
        lasts.show(Samples.event("a", 1, START * 1_000));
        lasts.task.pass(120);
        lasts.task.runAll();
        lasts.show(Samples.event("b", 2, START * 1_000, null, null, true));
        lasts.settle();
        redis.answer(replies -> List.of(new Reply.Done(WriteOutcome.SUPERSEDED)));
        lasts.show(Samples.event("c", 3, START * 1_000));
        lasts.settle();

        assertThat(lasts.metrics.histogram("commitToVisibleMillis").getCount()).isEqualTo(1);
        assertThat(lasts.metrics
                        .histogram("commitToVisibleMillis")
                        .getStatistics()
                        .getMax())
                .isEqualTo(130);
        assertThat(lasts.metrics.count("superseded")).isEqualTo(1);
        assertThat(lasts.metrics.count("writes")).isEqualTo(3);
    }

    @Test
    void a_batch_without_an_answer_is_given_up_by_closing_its_connection() throws Exception {
        ManualSubtask<CountPartial> counts = started();
        counts.show(events("a", 1));

        counts.task.pass(14_999);
        assertThat(redis.aborted.getCount()).isOne();
        counts.task.pass(15_001);

        assertThat(redis.aborted.await(5, TimeUnit.MINUTES)).isTrue();
    }

    @Test
    void a_closed_writer_ends_its_thread_and_ignores_what_comes_back() throws Exception {
        ManualSubtask<CountPartial> counts = started();
        counts.show(events("a", 1));
        counts.writer.close();
        counts.task.runAll();

        assertThat(counts.task.isIoStopped()).isTrue();
        assertThat(redis.aborted.await(5, TimeUnit.MINUTES)).isTrue();
        assertThat(counts.metrics.count("writes")).isZero();
    }

    @Test
    void an_idle_writer_asks_redis_once_a_second_whether_it_still_remembers() throws Exception {
        ManualSubtask<CountPartial> counts = started();
        counts.show(events("a", 1));
        counts.settle();

        for (int i = 0; i < 10; i++) {
            counts.task.pass(1_000);
            counts.task.runAll();
        }

        assertThat(redis.incarnationAsked).isBetween(9, 11);
        assertThat(redis.connects).isOne();
    }

    @Test
    void a_memory_that_is_another_gets_everything_again_without_a_new_event() throws Exception {
        ManualSubtask<CountPartial> counts = started();
        counts.show(events("a", 1));
        counts.show(events("b", 2));
        counts.settle();

        redis.incarnation = "two";
        for (int i = 0; i < 4; i++) {
            counts.task.pass(1_000);
            counts.task.runAll();
        }
        counts.settle();

        assertThat(batches().get(batches().size() - 1)).containsExactlyInAnyOrder("a=1", "b=2");
        assertThat(counts.metrics.gauge("rewrites")).isOne();
        assertThat(counts.metrics.gauge("rewriting")).isZero();
    }

    @Test
    void a_restored_writer_writes_only_what_the_checkpoint_found_unshown_if_redis_remembers_the_rest()
            throws Exception {
        ManualSubtask<CountPartial> before = started();
        before.show(events("shown", 1));
        before.settle();
        before.task.pass(10);
        before.show(events("under way", 1));
        assertThat(before.task.hasIo()).isTrue();
        before.show(events("waiting", 1));
        MapShownState<LiveValue> stored = before.checkpoint();

        ManualSubtask<CountPartial> after = restored(stored);
        after.settle();

        assertThat(batches().stream().skip(1).flatMap(List::stream))
                .containsExactlyInAnyOrder("under way=1", "waiting=1");
        assertThat(after.metrics.gauge("rewrites")).isZero();
        assertNothingWaits(after);
    }

    @Test
    void a_checkpoint_never_waits_and_holds_what_redis_lacks() throws Exception {
        ManualSubtask<CountPartial> counts = started();
        redis.failBatch(new JedisConnectionException("broken"));
        counts.show(events("a", 1));
        counts.task.runAll();

        MapShownState<LiveValue> stored = counts.checkpoint();

        assertThat(redis.batches).hasSize(1);
        restored(stored).settle();
        assertThat(batches()).last().isEqualTo(List.of("a=1"));
    }

    @Test
    void a_checkpoint_of_a_writer_that_never_reached_redis_leads_to_everything_again() throws Exception {
        redis.failConnect(new JedisConnectionException("refused"));
        ManualSubtask<CountPartial> counts = counts();
        counts.show(events("a", 1));
        counts.task.runAll();
        MapShownState<LiveValue> stored = counts.checkpoint();

        ManualSubtask<CountPartial> after = restored(stored);
        after.settle();

        assertThat(after.metrics.gauge("rewrites")).isOne();
        assertThat(batches().stream().flatMap(List::stream)).contains("a=1");
    }

    @Test
    void a_checkpoint_during_a_rewrite_leads_to_another() throws Exception {
        ManualSubtask<CountPartial> counts = started();
        counts.show(events("a", 1));
        counts.settle();
        redis.incarnation = "two";
        counts.task.pass(2_000);
        counts.task.runIo();
        counts.task.runMails();
        assertThat(counts.task.hasIo()).as("what is written again is under way").isTrue();
        MapShownState<LiveValue> stored = counts.checkpoint();

        ManualSubtask<CountPartial> after = restored(stored);
        after.settle();

        assertThat(after.metrics.gauge("rewrites")).isOne();
    }

    @Test
    void cached_events_follow_behind_and_are_lost_with_their_batch() throws Exception {
        ManualSubtask<EnrichedEvent> lasts = lasts(START, true);
        lasts.task.runAll();
        lasts.task.pass(10);
        redis.failBatch(new JedisConnectionException("broken"));
        lasts.show(Samples.event("a", 1, START * 1_000));
        lasts.task.runAll();
        lasts.show(Samples.event("a", 2, START * 1_000));
        lasts.settle();

        assertThat(redis.keys(redis.batches.size() - 1)).containsExactly("content:last:a", "engagement_events:event:2");
        assertThat(lasts.metrics.count("eventCacheLeftOut")).isOne();
    }

    private ManualSubtask<CountPartial> counts() throws Exception {
        return restored(new MapShownState<>(KeyedShownState.Spread.BY_CONTENT, 0, 1));
    }

    private ManualSubtask<CountPartial> started() throws Exception {
        ManualSubtask<CountPartial> counts = counts();
        counts.task.runAll();
        counts.task.pass(10);
        return counts;
    }

    private ManualSubtask<CountPartial> restored(MapShownState<LiveValue> state) throws Exception {
        return new ManualSubtask<>(LiveViewMappings.tallies(), state, redis, LIMITS, MAX_HELD, START);
    }

    private ManualSubtask<EnrichedEvent> lasts(long now, boolean eventCache) throws Exception {
        return new ManualSubtask<>(
                LiveViewMappings.last(new LiveViewRules(Duration.ofMinutes(1), eventCache)),
                new MapShownState<>(KeyedShownState.Spread.WITHIN_SUBTASK, 0, 1),
                redis,
                LIMITS,
                MAX_HELD,
                now);
    }

    /** Of no minute that is shown. */
    private static CountPartial events(String contentId, long events) {
        return new CountPartial(contentId, events, NO_MINUTES, NO_MINUTES);
    }

    private static void assertNothingWaits(ManualSubtask<?> subtask) {
        assertThat(subtask.metrics.gauge("pendingEntries")).isZero();
        assertThat(subtask.metrics.gauge("pendingBytes")).isZero();
    }

    /** Counts as {@code content=count}. */
    private List<List<String>> batches() {
        List<List<String>> batches = new ArrayList<>();
        for (List<ScriptedWrite> batch : redis.batches) {
            batches.add(batch.stream()
                    .map(write -> write.key().replace("content:count:", "") + "="
                            + new String(write.arguments().get(0), StandardCharsets.UTF_8))
                    .toList());
        }
        return batches;
    }

    private static WriterLimits limits(int maxPendingEntries) {
        return new WriterLimits(
                maxPendingEntries,
                MemorySize.ofMebiBytes(1),
                10,
                MemorySize.parse("64kb"),
                Duration.ofMillis(5),
                Duration.ofSeconds(15));
    }
}
