package dev.engagement.audit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.engagement.EngagementJob;
import dev.engagement.audit.AuditReport.Destination;
import dev.engagement.audit.AuditReport.Finding;
import dev.engagement.audit.AuditReport.Item;
import dev.engagement.connection.KafkaConnection;
import dev.engagement.connection.KafkaTopics;
import dev.engagement.connection.KafkaTopics.Topic;
import dev.engagement.connection.Pause;
import dev.engagement.connection.PostgresConnection;
import dev.engagement.connection.SecretRef;
import dev.engagement.deadletter.Reason;
import dev.engagement.ingest.EventRules;
import dev.engagement.local.PostgresServer;
import dev.engagement.local.Schema;
import dev.engagement.local.testing.SharedServers;
import dev.engagement.rollup.RollupTables;
import dev.engagement.rollup.definition.RollupDefinition;
import dev.engagement.rollup.definition.RollupDefinitions;
import dev.engagement.source.SourceOptions;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Rollups' tables in PostgreSQL, as the job leaves them and then not quite, against the source beside them. */
class RollupAuditIT {

    private static final List<RollupDefinition> ROLLUPS = RollupDefinitions.parse(
            List.of("views", "people", "types", "halves"),
            Map.ofEntries(
                    Map.entry("views.by", "content_id"),
                    Map.entry("views.where", "play"),
                    Map.entry("views.window", "2 min"),
                    Map.entry("views.measures", "view_count=count"),
                    Map.entry("people.by", "window_size,event_type"),
                    Map.entry("people.window", "1 min"),
                    Map.entry("people.slide", "30 s"),
                    Map.entry("people.measures", "count,value=sum(raw_payload.value),users=unique(user_id)"),
                    Map.entry("types.by", "category=content_type"),
                    Map.entry("types.window", "10 min"),
                    Map.entry("types.measures", "count,seconds=sum_seconds,users=unique(user_id)"),
                    Map.entry("halves.by", "content_id"),
                    Map.entry("halves.window", "10 min"),
                    Map.entry("halves.measures", "count,half=count_if(engagement_pct >= 50)")));

    /** On the hour, three hours ago: all windows are over, and the stream is done with them. */
    private static final Instant FROM =
            Instant.ofEpochSecond(Instant.now().getEpochSecond() / 3_600 * 3_600 - 3 * 3_600);

    private static final Instant TO = FROM.plus(Duration.ofMinutes(20));

    private SharedServers servers;
    private PostgresServer server;
    private AuditOptions options;
    private final ScriptedLog log = new ScriptedLog();

    /** Done while the audit waits for what is on its way. */
    private Pause meanwhile = time -> {};

    @BeforeEach
    void everythingIsThere() throws Exception {
        servers = SharedServers.lease(Path.of("target/it/rollup-audit"));
        server = servers.analytics();
        options = options(Duration.ofHours(1));
        assertThat(RollupTables.prepare(options.rollups().target(), ROLLUPS)).isEmpty();
        servers.sql("INSERT INTO content SELECT ('00000000-0000-0000-0000-' || lpad(n::text, 12, '0'))::uuid, 's' || n,"
                + " 't', CASE WHEN n < 3 THEN 'video' ELSE 'podcast' END, 10, now() FROM generate_series(1, 5) AS n");
        // One every two seconds.
        servers.sql("""
                INSERT INTO engagement_events (id, content_id, user_id, event_type, event_ts, duration_ms, raw_payload)
                SELECT n, ('00000000-0000-0000-0000-' || lpad((1 + n %% 5)::text, 12, '0'))::uuid,
                  ('00000000-0000-0000-0000-' || lpad((n %% 17)::text, 12, '0'))::uuid,
                  CASE WHEN n %% 3 = 0 THEN 'pause' ELSE 'play' END, TIMESTAMPTZ '%s' + n * interval '2 s',
                  n * 10, CASE WHEN n %% 2 = 0 THEN '{"value": "1.5"}' END::jsonb
                FROM generate_series(0, 599) AS n""".formatted(FROM));
        // What a test adds comes behind them.
        servers.sql("SELECT setval(pg_get_serial_sequence('engagement_events', 'id'), 5000)");
        fillAsTheJob();
    }

