package dev.engagement.clickhouse;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.engagement.connection.SecretRef;
import dev.engagement.event.Content;
import dev.engagement.event.EngagementEvent;
import dev.engagement.event.EngagementRule;
import dev.engagement.event.EnrichedEvent;
import dev.engagement.event.EventIdKind;
import dev.engagement.event.Position;
import dev.engagement.event.Timestamps;
import dev.engagement.local.ClickHouseProcess;
import dev.engagement.rowstore.Appended;
import dev.engagement.rowstore.CheckpointLineage;
import dev.engagement.rowstore.RowApi;
import dev.engagement.rowstore.RowEncoder;
import dev.engagement.rowstore.RowFailure;
import dev.engagement.rowstore.RowVerdict;
import dev.engagement.rowstore.StoreTable;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.stream.LongStream;
import org.apache.flink.configuration.MemorySize;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInfo;
import org.junit.jupiter.api.io.TempDir;

/** Each step from a row to the table, on the real engine, with a crash or a lost answer at each of them. */
class StagingTablesIT {

    private static final long GUARD_MINUTES = 5;
    private static final Duration RETENTION = Duration.ofDays(1);
    private static final String EVENT_TS = "2026-03-01T00:00:00.000000Z";

    @TempDir
    static Path directory;

    private static ClickHouseProcess server;
    private static Path password;

    private ClickHouseOptions options;
    private StagingTables api;

