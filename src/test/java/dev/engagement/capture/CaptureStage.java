package dev.engagement.capture;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.engagement.connection.KafkaConnection;
import dev.engagement.connection.PostgresConnection;
import dev.engagement.connection.SecretRef;
import dev.engagement.deadletter.DeadLetter;
import dev.engagement.local.KafkaServer;
import dev.engagement.local.PostgresServer;
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
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Queue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutionException;
import java.util.function.Consumer;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.apache.flink.api.common.JobID;
import org.apache.flink.api.common.JobStatus;
import org.apache.flink.api.connector.sink2.Sink;
import org.apache.flink.api.connector.sink2.SinkWriter;
import org.apache.flink.api.connector.sink2.WriterInitContext;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.MemorySize;
import org.apache.flink.core.execution.SavepointFormatType;
import org.apache.flink.runtime.jobgraph.JobGraph;
import org.apache.flink.runtime.jobgraph.SavepointRestoreSettings;
import org.apache.flink.runtime.minicluster.MiniCluster;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.util.ExceptionUtils;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.awaitility.Awaitility;
import org.jspecify.annotations.Nullable;

/**
 * One test's part of the shared servers: a schema with the three tables, a publication, a slot and two topics, all named
 * after the test; and the capture job over them.
 */
final class CaptureStage implements AutoCloseable {

    static final Duration TIMEOUT = Duration.ofMinutes(5);
    static final Duration POLL = Duration.ofMillis(20);
    static final ObjectMapper JSON = new ObjectMapper();

    /** Letters by stage name: the sink of a MiniCluster's job can reach its test only through something static. */
    private static final Map<String, Queue<DeadLetter>> LETTERS = new ConcurrentHashMap<>();

    private static final int PARTITIONS = 3;

    final String name;
    final PostgresServer postgres;
    private final KafkaServer kafka;
    private final MiniCluster cluster;
    private Path passwordFile;
    private String username;
    private boolean acceptFiltered;
    private int acceptTimeline;
    private @Nullable OutboxOptions outbox;
    private @Nullable Connection connection;
    private final KafkaConsumer<byte[], byte[]> consumer;
    private final List<Record> records = new ArrayList<>();
    private @Nullable JobID job;
    private Duration heartbeat = Duration.ofMillis(300);
    private Consumer<DeadLetter> onLetter = letter -> {};

    CaptureStage(String name, PostgresServer postgres, KafkaServer kafka, MiniCluster cluster, Path passwordFile)
            throws Exception {
        this.name = name;
        this.postgres = postgres;
        this.kafka = kafka;
        this.cluster = cluster;
        this.passwordFile = passwordFile;
        this.username = postgres.username();
        LETTERS.put(name, new ConcurrentLinkedQueue<>());
        sql("CREATE SCHEMA " + name);
        sql("CREATE TABLE %s.content (id UUID PRIMARY KEY, slug TEXT NOT NULL, title TEXT NOT NULL,"
                + " content_type TEXT, length_seconds INTEGER, publish_ts TIMESTAMPTZ NOT NULL)");
        sql("CREATE TABLE %s.engagement_events (id BIGSERIAL PRIMARY KEY, content_id UUID, user_id UUID,"
                + " event_type TEXT, event_ts TIMESTAMPTZ NOT NULL, duration_ms INTEGER, device TEXT,"
                + " raw_payload JSONB)");
        sql("CREATE TABLE %s.heartbeat (id INT PRIMARY KEY, beat_at TIMESTAMPTZ NOT NULL)");
        sql("CREATE TABLE %s.elsewhere (text TEXT)");
        sql("CREATE PUBLICATION %1$s_publication FOR TABLE %1$s.content, %1$s.engagement_events, %1$s.heartbeat");
        Properties properties = new Properties();
        properties.setProperty("bootstrap.servers", kafka.bootstrapServers());
        properties.setProperty("max.partition.fetch.bytes", "16777216");
        try (Admin admin = Admin.create(properties)) {
            admin.createTopics(Stream.of(eventsTopic(), contentTopic())
                            .map(topic -> new NewTopic(topic, PARTITIONS, (short) 1))
                            .toList())
                    .all()
                    .get();
        }
        consumer = new KafkaConsumer<>(properties, new ByteArrayDeserializer(), new ByteArrayDeserializer());
        List<TopicPartition> partitions = new ArrayList<>();
        for (int i = 0; i < PARTITIONS; i++) {
            partitions.add(new TopicPartition(eventsTopic(), i));
            partitions.add(new TopicPartition(contentTopic(), i));
        }
        consumer.assign(partitions);
        consumer.seekToBeginning(partitions);
    }

    /** A record as it stands in Kafka; the id is 0 if the key's is not a number. */
    record Record(
            String topic,
            String key,
            long eventId,
            @Nullable JsonNode value) {
        String op() {
            return value == null ? "tombstone" : value.path("op").asText();
        }
    }

    String eventsTopic() {
        return name + ".events";
    }

    String contentTopic() {
        return name + ".content";
    }

