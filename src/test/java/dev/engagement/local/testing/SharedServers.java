package dev.engagement.local.testing;

import static org.awaitility.Awaitility.await;

import dev.engagement.local.KafkaServer;
import dev.engagement.local.PostgresServer;
import dev.engagement.local.RedisServer;
import dev.engagement.local.Schema;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.flink.util.FileUtils;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ConsumerGroupListing;
import org.jspecify.annotations.Nullable;
import redis.clients.jedis.Jedis;

/**
 * The real servers of a JVM's tests: PostgreSQL, Kafka and Redis are started once, when one is first asked for, run until the
 * JVM ends, and are handed on empty. The BigQuery emulator and the webhook receiver run in this JVM and start in no time:
 * each lease has its own.
 *
 * <p>For tests that do not kill, stop or configure a server: those start one of their own.
 *
 * <pre>{@code
 * servers = SharedServers.lease(Path.of("target/it/my-test"));   // @BeforeAll, or @BeforeEach
 * … servers.postgres().connect() … servers.kafka().bootstrapServers() … servers.redis().url() …
 * … servers.bigQuery().streamArguments() … servers.receiver().streamArguments() … servers.rollupArguments() …
 * servers.close();
 * }</pre>
 *
 * <p>One lease at a time, and the next one ends the one before: tests of a JVM run one after the other. Not thread safe.
 */
public final class SharedServers implements AutoCloseable {

    private static final Duration TIMEOUT = Duration.ofMinutes(5);
    private static final Path HOME = Path.of(
            "target/it",
            "fork-"
                    + System.getProperty(
                            "surefire.forkNumber",
                            Long.toString(ProcessHandle.current().pid())));

    private static @Nullable PostgresServer sharedPostgres;
    private static @Nullable KafkaServer sharedKafka;
    private static @Nullable RedisServer sharedRedis;
    private static @Nullable SharedServers leased;

    private final Path directory;
    private @Nullable PostgresServer postgres;
    private boolean hasAnalytics;
    private @Nullable KafkaServer kafka;
    private @Nullable RedisServer redis;
    private @Nullable InProcessBigQuery bigQuery;
    private @Nullable InProcessReceiver receiver;

    private SharedServers(Path directory) {
        this.directory = directory;
    }

    /**
     * Takes the servers until {@link #close}.
     *
     * @param directory of this lease alone, by habit {@code target/it/…} named for the test; emptied and created
     */
    public static SharedServers lease(Path directory) throws IOException {
        if (leased != null) {
            // A test that failed before it could close its own must not make all others fail.
            leased.close();
        }
        FileUtils.deleteDirectory(directory.toFile());
        Files.createDirectories(directory);
        leased = new SharedServers(directory);
        return leased;
    }

    /** With {@link Schema} created, and without anything else: no row, no replication slot. */
    public PostgresServer postgres() {
        if (postgres == null) {
            if (sharedPostgres == null) {
                PostgresServer.discard(HOME.resolve("postgres"));
                sharedPostgres = PostgresServer.start(HOME.resolve("postgres"), 0);
            } else {
                empty(sharedPostgres);
            }
            Schema.create(sharedPostgres);
            postgres = sharedPostgres;
        }
        return postgres;
    }

    /**
     * {@link #postgres} with the database {@value PostgresServer#ANALYTICS} beside the one of the source tables, without
     * tables; {@code jdbcUrl} and {@code connect} take its name.
     */
    public PostgresServer analytics() {
        PostgresServer server = postgres();
        if (!hasAnalytics) {
            recreate(server, PostgresServer.ANALYTICS);
            hasAnalytics = true;
        }
        return server;
    }

    /** The options of {@code stream} for rollups whose tables are in {@link #analytics}. */
    public List<String> rollupArguments() throws IOException {
        PostgresServer server = analytics();
        return List.of(
                "--rollup.postgres.url",
                server.jdbcUrl(PostgresServer.ANALYTICS),
                "--rollup.postgres.username",
                server.username(),
                "--rollup.postgres.password.secret-file",
                postgresPasswordFile());
    }

