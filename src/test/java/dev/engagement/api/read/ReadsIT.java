package dev.engagement.api.read;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.sun.net.httpserver.HttpServer;
import dev.engagement.api.definition.InvalidParameterException;
import dev.engagement.api.testing.ShownValues;
import dev.engagement.connection.PostgresConnection;
import dev.engagement.connection.SecretRef;
import dev.engagement.event.Content;
import dev.engagement.event.Engagement;
import dev.engagement.event.EngagementEvent;
import dev.engagement.event.EnrichedEvent;
import dev.engagement.event.EventJson;
import dev.engagement.event.Position;
import dev.engagement.event.RollupRow;
import dev.engagement.event.Standings.Place;
import dev.engagement.liveview.EventCache;
import dev.engagement.liveview.LiveValue;
import dev.engagement.liveview.LiveValue.Board;
import dev.engagement.liveview.LiveViewKeys;
import dev.engagement.liveview.LiveViewOptions;
import dev.engagement.liveview.Tally;
import dev.engagement.local.PostgresServer;
import dev.engagement.local.testing.SharedServers;
import dev.engagement.rollup.definition.RollupDefinition;
import dev.engagement.rollup.definition.RollupDefinitions;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import redis.clients.jedis.Jedis;

/** {@link Reads} on a real PostgreSQL and Redis, with what the job writes into them. */
class ReadsIT {

    private static final LiveViewKeys KEYS = new LiveViewKeys("it:");
    private static final List<RollupDefinition> ROLLUPS = RollupDefinitions.shipped();

    /**
     * A third into the next minute, so that neither it nor a window of 30 s ends in a moment, and what Redis forgets by
     * its own clock is there for long enough.
     */
    private static final Duration INTO_THE_NEXT_MINUTE = Duration.ofSeconds(80);

    /** Of a machine that does something else, too. */
    private static final Duration TIMEOUT = Duration.ofSeconds(30);

    private static final long SECOND = 1_000;
    private static final long MINUTE = 60_000;
    private static final long HOUR = 3_600_000;

    private SharedServers servers;
    private PostgresServer server;
    private Jedis redis;
    private Connection tables;
    private ManualTime clock;
    private Instant now;
    private long nowMillis;
    private Reads reads;

    @BeforeEach
    void open() throws Exception {
        servers = SharedServers.lease(Path.of("target/it/api-reads"));
        server = servers.analytics();
        redis = servers.redis().connect();
        tables = server.connect(PostgresServer.ANALYTICS);
        for (RollupDefinition definition : ROLLUPS) {
            WrittenRollups.create(tables, definition);
        }
        now = Instant.now().truncatedTo(ChronoUnit.MINUTES).plus(INTO_THE_NEXT_MINUTE);
        nowMillis = now.toEpochMilli();
        clock = new ManualTime(now);
        reads = Reads.open(options(), clock);
    }

    @AfterEach
    void close() throws Exception {
        reads.close();
        tables.close();
        redis.close();
        servers.close();
    }

    private ReadOptions options() throws Exception {
        return options(
                database(server.jdbcUrl(), "postgres.password"),
                database(server.jdbcUrl(PostgresServer.ANALYTICS), "rollup.postgres.password"));
    }

    private ReadOptions options(@Nullable PostgresConnection source, @Nullable PostgresConnection rollupTables) {
        return options(PipelineOptions.NONE, source, rollupTables);
    }

    private ReadOptions options(
            PipelineOptions pipeline, @Nullable PostgresConnection source, @Nullable PostgresConnection rollupTables) {
        return new ReadOptions(
                liveView(),
                pipeline,
                source,
                ReadOptions.DEFAULT_SCHEMA,
                ReadOptions.DEFAULT_EVENTS_TABLE,
                rollupTables,
                null,
                ROLLUPS,
                ReadOptions.DEFAULT_REDIS_CONNECTIONS,
                ReadOptions.DEFAULT_POSTGRES_CONNECTIONS,
                TIMEOUT);
    }

    private LiveViewOptions liveView() {
        return new LiveViewOptions(URI.create(servers.redis().url()), SecretRef.none(), KEYS.prefix());
    }

    private PostgresConnection database(String url, String password) throws Exception {
        return new PostgresConnection(
                url, server.username(), SecretRef.inFile(password, servers.postgresPasswordFile()));
    }

    // -------------------------------------------------------------------------------------------------------- metrics