    String slot() {
        return name + "_slot";
    }

    CaptureOptions options(CaptureOptions.Start start) {
        return new CaptureOptions(
                new PostgresConnection(
                        postgres.jdbcUrl(), username, SecretRef.inFile("postgres.password", passwordFile.toString())),
                name,
                "engagement_events",
                "content",
                "heartbeat",
                slot(),
                name + (outbox == null ? "_publication" : "_outbox"),
                start,
                heartbeat,
                MemorySize.parse("20kb"),
                eventsTopic(),
                contentTopic(),
                acceptFiltered,
                acceptTimeline,
                outbox,
                null);
    }

    void acceptFiltered(boolean accept) {
        acceptFiltered = accept;
    }

    void acceptTimeline(int timeline) {
        acceptTimeline = timeline;
    }

    /** Captures as another role than the owner of the tables. */
    void username(String role, Path password) {
        username = role;
        passwordFile = password;
    }

    /** Captures that outbox instead of the two tables, or the tables again. */
    void outbox(@Nullable OutboxOptions options) {
        outbox = options;
    }

    /** Runs one of the files in {@code scripts/sql}, on this stage's schema. */
    void script(String file) throws IOException, SQLException {
        sql(Files.readString(Path.of("scripts/sql", file))
                .replace("search_path = public", "search_path = " + name)
                .replace("engagement_outbox", name + "_outbox")
                .replace("engagement_heartbeat", "heartbeat")
                .replace("%", "%%"));
    }

    void heartbeat(Duration interval) {
        heartbeat = interval;
    }

    void onLetter(Consumer<DeadLetter> action) {
        onLetter = action;
    }

    Queue<DeadLetter> letters() {
        return LETTERS.getOrDefault(name, new ConcurrentLinkedQueue<>());
    }

    void start(CaptureOptions.Start start) throws Exception {
        start(start, null, Duration.ofMillis(200));
    }

    void start(CaptureOptions.Start start, @Nullable String savepoint, Duration checkpointInterval) throws Exception {
        Configuration configuration = new Configuration();
        configuration.setString("pipeline.generic-types", "false");
        configuration.setString("pipeline.auto-generate-uids", "false");
        configuration.setString("execution.checkpointing.interval", checkpointInterval.toMillis() + " ms");
        configuration.setString("restart-strategy.type", "fixed-delay");
        configuration.setString("restart-strategy.fixed-delay.attempts", "1000");
        configuration.setString("restart-strategy.fixed-delay.delay", "50 ms");
        StreamExecutionEnvironment env = StreamExecutionEnvironment.getExecutionEnvironment(configuration);
        env.setParallelism(1);
        CaptureJob.wire(env, options(start), new KafkaConnection(kafka.bootstrapServers(), Map.of()))
                .sinkTo(new LetterSink(name, onLetterIn(name)))
                .uid("letters");
        JobGraph graph = env.getStreamGraph().getJobGraph();
        if (savepoint != null) {
            graph.setSavepointRestoreSettings(SavepointRestoreSettings.forPath(savepoint));
        }
        job = cluster.submitJob(graph).get().getJobID();
    }

    private static final Map<String, Consumer<DeadLetter>> ON_LETTER = new ConcurrentHashMap<>();

    private String onLetterIn(String stage) {
        ON_LETTER.put(stage, onLetter);
        return stage;
    }

    /** Stops in order; gives the savepoint. */
    String stop() throws Exception {
        return cluster.stopWithSavepoint(job(), "target/it/capture/savepoints", false, SavepointFormatType.NATIVE)
                .get();
    }

    JobID job() {
        if (job == null) {
            throw new IllegalStateException("No job was started");
        }
        return job;
    }

    JobStatus status() {
        try {
            return cluster.getJobStatus(job()).get();
        } catch (InterruptedException | ExecutionException e) {
            throw new AssertionError(e);
        }
    }

    /** Waits until the job has failed for good, and gives the messages of the causes. */
    String failure() throws Exception {
        Awaitility.await("job fails").atMost(TIMEOUT).pollInterval(POLL).until(() -> status() == JobStatus.FAILED);
        return ExceptionUtils.stringifyException(
                cluster.getExecutionGraph(job()).get().getFailureInfo().getException());
    }

    long completedCheckpoints() throws Exception {
        return cluster.getExecutionGraph(job())
                .get()
                .getCheckpointStatsSnapshot()
                .getCounts()
                .getNumberOfCompletedCheckpoints();
    }

    int restarts() throws Exception {
        return (int) cluster.getExecutionGraph(job())
                .get()
                .getCheckpointStatsSnapshot()
                .getCounts()
                .getNumberOfRestoredCheckpoints();
    }

    /** Everything read from both topics so far. */
    List<Record> records() {
        ConsumerRecords<byte[], byte[]> polled = consumer.poll(Duration.ofMillis(10));
        while (!polled.isEmpty()) {
            polled.forEach(record -> records.add(read(record)));
            polled = consumer.poll(Duration.ZERO);
        }
        return Collections.unmodifiableList(records);
    }

