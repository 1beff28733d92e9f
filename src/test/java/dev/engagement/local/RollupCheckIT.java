package dev.engagement.local;

import static org.assertj.core.api.Assertions.assertThat;

import dev.engagement.local.DestinationCheck.Comparison;
import dev.engagement.local.testing.SharedServers;
import java.io.IOException;
import java.math.BigDecimal;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;
import java.util.function.BiConsumer;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import redis.clients.jedis.Jedis;

/** The self-check must not be satisfied with less: rollups counted by hand pass, and no tampered ones do. */
class RollupCheckIT {

    private static final Path DIRECTORY = Path.of("target/it/rollup-check");

    /** The newest event: five seconds behind a moment at which windows of any length may end. */
    private static final Instant NEWEST =
            Instant.ofEpochSecond(Instant.now().getEpochSecond() / 10 * 10).minusSeconds(5);
    /** What event time has passed. */
    private static final Instant CLOSED = NEWEST.minusSeconds(2);

    private static final int CROWD = 1_500;

    private record Content(UUID id, String type, @Nullable Integer lengthSeconds) {}

    /** An event, with what its payload is worth by hand. */
    private record Event(
            Content content,
            @Nullable UUID user,
            String type,
            Instant at,
            @Nullable Integer durationMs,
            @Nullable String device,
            @Nullable String payload,
            @Nullable String value,
            @Nullable String price) {

        boolean reached(int percent) {
            return durationMs != null
                    && content.lengthSeconds != null
                    && durationMs / 1_000.0 / content.lengthSeconds >= percent / 100.0;
        }
    }

    /** A rollup by hand: its numbers of the events of a cell, {@code skipped} last. */
    private record Rollup(
            String name,
            String table,
            Duration window,
            Duration slide,
            List<String> key,
            Predicate<Event> where,
            Function<Event, List<String>> keyOf,
            BiConsumer<List<Event>, Map<String, Object>> numbers) {

        boolean isMetric() {
            return name.equals("metrics_30s");
        }

        String set(Map<String, Object> row) {
            String parts = key.stream().map(part -> row.get(part).toString()).collect(Collectors.joining(":"));
            return isMetric() ? "metric:" + parts + ":30s" : "rollup:" + name + ":" + parts;
        }
    }

    private static final List<Rollup> ROLLUPS = List.of(
            new Rollup(
                    "metrics_30s",
                    "metrics",
                    Duration.ofSeconds(30),
                    Duration.ofSeconds(10),
                    List.of("event_type"),
                    any -> true,
                    event -> List.of(event.type),
                    (events, row) -> {
                        row.put("count", (long) events.size());
                        row.put("total_value", sum(events, Event::value));
                        row.put("unique_users", users(events, any -> true));
                        row.put("unique_users_exact", true);
                        row.put("skipped", skipped(events, Event::value));
                    }),
            new Rollup(
                    "content_views",
                    "content_view_window",
                    Duration.ofMinutes(2),
                    Duration.ofMinutes(2),
                    List.of("content_id"),
                    event -> event.type.equals("play"),
                    RollupCheckIT::content,
                    (events, row) -> {
                        row.put("view_count", (long) events.size());
                        row.put("skipped", 0L);
                    }),
            new Rollup(
                    "category_activity",
                    "category_activity_window",
                    Duration.ofMinutes(2),
                    Duration.ofMinutes(2),
                    List.of("category"),
                    any -> true,
                    event -> List.of(event.content.type),
                    (events, row) -> {
                        row.put("event_count", (long) events.size());
                        row.put("skipped", 0L);
                    }),
            new Rollup(
                    "category_revenue",
                    "category_revenue_window",
                    Duration.ofMinutes(2),
                    Duration.ofMinutes(2),
                    List.of("category"),
                    any -> true,
                    event -> List.of(event.content.type),
                    (events, row) -> {
                        row.put("total_revenue", sum(events, Event::price));
                        row.put("skipped", skipped(events, Event::price));
                    }),
            new Rollup(
                    "audience",
                    "content_audience",
                    Duration.ofMinutes(5),
                    Duration.ofSeconds(30),
                    List.of("content_id"),
                    any -> true,
                    RollupCheckIT::content,
                    (events, row) -> {
                        row.put("active_users", users(events, any -> true));
                        row.put("seconds", seconds(events));
                        row.put("unique_users_exact", true);
                        row.put("skipped", 0L);
                    }),
            new Rollup(
                    "completion",
                    "content_completion",
                    Duration.ofHours(1),
                    Duration.ofHours(1),
                    List.of("content_id"),
                    any -> true,
                    RollupCheckIT::content,
                    (events, row) -> {
                        row.put("started", users(events, event -> event.type.equals("play")));
                        row.put("reached_25", users(events, event -> event.reached(25)));
                        row.put("reached_50", users(events, event -> event.reached(50)));
                        row.put("reached_75", users(events, event -> event.reached(75)));
                        row.put("finished", users(events, event -> event.type.equals("finish")));
                        row.put("unique_users_exact", true);
                        row.put("skipped", 0L);
                    }),
            new Rollup(
                    "hourly",
                    "engagement_hourly",
                    Duration.ofHours(1),
                    Duration.ofHours(1),
                    List.of("content_type", "device"),
                    any -> true,
                    event -> List.of(event.content.type, event.device == null ? "" : event.device),
                    (events, row) -> {
                        row.put("count", (long) events.size());
                        row.put("seconds", seconds(events));
                        row.put("unique_users", users(events, any -> true));
                        row.put("unique_users_exact", true);
                        row.put("skipped", 0L);
                    }));

