package dev.engagement.faults;

import static org.awaitility.Awaitility.await;

import dev.engagement.local.BigQueryProcess;
import dev.engagement.local.DestinationCheck;
import dev.engagement.local.DestinationChecks;
import dev.engagement.local.KafkaProcess;
import dev.engagement.local.LiveViewWatch;
import dev.engagement.local.Ports;
import dev.engagement.local.PostgresServer;
import dev.engagement.local.ReceiverProcess;
import dev.engagement.local.RedisServer;
import dev.engagement.local.Schema;
import dev.engagement.local.WarehouseCheck;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ListOffsetsResult.ListOffsetsResultInfo;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;
import redis.clients.jedis.Jedis;

/**
 * The whole system as processes of this JVM: PostgreSQL, Kafka, Redis, a BigQuery emulator, a webhook receiver, a session
 * cluster of two task managers, both jobs, load and probe. The jobs reach each server through a {@link TcpProxy}, but for
 * BigQuery's REST, which only a start needs; the harness itself goes around them. The rollups' tables are in PostgreSQL,
 * too, in a database of their own behind a proxy of its own.
 *
 * <p>Redis writes a file, but its supervisor starts it without: what it held is gone when it dies, unless a fault has it
 * started {@link #restartRedisWithItsFile otherwise}. All the while a {@link LiveViewWatch} reads. Used from one thread.
 */
final class Installation implements AutoCloseable {

    /** Short, so that a run of some minutes has many, and what only a checkpoint shows is soon there. */
    private static final String CHECKPOINT_INTERVAL = "2 s";

    /** How old what the job manager says of a job may be; three seconds otherwise. */
    private static final String REST_REFRESH = "web.refresh-interval";

    private static final int TASK_MANAGERS = 2;
    private static final int CONTENTS = 200;
    private static final String DEAD_LETTERS = "engagement.dead-letters";
    /** Far above the load: what is compared is that all arrives, and not how gently. */
    private static final String DRAIN_RATE = "20000";

    private static final Pattern SUBMITTED = Pattern.compile("job ([0-9a-f]{32}) is submitted");
    private static final Path JAR = Path.of("target/engagement-job.jar");

    private static final String AUDITED = "liveview,warehouse,delivery";
    private static final String DESTINATIONS = AUDITED + ",rollups";
    /** The default of {@code postgres.slot-name}. */
    private static final String SLOT = "engagement_slot";

    private static final Duration LIMIT = Duration.ofMinutes(5);
    private static final Duration POLL = Duration.ofMillis(100);

    /**
     * Each fault is an incident of its own. Production forgets a failure after ten minutes, and a script of many kills
     * would measure the delay that has grown to a minute, and not the recovery.
     */
    private static final String FORGET_FAILURES = "restart-strategy.exponential-delay.reset-backoff-threshold";

    private final Path directory;
    /** Written once: jobs that run read it whenever they connect. */
    private final Path passwordFile;

    private final PostgresServer postgres;
    private final KafkaProcess kafka;
    private final RedisServer redis;
    private final BigQueryProcess bigQuery;
    private final ReceiverProcess receiver;
    private final Map<Role, TcpProxy> proxies;
    private final TcpProxy rollups;
    private final SessionCluster cluster;
    private final ClusterRest rest;
    private final Map<Role, Victim> victims = new EnumMap<>(Role.class);
    private final Load load;
    private final Probe probe;
    private final LiveViewWatch watch;
    private final List<String> moreStreamOptions;
    private final List<String> moreCaptureOptions;
    private String capture;
    private String stream;
    private long lettersPutBack;