    /** Leaves out what has been read so far. */
    void forget() {
        records();
        records.clear();
    }

    List<Record> await(Predicate<List<Record>> condition) {
        Awaitility.await("records in Kafka")
                .atMost(TIMEOUT)
                .pollInterval(Duration.ofMillis(20))
                .until(() -> condition.test(records()));
        return records();
    }

    void awaitEvent(long id) {
        await(all -> all.stream().anyMatch(r -> r.topic().equals(eventsTopic()) && r.eventId() == id));
    }

    /**
     * Inserts events until one of them comes as a change and not with the snapshot: the job that runs now has begun, and
     * follows the changes.
     */
    void awaitChange() throws SQLException {
        long first = insertEvent();
        Awaitility.await("a change")
                .atMost(TIMEOUT)
                .pollInterval(Duration.ofMillis(100))
                .until(() -> {
                    insertEvent();
                    return records().stream()
                            .anyMatch(record -> record.topic().equals(eventsTopic())
                                    && record.op().equals("c")
                                    && record.eventId() >= first);
                });
    }

    private static Record read(ConsumerRecord<byte[], byte[]> record) {
        try {
            return new Record(
                    record.topic(),
                    new String(record.key(), StandardCharsets.UTF_8),
                    JSON.readTree(record.key()).path("id").asLong(),
                    record.value() == null ? null : JSON.readTree(record.value()));
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    /** Opened anew after a restart of the server. */
    private Connection connection() throws SQLException {
        Connection current = connection;
        if (current == null || !current.isValid(5)) {
            current = postgres.connect();
            connection = current;
        }
        return current;
    }

    void sql(String sql) throws SQLException {
        try (Statement statement = connection().createStatement()) {
            statement.execute(String.format(sql, name));
        }
    }

    /** Over a connection of its own, so that others need not wait for it. */
    void elsewhere(String sql) {
        try (Connection other = postgres.connect();
                Statement statement = other.createStatement()) {
            statement.execute(String.format(sql, name));
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }

    String query(String sql) throws SQLException {
        try (Statement statement = connection().createStatement();
                ResultSet row = statement.executeQuery(String.format(sql, name))) {
            return row.next() ? String.valueOf(row.getString(1)) : "";
        }
    }

    /** Inserts one event and gives its id. */
    long insertEvent() throws SQLException {
        return Long.parseLong(query("INSERT INTO %s.engagement_events (event_type, event_ts, duration_ms, raw_payload)"
                + " VALUES ('play', now(), 7000, '{\"a\": 1}') RETURNING id"));
    }

    String slotColumn(String column) throws SQLException {
        return query("SELECT " + column + " FROM pg_replication_slots WHERE slot_name = '%s_slot'");
    }

    /** Whether somebody reads from the slot. */
    boolean slotActive() {
        try {
            return slotColumn("active").equals("t");
        } catch (SQLException e) {
            throw new AssertionError(e);
        }
    }

    /** Drops the slot, whoever uses it. */
    void dropSlot() {
        Awaitility.await("slot dropped")
                .atMost(TIMEOUT)
                .pollInterval(Duration.ofMillis(5))
                .ignoreExceptions()
                .until(() -> {
                    query(
                            "SELECT pg_terminate_backend(active_pid) FROM pg_replication_slots WHERE slot_name = '%s_slot'");
                    query("SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots"
                            + " WHERE slot_name = '%s_slot'");
                    return query("SELECT count(*) FROM pg_replication_slots WHERE slot_name = '%s_slot'")
                            .equals("0");
                });
    }

    @Override
    public void close() throws Exception {
        if (job != null && !status().isGloballyTerminalState()) {
            cluster.cancelJob(job()).get();
            Awaitility.await("job cancelled")
                    .atMost(TIMEOUT)
                    .pollInterval(POLL)
                    .until(() -> status().isGloballyTerminalState());
        }
        consumer.close();
        dropSlot();
        connection().close();
    }

    /** Keeps letters where the test can see them. */
    private static final class LetterSink implements Sink<DeadLetter> {
        private static final long serialVersionUID = 1L;

        private final String stage;
        private final String action;

        LetterSink(String stage, String action) {
            this.stage = stage;
            this.action = action;
        }

        @Override
        @Deprecated
        public SinkWriter<DeadLetter> createWriter(InitContext context) {
            return writer();
        }

        @Override
        public SinkWriter<DeadLetter> createWriter(WriterInitContext context) {
            return writer();
        }

        private SinkWriter<DeadLetter> writer() {
            return new SinkWriter<>() {
                @Override
                public void write(DeadLetter letter, Context context) {
                    LETTERS.getOrDefault(stage, new ConcurrentLinkedQueue<>()).add(letter);
                    ON_LETTER.getOrDefault(action, ignored -> {}).accept(letter);
                }

                @Override
                public void flush(boolean endOfInput) {}

                @Override
                public void close() {}
            };
        }
    }
}
