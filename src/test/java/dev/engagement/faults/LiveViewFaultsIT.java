package dev.engagement.faults;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.engagement.JobCluster;
import dev.engagement.local.ContentRow;
import dev.engagement.local.DestinationCheck.Comparison;
import dev.engagement.local.FlinkRest;
import dev.engagement.local.FlinkRest.Aggregation;
import dev.engagement.local.LiveViewWatch;
import dev.engagement.local.LiveViewWatch.Outage;
import dev.engagement.local.LoadGenerator;
import dev.engagement.local.LoadOptions;
import dev.engagement.local.RedisCheck;
import dev.engagement.local.RedisServer;
import dev.engagement.local.SelfCheck;
import dev.engagement.local.testing.SharedServers;
import java.math.BigDecimal;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import org.apache.flink.api.common.JobID;
import org.apache.flink.api.common.JobStatus;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.common.TopicPartition;
import org.awaitility.core.ConditionTimeoutException;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import redis.clients.jedis.Jedis;
import redis.clients.jedis.args.ClientType;
import redis.clients.jedis.exceptions.JedisException;
import redis.clients.jedis.params.ClientKillParams;
import redis.clients.jedis.params.ClientKillParams.SkipMe;

/**
 * The whole job under load, and a Redis that dies, forgets, freezes and refuses; and everything that makes the job write
 * what it has written before. In the end Redis is what SQL computes, and meanwhile no reader has seen a count go down or
 * a leaderboard gone, half or going back in time.
 *
 * <p>The rows of all tests stand in the same tables, and each test's job reads them from the beginning.
 */
class LiveViewFaultsIT {

    private static final Path DIRECTORY = Path.of("target/it/live-view-faults");
    /** A guard against hanging; how soon Redis is right again is printed and not judged. */
    private static final Duration LIMIT = Duration.ofMinutes(5);

    private static final Duration POLL = Duration.ofMillis(100);
    private static final int CONTENTS = 150;
    private static final double RATE = 600;
    private static final long SEED = 5;
    /** SQL: no test's clock gone wrong stamped it. */
    private static final String TIMELY = "event_ts <= pg_xact_commit_timestamp(xmin) + interval '1 minute'";

    private static final String GROUP = "engagement-stream";
    private static final String EVENTS_TOPIC = "dbserver1.public.engagement_events";

    private static SharedServers servers;
    /** Loses everything when it dies. */
    private static RedisServer forgetful;
    /** Loses nothing. */
    private static RedisServer durable;

    private static JobCluster cluster;
    private static LoadGenerator load;

    private final List<JobID> streams = new ArrayList<>();
    private final List<LiveViewWatch> watches = new ArrayList<>();

    @BeforeAll
    static void start() throws Exception {
        RedisServer.discard(DIRECTORY.resolve("forgetful-redis"));
        RedisServer.discard(DIRECTORY.resolve("durable-redis"));
        servers = SharedServers.lease(DIRECTORY);
        forgetful = RedisServer.start(DIRECTORY.resolve("forgetful-redis"), 0);
        durable = RedisServer.startDurable(DIRECTORY.resolve("durable-redis"), 0);
        cluster = JobCluster.shared(DIRECTORY, "hashmap");
        load = LoadGenerator.start(
                new LoadOptions(SEED, CONTENTS, RATE, 0, 0, Duration.ZERO),
                servers.postgres().connect(),
                Clock.systemUTC());
        cluster.run(captureArgs());
        // The topics are made by whoever comes first.
        awaitCreated(200);
        load.close();
    }

    @AfterAll
    static void stop() throws Exception {
        if (load != null) {
            load.close();
        }
        if (cluster != null) {
            cluster.close();
        }
        for (RedisServer redis : Arrays.asList(forgetful, durable)) {
            if (redis != null) {
                redis.close();
            }
        }
        servers.close();
    }

    @AfterEach
    void leaveBothEmpty() throws Exception {
        load.close();
        watches.forEach(LiveViewWatch::close);
        for (JobID stream : streams) {
            if (!cluster.status(stream).isTerminalState()) {
                cluster.cancel(stream);
            }
        }
        for (RedisServer redis : List.of(forgetful, durable)) {
            if (!redis.isAlive()) {
                redis.restart();
            }
            redis.thaw();
            try (Jedis jedis = redis.connect()) {
                jedis.flushAll();
            }
        }
    }

