package dev.engagement;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.engagement.connection.KafkaConnection;
import dev.engagement.connection.RegistryConnection;
import dev.engagement.connection.SecretRef;
import dev.engagement.connection.TopicReader;
import dev.engagement.connection.registry.RegisteredSchema;
import dev.engagement.connection.registry.SchemaRegistry;
import dev.engagement.local.DestinationCheck;
import dev.engagement.local.RedisCheck;
import dev.engagement.local.RegistryProcess;
import dev.engagement.local.testing.SharedServers;
import java.net.URI;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.flink.api.common.JobID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import redis.clients.jedis.Jedis;

/** The whole job on Avro topics, by a real schema registry that answers, does not answer, and is not there. */
class RegistryIT {

    private static final Path DIRECTORY = Path.of("target/it/registry");
    private static final Duration TIMEOUT = Duration.ofMinutes(5);

    private SharedServers servers;
    private RegistryProcess registry;
    private JobCluster cluster;

    @BeforeEach
    void start() throws Exception {
        Assumptions.assumeTrue(
                RegistryProcess.isDownloaded(),
                "The schema registry is not downloaded; ./mvnw dependency:copy@registry does it, 142 MB");
        servers = SharedServers.lease(DIRECTORY);
        registry = RegistryProcess.start(DIRECTORY.resolve("registry"), 0);
        cluster = JobCluster.shared(DIRECTORY, "hashmap");
    }

    @AfterEach
    void stop() throws Exception {
        if (cluster != null) {
            cluster.close();
        }
        if (registry != null) {
            registry.close();
        }
        if (servers != null) {
            servers.close();
        }
    }

    @Test
    void the_stream_waits_for_a_registry_and_needs_none_for_what_it_knows() throws Exception {
        cluster.run(captureArgs());
        execute("INSERT INTO content SELECT md5(n::text)::uuid, 'slug-' || n, 'Title ' || n, 'video', 300, now()"
                + " FROM generate_series(1, 20) n");
        insertEvents(1, 500);
        awaitCaptured(500);

        // It takes connections and answers nothing.
        registry.freeze();
        JobID stream = cluster.run(streamArgs());
        cluster.awaitCheckpoint(stream);
        cluster.awaitCheckpoint(stream);
        assertThat(liveKeys()).as("nothing is read without its schema").isZero();

        registry.thaw();
        awaitRedisEqualsSql();

        // A column more: another schema beside the first.
        execute("ALTER TABLE engagement_events ALTER COLUMN device TYPE varchar(40)");
        insertEvents(501, 1_000);
        awaitRedisEqualsSql();

        // What it has read by is in the savepoint.
        String savepoint = cluster.stop(stream);
        registry.freeze();
        JobID again = cluster.runFrom(savepoint, streamArgs());
        insertEvents(1_001, 1_500);
        execute("DELETE FROM content WHERE slug = 'nobody'");
        awaitRedisEqualsSql();
        cluster.awaitCheckpoint(again);
        assertThat(deadLetters()).isEmpty();
    }

    /** The unit tests' small registry says the same. */
    @Test
    void what_it_does_not_know_it_says_in_its_own_code() throws Exception {
        SchemaRegistry client =
                new SchemaRegistry(new RegistryConnection(URI.create(registry.url()), null, SecretRef.none()));
        assertThat(client.schema(777)).isNull();
        assertThat(client.find("some-value", "\"int\"")).isNull();
        int id = client.register("some-value", "\"int\"");
        assertThat(client.find("some-value", "\"int\"")).isEqualTo(id);
        assertThat(client.find("some-value", "\"long\"")).isNull();
        assertThat(client.schema(id)).isEqualTo(new RegisteredSchema(RegisteredSchema.AVRO, "\"int\"", List.of()));
    }

    // ------------------------------------------------------------------------------------------------ what is there

    private void awaitRedisEqualsSql() {
        RedisCheck check = new RedisCheck(servers.postgres(), servers.redis(), id -> List.of());
        await().atMost(TIMEOUT)
                .untilAsserted(
                        () -> assertThat(check.compare()).isNotEmpty().allMatch(DestinationCheck.Comparison::isEqual));
    }

    private long liveKeys() {
        try (Jedis redis = servers.redis().connect()) {
            return redis.keys("content:*").size();
        }
    }

    private void awaitCaptured(int events) {
        await().atMost(TIMEOUT).untilAsserted(() -> assertThat(values("dbserver1.public.engagement_events"))
                .hasSize(events)
                .allMatch(value -> value.length > 5 && value[0] == 0));
    }

    private List<byte[]> deadLetters() throws Exception {
        return values("engagement.dead-letters");
    }

    private List<byte[]> values(String topic) throws Exception {
        List<byte[]> values = new ArrayList<>();
        try (TopicReader reader =
                TopicReader.open(new KafkaConnection(servers.kafka().bootstrapServers(), Map.of()))) {
            var unused = reader.read(topic, Map.of(), Map.of(), record -> values.add(record.value()));
        }
        return values;
    }

    private void insertEvents(int from, int to) throws SQLException {
        execute(
                "INSERT INTO engagement_events (content_id, user_id, event_type, event_ts, duration_ms, device, raw_payload)"
                        + " SELECT md5((1 + n % 20)::text)::uuid, md5('u' || n)::uuid, 'play', now(), n, 'web', '{\"n\": 1}'"
                        + " FROM generate_series(" + from + ", " + to + ") n");
    }

    private void execute(String sql) throws SQLException {
        try (Connection connection = servers.postgres().connect();
                Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    // ------------------------------------------------------------------------------------------------ jobs

    private String[] captureArgs() throws Exception {
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
            "--parallelism",
            "1",
            "--capture.format",
            "avro",
            "--capture.registry.auto-register",
            "true",
            "--registry.url",
            registry.url(),
        };
    }

    private String[] streamArgs() {
        return new String[] {
            "stream",
            "--kafka.bootstrap-servers",
            servers.kafka().bootstrapServers(),
            "--redis.url",
            servers.redis().url(),
            "--destinations",
            "liveview",
            "--registry.url",
            registry.url(),
            "--ingest.format",
            "registry",
            "--enrichment.content-wait",
            "5 min",
        };
    }
}
