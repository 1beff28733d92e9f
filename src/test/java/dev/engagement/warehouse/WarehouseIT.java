package dev.engagement.warehouse;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.engagement.JobCluster;
import dev.engagement.event.Samples;
import dev.engagement.local.bigquery.BigQueryEmulator;
import dev.engagement.local.bigquery.Faults;
import dev.engagement.rowstore.RowStoreRefusedException;
import io.grpc.Status;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.apache.flink.api.common.JobID;
import org.apache.flink.api.common.JobStatus;
import org.apache.flink.configuration.MemorySize;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** The sink over Google's client and real gRPC, on Flink, against the emulator: N rows in, exactly N rows visible. */
class WarehouseIT {

    private static final String PROJECT = "local";

    @TempDir
    private static Path directory;

    private static BigQueryEmulator bigQuery;
    private static JobCluster cluster;
    private static int tables;

    private final String table = "events_" + tables++;

    @BeforeAll
    static void start() throws Exception {
        bigQuery = BigQueryEmulator.start(directory.resolve("bigquery"), 0, 0);
        bigQuery.createDataset(PROJECT, "analytics");
        cluster = JobCluster.shared(directory.resolve("flink"), "hashmap");
    }

    @AfterAll
    static void stop() throws Exception {
        try (BigQueryEmulator emulator = bigQuery;
                JobCluster flink = cluster) {
            emulator.faults().clear();
        }
    }

    @AfterEach
    void clearFaults() {
        bigQuery.faults().clear();
    }

    @Test
    void rows_are_as_the_contract_says() throws Exception {
        finish(job(3), options(), 1, 1_000, null);

        assertThat(bigQuery.query(
                        PROJECT,
                        "SELECT event_id, content_id, user_id, event_type, event_ts, duration_ms, device, raw_payload, slug,"
                                + " title, content_type, length_seconds, engagement_seconds, engagement_pct FROM analytics."
                                + table + " WHERE event_id = 2"))
                .singleElement()
                .satisfies(row -> {
                    assertThat(row.subList(0, 4))
                            .containsExactly(
                                    "2",
                                    Samples.contentId(2),
                                    Samples.event(2, 2).userId(),
                                    "play");
                    assertThat(row.subList(5, 7)).containsExactly("7000", "web");
                    assertThat(row.get(7)).isEqualToIgnoringWhitespace("{\"a\":1}");
                    assertThat(row.subList(8, 14)).containsExactly("slug-2", "Title 2", "podcast", "300", "7", "0.02");
                });
    }

    static Stream<Arguments> faults() {
        return Stream.of(
                fault("lost append acknowledgements", faults -> faults.loseAppendAcknowledgements(2)),
                fault("lost flush replies", faults -> faults.loseFlushReplies(2)),
                fault("quota", faults -> faults.refuseAppends(Status.Code.RESOURCE_EXHAUSTED, 3)),
                fault("appends unavailable", faults -> faults.refuseAppends(Status.Code.UNAVAILABLE, 3)),
                fault("broken connections", faults -> faults.breakAppends(Status.Code.UNAVAILABLE, 2)),
                fault("aborted connections", faults -> faults.breakAppends(Status.Code.ABORTED, 2)),
                fault("no streams", faults -> faults.refuseCreates(Status.Code.RESOURCE_EXHAUSTED, 3)),
                fault("no flushes", faults -> faults.refuseFlushes(Status.Code.UNAVAILABLE, 3)),
                fault("disconnects", faults -> faults.disconnectAfter(4)),
                fault("fresh table", faults -> faults.denyFreshTables(Duration.ofSeconds(2))),
                fault("slow appends", faults -> faults.delayAppends(Duration.ofMillis(150))));
    }

    private static Arguments fault(String name, Consumer<Faults> fault) {
        return Arguments.of(name, fault);
    }

    @ParameterizedTest(name = "{0}")
    @MethodSource("faults")
    void a_fault_neither_loses_nor_doubles_rows(String name, Consumer<Faults> fault) throws Exception {
        WarehouseJob job = job(6_000);
        fault.accept(bigQuery.faults());
        JobID id = job.startHeld(options(), 2, 8_000, null);
        awaitVisible(1_000);
        fault.accept(bigQuery.faults());
        job.shared.letTheRestCome();
        assertThat(cluster.awaitEnd(id)).isEqualTo(JobStatus.FINISHED);

        assertExactly(6_000, Set.of());
    }

    @ParameterizedTest
    @MethodSource("places")
    void a_failure_neither_loses_nor_doubles_rows(WarehouseJob.Place place) throws Exception {
        WarehouseJob job = job(6_000);
        JobID id = job.startHeld(options(), 2, 8_000, null);
        awaitVisible(1_000);
        // Twice: the second before the next checkpoint.
        job.shared.failAt(place, 2);
        job.shared.letTheRestCome();
        assertThat(cluster.awaitEnd(id)).isEqualTo(JobStatus.FINISHED);

        assertThat(cluster.restarts(id)).isPositive();
        assertExactly(6_000, Set.of());
    }