    @Test
    void realtime_and_history_say_what_the_live_view_and_the_table_say() throws Exception {
        RollupDefinition metrics = rollup("metrics_30s");
        long newest = nowMillis / 10_000 * 10_000;
        for (int i = 0; i < 40; i++) {
            for (String type : List.of("click", "play")) {
                RollupRow row = WrittenRollups.row(
                        metrics,
                        newest - i * 10 * SECOND,
                        List.of(type),
                        true,
                        Integer.toString(100 + i),
                        (i * 31) + "." + (i % 10) + "0",
                        Integer.toString(50 + i));
                show(WrittenRollups.cell(metrics, row));
                // A row is there once its window has ended.
                if (row.windowEndMillis() <= nowMillis) {
                    WrittenRollups.insert(tables, metrics, row);
                }
            }
        }

        ObjectNode realtime = body("realtime", "event_type", "click", "limit", "100");
        List<String> fromRedis = windows(realtime);
        List<String> fromSql = texts(METRICS_SQL);
        assertThat(fromRedis).hasSize(40);
        assertThat(fromRedis.subList(40 - fromSql.size(), 40)).isEqualTo(fromSql);
        assertThat(fromRedis.get(0)).isEqualTo(newest + " 100 0.00 50");
        assertSaysOfItself(realtime, now, 30_000L, true);
        assertThat(realtime.get("event_type").asText()).isEqualTo("click");
        assertThat(realtime.get("window_size").asText()).isEqualTo("30s");
        assertThat(windows(body("realtime", "event_type", "click"))).isEqualTo(fromRedis.subList(0, 10));

        List<String> pages = new ArrayList<>();
        String cursor = null;
        do {
            ObjectNode page = cursor == null
                    ? body("history", "event_type", "click", "limit", "7")
                    : body("history", "event_type", "click", "limit", "7", "cursor", cursor);
            assertThat(page.get("entries").size()).isBetween(1, 7);
            pages.addAll(windows(page));
            cursor = page.get("next_cursor").textValue();
        } while (cursor != null);
        assertThat(pages).isEqualTo(fromSql);
    }

    private static final String METRICS_SQL = "SELECT (extract(epoch FROM window_start) * 1000)::bigint || ' ' || count"
            + " || ' ' || total_value || ' ' || unique_users FROM metrics WHERE event_type = 'click'"
            + " ORDER BY window_start DESC";

    private static List<String> windows(ObjectNode body) {
        List<String> windows = new ArrayList<>();
        for (JsonNode entry : body.get("entries")) {
            assertThat(entry.size()).isEqualTo(4);
            windows.add(entry.get("window_start").longValue() + " "
                    + entry.get("count").longValue() + " "
                    + entry.get("total_value").decimalValue().toPlainString() + " "
                    + entry.get("unique_users").longValue());
        }
        return windows;
    }

    @Test
    void a_range_begins_with_its_start_and_ends_before_its_end() throws Exception {
        RollupDefinition metrics = rollup("metrics_30s");
        long start = nowMillis / 10_000 * 10_000 - HOUR;
        for (int i = 0; i < 6; i++) {
            WrittenRollups.insert(
                    tables,
                    metrics,
                    WrittenRollups.row(metrics, start + i * 10 * SECOND, List.of("click"), true, "1", "0", "1"));
        }

        ObjectNode body = body(
                "history",
                "event_type",
                "click",
                "start_time",
                Long.toString(start + 10 * SECOND),
                "end_time",
                Instant.ofEpochMilli(start + 30 * SECOND).toString());

        assertThat(windows(body)).containsExactly((start + 20 * SECOND) + " 1 0 1", (start + 10 * SECOND) + " 1 0 1");
        assertThat(body.get("next_cursor").isNull()).isTrue();
    }

    @Test
    void what_was_never_seen_is_no_entries_and_no_error() throws Exception {
        for (String operation : List.of("realtime", "history")) {
            assertThat(entries(body(operation, "event_type", "nobody"))).isEmpty();
            ObjectNode otherSize = body(operation, "event_type", "click", "window_size", "7h");
            assertThat(entries(otherSize)).isEmpty();
            assertSaysOfItself(otherSize, now, null, true);
        }
    }

    @Test
    void an_estimate_among_the_windows_is_said() throws Exception {
        RollupDefinition metrics = rollup("metrics_30s");
        long start = nowMillis / 10_000 * 10_000 - 10 * MINUTE;
        RollupRow estimated = WrittenRollups.row(metrics, start, List.of("click"), false, "9000", "1.5", "2210");
        show(WrittenRollups.cell(metrics, estimated));
        WrittenRollups.insert(tables, metrics, estimated);

        for (String operation : List.of("realtime", "history")) {
            ObjectNode body = body(operation, "event_type", "click");
            assertThat(entries(body)).hasSize(1);
            assertThat(body.get("exact").booleanValue()).isFalse();
            assertThat(body.get("error").decimalValue()).isEqualByComparingTo("0.016");
        }
    }

    @Test
    void an_answer_about_what_is_over_is_kept_for_a_minute_and_no_other() throws Exception {
        RollupDefinition metrics = rollup("metrics_30s");
        long start = nowMillis / 10_000 * 10_000 - 3 * HOUR;
        WrittenRollups.insert(
                tables, metrics, WrittenRollups.row(metrics, start, List.of("click"), true, "1", "0", "1"));
        String[] over = {"event_type", "click", "end_time", Long.toString(start + MINUTE)};
        String[] upToNow = {"event_type", "click"};

        assertThat(OpenReads.ask(reads, "history", over).maxAgeSeconds()).isEqualTo(60);
        assertThat(OpenReads.ask(reads, "history", upToNow).maxAgeSeconds()).isZero();
        execute("UPDATE metrics SET count = 2");

        assertThat(windows(body("history", upToNow))).containsExactly(start + " 2 0 1");
        clock.advance(Duration.ofSeconds(59));
        assertThat(windows(body("history", over))).containsExactly(start + " 1 0 1");
        assertThat(OpenReads.ask(reads, "history", over).maxAgeSeconds()).isEqualTo(1);
        clock.advance(Duration.ofSeconds(1));
        assertThat(windows(body("history", over))).containsExactly(start + " 2 0 1");
    }

    // ------------------------------------------------------------------------------------------- contents and boards

