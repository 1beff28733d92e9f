package dev.engagement;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.engagement.local.RedisServer;
import dev.engagement.local.testing.InProcessBigQuery;
import dev.engagement.local.testing.SharedServers;
import dev.engagement.pipeline.OperatorIds;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.stream.Collectors;
import org.apache.flink.api.common.JobID;
import org.apache.flink.api.common.JobStatus;
import org.apache.flink.api.common.typeutils.TypeSerializer;
import org.apache.flink.configuration.PipelineOptions;
import org.apache.flink.runtime.jobgraph.JobGraph;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.graph.StreamNode;
import org.apache.flink.util.InstantiationUtil;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import redis.clients.jedis.Jedis;

/** What a command submits: uids, serializers, and no secret, though the jobs work with secrets. */
class JobGraphIT {

    private static final Path DIRECTORY = Path.of("target/it/job-graph");
    private static final Duration TIMEOUT = Duration.ofMinutes(5);
    private static final String REDIS_PASSWORD = "redis-password-4c1f0e7d";
    private static final String CONTENT = "00000000-0000-0000-0000-000000000001";

    private static SharedServers servers;
    private static RedisServer redis;
    private static InProcessBigQuery bigQuery;
    private static String postgresPassword;
    private static JobCluster cluster;

    @BeforeAll
    static void start() throws Exception {
        RedisServer.discard(DIRECTORY.resolve("redis-with-password"));
        servers = SharedServers.lease(DIRECTORY);
        bigQuery = servers.bigQuery();
        redis = RedisServer.start(DIRECTORY.resolve("redis-with-password"), 0, REDIS_PASSWORD);
        cluster = JobCluster.shared(DIRECTORY, "hashmap");
        postgresPassword = servers.postgresPasswordFile();
        Files.writeString(DIRECTORY.resolve("redis.password"), REDIS_PASSWORD + "\n");
    }

    @AfterAll
    static void stop() throws Exception {
        cluster.close();
        redis.close();
        servers.close();
    }

    @ParameterizedTest
    @ValueSource(strings = {"capture", "stream", "rebuild"})
    void every_operator_has_a_uid(String command) {
        StreamExecutionEnvironment env = cluster.environment(args(command));

        assertThat(env.getConfiguration().get(PipelineOptions.AUTO_GENERATE_UIDS))
                .isFalse();
        assertThat(env.getStreamGraph(false).getStreamNodes())
                .hasSizeGreaterThan(2)
                .allSatisfy(node -> assertThat(node.getTransformationUID())
                        .as(node.getOperatorName())
                        .isNotBlank());
    }

    @Test
    void a_destination_that_is_left_out_costs_no_operator() {
        Set<String> all = uids("--destinations=liveview,warehouse,delivery");

        assertThat(all)
                .contains(
                        OperatorIds.WAREHOUSE_APPEND,
                        OperatorIds.WAREHOUSE_COMMIT,
                        OperatorIds.LIVE_VIEW_LAST,
                        OperatorIds.RANKING.standings(),
                        OperatorIds.DELIVERY.deliver(),
                        OperatorIds.DELIVERY.drainSource());
        assertThat(uids("--destinations=liveview"))
                .isSubsetOf(all)
                .noneMatch(uid -> uid.startsWith("warehouse") || uid.startsWith("delivery"));
        assertThat(uids("--destinations=liveview,warehouse"))
                .isSubsetOf(all)
                .contains(OperatorIds.WAREHOUSE_APPEND, OperatorIds.LIVE_VIEW_LAST)
                .noneMatch(uid -> uid.startsWith("delivery"));
        assertThat(uids("--destinations=delivery"))
                .isSubsetOf(all)
                .contains(OperatorIds.DELIVERY.retries(), OperatorIds.DEDUPE)
                .noneMatch(
                        uid -> uid.startsWith("live-view") || uid.startsWith("ranking") || uid.startsWith("warehouse"));
        assertThat(uids("--destinations=warehouse"))
                .isSubsetOf(all)
                .contains(OperatorIds.WAREHOUSE_APPEND, OperatorIds.WAREHOUSE_COMMIT, OperatorIds.DEDUPE)
                .noneMatch(uid -> uid.startsWith("live-view") || uid.startsWith("ranking"));
    }

    private static Set<String> uids(String destinations) {
        List<String> args = new ArrayList<>(List.of(args("stream")));
        args.add(destinations);
        return cluster.environment(args.toArray(String[]::new)).getStreamGraph(false).getStreamNodes().stream()
                .map(StreamNode::getTransformationUID)
                .collect(Collectors.toSet());
    }