    static WarehouseJob.Place[] places() {
        return WarehouseJob.Place.values();
    }

    @Test
    void faults_and_failures_by_chance_neither_lose_nor_double_rows() throws Exception {
        faultsByChance(8_000);
    }

    @Test
    @Tag("faults")
    void so_do_many_more() throws Exception {
        faultsByChance(60_000);
    }

    private void faultsByChance(int events) throws Exception {
        long seed = System.nanoTime();
        Random random = new Random(seed);
        WarehouseJob job = job(events);
        List<Consumer<Faults>> all = faults().map(arguments -> {
                    @SuppressWarnings("unchecked")
                    Consumer<Faults> fault = (Consumer<Faults>) arguments.get()[1];
                    return fault;
                })
                .toList();
        JobID id = job.startHeld(options(), 3, 4_000, null);
        awaitVisible(events / 10);
        job.shared.letTheRestCome();
        await().atMost(Duration.ofMinutes(5))
                .pollInterval(Duration.ofMillis(150))
                .until(() -> {
                    bigQuery.faults().clear();
                    all.get(random.nextInt(all.size())).accept(bigQuery.faults());
                    if (random.nextInt(4) == 0) {
                        job.shared.failAt(places()[random.nextInt(places().length)], 1);
                    }
                    return visible() > events / 2 || cluster.status(id).isTerminalState();
                });
        bigQuery.faults().clear();
        assertThat(cluster.awaitEnd(id))
                .as("seed %s: %s", seed, cluster.failure(id))
                .isEqualTo(JobStatus.FINISHED);

        assertExactly(events, Set.of());
    }

    @Test
    void savepoints_are_gone_on_from_at_another_parallelism() throws Exception {
        WarehouseJob job = job(20_000);
        JobID first = job.startHeld(options(), 2, 8_000, null);
        awaitVisible(500);
        String savepoint = cluster.stop(first);
        long shown = visible();
        JobID second = job.startHeld(options(), 3, 8_000, savepoint);
        awaitVisible(shown + 500);
        String next = cluster.stop(second);
        finish(job, options(), 1, 20_000, next);

        assertExactly(20_000, Set.of());

        JobID old = job.start(options(), 2, 8_000, savepoint);
        assertThat(cluster.awaitEnd(old)).isEqualTo(JobStatus.FAILED);
        assertThat(cluster.failure(old)).contains("shows rows up to checkpoint", "--accept-warehouse-duplicates");
        assertThat(cluster.restarts(old)).isZero();
        assertExactly(20_000, Set.of());
    }

    @Test
    void a_start_without_state_onto_rows_is_refused_unless_accepted() throws Exception {
        finish(job(100), options(), 1, 10_000, null);

        WarehouseJob again = job(100);
        JobID refused = again.start(options(), 2, 10_000, null);
        assertThat(cluster.awaitEnd(refused)).isEqualTo(JobStatus.FAILED);
        assertThat(cluster.failure(refused)).contains("has rows", "without state", "--accept-warehouse-duplicates");
        assertThat(cluster.restarts(refused)).isZero();
        assertExactly(100, Set.of());

        finish(again, options(true, 1), 2, 10_000, null);
        assertThat(visible()).isEqualTo(200);
    }

    @Test
    void a_start_after_the_streams_expired_fails_and_says_what_to_do() throws Exception {
        // So many that rows come until it is stopped: the savepoint has some to be shown.
        WarehouseJob job = job(10_000_000);
        JobID first = job.start(options(), 2, 2_000, null);
        awaitVisible(500);
        String savepoint = cluster.stop(first);
        bigQuery.clock().advance(Duration.ofDays(8));

        JobID late = job.start(options(), 2, 2_000, savepoint);

        assertThat(cluster.awaitEnd(late)).isEqualTo(JobStatus.FAILED);
        assertThat(cluster.failure(late))
                .contains("Streams live for 7 days", "rebuild", "--warehouse.table NEW", "checkpoint");
        assertThat(cluster.restarts(late)).isZero();
    }

    @Test
    void refused_rows_become_letters_and_the_others_are_there() throws Exception {
        Set<Long> bad = Set.of(17L, 18L, 500L, 1_999L);
        bigQuery.faults().refuseRows(bad);
        WarehouseJob job = job(2_000);
        finish(job, options(), 2, 10_000, null);

        assertExactly(2_000, bad);
        assertThat(job.shared.letters).isEqualTo(bad);
    }

    @Test
    void streams_that_somebody_ends_cost_no_rows() throws Exception {
        WarehouseJob job = job(6_000);
        JobID id = job.startHeld(options(), 2, 8_000, null);
        awaitVisible(1_000);
        bigQuery.faults().finalizeStreams();
        job.shared.letTheRestCome();
        JobStatus end = cluster.awaitEnd(id);

        // Either nothing of the streams was waiting to be shown, or the job says that it is lost; it never goes on
        // without.
        if (end == JobStatus.FINISHED) {
            assertExactly(6_000, Set.of());
        } else {
            assertThat(cluster.failure(id)).contains("Streams live for 7 days", "rebuild");
        }
    }

