package dev.engagement.local;

import static org.assertj.core.api.Assertions.assertThat;

import dev.engagement.local.DestinationCheck.Comparison;
import dev.engagement.local.testing.SharedServers;
import java.io.IOException;
import java.math.BigDecimal;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Types;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import redis.clients.jedis.Jedis;

/** Buckets and leaderboards counted by hand from the same rows pass, and no tampered ones do. */
class RankingCheckIT {

    private static final Path DIRECTORY = Path.of("target/it/ranking-check");
    private static final DateTimeFormatter MINUTE =
            DateTimeFormatter.ofPattern("yyyyMMddHHmm").withZone(ZoneOffset.UTC);
    private static final Duration WINDOW = Duration.ofMinutes(10);
    private static final int CONTENTS = 105;
    private static final int WITH_TWO_EVENTS = 90;

    /** A row; {@code ahead} if stamped by a wrong clock. */
    private record Row(String content, Instant at, @Nullable Integer durationMs, boolean ahead) {}

    private static final Instant START = Instant.now().truncatedTo(ChronoUnit.SECONDS);
    /** A whole second at which one event happened, and another ten minutes before. */
    private static final Instant EDGE = START.minusSeconds(30);

    private static final Instant AHEAD = START.plusSeconds(300);
    private static final List<String> IDS = new ArrayList<>();
    private static final List<Row> ROWS = new ArrayList<>();
    private static SharedServers servers;
    private static PostgresServer postgres;
    private static RedisServer redis;

    private Connection source;
    private Jedis jedis;
    private Instant slideEnd;

    @BeforeAll
    static void start() throws SQLException, IOException {
        servers = SharedServers.lease(DIRECTORY);
        postgres = servers.postgres();
        redis = servers.redis();
        for (int i = 0; i < CONTENTS; i++) {
            IDS.add(UUID.nameUUIDFromBytes(new byte[] {(byte) i}).toString());
        }
        rows();
        try (Connection connection = postgres.connect()) {
            connection.setAutoCommit(false);
            insertAll(connection);
            connection.commit();
        }
    }

    private static void rows() {
        for (int i = 0; i < CONTENTS; i++) {
            String id = IDS.get(i);
            Integer duration = i < 3 || i >= 100 ? null : Integer.valueOf(i == 3 ? 0 : i < 60 ? 12_345 : 1);
            ROWS.add(new Row(id, START.minusMillis(60_001 + i), duration, false));
            if (i < WITH_TWO_EVENTS) {
                ROWS.add(new Row(id, START.minusMillis(200_000), null, false));
            }
        }
        ROWS.add(new Row(IDS.get(7), EDGE, 5_000, false));
        ROWS.add(new Row(IDS.get(8), EDGE.minus(WINDOW), 5_000, false));
        ROWS.add(new Row(IDS.get(9), START.minus(Duration.ofMinutes(11)), 5_000, false));
        ROWS.add(new Row(IDS.get(9), START.minus(Duration.ofMinutes(20)), 5_000, false));
        ROWS.add(new Row(IDS.get(10), AHEAD, 5_000, true));
    }

    private static void insertAll(Connection connection) throws SQLException {
        try (PreparedStatement content = connection.prepareStatement(
                        "INSERT INTO content (id, slug, title, publish_ts) VALUES (?, ?, 'T', now())");
                PreparedStatement event = connection.prepareStatement(
                        "INSERT INTO engagement_events (content_id, event_type, event_ts, duration_ms)"
                                + " VALUES (?, 'play', ?, ?)")) {
            for (String id : IDS) {
                content.setObject(1, UUID.fromString(id));
                content.setString(2, id);
                content.addBatch();
            }
            content.executeBatch();
            for (Row row : ROWS) {
                event.setObject(1, UUID.fromString(row.content));
                event.setObject(2, row.at.atOffset(ZoneOffset.UTC));
                event.setObject(3, row.durationMs, Types.INTEGER);
                event.addBatch();
            }
            // An event of no content is in no leaderboard and no bucket.
            event.setObject(1, null, Types.OTHER);
            event.setObject(2, EDGE.atOffset(ZoneOffset.UTC));
            event.addBatch();
            event.executeBatch();
        }
    }

    @AfterAll
    static void stop() {
        servers.close();
    }

    @BeforeEach
    void theLiveViewAsItShouldBe() throws SQLException {
        source = postgres.connect();
        jedis = redis.connect();
        jedis.flushAll();
        buckets()
                .forEach((minute, scores) -> scores.forEach((id, events) -> {
                    jedis.zincrby(minute, events, id);
                    jedis.pexpireAt(minute, bucketExpiry(minute));
                }));
        show(Instant.now().truncatedTo(ChronoUnit.SECONDS));
    }