    @AfterEach
    void close() {
        servers.close();
    }

    private AuditOptions options(Duration allowedLateness) throws IOException {
        PostgresConnection source = new PostgresConnection(
                server.jdbcUrl(),
                server.username(),
                SecretRef.inFile("postgres.password", servers.postgresPasswordFile()));
        return new AuditOptions(
                FROM,
                TO,
                Duration.ofMillis(10),
                3,
                new AuditOptions.Database(source, Schema.NAME, Schema.EVENTS, null),
                new KafkaConnection("localhost:1", Map.of()),
                "events",
                "letters",
                null,
                null,
                null,
                new AuditOptions.Rollups(
                        ROLLUPS,
                        new PostgresConnection(
                                server.jdbcUrl(PostgresServer.ANALYTICS),
                                server.username(),
                                SecretRef.inFile("rollup.postgres.password", servers.postgresPasswordFile())),
                        new SourceOptions(source, Schema.NAME, Schema.EVENTS, Schema.CONTENT, null, EventRules.DEFAULT),
                        allowedLateness,
                        Duration.ofMinutes(1)));
    }

    /** Rows by SQL that is not the audit's; both databases are of one server, and the rows travel as text. */
    private void fillAsTheJob() throws SQLException {
        copy("views", """
                SELECT start, content_id::text, start + interval '2 min', count(*), 0, count(*)
                FROM (SELECT *, date_bin('2 min', event_ts, 'epoch') AS start FROM engagement_events) e
                WHERE event_type = 'play' GROUP BY start, content_id""");
        copy("people", """
                SELECT start, '1m', event_type, start + interval '1 min', count(*),
                  coalesce(sum((raw_payload ->> 'value')::numeric), 0), count(DISTINCT user_id), true,
                  count(*) - count(raw_payload), count(*)
                FROM engagement_events e, generate_series(TIMESTAMPTZ '%s' - interval '1 min', '%s', interval '30 s') AS start
                WHERE event_ts >= start AND event_ts < start + interval '1 min' GROUP BY start, event_type""".formatted(FROM, TO));
        copy("types", """
                SELECT start, content_type, start + interval '10 min', count(*), sum(duration_ms) / 1000.0,
                  count(DISTINCT user_id), true, 0, count(*)
                FROM (SELECT e.*, content_type, date_bin('10 min', event_ts, 'epoch') AS start
                  FROM engagement_events e JOIN content c ON c.id = content_id) e
                GROUP BY start, content_type""");
        copy("halves", """
                SELECT start, content_id::text, start + interval '10 min', count(*),
                  count(*) FILTER (WHERE duration_ms >= 5000), 0, count(*)
                FROM (SELECT *, date_bin('10 min', event_ts, 'epoch') AS start FROM engagement_events) e
                GROUP BY start, content_id""");
    }

    private void copy(String table, String select) throws SQLException {
        List<String> rows = new ArrayList<>();
        try (Connection source = server.connect();
                Statement statement = source.createStatement();
                var row = statement.executeQuery("SELECT r::text FROM (" + select + ") AS r")) {
            while (row.next()) {
                rows.add(row.getString(1));
            }
        }
        assertThat(rows).isNotEmpty();
        try (Connection connection = server.connect(PostgresServer.ANALYTICS);
                Statement statement = connection.createStatement()) {
            for (String row : rows) {
                statement.addBatch("INSERT INTO " + table + " SELECT (r).* FROM (SELECT '" + row + "'::" + table
                        + " AS r) AS one");
            }
            statement.executeBatch();
        }
    }