    // ------------------------------------------------------------------------------------- what Redis does to the job

    @Test
    void a_redis_that_was_gone_is_right_again_after_its_return_empty_or_not() throws Exception {
        JobID one = runStream(forgetful);
        JobID other = runStream(durable, "--job.name", "other", "--kafka.group-id", "other");
        UUID doomed = UUID.randomUUID();
        sql("INSERT INTO content VALUES ('" + doomed + "', 'doomed', 'Doomed', 'video', 60, now())");
        awaitEqual(forgetful);
        awaitEqual(durable);
        LiveViewWatch emptied = watch(forgetful);
        LiveViewWatch kept = watch(durable);
        loadOn();
        awaitCreated(load.created() + 500);

        forgetful.kill();
        durable.kill();
        long before = load.created();
        long checkpoints = cluster.completedCheckpoints(one);
        long otherCheckpoints = cluster.completedCheckpoints(other);
        long gone = System.nanoTime();
        sql("DELETE FROM content WHERE id = '" + doomed + "'");
        AtomicLong largestLag = new AtomicLong();
        await().atMost(LIMIT).pollInterval(POLL).until(() -> {
            largestLag.accumulateAndGet(lag(), Math::max);
            return load.created() >= before + 1_500
                    && cluster.completedCheckpoints(one) >= checkpoints + 5
                    && cluster.completedCheckpoints(other) >= otherCheckpoints + 5;
        });
        load.close();
        // Redis is still away: whatever was committed has been read nevertheless.
        await().atMost(LIMIT).pollInterval(POLL).until(() -> lag() == 0);
        Duration away = Duration.ofNanos(System.nanoTime() - gone);
        say(
                "Redis away for %.1f s: %d events went on, at most %d of them not read and checkpointed, %d and %d"
                        + " checkpoints",
                seconds(away),
                load.created() - before,
                largestLag.get(),
                cluster.completedCheckpoints(one) - checkpoints,
                cluster.completedCheckpoints(other) - otherCheckpoints);

        forgetful.restart();
        durable.restart();
        long back = System.nanoTime();
        awaitEqual(forgetful);
        Duration filled = Duration.ofNanos(System.nanoTime() - back);
        awaitEqual(durable);
        Duration broughtUp = Duration.ofNanos(System.nanoTime() - back);
        say(
                "right again after its return: restarted empty %.2f s, with what it had %.2f s",
                seconds(filled), seconds(broughtUp));

        loadOn();
        awaitCreated(load.created() + 500);
        load.close();
        awaitEqual(forgetful);
        awaitEqual(durable);
        assertSeenWell(emptied);
        assertSeenWell(kept);
        assertThat(emptied.outages().stream().filter(Outage::emptied)).hasSize(1);
        assertThat(kept.outages()).isNotEmpty().noneMatch(Outage::emptied);
        assertNeverRestarted();
    }

    @Test
    void a_redis_that_was_frozen_is_right_again_and_nothing_goes_back() throws Exception {
        JobID stream = runStream(durable);
        awaitEqual(durable);
        LiveViewWatch watch = watch(durable);
        loadOn();
        awaitCreated(load.created() + 500);

        long checkpoints = cluster.completedCheckpoints(stream);
        durable.freeze();
        long before = load.created();
        awaitCreated(before + 1_000);
        await().atMost(LIMIT).pollInterval(POLL).until(() -> cluster.completedCheckpoints(stream) >= checkpoints + 5);
        load.close();
        await().atMost(LIMIT).pollInterval(POLL).until(() -> lag() == 0);
        durable.thaw();
        Duration thawed = awaitEqual(durable);
        say("right again after SIGCONT: %.2f s", seconds(thawed));

        assertSeenWell(watch);
        assertThat(watch.outages()).noneMatch(Outage::emptied);
        assertNeverRestarted();
    }