    private static List<String> content(Event event) {
        return List.of(event.content.id.toString());
    }

    private static BigDecimal sum(List<Event> events, Function<Event, @Nullable String> field) {
        BigDecimal sum = BigDecimal.ZERO;
        for (Event event : events) {
            String number = field.apply(event);
            sum = number == null ? sum : sum.add(new BigDecimal(number));
        }
        return sum;
    }

    private static long skipped(List<Event> events, Function<Event, @Nullable String> field) {
        return events.stream().filter(event -> field.apply(event) == null).count();
    }

    private static long users(List<Event> events, Predicate<Event> which) {
        Set<UUID> users = new HashSet<>();
        events.stream().filter(which).filter(event -> event.user != null).forEach(event -> users.add(event.user));
        return users.size();
    }

    private static BigDecimal seconds(List<Event> events) {
        return BigDecimal.valueOf(
                events.stream()
                        .mapToLong(event -> event.durationMs == null ? 0 : event.durationMs)
                        .sum(),
                3);
    }

    private static final List<Content> CONTENTS = new ArrayList<>();
    private static final List<Event> EVENTS = new ArrayList<>();
    private static SharedServers servers;
    private static PostgresServer postgres;
    private static RedisServer redis;

    /** What each table holds, by its name; tests spoil it. */
    private final Map<String, List<Map<String, Object>>> tables = new TreeMap<>();

    /** What Redis shows of each rollup, by its name; tests spoil it. */
    private final Map<String, List<Map<String, Object>>> shown = new TreeMap<>();

    private Function<UUID, List<ContentRow>> versions = content -> List.of();

    // ------------------------------------------------------------------------------------------------- the source

    @BeforeAll
    static void start() throws SQLException, IOException {
        servers = SharedServers.lease(DIRECTORY);
        postgres = servers.analytics();
        redis = servers.redis();
        for (int i = 0; i < 9; i++) {
            CONTENTS.add(new Content(
                    uuid("content " + i),
                    List.of("video", "podcast", "newsletter").get(i % 3),
                    i % 3 == 2 ? null : Integer.valueOf(80 + i)));
        }
        events();
        try (Connection connection = postgres.connect()) {
            connection.setAutoCommit(false);
            insert(connection);
            connection.commit();
        }
    }

    @AfterAll
    static void stop() {
        servers.close();
    }

    private static UUID uuid(String name) {
        return UUID.nameUUIDFromBytes(name.getBytes(java.nio.charset.StandardCharsets.UTF_8));
    }