    @Test
    void leaderboards_have_scores_titles_and_the_time_that_they_speak_of() throws Exception {
        show(meta("a", "First <b>&", "video"));
        show(meta("b", "Second", "podcast"));
        long slideEnd = nowMillis - 2 * SECOND;
        show(new Board(Board.Kind.EVENTS, slideEnd, List.of(new Place("a", 9), new Place("b", 4), new Place("c", 2))));
        show(new Board(
                Board.Kind.ENGAGEMENT,
                slideEnd,
                List.of(new Place("b", 12_345), new Place("a", 7_000), new Place("c", 10))));

        ObjectNode events = body("leaderboard");
        assertThat(places(events)).containsExactly("1 a First <b>& video 9", "2 b Second podcast 4", "3 c null null 2");
        assertSaysOfItself(events, Instant.ofEpochMilli(slideEnd), 600_000L, true);
        assertThat(events.get("by").asText()).isEqualTo("events");
        assertThat(events.get("type").isNull()).isTrue();

        ObjectNode seconds = body("leaderboard", "by", "seconds", "limit", "2");
        assertThat(places(seconds)).containsExactly("1 b Second podcast 12.345", "2 a First <b>& video 7");

        assertThat(places(body("leaderboard", "by", "trending"))).isEmpty();
    }

    @Test
    void places_of_a_type_are_counted_among_that_type() throws Exception {
        show(meta("a", "A", "video"));
        show(meta("b", "B", "podcast"));
        show(meta("c", "C", "video"));
        boardByHand(nowMillis - MINUTE, "c", "b", "a");
        body("leaderboard");
        boardByHand(nowMillis, "a", "b", "c");

        ObjectNode body = body("leaderboard", "type", "video");

        assertThat(places(body)).containsExactly("1 a A video 3", "2 c C video 1");
        assertThat(changes(body, "change_minute")).containsExactly("1", "-1");
        assertThat(body.get("type").asText()).isEqualTo("video");
        assertThat(places(body("leaderboard", "type", "newsletter"))).isEmpty();
    }

    @Test
    void movement_is_null_for_who_was_not_there_and_left_out_while_nobody_knows() throws Exception {
        boardByHand(nowMillis - HOUR, "a", "b", "c");
        assertThat(changes(body("leaderboard"), "change_hour"))
                .as("nothing is known of the time before")
                .containsOnly("unknown");

        boardByHand(nowMillis - MINUTE, "b", "c", "a");
        body("leaderboard");
        boardByHand(nowMillis, "c", "a", "new");

        ObjectNode body = body("leaderboard");
        assertThat(changes(body, "change_minute")).containsExactly("1", "1", "null");
        assertThat(changes(body, "change_hour")).containsExactly("2", "-1", "null");
        assertThat(changes(body("leaderboard", "by", "seconds"), "change_minute"))
                .isEmpty();
    }

    /** As the job would have left it then: scripts of now do not write what was. */
    private void boardByHand(long slideEnd, String... contentIds) {
        redis.del(KEYS.topByEvents());
        for (int i = 0; i < contentIds.length; i++) {
            redis.zadd(KEYS.topByEvents(), contentIds.length - i, contentIds[i]);
        }
        redis.set(KEYS.boardVersion(KEYS.topByEvents()), Long.toString(slideEnd));
    }

    private static List<String> places(ObjectNode body) {
        List<String> places = new ArrayList<>();
        for (JsonNode place : body.get("places")) {
            places.add(
                    place.get("place").asInt() + " " + place.get("content_id").asText() + " "
                            + place.get("title").asText() + " "
                            + place.get("content_type").asText() + " "
                            + place.get("score").decimalValue().toPlainString());
        }
        return places;
    }

    private static List<String> changes(ObjectNode body, String name) {
        List<String> changes = new ArrayList<>();
        for (JsonNode place : body.get("places")) {
            changes.add(place.has(name) ? place.get(name).toString() : "unknown");
        }
        return changes;
    }

    @Test
    void trending_is_what_is_above_its_own_usual() throws Exception {
        trendingMinutes();

        ObjectNode body = trendingAsOthersSeeIt();

        // 300 events in ten minutes, and one a minute before them.
        assertThat(places(body)).containsExactly("1 risen null null 30.00");
        assertThat(body.get("places").get(0).get("usual").decimalValue()).isEqualByComparingTo("10");
        long endOfMinute = nowMillis / MINUTE * MINUTE;
        assertSaysOfItself(body, Instant.ofEpochMilli(endOfMinute), 600_000L, true);
    }

    @Test
    void what_is_as_big_as_at_the_same_time_yesterday_is_not_trending() throws Exception {
        trendingMinutes();
        RollupDefinition plays = rollup("content_views");
        long window = plays.windowMillis();
        long end = (nowMillis - MINUTE) / window * window;
        for (int i = 1; i <= 5; i++) {
            WrittenRollups.insert(
                    tables, plays, WrittenRollups.row(plays, end - i * window, List.of("risen"), true, "10"));
            // Half of the plays then, which makes half of the events.
            WrittenRollups.insert(
                    tables,
                    plays,
                    WrittenRollups.row(plays, end - i * window - 24 * HOUR, List.of("risen"), true, "5"));
        }
        JsonNode place = trendingAsOthersSeeIt().get("places").get(0);
        assertThat(place.get("usual").decimalValue()).isEqualByComparingTo("150");
        assertThat(place.get("score").decimalValue()).isEqualByComparingTo("2");

        execute("UPDATE content_view_window SET view_count = 10 WHERE window_start < now() - interval '12 hours'");
        assertThat(places(trendingAsOthersSeeIt())).isEmpty();
    }