    @Test
    void a_flushed_redis_is_filled_again_while_connected() throws Exception {
        runStream(forgetful);
        awaitEqual(forgetful);
        LiveViewWatch watch = watch(forgetful);
        loadOn();
        awaitCreated(load.created() + 500);
        try (Jedis jedis = forgetful.connect()) {
            jedis.flushAll();
        }
        awaitCreated(load.created() + 300);
        load.close();
        awaitEqual(forgetful);
        assertThat(watch.outages().stream().filter(Outage::emptied)).hasSize(1);

        // Without traffic, nothing but the loss itself tells of the loss.
        long flushed = System.nanoTime();
        try (Jedis jedis = forgetful.connect()) {
            jedis.flushAll();
        }
        awaitEqual(forgetful);
        Duration filled = Duration.ofNanos(System.nanoTime() - flushed);
        say("right again after FLUSHALL: %.2f s", seconds(filled));
        assertSeenWell(watch);
        assertNeverRestarted();
    }

    @Test
    void a_redis_that_refuses_the_password_holds_nothing_up_and_is_brought_up_to_date() throws Exception {
        JobID stream = runStream(durable);
        awaitEqual(durable);
        LiveViewWatch watch = watch(durable);
        loadOn();
        try (Jedis admin = durable.connect()) {
            admin.configSet("requirepass", "another");
            admin.auth("another");
            admin.clientKill(
                    ClientKillParams.clientKillParams().type(ClientType.NORMAL).skipMe(SkipMe.YES));
            await().atMost(LIMIT).pollInterval(POLL).until(() -> metric(stream, "redisRefused", Aggregation.MAX) == 1);
            long checkpoints = cluster.completedCheckpoints(stream);
            awaitCreated(load.created() + 500);
            await().atMost(LIMIT)
                    .pollInterval(POLL)
                    .until(() -> cluster.completedCheckpoints(stream) >= checkpoints + 3);
            load.close();
            await().atMost(LIMIT).pollInterval(POLL).until(() -> lag() == 0);
            assertThat(cluster.status(stream)).isEqualTo(JobStatus.RUNNING);
            admin.configSet("requirepass", "");
        }
        Duration accepted = awaitEqual(durable);
        say("right again after the password was put right: %.2f s", seconds(accepted));
        // One that has nothing to show asks again within ten seconds, as the others do.
        await().atMost(LIMIT).pollInterval(POLL).until(() -> metric(stream, "redisRefused", Aggregation.MAX) == 0);
        assertSeenWell(watch);
        assertThat(watch.outages()).isNotEmpty().noneMatch(Outage::emptied);
        assertNeverRestarted();
    }

    // ------------------------------------------------------------------------------------------------- replays

    @Test
    void two_jobs_at_once_show_what_one_shows() throws Exception {
        JobID stream = runStream(durable);
        awaitEqual(durable);
        LiveViewWatch watch = watch(durable);
        loadOn();
        JobID zombie = runStream(durable, "--job.name", "zombie", "--kafka.group-id", "zombie", "--parallelism", "1");
        // The one that is behind writes as well as the one that is ahead.
        await().atMost(LIMIT)
                .pollInterval(POLL)
                .until(() -> metric(zombie, "writes", Aggregation.SUM) > 500
                        && metric(zombie, "superseded", Aggregation.SUM) > 0
                        && metric(stream, "superseded", Aggregation.SUM) > 0);
        awaitCreated(load.created() + 1_000);
        load.close();
        awaitEqual(durable);
        loadOn();
        cluster.cancel(zombie);
        awaitCreated(load.created() + 300);
        load.close();
        awaitEqual(durable);
        assertSeenWell(watch);
        assertThat(watch.outages()).isEmpty();
        assertNeverRestarted();
    }

    @ParameterizedTest
    @CsvSource({"1, 4, rocksdb", "2, 1, hashmap"})
    void an_older_savepoint_restored_against_a_newer_redis_takes_nothing_back(int from, int to, String stateBackend)
            throws Exception {
        JobID first = runStream(durable, "--parallelism", Integer.toString(from));
        awaitEqual(durable);
        LiveViewWatch watch = watch(durable);
        loadOn();
        awaitCreated(load.created() + 300);
        String savepoint = cluster.savepoint(first);
        long saved = load.created();
        awaitCreated(saved + 600);
        // What came after the savepoint has reached Redis.
        await().atMost(LIMIT).pollInterval(POLL).until(() -> events(durable) > saved + 300);
        cluster.cancel(first);

        streams.add(cluster.withStateBackend(stateBackend)
                .runFrom(savepoint, streamArgs(durable, "--parallelism", Integer.toString(to))));
        awaitCreated(load.created() + 600);
        load.close();
        awaitEqual(durable);
        assertSeenWell(watch);
        assertThat(watch.outages()).isEmpty();
        assertNeverRestarted();
    }