    @BeforeAll
    static void start() throws Exception {
        server = ClickHouseProcess.start(directory.resolve("server"), 0);
        password = Files.writeString(directory.resolve("password"), ClickHouseProcess.PASSWORD + "\n");
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    @BeforeEach
    void table(TestInfo test) throws Exception {
        options = options(test.getTestMethod().orElseThrow().getName());
        ClickHouse.prepare(options);
        // What is there once must be there once without any merge.
        server.query("SYSTEM STOP MERGES " + options.tableName());
        api = new StagingTables(options);
    }

    @AfterEach
    void close() {
        api.close();
        server.faults("[]");
    }

    private static ClickHouseOptions options(String table) {
        return options(table, ClickHouseOptions.Payload.STRING);
    }

    private static ClickHouseOptions options(String table, ClickHouseOptions.Payload payload) {
        return options(table, payload, EventIdKind.LONG);
    }

    private static ClickHouseOptions options(String table, ClickHouseOptions.Payload payload, EventIdKind ids) {
        return new ClickHouseOptions(
                List.of(URI.create(server.url())),
                ClickHouseProcess.USERNAME,
                SecretRef.inFile("clickhouse.password", password.toString()),
                "engagement",
                table.substring(0, Math.min(80, table.length())),
                new ClickHouseOptions.Layout(ClickHouseOptions.Partition.MONTH, null, payload, true),
                new ClickHouseOptions.Limits(
                        MemorySize.ofMebiBytes(16),
                        MemorySize.ofMebiBytes(1),
                        Duration.ofSeconds(1),
                        Duration.ofMinutes(10),
                        RETENTION),
                false,
                false,
                ids);
    }

    @Test
    void rows_are_seen_when_they_are_shown_and_not_before() throws Exception {
        Appended rows = appended(1, 10);
        assertThat(count()).isEqualTo("0 0");

        show(rows);

        assertThat(count()).isEqualTo("10 10");
        assertThat(server.query("SHOW TABLES FROM engagement LIKE '" + options.table() + "_staging%'"))
                .isEmpty();
    }

    @Test
    void every_column_is_what_the_event_says() throws Exception {
        show(appended(7, 7));

        assertThat(server.query("SELECT * FROM " + options.tableName() + " FORMAT JSONEachRow"))
                .isEqualTo("{\"event_id\":7,\"content_id\":\"c-7\",\"user_id\":null,\"event_type\":\"play\","
                        + "\"event_ts\":\"2026-03-01 00:00:00.000000\",\"duration_ms\":7000,\"device\":\"web\","
                        + "\"raw_payload\":\"{\\\"at\\\": 1.10}\",\"slug\":\"s\",\"title\":\"T 'ü\\\\\",\"content_type\":\"video\","
                        + "\"length_seconds\":300,\"publish_ts\":\"1999-12-31 23:59:59.999999\","
                        + "\"engagement_seconds\":7,\"engagement_pct\":0.02}\n");
    }

    @Test
    void showing_again_changes_nothing() throws Exception {
        Appended rows = appended(1, 10);
        show(rows);
        show(rows);

        assertThat(count()).isEqualTo("10 10");
    }

    @Test
    void an_insert_whose_answer_was_lost_is_there_once() throws Exception {
        server.faults(
                "[{\"statement\": \"INSERT INTO " + options.tableName() + "_staging\", \"does\": \"LOSE_ANSWER\"}]");
        RowApi.Appender appender = get(api.open(null));
        List<byte[]> rows = rows(1, 10);
        assertThatThrownBy(() -> get(appender.append(rows, 0)))
                .hasCauseInstanceOf(RowFailure.class)
                .satisfies(e -> assertThat(((RowFailure) e.getCause()).verdict(RowVerdict.Operation.APPEND))
                        .isEqualTo(RowVerdict.TRANSIENT));
        get(appender.append(rows, 0));
        get(appender.append(rows(11, 12), 10));
        get(appender.append(rows, 0));

        show(complete(appender, 12));

        assertThat(count()).isEqualTo("12 12");
    }

    @Test
    void a_server_that_is_killed_around_each_move_shows_each_row_once() throws Exception {
        for (String when : List.of("KILL_BEFORE", "KILL_AFTER")) {
            for (String statement : List.of("MOVE PARTITION", "DROP TABLE", "OPTIMIZE")) {
                int before = Integer.parseInt(count().split(" ")[0]);
                RowApi.Appender appender = get(api.open(null));
                get(appender.append(rows(before + 1, before + 5), 0));
                server.faults("[{\"statement\": \"" + statement + "\", \"does\": \"" + when + "\"}]");
                Appended rows = untilAnswered(() -> complete(appender, 5));
                untilAnswered(() -> {
                    show(rows);
                    return rows;
                });

                assertThat(count()).as(when + " " + statement).isEqualTo((before + 5) + " " + (before + 5));
            }
        }
    }

    @Test
    void a_part_that_came_back_into_the_staging_table_is_not_moved_again() throws Exception {
        Appended rows = appended(1, 10);
        // As after a kill inside a move: the part is in the table, and still in the staging table.
        server.query("ALTER TABLE " + options.tableName() + " ATTACH PARTITION ID '202603' FROM " + rows.stream());

        show(rows);

        assertThat(count()).isEqualTo("10 10");
    }

    @Test
    void two_who_show_the_same_rows_at_once_show_them_once() throws Exception {
        for (int round = 0; round < 20; round++) {
            Appended rows = appended(round * 10 + 1, round * 10 + 10);
            StagingTables zombie = new StagingTables(options);
            List<CompletableFuture<Void>> both = List.of(api.show(rows), zombie.show(rows));
            for (CompletableFuture<Void> one : both) {
                var unused = one.handle((nothing, failure) -> failure).get(GUARD_MINUTES, TimeUnit.MINUTES);
            }
            show(rows);
            zombie.close();
        }

        assertThat(count()).isEqualTo("200 200");
    }

    @Test
    void a_staging_table_that_somebody_dropped_is_told() throws Exception {
        Appended rows = appended(1, 10);
        server.query("DROP TABLE " + rows.stream() + " SYNC");

        assertThatThrownBy(() -> show(rows))
                .hasCauseInstanceOf(RowFailure.class)
                .hasMessageContaining(rows.stream().substring(rows.stream().indexOf('.') + 1))
                .satisfies(e -> assertThat(((RowFailure) e.getCause()).verdict(RowVerdict.Operation.SHOW))
                        .isEqualTo(RowVerdict.STREAM_LOST));
    }

    @Test
    void rows_that_are_wrong_are_named_and_none_of_their_insert_is_there() throws Exception {
        ClickHouseOptions objects = options("objects", ClickHouseOptions.Payload.JSON);
        ClickHouse.prepare(objects);
        api.close();
        api = new StagingTables(objects);
        RowApi.Appender appender = get(api.open(null));
        List<byte[]> rows = new ArrayList<>(rows(1, 6));
        rows.set(1, row(2, "{\"at\": }"));
        rows.set(4, row(5, "{"));

        assertThatThrownBy(() -> get(appender.append(rows, 0))).satisfies(e -> assertThat(
                        ((RowFailure) e.getCause()).rowErrors().keySet())
                .containsExactly(1, 4));
        assertThat(server.query("SELECT count() FROM " + appender.stream())).isEqualTo("0\n");
    }

    @Test
    void of_two_labels_at_once_the_first_stands() throws Exception {
        StoreTable table = new ClickHouseTable(options, options.tableName());
        StoreTable.Read read = Objects.requireNonNull(table.read());

        assertThat(table.label(read, new CheckpointLineage.FencingLabel("a", 7)))
                .isTrue();
        assertThat(table.label(read, new CheckpointLineage.FencingLabel("b", 8)))
                .isFalse();
        assertThat(Objects.requireNonNull(table.read()).label()).isEqualTo(new CheckpointLineage.FencingLabel("a", 7));
    }

    @Test
    void an_event_with_a_text_for_an_id_and_without_a_content_is_a_row_once() throws Exception {
        ClickHouseOptions texts = options("texts", ClickHouseOptions.Payload.STRING, EventIdKind.TEXT);
        ClickHouse.prepare(texts);
        api.close();
        api = new StagingTables(texts);
        RowApi.Appender appender = get(api.open(null));
        EngagementEvent event = event(1, "{}").event();
        EnrichedEvent without = new EnrichedEvent(
                new EngagementEvent(
                        0,
                        "01J-a_Z",
                        null,
                        null,
                        null,
                        event.eventTsMicros(),
                        EngagementEvent.NO_DURATION,
                        null,
                        null,
                        false,
                        0,
                        event.position()),
                Content.NONE,
                EngagementRule.DEFAULT.enrich(event, Content.NONE).engagement());
        get(appender.append(List.of(encoded(texts, without)), 0));
        Appended rows = complete(appender, 1);
        server.query("ALTER TABLE " + texts.tableName() + " ATTACH PARTITION ID '202603' FROM " + rows.stream());

        show(rows);

        assertThat(server.query("SELECT event_id, content_id, title, event_type FROM " + texts.tableName()))
                .isEqualTo("01J-a_Z\t\t\\N\t\\N\n");
    }

    @Test
    void staging_tables_of_failed_attempts_go_and_those_that_may_be_wanted_stay() throws Exception {
        String old = staging();
        String young = staging();
        String byHand = options.tableName() + "_staging_copy";
        server.query("CREATE TABLE " + byHand + " AS " + options.tableName());
        age(old);
        age(byHand);

        // It may be of the checkpoint that the job was started from: others may still be showing theirs.
        show(appended(1, 2, 7));
        assertThat(stagingTables()).containsExactlyInAnyOrder(old, young, byHand);
        show(appended(3, 4, 8));

        assertThat(stagingTables()).containsExactlyInAnyOrder(young, byHand);
    }

    private String staging() throws Exception {
        return get(api.open(null)).stream();
    }

    /** Makes it look as if it had been made before the retention; ClickHouse tells by the file that defines it. */
    private static void age(String table) throws Exception {
        String[] name = table.split("\\.");
        String file = server.query("SELECT metadata_path FROM system.tables WHERE database = '" + name[0]
                        + "' AND name = '" + name[1] + "'")
                .strip();
        var unused = Files.setLastModifiedTime(
                directory.resolve("server/data").resolve(file),
                FileTime.from(Instant.now().minus(RETENTION).minusSeconds(60)));
    }

    private List<String> stagingTables() {
        return server.query("SHOW TABLES FROM engagement LIKE '" + options.table() + "_staging%'")
                .lines()
                .map(name -> "engagement." + name)
                .toList();
    }

    // -------------------------------------------------------------------------------------------------------------

    @FunctionalInterface
    private interface Step {
        Appended take() throws Exception;
    }

    /** As the job does: what is not answered is asked again, of a server that was started again. */
    private static Appended untilAnswered(Step step) throws Exception {
        while (true) {
            try {
                return step.take();
            } catch (ExecutionException e) {
                assertThat(((RowFailure) e.getCause()).verdict(RowVerdict.Operation.SHOW))
                        .isEqualTo(RowVerdict.TRANSIENT);
                server.restart();
            }
        }
    }

    private Appended appended(long first, long last) throws Exception {
        return appended(first, last, 1);
    }

    private Appended appended(long first, long last, long checkpoint) throws Exception {
        RowApi.Appender appender = get(api.open(null));
        get(appender.append(rows(first, last), 0));
        return complete(appender, (int) (last - first + 1), checkpoint);
    }

    private Appended complete(RowApi.Appender appender, int rows) throws Exception {
        return complete(appender, rows, 1);
    }

    private Appended complete(RowApi.Appender appender, int rows, long checkpoint) throws Exception {
        byte[] detail = get(api.complete(appender.stream(), rows));
        return new Appended(appender.stream(), rows - 1L, detail, checkpoint, new CheckpointLineage("run", List.of()));
    }

    private void show(Appended rows) throws Exception {
        var unused = get(api.show(rows));
    }

    private static <T> T get(CompletableFuture<T> future) throws Exception {
        return future.get(GUARD_MINUTES, TimeUnit.MINUTES);
    }

    private String count() {
        return server.query("SELECT count(), uniqExact(event_id) FROM " + options.tableName())
                .strip()
                .replace('\t', ' ');
    }

    private static List<byte[]> rows(long first, long last) {
        return LongStream.rangeClosed(first, last)
                .mapToObj(id -> row(id, "{\"at\": 1.10}"))
                .toList();
    }

    private static byte[] row(long id, String payload) {
        return encoded(options("any"), event(id, payload));
    }

    private static byte[] encoded(ClickHouseOptions options, EnrichedEvent event) {
        return Objects.requireNonNull(new ClickHouseRowEncoder(options).encode(event, new RowEncoder.Notes() {
            @Override
            public void refused(String why) {
                throw new AssertionError(why);
            }

            @Override
            public void rounded() {}
        }));
    }

    private static EnrichedEvent event(long id, String payload) {
        return EngagementRule.DEFAULT.enrich(
                new EngagementEvent(
                        id,
                        "c-" + id,
                        null,
                        "play",
                        Timestamps.parse(EVENT_TS),
                        7_000,
                        "web",
                        payload,
                        false,
                        0,
                        new Position(0, id, 0)),
                new Content("c-" + id, "s", "T 'ü\\", "video", 300, Timestamps.parse("1999-12-31T23:59:59.999999Z")));
    }
}