    /** Of another process, which has not looked before. */
    private ObjectNode trendingAsOthersSeeIt() throws Exception {
        try (Reads others = Reads.open(options(), clock)) {
            return OpenReads.ask(others, "leaderboard", "by", "trending").body();
        }
    }

    private void trendingMinutes() {
        long current = nowMillis / MINUTE;
        for (int back = 1; back <= ContentMinutes.SHOWN; back++) {
            redis.zadd(KEYS.bucket(current - back), 100, "steady");
            redis.zadd(KEYS.bucket(current - back), back <= Trending.NOW ? 30 : 1, "risen");
            redis.zadd(KEYS.bucket(current - back), back == 1 ? 9 : 0, "too few");
        }
    }

    @Test
    void a_content_is_all_that_the_live_view_has_of_it() throws Exception {
        String id = "0b5b3d6c-6f0c-4c8a-9d0e-6a3f1f6f0a11";
        EnrichedEvent last = enriched(4_711, id, nowMillis * 1_000 - 3_000_000, "{\"value\": 4.50}");
        show(new LiveValue.Meta(last.content(), 7));
        show(new LiveValue.Last(last));
        long minute = nowMillis / MINUTE;
        show(Tally.of(id, 12_345, new long[] {minute - 2, minute}, new long[] {17, 9}));
        RollupDefinition audience = rollup("audience");
        long firstOpenEnd = nowMillis / 30_000 * 30_000 + 30_000;
        for (int i = -2; i <= 2; i++) {
            RollupRow row = WrittenRollups.row(
                    audience,
                    firstOpenEnd + i * 30_000L - audience.windowMillis(),
                    List.of(id),
                    true,
                    Integer.toString(50 + i),
                    "12.5");
            show(WrittenRollups.cell(audience, row));
        }
        RollupDefinition completion = rollup("completion");
        long hour = nowMillis / HOUR * HOUR;
        show(WrittenRollups.cell(
                completion, WrittenRollups.row(completion, hour, List.of(id), false, "30", "18", "12", "9", "6")));

        ObjectNode body = body("content", "id", id);

        assertThat(body.get("content_id").asText()).isEqualTo(id);
        assertThat(body.get("slug").asText()).isEqualTo("slug-" + id);
        assertThat(body.get("title").asText()).isEqualTo("Title");
        assertThat(body.get("content_type").asText()).isEqualTo("video");
        assertThat(body.get("length_seconds").intValue()).isEqualTo(1_800);
        assertThat(body.get("publish_ts").asText()).isEqualTo("2026-01-08T09:00:00.000000Z");
        assertThat(body.get("last_event").toString())
                .isEqualTo(AnswerJson.value(new String(EventJson.enriched(last), StandardCharsets.UTF_8))
                        .toString());
        assertThat(body.get("count").longValue()).isEqualTo(12_345);
        assertThat(body.get("audience").toString())
                .isEqualTo("{\"window_start\":" + (firstOpenEnd - 300_000) + ",\"window_end\":" + firstOpenEnd
                        + ",\"active_users\":50,\"seconds\":12.5,\"unique_users_exact\":true}");
        assertThat(body.get("minutes").toString())
                .isEqualTo("[{\"minute\":" + (minute - 2) * MINUTE + ",\"count\":17},{\"minute\":" + minute * MINUTE
                        + ",\"count\":9}]");
        assertThat(body.get("completion").toString())
                .isEqualTo("{\"window_start\":" + hour + ",\"window_end\":" + (hour + HOUR)
                        + ",\"started\":30,\"reached_25\":18,\"reached_50\":12,\"reached_75\":9,\"finished\":6,"
                        + "\"unique_users_exact\":false}");
        assertSaysOfItself(body, now, null, false);
    }

    @Test
    void a_content_of_which_little_is_known_has_null_for_the_rest_and_an_unknown_one_is_not_found() throws Exception {
        show(meta("quiet", "Quiet", "video"));

        ObjectNode body = body("content", "id", "quiet");

        assertThat(body.get("title").asText()).isEqualTo("Quiet");
        for (String nothing : List.of("last_event", "count", "audience", "completion")) {
            assertThat(body.get(nothing).isNull()).as(nothing).isTrue();
        }
        assertThat(body.get("minutes").size()).isZero();
        assertThatThrownBy(() -> body("content", "id", "nobody")).isInstanceOf(NotFoundException.class);
    }

    @Test
    void minutes_that_redis_shows_no_more_are_remembered_for_an_hour() throws Exception {
        show(meta("a", "A", "video"));
        long minute = nowMillis / MINUTE;
        redis.zadd(KEYS.bucket(minute), 5, "a");
        // Whoever looked before looks again.
        clock.advance(Duration.ofSeconds(30));
        body("leaderboard", "by", "trending");
        redis.del(KEYS.bucket(minute));
        clock.advance(Duration.ofMinutes(30));

        assertThat(body("content", "id", "a").get("minutes").toString())
                .isEqualTo("[{\"minute\":" + minute * MINUTE + ",\"count\":5}]");
        clock.advance(Duration.ofMinutes(31));
        assertThat(body("content", "id", "a").get("minutes").size()).isZero();
    }