    /** Some two hours, of which the last ten minutes are the busy ones. */
    private static void events() {
        List<String> types = List.of("play", "pause", "finish", "click");
        for (int i = 0; i < 1_200; i++) {
            Content content = CONTENTS.get((7 * i + i / 5) % 9);
            Instant at = i < 1_000 ? NEWEST.minusMillis(600L * i) : NEWEST.minusSeconds(35L * (i - 980));
            Integer duration = i % 5 == 0 ? null : Integer.valueOf(i % 7 * 20_000 + i % 2);
            EVENTS.add(new Event(
                    content,
                    i % 11 == 0 ? null : uuid("user " + i % 60),
                    types.get(i % 4),
                    at,
                    duration,
                    i % 3 == 0 ? null : "tv",
                    i % 2 == 0 ? null : "{\"value\":" + i + ".10,\"price\":\"" + i + "\"}",
                    i % 2 == 0 ? null : i + ".1",
                    i % 2 == 0 ? null : Integer.toString(i)));
        }
        // What is a number and what is none.
        odd("{\"value\":\"-12.50\",\"price\":1e2}", "-12.5", "100");
        odd("{\"value\":\"1e2\",\"price\":\" 1\"}", null, null);
        odd("{\"value\":null,\"price\":{}}", null, null);
        odd("{\"value\":1e400,\"price\":\"" + "7".repeat(40) + "\"}", null, null);
        odd("{\"value\":99999999999999999999,\"price\":100000000000000000000}", "99999999999999999999", null);
        odd("{\"value\":0.000000000000000001,\"price\":0.0000000000000000001}", "0.000000000000000001", null);
        odd("{\"value\":true,\"price\":[1]}", null, null);
        odd("[{\"value\":1}]", null, null);
        // More than anybody counts one by one.
        for (int i = 0; i < CROWD; i++) {
            EVENTS.add(new Event(
                    CONTENTS.get(0),
                    uuid("fan " + i),
                    "click",
                    NEWEST.minusSeconds(125),
                    null,
                    "web",
                    null,
                    null,
                    null));
        }
    }

    private static void odd(String payload, @Nullable String value, @Nullable String price) {
        EVENTS.add(
                new Event(CONTENTS.get(1), null, "click", NEWEST.minusSeconds(200), null, null, payload, value, price));
    }

    private static void insert(Connection connection) throws SQLException {
        try (PreparedStatement content = connection.prepareStatement("INSERT INTO content"
                + " (id, slug, title, content_type, length_seconds, publish_ts) VALUES (?, ?, 'T', ?, ?, now())")) {
            for (Content each : CONTENTS) {
                content.setObject(1, each.id);
                content.setString(2, each.id.toString());
                content.setString(3, each.type);
                content.setObject(4, each.lengthSeconds, java.sql.Types.INTEGER);
                content.addBatch();
            }
            content.executeBatch();
        }
        LoadGenerator.insert(connection, EVENTS.stream().map(RollupCheckIT::row).toList());
        // Of a clock gone wrong; it counts nowhere.
        Event first = EVENTS.get(0);
        LoadGenerator.insert(
                connection,
                List.of(new EventRow(
                        first.content.id, first.user, "play", Instant.now().plusSeconds(600), null, null, null)));
    }

    private static EventRow row(Event event) {
        return new EventRow(
                event.content.id, event.user, event.type, event.at, event.durationMs, event.device, event.payload);
    }

    // ------------------------------------------------------------------------------------------------- by hand

    @BeforeEach
    void theRollupsAsTheyShouldBe() {
        for (Rollup rollup : ROLLUPS) {
            List<Map<String, Object>> cells = cells(rollup);
            tables.put(rollup.table, copies(cells, row -> (Long) row.get("window_end") <= CLOSED.toEpochMilli()));
            // Closed ones of the last hour, and the one that ends next.
            shown.put(
                    rollup.name,
                    copies(
                            cells,
                            row -> (Long) row.get("window_end")
                                            > NEWEST.minusSeconds(3_590).toEpochMilli()
                                    && (Long) row.get("window_end")
                                            <= CLOSED.plus(rollup.slide).toEpochMilli()));
        }
    }

    private static List<Map<String, Object>> cells(Rollup rollup) {
        Map<List<Object>, List<Event>> cells = new LinkedHashMap<>();
        long slide = rollup.slide.toMillis();
        long window = rollup.window.toMillis();
        for (Event event : EVENTS) {
            if (!rollup.where.test(event)) {
                continue;
            }
            long last = event.at.toEpochMilli() / slide * slide;
            for (long start = last; start > event.at.toEpochMilli() - window; start -= slide) {
                List<Object> cell = new ArrayList<>(List.of(start));
                cell.addAll(rollup.keyOf.apply(event));
                cells.computeIfAbsent(cell, any -> new ArrayList<>()).add(event);
            }
        }
        List<Map<String, Object>> rows = new ArrayList<>();
        cells.forEach((cell, events) -> {
            Map<String, Object> row = new LinkedHashMap<>();
            row.put("window_start", cell.get(0));
            row.put("window_end", (Long) cell.get(0) + window);
            for (int i = 0; i < rollup.key.size(); i++) {
                row.put(rollup.key.get(i), cell.get(i + 1));
            }
            if (rollup.isMetric()) {
                row.put("window_size", "30s");
            }
            rollup.numbers.accept(events, row);
            rows.add(row);
        });
        return rows;
    }

