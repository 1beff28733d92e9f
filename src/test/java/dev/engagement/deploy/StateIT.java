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
import dev.engagement.local.testing.SharedServers;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
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
import redis.clients.jedis.Jedis;

/**
 * The state of the whole job: the catalogue in the jar is what the operators register, and the savepoints that are kept in
 * the sources go on.
 *
 * <p>With {@code -Dengagement.state.write=true} it writes catalogue and savepoints anew instead of comparing: after a state
 * was added, and never to hide that one was broken.
 */
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
class StateIT {

    private static final boolean WRITE = Boolean.getBoolean("engagement.state.write");
    private static final Path DIRECTORY = Path.of("target/it/state");
    private static final Path CATALOGUE = Path.of("src/main/resources").resolve(StateCatalogue.RESOURCE);
    private static final Path SAVEPOINTS = Path.of("src/test/resources/state/savepoint-v1");
    private static final Duration TIMEOUT = Duration.ofMinutes(5);
    private static final long TEN_MINUTES = 600_000;

    private static SharedServers servers;
    /** How often event time was moved on. */
    private static int rounds;

    private static JobCluster cluster;

    @BeforeAll
    static void start() throws Exception {
        servers = SharedServers.lease(DIRECTORY);
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

    @Test
    @Order(2)
    void the_kept_savepoint_goes_on_and_shows_what_sql_would() throws Exception {
        long posts = posts();
        Shown shown = new Shown("restored", 100, TEN_MINUTES, 1_000);
        JobCluster where = cluster.withStateBackend("hashmap");
        String[] arguments = shown.arguments("--parallelism", "2");
        JobID job = where.runFrom(kept(), arguments);
        Scenario.produceSecondHalf(servers.kafka().bootstrapServers());
        shown.await(where, job, posts, Scenario.ids());
        assertThatItLosesNothing(where.stop(job), arguments);
    }

    @Test
    @Order(3)
    void the_kept_savepoint_goes_on_with_another_n_slide_window_parallelism_and_backend() throws Exception {
        long posts = posts();
        Shown shown = new Shown("evolved", 3, 60_000, 5_000);
        JobCluster where = cluster.withStateBackend("rocksdb");
        String[] arguments = shown.arguments(
                "--parallelism", "3", "--ranking.top-n", "3", "--ranking.slide", "5 s", "--ranking.window", "1 min");
        JobID job = where.runFrom(kept(), arguments);
        shown.await(where, job, posts, Scenario.ids());
        assertThatItLosesNothing(where.stop(job), arguments);
    }

    @Test
    @Order(4)
    void a_build_with_a_field_more_in_events_and_contents_goes_on_and_this_one_refuses_what_it_wrote()
            throws Exception {
        EvolvedBuild evolved = EvolvedBuild.make(DIRECTORY.resolve("evolved"));
        long posts = posts();
        Shown shown = new Shown("fields", 100, TEN_MINUTES, 1_000);
        JobCluster where = cluster.withStateBackend("hashmap");
        String[] arguments = shown.arguments();

        JobID first = where.runFrom(kept(), evolved.job(where, arguments));
        shown.await(where, first, posts, Scenario.ids());
        String newer = where.stop(first);
        // Into a Redis that has forgotten: all of it from what the newer build wrote.
        long delivered = posts();
        JobID second = where.runFrom(newer, evolved.job(where, shown.arguments()));
        shown.await(where, second, delivered, Set.of());
        where.cancel(second);

        JobID older = where.runFrom(newer, arguments);
        await().atMost(TIMEOUT).pollInterval(Duration.ofMillis(50)).untilAsserted(() -> assertThat(where.failure(older))
                .contains("reads versions 1 to 1 and found version 2")
                .contains("Run the build that wrote it"));
        where.cancel(older);
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

    private static String kept() {
        return "file://" + SAVEPOINTS.resolve("stream").toAbsolutePath();
    }

    /** Of a job that was restored, whose operators may register more than those of a fresh one. */
    private static void assertThatItLosesNothing(String savepoint, String... arguments) throws IOException {
        assertThat(plan(savepoint, arguments).losses(Set.of())).isEmpty();
    }

    /**
     * What a job is to show that goes on from the kept savepoint.
     *
     * @param table of the warehouse, of its own
     */
    private record Shown(String table, int topN, long windowMillis, long slideMillis) {

        /** Its arguments; Redis is emptied. */
        String[] arguments(String... more) {
            try (Jedis redis = servers.redis().connect()) {
                redis.flushAll();
            }
            List<String> arguments = new ArrayList<>(List.of(streamArguments(table)));
            arguments.addAll(List.of(more));
            // Boards of times far ahead of the wall clock are not shown but for this.
            arguments.addAll(List.of("--ranking.max-clock-skew", "36500 d"));
            // The savepoint is of another Kafka's topics: these are read from their beginning, and dedupe knows the
            // rest.
            arguments.add("--accept-gap");
            return arguments.toArray(String[]::new);
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
                            assertThat(where.status(job).isTerminalState())
                                    .as(() -> where.failure(job))
                                    .isFalse();
                            assertThat(counts(redis)).isEqualTo(Scenario.counts(Scenario.all()));
                        });
                Scenario.moveOn(servers.kafka().bootstrapServers(), round);
                Awaitility.await()
                        .atMost(TIMEOUT)
                        .pollInterval(Duration.ofMillis(50))
                        .untilAsserted(() -> {
                            assertThat(where.status(job).isTerminalState())
                                    .as(() -> where.failure(job))
                                    .isFalse();
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
        Path to = Files.createDirectories(SAVEPOINTS.resolve(name));
        for (Path folder : List.of(to, Path.of(URI.create(savepoint)))) {
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
                "liveview,warehouse,delivery",
                "--delivery.receipts",
                "true"));
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
