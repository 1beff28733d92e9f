package dev.engagement.backfill;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.engagement.connection.KafkaConnection;
import dev.engagement.connection.PostgresConnection;
import dev.engagement.connection.SecretRef;
import dev.engagement.connection.testing.ManualPause;
import dev.engagement.event.Content;
import dev.engagement.event.ContentChange;
import dev.engagement.event.EventId;
import dev.engagement.event.Position;
import dev.engagement.ingest.EventRules;
import dev.engagement.ingest.RecordKey;
import dev.engagement.local.PostgresServer;
import dev.engagement.local.bigquery.BigQueryEmulator;
import dev.engagement.local.bigquery.ComparedRows;
import dev.engagement.local.testing.SharedServers;
import dev.engagement.source.RangeOptions;
import dev.engagement.source.SourceOptions;
import dev.engagement.source.SourceTables;
import dev.engagement.warehouse.Warehouse;
import dev.engagement.warehouse.WarehouseIds;
import dev.engagement.warehouse.WarehouseOptions;
import dev.engagement.warehouse.testing.LocalWarehouse;
import java.io.IOException;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentSkipListSet;
import java.util.function.LongConsumer;
import java.util.function.LongSupplier;
import org.apache.flink.configuration.MemorySize;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a backfill reads: on PostgreSQL and the emulator, with a stream that shows rows when it is told to. */
class BackfillCostIT {

    private static final Path DIRECTORY = Path.of("target/it/backfill-cost");
    private static final Instant BEGIN = Instant.parse("2026-01-01T00:00:00Z");
    private static final int DAYS = 4;
    private static final int ROWS_A_DAY = 960;
    private static final long MICROS_BETWEEN = 90_000_000;
    /** Ids lie apart, as those of a table that is shared. */
    private static final long ID_STEP = 50_000;

    private static SharedServers servers;
    private static PostgresServer postgres;
    private static BigQueryEmulator bigQuery;
    private static int tables;

    private final String table = "cost_" + tables++;

    @BeforeAll
    static void start() throws Exception {
        servers = SharedServers.lease(DIRECTORY);
        postgres = servers.postgres();
        bigQuery = servers.bigQuery().emulator();
        servers.sql("INSERT INTO content VALUES ('" + CONTENT + "', 's', 't', 'video', 60, now())");
        servers.sql("""
            INSERT INTO engagement_events (id, content_id, event_type, event_ts, duration_ms)
            SELECT 1 + n * %d, '%s', 'play', TIMESTAMPTZ '%s' + n * INTERVAL '90 s', 5
            FROM generate_series(0, %d) AS n""".formatted(ID_STEP, CONTENT, BEGIN, DAYS * ROWS_A_DAY - 1));
    }

    private static final String CONTENT = "00000000-0000-4000-8000-000000000001";

    @AfterAll
    static void stop() {
        servers.close();
    }

    @BeforeEach
    void everySecondRowIsThere() throws Exception {
        Warehouse.prepare(warehouse());
        List<ComparedRows.Row> rows = new ArrayList<>();
        for (long n = 0; n < DAYS * ROWS_A_DAY; n += 2) {
            rows.add(row(n));
        }
        ComparedRows.append(bigQuery.grpc(), table, rows);
    }

    @AfterEach
    void noIndex() throws SQLException {
        servers.sql("DROP INDEX IF EXISTS by_time");
    }