    @Test
    void the_same_input_read_twice_gives_the_same_values() throws Exception {
        JobID first = runStream(durable);
        loadOn();
        awaitCreated(load.created() + 500);
        load.close();
        awaitEqual(durable);
        LiveViewWatch watch = watch(durable);
        Map<String, String> values = lasting(durable);
        cluster.cancel(first);

        JobID second = runStream(durable, "--parallelism", "3");
        long events = load.created();
        await().atMost(LIMIT)
                .pollInterval(POLL)
                .until(() -> lag() == 0
                        && metric(second, "accepted", Aggregation.SUM) >= events
                        && metric(second, "pendingEntries", Aggregation.SUM) == 0
                        && metric(second, "superseded", Aggregation.SUM) > CONTENTS);
        awaitEqual(durable);
        assertThat(lasting(durable)).isEqualTo(values);
        assertSeenWell(watch);
        assertThat(watch.outages()).isEmpty();
        assertNeverRestarted();
    }

    // ------------------------------------------------------------------------------------------------- time

    @Test
    void when_traffic_stops_contents_leave_on_time_and_at_last_the_leaderboards() throws Exception {
        Duration window = Duration.ofSeconds(10);
        runStream(forgetful, "--ranking.window", "10 s");
        loadOn();
        try (Jedis jedis = forgetful.connect()) {
            await().atMost(LIMIT).pollInterval(POLL).until(() -> jedis.exists("top:content:10m"));
        }
        awaitCreated(load.created() + 1_000);
        load.close();
        Instant lastEvent = instant("SELECT max(event_ts) FROM engagement_events WHERE " + TIMELY);
        // From here on nothing is under way: what the slide ends to come show is all.
        await().atMost(LIMIT).pollInterval(POLL).until(() -> lag() == 0);
        Map<String, List<Board>> boards = new HashMap<>();
        Map<String, String> scores = new LinkedHashMap<>();
        scores.put("top:content:10m", "count(*)");
        scores.put("top_engagement:10min", "sum(duration_ms)::numeric / 1000");
        try (Jedis jedis = forgetful.connect()) {
            await().atMost(LIMIT).pollInterval(Duration.ofMillis(20)).until(() -> {
                boolean gone = true;
                for (String key : scores.keySet()) {
                    Board board = Board.read(jedis, key);
                    List<Board> seen = boards.computeIfAbsent(key, first -> new ArrayList<>());
                    if (seen.isEmpty() || seen.get(seen.size() - 1).slideEnd != board.slideEnd) {
                        seen.add(board);
                    }
                    gone &= board.scores.isEmpty()
                            && board.slideEnd >= lastEvent.plus(window).toEpochMilli();
                }
                return gone;
            });
        }
        say(
                "the last event was at %s, the leaderboards were gone %.1f s later, %.1f s after its window",
                lastEvent,
                seconds(Duration.between(lastEvent, Instant.now())),
                seconds(Duration.between(lastEvent.plus(window), Instant.now())));
        for (Map.Entry<String, List<Board>> each : boards.entrySet()) {
            // The first one seen may be of a moment before.
            List<Board> seen = each.getValue();
            List<Board> complete = seen.size() == 1 ? seen : seen.subList(1, seen.size());
            long latest = 0;
            for (Board board : complete) {
                Map<String, Double> expected = places(scores.get(each.getKey()), board.slideEnd, window);
                assertThat(differing(expected, board.scores))
                        .as(each.getKey() + " at " + Instant.ofEpochMilli(board.slideEnd) + ", by SQL and by Redis")
                        .isEmpty();
                latest = Math.max(latest, board.seenAt - board.slideEnd);
            }
            // Each is what SQL says of its own moment, so none left early or late; and at last there was nothing.
            Board last = complete.get(complete.size() - 1);
            assertThat(last.scores).as(each.getKey()).isEmpty();
            say(
                    "%s: %d slide ends, the latest of them %d ms old when first seen",
                    each.getKey(), complete.size(), latest);
        }
    }

