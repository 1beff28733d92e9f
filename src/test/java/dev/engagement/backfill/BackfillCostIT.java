package dev.engagement.backfill;

import static org.assertj.core.api.Assertions.assertThat;

import dev.engagement.connection.KafkaConnection;
import dev.engagement.connection.SecretRef;
import dev.engagement.connection.testing.ManualPause;
import dev.engagement.local.PostgresServer;
import dev.engagement.local.bigquery.BigQueryEmulator;
import dev.engagement.local.bigquery.ComparedRows;
import dev.engagement.local.testing.SharedServers;
import dev.engagement.warehouse.Warehouse;
import dev.engagement.warehouse.WarehouseIds;
import dev.engagement.warehouse.WarehouseOptions;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Path;
import java.sql.SQLException;
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
                                    + " after each checkpoint until they are there; PostgreSQL reads %,d rows",
                            bytes.get(days) / 1e9,
                            days * ROWS_A_DAY));
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
        // Each day once for its rows; then one of them until the rows show, at the third of three checkpoints; then the
        // others, once each.
        assertThat(known.asked - DAYS).isBetween(DAYS, DAYS + 1 + Shown.CHECKPOINTS);
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

    // ------------------------------------------------------------------------------------------------- the stores

    /** The emulator's table. */
    private final class InTable implements Known {
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
    private final class Shown implements Stream, Known {
        private static final int CHECKPOINTS = 3;
        private static final int LOOKS_A_CHECKPOINT = 40;

        private final Set<Long> published = new ConcurrentSkipListSet<>();
        private int publications;
        private int looks;
        private boolean isShown;

        @Override
        public synchronized void publish(long id, byte[] envelope) {
            publications++;
            published.add(id);
        }

        @Override
        public void publishContent(byte[] key, byte @Nullable [] envelope) {}

        @Override
        public void contents(EachContent each) {}

        @Override
        public Map<Integer, Long> flush() {
            return Map.of(0, (long) CHECKPOINTS);
        }

        @Override
        public Map<Integer, Long> takenIn() {
            looks++;
            long checkpoint = Math.min(CHECKPOINTS, looks / LOOKS_A_CHECKPOINT);
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
        return new BackfillOptions(
                new SourceOptions(
                        postgres.jdbcUrl(),
                        postgres.username(),
                        SecretRef.inFile("postgres.password", servers.postgresPasswordFile()),
                        "public",
                        "engagement_events",
                        "content"),
                RangeOptions.of(BEGIN, BEGIN.plus(Duration.ofDays(days))),
                publication,
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
                2);
    }

    private WarehouseOptions warehouse() {
        return new WarehouseOptions(
                "local",
                "analytics",
                table,
                new WarehouseOptions.Endpoints(URI.create(bigQuery.rest()), URI.create("http://" + bigQuery.grpc())),
                null,
                new WarehouseOptions.Layout(WarehouseOptions.Partition.DAY, null, true),
                MemorySize.ofMebiBytes(64),
                MemorySize.ofMebiBytes(1),
                Duration.ofSeconds(1),
                Duration.ofMinutes(1),
                false,
                false,
                WarehouseOptions.JsonNumbers.EXACT);
    }

    private static final class Lines implements Report {
        private final List<String> lines = new ArrayList<>();

        @Override
        public void line(String text) {
            lines.add(text);
        }

        @Override
        public void progress(String text) {}
    }
}
