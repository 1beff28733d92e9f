package dev.engagement.backfill;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.engagement.EngagementJob;
import dev.engagement.connection.PostgresConnection;
import dev.engagement.connection.SecretRef;
import dev.engagement.event.RollupRow;
import dev.engagement.ingest.EventRules;
import dev.engagement.local.PostgresServer;
import dev.engagement.local.Schema;
import dev.engagement.local.testing.SharedServers;
import dev.engagement.rollup.RollupTables;
import dev.engagement.rollup.RollupTablesRefusedException;
import dev.engagement.rollup.RollupUpsert;
import dev.engagement.rollup.definition.RollupDefinition;
import dev.engagement.rollup.definition.RollupDefinitions;
import dev.engagement.source.RangeOptions;
import dev.engagement.source.SourceOptions;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Cells computed anew on a real PostgreSQL: what came too late is counted, and nothing ever goes back. */
class RollupBackfillIT {

    private static final Map<String, String> PROPERTIES = Map.of(
            "views.by", "content_id",
            "views.window", "2 min",
            "views.measures", "count,value=sum(raw_payload.value),least=min(raw_payload.value)",
            "people.by", "window_size,event_type",
            "people.window", "1 min",
            "people.slide", "30 s",
            "people.measures", "users=unique(user_id)");

    private static final List<RollupDefinition> ROLLUPS =
            RollupDefinitions.parse(List.of("views", "people"), PROPERTIES);

    private static final RollupDefinition VIEWS = ROLLUPS.get(0);

    private static final Instant FROM = Instant.parse("2026-01-08T09:00:00Z");
    private static final Instant TO = FROM.plus(Duration.ofMinutes(10));

    private static final long GENERATION = 1_000_000_000_000L;

    /** Cells of ten minutes: of two contents in five windows, and of two types in twenty. */
    private static final int CELLS = 10 + 40;

    private SharedServers servers;
    private PostgresServer server;
    private PostgresConnection target;
    private Instant now = TO.plus(Duration.ofHours(5));
    private final List<String> said = new ArrayList<>();

    @BeforeEach
    void lease() throws Exception {
        servers = SharedServers.lease(Path.of("target/it/rollup-backfill"));
        server = servers.analytics();
        target = new PostgresConnection(
                server.jdbcUrl(PostgresServer.ANALYTICS),
                server.username(),
                SecretRef.inFile("rollup.postgres.password", servers.postgresPasswordFile()));
        servers.sql("INSERT INTO content SELECT ('00000000-0000-0000-0000-' || lpad(n::text, 12, '0'))::uuid, 's' || n,"
                + " 't', 'video', 10, now() FROM generate_series(1, 3) AS n");
        // One every two seconds, an hour of them before the range and one behind it.
        servers.sql("""
                INSERT INTO engagement_events (content_id, user_id, event_type, event_ts, raw_payload)
                SELECT ('00000000-0000-0000-0000-' || lpad((1 + abs(n) %% 2)::text, 12, '0'))::uuid, gen_random_uuid(),
                  CASE WHEN abs(n) %% 3 = 0 THEN 'pause' ELSE 'play' END, TIMESTAMPTZ '%s' + n * interval '2 s',
                  '{"value": 0.1}' FROM generate_series(-1800, 2099) AS n""".formatted(FROM));
    }

    @AfterEach
    void close() {
        servers.close();
    }

    private RollupBackfill.Result run(boolean dryRun, Instant from, Instant to, RollupDefinition... rollups)
            throws Exception {
        said.clear();
        SourceOptions source = new SourceOptions(
                new PostgresConnection(
                        server.jdbcUrl(),
                        server.username(),
                        SecretRef.inFile("postgres.password", servers.postgresPasswordFile())),
                Schema.NAME,
                Schema.EVENTS,
                Schema.CONTENT,
                null,
                EventRules.DEFAULT);
        RollupBackfillOptions options = new RollupBackfillOptions(
                source,
                RangeOptions.of(from, to),
                rollups.length == 0 ? ROLLUPS : List.of(rollups),
                target,
                Duration.ofHours(1),
                Duration.ofMinutes(1),
                dryRun);
        return new RollupBackfill(options, Clock.fixed(now, ZoneOffset.UTC)).run(new ProgressReport() {
            @Override
            public void line(String text) {
                said.add(text);
            }

            @Override
            public void progress(String text) {
                assertThat(text).contains(": windows up to ");
            }
        });
    }