    @Test
    void late_and_disordered_events_count_where_they_belong_and_future_dated_ones_are_only_counted() throws Exception {
        runStream(forgetful);
        UUID future = UUID.randomUUID();
        UUID disordered = UUID.randomUUID();
        for (UUID content : List.of(future, disordered)) {
            sql("INSERT INTO content VALUES ('" + content + "', '" + content + "', 'A title', 'video', 60, now())");
        }
        awaitEqual(forgetful);
        LiveViewWatch watch = watch(forgetful);
        loadOn();
        String ahead = "now() + interval '";
        for (String lead : List.of("2 minutes", "1 hour", "400 days")) {
            insertEvent(future, ahead + lead + "'");
        }
        for (String age :
                List.of("30 seconds", "20 minutes", "0 seconds", "3 minutes", "9 minutes", "3 hours", "1 second")) {
            sql("INSERT INTO engagement_events (content_id, event_type, event_ts, duration_ms) SELECT '" + disordered
                    + "', 'play', now() - interval '" + age + "', 7000 FROM generate_series(1, 50)");
        }
        awaitCreated(load.created() + 500);
        load.close();
        awaitEqual(forgetful);
        try (Jedis jedis = forgetful.connect()) {
            assertThat(jedis.get("content:count:" + future)).isEqualTo("3");
            assertThat(jedis.exists("content:last:" + future)).isFalse();
            assertThat(jedis.zscore("top:content:10m", future.toString())).isNull();
            assertThat(jedis.zscore("top_engagement:10min", future.toString())).isNull();
            for (String bucket : jedis.keys("top:content:bucket:*")) {
                assertThat(jedis.zscore(bucket, future.toString())).as(bucket).isNull();
            }
            assertThat(jedis.get("content:count:" + disordered)).isEqualTo("350");
            // Once a slide has ended after the last of them, those of the ten minutes before it, as SQL has them.
            long all = instant("SELECT max(event_ts) FROM engagement_events WHERE content_id = '" + disordered + "'")
                    .toEpochMilli();
            await().atMost(LIMIT).pollInterval(POLL).until(() -> {
                Board board = Board.read(jedis, "top:content:10m");
                Double expected = places("count(*)", board.slideEnd, Duration.ofMinutes(10))
                        .get(disordered.toString());
                return board.slideEnd > all
                        && expected != null
                        && Objects.equals(board.scores.get(disordered.toString()), expected);
            });
        }
        assertSeenWell(watch);
        assertThat(watch.outages()).isEmpty();
        assertNeverRestarted();
    }

    @Test
    void an_event_is_cached_for_an_hour_if_that_is_wanted() throws Exception {
        runStream(forgetful, "--liveview.event-cache", "true");
        UUID content = UUID.randomUUID();
        sql("INSERT INTO content VALUES ('" + content + "', '" + content + "', 'A title', 'video', 300, now())");
        Instant before = Instant.now();
        long event = insertEvent(content, "now()");
        try (Jedis jedis = forgetful.connect()) {
            String key = "engagement_events:event:" + event;
            await().atMost(LIMIT).pollInterval(POLL).until(() -> jedis.exists(key));
            assertThat(jedis.hgetAll(key))
                    .containsEntry("event_id", Long.toString(event))
                    .containsEntry("content_id", content.toString())
                    .containsEntry("event_type", "play")
                    .containsEntry("title", "A title")
                    .containsEntry("engagement_seconds", "7.0")
                    .containsEntry("engagement_pct", "0.02")
                    .doesNotContainKey("user_id");
            // An hour after it came into Kafka, which was between these two.
            assertThat(Instant.ofEpochMilli(jedis.pexpireTime(key)))
                    .isBetween(
                            before.plus(Duration.ofHours(1)).minusMillis(1),
                            Instant.now().plus(Duration.ofHours(1)));
        }
        awaitEqual(forgetful);
    }

    // ------------------------------------------------------------------------------------------------- its parts

    /** A leaderboard as a reader finds it. */
    private record Board(long slideEnd, long seenAt, Map<String, Double> scores) {