    @Test
    void a_warehouse_that_says_nothing_holds_the_job_back_and_no_more() throws Exception {
        WarehouseJob job = job(8_000);
        JobID id = job.startHeld(options(false, 1), 2, 8_000, null);
        // All that came, so that no call is under way.
        awaitVisible(4_000);
        bigQuery.faults().blackHole(true);
        int restarts = cluster.restarts(id);
        int connections = job.shared.connections.get();
        job.shared.letTheRestCome();
        // A connection of each of the two has been given up: rows are under way, and no checkpoint ends without them.
        await().until(() -> job.shared.connections.get() >= connections + 2);
        long before = cluster.completedCheckpoints(id);
        // The next ones as well, which is the longest that a part of the job waits for anything.
        await().until(() -> job.shared.connections.get() >= connections + 4);
        assertThat(cluster.completedCheckpoints(id)).isEqualTo(before);
        bigQuery.faults().blackHole(false);
        assertThat(cluster.awaitEnd(id)).isEqualTo(JobStatus.FINISHED);

        assertThat(cluster.restarts(id)).isEqualTo(restarts);
        assertExactly(8_000, Set.of());
    }

    @Test
    void a_table_that_does_not_fit_stops_the_job_before_it_starts() {
        bigQuery.createTable(
                PROJECT,
                "analytics",
                table,
                "{\"schema\": {\"fields\": [{\"name\": \"event_id\", \"type\": \"STRING\", \"mode\": \"REQUIRED\"},"
                        + "{\"name\": \"event_ts\", \"type\": \"TIMESTAMP\", \"mode\": \"REQUIRED\"}]}}");

        assertThatThrownBy(() -> Warehouse.prepare(options()))
                .isInstanceOf(RowStoreRefusedException.class)
                .hasMessageContaining("event_id is wanted as INT64 and found as STRING");
    }

    @Test
    void missing_columns_are_added_if_that_is_wanted() throws Exception {
        bigQuery.createTable(
                PROJECT,
                "analytics",
                table,
                "{\"schema\": {\"fields\": [{\"name\": \"event_id\", \"type\": \"INT64\", \"mode\": \"REQUIRED\"},"
                        + "{\"name\": \"event_ts\", \"type\": \"TIMESTAMP\", \"mode\": \"REQUIRED\"},"
                        + "{\"name\": \"note\", \"type\": \"STRING\"}]}}");

        assertThatThrownBy(() -> Warehouse.prepare(options())).hasMessageContaining("--warehouse.add-columns");
        finish(job(100), options(false, 1, true), 1, 10_000, null);

        assertExactly(100, Set.of());
    }

    private WarehouseJob job(long events) {
        return new WarehouseJob(cluster, directory.resolve("flink"), events);
    }

    private void finish(
            WarehouseJob job, WarehouseOptions options, int parallelism, int perSecond, @Nullable String savepoint)
            throws Exception {
        JobID id = job.start(options, parallelism, perSecond, savepoint);
        assertThat(cluster.awaitEnd(id)).as(() -> cluster.failure(id)).isEqualTo(JobStatus.FINISHED);
    }

    private WarehouseOptions options() {
        return options(false, 1);
    }

    private WarehouseOptions options(boolean acceptDuplicates, int mebibytes) {
        return options(acceptDuplicates, mebibytes, false);
    }

    private WarehouseOptions options(boolean acceptDuplicates, int mebibytes, boolean addColumns) {
        return new WarehouseOptions(
                PROJECT,
                "analytics",
                table,
                new WarehouseOptions.Endpoints(URI.create(bigQuery.rest()), URI.create("http://" + bigQuery.grpc())),
                null,
                new WarehouseOptions.Layout(WarehouseOptions.Partition.DAY, null, false),
                MemorySize.ofMebiBytes(mebibytes),
                // Small, so that there are many.
                MemorySize.parse("20kb"),
                Duration.ofMillis(50),
                Duration.ofMinutes(5),
                acceptDuplicates,
                addColumns,
                WarehouseOptions.JsonNumbers.EXACT);
    }

    private long visible() {
        try {
            return Long.parseLong(String.valueOf(bigQuery.query(PROJECT, "SELECT COUNT(*) FROM analytics." + table)
                    .get(0)
                    .get(0)));
        } catch (RuntimeException e) {
            // The table is not there yet.
            return 0;
        }
    }

    private void awaitVisible(long rows) {
        await().until(() -> visible() >= rows);
    }

    private void assertExactly(long events, Set<Long> but) {
        List<String> ids = new ArrayList<>();
        bigQuery.query(PROJECT, "SELECT event_id FROM analytics." + table)
                .forEach(row -> ids.add(String.valueOf(row.get(0))));
        assertThat(ids).doesNotHaveDuplicates().hasSize((int) events - but.size());
        assertThat(ids).noneMatch(id -> but.contains(Long.parseLong(id)));
    }
}