    @AfterEach
    void disconnect() throws SQLException {
        jedis.close();
        source.close();
    }

    // ------------------------------------------------------------------------------------------------- counted by hand

    private static Map<String, Map<String, Integer>> buckets() {
        Map<String, Map<String, Integer>> buckets = new HashMap<>();
        for (Row row : ROWS) {
            String key = "top:content:bucket:" + MINUTE.format(row.at);
            if (!row.ahead && bucketExpiry(key) > System.currentTimeMillis()) {
                buckets.computeIfAbsent(key, minute -> new HashMap<>()).merge(row.content, 1, Integer::sum);
            }
        }
        return buckets;
    }

    private static long bucketExpiry(String key) {
        Instant minute = MINUTE.parse(key.substring("top:content:bucket:".length()), Instant::from);
        return minute.plus(Duration.ofMinutes(16)).toEpochMilli();
    }

    private static Map<String, BigDecimal> scores(Instant end, boolean engagement) {
        return scores(row -> !row.ahead && !row.at.isBefore(end.minus(WINDOW)) && row.at.isBefore(end), engagement);
    }

    /** In the order of the places, more of them than a leaderboard has. */
    private static Map<String, BigDecimal> scores(Predicate<Row> in, boolean engagement) {
        Map<String, BigDecimal> scores = new HashMap<>();
        for (Row row : ROWS) {
            Integer duration = row.durationMs;
            if (in.test(row) && (!engagement || duration != null)) {
                BigDecimal score = engagement && duration != null ? BigDecimal.valueOf(duration, 3) : BigDecimal.ONE;
                scores.merge(row.content, score, BigDecimal::add);
            }
        }
        Map<String, BigDecimal> places = new LinkedHashMap<>();
        scores.entrySet().stream()
                .sorted(Map.Entry.<String, BigDecimal>comparingByValue(Comparator.reverseOrder())
                        .thenComparing(Map.Entry.comparingByKey()))
                .forEach(each -> places.put(each.getKey(), each.getValue()));
        return places;
    }

    private void show(Instant end) {
        slideEnd = end;
        show(end, "top:content:10m", scores(end, false));
        show(end, "top_engagement:10min", scores(end, true));
    }

    private void show(Instant end, String key, Map<String, BigDecimal> scores) {
        jedis.del(key);
        scores.entrySet().stream()
                .limit(100)
                .forEach(each -> jedis.zadd(key, each.getValue().doubleValue(), each.getKey()));
        jedis.pexpireAt(key, end.plusSeconds(120).toEpochMilli());
        jedis.set("version:{" + key + "}", Long.toString(end.toEpochMilli()));
    }

    // ------------------------------------------------------------------------------------------------- leaderboards

    @Test
    void leaderboardsAndBucketsEqualToTheSourcePass() throws Exception {
        assertThat(boards(slideEnd.plusSeconds(1))).hasSize(4).allMatch(Comparison::isEqual);
        assertThat(boards(slideEnd.plusSeconds(1)))
                .first()
                .extracting(Comparison::source)
                .isEqualTo("100");
        assertThat(new BucketCheck(Clock.systemUTC()).compare(source, jedis))
                .hasSize(2)
                .allMatch(Comparison::isEqual)
                .first()
                .matches(minutes -> Integer.parseInt(minutes.source()) >= 3);
    }

    @Test
    void theCheckOfRedisAsksForBothToo() throws Exception {
        assertThat(new RedisCheck(postgres, redis, content -> List.of()).compare())
                .extracting(Comparison::what)
                .anyMatch(what -> what.contains("top:content:bucket:"))
                .anyMatch(what -> what.contains("top:content:10m"))
                .anyMatch(what -> what.contains("top_engagement:10min"));
    }

    @Test
    void aWindowHoldsItsBeginAndNotItsEnd() throws Exception {
        for (Instant end : List.of(EDGE, EDGE.plusSeconds(1))) {
            show(end);
            assertThat(boards(end.plusSeconds(1))).allMatch(Comparison::isEqual);
        }
        Instant end = EDGE;
        show(end, "top:content:10m", scores(row -> row.at.isAfter(end.minus(WINDOW)) && !row.at.isAfter(end), false));
        assertThat(differing(boards(end.plusSeconds(1))))
                .hasSize(2)
                .anySatisfy(each -> assertThat(each).startsWith(IDS.get(7)))
                .anySatisfy(each -> assertThat(each).startsWith(IDS.get(8)));
    }