        static Board read(Jedis jedis, String key) {
            try (var both = jedis.multi()) {
                var version = both.get("version:{" + key + "}");
                var places = both.zrangeWithScores(key, 0, -1);
                both.exec();
                Map<String, Double> scores = new HashMap<>();
                places.get().forEach(place -> scores.put(place.getElement(), place.getScore()));
                return new Board(
                        version.get() == null ? 0 : Long.parseLong(version.get()), System.currentTimeMillis(), scores);
            }
        }
    }

    /** The window that ends there, by SQL. */
    private static Map<String, Double> places(String score, long slideEnd, Duration window) throws SQLException {
        Map<String, Double> places = new HashMap<>();
        try (Connection connection = servers.postgres().connect();
                Statement statement = connection.createStatement();
                ResultSet rows =
                        statement.executeQuery("SELECT content_id, " + score + " AS score FROM engagement_events"
                                + " WHERE event_ts >= to_timestamp(" + (slideEnd - window.toMillis()) + " / 1000.0)"
                                + " AND event_ts < to_timestamp(" + slideEnd + " / 1000.0)"
                                + " AND " + TIMELY
                                + " GROUP BY content_id HAVING " + score + " IS NOT NULL"
                                + " ORDER BY score DESC, content_id::text COLLATE \"C\" LIMIT 100")) {
            while (rows.next()) {
                BigDecimal exact = rows.getBigDecimal("score");
                places.put(rows.getString("content_id"), exact.doubleValue());
            }
        }
        return places;
    }

    /** By content, what one says and what the other says where they differ. */
    private static Map<String, String> differing(Map<String, Double> one, Map<String, Double> other) {
        Map<String, String> differing = new TreeMap<>();
        Stream.concat(one.keySet().stream(), other.keySet().stream())
                .filter(each -> !Objects.equals(one.get(each), other.get(each)))
                .forEach(each -> differing.put(each, one.get(each) + " / " + other.get(each)));
        return differing;
    }

    private JobID runStream(RedisServer redis, String... more) throws Exception {
        JobID stream = cluster.run(streamArgs(redis, more));
        streams.add(stream);
        return stream;
    }

    private LiveViewWatch watch(RedisServer redis) throws SQLException {
        List<String> contents = new ArrayList<>();
        try (Connection connection = servers.postgres().connect();
                Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery("SELECT id FROM content")) {
            while (rows.next()) {
                contents.add(rows.getString(1));
            }
        }
        LiveViewWatch watch = LiveViewWatch.start(redis, "", () -> contents, LiveViewWatch.bySql(servers.postgres()));
        watches.add(watch);
        return watch;
    }

    /** The watch has looked on to the end, and has nothing to tell but outages. */
    private static void assertSeenWell(LiveViewWatch watch) {
        long reads = watch.reads();
        await().atMost(LIMIT).pollInterval(POLL).until(() -> watch.reads() >= reads + 2);
        assertThat(watch.violations()).isEmpty();
        say("%d rounds of reading, outages %s", watch.reads(), watch.outages());
    }

    private void assertNeverRestarted() {
        for (JobID stream : streams) {
            assertThat(cluster.restarts(stream)).isZero();
        }
        assertThat(streams.stream().map(cluster::status)).isSubsetOf(JobStatus.RUNNING, JobStatus.CANCELED);
    }

    private static void loadOn() throws SQLException {
        load = load.continued(servers.postgres().connect());
    }

    private static void awaitCreated(long events) {
        await().atMost(LIMIT).pollInterval(POLL).until(() -> load.created() >= events);
        assertThat((Throwable) load.failure()).isNull();
    }

    /** Waits until every number is what SQL computes, and answers how long that took. */
    private static Duration awaitEqual(RedisServer redis) throws Exception {
        RedisCheck check = check(redis);
        long begin = System.nanoTime();
        try {
            await().atMost(LIMIT)
                    .pollDelay(Duration.ZERO)
                    .pollInterval(Duration.ofMillis(50))
                    .until(() -> {
                        try {
                            List<Comparison> found = check.compare();
                            return !found.isEmpty() && SelfCheck.isPassed(found);
                        } catch (JedisException notYet) {
                            return false;
                        }
                    });
        } catch (ConditionTimeoutException e) {
            throw new AssertionError(
                    "Redis is not what SQL computes:\n"
                            + String.join("\n", SelfCheck.table("source (SQL)", "Redis", check.compare())),
                    e);
        }
        return Duration.ofNanos(System.nanoTime() - begin);
    }