    // -------------------------------------------------------------------------------------------------------- events

    @Test
    void an_event_is_what_the_job_delivers() throws Exception {
        EnrichedEvent enriched = enriched(4_711, "c", nowMillis * 1_000, "{\"value\": 4.50, \"n\": [1, null]}");
        new ShownValues(redis, KEYS).evaluate(EventCache.write(enriched, KEYS, System.currentTimeMillis()));

        ObjectNode body = body("event", "id", "4711");

        JsonNode delivered = AnswerJson.value(new String(EventJson.enriched(enriched), StandardCharsets.UTF_8));
        delivered.fieldNames().forEachRemaining(name -> assertThat(
                        body.get(name).toString())
                .as(name)
                .isEqualTo(delivered.get(name).toString()));
        assertSaysOfItself(body, now, null, true);
        assertThatThrownBy(() -> body("event", "id", "4712")).isInstanceOf(NotFoundException.class);
        assertThatThrownBy(() -> body("event", "id", "4712", "fallback", "warehouse"))
                .isInstanceOf(InvalidParameterException.class)
                .hasMessageContaining("warehouse.project");
    }

    @Test
    void a_number_that_would_have_a_million_digits_stays_a_text() throws Exception {
        redis.hset(KEYS.event(1), "content_id", "c");
        redis.hset(KEYS.event(1), "event_ts", "2026-01-08T09:00:00.000000Z");
        redis.hset(KEYS.event(1), "raw_payload", "{\"value\": 1e999999, \"other\": [2.50]}");

        assertThat(body("event", "id", "1").get("raw_payload").toString())
                .isEqualTo("{\"value\":\"1E+999999\",\"other\":[2.50]}");
        redis.hset(KEYS.event(1), "raw_payload", "{\"value\": ");
        assertThat(body("event", "id", "1").get("raw_payload").isNull()).isTrue();
    }

    // -------------------------------------------------------------------------------------------------------- rollups

    @Test
    void every_rollup_of_the_configuration_is_named() throws Exception {
        ObjectNode body = body("rollups");

        assertThat(body.get("rollups").findValuesAsText("name"))
                .containsExactlyElementsOf(
                        ROLLUPS.stream().map(RollupDefinition::name).toList());
        assertThat(body.get("rollups").get(6).toString())
                .isEqualTo("{\"name\":\"hourly\",\"table\":\"engagement_hourly\",\"by\":[\"content_type\",\"device\"],"
                        + "\"window_size\":\"1h\",\"window_ms\":3600000,\"slide_ms\":3600000,"
                        + "\"measures\":[\"count\",\"seconds\",\"unique_users\"],\"live\":true}");
    }

    @Test
    void all_keys_of_a_rollup_come_page_by_page_as_the_table_has_them() throws Exception {
        RollupDefinition hourly = rollup("hourly");
        long hour = nowMillis / HOUR * HOUR;
        for (int back = 1; back <= 3; back++) {
            for (String type : List.of("video", "podcast", "Ärger", "")) {
                for (String device : List.of("web", "it's \"x\"; DROP TABLE metrics; --", "a:b%c")) {
                    WrittenRollups.insert(
                            tables,
                            hourly,
                            WrittenRollups.row(
                                    hourly, hour - back * HOUR, List.of(type, device), true, "3", "1.250", "2"));
                }
            }
        }
        List<String> fromSql = texts("SELECT (extract(epoch FROM window_start) * 1000)::bigint || '|' || content_type"
                + " || '|' || device || '|' || count || '|' || seconds || '|' || unique_users FROM engagement_hourly"
                + " ORDER BY window_start DESC, content_type COLLATE \"C\", device COLLATE \"C\"");

        List<String> pages = new ArrayList<>();
        String cursor = null;
        do {
            ObjectNode page = cursor == null
                    ? body("rollup", "name", "hourly", "limit", "5")
                    : body("rollup", "name", "hourly", "limit", "5", "cursor", cursor);
            page.get("entries").forEach(entry -> pages.add(hourly(entry)));
            cursor = page.get("next_cursor").textValue();
        } while (cursor != null);

        assertThat(pages).hasSize(36).isEqualTo(fromSql);
        ObjectNode oneKey = body(
                "rollup",
                "name",
                "hourly",
                "key",
                "video:a%3Ab%25c",
                "start_time",
                Long.toString(hour - 2 * HOUR),
                "end_time",
                Long.toString(hour));
        assertThat(entries(oneKey).stream().map(ReadsIT::hourly).toList())
                .hasSize(2)
                .allMatch(each -> each.contains("|a:b%c|"));
        assertSaysOfItself(oneKey, now, HOUR, true);
    }

    private static String hourly(JsonNode entry) {
        assertThat(entry.get("window_end").longValue())
                .isEqualTo(entry.get("window_start").longValue() + HOUR);
        return entry.get("window_start").longValue() + "|"
                + entry.get("content_type").asText() + "|"
                + entry.get("device").asText() + "|" + entry.get("count").longValue() + "|"
                + entry.get("seconds").decimalValue().toPlainString() + "|"
                + entry.get("unique_users").longValue();
    }