    @Test
    void amongEqualScoresAtTheCutTheSmallerIdHasThePlace() throws Exception {
        List<String> order = List.copyOf(scores(slideEnd, false).keySet());
        assertThat(scores(slideEnd, false).get(order.get(99)))
                .isEqualTo(scores(slideEnd, false).get(order.get(100)));
        jedis.zrem("top:content:10m", order.get(99));
        jedis.zadd("top:content:10m", 1, order.get(100));
        assertThat(differing(boards(slideEnd.plusSeconds(1))))
                .hasSize(2)
                .anySatisfy(each -> assertThat(each).startsWith(order.get(99)).contains("does not have it"))
                .anySatisfy(each -> assertThat(each).startsWith(order.get(100)).contains("not among the first 100"));
    }

    @Test
    void aWrongScoreIsNamedWithBoth() throws Exception {
        jedis.zincrby("top:content:10m", 1, IDS.get(20));
        assertThat(differing(boards(slideEnd.plusSeconds(1))))
                .singleElement()
                .asString()
                .startsWith(IDS.get(20) + ": 2 in the ten minutes before " + slideEnd)
                .endsWith("top:content:10m says 3");
        jedis.zincrby("top:content:10m", -1, IDS.get(20));
        jedis.zadd("top_engagement:10min", 12.346, IDS.get(20));
        assertThat(differing(boards(slideEnd.plusSeconds(1))))
                .singleElement()
                .asString()
                .startsWith(IDS.get(20) + ": 12.345 in")
                .endsWith("top_engagement:10min says 12.346");
    }

    @Test
    void aContentOfNoSecondsIsRankedAndOneWithoutSecondsIsNot() throws Exception {
        assertThat(scores(slideEnd, true)).containsKey(IDS.get(3)).doesNotContainKey(IDS.get(1));
        jedis.zrem("top_engagement:10min", IDS.get(3));
        jedis.zadd("top_engagement:10min", 0, IDS.get(1));
        assertThat(differing(boards(slideEnd.plusSeconds(1))))
                .hasSize(2)
                .anySatisfy(each -> assertThat(each).startsWith(IDS.get(3)).contains("does not have it"))
                .anySatisfy(each -> assertThat(each).startsWith(IDS.get(1)).contains("not among the first 100"));
    }

    @Test
    void anEventOfAWrongClockIsInNoLeaderboardEvenWhenItsTimeHasCome() throws Exception {
        Instant end = AHEAD.plusSeconds(1);
        show(end);
        assertThat(boards(end)).allMatch(Comparison::isEqual);
        show(end, "top:content:10m", scores(row -> !row.at.isBefore(end.minus(WINDOW)), false));
        assertThat(differing(boards(end))).singleElement().asString().startsWith(IDS.get(10));
    }

    @Test
    void aLeaderboardThatStandsStillIsDifferent() throws Exception {
        assertThat(boards(slideEnd.plusSeconds(60))).allMatch(Comparison::isEqual);
        assertThat(boards(slideEnd.plusMillis(61_500)))
                .filteredOn(each -> !each.isEqual())
                .extracting(Comparison::destination)
                .containsExactly("61.5 s ago", "61.5 s ago");
        assertThat(boards(slideEnd.minusSeconds(61))).anyMatch(each -> !each.isEqual());
    }

    @Test
    void aMissingLeaderboardIsDifferentWhileItsWindowHasEvents() throws Exception {
        jedis.del("top:content:10m");
        assertThat(boards(slideEnd.plusSeconds(1)))
                .first()
                .matches(each -> each.differing().size() == 100);
        jedis.del("version:{top:content:10m}");
        assertThat(boards(slideEnd.plusSeconds(1)))
                .filteredOn(each -> !each.isEqual())
                .singleElement()
                .extracting(Comparison::destination)
                .isEqualTo("none");
        jedis.set("version:{top:content:10m}", "soon");
        assertThat(boards(slideEnd.plusSeconds(1)))
                .filteredOn(each -> !each.isEqual())
                .singleElement()
                .extracting(Comparison::destination)
                .isEqualTo("'soon'");
    }

    @Test
    void noLeaderboardIsRightWhenNothingHasHappenedForTenMinutes() throws Exception {
        Instant later = START.plus(Duration.ofHours(1));
        assertThat(boards(later)).anyMatch(each -> !each.isEqual());
        jedis.del("top:content:10m", "top_engagement:10min");
        assertThat(boards(later)).allMatch(Comparison::isEqual);
        jedis.del("version:{top:content:10m}", "version:{top_engagement:10min}");
        assertThat(boards(later)).allMatch(Comparison::isEqual);
        show(later, "top:content:10m", Map.of());
        assertThat(boards(later)).allMatch(Comparison::isEqual);
        show(later, "top:content:10m", Map.of(IDS.get(0), BigDecimal.ONE));
        assertThat(differing(boards(later))).singleElement().asString().startsWith(IDS.get(0));
    }