    private static List<ContentRow> versions(UUID content) {
        return load.versions(content);
    }

    /** Events that the counts hold. */
    private static long events(RedisServer redis) throws SQLException {
        return check(redis).arrived();
    }

    private static RedisCheck check(RedisServer redis) {
        return new RedisCheck(servers.postgres(), redis, LiveViewFaultsIT::versions);
    }

    /** All counts and last events. */
    private static Map<String, String> lasting(RedisServer redis) {
        Map<String, String> values = new HashMap<>();
        try (Jedis jedis = redis.connect()) {
            for (String kind : List.of("content:count:*", "content:last:*")) {
                for (String key : jedis.keys(kind)) {
                    values.put(key, jedis.get(key));
                }
            }
        }
        return values;
    }

    /** Events in Kafka that are not behind a completed checkpoint of the job in the usual group. */
    private static long lag() throws Exception {
        try (Admin admin =
                Admin.create(Map.of("bootstrap.servers", servers.kafka().bootstrapServers()))) {
            Map<TopicPartition, OffsetAndMetadata> committed = admin.listConsumerGroupOffsets(GROUP)
                    .partitionsToOffsetAndMetadata()
                    .get();
            Map<TopicPartition, OffsetSpec> ends = new HashMap<>();
            admin.describeTopics(List.of(EVENTS_TOPIC))
                    .allTopicNames()
                    .get()
                    .get(EVENTS_TOPIC)
                    .partitions()
                    .forEach(each -> ends.put(new TopicPartition(EVENTS_TOPIC, each.partition()), OffsetSpec.latest()));
            long lag = 0;
            for (var end : admin.listOffsets(ends).all().get().entrySet()) {
                OffsetAndMetadata at = committed.get(end.getKey());
                lag += end.getValue().offset() - (at == null ? 0 : at.offset());
            }
            return lag;
        }
    }

    /** 0 as long as nobody reports it. */
    private static double metric(JobID job, String name, Aggregation aggregation) throws Exception {
        return new FlinkRest(cluster.rest(), LIMIT)
                .metrics(job.toHexString(), Map.of(name, aggregation))
                .getOrDefault(name, 0.0);
    }

    private static long insertEvent(UUID content, String eventTs) throws SQLException {
        try (Connection connection = servers.postgres().connect();
                Statement statement = connection.createStatement();
                ResultSet id = statement.executeQuery(
                        "INSERT INTO engagement_events (content_id, event_type, event_ts, duration_ms) VALUES ('"
                                + content + "', 'play', " + eventTs + ", 7000) RETURNING id")) {
            id.next();
            return id.getLong(1);
        }
    }

    private static Instant instant(String query) throws SQLException {
        try (Connection connection = servers.postgres().connect();
                Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(query)) {
            row.next();
            return row.getTimestamp(1).toInstant();
        }
    }

    private static void sql(String statement) throws SQLException {
        try (Connection connection = servers.postgres().connect();
                Statement execute = connection.createStatement()) {
            execute.execute(statement);
        }
    }

    private static double seconds(Duration duration) {
        return duration.toNanos() / 1e9;
    }

    private static void say(String line, Object... values) {
        System.out.println("  " + String.format(Locale.ROOT, line, values));
    }

    private static String[] captureArgs() throws Exception {
        return new String[] {
            "capture",
            "--kafka.bootstrap-servers",
            servers.kafka().bootstrapServers(),
            "--postgres.url",
            servers.postgres().jdbcUrl(),
            "--postgres.username",
            servers.postgres().username(),
            "--postgres.password.secret-file",
            servers.postgresPasswordFile(),
            "--parallelism",
            "1",
        };
    }

    private static String[] streamArgs(RedisServer redis, String... more) {
        return Stream.concat(
                        Stream.of(
                                "stream",
                                "--kafka.bootstrap-servers",
                                servers.kafka().bootstrapServers(),
                                "--redis.url",
                                redis.url(),
                                "--destinations",
                                "liveview"),
                        Stream.of(more))
                .toArray(String[]::new);
    }
}
