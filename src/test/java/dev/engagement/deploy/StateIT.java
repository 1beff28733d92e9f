package dev.engagement.deploy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.engagement.JobCluster;
import dev.engagement.config.Command;
import dev.engagement.config.Key;
import dev.engagement.config.Keys;
import dev.engagement.local.BigQueryProcess;
import dev.engagement.local.FlinkRest;
import dev.engagement.local.FlinkRest.Aggregation;
import dev.engagement.local.PostgresServer;
import dev.engagement.local.testing.SharedServers;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.apache.flink.api.common.JobID;
import org.apache.flink.runtime.jobgraph.OperatorID;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import redis.clients.jedis.Jedis;

/**
 * The state of the whole job: the catalogue in the jar is what the operators register, and the savepoints that are kept in
 * the sources go on.
 *
 * <p>With {@code -Dengagement.state.write=true} it writes the catalogue and the newest savepoints anew instead of
 * comparing: after a state was added, and never to hide that one was broken. An older savepoint stays as it was written.
 */
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class StateIT {

    private static final boolean WRITE = Boolean.getBoolean("engagement.state.write");
    private static final Path DIRECTORY = Path.of("target/it/state");
    private static final Path CATALOGUE = Path.of("src/main/resources").resolve(StateCatalogue.RESOURCE);
    private static final Path STATES = Path.of("src/test/resources/state");

    /** The oldest one supported, of a build that had no rollups. */
    private static final String WITHOUT_ROLLUPS = "savepoint-v1";

    /** Of this build. */
    private static final String NEWEST = "savepoint-v2";

    private static final Duration TIMEOUT = Duration.ofMinutes(5);
    private static final long TEN_MINUTES = 600_000;
    private static final long ROLLUPS_SLIDE = 10_000;

    private static final List<String> ROLLUP_TABLES = List.of(
            "metrics",
            "content_view_window",
            "category_activity_window",
            "category_revenue_window",
            "content_audience",
            "content_completion",
            "engagement_hourly");

    private static SharedServers servers;
    private static List<String> rollupArguments;
    /** How often event time was moved on. */
    private static int rounds;

    private static JobCluster cluster;

    @BeforeAll
    static void start() throws Exception {
        servers = SharedServers.lease(DIRECTORY);
        rollupArguments = servers.rollupArguments();
        cluster = JobCluster.shared(DIRECTORY, "hashmap");
    }

    @AfterAll
    static void stop() throws Exception {
        cluster.close();
        servers.close();
    }

    @Test
    @Order(1)
    void the_catalogue_has_every_state_that_the_jobs_register() throws Exception {
        String[] stream = streamArguments("first");
        // So that deliveries that are not finished are in the savepoint.
        servers.receiver().behave("{\"mode\":\"hang\"}");
        JobID job = cluster.run(stream);
        Scenario.produceFirstHalf(servers.kafka().bootstrapServers());
        try (Jedis redis = servers.redis().connect()) {
            await().atMost(TIMEOUT).pollInterval(Duration.ofMillis(50)).untilAsserted(() -> assertThat(counts(redis))
                    .isEqualTo(Scenario.counts(Scenario.shownBefore())));
        }
        cluster.awaitCheckpoint(job);
        cluster.awaitCheckpoint(job);
        String streamSavepoint = cluster.stop(job);
        servers.receiver().behave("{\"mode\":\"ok\"}");
        JobID capture = cluster.run(captureArguments());
        cluster.awaitCheckpoint(capture);
        cluster.awaitCheckpoint(capture);
        String captureSavepoint = cluster.stop(capture);

        Map<String, StateCatalogue.Operator> found = new TreeMap<>();
        for (StateCatalogue each :
                List.of(catalogue(captureSavepoint, captureArguments()), catalogue(streamSavepoint, stream))) {
            each.operators().forEach(operator -> {
                StateCatalogue.Operator other = found.put(operator.uid(), operator);
                assertThat(other == null || other.equals(operator))
                        .as("a uid of both jobs has one state: " + operator.uid())
                        .isTrue();
            });
        }
        StateCatalogue now = new StateCatalogue(List.copyOf(found.values()));
        if (WRITE) {
            Files.write(CATALOGUE, now.toBytes());
            keep(streamSavepoint, "stream");
            keep(captureSavepoint, "capture");
        }
        assertThat(new String(now.toBytes(), StandardCharsets.UTF_8))
                .as(
                        "what the operators register, and " + CATALOGUE
                                + ", which ./mvnw verify -Dit.test=StateIT -Dskip.unit.tests -Dengagement.state.write=true writes")
                .isEqualTo(Files.readString(CATALOGUE));
    }

    /** Or the catalogue would lack what only that option brings. */
    @Test
    @Order(1)
    void no_switch_brings_an_operator_that_the_job_of_the_catalogue_lacks() {
        String[] arguments = streamArguments("first");
        Set<OperatorID> known = shape(arguments).operators().keySet();
        List<String> tried = new ArrayList<>();
        for (Key<?> key : Keys.ALL) {
            String usual = String.valueOf(key.defaultText());
            if (Set.of("true", "false").contains(usual)
                    && String.valueOf(key.kind()).equals("VALUE")
                    && key.commands().contains(Command.STREAM)
                    && !List.of(arguments).contains("--" + key.name())) {
                List<String> other = new ArrayList<>(List.of(arguments));
                other.addAll(List.of("--" + key.name(), usual.equals("true") ? "false" : "true"));
                assertThat(known)
                        .as(key.name())
                        .containsAll(
                                shape(other.toArray(String[]::new)).operators().keySet());
                tried.add(key.name());
            }
        }
        assertThat(tried).contains("liveview.event-cache");
    }

    private static JobShape shape(String... arguments) {
        return JobShape.of(cluster.environment(arguments).getStreamGraph(false));
    }

    @ParameterizedTest
    @ValueSource(strings = {WITHOUT_ROLLUPS, NEWEST})
    @Order(2)
    void a_kept_savepoint_goes_on_and_shows_what_sql_would(String savepoint) throws Exception {
        long posts = posts();
        Shown shown = Shown.of("restored", savepoint, 100, TEN_MINUTES, 1_000);
        JobCluster where = cluster.withStateBackend("hashmap");
        String[] arguments = shown.arguments("--parallelism", "2");
        JobID job = where.runFrom(kept(savepoint), arguments);
        // Of the second time all is known already.
        Scenario.produceSecondHalf(servers.kafka().bootstrapServers());
        shown.await(where, job, posts, Scenario.ids());
        assertThatItLosesNothing(where.stop(job), arguments);
    }

    @ParameterizedTest
    @ValueSource(strings = {WITHOUT_ROLLUPS, NEWEST})
    @Order(3)
    void a_kept_savepoint_goes_on_with_another_n_slide_window_parallelism_and_backend(String savepoint)
            throws Exception {
        long posts = posts();
        Shown shown = Shown.of("evolved", savepoint, 3, 60_000, 5_000);
        JobCluster where = cluster.withStateBackend("rocksdb");
        String[] arguments = shown.arguments(
                "--parallelism", "3", "--ranking.top-n", "3", "--ranking.slide", "5 s", "--ranking.window", "1 min");
        JobID job = where.runFrom(kept(savepoint), arguments);
        shown.await(where, job, posts, Scenario.ids());
        assertThatItLosesNothing(where.stop(job), arguments);
    }

    @Test
    @Order(4)
    void a_build_with_a_field_more_in_events_and_contents_goes_on_and_this_one_refuses_what_it_wrote()
            throws Exception {
        EvolvedBuild evolved = EvolvedBuild.make(DIRECTORY.resolve("evolved"));
        long posts = posts();
        Shown shown = Shown.of("fields", WITHOUT_ROLLUPS, 100, TEN_MINUTES, 1_000);
        JobCluster where = cluster.withStateBackend("hashmap");
        String[] arguments = shown.arguments();

        JobID first = where.runFrom(kept(WITHOUT_ROLLUPS), evolved.job(where, arguments));
        shown.await(where, first, posts, Scenario.ids());
        String newer = where.stop(first);
        // Into a Redis that has forgotten: all of it from what the newer build wrote.
        long delivered = posts();
        JobID second = where.runFrom(newer, evolved.job(where, shown.arguments()));
        shown.await(where, second, delivered, Set.of());
        where.cancel(second);

        JobID older = where.runFrom(newer, arguments);
        await().atMost(TIMEOUT).pollInterval(Duration.ofMillis(50)).untilAsserted(() -> assertThat(where.failure(older))
                // Of contents, or of events, whichever is read first.
                .containsAnyOf("reads versions 1 to 1 and found version 2", "reads versions 1 to 2 and found version 3")
                .contains("Run the build that wrote it"));
        where.cancel(older);
    }

    /**
     * What a job counts that goes on without the rollups' state: of windows that began before, it has seen a part. Last, as
     * what it is given comes far behind all that the others show.
     */
    @Test
    @Order(5)
    void rollups_that_are_switched_on_tell_of_no_window_that_began_before() throws Exception {
        JobCluster where = cluster.withStateBackend("hashmap");
        String[] arguments = goingOn("switched_on", "--parallelism", "1");
        JobID job = where.runFrom(kept(WITHOUT_ROLLUPS), arguments);
        try (Jedis redis = servers.redis().connect()) {
            await().atMost(TIMEOUT).pollInterval(Duration.ofMillis(50)).untilAsserted(() -> {
                assertRuns(where, job);
                assertThat(counts(redis)).isEqualTo(Scenario.counts(Scenario.all()));
                // With the first watermark they know since when they count.
                assertThat(rollupsWatermark(job)).isGreaterThan((double) Scenario.NOON_MILLIS - 60_000);
            });
            Scenario.produceLater(servers.kafka().bootstrapServers());

            await().atMost(TIMEOUT).pollInterval(Duration.ofMillis(50)).untilAsserted(() -> {
                assertRuns(where, job);
                assertThat(metrics()).isEqualTo(Scenario.laterMetrics());
                assertThat(analytics(
                                windowStart() + " || ' ' || content_id || ' ' || view_count FROM content_view_window"))
                        .containsExactly(Scenario.NOON_MILLIS + 240_000 + " content-1 16");
                assertThat(analytics(windowStart()
                                + " || ' ' || category || ' ' || event_count FROM category_activity_window"))
                        .containsExactly(Scenario.NOON_MILLIS + 240_000 + " video 16");
                // Windows of five minutes, of which the first ones began before the job went on.
                assertThat(analytics(windowStart() + "::text FROM content_audience WHERE active_users = 1"))
                        .containsAll(IntStream.rangeClosed(5, 10)
                                .mapToObj(slide -> Long.toString(Scenario.NOON_MILLIS + 30_000L * slide))
                                .toList());
            });
            where.awaitCheckpoint(job);
            where.awaitCheckpoint(job);

            long since = Scenario.NOON_MILLIS + 60_000;
            for (String table : ROLLUP_TABLES) {
                assertThat(analytics(windowStart() + "::text FROM " + table))
                        .as(table)
                        .allMatch(start -> Long.parseLong(start) >= since);
            }
            Set<String> shown = new TreeSet<>(redis.keys("metric:*"));
            shown.addAll(redis.keys("rollup:*"));
            assertThat(shown).contains("metric:play:30s", "rollup:audience:content-1");
            for (String windows : shown) {
                for (String window : redis.zrange(windows, 0, -1)) {
                    assertThat(new ObjectMapper()
                                    .readTree(window)
                                    .path("window_start")
                                    .asLong())
                            .as(windows)
                            .isGreaterThanOrEqualTo(since);
                }
            }
        }
        assertThat(where.restarts(job)).isZero();
        assertThatItLosesNothing(where.stop(job), arguments);
    }

    private static void assertRuns(JobCluster where, JobID job) {
        assertThat(where.status(job).isTerminalState())
                .as(() -> where.failure(job))
                .isFalse();
    }

    /** Event time at the only subtask of the rollups' cells; nothing is as small as what it is before any. */
    private static double rollupsWatermark(JobID job) throws Exception {
        String watermark = "rollup_cells.currentInputWatermark";
        return new FlinkRest(cluster.rest())
                .metrics(job.toHexString(), Map.of(watermark, Aggregation.MAX))
                .getOrDefault(watermark, Double.NEGATIVE_INFINITY);
    }

    /** How many posts the receiver has got. */
    private static long posts() {
        return servers.receiver().get("/stats").path("received").asLong();
    }

    /** The ids in the posts that came after so many. */
    private static Set<Long> deliveredSince(long posts) {
        Set<Long> ids = new TreeSet<>();
        JsonNode page = servers.receiver().get("/received?after=" + posts);
        while (!page.path("received").isEmpty()) {
            page.path("received").forEach(post -> post.path("event_ids").forEach(id -> ids.add(id.asLong())));
            page = servers.receiver().get("/received?after=" + page.path("next").asLong());
        }
        return ids;
    }

    private static String kept(String savepoint) {
        return "file://" + STATES.resolve(savepoint).resolve("stream").toAbsolutePath();
    }

    /** Of a job that was restored, whose operators may register more than those of a fresh one. */
    private static void assertThatItLosesNothing(String savepoint, String... arguments) throws IOException {
        assertThat(plan(savepoint, arguments).losses(Set.of())).isEmpty();
    }

    /** Arguments of a job that goes on from a kept savepoint; Redis and the rollups' database are emptied. */
    private static String[] goingOn(String table, String... more) throws SQLException {
        try (Jedis redis = servers.redis().connect()) {
            redis.flushAll();
        }
        try (Connection connection = servers.analytics().connect(PostgresServer.ANALYTICS);
                Statement statement = connection.createStatement()) {
            statement.execute("DROP TABLE IF EXISTS " + String.join(", ", ROLLUP_TABLES));
        }
        List<String> arguments = new ArrayList<>(List.of(streamArguments(table)));
        arguments.addAll(List.of(more));
        // The savepoint is of another Kafka's topics: these are read from their beginning, and dedupe knows the rest.
        arguments.add("--accept-gap");
        return arguments.toArray(String[]::new);
    }

    /**
     * What a job is to show that goes on from a kept savepoint.
     *
     * @param table of the warehouse, of its own
     * @param hasRollups whether the savepoint has rollups; without them none is told of as early as that
     */
    private record Shown(String table, boolean hasRollups, int topN, long windowMillis, long slideMillis) {

        static Shown of(String table, String savepoint, int topN, long windowMillis, long slideMillis) {
            return new Shown(
                    table + "_" + savepoint.replace('-', '_'),
                    !savepoint.equals(WITHOUT_ROLLUPS),
                    topN,
                    windowMillis,
                    slideMillis);
        }

        /** Its arguments; Redis and the rollups' database are emptied. */
        String[] arguments(String... more) throws SQLException {
            List<String> arguments = new ArrayList<>(List.of(more));
            // Boards of times far ahead of the wall clock are not shown but for this.
            arguments.addAll(List.of("--ranking.max-clock-skew", "36500 d"));
            return goingOn(table, arguments.toArray(String[]::new));
        }

        /**
         * Waits until all of it is shown.
         *
         * @param posts how many the receiver had got before
         * @param deliveries ids of those that come since
         */
        void await(JobCluster where, JobID job, long posts, Set<Long> deliveries) throws Exception {
            int round = ++rounds;
            long slideEnd = Scenario.lastSlideEnd(slideMillis, round);
            try (Jedis redis = servers.redis().connect()) {
                Awaitility.await()
                        .atMost(TIMEOUT)
                        .pollInterval(Duration.ofMillis(50))
                        .untilAsserted(() -> {
                            assertRuns(where, job);
                            assertThat(counts(redis)).isEqualTo(Scenario.counts(Scenario.all()));
                        });
                Scenario.moveOn(servers.kafka().bootstrapServers(), round);
                Awaitility.await()
                        .atMost(TIMEOUT)
                        .pollInterval(Duration.ofMillis(50))
                        .untilAsserted(() -> {
                            assertRuns(where, job);
                            assertThat(counts(redis)).isEqualTo(Scenario.counts(Scenario.all()));
                            assertThat(scores(redis, "top:content:bucket:" + Scenario.MINUTE))
                                    .isEqualTo(Scenario.bucket());
                            assertThat(scores(redis, "top:content:10m"))
                                    .isEqualTo(Scenario.boardByEvents(topN, windowMillis, slideEnd));
                            assertThat(scores(redis, "top_engagement:10min"))
                                    .isEqualTo(Scenario.boardByEngagement(topN, windowMillis, slideEnd));
                            assertThat(redis.hget("content:meta:" + Scenario.contentId(2), "title"))
                                    .as("a content that came before the savepoint")
                                    .isEqualTo("Title 2");
                            assertThat(rows(table))
                                    .as("once each, and none of before")
                                    .isEqualTo(Scenario.idsAfter());
                            assertThat(metrics())
                                    .as("windows of rollups that event time has passed")
                                    .isEqualTo(
                                            hasRollups
                                                    ? Scenario.metrics(Scenario.lastSlideEnd(ROLLUPS_SLIDE, round))
                                                    : List.of());
                            assertThat(deliveredSince(posts))
                                    .as(
                                            "deliveries, of which the first half was on its way when the savepoint was taken")
                                    .isEqualTo(deliveries);
                        });
            }
            assertThat(where.restarts(job)).isZero();
        }
    }

    private static RestorePlan plan(String savepoint, String... arguments) throws IOException {
        ClassLoader classes = StateIT.class.getClassLoader();
        StateCatalogue catalogue = StateCatalogue.ofThisBuild();
        return RestorePlan.compare(
                SavedState.read(savepoint, classes), catalogue.uids(), shape(arguments), catalogue, classes);
    }

    private static StateCatalogue catalogue(String savepoint, String... arguments) throws IOException {
        return StateCatalogue.of(SavedState.read(savepoint, StateIT.class.getClassLoader()), shape(arguments));
    }

    /** Into the sources, where it is found by a relative path: a savepoint may be moved as a whole. */
    private static void keep(String savepoint, String name) throws IOException {
        Path to = Files.createDirectories(STATES.resolve(NEWEST).resolve(name));
        for (Path folder : List.of(to, Path.of(new org.apache.flink.core.fs.Path(savepoint).getPath()))) {
            try (Stream<Path> files = Files.list(folder)) {
                for (Path file : files.toList()) {
                    if (folder.equals(to)) {
                        Files.delete(file);
                    } else {
                        Files.copy(file, to.resolve(file.getFileName()));
                    }
                }
            }
        }
    }

    private static Map<String, Long> counts(Jedis redis) {
        Map<String, Long> counts = new TreeMap<>();
        Set<String> keys = redis.keys("content:count:*");
        keys.forEach(key -> counts.put(key.substring("content:count:".length()), Long.parseLong(redis.get(key))));
        return counts;
    }

    private static Map<String, Double> scores(Jedis redis, String key) {
        Map<String, Double> scores = new HashMap<>();
        redis.zrangeWithScores(key, 0, -1).forEach(each -> scores.put(each.getElement(), each.getScore()));
        return scores;
    }

    private static List<Long> rows(String table) throws IOException {
        List<Long> ids = new ArrayList<>();
        JsonNode answer = new ObjectMapper()
                .readTree(servers.bigQuery()
                        .query(
                                BigQueryProcess.PROJECT,
                                "SELECT event_id FROM analytics." + table + " ORDER BY event_id"));
        for (JsonNode row : answer.path("rows")) {
            ids.add(row.path("f").path(0).path("v").asLong());
        }
        return ids;
    }

    /** The rollup {@code metrics_30s}, as {@link Scenario#metrics} has it. */
    private static List<String> metrics() throws SQLException {
        return analytics(windowStart() + " || ' ' || event_type || ' ' || count || ' ' || total_value || ' '"
                + " || unique_users || ' ' || unique_users_exact || ' ' || skipped FROM metrics");
    }

    /** The beginning of a query: when a window begins, milliseconds since the epoch. */
    private static String windowStart() {
        return "SELECT (extract(epoch FROM window_start) * 1000)::bigint";
    }

    /** The only column of that query, by the rows' windows. */
    private static List<String> analytics(String query) throws SQLException {
        List<String> texts = new ArrayList<>();
        try (Connection connection = servers.analytics().connect(PostgresServer.ANALYTICS);
                Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(query + " ORDER BY window_start")) {
            while (row.next()) {
                texts.add(row.getString(1));
            }
        }
        return texts;
    }

    private static String[] streamArguments(String table) {
        List<String> arguments = new ArrayList<>(List.of(
                "stream",
                "--kafka.bootstrap-servers",
                servers.kafka().bootstrapServers(),
                "--redis.url",
                servers.redis().url(),
                "--warehouse.table",
                table,
                "--destinations",
                "liveview,warehouse,delivery,rollups",
                "--delivery.receipts",
                "true"));
        arguments.addAll(rollupArguments);
        arguments.addAll(servers.bigQuery().streamArguments());
        arguments.addAll(servers.receiver().streamArguments());
        return arguments.toArray(String[]::new);
    }

    private static String[] captureArguments() throws IOException {
        return new String[] {
            "capture",
            "--kafka.bootstrap-servers",
            servers.kafka().bootstrapServers(),
            "--postgres.url",
            servers.postgres().jdbcUrl(),
            "--postgres.username",
            servers.postgres().username(),
            "--postgres.password.secret-file",
            servers.postgresPasswordFile(),
            "--kafka.topic-prefix",
            "captured",
            "--parallelism",
            "1",
        };
    }
}