    @Test
    void one_key_without_a_range_begins_in_the_live_view_and_goes_on_in_the_table() throws Exception {
        RollupDefinition audience = rollup("audience");
        long open = nowMillis / 30_000 * 30_000;
        List<String> expected = new ArrayList<>();
        for (int i = 0; i < 8; i++) {
            long start = open - i * 30 * SECOND;
            RollupRow row = WrittenRollups.row(audience, start, List.of("c:1"), true, Integer.toString(i), i + ".0");
            if (i < 5) {
                show(WrittenRollups.cell(audience, row));
            } else {
                // As if the hour were over for which Redis shows it.
                RollupRow old =
                        WrittenRollups.row(audience, start - HOUR, List.of("c:1"), true, Integer.toString(i), i + ".0");
                WrittenRollups.insert(tables, audience, old);
            }
            expected.add(Integer.toString(i));
        }

        List<String> pages = new ArrayList<>();
        String cursor = null;
        do {
            ObjectNode page = cursor == null
                    ? body("rollup", "name", "audience", "key", "c%3A1", "limit", "3")
                    : body("rollup", "name", "audience", "key", "c%3A1", "limit", "3", "cursor", cursor);
            page.get("entries")
                    .forEach(entry -> pages.add(entry.get("active_users").asText()));
            cursor = page.get("next_cursor").textValue();
        } while (cursor != null);

        assertThat(pages).isEqualTo(expected);
    }

    @Test
    void an_unknown_rollup_is_not_found() {
        assertThatThrownBy(() -> body("rollup", "name", "metrics\"; DROP TABLE metrics"))
                .isInstanceOf(NotFoundException.class)
                .hasMessageContaining("metrics_30s");
    }

    // -------------------------------------------------------------------------------------------------------- hostile

    @ParameterizedTest
    @ValueSource(
            strings = {
                "click' OR '1'='1",
                "click'; DROP TABLE metrics; --",
                "\" OR 1=1 --",
                "*",
                "click:30s",
                "../../etc/passwd",
                "{click}",
                "%00",
                "<script>alert(1)</script>",
                "\uD83D\uDE00"
            })
    void no_parameter_reaches_more_than_its_own_value(String hostile) throws Exception {
        RollupDefinition metrics = rollup("metrics_30s");
        long start = nowMillis / 10_000 * 10_000 - 10 * MINUTE;
        RollupRow row = WrittenRollups.row(metrics, start, List.of("click"), true, "1", "0", "1");
        show(WrittenRollups.cell(metrics, row));
        WrittenRollups.insert(tables, metrics, row);
        show(meta("click", "Click", "video"));

        assertThat(entries(body("realtime", "event_type", hostile))).isEmpty();
        assertThat(entries(body("history", "event_type", hostile))).isEmpty();
        assertThat(places(body("leaderboard", "type", hostile))).isEmpty();
        assertThatThrownBy(() -> body("content", "id", hostile)).isInstanceOf(NotFoundException.class);
        assertThatThrownBy(() -> body("rollup", "name", hostile)).isInstanceOf(NotFoundException.class);
        assertThatThrownBy(() -> body("rollup", "name", "hourly", "cursor", hostile))
                .isInstanceOf(InvalidParameterException.class);
        assertThatThrownBy(() -> body("history", "event_type", "click", "cursor", hostile))
                .isInstanceOf(InvalidParameterException.class);
        assertThatThrownBy(() -> body("rollup", "name", "hourly", "key", hostile + ":%zz"))
                .isInstanceOf(InvalidParameterException.class);
        assertThat(texts("SELECT count(*)::text FROM metrics")).containsExactly("1");
    }

    @Test
    void a_window_of_somebody_else_is_passed_over() throws Exception {
        RollupDefinition metrics = rollup("metrics_30s");
        long start = nowMillis / 10_000 * 10_000;
        String set = KEYS.prefix() + "metric:click:30s";
        show(WrittenRollups.cell(metrics, WrittenRollups.row(metrics, start, List.of("click"), true, "1", "0", "1")));
        redis.zadd(set, start + 90_000, "no json");
        redis.zadd(set, start + 91_000, "[1]");
        redis.zadd(set, start + 92_000, "{\"window_start\":\"x\"}");

        assertThat(windows(body("realtime", "event_type", "click"))).containsExactly(start + " 1 0 1");
    }

    @Test
    void what_is_read_is_never_written() throws Exception {
        try (PostgresStore store = new PostgresStore(
                database(server.jdbcUrl(PostgresServer.ANALYTICS), "rollup.postgres.password"), "test", 1, TIMEOUT)) {
            assertThatThrownBy(() -> store.query("DELETE FROM metrics RETURNING 1", List.of(), row -> row.getInt(1)))
                    .isInstanceOf(UnavailableException.class)
                    .hasMessageContaining("read-only");
        }
    }

    // ------------------------------------------------------------------------------------------------- the pipeline

    @Test
    void stats_count_what_is_committed_behind_what_shows() throws Exception {
        UUID content = content();
        long first = commit(content, nowMillis - 3 * SECOND);
        commit(content, nowMillis - 2 * SECOND);
        commit(content, nowMillis - SECOND);

        assertThat(body("stats").get("lag").longValue()).isEqualTo(3);
        show(new LiveValue.Last(enriched(first, content.toString(), (nowMillis - 3 * SECOND) * 1_000, null)));
        assertThat(body("stats").get("lag").longValue()).as("kept for a second").isEqualTo(3);
        clock.advance(Duration.ofSeconds(1));

        ObjectNode body = body("stats");
        assertThat(body.get("lag").longValue()).isEqualTo(2);
        for (String notKnownHere : List.of("dead_letters", "circuit", "last_audit")) {
            assertThat(body.get(notKnownHere).isNull()).as(notKnownHere).isTrue();
        }
        assertSaysOfItself(body, clock.instant(), null, true);
    }