    private static List<Map<String, Object>> copies(
            List<Map<String, Object>> rows, Predicate<Map<String, Object>> which) {
        return rows.stream()
                .filter(which)
                .map(row -> (Map<String, Object>) new LinkedHashMap<>(row))
                .collect(Collectors.toCollection(ArrayList::new));
    }

    /** Writes what the test has made of tables and sorted sets. */
    private RollupCheck check() throws SQLException {
        try (Connection analytics = postgres.connect(PostgresServer.ANALYTICS);
                Statement statement = analytics.createStatement()) {
            analytics.setAutoCommit(false);
            for (Rollup rollup : ROLLUPS) {
                List<String> columns = new ArrayList<>(cells(rollup).get(0).keySet());
                statement.execute("DROP TABLE IF EXISTS " + rollup.table);
                statement.execute("CREATE TABLE " + rollup.table + " ("
                        + columns.stream()
                                .map(column -> column + " " + type(column))
                                .collect(Collectors.joining(", "))
                        + ")");
                try (PreparedStatement insert = analytics.prepareStatement("INSERT INTO " + rollup.table + " VALUES ("
                        + columns.stream()
                                .map(column -> type(column).equals("TIMESTAMPTZ") ? "to_timestamp(? / 1000.0)" : "?")
                                .collect(Collectors.joining(", "))
                        + ")")) {
                    for (Map<String, Object> row : tables.get(rollup.table)) {
                        for (int i = 0; i < columns.size(); i++) {
                            insert.setObject(i + 1, row.get(columns.get(i)));
                        }
                        insert.addBatch();
                    }
                    insert.executeBatch();
                }
            }
            analytics.commit();
        }
        try (Jedis jedis = redis.connect()) {
            jedis.flushAll();
            for (Rollup rollup : ROLLUPS) {
                for (Map<String, Object> row : shown.get(rollup.name)) {
                    jedis.zadd(
                            row.getOrDefault("set", rollup.set(row)).toString(),
                            ((Long) row.getOrDefault("score", row.get("window_end"))).doubleValue(),
                            json(row));
                }
            }
        }
        return new RollupCheck(postgres, redis, versions);
    }

    private static String type(String column) {
        return switch (column) {
            case "window_start", "window_end" -> "TIMESTAMPTZ";
            case "event_type", "content_id", "category", "content_type", "device", "window_size" -> "TEXT";
            case "total_value", "total_revenue", "seconds" -> "NUMERIC";
            case "unique_users_exact" -> "BOOLEAN";
            default -> "BIGINT";
        };
    }

    private static String json(Map<String, Object> row) {
        return row.entrySet().stream()
                .filter(each -> !Set.of("skipped", "set", "score").contains(each.getKey()))
                .map(each -> "\"" + each.getKey() + "\":"
                        + (each.getValue() instanceof String text
                                ? "\"" + text + "\""
                                : each.getValue() instanceof BigDecimal number
                                        ? number.toPlainString()
                                        : each.getValue()))
                .collect(Collectors.joining(",", "{", "}"));
    }

    private List<Comparison> different() throws Exception {
        return check().compare().stream()
                .filter(comparison -> !comparison.isEqual())
                .toList();
    }

    /** What differs, which is to be in one comparison alone. */
    private List<String> differing(String comparison) throws Exception {
        List<Comparison> different = different();
        assertThat(different).extracting(Comparison::what).containsExactly(comparison);
        return different.get(0).differing();
    }

    private Map<String, Object> row(String table, String column, Object value) {
        return find(tables.get(table), column, value);
    }

    private Map<String, Object> shown(String rollup, String column, Object value) {
        return find(shown.get(rollup), column, value);
    }

    /** The last one in time. */
    private static Map<String, Object> find(List<Map<String, Object>> rows, String column, Object value) {
        return rows.stream()
                .filter(row -> row.get(column).equals(value))
                .reduce((one, other) -> (Long) one.get("window_end") > (Long) other.get("window_end") ? one : other)
                .orElseThrow();
    }

    private static void add(Map<String, Object> row, String column, long more) {
        row.merge(column, more, (value, by) -> (Long) value + (Long) by);
    }

    // ------------------------------------------------------------------------------------------------- the tests