    private void rows(String sql) throws SQLException {
        try (Connection connection = server.connect(PostgresServer.ANALYTICS);
                Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    private AuditReport audit() throws Exception {
        try (PostgresSource source = PostgresSource.connect(options.database());
                PostgresCells cells = PostgresCells.connect(options.rollups())) {
            return new Audit(
                            options,
                            Range.of(FROM, TO),
                            source,
                            log,
                            Clock.systemUTC(),
                            time -> meanwhile.of(time),
                            progress -> {})
                    .run(null, null, cells);
        }
    }

    /** A finding by the rollup and its kind. */
    private static Finding finding(AuditReport report, String rollup, Kind kind) {
        Destination destination = report.destinations().stream()
                .filter(each -> each.what().equals("cells of " + rollup))
                .findFirst()
                .orElseThrow();
        assertThat(destination.name()).isEqualTo("rollups");
        return destination.findings().stream()
                .filter(each -> each.kind() == kind)
                .findFirst()
                .orElseThrow(() -> new AssertionError(kind + " of " + destination.findings()));
    }

    private static String at(int minutes) {
        return FROM.plus(Duration.ofMinutes(minutes)).toString();
    }

    private static String content(int number) {
        return new UUID(0, number).toString();
    }

    // ---------------------------------------------------------------------------------------------------- tests

    @Test
    void a_clean_run_raises_nothing() throws Exception {
        AuditReport report = audit();

        assertThat(Audits.found(report)).isEmpty();
        assertThat(report.isEqual()).isTrue();
        assertThat(report.events()).isEqualTo(600);
        assertThat(report.destinations())
                .extracting(each -> each.what() + " " + each.expected() + " " + each.present())
                .containsExactly(
                        "cells of views 50 50", "cells of people 78 78", "cells of types 4 4", "cells of halves 10 10");
        assertThat(log.asked).isFalse();
    }

    @Test
    void names_the_cells_that_differ_and_prints_what_mends_them() throws Exception {
        rows("DELETE FROM views WHERE window_start = '" + at(4) + "' AND content_id = '" + content(2) + "'");
        rows("INSERT INTO views VALUES ('" + at(8) + "', 'nobody', '" + at(10) + "', 2, 0, 2)");
        rows("UPDATE people SET value = value + 0.000001 WHERE window_start = '" + at(2) + "' AND event_type = 'play'");
        rows("UPDATE people SET window_end = window_end - interval '1 s' WHERE window_start = '" + at(3)
                + "' AND event_type = 'pause'");
        // Came after all, far too late.
        servers.sql("INSERT INTO engagement_events (content_id, event_type, event_ts) VALUES ('" + content(4)
                + "', 'click', '" + at(15) + "')");

        AuditReport report = audit();

        assertThat(report.isEqual()).isFalse();
        assertThat(finding(report, "views", Kind.MISSING).listed())
                .singleElement()
                .satisfies(item -> {
                    assertThat(item.id()).isEqualTo(at(4) + " " + content(2));
                    assertThat(item.detail()).startsWith("no row, and by SQL view_count ");
                });
        assertThat(finding(report, "views", Kind.EXTRA).listed())
                .containsExactly(new Item(at(8) + " nobody", "view_count 2, and by SQL no event"));
        assertThat(finding(report, "people", Kind.MISCOUNTED).listed())
                .extracting(Item::id)
                .containsExactly(at(2) + " play", at(3) + " pause");
        assertThat(finding(report, "people", Kind.MISSING).listed())
                .extracting(Item::id)
                .containsExactly(FROM.plusSeconds(14 * 60 + 30) + " click", at(15) + " click");
        assertThat(finding(report, "types", Kind.MISCOUNTED).listed())
                .singleElement()
                .satisfies(item -> {
                    assertThat(item.id()).isEqualTo(at(10) + " podcast");
                    assertThat(item.detail()).contains("count 180, by SQL 181", "of 180 events, by SQL of 181");
                });
        assertThat(finding(report, "views", Kind.MISSING).repairs())
                .containsExactly(
                        "flink run engagement-job.jar backfill --rollups views --from " + at(4) + " --to " + at(6));
        assertThat(finding(report, "people", Kind.MISSING).repairs())
                .containsExactly("flink run engagement-job.jar backfill --rollups people --from "
                        + FROM.plusSeconds(14 * 60 + 30) + " --to " + FROM.plusSeconds(15 * 60 + 30));
        assertThat(report.asText(true)).contains("DIFFERENT", "mended by", "rollup.allowed-lateness is 3600 s");
        assertThat(report.asJson(true))
                .contains("{\"destination\":\"rollups\",\"compared\":\"cells of views\",\"expected\":50,\"there\":49,")
                .contains("\"kind\":\"extra\",\"difference\":true,\"count\":1")
                .contains("\"repairs\":[\"flink run engagement-job.jar backfill --rollups");
    }

    @Test
    void names_as_many_as_were_asked_for_and_counts_all() throws Exception {
        rows("DELETE FROM views");

        Finding finding = finding(audit(), "views", Kind.MISSING);
        assertThat(finding.count()).isEqualTo(50);
        assertThat(finding.listed()).hasSize(3);
        assertThat(finding.repairs()).hasSize(1);
    }

    @Test
    void a_window_that_the_stream_still_corrects_is_mended_later() throws Exception {
        options = options(Duration.ofDays(1));
        rows("DELETE FROM halves WHERE window_start = '" + at(10) + "' AND content_id = '" + content(1) + "'");

        assertThat(finding(audit(), "halves", Kind.MISSING).repairs())
                .containsExactly("flink run engagement-job.jar backfill --rollups halves --from " + at(10) + " --to "
                        + at(20) + " # from " + TO.plus(Duration.ofDays(1))
                        + " on: until then the stream corrects these windows itself");
    }

    @Test
    void what_is_on_its_way_at_the_first_look_does_not_differ() throws Exception {
        rows("CREATE TABLE late AS SELECT * FROM types");
        rows("DELETE FROM types WHERE category = 'video'");
        meanwhile = time -> {
            try {
                rows("INSERT INTO types SELECT * FROM late WHERE category = 'video'");
                // And another one comes, of which the table does not know yet.
                servers.sql("INSERT INTO engagement_events (content_id, event_type, event_ts, duration_ms) VALUES ('"
                        + content(5) + "', 'click', '" + at(15) + "', 0)");
            } catch (SQLException e) {
                throw new AssertionError(e);
            }
        };

        AuditReport report = audit();
        assertThat(Audits.found(report)).isEmpty();
        assertThat(report.isEqual()).isTrue();
    }

    @Test
    void an_estimate_may_be_off_by_its_error_and_a_count_may_not() throws Exception {
        servers.sql("INSERT INTO engagement_events (content_id, user_id, event_type, event_ts, duration_ms) SELECT '"
                + content(5) + "', gen_random_uuid(), 'click', '" + at(5) + "', 0 FROM generate_series(1, 2000)");
        String late = "UPDATE types SET count = count + 2000, version = version + 2000, users = users + 2000 + %d,"
                + " unique_users_exact = %b WHERE window_start = '" + at(0) + "' AND category = 'podcast'";
        rows(late.formatted(100, false));
        assertThat(audit().destinations().get(2).findings()).isEmpty();

        rows("UPDATE types SET users = users + 100 WHERE window_start = '" + at(0) + "' AND category = 'podcast'");
        assertThat(finding(audit(), "types", Kind.MISCOUNTED).listed())
                .singleElement()
                .satisfies(item -> assertThat(item.detail()).startsWith("users 2217, by SQL 2017"));

        rows("UPDATE types SET users = users - 199, unique_users_exact = true WHERE window_start = '" + at(0)
                + "' AND category = 'podcast'");
        assertThat(finding(audit(), "types", Kind.MISCOUNTED).listed())
                .singleElement()
                .satisfies(item -> assertThat(item.detail()).isEqualTo("users 2018, by SQL 2017"));
    }

    @Test
    void events_that_are_dead_letters_are_in_no_cell() throws Exception {
        servers.sql("INSERT INTO engagement_events (id, content_id, event_type, event_ts) VALUES (1000, '" + content(1)
                + "', 'click', '" + at(15) + "'), (1001, '" + content(1) + "', 'click', '" + at(17) + "')");
        log.letters.add(Reason.OVERSIZE, 1000);

        AuditReport some = audit();
        assertThat(finding(some, "people", Kind.DEAD_LETTER).listed())
                .extracting(Item::id)
                .containsExactly(FROM.plusSeconds(14 * 60 + 30) + " click", at(15) + " click");
        assertThat(finding(some, "people", Kind.MISSING).listed())
                .extracting(Item::id)
                .containsExactly(FROM.plusSeconds(16 * 60 + 30) + " click", at(17) + " click");
        assertThat(finding(some, "types", Kind.MISCOUNTED).count()).isOne();

        log.letters.add(Reason.UNRESOLVED, 1001);
        AuditReport all = audit();
        assertThat(all.isEqual()).isTrue();
        assertThat(finding(all, "types", Kind.DEAD_LETTER).listed())
                .extracting(Item::id)
                .containsExactly(at(10) + " video");
        assertThat(finding(all, "halves", Kind.DEAD_LETTER).count()).isOne();
    }

    @Test
    void contents_that_were_changed_are_told_and_no_difference() throws Exception {
        servers.sql("UPDATE content SET content_type = 'newsletter' WHERE id = '" + content(3) + "'");
        servers.sql("UPDATE content SET length_seconds = 1 WHERE id = '" + content(4) + "'");

        AuditReport report = audit();
        assertThat(report.isEqual()).isTrue();
        Finding types = finding(report, "types", Kind.CONTENT_CHANGED);
        assertThat(types.note()).contains("as their contents were when they came");
        assertThat(types.count()).isEqualTo(4);
        assertThat(types.listed().get(0).id()).isEqualTo(at(0) + " newsletter");
        assertThat(finding(report, "halves", Kind.CONTENT_CHANGED).listed())
                .extracting(Item::id)
                .containsExactly(at(0) + " " + content(4), at(10) + " " + content(4));

        // One event too few is a difference, whatever else has changed.
        rows("UPDATE types SET count = count - 1, version = version - 1 WHERE window_start = '" + at(10)
                + "' AND category = 'video'");
        assertThat(finding(audit(), "types", Kind.MISCOUNTED).count()).isEqualTo(2);
    }

    @Test
    void what_was_purged_at_the_source_is_told_and_no_difference() throws Exception {
        servers.sql("DELETE FROM engagement_events WHERE event_ts < '" + at(5) + "'");

        AuditReport report = audit();
        assertThat(report.isEqual()).isTrue();
        assertThat(finding(report, "types", Kind.PURGED).count()).isEqualTo(2);
        assertThat(finding(report, "views", Kind.PURGED).count()).isEqualTo(15);
    }

    @Test
    void rows_that_have_gone_with_their_retention_are_not_expected() throws Exception {
        options = new AuditOptions(
                FROM.minus(Duration.ofDays(60)),
                TO,
                options.settle(),
                3,
                options.database(),
                options.kafka(),
                "events",
                "letters",
                null,
                null,
                null,
                options.rollups());
        servers.sql("INSERT INTO engagement_events (content_id, event_type, event_ts, duration_ms) VALUES ('"
                + content(1) + "', 'play', TIMESTAMPTZ '" + FROM + "' - interval '40 d', 0)");
        try (PostgresSource source = PostgresSource.connect(options.database());
                PostgresCells cells = PostgresCells.connect(options.rollups())) {
            AuditReport report = new Audit(
                            options,
                            Range.of(options.from(), TO),
                            source,
                            log,
                            Clock.systemUTC(),
                            time -> {},
                            progress -> {})
                    .run(null, null, cells);
            assertThat(report.isEqual()).isTrue();
            assertThat(report.asText(false)).contains("are not compared: their rows go after rollup.views.retention");
        }
    }

    @Test
    void the_command_answers_by_its_exit_code() throws Exception {
        String kafka = servers.kafka().bootstrapServers();
        KafkaTopics.ensure(
                new KafkaConnection(kafka, Map.of()),
                (short) 1,
                List.of(Topic.ofEvents("events"), Topic.ofDeadLetters("letters")));
        ByteArrayOutputStream said = new ByteArrayOutputStream();
        List<String> arguments = new ArrayList<>(List.of(
                "audit",
                "--rollups=views,halves",
                "--from=" + FROM,
                "--to=" + TO,
                "--audit.settle=10 ms",
                "--destinations=rollups",
                "--repair",
                "--kafka.bootstrap-servers=" + kafka,
                "--kafka.topics.events=events",
                "--kafka.topics.dead-letters=letters",
                "--postgres.url=" + server.jdbcUrl(),
                "--postgres.username=" + server.username(),
                "--postgres.password.secret-file=" + servers.postgresPasswordFile(),
                "--rollup.postgres.url=" + server.jdbcUrl(PostgresServer.ANALYTICS),
                "--rollup.postgres.username=" + server.username(),
                "--rollup.postgres.password.secret-file=" + servers.postgresPasswordFile()));
        for (String of : List.of("views", "halves")) {
            RollupDefinition rollup = ROLLUPS.stream()
                    .filter(each -> each.name().equals(of))
                    .findFirst()
                    .orElseThrow();
            arguments.add("--rollup." + of + ".by=content_id");
            arguments.add("--rollup." + of + ".window=" + rollup.windowMillis() + " ms");
        }
        arguments.add("--rollup.views.where=play");
        arguments.add("--rollup.views.measures=view_count=count");
        arguments.add("--rollup.halves.measures=count,half=count_if(engagement_pct >= 50)");

        assertThat(run(arguments, said))
                .as(said.toString(StandardCharsets.UTF_8))
                .isZero();
        assertThat(said.toString(StandardCharsets.UTF_8))
                .contains("cells of views", "cells of halves", "EQUAL")
                .doesNotContain("metrics");

        rows("DELETE FROM views WHERE content_id = '" + content(1) + "'");
        assertThat(run(arguments, said)).isEqualTo(1);
        assertThat(said.toString(StandardCharsets.UTF_8)).contains("backfill --rollups views --from " + at(0));

        rows("DROP TABLE views");
        assertThat(run(arguments, said)).isEqualTo(2);
        assertThat(said.toString(StandardCharsets.UTF_8)).contains("CREATE TABLE IF NOT EXISTS \"views\"");

        arguments.add("--dry-run");
        assertThat(run(arguments, said)).isZero();
        assertThat(said.toString(StandardCharsets.UTF_8))
                .contains("Cost: --rollups: PostgreSQL reads the whole table 2 times");
    }

    private static int run(List<String> arguments, ByteArrayOutputStream said) {
        said.reset();
        PrintStream out = new PrintStream(said, true, StandardCharsets.UTF_8);
        return EngagementJob.run(arguments.toArray(String[]::new), Map.of(), out, out);
    }

    @Test
    void a_database_that_does_not_answer_is_named() {
        AuditOptions.Rollups rollups = options.rollups();
        assertThatThrownBy(() -> PostgresCells.connect(new AuditOptions.Rollups(
                        ROLLUPS,
                        new PostgresConnection("jdbc:postgresql://127.0.0.1:1/analytics", "nobody", SecretRef.none()),
                        rollups.source(),
                        rollups.allowedLateness(),
                        rollups.maxClockSkew())))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("127.0.0.1:1");
    }

    /** The topics, of which only letters are asked for here. */
    private static final class ScriptedLog implements EventLog {

        private final Letters letters = Letters.none();
        private boolean asked;

        @Override
        public Letters letters(IdSet ids) {
            asked = true;
            Letters those = Letters.none();
            for (Reason reason : Reason.values()) {
                ids.forEach(id -> {
                    if (letters.has(Set.of(reason), id)) {
                        those.add(reason, id);
                    }
                });
            }
            return those;
        }

        @Override
        public Captured captured(IdSet ids, Range range) {
            throw new AssertionError("Nothing of rollups is in the topic of events");
        }

        @Override
        public void receipts(Range range, Receipts each) {
            throw new AssertionError("There is no delivery");
        }

        @Override
        public void earlierReceipts(Receipts each) {
            throw new AssertionError("There is no delivery");
        }

        @Override
        public Retries retries(IdSet ids) {
            throw new AssertionError("There is no delivery");
        }
    }
}