    /** Without topics and consumer groups. */
    public KafkaServer kafka() {
        if (kafka == null) {
            if (sharedKafka == null) {
                delete(HOME.resolve("kafka"));
                sharedKafka = KafkaServer.start(HOME.resolve("kafka"), 0);
            } else {
                empty(sharedKafka);
            }
            kafka = sharedKafka;
        }
        return kafka;
    }

    /** Empty, without a password. */
    public RedisServer redis() {
        if (redis == null) {
            if (sharedRedis == null) {
                RedisServer.discard(HOME.resolve("redis"));
                sharedRedis = RedisServer.start(HOME.resolve("redis"), 0);
            }
            try (Jedis jedis = sharedRedis.connect()) {
                jedis.flushAll();
                jedis.scriptFlush();
            }
            redis = sharedRedis;
        }
        return redis;
    }

    /** Without tables; this lease's alone. */
    public InProcessBigQuery bigQuery() {
        if (bigQuery == null) {
            bigQuery = new InProcessBigQuery(directory.resolve("bigquery"));
        }
        return bigQuery;
    }

    /** That has received nothing; this lease's alone. */
    public InProcessReceiver receiver() {
        if (receiver == null) {
            receiver = new InProcessReceiver(directory.resolve("receiver"));
        }
        return receiver;
    }

    /** The file of {@link #postgres}' password, absolute. */
    public String postgresPasswordFile() throws IOException {
        Path file = directory.resolve("postgres.password").toAbsolutePath();
        Files.writeString(file, postgres().password());
        return file.toString();
    }

    /** Gives the servers back; jobs that use them must have ended. */
    @Override
    public void close() {
        leased = null;
        try {
            if (receiver != null) {
                receiver.close();
            }
        } finally {
            if (bigQuery != null) {
                bigQuery.close();
            }
        }
    }

    private static void empty(PostgresServer server) {
        recreate(server, server.jdbcUrl().substring(server.jdbcUrl().lastIndexOf('/') + 1));
    }

    private static void recreate(PostgresServer server, String database) {
        // A walsender that has just been told to end holds its slot, and so the database, for a moment.
        await().atMost(TIMEOUT)
                .pollInterval(Duration.ofMillis(20))
                .ignoreExceptions()
                .until(() -> {
                    try (Connection connection = server.connect("postgres");
                            Statement statement = connection.createStatement()) {
                        statement.execute("SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots"
                                + " WHERE active AND database = '" + database + "'");
                        statement.execute("DROP DATABASE IF EXISTS " + database + " WITH (FORCE)");
                        statement.execute("CREATE DATABASE " + database);
                    }
                    return true;
                });
    }

    private static void empty(KafkaServer server) {
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", server.bootstrapServers()))) {
            await().atMost(TIMEOUT)
                    .pollInterval(Duration.ofMillis(20))
                    .ignoreExceptions()
                    .until(() -> {
                        Set<String> topics = admin.listTopics().names().get();
                        admin.deleteTopics(topics).all().get();
                        List<String> groups = new ArrayList<>();
                        for (ConsumerGroupListing group :
                                admin.listConsumerGroups().all().get()) {
                            groups.add(group.groupId());
                        }
                        admin.deleteConsumerGroups(groups).all().get();
                        return topics.isEmpty() && groups.isEmpty();
                    });
        }
    }

    private static void delete(Path directory) {
        try {
            FileUtils.deleteDirectory(directory.toFile());
        } catch (IOException e) {
            throw new IllegalStateException(directory + " cannot be deleted", e);
        }
    }

    /** A connection to the database of this lease, for a statement. */
    public void sql(String statement) throws SQLException {
        try (Connection connection = postgres().connect();
                Statement execute = connection.createStatement()) {
            execute.execute(statement);
        }
    }
}