    private String backfill() throws Exception {
        return run(false, FROM, TO).outcome().line();
    }

    private static String done(long inserted, long skipped) {
        return "Backfill done. inserted=" + inserted + " skipped=" + skipped;
    }

    private static String content(int number) {
        return new UUID(0, number).toString();
    }

    private void event(int content, String at) throws SQLException {
        servers.sql("INSERT INTO engagement_events (content_id, user_id, event_type, event_ts, raw_payload) VALUES ('"
                + content(content) + "', gen_random_uuid(), 'play', '" + at + "', '{\"value\": \"-3\"}')");
    }

    private void sql(String statement) throws SQLException {
        try (Connection connection = server.connect(PostgresServer.ANALYTICS);
                Statement execute = connection.createStatement()) {
            execute.execute(statement);
        }
    }

    private List<String> texts(String query) throws SQLException {
        List<String> texts = new ArrayList<>();
        try (Connection connection = server.connect(PostgresServer.ANALYTICS);
                Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(query)) {
            while (row.next()) {
                texts.add(row.getString(1));
            }
        }
        return texts;
    }

    /** Count, sum, least value, skipped and version of the first window of a content. */
    private List<String> views(int content) throws SQLException {
        return texts(
                "SELECT count || ' ' || value || ' ' || coalesce(least::text, '-') || ' ' || skipped || ' ' || version"
                        + " FROM views WHERE window_start = '" + FROM + "' AND content_id = '" + content(content)
                        + "'");
    }

    /** As the job writes it: nothing if its table has a newer one. */
    private int jobWrites(int content, long events) throws SQLException {
        RollupRow row = new RollupRow(
                "views",
                FROM.toEpochMilli(),
                FROM.toEpochMilli() + 120_000,
                List.of(content(content)),
                List.of(BigDecimal.valueOf(events), BigDecimal.ONE, BigDecimal.ONE),
                true,
                0,
                events,
                true);
        try (Connection connection = server.connect(PostgresServer.ANALYTICS)) {
            return new RollupUpsert(VIEWS).execute(connection, List.of(row));
        }
    }

    // ---------------------------------------------------------------------------------------------------- tests

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void what_came_too_late_gets_into_its_cell_once(boolean isIndexed) throws Exception {
        if (isIndexed) {
            servers.sql("CREATE INDEX ON engagement_events (event_ts, id)");
        }
        assertThat(backfill()).as("nobody wrote a cell yet").isEqualTo(done(CELLS, 0));
        assertThat(views(1)).containsExactly("30 3 0.1 0 " + (GENERATION + 30));
        assertThat(said.toString().contains("has no index that begins with event_ts"))
                .isNotEqualTo(isIndexed);
        assertThat(backfill()).as("twice the same").isEqualTo(done(0, CELLS));

        event(1, "2026-01-08T09:01:59.999999Z");
        event(3, "2026-01-08T09:01:59.999999Z");
        // Two cells of views, the second of which is new, and the two of the type.
        assertThat(run(true, FROM, TO).outcome().line()).isEqualTo(done(0, CELLS - 3));
        assertThat(said)
                .anyMatch(line ->
                        line.startsWith("views: dry run: 1 cells would be replaced, 1 inserted, 0 set to zero"));
        assertThat(views(1)).as("a dry run").containsExactly("30 3 0.1 0 " + (GENERATION + 30));

        assertThat(backfill()).isEqualTo(done(4, CELLS - 3));
        assertThat(views(1)).containsExactly("31 0 -3 0 " + (2 * GENERATION + 31));
        assertThat(views(2)).as("one that was right").containsExactly("30 3 0.1 0 " + (GENERATION + 30));
        assertThat(views(3)).containsExactly("1 -3 -3 0 " + (GENERATION + 1));
        assertThat(backfill()).isEqualTo(done(0, CELLS + 1));
        assertThat(texts("SELECT DISTINCT window_size || unique_users_exact FROM people"))
                .containsExactly("1mtrue");
    }

