package dev.engagement.liveview;

import static org.assertj.core.api.Assertions.assertThat;

import dev.engagement.event.Content;
import dev.engagement.event.EngagementEvent;
import dev.engagement.event.EngagementRule;
import dev.engagement.event.EventId;
import dev.engagement.event.EventJson;
import dev.engagement.event.Position;
import dev.engagement.event.Standings.Place;
import dev.engagement.liveview.LiveValue.Board;
import dev.engagement.local.RedisServer;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.NotEmpty;
import net.jqwik.api.lifecycle.AfterContainer;
import net.jqwik.api.lifecycle.BeforeContainer;
import org.jspecify.annotations.Nullable;
import redis.clients.jedis.Jedis;

/** The scripts on a real Redis against the newest of all values, found by trying. */
class LiveViewScriptPropertiesIT {

    private static final LiveViewKeys KEYS = new LiveViewKeys("p:");
    /** Ahead, so that the boards of it, which live two minutes, outlive the test, however slow. */
    private static final long NOW = System.currentTimeMillis() + 600_000;

    private static final long NOW_MICROS = NOW * 1_000;
    private static final long MINUTE = NOW / 60_000;
    private static final BigInteger WEIGHT = BigInteger.ONE.shiftLeft(80);

    private static RedisServer server;
    private static Jedis redis;
    private static Jedis secondConnection;

    /** One write, and what it has to be compared by. */
    record Versioned(String place, BigInteger version, ScriptedWrite write, Map<String, Object> shown) {}

    @BeforeContainer
    static void start() {
        server = RedisServer.start(Path.of("target/redis/LiveViewScriptPropertiesIT"), 0);
        redis = server.connect();
        secondConnection = server.connect();
    }

    @AfterContainer
    static void stop() {
        redis.close();
        secondConnection.close();
        server.close();
    }

    @Property(tries = 300)
    void redis_applies_what_is_newer_and_nothing_else(@ForAll("values") @NotEmpty List<Versioned> values) {
        redis.flushDB();
        Map<String, Versioned> newest = new HashMap<>();
        for (Versioned value : values) {
            Versioned before = newest.get(value.place);
            boolean newer = before == null || value.version.compareTo(before.version) > 0;
            if (newer) {
                newest.put(value.place, value);
            }

            assertThat(apply(redis, value)).isEqualTo(newer ? WriteOutcome.WRITTEN : WriteOutcome.SUPERSEDED);
        }
        assertThat(dump()).isEqualTo(shown(newest));
    }

    @Property(tries = 200)
    void two_writers_in_any_order_and_repetition_end_in_the_newest(
            @ForAll("values") @NotEmpty List<Versioned> values, @ForAll Random random) {
        // Of one version there is one value: everybody computes the same.
        Map<String, Versioned> distinct = new TreeMap<>();
        values.forEach(value -> distinct.putIfAbsent(value.place + value.version, value));
        Map<String, Versioned> newest = new HashMap<>();
        for (Versioned value : distinct.values()) {
            newest.merge(value.place, value, (some, other) -> some.version.compareTo(other.version) > 0 ? some : other);
        }
        redis.flushDB();

        List<Versioned> one = replayed(distinct.values(), random);
        List<Versioned> other = replayed(distinct.values(), random);
        int ofOne = 0;
        int ofOther = 0;
        while (ofOne < one.size() || ofOther < other.size()) {
            if (ofOther == other.size() || ofOne < one.size() && random.nextBoolean()) {
                apply(redis, one.get(ofOne++));
            } else {
                apply(secondConnection, other.get(ofOther++));
            }
        }

        assertThat(dump()).isEqualTo(shown(newest));
        assertThat(distinct.values())
                .allSatisfy(value -> assertThat(apply(redis, value)).isEqualTo(WriteOutcome.SUPERSEDED));
        assertThat(dump()).isEqualTo(shown(newest));
    }

    @Property(tries = 300)
    void of_one_time_the_last_event_is_that_of_the_greatest_id_by_its_bytes(
            @ForAll("textIds") @NotEmpty List<String> ids) {
        redis.flushDB();
        String newest = null;
        for (String id : ids) {
            boolean newer = newest == null || Arrays.compareUnsigned(utf8(id), utf8(newest)) > 0;
            newest = newer ? id : newest;

            assertThat(apply(redis, last(EventId.of(id)).write(KEYS)))
                    .isEqualTo(newer ? WriteOutcome.WRITTEN : WriteOutcome.SUPERSEDED);
        }
        assertThat(redis.get(KEYS.last("c"))).startsWith("{\"event_id\":\"" + newest + "\",");
    }