    @Test
    void rollupsEqualToTheSourcePass() throws Exception {
        RollupCheck check = check();
        List<Comparison> comparisons = check.compare();
        assertThat(comparisons).allMatch(Comparison::isEqual).hasSize(2 * ROLLUPS.size());
        assertThat(comparisons).allSatisfy(each -> assertThat(Integer.parseInt(each.source()))
                .as(each.what())
                .isPositive());
        assertThat(check.destination()).isEqualTo("rollups");
    }

    @Test
    void everyEventHasArrivedThatAClosedWindowOrAnOpenOneCounts() throws Exception {
        // Redis forgets after an hour, the table does not.
        assertThat(check().arrived()).isEqualTo(EVENTS.size());

        add(row("category_activity_window", "category", "video"), "event_count", -2);
        shown("category_activity", "category", "podcast").put("event_count", 0L);
        assertThat(check().arrived()).isLessThan(EVENTS.size());
    }

    @Test
    void aMissingRowIsNamed() throws Exception {
        for (Rollup rollup : ROLLUPS) {
            theRollupsAsTheyShouldBe();
            Map<String, Object> lost = tables.get(rollup.table).remove(0);
            assertThat(differing("closed windows (" + rollup.table + ")"))
                    .singleElement()
                    .asString()
                    .contains(
                            Instant.ofEpochMilli((Long) lost.get("window_start"))
                                    .toString(),
                            "the row is missing");
        }
    }

    @Test
    void aWrongNumberIsNamed() throws Exception {
        for (Rollup rollup : ROLLUPS) {
            for (String column : tables.get(rollup.table).get(0).keySet()) {
                if (!type(column).equals("BIGINT") && !type(column).equals("NUMERIC")) {
                    continue;
                }
                theRollupsAsTheyShouldBe();
                Map<String, Object> row = tables.get(rollup.table).get(0);
                row.put(column, new BigDecimal(row.get(column).toString()).add(new BigDecimal("1")));
                assertThat(differing("closed windows (" + rollup.table + ")"))
                        .singleElement()
                        .asString()
                        .contains(": " + column + " is ");
            }
        }
    }

    @Test
    void anAmountThatDiffersInItsLastDigitIsNamed() throws Exception {
        Map<String, Object> row = row("metrics", "event_type", "click");
        row.put("total_value", ((BigDecimal) row.get("total_value")).add(new BigDecimal("0.000000000000000001")));
        assertThat(differing("closed windows (metrics)"))
                .singleElement()
                .asString()
                .contains("total_value is");
    }

    @Test
    void aRowThatTheSourceHasNotIsNamed() throws Exception {
        Map<String, Object> stranger = new LinkedHashMap<>(row("content_view_window", "content_id", id(0)));
        stranger.put("content_id", "stranger");
        tables.get("content_view_window").add(stranger);
        assertThat(differing("closed windows (content_view_window)"))
                .singleElement()
                .asString()
                .startsWith("stranger from ")
                .endsWith("no event of that key is in that window");
    }

    @Test
    void aRowThatStandsThereTwiceIsNamed() throws Exception {
        tables.get("engagement_hourly")
                .add(new LinkedHashMap<>(tables.get("engagement_hourly").get(0)));
        assertThat(differing("closed windows (engagement_hourly)"))
                .singleElement()
                .asString()
                .endsWith("it stands there twice");
    }

    @Test
    void aWindowOfAnotherLengthIsNamed() throws Exception {
        add(row("content_audience", "content_id", id(0)), "window_end", 30_000);
        assertThat(differing("closed windows (content_audience)"))
                .singleElement()
                .asString()
                .contains("window_end is");
    }

    @Test
    void anEstimateMayDifferALittleWhereThereAreManyAndNowhereElse() throws Exception {
        Map<String, Object> crowded = tables.get("metrics").stream()
                .filter(row -> (Long) row.get("unique_users") > CROWD / 2)
                .findFirst()
                .orElseThrow();
        long users = (Long) crowded.get("unique_users");
        crowded.put("unique_users", users + 80);
        assertThat(differing("closed windows (metrics)"))
                .singleElement()
                .asString()
                .contains("unique_users is");

        crowded.put("unique_users_exact", false);
        assertThat(different()).isEmpty();

        crowded.put("unique_users", users + 150);
        assertThat(differing("closed windows (metrics)"))
                .singleElement()
                .asString()
                .contains("unique_users is");

        crowded.put("unique_users", users);
        row("content_completion", "content_id", id(1)).put("unique_users_exact", false);
        assertThat(differing("closed windows (content_completion)"))
                .singleElement()
                .asString()
                .contains("users are estimated");
    }