    @Test
    void no_row_goes_back() throws Exception {
        assertThat(RollupTables.prepare(target, ROLLUPS)).isEmpty();
        assertThat(jobWrites(1, 29)).isOne();
        assertThat(run(false, FROM, TO, VIEWS).outcome().line()).isEqualTo(done(10, 0));
        assertThat(views(1)).containsExactly("30 3 0.1 0 " + (GENERATION + 30));

        // A zombie, a replay, a savepoint from before.
        assertThat(jobWrites(1, 29)).isZero();
        assertThat(jobWrites(1, 31)).isZero();
        assertThat(views(1)).containsExactly("30 3 0.1 0 " + (GENERATION + 30));
    }

    @Test
    void what_has_no_event_any_more_is_zero_and_stays_so() throws Exception {
        backfill();
        servers.sql("DELETE FROM engagement_events WHERE content_id = '" + content(2) + "' AND event_ts >= '" + FROM
                + "' AND event_ts < '" + FROM.plusSeconds(120) + "'");

        run(false, FROM, TO, VIEWS);
        assertThat(said).anyMatch(line -> line.startsWith("views: 0 cells replaced, 0 inserted, 1 set to zero"));
        assertThat(views(2)).containsExactly("0 0 - 0 " + 2 * GENERATION);
        assertThat(jobWrites(2, 30)).isZero();
        assertThat(run(false, FROM, TO, VIEWS).outcome().line()).isEqualTo(done(0, 10));

        event(2, "2026-01-08T09:00:00Z");
        assertThat(run(false, FROM, TO, VIEWS).outcome().line()).isEqualTo(done(1, 9));
        assertThat(views(2)).containsExactly("1 -3 -3 0 " + (3 * GENERATION + 1));
    }

    @Test
    void what_was_purged_at_the_source_is_not_taken_from_history() throws Exception {
        backfill();
        servers.sql("DELETE FROM engagement_events WHERE event_ts < '" + FROM.plusSeconds(180) + "'");

        assertThat(run(false, FROM, TO, VIEWS).outcome().line()).isEqualTo(done(0, 6));
        assertThat(said).anyMatch(line -> line.startsWith("views: 4 cells are left as they are"));
        assertThat(views(1)).containsExactly("30 3 0.1 0 " + (GENERATION + 30));
    }

    @Test
    void windows_that_the_stream_still_corrects_are_refused_and_the_others_are_computed() throws Exception {
        now = TO.plus(Duration.ofMinutes(54));

        RollupBackfill.Result result = run(false, FROM, TO, VIEWS);
        assertThat(result.outcome().line()).isEqualTo(done(4, 0));
        assertThat(result.refused()).isEqualTo(3);
        assertThat(said)
                .contains(
                        "views: refused are 3 windows, from 2026-01-08T09:04:00Z on: the stream still corrects them, for"
                                + " rollup.allowed-lateness (PT1H) after their end. They can be computed anew from"
                                + " 2026-01-08T10:06:00Z on, all of them from 2026-01-08T10:10:00Z on");

        now = Instant.parse("2026-01-08T10:10:00Z");
        assertThat(run(false, FROM, TO, VIEWS).refused()).isZero();
        assertThat(texts("SELECT count(*)::text FROM views")).containsExactly("10");
    }

    @Test
    void windows_are_those_that_begin_in_the_range() throws Exception {
        assertThat(run(false, FROM.plusSeconds(1), FROM.plusSeconds(121), VIEWS)
                        .outcome()
                        .line())
                .isEqualTo(done(2, 0));
        assertThat(texts("SELECT DISTINCT to_char(window_start AT TIME ZONE 'UTC', 'HH24:MI') FROM views"))
                .containsExactly("09:02");
        assertThat(run(false, FROM.plusSeconds(1), FROM.plusSeconds(2), VIEWS)
                        .outcome()
                        .line())
                .isEqualTo(done(0, 0));
        assertThat(said).anyMatch(line -> line.startsWith("views: no window begins in [2026-01-08T09:00:01"));
        now = FROM.plus(Duration.ofDays(40));
        assertThat(backfill()).isEqualTo(done(0, 0));
        assertThat(said).anyMatch(line -> line.contains("as rows go after rollup.views.retention"));
    }

