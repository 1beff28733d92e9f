package dev.engagement.rollup;

import static org.assertj.core.api.Assertions.assertThat;

import dev.engagement.connection.PostgresConnection;
import dev.engagement.connection.SecretRef;
import dev.engagement.event.Content;
import dev.engagement.event.EngagementEvent;
import dev.engagement.event.EngagementRule;
import dev.engagement.event.EnrichedEvent;
import dev.engagement.event.Position;
import dev.engagement.event.RollupRow;
import dev.engagement.local.PostgresServer;
import dev.engagement.local.Schema;
import dev.engagement.local.testing.SharedServers;
import dev.engagement.rollup.definition.RollupDefinition;
import dev.engagement.rollup.definition.RollupDefinitions;
import java.math.BigDecimal;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.sql.Types;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * SQL over the source against the job's own arithmetic on the same rows, one by one: two ways to the same numbers, whatever
 * stands in a payload.
 */
class RollupSqlIT {

    private static final Duration SKEW = Duration.ofMinutes(1);
    private static final int EVENTS = 3_000;
    private static final int CONTENTS = 6;

    /** As JSON; a number, or what somebody takes for one. */
    private static final List<String> VALUES = List.of(
            "3",
            "0",
            "-0",
            "-7.25",
            "12.5000",
            "1e3",
            "1E-3",
            "0.000000000000000001",
            "0.0000000000000000010",
            "0.0000000000000000001",
            "99999999999999999999",
            "99999999999999999999.000",
            "100000000000000000000",
            "-100000000000000000000",
            "999999999.999999",
            "9999999999.9999999",
            "1e400",
            "1" + "0".repeat(400),
            "0." + "0".repeat(120),
            "1234567890123456789012345678901234567890",
            "\"12.50\"",
            "\"-0\"",
            "\"007\"",
            "\"" + "0".repeat(99) + "7\"",
            "\"" + "0".repeat(100) + "7\"",
            "\"1e3\"",
            "\" 1\"",
            "\"1 \"",
            "\"1\\n\"",
            "\"+1\"",
            "\"1.\"",
            "\".5\"",
            "\"-\"",
            "\"\"",
            "\"NaN\"",
            "\"Infinity\"",
            "\"\u0661\u0662\"",
            "\"" + "x".repeat(2_000) + "\"",
            "null",
            "true",
            "{\"value\": 5}",
            "[5]");

    private static final List<String> PRODUCTS = List.of(
            "\"p1\"",
            "\"\"",
            "\"a/b:c%\"",
            "\"\uD83D\uDE00\"",
            "\"\uFFFD\"",
            "\"" + "x".repeat(512) + "\"",
            "\"" + "x".repeat(513) + "\"",
            "\"" + "\u20AC".repeat(170) + "\"",
            "\"" + "\u20AC".repeat(171) + "\"",
            "12.50",
            "1e2",
            "1" + "0".repeat(600),
            "true",
            "null",
            "{}",
            "[1]");

    private static final List<RollupDefinition> ROLLUPS = rollups();

    private SharedServers servers;
    private PostgresServer server;
    private PostgresConnection target;
    private boolean contentRequired = true;

    private static List<RollupDefinition> rollups() {
        Map<String, String> own = new HashMap<>();
        define(own, "total", "", "10 s", "5 s", "count,sum=sum(raw_payload.value),seconds=sum_seconds");
        define(
                own,
                "extremes",
                "content_type,device,event_type",
                "1 min",
                "15 s",
                "least=min(raw_payload.value),greatest=max(raw_payload.value),value=sum(raw_payload.value),other=max(raw_payload.other)");
        define(own, "products", "raw_payload.product", "2 min", "2 min", "count,users=unique(user_id)");
        define(own, "values", "raw_payload.value,content_id", "5 min", "1 min", "count");
        define(
                own,
                "shares",
                "device",
                "1 h",
                "1 h",
                "third=count_if(engagement_pct >= 33.333),whole=unique_if(engagement_pct >= 100),"
                        + "played=count_if(event_type = play|finish),finished=unique_if(event_type = finish)");
        define(own, "priced", "event_type", "30 s", "30 s", "count,value=sum(raw_payload.value)");
        own.put("priced.where", "play,pause,raw_payload.value");
        return RollupDefinitions.parse(
                List.of("shipped", "total", "extremes", "products", "values", "shares", "priced"), own);
    }