    @Test
    void aWindowThatRedisDoesNotShowIsNamed() throws Exception {
        List<Map<String, Object>> plays = shown.get("metrics_30s").stream()
                .filter(row -> row.get("event_type").equals("play"))
                .toList();
        shown.get("metrics_30s").remove(plays.get(plays.size() / 2));
        assertThat(differing("windows shown, and newest events in one (metric:…:30s)"))
                .singleElement()
                .asString()
                .endsWith("metric:play:30s does not show it");
    }

    @Test
    void anEarlyValueThatIsOutOfDateIsNamed() throws Exception {
        for (Rollup rollup : ROLLUPS) {
            theRollupsAsTheyShouldBe();
            Map<String, Object> open = shown.get(rollup.name).stream()
                    .filter(row -> (Long) row.get("window_end") > CLOSED.toEpochMilli())
                    .findFirst()
                    .orElseThrow();
            String column = open.keySet().stream()
                    .filter(each -> each.matches("count|.*_count|total_revenue|active_users|started"))
                    .findFirst()
                    .orElseThrow();
            open.put(column, new BigDecimal(open.get(column).toString()).subtract(new BigDecimal("1")));
            assertThat(different())
                    .singleElement()
                    .extracting(each -> each.differing().toString())
                    .asString()
                    .contains(column + " is ");
        }
    }

    @Test
    void aNewestEventThatIsInNoWindowIsNamed() throws Exception {
        shown.get("hourly")
                .removeIf(row -> row.get("device").equals("tv")
                        && row.get("content_type").equals("video")
                        && (Long) row.get("window_end") > CLOSED.toEpochMilli());
        assertThat(differing("windows shown, and newest events in one (rollup:hourly:…)"))
                .singleElement()
                .asString()
                .startsWith("video/tv: its newest event, of ");
    }

    @Test
    void aMemberInAWrongPlaceIsNamed() throws Exception {
        shown.get("metrics_30s").stream()
                .filter(row ->
                        row.get("event_type").equals("pause") && (Long) row.get("window_end") <= CLOSED.toEpochMilli())
                .findFirst()
                .orElseThrow()
                .put("score", NEWEST.toEpochMilli());
        Map<String, Object> doubled = new LinkedHashMap<>(shown("category_revenue", "category", "video"));
        doubled.put("superseded", true);
        shown.get("category_revenue").add(doubled);
        Map<String, Object> elsewhere = new LinkedHashMap<>(shown("content_views", "content_id", id(0)));
        elsewhere.put("set", "rollup:content_views:elsewhere");
        shown.get("content_views").add(elsewhere);
        assertThat(different().stream()
                        .flatMap(each -> each.differing().stream())
                        .toList())
                .hasSize(3)
                .anySatisfy(each -> assertThat(each).startsWith("pause from ").contains("window_end is not its score"))
                .anySatisfy(each -> assertThat(each).startsWith("video from ").endsWith("it stands there twice"))
                .anySatisfy(each -> assertThat(each).endsWith("it stands in rollup:content_views:elsewhere"));
    }

    @Test
    void whatDependsOnAContentThatHasChangedIsLeftToOthers() throws Exception {
        Content changed = CONTENTS.get(0);
        versions = id -> id.equals(changed.id)
                ? List.of(new ContentRow(changed.id, "s", "T", "podcast", 7, Instant.EPOCH))
                : List.of();
        add(row("content_completion", "content_id", id(0)), "reached_25", 1);
        add(row("category_activity_window", "category", "podcast"), "event_count", 1);
        assertThat(different()).isEmpty();

        add(row("content_view_window", "content_id", id(0)), "view_count", 1);
        assertThat(differing("closed windows (content_view_window)")).hasSize(1);
    }

    @Test
    void theQueriesOfTheDocumentationAnswer() throws Exception {
        check();
        List<String> queries = Pattern.compile("```sql\n(.+?)```", Pattern.DOTALL)
                .matcher(Files.readString(Path.of("src/site/markdown/rollups.md")))
                .results()
                .map(block -> block.group(1))
                .toList();
        assertThat(queries).hasSizeGreaterThan(4);
        try (Connection analytics = postgres.connect(PostgresServer.ANALYTICS);
                Statement statement = analytics.createStatement()) {
            for (String query : queries) {
                try (ResultSet rows = statement.executeQuery(query)) {
                    assertThat(rows.next()).as(query).isTrue();
                }
            }
        }
    }

    private static String id(int content) {
        return CONTENTS.get(content).id.toString();
    }
}