    @Test
    void an_estimate_gives_way_to_a_count() throws Exception {
        backfill();
        sql("UPDATE people SET users = users + 1, unique_users_exact = false WHERE window_start = '" + FROM + "'");

        assertThat(backfill()).isEqualTo(done(2, CELLS - 2));
        assertThat(texts("SELECT users || ' ' || unique_users_exact || ' ' || version / " + GENERATION
                        + " FROM people WHERE window_start = '" + FROM + "' ORDER BY event_type"))
                .containsExactly("10 true 2", "20 true 2");
    }

    @Test
    void a_table_that_means_something_else_is_not_written_to() throws Exception {
        backfill();
        RollupDefinition changed = RollupDefinitions.parse(
                        List.of("views"),
                        Map.of(
                                "views.by", "content_id",
                                "views.window", "1 min",
                                "views.measures", PROPERTIES.get("views.measures")))
                .get(0);

        assertThatThrownBy(() -> run(false, FROM, TO, changed))
                .isInstanceOf(RollupTablesRefusedException.class)
                .hasMessageContaining("has numbers of another meaning than rollup.views");
        sql("ALTER TABLE views ADD CONSTRAINT small CHECK (count < 31)");
        event(1, "2026-01-08T09:00:01Z");
        assertThatThrownBy(() -> run(false, FROM, TO, VIEWS))
                .isInstanceOf(RollupTablesRefusedException.class)
                .hasMessageContaining("small");
        assertThat(views(1)).containsExactly("30 3 0.1 0 " + (GENERATION + 30));
    }

    @Test
    void the_command_ends_with_the_line_and_needs_neither_kafka_nor_a_warehouse() throws Exception {
        Instant begin = Instant.ofEpochSecond(Instant.now().getEpochSecond() / 3_600 * 3_600 - 4 * 3_600);
        servers.sql("INSERT INTO engagement_events (content_id, event_type, event_ts) VALUES ('" + content(1)
                + "', 'play', '" + begin.plusSeconds(5) + "')");
        List<String> arguments = new ArrayList<>(List.of(
                "backfill",
                "--rollups=hourly,content_views",
                "--from=" + begin,
                "--to=" + begin.plusSeconds(3_600),
                "--kafka.bootstrap-servers=127.0.0.1:1",
                "--postgres.url=" + server.jdbcUrl(),
                "--postgres.username=" + server.username(),
                "--postgres.password.secret-file=" + servers.postgresPasswordFile(),
                "--rollup.postgres.url=" + server.jdbcUrl(PostgresServer.ANALYTICS),
                "--rollup.postgres.username=" + server.username(),
                "--rollup.postgres.password.secret-file=" + servers.postgresPasswordFile()));

        ByteArrayOutputStream out = new ByteArrayOutputStream();
        assertThat(command(arguments, out))
                .as(out.toString(StandardCharsets.UTF_8))
                .isZero();
        assertThat(out.toString(StandardCharsets.UTF_8).strip())
                .contains("which hourly depend on")
                .endsWith("\n" + done(2, 0));
        assertThat(texts("SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
                        + " ORDER BY 1"))
                .containsExactly("content_view_window", "engagement_hourly");

        arguments.set(3, "--to=" + begin.plusSeconds(4 * 3_600));
        assertThat(command(arguments, out)).as("the last hours are refused").isEqualTo(1);
        assertThat(out.toString(StandardCharsets.UTF_8).strip())
                .contains("hourly: refused are ")
                .endsWith("\n" + done(0, 2));

        sql("DROP TABLE engagement_hourly");
        arguments.add("--dry-run");
        assertThat(command(arguments, out)).isEqualTo(1);
        assertThat(out.toString(StandardCharsets.UTF_8)).contains("CREATE TABLE IF NOT EXISTS \"engagement_hourly\"");
    }

    private static int command(List<String> arguments, ByteArrayOutputStream out) {
        out.reset();
        PrintStream print = new PrintStream(out, true, StandardCharsets.UTF_8);
        return EngagementJob.run(arguments.toArray(String[]::new), Map.of(), print, print);
    }
}