    @Test
    void aLeaderboardsWrongExpiryOrSlideEndIsNamed() throws Exception {
        jedis.expire("top:content:10m", 120);
        jedis.persist("top_engagement:10min");
        assertThat(differing(boards(slideEnd.plusSeconds(1)))).hasSize(2).allSatisfy(each -> assertThat(each)
                .startsWith("expires at"));
        show(slideEnd.plusMillis(1));
        assertThat(differing(boards(slideEnd.plusSeconds(1))))
                .filteredOn(each -> each.contains("is not the end of a slide"))
                .hasSize(2);
    }

    @Test
    void theVersionStandsInTheSlotOfItsLeaderboard() {
        assertThat(Leaderboard.EVENTS.versionKey("")).isEqualTo("version:{top:content:10m}");
        assertThat(Leaderboard.EVENTS.versionKey("stage:")).isEqualTo("stage:version:{stage:top:content:10m}");
        assertThat(Leaderboard.ENGAGEMENT.versionKey("{stage}:"))
                .isEqualTo("{stage}:version:{stage}:top_engagement:10min");
    }

    // ------------------------------------------------------------------------------------------------- buckets

    @Test
    void aMissingWrongOrLeftOverBucketIsNamed() throws Exception {
        String minute = MINUTE.format(START.minusMillis(200_000));
        jedis.zincrby("top:content:bucket:" + minute, 1, IDS.get(0));
        jedis.zrem("top:content:bucket:" + minute, IDS.get(1));
        jedis.zadd("top:content:bucket:" + minute, 1, "nobody");
        assertThat(bucketsDiffering())
                .hasSize(3)
                .anySatisfy(each ->
                        assertThat(each).startsWith(minute + " " + IDS.get(0)).endsWith("says 2"))
                .anySatisfy(each ->
                        assertThat(each).startsWith(minute + " " + IDS.get(1)).endsWith("has none"))
                .anySatisfy(
                        each -> assertThat(each).startsWith(minute + " nobody").contains("no event"));
        jedis.del("top:content:bucket:" + minute);
        assertThat(bucketsDiffering())
                .singleElement()
                .asString()
                .startsWith(minute)
                .contains("is missing");
    }

    @Test
    void aBucketThatShouldBeGoneOrNeverHaveBeenIsNamed() throws Exception {
        String gone = MINUTE.format(START.minus(Duration.ofMinutes(20)));
        String never = MINUTE.format(START.plus(Duration.ofMinutes(2)));
        String ofAWrongClock = MINUTE.format(AHEAD);
        for (String minute : List.of(gone, never, ofAWrongClock)) {
            jedis.zadd("top:content:bucket:" + minute, 1, IDS.get(10));
        }
        assertThat(bucketsDiffering())
                .hasSize(3)
                .allSatisfy(each -> assertThat(each).contains("exists"))
                .anySatisfy(each -> assertThat(each).startsWith(gone))
                .anySatisfy(each -> assertThat(each).startsWith(never))
                .anySatisfy(each -> assertThat(each).startsWith(ofAWrongClock));
    }

    @Test
    void aBucketAtItsEndMayBeThereOrNot() throws Exception {
        String minute = "top:content:bucket:" + MINUTE.format(START.minusMillis(200_000));
        Clock atItsEnd = Clock.fixed(Instant.ofEpochMilli(bucketExpiry(minute)), ZoneOffset.UTC);
        assertThat(new BucketCheck(atItsEnd).compare(source, jedis).get(0).differing())
                .noneMatch(each -> minute.endsWith(each.substring(0, 12)));
        jedis.del(minute);
        assertThat(new BucketCheck(atItsEnd).compare(source, jedis).get(0).differing())
                .noneMatch(each -> minute.endsWith(each.substring(0, 12)));
        Clock before = Clock.offset(atItsEnd, Duration.ofSeconds(-10));
        assertThat(new BucketCheck(before).compare(source, jedis).get(0).differing())
                .anyMatch(each -> minute.endsWith(each.substring(0, 12)));
    }

    @Test
    void aBucketsWrongExpiryIsNamed() throws Exception {
        String minute = "top:content:bucket:" + MINUTE.format(START.minusMillis(200_000));
        jedis.expire(minute, 900);
        assertThat(bucketsDiffering()).singleElement().asString().contains("expires at");
        jedis.persist(minute);
        assertThat(bucketsDiffering()).singleElement().asString().contains("expires at -1");
    }

    private List<Comparison> boards(Instant now) throws SQLException {
        return new LeaderboardCheck(Clock.fixed(now, ZoneOffset.UTC)).compare(source, jedis);
    }

    private List<String> bucketsDiffering() throws SQLException {
        return differing(new BucketCheck(Clock.systemUTC()).compare(source, jedis));
    }

    private static List<String> differing(List<Comparison> comparisons) {
        return comparisons.stream().flatMap(each -> each.differing().stream()).toList();
    }
}