    private static ComparedRows.Row row(long n) {
        return new ComparedRows.Row(1 + n * ID_STEP, CONTENT, BEGIN.toEpochMilli() * 1_000 + n * MICROS_BETWEEN, 5);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void bytes_grow_with_the_range_and_not_with_its_square_nor_with_the_table(boolean indexed) throws Exception {
        if (indexed) {
            servers.sql("CREATE INDEX by_time ON engagement_events (event_ts)");
        }
        servers.sql("ANALYZE engagement_events");
        Map<Integer, Long> bytes = new HashMap<>();
        for (int days : List.of(1, 2, 4)) {
            long before = bigQuery.stats().bytesProcessed();
            Lines told = new Lines();
            ManualPause pause = new ManualPause();
            Outcome outcome =
                    new Backfill(options(days, true), new InTable(), Shown::new, pause, pause::nanoTime).run(told);
            bytes.put(days, bigQuery.stats().bytesProcessed() - before);
            assertThat(outcome).isEqualTo(new Outcome(0, days * ROWS_A_DAY / 2L));
            assertThat(told.lines.get(0))
                    .isEqualTo(String.format(
                            Locale.ROOT,
                            "Cost: BigQuery reads %.3f GB (by its dry run), and as much of the days with missing rows"
                                    + " after each checkpoint until they are there; PostgreSQL reads %s",
                            bytes.get(days) / 1e9,
                            indexed
                                    ? String.format(Locale.ROOT, "%,d rows twice", days * ROWS_A_DAY)
                                    : String.format(
                                            Locale.ROOT,
                                            "its whole table twice, some %,d rows each time",
                                            DAYS * ROWS_A_DAY)));
            assertThat(String.join("\n", told.lines)
                            .contains("CREATE INDEX CONCURRENTLY ON \"public\".\"engagement_events\""
                                    + " (event_ts, id)"))
                    .isEqualTo(!indexed);
        }
        // An id and a time of each row of the day.
        assertThat(bytes.get(1)).isEqualTo(16L * ROWS_A_DAY / 2);
        assertThat(bytes).containsEntry(2, 2 * bytes.get(1)).containsEntry(4, 4 * bytes.get(1));
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void what_is_open_is_asked_for_once_a_checkpoint_and_of_days_that_lack_something(boolean indexed) throws Exception {
        if (indexed) {
            servers.sql("CREATE INDEX by_time ON engagement_events (event_ts, id)");
        }
        Shown shown = new Shown();
        InTable known = new InTable();
        ManualPause pause = new ManualPause();

        Outcome outcome =
                new Backfill(options(DAYS, false), known, () -> shown, pause, pause::nanoTime).run(new Lines());

        assertThat(outcome).isEqualTo(new Outcome(DAYS * ROWS_A_DAY / 2L, DAYS * ROWS_A_DAY / 2L));
        assertThat(shown.published).hasSize(DAYS * ROWS_A_DAY / 2);
        // Each day once for its rows; then one of them at once, and until the rows show, at the third of three
        // checkpoints; then the others, once each.
        assertThat(known.asked - DAYS).isBetween(DAYS, DAYS + Shown.CHECKPOINTS);
    }

    @Test
    void of_rare_checkpoints_none_is_asked_for_twice_and_no_day_waits_for_one_that_brings_nothing() throws Exception {
        Duration interval = Duration.ofMinutes(5);
        ManualPause pause = new ManualPause();
        Shown shown = new Shown(() -> pause.passed().toMillis() / interval.toMillis());
        InTable known = new InTable();

        Outcome outcome =
                new Backfill(options(DAYS, false), known, () -> shown, pause, pause::nanoTime).run(new Lines());

        assertThat(outcome).isEqualTo(new Outcome(DAYS * ROWS_A_DAY / 2L, DAYS * ROWS_A_DAY / 2L));
        assertThat(known.asked - DAYS).isEqualTo(DAYS + Shown.CHECKPOINTS);
        assertThat(pause.passed())
                .isBetween(
                        interval.multipliedBy(Shown.CHECKPOINTS),
                        interval.multipliedBy(Shown.CHECKPOINTS).plusSeconds(2));
    }

    @Test
    void no_snapshot_waits_for_the_warehouse() throws Exception {
        servers.sql("CREATE INDEX by_time ON engagement_events (event_ts, id)");
        List<Integer> snapshots = new ArrayList<>();
        Shown shown = new Shown();
        WarehouseLookup known = new WarehouseLookup() {
            @Override
            public void idsIn(RangeOptions range, LongConsumer each) {
                snapshots.add(number("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                        + " AND application_name = 'engagement-backfill' AND xact_start IS NOT NULL"));
                shown.idsIn(range, each);
            }

            @Override
            public long bytesToRead(RangeOptions range) {
                return 0;
            }
        };
        ManualPause pause = new ManualPause();

        new Backfill(options(DAYS, false, null, 1), known, () -> shown, pause, pause::nanoTime).run(new Lines());

        assertThat(snapshots).hasSizeGreaterThan(2 * DAYS).containsOnly(0);
    }

    @Test
    void a_page_is_read_in_the_order_of_the_index() throws Exception {
        servers.sql("CREATE INDEX by_time ON engagement_events (event_ts, id)");
        SourceTables database = new SourceTables(options(DAYS, false).source(), "test");
        StringBuilder plan = new StringBuilder();
        try (Connection connection = database.connect();
                PreparedStatement statement =
                        connection.prepareStatement("EXPLAIN " + database.eventsByTime(false, 10, null))) {
            statement.setString(1, BEGIN.toString());
            statement.setString(2, BEGIN.plus(Duration.ofDays(DAYS)).toString());
            try (ResultSet rows = statement.executeQuery()) {
                while (rows.next()) {
                    plan.append(rows.getString(1)).append('\n');
                }
            }
        }
        assertThat(plan.toString()).contains("by_time").doesNotContain("Sort");
    }

    @Test
    void the_index_that_is_advised_for_a_partitioned_table_can_be_made() throws Exception {
        servers.sql("CREATE TABLE parted (LIKE engagement_events) PARTITION BY RANGE (event_ts)");
        servers.sql("CREATE TABLE parted_all PARTITION OF parted FOR VALUES FROM (MINVALUE) TO (MAXVALUE)");
        try {
            SourceOptions of = options(DAYS, false).source();
            SourceTables database = new SourceTables(
                    new SourceOptions(
                            of.postgres(), of.schema(), "parted", of.contentTable(), null, EventRules.DEFAULT),
                    "test");
            try (Connection connection = database.connect()) {
                assertThat(database.timeIndex(connection).isOrdered()).isFalse();
                String advice = database.timeIndex(connection).advice();
                servers.sql(advice.substring(0, advice.indexOf(", which")));
                assertThat(database.timeIndex(connection).isOrdered()).isTrue();
            }
        } finally {
            servers.sql("DROP TABLE parted");
        }
    }

    @Test
    void rows_of_one_time_and_of_midnight_are_read_once_each_on_pages_and_across_days() throws Exception {
        servers.sql("CREATE INDEX by_time ON engagement_events (event_ts)");
        servers.sql("INSERT INTO engagement_events (id, content_id, event_type, event_ts) SELECT -n, '" + CONTENT
                + "', 'play', '2026-01-03 00:00:00+00' FROM generate_series(1, 60000) AS n");
        try {
            Shown shown = new Shown();
            ManualPause pause = new ManualPause();
            Outcome outcome =
                    new Backfill(options(DAYS, false), shown, () -> shown, pause, pause::nanoTime).run(new Lines());

            assertThat(outcome).isEqualTo(new Outcome(60_000 + DAYS * ROWS_A_DAY, 0));
            assertThat(shown.published).hasSize(60_000 + DAYS * ROWS_A_DAY);
            assertThat(shown.publications).isEqualTo(60_000 + DAYS * ROWS_A_DAY);
        } finally {
            servers.sql("DELETE FROM engagement_events WHERE id < 0");
        }
    }

    @Test
    void what_the_publication_leaves_out_is_not_published_if_that_is_meant() throws Exception {
        servers.sql(
                "CREATE PUBLICATION odd FOR TABLE engagement_events WHERE (id % 100000 = 1) WITH (publish = 'insert')");
        try {
            Shown shown = new Shown();
            ManualPause pause = new ManualPause();
            BackfillOptions options = options(DAYS, false, "odd");

            Outcome outcome = new Backfill(options, shown, () -> shown, pause, pause::nanoTime).run(new Lines());

            assertThat(outcome).isEqualTo(new Outcome(DAYS * ROWS_A_DAY / 2L, 0));
            assertThat(shown.published)
                    .allSatisfy(id -> assertThat(id % 100_000).isEqualTo(1));
        } finally {
            servers.sql("DROP PUBLICATION odd");
        }
    }

    @Test
    void columns_that_do_not_come_through_are_published_empty() throws Exception {
        servers.sql("UPDATE engagement_events SET user_id = content_id");
        servers.sql("CREATE PUBLICATION odd FOR TABLE engagement_events (id, content_id, event_type, event_ts),"
                + " content (id, slug, title) WITH (publish = 'insert')");
        servers.sql("ALTER TABLE engagement_events RENAME device TO gadget");
        try {
            Shown shown = new Shown();
            ManualPause pause = new ManualPause();
            Outcome outcome =
                    new Backfill(options(1, false, "odd"), shown, () -> shown, pause, pause::nanoTime).run(new Lines());

            assertThat(outcome).isEqualTo(new Outcome(ROWS_A_DAY, 0));
            assertThat(shown.anEvent)
                    .contains("\"event_type\":\"play\"")
                    .contains("\"user_id\":null")
                    .contains("\"duration_ms\":null")
                    .contains("\"device\":null");
            assertThat(shown.contents.get(CONTENT))
                    .contains("\"slug\":\"s\"")
                    .contains("\"content_type\":null")
                    .contains("\"length_seconds\":null");
        } finally {
            servers.sql("ALTER TABLE engagement_events RENAME gadget TO device");
            servers.sql("UPDATE engagement_events SET user_id = NULL");
            servers.sql("DROP PUBLICATION odd");
        }
    }

    @Test
    void a_content_that_the_publication_hides_is_neither_published_nor_deleted() throws Exception {
        String hidden = CONTENT.replace("000000000001", "000000000002");
        String unknown = CONTENT.replace("000000000001", "000000000003");
        String gone = CONTENT.replace("000000000001", "000000000004");
        servers.sql("INSERT INTO content VALUES ('" + hidden + "', 'h', 't', 'podcast', 60, now()), ('" + unknown
                + "', 'u', 't', 'podcast', 60, now())");
        servers.sql("CREATE PUBLICATION odd FOR TABLE engagement_events, content WHERE (content_type = 'video')"
                + " WITH (publish = 'insert')");
        try {
            Shown shown = new Shown();
            shown.said.add(hidden);
            shown.said.add(gone);
            ManualPause pause = new ManualPause();
            Lines told = new Lines();

            new Backfill(options(1, false, "odd"), shown, () -> shown, pause, pause::nanoTime).run(told);

            assertThat(shown.contents).containsOnlyKeys(CONTENT, gone);
            assertThat(shown.contents.get(gone)).isNull();
            assertThat(told.lines)
                    .contains("1 contents of contents are left as they are there, as the publication leaves out their"
                            + " rows (" + hidden + ")");
        } finally {
            servers.sql("DROP PUBLICATION odd");
            servers.sql("DELETE FROM content WHERE id <> '" + CONTENT + "'");
        }
    }

    // ------------------------------------------------------------------------------------------------- the stores

    private static int number(String query) {
        try (Connection connection = postgres.connect();
                Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(query)) {
            row.next();
            return row.getInt(1);
        } catch (SQLException e) {
            throw new IllegalStateException(query, e);
        }
    }

    /** The emulator's table. */
    private final class InTable implements WarehouseLookup {
        private final WarehouseIds ids = WarehouseIds.of(warehouse());
        private int asked;

        @Override
        public void idsIn(RangeOptions range, LongConsumer each) throws IOException, InterruptedException {
            synchronized (this) {
                asked++;
            }
            ids.between(range.fromMicros(), range.toMicros(), each);
        }

        @Override
        public long bytesToRead(RangeOptions range) throws IOException, InterruptedException {
            return ids.bytesToRead(range.fromMicros(), range.toMicros());
        }
    }

    /** A stream that completes checkpoints by and by, and shows with the last of three what was published. */
    private final class Shown implements StreamGateway, WarehouseLookup {
        private static final int CHECKPOINTS = 3;
        private static final int LOOKS_A_CHECKPOINT = 40;

        private final Set<Long> published = new ConcurrentSkipListSet<>();
        private int publications;
        private int looks;
        private boolean isShown;
        private String anEvent = "";
        /** What the content topic says, each by the id alone. */
        private final List<String> said = new ArrayList<>();
        /** What was published of each content. */
        private final Map<String, @Nullable String> contents = new HashMap<>();

        private final LongSupplier completed;

        Shown() {
            this.completed = () -> looks / LOOKS_A_CHECKPOINT;
        }

        /** @param completed says how many checkpoints have completed */
        Shown(LongSupplier completed) {
            this.completed = completed;
        }

        @Override
        public synchronized void publish(EventId id, byte[] envelope) {
            publications++;
            anEvent = new String(envelope, UTF_8);
            published.add(id.number());
        }

        @Override
        public void publishContent(byte[] key, byte @Nullable [] envelope) {
            contents.put(
                    new String(key, UTF_8).split("\"", -1)[3], envelope == null ? null : new String(envelope, UTF_8));
        }

        @Override
        public void contents(EachContent each) {
            for (String id : said) {
                Content content = new Content(id, "before", "t", "video", 60, null);
                each.take(
                        new ContentChange.Put(content, ContentChange.Unchanged.NOTHING, new Position(0, 0, 0)),
                        RecordKey.ofContent(id, false));
            }
        }

        @Override
        public Map<Integer, Long> flush() {
            return Map.of(0, (long) CHECKPOINTS);
        }

        @Override
        public Map<Integer, Long> takenIn() {
            looks++;
            long checkpoint = Math.min(CHECKPOINTS, completed.getAsLong());
            if (checkpoint == CHECKPOINTS && !isShown) {
                isShown = true;
                ComparedRows.append(
                        bigQuery.grpc(),
                        table,
                        published.stream()
                                .filter(id -> id > 0)
                                .map(id -> row((id - 1) / ID_STEP))
                                .toList());
            }
            return Map.of(0, checkpoint);
        }

        /** As a warehouse that has all of it once it is shown, and nothing else. */
        @Override
        public void idsIn(RangeOptions range, LongConsumer each) {
            if (isShown) {
                published.forEach(each::accept);
            }
        }

        @Override
        public long bytesToRead(RangeOptions range) {
            return 0;
        }

        @Override
        public void letters(EachLetter each) {}

        @Override
        public void close() {}
    }

    private static BackfillOptions options(int days, boolean dryRun) throws Exception {
        return options(days, dryRun, null);
    }

    private static BackfillOptions options(int days, boolean dryRun, @Nullable String publication) throws Exception {
        return options(days, dryRun, publication, 2);
    }

    private static BackfillOptions options(int days, boolean dryRun, @Nullable String publication, int readers)
            throws Exception {
        return new BackfillOptions(
                new SourceOptions(
                        new PostgresConnection(
                                postgres.jdbcUrl(),
                                postgres.username(),
                                SecretRef.inFile("postgres.password", servers.postgresPasswordFile())),
                        "public",
                        "engagement_events",
                        "content",
                        publication,
                        EventRules.DEFAULT),
                RangeOptions.of(BEGIN, BEGIN.plus(Duration.ofDays(days))),
                null,
                false,
                dryRun,
                Duration.ofMinutes(30),
                Duration.ofMinutes(5),
                new KafkaConnection("none:0", Map.of()),
                "events",
                "contents",
                "letters",
                "group",
                MemorySize.ofMebiBytes(1),
                MemorySize.ofMebiBytes(1),
                readers,
                null);
    }

    private WarehouseOptions warehouse() {
        return LocalWarehouse.options(bigQuery.rest(), "http://" + bigQuery.grpc(), table, true);
    }

    private static final class Lines implements ProgressReport {
        private final List<String> lines = new ArrayList<>();

        @Override
        public void line(String text) {
            lines.add(text);
        }

        @Override
        public void progress(String text) {}
    }
}
