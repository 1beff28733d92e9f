package dev.engagement.liveview;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.engagement.event.Content;
import dev.engagement.event.EngagementEvent;
import dev.engagement.event.EngagementRule;
import dev.engagement.event.Position;
import dev.engagement.event.Standings.Place;
import dev.engagement.liveview.LiveValue.Board;
import dev.engagement.local.RedisServer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;
import redis.clients.jedis.Jedis;
import redis.clients.jedis.JedisPubSub;
import redis.clients.jedis.exceptions.JedisDataException;
import redis.clients.jedis.resps.Tuple;

/** Single cases of the scripts on a real Redis. */
class LiveViewScriptIT {

    private static final LiveViewKeys KEYS = new LiveViewKeys("");
    private static final long NOW = System.currentTimeMillis();
    private static final long NOW_MICROS = NOW * 1_000;
    /** Of boards, which live two minutes: they outlive the test, however slow. */
    private static final long AHEAD = NOW + 600_000;

    private static final long MINUTE = NOW / 60_000;
    private static final long TWO_WEEKS = 14 * 86_400_000L;
    private static final String TOP = "top:content:10m";
    private static final String WINDOWS = "metric:click:30s";
    private static final String VERSIONS = "version:{metric:click:30s}";

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

    @ParameterizedTest
    @EnumSource
    void the_server_knows_a_script_by_the_hash_that_we_compute(LiveViewScript script) {
        assertThat(redis.scriptLoad(script.text())).isEqualTo(script.sha1());
    }