    @Test
    void freshness_is_what_it_took_at_most_and_grows_while_nothing_shows() throws Exception {
        UUID content = content();
        try (RedisStore store = new RedisStore(liveView(), 2, TIMEOUT);
                PostgresStore source =
                        new PostgresStore(database(server.jdbcUrl(), "postgres.password"), "test", 1, TIMEOUT)) {
            Freshness freshness = new Freshness(store, KEYS, source, "public", "engagement_events");
            freshness.look(0);
            assertThat(freshness.millis(0)).as("there is no event").isNull();

            long first = commit(content, nowMillis);
            freshness.look(1_000);
            assertThat(freshness.millis(1_500)).as("since the look before").isEqualTo(1_500);
            show(new LiveValue.Last(enriched(first, content.toString(), nowMillis * 1_000, null)));
            freshness.look(2_500);
            assertThat(freshness.millis(60_000)).isEqualTo(2_500);

            long second = commit(content, nowMillis + SECOND);
            show(new LiveValue.Last(enriched(second, content.toString(), (nowMillis + SECOND) * 1_000, null)));
            freshness.look(3_000);
            assertThat(freshness.millis(60_000)).isEqualTo(500);

            // A dead letter: it never shows, and is waited for until a newer one does.
            commit(content(), nowMillis);
            freshness.look(4_000);
            assertThat(freshness.millis(9_000)).isEqualTo(6_000);
            long last = commit(content, nowMillis + 2 * SECOND);
            show(new LiveValue.Last(enriched(last, content.toString(), (nowMillis + 2 * SECOND) * 1_000, null)));
            freshness.look(10_000);
            assertThat(freshness.millis(60_000)).isEqualTo(500);
        }
    }

    @Test
    void freshness_goes_by_when_an_event_happened_where_that_can_be() throws Exception {
        UUID content = content();
        try (RedisStore store = new RedisStore(liveView(), 2, TIMEOUT);
                PostgresStore source =
                        new PostgresStore(database(server.jdbcUrl(), "postgres.password"), "test", 1, TIMEOUT)) {
            Freshness freshness = new Freshness(store, KEYS, source, "public", "engagement_events");
            freshness.look(nowMillis);
            assertThat(freshness.nextLookMillis(nowMillis)).isEqualTo(1_000);

            long first = commit(content, nowMillis + 900);
            freshness.look(nowMillis + SECOND);
            assertThat(freshness.nextLookMillis(nowMillis + SECOND))
                    .as("it is waited for")
                    .isEqualTo(100);
            show(new LiveValue.Last(enriched(first, content.toString(), (nowMillis + 900) * 1_000, null)));
            freshness.look(nowMillis + SECOND + 100);
            assertThat(freshness.millis(nowMillis + MINUTE)).isEqualTo(200);

            // Dated ahead: nobody can say when it was committed but by looking.
            long second = commit(content, nowMillis + MINUTE);
            show(new LiveValue.Last(enriched(second, content.toString(), (nowMillis + MINUTE) * 1_000, null)));
            freshness.look(nowMillis + 2 * SECOND);
            assertThat(freshness.millis(nowMillis + MINUTE)).isEqualTo(900);

            commit(content(), nowMillis + 2 * SECOND);
            freshness.look(nowMillis + 3 * SECOND);
            assertThat(freshness.nextLookMillis(nowMillis + 8 * SECOND))
                    .as("it may never show")
                    .isEqualTo(1_000);
        }
    }

    @Test
    void stats_tell_what_flink_and_the_last_audit_tell() throws Exception {
        HttpServer flink = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        String id = "0".repeat(32);
        Map<String, String> answers = Map.of(
                "/jobs/overview",
                "{\"jobs\":[{\"jid\":\"" + id + "\",\"state\":\"RUNNING\"}]}",
                "/jobs/" + id,
                "{\"vertices\":[{\"id\":\"" + id + "\"}]}",
                "/jobs/" + id + "/vertices/" + id + "/subtasks/metrics",
                "[{\"id\":\"w.reason.INVALID.letters\",\"sum\":2.0},{\"id\":\"d.circuitState\",\"max\":0.0}]");
        flink.createContext("/", exchange -> {
            byte[] body = String.valueOf(answers.get(exchange.getRequestURI().getPath()))
                    .getBytes(StandardCharsets.UTF_8);
            exchange.sendResponseHeaders(200, body.length);
            exchange.getResponseBody().write(body);
            exchange.close();
        });
        flink.start();
        Path report = Files.writeString(
                Files.createTempFile("audit", ".json"), "{\"equal\":true,\"destinations\":[],\"notes\":[]}");
        PipelineOptions pipeline = new PipelineOptions(
                URI.create("http://127.0.0.1:" + flink.getAddress().getPort()), report);
        try (Reads told = Reads.open(options(pipeline, null, null), clock)) {
            await().untilAsserted(() -> {
                clock.advance(Duration.ofSeconds(1));
                ObjectNode body = OpenReads.ask(told, "stats").body();
                assertThat(body.get("dead_letters").toString()).isEqualTo("{\"INVALID\":2}");
                assertThat(body.get("circuit").textValue()).isEqualTo("closed");
                assertThat(body.get("last_audit").get("differences").longValue())
                        .isZero();
                assertThat(Instant.parse(body.get("last_audit").get("at").textValue()))
                        .isEqualTo(Files.getLastModifiedTime(report).toInstant());
            });
        } finally {
            flink.stop(0);
            Files.delete(report);
        }
    }