    @ParameterizedTest
    @ValueSource(strings = {"capture", "stream", "rebuild"})
    void nothing_between_operators_is_written_by_kryo(String command) {
        StreamExecutionEnvironment env = cluster.environment(args(command));

        assertThat(env.getConfiguration().get(PipelineOptions.GENERIC_TYPES)).isFalse();
        for (StreamNode node : env.getStreamGraph(false).getStreamNodes()) {
            for (TypeSerializer<?> in : node.getTypeSerializersIn()) {
                assertThat(in == null ? "" : in.getClass().getName())
                        .as(node.getOperatorName())
                        .doesNotContain("Kryo");
            }
            assertThat(String.valueOf(node.getTypeSerializerOut()))
                    .as(node.getOperatorName())
                    .doesNotContain("Kryo");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"capture", "stream", "rebuild"})
    void no_secret_is_submitted(String command) throws Exception {
        JobGraph graph = JobCluster.jobGraph(cluster.environment(args(command)));
        byte[] submitted = InstantiationUtil.serializeObject(graph);

        String address =
                !command.equals("stream") ? Integer.toString(servers.postgres().port()) : redis.url();
        assertThat(forms(address)).as("what is looked for would be found").anyMatch(form -> contains(submitted, form));
        String signing = Files.readString(servers.receiver().secretFile()).strip();
        for (String secret : List.of(servers.postgres().password(), REDIS_PASSWORD, signing)) {
            assertThat(forms(secret)).noneMatch(form -> contains(submitted, form));
        }
    }

    @Test
    void the_jobs_work_with_secrets_that_are_not_in_them() throws Exception {
        JobID capture = cluster.run(args("capture"));
        JobID stream = cluster.run(args("stream"));
        try (Connection connection = servers.postgres().connect();
                Statement statement = connection.createStatement()) {
            statement.execute("INSERT INTO content VALUES ('" + CONTENT + "', 's', 't', 'video', 300, now())");
            statement.execute("INSERT INTO engagement_events (content_id, event_type, event_ts) VALUES ('" + CONTENT
                    + "', 'play', now())");
        }

        await().atMost(TIMEOUT).pollInterval(Duration.ofMillis(50)).untilAsserted(() -> {
            try (Jedis jedis = redis.connect()) {
                assertThat(jedis.get("content:count:" + CONTENT)).isEqualTo("1");
            }
            assertThat(servers.receiver().get("/stats").get("distinctEvents").asLong())
                    .isEqualTo(1);
            assertThat(bigQuery.query("local", "SELECT content_id FROM analytics.engagement_events"))
                    .contains("\"totalRows\":\"1\"", CONTENT);
        });
        assertThat(cluster.status(capture)).isEqualTo(JobStatus.RUNNING);
        assertThat(cluster.status(stream)).isEqualTo(JobStatus.RUNNING);
    }

    private static String[] args(String command) {
        if (command.equals("rebuild")) {
            List<String> args = new ArrayList<>(List.of(args("stream")));
            args.set(0, command);
            // It delivers nothing.
            args.subList(args.indexOf("--delivery.url"), args.size()).clear();
            // What follows the command, Kafka's address and the parallelism.
            args.addAll(List.of(args("capture")).subList(3, 9));
            args.addAll(List.of("--from", "2026-01-08T09:00:00Z", "--to", "2026-01-08T10:00:00Z"));
            // A look at Redis before the start leaves an epoch behind, so each has a prefix that nobody had.
            args.addAll(List.of("--redis.key-prefix", UUID.randomUUID() + ":", "--warehouse.table", "rebuilt"));
            return args.toArray(String[]::new);
        }
        return command.equals("capture")
                ? new String[] {
                    "capture",
                    "--kafka.bootstrap-servers",
                    servers.kafka().bootstrapServers(),
                    "--postgres.url",
                    servers.postgres().jdbcUrl(),
                    "--postgres.username",
                    servers.postgres().username(),
                    "--postgres.password.secret-file",
                    postgresPassword,
                    "--parallelism",
                    "1",
                }
                : new String[] {
                    "stream",
                    "--kafka.bootstrap-servers",
                    servers.kafka().bootstrapServers(),
                    "--redis.url",
                    redis.url(),
                    "--redis.password.secret-file",
                    file("redis.password"),
                    "--warehouse.project",
                    "local",
                    "--warehouse.endpoint",
                    bigQuery.rest(),
                    "--warehouse.grpc-endpoint",
                    "http://" + bigQuery.grpc(),
                    "--delivery.url",
                    servers.receiver().url() + "/events",
                    "--delivery.secret.secret-file",
                    servers.receiver().secretFile().toAbsolutePath().toString(),
                    "--delivery.include-snapshot",
                    "true",
                };
    }

    private static String file(String name) {
        return DIRECTORY.resolve(name).toAbsolutePath().toString();
    }

    /** A text as it may stand in serialized bytes. */
    private static List<byte[]> forms(String text) {
        byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
        return List.of(
                utf8,
                text.getBytes(StandardCharsets.UTF_16BE),
                text.getBytes(StandardCharsets.UTF_16LE),
                Base64.getEncoder().withoutPadding().encode(utf8));
    }

    private static boolean contains(byte[] all, byte[] part) {
        // One character a byte, so that texts can be searched.
        return new String(all, StandardCharsets.ISO_8859_1).contains(new String(part, StandardCharsets.ISO_8859_1));
    }
}