    private Installation(
            Path directory,
            PostgresServer postgres,
            KafkaProcess kafka,
            RedisServer redis,
            BigQueryProcess bigQuery,
            ReceiverProcess receiver,
            Map<Role, TcpProxy> proxies,
            TcpProxy rollups,
            SessionCluster cluster,
            FaultOptions options,
            List<String> moreStreamOptions)
            throws Exception {
        this.directory = directory;
        this.passwordFile = writePassword(directory, postgres.password());
        this.moreStreamOptions = moreStreamOptions;
        this.moreCaptureOptions = options.outbox()
                ? List.of(
                        "--capture.source",
                        "outbox",
                        "--postgres.publication",
                        Schema.OUTBOX_PUBLICATION,
                        "--capture.outbox.purge",
                        "true",
                        "--capture.heartbeat-interval",
                        "1 s")
                : List.of();
        this.postgres = postgres;
        this.kafka = kafka;
        this.redis = redis;
        this.bigQuery = bigQuery;
        this.receiver = receiver;
        this.proxies = proxies;
        this.rollups = rollups;
        this.cluster = cluster;
        this.rest = new ClusterRest(cluster.rest());
        victim(
                Role.TASK_MANAGER_1,
                () -> cluster.pid("taskmanager-1"),
                () -> cluster.startAgain("start-taskmanager", "1"));
        victim(
                Role.TASK_MANAGER_2,
                () -> cluster.pid("taskmanager-2"),
                () -> cluster.startAgain("start-taskmanager", "2"));
        victim(Role.JOB_MANAGER, () -> cluster.pid("jobmanager"), () -> cluster.startAgain("start-jobmanager"));
        victim(Role.POSTGRES, postgres::pid, restart(postgres::restart));
        victim(Role.KAFKA, kafka::pid, restart(kafka::restart));
        victim(Role.REDIS, redis::pid, restart(redis::restartEmpty));
        victim(Role.BIGQUERY, bigQuery::pid, restart(bigQuery::restart));
        victim(Role.RECEIVER, receiver::pid, restart(receiver::restart));
        this.capture = cluster.run(captureArguments("initial"));
        this.stream = cluster.run(streamArguments(null, 2));
        this.load = Load.start(postgres, options.seed(), CONTENTS, options.rate());
        this.probe = Probe.start(postgres, redis);
        List<String> contents = contents();
        this.watch = LiveViewWatch.start(redis, "", () -> contents, LiveViewWatch.bySql(postgres));
    }

    /**
     * Starts everything, without what an earlier run in that folder left.
     *
     * @param directory of this run alone
     * @param moreStreamOptions beside those of every run
     */
    static Installation start(Path directory, FaultOptions options, List<String> moreStreamOptions) throws Exception {
        if (!Files.exists(JAR)) {
            throw new IllegalStateException(
                    JAR + " is not there; ./mvnw package makes it, and verify does before this");
        }
        Path absolute = directory.toAbsolutePath();
        PostgresServer.discard(absolute.resolve("postgres"));
        KafkaProcess.discard(absolute.resolve("kafka"));
        RedisServer.discard(absolute.resolve("redis"));
        BigQueryProcess.discard(absolute.resolve("bigquery"));
        ReceiverProcess.discard(absolute.resolve("receiver"));
        Files.createDirectories(absolute);
        List<AutoCloseable> started = new ArrayList<>();
        try {
            PostgresServer postgres = keep(started, PostgresServer.start(absolute.resolve("postgres"), 0));
            Schema.create(postgres);
            if (options.outbox()) {
                Schema.addOutbox(postgres);
            }
            postgres.createDatabase(PostgresServer.ANALYTICS);
            RedisServer redis = keep(started, RedisServer.startDurable(absolute.resolve("redis"), 0));
            BigQueryProcess bigQuery = keep(started, BigQueryProcess.start(absolute.resolve("bigquery"), 0, 0));
            ReceiverProcess receiver = keep(started, ReceiverProcess.start(absolute.resolve("receiver"), 0));
            int advertised = Ports.free();
            KafkaProcess kafka = keep(started, KafkaProcess.start(absolute.resolve("kafka"), 0, advertised));
            Map<Role, TcpProxy> proxies = Map.of(
                    Role.POSTGRES, keep(started, TcpProxy.start(Ports.free(), postgres.port())),
                    Role.KAFKA, keep(started, TcpProxy.start(advertised, kafka.port())),
                    Role.REDIS, keep(started, TcpProxy.start(Ports.free(), redis.port())),
                    Role.BIGQUERY, keep(started, TcpProxy.start(Ports.free(), bigQuery.grpcPort())),
                    Role.RECEIVER, keep(started, TcpProxy.start(Ports.free(), receiver.port())));
            TcpProxy rollups = keep(started, TcpProxy.start(Ports.free(), postgres.port()));
            SessionCluster cluster = keep(
                    started,
                    SessionCluster.start(
                            absolute.resolve("cluster"),
                            TASK_MANAGERS,
                            // Not the usual port: while the job manager is dead, another cluster might take it.
                            Map.of(
                                    FORGET_FAILURES,
                                    "15 s",
                                    REST_REFRESH,
                                    "200 ms",
                                    "rest.port",
                                    Integer.toString(Ports.free()))));
            return new Installation(
                    absolute,
                    postgres,
                    kafka,
                    redis,
                    bigQuery,
                    receiver,
                    proxies,
                    rollups,
                    cluster,
                    options,
                    moreStreamOptions);
        } catch (Exception e) {
            for (int i = started.size() - 1; i >= 0; i--) {
                try {
                    started.get(i).close();
                } catch (Exception alsoThat) {
                    e.addSuppressed(alsoThat);
                }
            }
            throw e;
        }
    }