    private static void define(
            Map<String, String> properties, String name, String by, String window, String slide, String measures) {
        properties.put(name + ".by", by);
        properties.put(name + ".window", window);
        properties.put(name + ".slide", slide);
        properties.put(name + ".measures", measures);
    }

    @BeforeEach
    void lease() throws Exception {
        servers = SharedServers.lease(Path.of("target/it/rollup-sql"));
        server = servers.analytics();
        target = new PostgresConnection(
                server.jdbcUrl(PostgresServer.ANALYTICS),
                server.username(),
                SecretRef.inFile("rollup.postgres.password", servers.postgresPasswordFile()));
        assertThat(RollupTables.prepare(target, ROLLUPS)).isEmpty();
        // Any text is a type, and a content may be gone.
        servers.sql("ALTER TABLE engagement_events DROP CONSTRAINT engagement_events_event_type_check,"
                + " DROP CONSTRAINT engagement_events_content_id_fkey");
        servers.sql("ALTER TABLE content DROP CONSTRAINT content_content_type_check");
        for (int i = 0; i < CONTENTS; i++) {
            servers.sql("INSERT INTO content VALUES ('" + content(i) + "', 's" + i + "', 't', "
                    + List.of("'video'", "'podcast'", "NULL", "''", "'\uFFFD/\uD83D\uDE00'", "'video'")
                            .get(i) + ", "
                    + List.of("60", "NULL", "0", "-5", "1", "333").get(i) + ", now())");
        }
    }

    @AfterEach
    void close() {
        servers.close();
    }

    /** The last one lies around the begin of the epoch. */
    @ParameterizedTest
    @ValueSource(strings = {"2026-01-08T14:21:52.123456Z", "1970-01-01T00:00:00Z"})
    void cells_equal_the_jobs(String text) throws Exception {
        assertCellsEqualTheJobs(text);
    }

    /** Those of no content are in the rollups that ask for none, and those of an unknown one in all. */
    @Test
    void cells_equal_the_jobs_where_an_event_need_not_have_a_content() throws Exception {
        contentRequired = false;
        assertCellsEqualTheJobs("2026-01-08T14:21:52.123456Z");
    }

    private void assertCellsEqualTheJobs(String text) throws Exception {
        Instant middle = Instant.parse(text);
        Random random = new Random(middle.getEpochSecond() + 1);
        insert(random, middle);
        long from = micros(middle.minus(Duration.ofMinutes(40)));
        long to = micros(middle.plus(Duration.ofMinutes(45)));

        Map<String, String> reread = new TreeMap<>();
        for (RollupDefinition rollup : ROLLUPS) {
            RollupWindows windows = RollupWindows.beginningIn(rollup, from, to);
            Map<String, String> expected = jobs(windows, Set.of());

            // In one statement, as there is no index.
            Map<String, String> found = cells(windows);
            assertThat(found).as(rollup.name()).isEqualTo(expected);
            reread.putAll(found);
        }
        assertThat(reread).hasSizeGreaterThan(500);

        // In steps.
        servers.sql("CREATE INDEX ON engagement_events (event_ts, id)");
        Map<String, String> inSteps = new TreeMap<>();
        for (RollupDefinition rollup : ROLLUPS) {
            inSteps.putAll(cells(RollupWindows.beginningIn(rollup, from, to)));
        }
        assertThat(inSteps).isEqualTo(reread);
    }

    @Test
    void events_that_are_left_out_do_not_count() throws Exception {
        Instant middle = Instant.parse("2026-01-08T14:21:52Z");
        insert(new Random(7), middle);
        long[] without = LongStream.range(0, EVENTS).filter(id -> id % 3 == 0).toArray();
        for (RollupDefinition rollup : ROLLUPS) {
            RollupWindows windows = RollupWindows.beginningIn(
                    rollup, micros(middle.minus(Duration.ofHours(1))), micros(middle.plus(Duration.ofHours(1))));

            assertThat(cells(windows, source(null), without))
                    .as(rollup.name())
                    .isEqualTo(jobs(
                            windows, Set.copyOf(Arrays.stream(without).boxed().toList())));
        }
    }