    @Example
    void a_number_of_the_same_time_never_takes_the_place_of_a_text() {
        redis.flushDB();
        assertThat(apply(redis, last(EventId.of(7)).write(KEYS))).isEqualTo(WriteOutcome.WRITTEN);
        assertThat(apply(redis, last(EventId.of("-")).write(KEYS))).isEqualTo(WriteOutcome.WRITTEN);
        assertThat(apply(redis, last(EventId.of(Long.MAX_VALUE)).write(KEYS))).isEqualTo(WriteOutcome.SUPERSEDED);
    }

    private static LiveValue.Last last(EventId id) {
        EngagementEvent event = new EngagementEvent(
                id.number(),
                id.text(),
                "c",
                null,
                "play",
                NOW_MICROS,
                EngagementEvent.NO_DURATION,
                null,
                null,
                false,
                0,
                new Position(0, 0, NOW));
        return new LiveValue.Last(EngagementRule.DEFAULT.enrich(event, new Content("c", null, null, null, null, null)));
    }

    private static byte[] utf8(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    /** Of few characters, which a locale has in another order than bytes are. */
    @Provide
    Arbitrary<List<String>> textIds() {
        return Arbitraries.strings()
                .withChars("aAbBzZ019_-".toCharArray())
                .ofMinLength(1)
                .ofMaxLength(4)
                .list()
                .ofMaxSize(12);
    }

    @Property(tries = 200)
    void a_bucket_ends_with_the_greatest_count_of_each_member(@ForAll("tallies") @NotEmpty List<Tally> tallies) {
        redis.flushDB();
        Map<String, Map<String, Double>> oracle = new HashMap<>();
        for (Tally tally : tallies) {
            for (RecordedWrites.Member member : RecordedWrites.of(tally, KEYS, Tally.MINUTE_PARTS, NOW).members) {
                oracle.computeIfAbsent(KEYS.bucket(member.minute()), key -> new HashMap<>())
                        .merge(member.contentId(), (double) member.events(), Math::max);
                ScriptedWrite write = new ScriptedWrite(
                        LiveViewScript.BUCKET,
                        List.of(bytes(KEYS.bucket(member.minute()))),
                        List.of(
                                bytes(Long.toString(Tally.expiresAtMillis(member.minute()))),
                                bytes(Long.toString(member.events())),
                                bytes(member.contentId())));
                assertThat(apply(redis, write)).isEqualTo(WriteOutcome.WRITTEN);
            }
        }

        assertThat(redis.keys("*")).containsExactlyInAnyOrderElementsOf(oracle.keySet());
        oracle.forEach((key, members) -> assertThat(scores(key)).isEqualTo(members));
    }

    @Property(tries = 200)
    void a_sorted_set_ends_with_the_newest_version_of_each_window(
            @ForAll("windows") @NotEmpty List<RollupCell> windows) {
        redis.flushDB();
        Map<String, TreeMap<Long, RollupCell>> newest = new HashMap<>();
        for (RollupCell window : windows) {
            TreeMap<Long, RollupCell> ofKey =
                    newest.computeIfAbsent(KEYS.prefix() + window.windows(), k -> new TreeMap<>());
            RollupCell before = ofKey.get(window.windowEndMillis());
            boolean newer = before == null || window.version() > before.version();
            if (newer) {
                ofKey.put(window.windowEndMillis(), window);
            }

            assertThat(apply(redis, window.write(KEYS)))
                    .isEqualTo(newer ? WriteOutcome.WRITTEN : WriteOutcome.SUPERSEDED);
        }

        Map<String, Object> oracle = new HashMap<>();
        newest.forEach((key, ofKey) -> {
            Map<String, Double> scores = new HashMap<>();
            Map<String, String> versions = new HashMap<>();
            ofKey.forEach((end, window) -> {
                scores.put(new String(window.member(), StandardCharsets.UTF_8), (double) end);
                versions.put(Long.toString(end), Long.toString(window.version()));
            });
            oracle.put(key, List.of(scores, ofKey.lastKey() + 3_600_000));
            oracle.put(KEYS.windowVersions(key), List.of(versions, ofKey.lastKey() + 3_600_000));
        });
        assertThat(dump()).isEqualTo(oracle);
    }

    /** All of them in some order, some of them several times. */
    private static List<Versioned> replayed(Iterable<Versioned> values, Random random) {
        List<Versioned> replayed = new ArrayList<>();
        for (Versioned value : values) {
            replayed.addAll(Collections.nCopies(1 + random.nextInt(2), value));
        }
        Collections.shuffle(replayed, random);
        return replayed;
    }

    private static WriteOutcome apply(Jedis connection, Versioned value) {
        return apply(connection, value.write);
    }

    private static WriteOutcome apply(Jedis connection, ScriptedWrite write) {
        return WriteOutcome.of((Long) connection.eval(bytes(write.script().text()), write.keys(), write.arguments()));
    }

    private static Map<String, Object> shown(Map<String, Versioned> newest) {
        Map<String, Object> all = new HashMap<>();
        newest.values().forEach(value -> all.putAll(value.shown));
        return all;
    }

    /** Every key with its value and when it expires. */
    private static Map<String, Object> dump() {
        Map<String, Object> all = new HashMap<>();
        for (String key : redis.keys("*")) {
            Object value =
                    switch (redis.type(key)) {
                        case "hash" -> redis.hgetAll(key);
                        case "zset" -> scores(key);
                        default -> redis.get(key);
                    };
            all.put(key, List.of(value, redis.pexpireTime(key)));
        }
        return all;
    }

    private static Map<String, Double> scores(String key) {
        Map<String, Double> scores = new HashMap<>();
        redis.zrangeWithScores(key, 0, -1).forEach(place -> scores.put(place.getElement(), place.getScore()));
        return scores;
    }

    private static Versioned versioned(LiveValue.Last last) {
        EngagementEvent event = last.enriched().event();
        String key = KEYS.last(event.contentId());
        return new Versioned(
                key,
                BigInteger.valueOf(event.eventTsMicros()).multiply(WEIGHT).add(BigInteger.valueOf(event.id())),
                last.write(KEYS),
                Map.of(
                        key,
                        List.of(
                                new String(EventJson.enriched(last.enriched()), StandardCharsets.UTF_8),
                                Math.floorDiv(event.eventTsMicros(), 1_000L) + 3_600_000)));
    }

    private static Versioned count(String contentId, long total) {
        return new Versioned(
                KEYS.count(contentId),
                BigInteger.valueOf(total),
                RecordedWrites.of(Tally.none(contentId).plus(total), KEYS, Tally.TOTAL_PART, NOW)
                        .only(),
                Map.of(KEYS.count(contentId), List.of(Long.toString(total), -1L)));
    }

    private static Versioned versioned(LiveValue.AboutContent about, long deletedAtMillis) {
        return new Versioned(
                KEYS.meta(about.contentId()),
                BigInteger.valueOf(about.version()),
                about.write(KEYS),
                about instanceof LiveValue.Meta meta
                        ? Map.of(KEYS.meta(meta.contentId()), List.of(fields(meta), -1L))
                        : Map.of(
                                KEYS.metaTombstone(about.contentId()),
                                List.of(Long.toString(about.version()), deletedAtMillis + 14 * 86_400_000L)));
    }

    private static Map<String, String> fields(LiveValue.Meta meta) {
        Map<String, String> fields = new HashMap<>();
        fields.put("_version", Long.toString(meta.version()));
        fields.put("slug", "slug-" + meta.contentId());
        fields.put("title", "Title of " + meta.contentId());
        fields.put("content_type", "video");
        fields.put("length_seconds", "300");
        fields.put("publish_ts", "2026-01-08T14:21:52.000000Z");
        return fields;
    }

    private static Versioned versioned(Board board) {
        String key = board.kind() == Board.Kind.EVENTS ? KEYS.topByEvents() : KEYS.topByEngagement();
        long expiry = board.slideEndMillis() + 120_000;
        Map<String, Object> shown = new HashMap<>();
        shown.put(KEYS.boardVersion(key), List.of(Long.toString(board.slideEndMillis()), expiry));
        if (!board.places().isEmpty()) {
            Map<String, Double> scores = new HashMap<>();
            int scale = board.kind() == Board.Kind.EVENTS ? 0 : 3;
            board.places()
                    .forEach(place -> scores.put(
                            place.contentId(),
                            BigDecimal.valueOf(place.score(), scale).doubleValue()));
            shown.put(key, List.of(scores, expiry));
        }
        return new Versioned(key, BigInteger.valueOf(board.slideEndMillis()), board.write(KEYS), shown);
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    @Provide
    Arbitrary<List<Versioned>> values() {
        Arbitrary<String> contents = Arbitraries.of("c1", "ü{2}");
        // Ids where a double cannot tell neighbours apart, of all lengths and both signs.
        Arbitrary<Long> ids = Arbitraries.oneOf(
                Arbitraries.longs().between(-11, 11),
                Arbitraries.longs().between(Long.MAX_VALUE - 3, Long.MAX_VALUE),
                Arbitraries.longs().between(Long.MIN_VALUE, Long.MIN_VALUE + 3),
                Arbitraries.longs().between((1L << 53) - 1, (1L << 53) + 2),
                Arbitraries.longs().between(999_999_998L, 1_000_000_001L),
                Arbitraries.longs());
        Arbitrary<Long> times = Arbitraries.oneOf(
                Arbitraries.longs().between(NOW_MICROS, NOW_MICROS + 2),
                Arbitraries.longs().between(NOW_MICROS - 1_800_000_000L, NOW_MICROS + 2_000_000_000L),
                Arbitraries.longs().between(NOW_MICROS, 253_402_300_799_999_999L - 3_600_000_000L));
        // Texts that look like the fields that hold the version.
        Arbitrary<@Nullable String> texts = Arbitraries.of(
                "web", null, "\"event_ts\":\"9999-01-01T00:00:00.000000Z\"", "{\"event_id\":9", "\\", "é\n", "");
        Arbitrary<@Nullable String> payloads =
                Arbitraries.of("{\"event_ts\":\"9999-12-31T00:00:00.000000Z\"}", null, "[1,\n2]");
        Arbitrary<Versioned> lasts = Combinators.combine(contents, ids, times, texts, payloads)
                .as((content, id, time, device, payload) ->
                        versioned(new LiveValue.Last(Samples.event(content, id, time, device, payload, false))));
        Arbitrary<Long> positive = ids.map(id -> id & Long.MAX_VALUE);
        Arbitrary<Versioned> counts = Combinators.combine(contents, positive).as(LiveViewScriptPropertiesIT::count);
        Arbitrary<Versioned> metas = Combinators.combine(
                        contents, positive, Arbitraries.longs().between(NOW - 1_000_000_000L, NOW))
                .as((content, version, deletedAt) -> versioned(
                        version % 3 == 0
                                ? new LiveValue.MetaGone(content, version, deletedAt)
                                : new LiveValue.Meta(Samples.content(content), version),
                        deletedAt));
        Arbitrary<List<Place>> places = Combinators.combine(
                        Arbitraries.of("a", "b", "é", "d"), Arbitraries.longs().between(0, (1L << 53) - 1))
                .as(Place::new)
                .list()
                .uniqueElements(Place::contentId)
                .ofMaxSize(4);
        Arbitrary<Versioned> boards = Combinators.combine(
                        Arbitraries.of(Board.Kind.class),
                        Arbitraries.oneOf(
                                Arbitraries.longs().between(NOW, NOW + 3),
                                Arbitraries.longs().between(NOW, NOW + 4_000_000_000_000L)),
                        places)
                .as((kind, slideEnd, all) -> versioned(new Board(kind, slideEnd, all)));
        return Arbitraries.oneOf(lasts, counts, metas, boards).list().ofMaxSize(16);
    }

    @Provide
    Arbitrary<List<Tally>> tallies() {
        Arbitrary<Map<Long, Long>> minutes = Arbitraries.maps(
                        Arbitraries.longs().between(MINUTE - 3, MINUTE + 1),
                        Arbitraries.longs().between(1, 12))
                .ofMaxSize(4);
        return Combinators.combine(Arbitraries.of("c1", "é{", "\uD83D\uDE00"), minutes)
                .as((content, all) -> {
                    Tally tally = Tally.none(content);
                    for (Map.Entry<Long, Long> minute : all.entrySet()) {
                        tally = tally.plusInMinute(minute.getKey(), minute.getValue());
                    }
                    return tally;
                })
                .list()
                .ofMaxSize(10);
    }

    /** Of one version of a window there is one JSON: everybody computes the same. */
    @Provide
    Arbitrary<List<RollupCell>> windows() {
        Arbitrary<Long> ends = Arbitraries.oneOf(
                Arbitraries.longs().between(NOW, NOW + 2),
                Arbitraries.longs().between(NOW - 1_000_000, NOW + 1_000_000));
        Arbitrary<Long> versions = Arbitraries.oneOf(
                Arbitraries.longs().between(1, 11),
                Arbitraries.longs().between((1L << 53) - 1, (1L << 53) + 2),
                Arbitraries.longs().between(999_999_999_998L, 1_000_000_000_001L),
                Arbitraries.longs().between(Long.MAX_VALUE - 3, Long.MAX_VALUE));
        return Combinators.combine(Arbitraries.of("metric:click:30s", "rollup:hourly:é%7B:"), ends, versions)
                .as((key, end, version) ->
                        new RollupCell(key, end, bytes("{\"window_end\":" + end + ",\"v\":" + version + "}"), version))
                .list()
                .ofMaxSize(16);
    }
}