    private static <T extends AutoCloseable> T keep(List<AutoCloseable> started, T each) {
        started.add(each);
        return each;
    }

    private void victim(Role role, Victim.Action<Long> pid, Victim.Action<?> start) {
        victims.put(role, new Victim(role, pid, start, proxies.get(role)));
    }

    private static Victim.Action<Boolean> restart(Runnable restart) {
        return () -> {
            restart.run();
            return true;
        };
    }

    // ------------------------------------------------------------------------------------------------- its parts

    Victim victim(Role role) {
        return victims.get(role);
    }

    /** The network between the jobs and that server. */
    TcpProxy network(Role server) {
        TcpProxy proxy = proxies.get(server);
        if (proxy == null) {
            throw new IllegalArgumentException("There is no proxy before " + server.title());
        }
        return proxy;
    }

    /** The network between the stream and the database of its rollups, which no other connection goes through. */
    TcpProxy rollupsNetwork() {
        return rollups;
    }

    SessionCluster cluster() {
        return cluster;
    }

    Load load() {
        return load;
    }

    Probe probe() {
        return probe;
    }

    /** What a reader of the live view has seen since the start. */
    LiveViewWatch watch() {
        return watch;
    }

    Path directory() {
        return directory;
    }

    Path jar() {
        return JAR;
    }

    /** All destinations against the source; a new one is added in {@link DestinationChecks}. */
    List<DestinationCheck> checks() {
        return DestinationChecks.of(postgres, redis, bigQuery, receiver, kafka.bootstrapServers(), load::versions);
    }

    Connection connectToSource() throws SQLException {
        return postgres.connect();
    }

    /** To the rollups' tables, around the proxy; the caller closes it. */
    Connection connectToRollups() throws SQLException {
        return postgres.connect(PostgresServer.ANALYTICS);
    }

    /** To Redis itself, around the proxy; the caller closes it. */
    Jedis connectToRedis() {
        return redis.connect();
    }

    /** Faults that BigQuery's protocol itself can throw. */
    BigQueryProcess bigQuery() {
        return bigQuery;
    }

    /** Which can be told to misbehave; not through the proxy. */
    ReceiverProcess receiver() {
        return receiver;
    }

    /** As its supervisor does after its death, but with all that it held. */
    void restartRedisWithItsFile() throws Exception {
        victim(Role.REDIS).restartBy(restart(redis::restart));
    }

    private List<String> contents() throws SQLException {
        List<String> ids = new ArrayList<>();
        try (Connection connection = postgres.connect();
                Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery("SELECT id FROM " + Schema.CONTENT)) {
            while (rows.next()) {
                ids.add(rows.getString(1));
            }
        }
        return ids;
    }