    @Test
    void what_the_publication_leaves_out_does_not_count() throws Exception {
        insert(new Random(8), Instant.parse("2026-01-08T14:21:52Z"));
        servers.sql("CREATE PUBLICATION part FOR TABLE engagement_events (id, content_id, event_ts, event_type)"
                + " WHERE (event_type = 'play'), content (id, content_type) WHERE (content_type = 'video')"
                + " WITH (publish = 'insert')");
        RollupDefinition shares = ROLLUPS.stream()
                .filter(rollup -> rollup.name().equals("shares"))
                .findFirst()
                .orElseThrow();
        RollupWindows windows = RollupWindows.beginningIn(
                shares, micros(Instant.parse("2026-01-08T13:00:00Z")), micros(Instant.parse("2026-01-08T16:00:00Z")));
        Map<String, Long> played = new TreeMap<>();
        try (Connection connection = server.connect();
                Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery("SELECT date_trunc('hour', event_ts AT TIME ZONE 'UTC')::text,"
                        + " count(*) FROM engagement_events e JOIN content c ON c.id = e.content_id"
                        + " WHERE event_type = 'play' AND content_type = 'video' GROUP BY 1")) {
            while (row.next()) {
                played.put(row.getString(1).replace(' ', 'T') + "Z", row.getLong(2));
            }
        }
        Map<String, Long> found = new TreeMap<>();
        run(windows, source("part"), new long[0], row -> {
            // Durations, lengths, devices and users do not come through.
            assertThat(row.key()).containsExactly("");
            assertThat(row.values().get(0)).isZero();
            assertThat(row.values().get(1)).isZero();
            found.put(
                    Instant.ofEpochMilli(row.windowStartMillis()).toString(),
                    row.values().get(2).longValueExact());
        });
        assertThat(found).isEqualTo(played).isNotEmpty();
    }

    @Test
    void an_event_that_is_stamped_ahead_of_its_commit_is_in_no_window() throws Exception {
        Instant now = Instant.now().truncatedTo(ChronoUnit.SECONDS);
        servers.sql("INSERT INTO engagement_events (content_id, event_type, event_ts) VALUES ('" + content(0)
                + "', 'play', now() + interval '10 s'), ('" + content(0) + "', 'play', now() + interval '2 min')");
        RollupDefinition total = ROLLUPS.stream()
                .filter(rollup -> rollup.name().equals("total"))
                .findFirst()
                .orElseThrow();
        RollupWindows windows = RollupWindows.beginningIn(
                total, micros(now.minusSeconds(60)), micros(now.plus(Duration.ofMinutes(10))));
        RollupSource knows = source(null);
        assertThat(knows.knowsCommits()).isTrue();

        assertThat(cells(windows, knows, new long[0])).hasSize(2);
        assertThat(cells(windows, source(null, Duration.ofMinutes(5)), new long[0]))
                .hasSize(4);
    }

    /** What was counted of no event. */
    @Test
    void without_events_there_are_no_cells_and_no_first_event() throws Exception {
        RollupWindows windows = RollupWindows.beginningIn(ROLLUPS.get(0), 0, 3_600_000_000L);
        assertThat(cells(windows)).isEmpty();
        servers.sql("CREATE INDEX ON engagement_events (event_ts)");
        assertThat(cells(windows)).isEmpty();
        try (Connection connection = server.connect();
                RollupDatabase database = RollupDatabase.connect(target, "test")) {
            connection.setAutoCommit(false);
            assertThat(new CellComparison(connection, source(null), database).oldestEventMicros())
                    .isEqualTo(Long.MAX_VALUE);
        }
    }

    /** A table of ids in two types: texts are compared, as the stream does. */
    @Test
    void ids_of_two_types_find_each_other() throws Exception {
        servers.sql("ALTER TABLE engagement_events ALTER COLUMN content_id TYPE text");
        servers.sql("INSERT INTO engagement_events (content_id, event_type, event_ts) VALUES ('" + content(1)
                + "', 'play', '2026-01-08T14:00:00Z'), ('none', 'play', '2026-01-08T14:00:00Z')");
        RollupDefinition views = ROLLUPS.stream()
                .filter(rollup -> rollup.name().equals("content_views"))
                .findFirst()
                .orElseThrow();

        assertThat(cells(RollupWindows.beginningIn(
                        views,
                        micros(Instant.parse("2026-01-08T13:00:00Z")),
                        micros(Instant.parse("2026-01-08T15:00:00Z")))))
                .hasSize(1);
    }

    // ------------------------------------------------------------------------------------------------- the source