    @Test
    void a_last_whose_hour_is_over_is_not_written() {
        assertThat(apply(Samples.last("c", 1, NOW_MICROS - 3_600_000_000L - 5_000L)
                        .write(KEYS)))
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
    void a_count_never_becomes_less_and_has_no_expiry() {
        assertThat(apply(count("c", 5))).isEqualTo(WriteOutcome.WRITTEN);
        assertThat(apply(count("c", 5))).isEqualTo(WriteOutcome.SUPERSEDED);
        assertThat(apply(count("c", 4))).isEqualTo(WriteOutcome.SUPERSEDED);
        assertThat(apply(count("c", 10))).isEqualTo(WriteOutcome.WRITTEN);

        assertThat(redis.get("content:count:c")).isEqualTo("10");
        assertThat(redis.pttl("content:count:c")).isEqualTo(-1);
    }

    @Test
    void an_older_put_does_not_bring_a_deleted_content_back() {
        apply(meta("c", 5));
        assertThat(apply(gone("c", 6, NOW))).isEqualTo(WriteOutcome.WRITTEN);
        assertThat(redis.exists("content:meta:c")).isFalse();

        assertThat(apply(meta("c", 5))).isEqualTo(WriteOutcome.SUPERSEDED);
        assertThat(redis.exists("content:meta:c")).isFalse();
    }

    @Test
    void a_deletion_that_arrives_before_its_put_holds() {
        apply(gone("c", 6, NOW));

        assertThat(apply(meta("c", 5))).isEqualTo(WriteOutcome.SUPERSEDED);
        assertThat(redis.exists("content:meta:c")).isFalse();
    }

    @Test
    void an_older_deletion_does_not_remove_a_content_that_came_again() {
        apply(gone("c", 6, NOW));
        assertThat(apply(meta("c", 7))).isEqualTo(WriteOutcome.WRITTEN);
        assertThat(apply(gone("c", 6, NOW))).isEqualTo(WriteOutcome.SUPERSEDED);

        assertThat(redis.hget("content:meta:c", "slug")).isEqualTo("slug-c");
        assertThat(redis.exists("gone:{content:meta:c}")).isFalse();
    }

    @Test
    void a_tombstone_is_kept_for_two_weeks_from_the_deletion_on_however_late_it_is_written() {
        apply(gone("c", 6, NOW - 86_400_000));

        assertThat(redis.pexpireTime("gone:{content:meta:c}")).isEqualTo(NOW - 86_400_000 + TWO_WEEKS);
    }

    @Test
    void a_deletion_of_long_ago_removes_the_content_and_leaves_no_tombstone() {
        apply(meta("c", 5));

        assertThat(apply(gone("c", 6, NOW - TWO_WEEKS - 1))).isEqualTo(WriteOutcome.WRITTEN);

        assertThat(redis.keys("*")).isEmpty();
    }

    @Test
    void a_deletion_of_long_ago_does_not_remove_what_is_newer() {
        apply(meta("c", 7));

        assertThat(apply(gone("c", 6, NOW - TWO_WEEKS - 1))).isEqualTo(WriteOutcome.SUPERSEDED);

        assertThat(redis.hget("content:meta:c", "slug")).isEqualTo("slug-c");
    }

    @Test
    void a_deletion_whose_kafka_timestamp_is_unknown_or_absurd_still_removes_the_content() {
        for (long deletedAt : new long[] {-1, Long.MIN_VALUE, Long.MAX_VALUE}) {
            redis.flushAll();
            apply(meta("c", 5));

            assertThat(apply(gone("c", 6, deletedAt))).isEqualTo(WriteOutcome.WRITTEN);

            assertThat(redis.exists("content:meta:c")).isFalse();
        }
        assertThat(apply(meta("c", 5))).isEqualTo(WriteOutcome.SUPERSEDED);
    }

    @Test
    void a_tombstone_that_is_there_stays_when_a_newer_one_would_be_over() {
        apply(gone("c", 6, NOW));

        assertThat(apply(gone("c", 8, NOW - TWO_WEEKS - 1))).isEqualTo(WriteOutcome.WRITTEN);

        assertThat(apply(meta("c", 5))).isEqualTo(WriteOutcome.SUPERSEDED);
    }

    @Test
    void a_field_that_became_null_disappears() {
        apply(meta("c", 5));
        apply(new LiveValue.Meta(new Content("c", "s", null, null, null, null), 6));
        assertThat(redis.hgetAll("content:meta:c")).isEqualTo(Map.of("slug", "s", "_version", "6"));

        // As many fields as before, and another one.
        apply(new LiveValue.Meta(new Content("c", null, "t", null, null, null), 7));
        assertThat(redis.hgetAll("content:meta:c")).isEqualTo(Map.of("title", "t", "_version", "7"));

        apply(new LiveValue.Meta(new Content("c", null, null, null, null, null), 8));
        assertThat(redis.hgetAll("content:meta:c")).isEqualTo(Map.of("_version", "8"));
    }

    @Test
    void members_of_a_bucket_keep_their_greatest_score_and_the_bucket_expires_by_its_minute() {
        assertThat(apply(bucket(MINUTE, "3", "a", "5", "b"))).isEqualTo(WriteOutcome.WRITTEN);
        assertThat(apply(bucket(MINUTE, "2", "a", "6", "b", "1", "c"))).isEqualTo(WriteOutcome.WRITTEN);

        String key = KEYS.bucket(MINUTE);
        assertThat(scores(key)).isEqualTo(Map.of("a", 3.0, "b", 6.0, "c", 1.0));
        assertThat(redis.pexpireTime(key)).isEqualTo((MINUTE + 16) * 60_000);
    }

    @Test
    void a_bucket_whose_time_is_over_is_not_written() {
        assertThat(apply(bucket(MINUTE - 16, "3", "a"))).isEqualTo(WriteOutcome.EXPIRED);

        assertThat(redis.keys("*")).isEmpty();
    }

    @Test
    void a_bucket_takes_thousands_of_members_in_one_write() {
        String[] scoresAndMembers = IntStream.range(0, 5_000)
                .boxed()
                .flatMap(i -> List.of(Integer.toString(i + 1), "c" + i).stream())
                .toArray(String[]::new);

        apply(bucket(MINUTE, scoresAndMembers));

        String key = KEYS.bucket(MINUTE);
        assertThat(redis.zcard(key)).isEqualTo(5_000);
        assertThat(IntStream.range(0, 5_000))
                .allSatisfy(i -> assertThat(redis.zscore(key, "c" + i)).isEqualTo(i + 1));
    }

    @Test
    void a_member_may_be_any_bytes() {
        byte[] member = {(byte) 0xFF, 0, '\r', '\n', ' ', '%', (byte) 0xC3};
        ScriptedWrite write = bucket(MINUTE, "3", "a");
        List<byte[]> arguments = new ArrayList<>(write.arguments());
        arguments.set(2, member);

        apply(new ScriptedWrite(write.script(), write.keys(), arguments));

        assertThat(redis.zscore(write.keys().get(0), member)).isEqualTo(3.0);
    }

    @Test
    void a_board_is_replaced_by_a_newer_one_only() {
        assertThat(apply(board(AHEAD, new Place("a", 7), new Place("b", 3)))).isEqualTo(WriteOutcome.WRITTEN);
        assertThat(apply(board(AHEAD, new Place("x", 1)))).isEqualTo(WriteOutcome.SUPERSEDED);
        assertThat(apply(board(AHEAD - 1, new Place("x", 1)))).isEqualTo(WriteOutcome.SUPERSEDED);
        assertThat(scores(TOP)).isEqualTo(Map.of("a", 7.0, "b", 3.0));
        assertThat(redis.pexpireTime(TOP)).isEqualTo(AHEAD + 120_000);
        assertThat(redis.pexpireTime("version:{top:content:10m}")).isEqualTo(AHEAD + 120_000);

        assertThat(apply(board(AHEAD + 1, new Place("b", 1)))).isEqualTo(WriteOutcome.WRITTEN);
        assertThat(scores(TOP)).isEqualTo(Map.of("b", 1.0));
        assertThat(redis.pexpireTime(TOP)).isEqualTo(AHEAD + 120_001);
    }

    @Test
    void a_board_whose_time_is_over_is_not_written() {
        assertThat(apply(board(NOW - 121_000, new Place("a", 7)).write(KEYS))).isEqualTo(WriteOutcome.EXPIRED);

        assertThat(redis.keys("*")).isEmpty();
    }

    @Test
    void an_empty_board_removes_the_key_and_an_older_one_does_not_bring_it_back() {
        apply(board(AHEAD, new Place("a", 7)));

        assertThat(apply(board(AHEAD + 1_000))).isEqualTo(WriteOutcome.WRITTEN);
        assertThat(redis.exists(TOP)).isFalse();

        assertThat(apply(board(AHEAD + 500, new Place("a", 7)))).isEqualTo(WriteOutcome.SUPERSEDED);
        assertThat(redis.exists(TOP)).isFalse();
        assertThat(redis.get("version:{top:content:10m}")).isEqualTo(Long.toString(AHEAD + 1_000));
    }

    @Test
    void the_scores_of_a_board_are_exact() {
        apply(new Board(
                Board.Kind.ENGAGEMENT,
                AHEAD,
                List.of(
                        new Place("large", (1L << 53) - 1),
                        new Place("a", 7_000),
                        new Place("b", 1_234),
                        new Place("c", 7))));
        apply(board(AHEAD, new Place("large", (1L << 53) - 1)));

        assertThat(scores("top_engagement:10min"))
                .isEqualTo(Map.of("large", 9_007_199_254_740.991, "a", 7.0, "b", 1.234, "c", 0.007));
        assertThat(scores(TOP)).isEqualTo(Map.of("large", 9_007_199_254_740_991.0));
    }

    @Test
    void a_board_may_have_ten_thousand_places() {
        Place[] places = IntStream.range(0, 10_000)
                .mapToObj(i -> new Place("content-" + i, 10_000 - i))
                .toArray(Place[]::new);

        apply(board(AHEAD, places));

        assertThat(redis.zrevrangeWithScores(TOP, 0, -1))
                .extracting(Tuple::getElement)
                .containsExactlyElementsOf(
                        Arrays.stream(places).map(Place::contentId).toList());
    }

    @Test
    void a_reader_never_sees_a_board_empty_or_half_or_going_back() throws Exception {
        int places = 1_200;
        int boards = 200;
        apply(uniform(0, places));
        CountDownLatch reading = new CountDownLatch(1);
        ExecutorService threads = Executors.newSingleThreadExecutor();
        try {
            Future<Integer> reader = threads.submit(() -> {
                int seen = 0;
                double newest = 0;
                try (Jedis connection = server.connect()) {
                    while (newest < boards) {
                        List<Tuple> board = connection.zrangeWithScores(TOP, 0, -1);
                        reading.countDown();
                        Set<Double> scores = new HashSet<>();
                        board.forEach(place -> scores.add(place.getScore()));
                        assertThat(board).hasSize(places);
                        assertThat(scores).hasSize(1);
                        double score = scores.iterator().next();
                        assertThat(score).isGreaterThanOrEqualTo(newest);
                        newest = score;
                        seen++;
                    }
                }
                return seen;
            });
            reading.await();
            for (int i = 1; i <= boards; i++) {
                apply(uniform(i, places));
                apply(uniform(i - 1, places));
            }
            assertThat(reader.get()).isGreaterThan(1);
        } finally {
            threads.shutdownNow();
        }
    }

    @Test
    void an_event_is_a_hash_that_expires_an_hour_after_it_came_into_kafka() {
        ScriptedWrite write = EventCache.write(Samples.event("c", 16, NOW_MICROS - 60_000_000), KEYS, NOW);

        assertThat(apply(write)).isEqualTo(WriteOutcome.WRITTEN);
        assertThat(apply(write)).isEqualTo(WriteOutcome.WRITTEN);

        Map<String, String> hash = redis.hgetAll("engagement_events:event:16");
        assertThat(hash)
                .containsEntry("event_id", "16")
                .containsEntry("content_id", "c")
                .containsEntry("engagement_seconds", "7.0")
                .hasSize(15);
        assertThat(redis.pexpireTime("engagement_events:event:16")).isEqualTo(NOW - 60_000 + 3_600_000);
    }

    @Test
    void an_event_whose_hour_is_over_is_not_kept() {
        ScriptedWrite write = EventCache.write(Samples.event("c", 16, NOW_MICROS - 3_601_000_000L), KEYS, NOW);

        assertThat(apply(write)).isEqualTo(WriteOutcome.EXPIRED);
        assertThat(redis.keys("*")).isEmpty();
    }

    @Test
    void an_event_that_comes_with_fewer_fields_has_only_these() {
        apply(EventCache.write(Samples.event("c", 16, NOW_MICROS), KEYS, NOW));
        apply(EventCache.write(Samples.event("c", 16, NOW_MICROS, null, null, false), KEYS, NOW));

        assertThat(redis.hgetAll("engagement_events:event:16"))
                .doesNotContainKeys("device", "raw_payload")
                .hasSize(13);
    }

    @Test
    void a_window_only_moves_forward_and_takes_the_place_of_the_one_before() {
        assertThat(apply(window(NOW, 1))).isEqualTo(WriteOutcome.WRITTEN);
        assertThat(apply(window(NOW, 1))).isEqualTo(WriteOutcome.SUPERSEDED);
        assertThat(apply(window(NOW, 10))).isEqualTo(WriteOutcome.WRITTEN);
        assertThat(apply(window(NOW, 9))).isEqualTo(WriteOutcome.SUPERSEDED);

        assertThat(scores(WINDOWS)).isEqualTo(Map.of(json(window(NOW, 10)), (double) NOW));
        assertThat(redis.hgetAll(VERSIONS)).isEqualTo(Map.of(Long.toString(NOW), "10"));
    }

    @Test
    void a_window_that_was_computed_anew_is_newer_whatever_its_events() {
        RollupCell before = window(NOW, 999_999_999_999L);
        RollupCell anew = new RollupCell(before.windows(), NOW, bytes("{}"), 1_000_000_000_001L);

        assertThat(apply(before)).isEqualTo(WriteOutcome.WRITTEN);
        assertThat(apply(anew)).isEqualTo(WriteOutcome.WRITTEN);
        assertThat(apply(before)).isEqualTo(WriteOutcome.SUPERSEDED);

        assertThat(redis.zrange(WINDOWS, 0, -1)).containsExactly("{}");
    }

    @Test
    void windows_of_one_key_stand_in_the_order_of_their_ends_until_the_last_of_them_is_over() {
        apply(window(NOW, 1));
        apply(window(NOW + 10_000, 1));
        apply(window(NOW - 10_000, 1));

        assertThat(redis.zrange(WINDOWS, 0, -1))
                .containsExactly(json(window(NOW - 10_000, 1)), json(window(NOW, 1)), json(window(NOW + 10_000, 1)));
        assertThat(redis.hkeys(VERSIONS)).hasSize(3);
        assertThat(redis.pexpireTime(WINDOWS)).isEqualTo(NOW + 10_000 + 3_600_000);
        assertThat(redis.pexpireTime(VERSIONS)).isEqualTo(NOW + 10_000 + 3_600_000);
    }

    @Test
    void windows_that_ended_an_hour_ago_leave_with_their_versions() {
        long over = NOW - 3_600_000;
        long longOver = NOW - 90_000_000;
        long almostOver = System.currentTimeMillis() - 3_600_000 + 600_000;
        apply(window(NOW, 1));
        for (long end : new long[] {over, longOver, almostOver}) {
            redis.zadd(WINDOWS, end, "of " + end);
            redis.hset(VERSIONS, Long.toString(end), "7");
        }

        apply(window(NOW + 10_000, 1));

        assertThat(scores(WINDOWS).values())
                .containsExactlyInAnyOrder((double) almostOver, (double) NOW, (double) NOW + 10_000);
        assertThat(redis.hkeys(VERSIONS))
                .containsExactlyInAnyOrder(Long.toString(almostOver), Long.toString(NOW), Long.toString(NOW + 10_000));
    }

    @Test
    void a_window_whose_hour_is_over_is_not_written() {
        assertThat(apply(window(NOW - 3_600_000, 1).write(KEYS))).isEqualTo(WriteOutcome.EXPIRED);

        assertThat(redis.keys("*")).isEmpty();
    }

    @Test
    void a_window_replaces_what_somebody_else_wrote_in_its_place_or_in_its_versions() {
        redis.set(WINDOWS, "hello");
        assertThat(apply(window(NOW, 5))).isEqualTo(WriteOutcome.REPLACED_UNREADABLE);

        redis.hset(VERSIONS, Long.toString(NOW), "many");
        assertThat(apply(window(NOW, 4))).isEqualTo(WriteOutcome.REPLACED_UNREADABLE);

        redis.del(VERSIONS);
        redis.lpush(VERSIONS, "hello");
        assertThat(apply(window(NOW, 3))).isEqualTo(WriteOutcome.REPLACED_UNREADABLE);

        redis.zadd(WINDOWS, NOW, "by hand");
        redis.zadd(WINDOWS, Double.POSITIVE_INFINITY, "for ever");
        assertThat(apply(window(NOW, 6))).isEqualTo(WriteOutcome.WRITTEN);

        assertThat(redis.zrange(WINDOWS, 0, -1)).containsExactly(json(window(NOW, 6)), "for ever");
        assertThat(redis.hgetAll(VERSIONS)).isEqualTo(Map.of(Long.toString(NOW), "6"));
        assertThat(redis.pttl(WINDOWS)).isPositive();
    }

    @Test
    void a_sorted_set_that_somebody_deleted_is_written_again_though_its_versions_are_there() {
        apply(window(NOW, 5));
        apply(window(NOW + 10_000, 5));
        redis.del(WINDOWS);

        assertThat(apply(window(NOW, 5))).isEqualTo(WriteOutcome.WRITTEN);
        assertThat(apply(window(NOW + 10_000, 5))).isEqualTo(WriteOutcome.WRITTEN);

        assertThat(redis.zcard(WINDOWS)).isEqualTo(2);
    }

    @Test
    void each_change_of_a_window_is_a_message_and_nothing_else_is() throws Exception {
        BlockingQueue<String> heard = new LinkedBlockingQueue<>();
        CountDownLatch listening = new CountDownLatch(1);
        JedisPubSub listener = new JedisPubSub() {
            @Override
            public void onSubscribe(String channel, int subscribed) {
                listening.countDown();
            }

            @Override
            public void onMessage(String channel, String message) {
                heard.add(message);
            }
        };
        ExecutorService threads = Executors.newSingleThreadExecutor();
        try (Jedis connection = server.connect()) {
            Future<?> subscription = threads.submit(() -> connection.subscribe(listener, "metrics_updates"));
            listening.await();

            apply(window(NOW, 1));
            apply(window(NOW, 1));
            apply(window(NOW - 3_600_000, 1).write(KEYS));
            apply(window(NOW, 3));
            apply(window(NOW, 2));
            apply(Samples.cell(Samples.hourly("é\n", "", NOW, 1)));

            assertThat(List.of(heard.take(), heard.take(), heard.take()))
                    .containsExactly(
                            json(window(NOW, 1)),
                            json(window(NOW, 3)),
                            json(Samples.cell(Samples.hourly("é\n", "", NOW, 1))));
            listener.unsubscribe();
            subscription.get();
            assertThat(heard).isEmpty();
        } finally {
            threads.shutdownNow();
        }
    }

    @Test
    void a_window_is_shown_to_those_who_look_though_the_channel_is_refused() {
        try (Jedis user = user("&somewhere-else")) {
            assertThat(apply(user, window(NOW, 1).write(KEYS))).isEqualTo(WriteOutcome.UNANNOUNCED);
            assertThat(apply(user, window(NOW, 1).write(KEYS))).isEqualTo(WriteOutcome.SUPERSEDED);
        }
        try (Jedis user = user("&*", "-publish")) {
            assertThat(apply(user, window(NOW, 2).write(KEYS))).isEqualTo(WriteOutcome.UNANNOUNCED);
        }

        assertThat(redis.zrange(WINDOWS, 0, -1)).containsExactly(json(window(NOW, 2)));
        assertThat(redis.hgetAll(VERSIONS)).isEqualTo(Map.of(Long.toString(NOW), "2"));
        assertThat(redis.pexpireTime(WINDOWS)).isEqualTo(NOW + 3_600_000);
    }

    @ParameterizedTest
    @ValueSource(strings = {"zadd", "zrange", "zrem", "zremrangebyscore", "hdel", "hset", "hget", "pexpireat", "time"})
    void a_window_that_failed_half_way_for_want_of_a_right_is_written_once_it_is_given(String missing) {
        long over = NOW - 3_600_000;
        apply(window(NOW, 1));
        redis.zadd(WINDOWS, over, "over");
        redis.hset(VERSIONS, Long.toString(over), "7");
        try (Jedis user = user("&*", "-" + missing)) {
            assertThatThrownBy(() -> apply(user, window(NOW, 2).write(KEYS))).isInstanceOf(JedisDataException.class);
        }

        assertThat(apply(window(NOW, 2))).isEqualTo(WriteOutcome.WRITTEN);

        assertThat(redis.zrange(WINDOWS, 0, -1)).containsExactly(json(window(NOW, 2)));
        assertThat(redis.hgetAll(VERSIONS)).isEqualTo(Map.of(Long.toString(NOW), "2"));
        assertThat(redis.pexpireTime(VERSIONS)).isEqualTo(NOW + 3_600_000);
    }

    /** Who may do everything but what the rules take. */
    private static Jedis user(String... rules) {
        List<String> all = new ArrayList<>(List.of("reset", "on", ">pw", "~*", "+@all", "resetchannels"));
        all.addAll(List.of(rules));
        redis.aclSetUser("somebody", all.toArray(String[]::new));
        Jedis connection = server.connect();
        connection.auth("somebody", "pw");
        return connection;
    }

    @Test
    void what_somebody_else_wrote_there_is_replaced() {
        redis.set("content:last:c", "hello");
        redis.set("content:count:c", "many");
        redis.set("content:meta:c", "hello");
        redis.hset("content:last:d", "a", "b");
        redis.lpush("content:count:d", "1");
        redis.hset("content:meta:d", "slug", "by hand");
        redis.hset("content:meta:d", "director", "by hand");
        redis.lpush("gone:{content:meta:c}", "hello");
        redis.set("gone:{content:meta:d}", "hello");
        redis.set(KEYS.bucket(MINUTE), "hello");
        redis.set("engagement_events:event:16", "hello");

        assertThat(List.of(
                        apply(Samples.last("c", 1, NOW_MICROS)),
                        apply(Samples.last("d", 1, NOW_MICROS)),
                        apply(count("c", 1)),
                        apply(count("d", 1)),
                        apply(meta("c", 1)),
                        apply(meta("d", 1)),
                        apply(bucket(MINUTE, "1", "a")),
                        apply(EventCache.write(Samples.event("c", 16, NOW_MICROS), KEYS, NOW))))
                .containsOnly(WriteOutcome.REPLACED_UNREADABLE);

        assertThat(redis.get("content:last:d")).startsWith("{\"event_id\":1,");
        assertThat(redis.get("content:count:d")).isEqualTo("1");
        assertThat(redis.hget("content:meta:c", "slug")).isEqualTo("slug-c");
        assertThat(redis.hgetAll("content:meta:d"))
                .containsEntry("slug", "slug-d")
                .doesNotContainKey("director");
        assertThat(scores(KEYS.bucket(MINUTE))).isEqualTo(Map.of("a", 1.0));
        assertThat(redis.hget("engagement_events:event:16", "event_id")).isEqualTo("16");
    }

    @Test
    void a_board_replaces_what_somebody_else_wrote_in_its_place_or_in_its_versions() {
        redis.set(TOP, "hello");
        assertThat(apply(board(AHEAD, new Place("a", 1)))).isEqualTo(WriteOutcome.REPLACED_UNREADABLE);

        redis.set("version:{top:content:10m}", "yesterday");
        assertThat(apply(board(AHEAD - 5, new Place("b", 1)))).isEqualTo(WriteOutcome.REPLACED_UNREADABLE);

        redis.del("version:{top:content:10m}");
        redis.lpush("version:{top:content:10m}", "1");
        assertThat(apply(board(AHEAD - 6, new Place("c", 1)))).isEqualTo(WriteOutcome.REPLACED_UNREADABLE);

        assertThat(scores(TOP)).isEqualTo(Map.of("c", 1.0));
        assertThat(redis.get("version:{top:content:10m}")).isEqualTo(Long.toString(AHEAD - 6));
    }

    @Test
    void a_redis_out_of_memory_refuses_what_would_grow_before_anything_is_changed() {
        List<ScriptedWrite> before = List.of(
                Samples.last("c", 1, NOW_MICROS).write(KEYS),
                count("c", 1),
                meta("c", 1).write(KEYS),
                bucket(MINUTE, "1", "c"),
                event(1, "web"),
                window(NOW, 1).write(KEYS));
        List<ScriptedWrite> newer = List.of(
                Samples.last("c", 2, NOW_MICROS + 1).write(KEYS),
                count("c", 2),
                new LiveValue.Meta(new Content("c", null, null, null, null, null), 2).write(KEYS),
                bucket(MINUTE, "2", "c"),
                event(1, null),
                window(NOW, 2).write(KEYS));
        List<ScriptedWrite> others = List.of(
                Samples.last("d", 2, NOW_MICROS + 1).write(KEYS),
                count("d", 2),
                meta("d", 2).write(KEYS),
                bucket(MINUTE - 1, "2", "c"),
                event(2, "web"),
                window(NOW + 1, 1).write(KEYS),
                Samples.cell(Samples.hourly("video", "web", NOW, 1)).write(KEYS));
        before.forEach(LiveViewScriptIT::apply);
        Map<String, byte[]> dumped = dump();

        outOfMemory(() -> {
            for (List<ScriptedWrite> writes : List.of(newer, others)) {
                assertThat(writes).allSatisfy(write -> assertThatThrownBy(() -> apply(write))
                        .hasMessageStartingWith("OOM "));
            }
        });

        Map<String, byte[]> dumpedAfter = dump();
        assertThat(dumpedAfter.keySet()).isEqualTo(dumped.keySet());
        assertThat(dumped)
                .allSatisfy(
                        (key, bytes) -> assertThat(dumpedAfter.get(key)).as(key).isEqualTo(bytes));
    }

    @Test
    void a_redis_out_of_memory_still_replaces_boards_as_a_whole_and_deletes_contents() {
        apply(meta("c", 1));
        apply(board(AHEAD, new Place("a", 1)));

        outOfMemory(() -> {
            assertThat(apply(gone("c", 2, NOW))).isEqualTo(WriteOutcome.WRITTEN);
            assertThat(apply(uniform(9, 1_200))).isEqualTo(WriteOutcome.WRITTEN);
        });

        assertThat(redis.exists("content:meta:c")).isFalse();
        assertThat(redis.get("gone:{content:meta:c}")).isEqualTo("2");
        assertThat(redis.zcard(TOP)).isEqualTo(1_200);
    }

    private static void outOfMemory(Runnable run) {
        redis.configSet("maxmemory", "1");
        try {
            run.run();
        } finally {
            redis.configSet("maxmemory", "0");
        }
    }

    private static Map<String, byte[]> dump() {
        Map<String, byte[]> all = new TreeMap<>();
        redis.keys("*").forEach(key -> all.put(key, redis.dump(key)));
        return all;
    }

    private static ScriptedWrite event(long id, String device) {
        EngagementEvent event = new EngagementEvent(
                id, "c", null, null, NOW_MICROS, 7_000, device, null, false, 0, new Position(0, id, NOW));
        return EventCache.write(EngagementRule.DEFAULT.enrich(event, Samples.content("c")), KEYS, NOW);
    }

    private static ScriptedWrite count(String contentId, long total) {
        return RecordedWrites.of(Tally.none(contentId).plus(total), KEYS, Tally.TOTAL_PART, NOW)
                .only();
    }

    private static LiveValue.Meta meta(String contentId, long version) {
        return new LiveValue.Meta(Samples.content(contentId), version);
    }

    private static LiveValue.MetaGone gone(String contentId, long version, long deletedAtMillis) {
        return new LiveValue.MetaGone(contentId, version, deletedAtMillis);
    }

    private static Board board(long slideEndMillis, Place... places) {
        return new Board(Board.Kind.EVENTS, slideEndMillis, List.of(places));
    }

    /** A board on which each content has the same score, the number of its slide. */
    private static Board uniform(int slide, int places) {
        return board(
                AHEAD + slide,
                IntStream.range(0, places)
                        .mapToObj(i -> new Place("c" + i, slide))
                        .toArray(Place[]::new));
    }

    private static ScriptedWrite bucket(long minute, String... scoresAndMembers) {
        List<byte[]> arguments = new ArrayList<>();
        arguments.add(bytes(Long.toString(Tally.expiresAtMillis(minute))));
        Arrays.stream(scoresAndMembers).map(LiveViewScriptIT::bytes).forEach(arguments::add);
        return new ScriptedWrite(LiveViewScript.BUCKET, List.of(bytes(KEYS.bucket(minute))), arguments);
    }

    private static RollupCell window(long endMillis, long events) {
        return Samples.cell(Samples.metric("click", endMillis, events));
    }

    private static String json(RollupCell window) {
        return new String(window.member(), StandardCharsets.UTF_8);
    }

    private static Map<String, Double> scores(String key) {
        Map<String, Double> scores = new HashMap<>();
        redis.zrangeWithScores(key, 0, -1).forEach(place -> scores.put(place.getElement(), place.getScore()));
        return scores;
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private static WriteOutcome apply(LiveValue value) {
        return apply(RecordedWrites.of(value, KEYS, LiveValue.ALL_PARTS, NOW).only());
    }

    private static WriteOutcome apply(ScriptedWrite write) {
        return apply(redis, write);
    }

    private static WriteOutcome apply(Jedis connection, ScriptedWrite write) {
        return WriteOutcome.of((Long) connection.eval(bytes(write.script().text()), write.keys(), write.arguments()));
    }
}