    @Test
    void without_a_source_what_is_shown_is_as_old_as_the_newest_leaderboard() throws Exception {
        show(new Board(Board.Kind.EVENTS, nowMillis - 2 * SECOND, List.of(new Place("a", 9))));
        try (Reads without = Reads.open(options(null, null), clock)) {
            ObjectNode body = OpenReads.ask(without, "stats").body();
            assertThat(body.get("freshness_ms").longValue()).isEqualTo(2_000);
            assertThat(body.get("lag").isNull()).isTrue();
            assertThatThrownBy(() -> OpenReads.ask(without, "history", "event_type", "click"))
                    .isInstanceOfSatisfying(UnavailableException.class, e -> assertThat(e.store())
                            .isEqualTo("PostgreSQL"))
                    .hasMessageContaining("rollup.postgres.url");
            assertThat(without.health()).isEqualTo(new Health(true, true, null));
        }
        assertThat(reads.health()).isEqualTo(new Health(true, true, null));
    }

    @Test
    void a_table_that_is_not_there_yet_is_no_store_that_is_away() throws Exception {
        execute("ALTER TABLE category_revenue_window RENAME TO not_made_yet");
        try {
            assertThatThrownBy(() -> body("rollup", "name", "category_revenue"))
                    .isInstanceOfSatisfying(UnavailableException.class, e -> assertThat(e.saying())
                            .isEqualTo(
                                    "PostgreSQL has not got that table yet; the job makes those of the rollups when it"
                                            + " starts"));
            assertThat(reads.health()).isEqualTo(new Health(true, true, null));
        } finally {
            execute("ALTER TABLE not_made_yet RENAME TO category_revenue_window");
        }
    }

    // ------------------------------------------------------------------------------------------------------ helpers

    private ObjectNode body(String operation, String... given) throws Exception {
        return OpenReads.ask(reads, operation, given).body();
    }

    private static List<JsonNode> entries(ObjectNode body) {
        List<JsonNode> entries = new ArrayList<>();
        body.get("entries").forEach(entries::add);
        return entries;
    }

    private static void assertSaysOfItself(ObjectNode body, Instant asOf, @Nullable Long window, boolean exact) {
        assertThat(Instant.parse(body.get("as_of").asText())).isEqualTo(asOf);
        assertThat(
                        body.get("window").isNull()
                                ? null
                                : (Long) body.get("window").longValue())
                .isEqualTo(window);
        assertThat(body.get("exact").booleanValue()).isEqualTo(exact);
        assertThat(body.get("error").isNull()).isEqualTo(exact);
    }

    private static RollupDefinition rollup(String name) {
        return ROLLUPS.stream()
                .filter(rollup -> rollup.name().equals(name))
                .findFirst()
                .orElseThrow();
    }

    private void show(LiveValue value) {
        new ShownValues(redis, KEYS).show(value);
    }

    private static LiveValue.Meta meta(String id, String title, String type) {
        return new LiveValue.Meta(new Content(id, "slug-" + id, title, type, null, null), 1);
    }

    private static EnrichedEvent enriched(long id, String contentId, long eventTsMicros, @Nullable String rawPayload) {
        EngagementEvent event = new EngagementEvent(
                id,
                contentId,
                "user",
                "play",
                eventTsMicros,
                45_000,
                "ios",
                rawPayload,
                false,
                eventTsMicros / 1_000,
                new Position(0, id, System.currentTimeMillis()));
        Content content = new Content(contentId, "slug-" + contentId, "Title", "video", 1_800, 1_767_862_800_000_000L);
        return new EnrichedEvent(event, content, new Engagement(45_000, 250, (byte) 2));
    }

    private UUID content() throws SQLException {
        UUID id = UUID.randomUUID();
        servers.sql("INSERT INTO content VALUES ('" + id + "', '" + id + "', 'Title', 'video', 1800, now())");
        return id;
    }

    /** The id of an event that is committed to the source. */
    private long commit(UUID content, long eventTsMillis) throws SQLException {
        try (Connection source = server.connect();
                Statement statement = source.createStatement();
                ResultSet id = statement.executeQuery(
                        "INSERT INTO engagement_events (content_id, event_type, event_ts) VALUES ('" + content
                                + "', 'play', '" + Instant.ofEpochMilli(eventTsMillis) + "') RETURNING id")) {
            id.next();
            return id.getLong(1);
        }
    }

    private void execute(String sql) throws SQLException {
        try (Statement statement = tables.createStatement()) {
            statement.execute(sql);
        }
    }

    private List<String> texts(String sql) throws SQLException {
        List<String> texts = new ArrayList<>();
        try (Statement statement = tables.createStatement();
                ResultSet rows = statement.executeQuery(sql)) {
            while (rows.next()) {
                texts.add(rows.getString(1));
            }
        }
        return texts;
    }
}