    private static UUID content(int number) {
        return new UUID(0xC0, number);
    }

    private static long micros(Instant time) {
        return time.getEpochSecond() * 1_000_000 + time.getNano() / 1_000;
    }

    private void insert(Random random, Instant middle) throws SQLException {
        try (Connection connection = server.connect();
                PreparedStatement insert = connection.prepareStatement("INSERT INTO engagement_events"
                        + " (id, content_id, user_id, event_type, event_ts, duration_ms, device, raw_payload)"
                        + " VALUES (?, ?, ?, ?, ?, ?, ?, ?::jsonb)")) {
            connection.setAutoCommit(false);
            for (int id = 0; id < EVENTS; id++) {
                insert.setLong(1, id);
                int content = random.nextInt(CONTENTS + 2);
                // One content does not exist, and some events have none.
                insert.setObject(2, content > CONTENTS ? null : content(content), Types.OTHER);
                insert.setObject(3, random.nextInt(5) == 0 ? null : new UUID(1, random.nextInt(40)), Types.OTHER);
                insert.setString(4, oneOf(random, Arrays.asList("play", "play", "pause", "finish", "", null)));
                insert.setObject(5, time(random, middle).atOffset(ZoneOffset.UTC));
                insert.setObject(
                        6,
                        oneOf(random, Arrays.asList(null, -1, 0, 499, 500, 20_000, 60_000, 111_000, Integer.MAX_VALUE)),
                        Types.INTEGER);
                insert.setString(
                        7,
                        oneOf(
                                random,
                                Arrays.asList(null, "", "tv", "\u00fc'\"\\{},NULL", "\uD83D\uDE00", "y".repeat(600))));
                insert.setString(8, payload(random));
                insert.addBatch();
            }
            insert.executeBatch();
            connection.commit();
        }
    }

    /** Many at the edges of windows. */
    private static Instant time(Random random, Instant middle) {
        Instant time = middle.plus(random.nextInt(3_600_000) - 1_800_000, ChronoUnit.MILLIS);
        return switch (random.nextInt(4)) {
            case 0 -> time.truncatedTo(ChronoUnit.MINUTES);
            case 1 -> time.truncatedTo(ChronoUnit.MINUTES).minus(1, ChronoUnit.MICROS);
            default -> time.plus(random.nextInt(1_000), ChronoUnit.MICROS);
        };
    }

    private static @Nullable String payload(Random random) {
        switch (random.nextInt(12)) {
            case 0 -> {
                return null;
            }
            case 1 -> {
                return oneOf(random, List.of("{}", "[]", "[\"value\"]", "\"value\"", "5", "null"));
            }
            default -> {
                List<String> fields = new ArrayList<>();
                if (random.nextInt(4) > 0) {
                    fields.add("\"v\\u0061lue\": " + oneOf(random, VALUES));
                }
                if (random.nextInt(4) == 0) {
                    fields.add("\"other\": " + oneOf(random, VALUES));
                }
                if (random.nextBoolean()) {
                    fields.add("\"price\": " + oneOf(random, VALUES));
                }
                if (random.nextBoolean()) {
                    fields.add("\"product\": " + oneOf(random, PRODUCTS));
                }
                return "{" + String.join(", ", fields) + "}";
            }
        }
    }

    private static <T> T oneOf(Random random, List<T> values) {
        return values.get(random.nextInt(values.size()));
    }

    // ------------------------------------------------------------------------------------------------- SQL's cells

    private RollupSource source(@Nullable String publication) throws SQLException {
        return source(publication, SKEW);
    }

    private RollupSource source(@Nullable String publication, Duration skew) throws SQLException {
        try (Connection connection = server.connect()) {
            return RollupSource.of(
                    connection,
                    "\"" + Schema.NAME + "\".\"" + Schema.EVENTS + "\"",
                    "\"" + Schema.NAME + "\".\"" + Schema.CONTENT + "\"",
                    publication,
                    contentRequired,
                    skew);
        }
    }

    private Map<String, String> cells(RollupWindows windows) throws SQLException {
        return cells(windows, source(null), new long[0]);
    }

