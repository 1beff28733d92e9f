package dev.engagement.local;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.jupiter.api.Test;
import redis.clients.jedis.Jedis;

/** The real servers: started, used, crashed, restarted on the same port, and gone without a trace. */
class ServersIT {

    private static final Path DIRECTORY = Path.of("target/it/servers");

    @Test
    void allThreeServeSurviveAndLeaveNoProcess() throws Exception {
        long[] pids;
        try (LocalServers servers = LocalServers.start(DIRECTORY.resolve("all"))) {
            pids = new long[] {servers.postgres().pid(), servers.redis().pid()};
            postgresKeepsCommittedRowsOverACrash(servers.postgres());
            redisIsEmptyAfterACrash(servers.redis());
            kafkaKeepsRecordsOverARestart(servers.kafka());
            assertThat(pids)
                    .doesNotContain(servers.postgres().pid(), servers.redis().pid());
            pids = new long[] {
                pids[0], pids[1], servers.postgres().pid(), servers.redis().pid()
            };
        }
        for (long pid : pids) {
            assertThat(ProcessHandle.of(pid).filter(ProcessHandle::isAlive)).isEmpty();
        }
        assertThat(Files.exists(DIRECTORY.resolve("all/postgres/postgresql.pid")))
                .isFalse();
        assertThat(Files.exists(DIRECTORY.resolve("all/redis/redis.pid"))).isFalse();
    }

    private static void postgresKeepsCommittedRowsOverACrash(PostgresServer postgres) throws SQLException {
        UUID id = UUID.fromString("00000000-0000-0000-0000-000000000001");
        try (Connection connection = postgres.connect();
                Statement statement = connection.createStatement()) {
            statement.execute("INSERT INTO content VALUES ('" + id + "', 's', 'T', 'video', 300, now())");
            assertThat(setting(statement, "wal_level")).isEqualTo("logical");
            assertThat(setting(statement, "fsync")).isEqualTo("on");
            assertThat(setting(statement, "synchronous_commit")).isEqualTo("on");
            assertThat(one(
                            statement,
                            "SELECT count(*) FROM pg_publication_tables WHERE pubname = '" + Schema.PUBLICATION + "'"))
                    .isEqualTo("3");
        }
        int port = postgres.port();
        postgres.kill();
        assertThat(postgres.isAlive()).isFalse();
        assertThatThrownBy(postgres::connect).isInstanceOf(SQLException.class);

        postgres.restart();

        assertThat(postgres.port()).isEqualTo(port);
        try (Connection connection = postgres.connect();
                Statement statement = connection.createStatement()) {
            assertThat(one(statement, "SELECT id FROM content")).isEqualTo(id.toString());
        }
    }

    private static void redisIsEmptyAfterACrash(RedisServer redis) {
        try (Jedis jedis = redis.connect()) {
            jedis.set("key", "value");
            assertThat(jedis.get("key")).isEqualTo("value");
        }
        int port = redis.port();
        redis.kill();
        assertThat(redis.isAlive()).isFalse();

        redis.restart();

        assertThat(redis.port()).isEqualTo(port);
        try (Jedis jedis = redis.connect()) {
            assertThat(jedis.get("key")).isNull();
        }
    }