    /** Rows that the warehouse shows. */
    long visibleRows() throws Exception {
        return new WarehouseCheck(postgres, sql -> bigQuery.query(BigQueryProcess.PROJECT, sql), content -> List.of())
                .arrived();
    }

    /** One row, as nothing of ours would. */
    void deleteFromWarehouse(long eventId) throws Exception {
        var unused = bigQuery.query(
                BigQueryProcess.PROJECT, "DELETE FROM analytics.engagement_events WHERE event_id = " + eventId);
    }

    /** Events that the source holds. */
    long countSource() throws SQLException {
        try (Connection connection = postgres.connect();
                Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery("SELECT count(*) FROM " + Schema.EVENTS)) {
            rows.next();
            return rows.getLong(1);
        }
    }

    /** Letters written, but for those of which {@link #lettersArePutBack} was said. */
    long deadLetters() throws InterruptedException, ExecutionException {
        return lettersEver() - lettersPutBack;
    }

    /** That a redrive has put back every letter that there is. */
    void lettersArePutBack() throws InterruptedException, ExecutionException {
        lettersPutBack = lettersEver();
    }

    private long lettersEver() throws InterruptedException, ExecutionException {
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", kafka.bootstrapServers()))) {
            Map<TopicPartition, OffsetSpec> ends =
                    admin
                            .describeTopics(List.of(DEAD_LETTERS))
                            .allTopicNames()
                            .get()
                            .get(DEAD_LETTERS)
                            .partitions()
                            .stream()
                            .collect(Collectors.toMap(
                                    each -> new TopicPartition(DEAD_LETTERS, each.partition()),
                                    each -> OffsetSpec.latest()));
            return admin.listOffsets(ends).all().get().values().stream()
                    .mapToLong(ListOffsetsResultInfo::offset)
                    .sum();
        }
    }

    // ------------------------------------------------------------------------------------------------- its jobs

    /** Whether both jobs run, with all their tasks. */
    boolean isRunning() throws IOException, InterruptedException {
        Set<String> running = rest.jobs().stream()
                .filter(ClusterRest.Job::isRunning)
                .map(ClusterRest.Job::id)
                .collect(Collectors.toSet());
        return running.contains(capture) && running.contains(stream);
    }

    /**
     * Whether both jobs have completed a checkpoint that began after that moment.
     *
     * @param since of the wall clock, in milliseconds
     */
    boolean hasCheckpointsAfter(long since) throws IOException, InterruptedException {
        return rest.hasCheckpointAfter(capture, since) && rest.hasCheckpointAfter(stream, since);
    }

    /** A job of ours that has ended, which no waiting heals, with its last exception; empty if none has. */
    String ended() throws IOException, InterruptedException {
        StringBuilder ended = new StringBuilder();
        for (ClusterRest.Job each : rest.jobs()) {
            if (each.hasEnded() && List.of(capture, stream).contains(each.id())) {
                ended.append(each.name())
                        .append(" is ")
                        .append(each.state())
                        .append(": ")
                        .append(rest.lastException(each.id()))
                        .append('\n');
            }
        }
        return ended.toString();
    }

    /** Failures of both jobs since that moment of the wall clock, as far as the present job manager remembers. */
    int failures(long since) throws IOException, InterruptedException {
        return rest.failures(capture, since) + rest.failures(stream, since);
    }

    /** What a supervisor does all the time: starts what is dead. Returns what it was. */
    List<Role> restartDead() throws Exception {
        List<Role> dead = new ArrayList<>();
        for (Victim each : victims.values()) {
            if (each.isDead()) {
                dead.add(each.role());
                each.restart();
            }
        }
        return dead;
    }

    /** Each job's state and last exception, for a message. */
    String jobs() throws InterruptedException {
        StringBuilder text = new StringBuilder();
        try {
            for (ClusterRest.Job each : rest.jobs()) {
                text.append("  ")
                        .append(each.name())
                        .append(' ')
                        .append(each.state())
                        .append(", ")
                        .append(each.runningTasks())
                        .append(" of ")
                        .append(each.tasks())
                        .append(" tasks run, ")
                        .append(rest.failures(each.id(), 0))
                        .append(" failures remembered; last exception: ")
                        .append(rest.lastException(each.id()))
                        .append('\n');
            }
        } catch (IOException e) {
            text.append("  the job manager does not answer: ").append(e).append('\n');
        }
        return text.toString();
    }

    /** The ids of jobs that have not ended. */
    Set<String> livingJobs() throws IOException, InterruptedException {
        return rest.jobs().stream()
                .filter(each -> !each.hasEnded())
                .map(ClusterRest.Job::id)
                .collect(Collectors.toSet());
    }

    /** Task managers that the job manager knows of. */
    int taskManagers() throws IOException, InterruptedException {
        return rest.taskManagers();
    }

    /** Of the stream's widest task. */
    int streamParallelism() throws IOException, InterruptedException {
        return rest.parallelism(stream);
    }

    /** Stops the stream with a savepoint, and goes on from it at that parallelism. */
    void rescale(int parallelism) throws Exception {
        String savepoint = cluster.stop(stream);
        stream = cluster.run(streamArguments(savepoint, parallelism));
    }

    /**
     * {@code scripts/deploy.sh} of the stream. The job that runs afterwards is the stream from then on.
     *
     * @param jar what is to be deployed
     * @return how it ended
     */
    Shell.Outcome deploy(Path jar, int parallelism) throws Exception {
        List<String> arguments = new ArrayList<>(List.of(streamArguments(null, parallelism)));
        arguments.remove(0);
        arguments.addAll(List.of("--jar", jar.toString(), "--keep", "2"));
        Shell.Outcome outcome = cluster.deploy(arguments);
        Matcher submitted = SUBMITTED.matcher(outcome.output());
        while (submitted.find()) {
            stream = submitted.group(1);
        }
        return outcome;
    }

    /** Capture is cancelled, and somebody drops its slot: from now on nobody keeps what is written. */
    void loseSlot() throws Exception {
        cluster.flink("cancel", capture).orFail();
        await().atMost(LIMIT).pollInterval(POLL).until(() -> isSlotIdle());
        try (Connection connection = postgres.connect();
                Statement statement = connection.createStatement()) {
            statement.execute("SELECT pg_drop_replication_slot('" + SLOT + "')");
        }
    }

    /** Capture with a new slot, from that slot's beginning; returns when there is one. */
    void captureFromNow() throws Exception {
        capture = cluster.run(captureArguments("latest"));
        await().atMost(LIMIT).pollInterval(POLL).until(() -> slots("active") == 1);
    }

    private boolean isSlotIdle() throws SQLException {
        return slots("NOT active") == 1;
    }

    private int slots(String condition) throws SQLException {
        try (Connection connection = postgres.connect();
                Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery("SELECT count(*) FROM pg_replication_slots WHERE slot_name = '"
                        + SLOT + "' AND " + condition)) {
            row.next();
            return row.getInt(1);
        }
    }

    /** {@code flink run … backfill}; waits for its end, whatever that is. */
    Shell.Outcome backfill(String... more) throws Exception {
        List<String> options = new ArrayList<>(sourceOptions());
        options.addAll(bigQuery.streamArguments());
        return client("backfill", options, more);
    }

    /** {@code flink run … redrive}; waits for its end, whatever that is. */
    Shell.Outcome redrive(String... more) throws Exception {
        return client("redrive", List.of(), more);
    }

    /** {@code flink run … audit} of all three destinations; waits for its end, whatever that is. */
    Shell.Outcome audit(String... more) throws Exception {
        List<String> options = new ArrayList<>(sourceOptions());
        options.addAll(bigQuery.streamArguments().subList(0, 6));
        options.addAll(List.of(
                "--redis.url",
                redis.url(),
                "--destinations",
                AUDITED,
                "--delivery.receipts",
                "true",
                "--delivery.include-snapshot",
                "true",
                "--counts"));
        return client("audit", options, more);
    }

    private Shell.Outcome client(String command, List<String> options, String... more) throws Exception {
        List<String> arguments = new ArrayList<>(
                List.of("run", JAR.toString(), command, "--kafka.bootstrap-servers", kafka.bootstrapServers()));
        arguments.addAll(options);
        arguments.addAll(List.of(more));
        return cluster.flink(arguments.toArray(String[]::new));
    }

    private List<String> sourceOptions() {
        return List.of(
                "--postgres.url",
                postgres.jdbcUrl(),
                "--postgres.username",
                postgres.username(),
                "--postgres.password.secret-file",
                passwordFile.toString());
    }

    private static Path writePassword(Path directory, String password) throws IOException {
        Path file = directory.resolve("postgres.password");
        Files.deleteIfExists(file);
        Files.createFile(file, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
        Files.writeString(file, password);
        return file;
    }

    private static String through(TcpProxy proxy, String jdbcUrl) {
        URI url = URI.create(jdbcUrl.substring("jdbc:".length()));
        return "jdbc:postgresql://127.0.0.1:" + proxy.port() + url.getPath();
    }

    private String[] captureArguments(String start) {
        List<String> arguments = new ArrayList<>(List.of(
                JAR.toString(),
                "capture",
                "--parallelism",
                "1",
                "--checkpoint.interval",
                CHECKPOINT_INTERVAL,
                "--kafka.bootstrap-servers",
                kafka.bootstrapServers(),
                "--postgres.url",
                through(network(Role.POSTGRES), postgres.jdbcUrl()),
                "--postgres.username",
                postgres.username(),
                "--postgres.password.secret-file",
                passwordFile.toString(),
                "--capture.start",
                start));
        arguments.addAll(moreCaptureOptions);
        return arguments.toArray(String[]::new);
    }

    private String[] streamArguments(@Nullable String savepoint, int parallelism) {
        List<String> arguments = new ArrayList<>();
        if (savepoint != null) {
            arguments.addAll(List.of("-s", savepoint));
        }
        arguments.addAll(List.of(
                JAR.toString(),
                "stream",
                "--parallelism",
                Integer.toString(parallelism),
                "--checkpoint.interval",
                CHECKPOINT_INTERVAL,
                "--kafka.bootstrap-servers",
                kafka.bootstrapServers(),
                "--redis.url",
                "redis://127.0.0.1:" + network(Role.REDIS).port(),
                "--destinations",
                DESTINATIONS,
                "--rollup.postgres.url",
                through(rollups, postgres.jdbcUrl(PostgresServer.ANALYTICS)),
                "--rollup.postgres.username",
                postgres.username(),
                "--rollup.postgres.password.secret-file",
                passwordFile.toString()));
        arguments.addAll(bigQuery.streamArguments(network(Role.BIGQUERY).port()));
        arguments.addAll(receiver.streamArguments(network(Role.RECEIVER).port()));
        arguments.addAll(List.of("--delivery.drain-rate", DRAIN_RATE));
        arguments.addAll(moreStreamOptions);
        return arguments.toArray(String[]::new);
    }

    /** Stops in the order in which nobody waits for a stopped one, whatever fails on the way. */
    @Override
    public void close() throws Exception {
        List<AutoCloseable> order =
                new ArrayList<>(List.of(watch, load, probe, cluster, kafka, receiver, bigQuery, redis, postgres));
        order.addAll(proxies.values());
        order.add(rollups);
        Exception failure = null;
        for (AutoCloseable each : order) {
            try {
                each.close();
            } catch (Exception e) {
                if (failure == null) {
                    failure = e;
                } else {
                    failure.addSuppressed(e);
                }
            }
        }
        if (failure != null) {
            throw failure;
        }
    }
}