    /** What SQL says of each cell, in the order of their ids; the tables are empty. */
    private Map<String, String> cells(RollupWindows windows, RollupSource source, long[] without) throws SQLException {
        Map<String, String> cells = new TreeMap<>();
        List<RollupRow> told = new ArrayList<>();
        run(windows, source, without, row -> {
            told.add(row);
            assertThat(cells.put(row.id(), text(row))).as("told twice").isNull();
        });
        assertThat(told).isSortedAccordingTo(CellComparison::compare);
        return cells;
    }

    /** Takes what SQL says. */
    private interface Rows {
        void take(RollupRow row);
    }

    private void run(RollupWindows windows, RollupSource source, long[] without, Rows rows) throws SQLException {
        try (Connection connection = server.connect();
                RollupDatabase database = RollupDatabase.connect(target, "test")) {
            connection.setAutoCommit(false);
            new CellComparison(connection, source, database).run(windows, without, (expected, found) -> {
                assertThat(found).isNull();
                rows.take(Objects.requireNonNull(expected));
            });
        }
    }

    private static String text(RollupRow row) {
        List<String> values = new ArrayList<>();
        for (BigDecimal value : row.values()) {
            values.add(value == null ? "null" : value.stripTrailingZeros().toPlainString());
        }
        return values + " skipped " + row.skipped() + " of " + row.version() + " until " + row.windowEndMillis();
    }

    // ------------------------------------------------------------------------------------------------- the job's

    /** The cells of windows as the job's arithmetic has them, of every row on its own and window by window. */
    private Map<String, String> jobs(RollupWindows windows, Set<Long> without) throws SQLException {
        CompiledRollup.All all = CompiledRollup.All.of(List.of(windows.rollup()));
        CompiledRollup rollup = all.rollups().get(0);
        Map<Long, Map<String, Aggregate>> aggregates = new LinkedHashMap<>();
        EventFacts facts = null;
        for (EnrichedEvent event : events()) {
            if (without.contains(event.event().id())) {
                continue;
            }
            if (facts == null) {
                facts = new EventFacts(all.fields(), event);
            }
            facts.set(event);
            String key = rollup.accepts(facts) ? rollup.key(facts) : null;
            if (key == null) {
                continue;
            }
            long slide = windows.rollup().slideMillis();
            long micros = event.event().eventTsMicros();
            long last = Math.floorDiv(micros, slide * 1_000) * slide;
            for (long start = last; (start + windows.rollup().windowMillis()) * 1_000 > micros; start -= slide) {
                if (windows.fromMillis() <= start && start < windows.toMillis()) {
                    rollup.add(
                            facts,
                            aggregates
                                    .computeIfAbsent(start, any -> new HashMap<>())
                                    .computeIfAbsent(key, any -> rollup.empty()));
                }
            }
        }
        Map<String, String> cells = new TreeMap<>();
        aggregates.forEach((start, byKey) -> byKey.forEach((key, aggregate) -> {
            RollupRow row = rollup.row(key, start, aggregate, true);
            assertThat(row.exact()).isTrue();
            cells.put(row.id(), text(row));
        }));
        return cells;
    }

    /** Those that the decoder and the enrichment let through, with the texts that the topics have of them. */
    private List<EnrichedEvent> events() throws SQLException {
        List<EnrichedEvent> events = new ArrayList<>();
        try (Connection connection = server.connect();
                Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery("""
                        SELECT e.id, e.content_id::text, e.user_id::text, e.event_type,
                          (extract(epoch FROM e.event_ts) * 1000000)::bigint, e.duration_ms, e.device, e.raw_payload::text,
                          c.content_type, c.length_seconds
                        FROM engagement_events e %s JOIN content c ON c.id = e.content_id
                        WHERE e.duration_ms IS NULL OR e.duration_ms >= 0""".formatted(contentRequired ? "" : "LEFT"))) {
            while (row.next()) {
                Integer duration = row.getObject(6, Integer.class);
                events.add(EngagementRule.DEFAULT.enrich(
                        new EngagementEvent(
                                row.getLong(1),
                                row.getString(2),
                                row.getString(3),
                                row.getString(4),
                                row.getLong(5),
                                duration == null ? EngagementEvent.NO_DURATION : duration,
                                row.getString(7),
                                row.getString(8),
                                false,
                                0,
                                new Position(0, row.getLong(1), 0)),
                        new Content(
                                String.valueOf(row.getString(2)),
                                null,
                                null,
                                row.getString(9),
                                row.getObject(10, Integer.class),
                                null)));
            }
        }
        return events;
    }
}