    private static void kafkaKeepsRecordsOverARestart(KafkaServer kafka) throws Exception {
        byte[] large = new byte[9 * 1024 * 1024];
        Properties client = new Properties();
        client.setProperty("bootstrap.servers", kafka.bootstrapServers());
        client.setProperty("max.request.size", Integer.toString(KafkaServer.MAX_MESSAGE_BYTES));
        try (Admin admin = Admin.create(client)) {
            admin.createTopics(List.of(new NewTopic("topic", 1, (short) 1)))
                    .all()
                    .get();
        }
        try (KafkaProducer<byte[], byte[]> producer =
                new KafkaProducer<>(client, new ByteArraySerializer(), new ByteArraySerializer())) {
            producer.send(new ProducerRecord<>("topic", "key".getBytes(StandardCharsets.UTF_8), large))
                    .get();
        }
        int port = kafka.port();

        kafka.restart();

        assertThat(kafka.port()).isEqualTo(port);
        try (KafkaConsumer<byte[], byte[]> consumer =
                new KafkaConsumer<>(client, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
            TopicPartition partition = new TopicPartition("topic", 0);
            consumer.assign(List.of(partition));
            consumer.seekToBeginning(List.of(partition));
            assertThat(consumer.poll(Duration.ofMinutes(5)))
                    .singleElement()
                    .satisfies(record -> assertThat(record.value()).hasSize(large.length));
        }
    }

    @Test
    void aDurableRedisKeepsWhatItAcknowledgedOverACrash() {
        Path directory = DIRECTORY.resolve("redis-durable");
        RedisServer.discard(directory);
        try (RedisServer redis = RedisServer.startDurable(directory, 0)) {
            try (Jedis jedis = redis.connect()) {
                jedis.set("key", "value");
            }
            redis.kill();
            redis.restart();
            try (Jedis jedis = redis.connect()) {
                assertThat(jedis.get("key")).isEqualTo("value");
            }
        }
    }

    @Test
    void aKafkaProcessKeepsItsTopicsOverACrash() throws Exception {
        Path directory = DIRECTORY.resolve("kafka-process");
        KafkaProcess.discard(directory);
        try (KafkaProcess kafka = KafkaProcess.start(directory, 0, 0)) {
            try (Admin admin = Admin.create(Map.of("bootstrap.servers", kafka.bootstrapServers()))) {
                admin.createTopics(List.of(new NewTopic("topic", 1, (short) 1)))
                        .all()
                        .get();
            }
            long pid = kafka.pid();
            kafka.kill();
            assertThat(kafka.isAlive()).isFalse();
            kafka.restart();
            assertThat(kafka.pid()).isNotEqualTo(pid);
            try (Admin admin = Admin.create(Map.of("bootstrap.servers", kafka.bootstrapServers()))) {
                assertThat(admin.listTopics().names().get()).contains("topic");
            }
        }
    }

    @Test
    void redisAsksForItsPassword() {
        try (RedisServer redis = RedisServer.start(DIRECTORY.resolve("redis-password"), 0, "secret one");
                Jedis known = redis.connect();
                Jedis stranger = new Jedis(redis.host(), redis.port())) {
            assertThat(known.ping()).isEqualTo("PONG");
            assertThatThrownBy(stranger::ping).hasMessageContaining("NOAUTH");
        }
    }

    @Test
    void aPortInUseIsNamedWithTheEndOfTheServersLog() throws IOException {
        try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getByName("127.0.0.1"))) {
            assertThatThrownBy(() -> RedisServer.start(DIRECTORY.resolve("redis-taken"), taken.getLocalPort()))
                    .isInstanceOf(ServerException.class)
                    .hasMessageContaining("Redis ended with exit code")
                    .hasMessageContaining("Failed listening on port " + taken.getLocalPort());
        }
    }

    @Test
    void whatAKilledRunLeftBehindIsSweptAndNoStranger() throws Exception {
        Path directory = Folders.create(DIRECTORY.resolve("sweep").toAbsolutePath());
        Process leftover = sleeper();
        Process stranger = sleeper();
        try {
            long startedAt = leftover.info().startInstant().orElseThrow().toEpochMilli();
            Files.writeString(directory.resolve("redis.pid"), leftover.pid() + " " + startedAt + " sleep\n");
            assertThat(ServerProcess.sweep("Redis", directory)).isTrue();
            // Its end is known to the Process a moment after everybody else.
            assertThat(leftover.waitFor(1, TimeUnit.MINUTES)).isTrue();

            // The pid was reused: another start time, or another program.
            Files.writeString(directory.resolve("redis.pid"), stranger.pid() + " " + (startedAt - 60_000) + " sleep\n");
            assertThat(ServerProcess.sweep("Redis", directory)).isFalse();
            Files.writeString(directory.resolve("redis.pid"), stranger.pid() + " " + startedAt + " redis-server\n");
            assertThat(ServerProcess.sweep("Redis", directory)).isFalse();
            assertThat(stranger.isAlive()).isTrue();
        } finally {
            assertThat(leftover.destroyForcibly().waitFor()).isNotZero();
            assertThat(stranger.destroyForcibly().waitFor()).isNotZero();
        }
    }

    private static Process sleeper() {
        Path directory = Folders.create(DIRECTORY.resolve("sleeper").toAbsolutePath());
        try {
            return new ProcessBuilder("sleep", "600")
                    .directory(directory.toFile())
                    .start();
        } catch (IOException e) {
            throw new ServerException("sleep does not start", e);
        }
    }

    private static String setting(Statement statement, String name) throws SQLException {
        return one(statement, "SHOW " + name);
    }

    private static String one(Statement statement, String query) throws SQLException {
        try (ResultSet result = statement.executeQuery(query)) {
            assertThat(result.next()).isTrue();
            return result.getString(1);
        }
    }
}
