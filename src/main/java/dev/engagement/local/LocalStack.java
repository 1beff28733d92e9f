package dev.engagement.local;

import dev.engagement.local.LocalOptions.UsageException;
import dev.engagement.local.ScreenState.Job;
import dev.engagement.local.ScreenState.Place;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.sql.SQLException;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Properties;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Supplier;
import org.apache.kafka.clients.admin.Admin;
import org.jspecify.annotations.Nullable;
import org.slf4j.LoggerFactory;
import sun.misc.Signal;

/**
 * The whole pipeline on this machine: servers, jobs, load, screen and self-check, in one JVM and the servers' processes.
 * Started by {@code scripts/local.sh}, whose help text says what the options mean.
 */
public final class LocalStack {

    private static final Path DIRECTORY = Path.of("target/local");
    private static final String HELP = "dev/engagement/local/help.txt";

    private static final int POSTGRES_PORT = 5432;
    private static final int KAFKA_PORT = 9092;
    private static final int REDIS_PORT = 6379;
    private static final int BIGQUERY_REST_PORT = 9050;
    private static final int BIGQUERY_GRPC_PORT = 9060;
    private static final int RECEIVER_PORT = 8000;
    private static final int API_PORT = 8088;
    private static final int FLINK_PORT = 8081;
    private static final int REGISTRY_PORT = 8085;

    private static final int PICTURE_COLUMNS = 104;
    private static final int PICTURE_ROWS = 40;
    private static final Duration REFRESH = Duration.ofSeconds(1);
    private static final Duration LINE_EVERY = Duration.ofSeconds(5);
    private static final Duration FIRST_EVENTS_POLL = Duration.ofMillis(50);
    private static final int TASK_MANAGERS = 2;
    /** PostgreSQL has one log; and more readers than one change to it only after a checkpoint. */
    private static final int CAPTURE_PARALLELISM = 1;

    private static final String CLUSTER = "cluster";
    /** What a shell reports for a command ended by Ctrl-C. */
    private static final int INTERRUPTED = 130;

    private final LocalOptions options;
    private final Terminal terminal;
    private final Path directory = DIRECTORY.toAbsolutePath();
    private final long startedAt = System.nanoTime();
    private final CountDownLatch stopRequested = new CountDownLatch(1);
    private final AtomicBoolean stopping = new AtomicBoolean();
    private final Map<String, String> jobs = new TreeMap<>();
    private final List<Place> places = new ArrayList<>();

    private volatile @Nullable PostgresServer postgres;
    private volatile @Nullable KafkaServer kafka;
    private volatile @Nullable RedisServer redis;
    private volatile @Nullable BigQueryProcess bigQuery;
    private volatile @Nullable ReceiverProcess receiver;
    private volatile @Nullable ApiProcess api;
    private volatile @Nullable RegistryProcess registry;
    private volatile @Nullable JobHost host;
    private volatile @Nullable LoadGenerator generator;
    private @Nullable FlinkRest rest;

    private LocalStack(LocalOptions options, Terminal terminal) {
        this.options = options;
        this.terminal = terminal;
    }

    /** Runs until Ctrl-C, or with {@code --exit} until the self-check has its answer. */
    public static void main(String[] args) {
        LocalOptions options;
        try {
            options = LocalOptions.parse(List.of(args));
        } catch (UsageException e) {
            System.err.println(e.getMessage());
            System.exit(2);
            return;
        }
        Terminal terminal = Terminal.ofThisProcess();
        if (options.help()) {
            terminal.say(helpText().stripTrailing());
            return;
        }
        System.exit(new LocalStack(options, terminal).run());
    }

    static String helpText() {
        try (InputStream in = LocalStack.class.getClassLoader().getResourceAsStream(HELP)) {
            if (in == null) {
                throw new ServerException("The class path has no " + HELP + "; start this by scripts/local.sh");
            }
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new ServerException(HELP + " cannot be read", e);
        }
    }

    /** @return the exit code */
    private int run() {
        Folders.create(directory);
        try {
            // Never closed: it ends with this process, after the last server.
            FileLock lock = FileChannel.open(
                            directory.resolve("lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE)
                    .tryLock();
            if (lock == null) {
                terminal.say("Another local stack runs in this checkout (it holds " + directory.resolve("lock")
                        + "); stop it first, or use another checkout");
                return 1;
            }
            takeOverStopping();
            return runLocked();
        } catch (ServerException e) {
            return stopping.get() ? INTERRUPTED : failed(e.getMessage());
        } catch (IOException e) {
            return failed("The local stack cannot use " + directory + ": " + e);
        } catch (SQLException e) {
            return stopping.get() ? INTERRUPTED : failed("PostgreSQL refuses: " + e.getMessage());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return INTERRUPTED;
        }
    }

    private int failed(@Nullable String message) {
        terminal.release();
        terminal.say("FAILED: " + message);
        terminal.say("The log is " + DIRECTORY.resolve("flink.log"));
        return 1;
    }

    /** Every way to end but SIGKILL leads through {@link #stop}; a second Ctrl-C does not wait for it. */
    private void takeOverStopping() {
        ServerProcess.leaveStoppingToCaller();
        Runtime.getRuntime().addShutdownHook(new Thread(this::stop, "stop-local-stack"));
        Signal.handle(new Signal("INT"), signal -> {
            if (stopping.getAndSet(true)) {
                ServerProcess.killAll();
                JobHost flink = host;
                if (flink != null) {
                    flink.kill();
                }
                terminal.release();
                Runtime.getRuntime().halt(INTERRUPTED);
            }
            // On a thread of its own: exit waits for the hooks, and the next signal must find this thread free.
            new Thread(() -> System.exit(INTERRUPTED), "exit").start();
        });
    }

    private int runLocked() throws SQLException, InterruptedException, IOException {
        sweep();
        startAll();
        PostgresServer source = started(postgres);
        KafkaServer broker = started(kafka);
        RedisServer liveView = started(redis);
        BigQueryProcess warehouse = started(bigQuery);
        ReceiverProcess partner = started(receiver);
        LoadGenerator load = started(generator);
        terminal.say("");
        JobHost running = host;
        // Without Flink nothing is asked of it.
        FlinkRest flink = new FlinkRest(
                running == null ? URI.create("http://127.0.0.1:" + FLINK_PORT) : running.rest(),
                FlinkRest.SHOWN_WITHIN);
        rest = flink;
        Properties admin = new Properties();
        admin.setProperty("bootstrap.servers", broker.bootstrapServers());
        try (Admin client = Admin.create(admin);
                Figures figures = new Figures(source, liveView, warehouse, partner, client, flink, DeadLetters.TOPIC)) {
            List<DestinationCheck> checks = DestinationChecks.of(
                    source, liveView, warehouse, partner, broker.bootstrapServers(), load::versions);
            // Rollups show their windows every few seconds; what is to be behind the jobs is behind them before.
            List<DestinationCheck> prompt = checks.stream()
                    .filter(check -> !(check instanceof RollupCheck))
                    .toList();
            OptionalInt ended = letLoadBegin(figures, load, new FirstEvents(load, prompt));
            if (ended.isPresent()) {
                return ended.getAsInt();
            }
            if (!options.exit()) {
                return watch(figures, load);
            }
            sayPlaces();
            return outcome(new SelfCheckRun(
                    checks, figures, load, options.timeout(), terminal, new SelfCheckRun.Surroundings() {
                        @Override
                        public void show(List<String> waitsFor) throws InterruptedException {
                            LocalStack.this.show(figures, load, waitsFor);
                        }

                        @Override
                        public Optional<String> failedJob() throws InterruptedException {
                            return LocalStack.this.failedJob();
                        }

                        @Override
                        public List<String> lastExceptions() throws InterruptedException {
                            List<String> all = new ArrayList<>();
                            for (String name : allJobs().keySet()) {
                                all.addAll(LocalStack.this.lastExceptions(name));
                            }
                            return all;
                        }

                        @Override
                        public boolean isStopRequested(Duration within) throws InterruptedException {
                            return stopRequested.await(within.toMillis(), TimeUnit.MILLISECONDS);
                        }
                    }));
        }
    }

    // ------------------------------------------------------------------------------------------------- starting

    private void sweep() {
        boolean leftover = SessionCluster.sweep(directory.resolve(CLUSTER));
        leftover |= ServerProcess.sweep("PostgreSQL", directory.resolve("postgres"));
        leftover |= ServerProcess.sweep("Redis", directory.resolve("redis"));
        leftover |= BigQueryProcess.sweep(directory.resolve("bigquery"));
        leftover |= ReceiverProcess.sweep(directory.resolve("receiver"));
        leftover |= ApiProcess.sweep(directory.resolve("api"));
        leftover |= RegistryProcess.sweep(directory.resolve("registry"));
        if (leftover) {
            terminal.say("swept servers that a killed earlier run left behind");
        }
        PostgresServer.discard(directory.resolve("postgres"));
        RedisServer.discard(directory.resolve("redis"));
        BigQueryProcess.discard(directory.resolve("bigquery"));
        ReceiverProcess.discard(directory.resolve("receiver"));
        ApiProcess.discard(directory.resolve("api"));
        RegistryProcess.discard(directory.resolve("registry"));
        for (String folder : List.of("kafka", "checkpoints", "savepoints", "flink", CLUSTER, "tmp")) {
            Folders.deleteRecursively(directory.resolve(folder));
        }
        // Where java.io.tmpdir points.
        Folders.create(directory.resolve("tmp"));
    }

    /** Everything that runs, each as soon as what it needs is there. */
    private void startAll() throws IOException {
        terminal.say("starting servers…");
        // Before several threads do it at once, which it would complain of between the lines.
        LoggerFactory.getILoggerFactory();
        // Of its own: these wait for each other, and the common pool may have fewer threads than there are servers.
        ExecutorService threads = Executors.newCachedThreadPool(task -> {
            Thread thread = new Thread(task, "starting");
            thread.setDaemon(true);
            return thread;
        });
        try {
            // First what takes longest.
            CompletableFuture<Void> registryRuns = options.avro()
                    ? timed(threads, "registry", this::startRegistry)
                    : CompletableFuture.completedFuture(null);
            CompletableFuture<Void> kafkaRuns = timed(threads, "Kafka", this::startKafka);
            CompletableFuture<Void> postgresRuns = timed(threads, "PostgreSQL 17", this::startPostgres);
            CompletableFuture<Void> bigQueryRuns = timed(threads, "BigQuery", this::startBigQuery);
            CompletableFuture<Void> receiverRuns = timed(threads, "receiver", this::startReceiver);
            CompletableFuture<Void> redisRuns = timed(threads, "Redis 7", this::startRedis);
            CompletableFuture<Void> flinkRuns = !options.jobs() && !options.cluster()
                    ? CompletableFuture.completedFuture(null)
                    : timed(threads, "Flink", options.cluster() ? this::startSessionCluster : this::startInProcess);
            // Of Flink it has to know the port.
            CompletableFuture<Void> apiRuns = CompletableFuture.allOf(postgresRuns, redisRuns, bigQueryRuns, flinkRuns)
                    .thenRunAsync(() -> timed("API", this::startApi), threads);
            CompletableFuture<Void> captureRuns = CompletableFuture.allOf(
                            kafkaRuns, postgresRuns, flinkRuns, registryRuns)
                    .thenRunAsync(() -> timedIfJobs("job capture", this::submitCapture), threads);
            CompletableFuture<Void> streamRuns = CompletableFuture.allOf(
                            kafkaRuns, redisRuns, bigQueryRuns, receiverRuns, postgresRuns, flinkRuns, registryRuns)
                    .thenRunAsync(() -> timedIfJobs("job stream", this::submitStream), threads);
            join(CompletableFuture.allOf(
                    kafkaRuns, postgresRuns, bigQueryRuns, receiverRuns, redisRuns, apiRuns, flinkRuns, registryRuns));
            writeEndpoints(
                    started(postgres),
                    started(kafka),
                    started(redis),
                    started(bigQuery),
                    started(receiver),
                    started(api),
                    host);
            join(CompletableFuture.allOf(captureRuns, streamRuns));
        } finally {
            threads.shutdown();
        }
    }

    private static void join(CompletableFuture<Void> all) {
        try {
            all.join();
        } catch (CompletionException e) {
            throw e.getCause() instanceof ServerException failure
                    ? failure
                    : new ServerException("The servers could not be started: " + rootCause(e), e);
        }
    }

    private CompletableFuture<Void> timed(Executor threads, String what, Supplier<String> work) {
        return CompletableFuture.runAsync(() -> timed(what, work), threads);
    }

    private void timedIfJobs(String what, Supplier<String> work) {
        if (options.jobs()) {
            timed(what, work);
        }
    }

    private String startPostgres() {
        PostgresServer server = PostgresServer.start(directory.resolve("postgres"), Ports.preferred(POSTGRES_PORT));
        postgres = server;
        Schema.create(server, options.eventIds());
        server.createDatabase(PostgresServer.ANALYTICS);
        // Of both jobs, which are submitted at once.
        Folders.writePrivately(passwordFile(), server.password());
        try {
            // Before the outbox, which is filled with the contents that are there.
            generator = LoadGenerator.prepare(options.load(), server.connect(), Clock.systemUTC());
        } catch (SQLException e) {
            throw new ServerException("PostgreSQL refuses the first contents: " + e.getMessage(), e);
        }
        if (options.outbox()) {
            Schema.addOutbox(server);
        }
        return server.dataDirectory().startsWith(directory)
                ? "port " + server.port()
                : "port " + server.port() + ", data in " + server.dataDirectory() + " since uid " + Folders.UNPRIVILEGED
                        + " cannot reach " + directory;
    }

    private Path passwordFile() {
        return directory.resolve("postgres.password");
    }

    private String startKafka() {
        KafkaServer server = KafkaServer.start(directory.resolve("kafka"), Ports.preferred(KAFKA_PORT));
        kafka = server;
        return "port " + server.port();
    }

    private String startRegistry() {
        RegistryProcess server = RegistryProcess.start(directory.resolve("registry"), Ports.preferred(REGISTRY_PORT));
        registry = server;
        return "of schemas, port " + server.port();
    }

    private String startRedis() {
        RedisServer server = RedisServer.start(directory.resolve("redis"), Ports.preferred(REDIS_PORT));
        redis = server;
        return "port " + server.port();
    }

    private String startBigQuery() {
        BigQueryProcess server = BigQueryProcess.start(
                directory.resolve("bigquery"),
                Ports.preferred(BIGQUERY_REST_PORT),
                Ports.preferred(BIGQUERY_GRPC_PORT));
        bigQuery = server;
        return "an emulator, REST port " + server.restPort() + ", gRPC port " + server.grpcPort();
    }

    private String startReceiver() {
        ReceiverProcess server = ReceiverProcess.start(directory.resolve("receiver"), Ports.preferred(RECEIVER_PORT));
        receiver = server;
        return "of webhooks, port " + server.port();
    }

    private String startApi() {
        List<String> arguments = new ArrayList<>(ApiProcess.options(started(postgres), passwordFile(), started(redis)));
        arguments.addAll(ApiProcess.warehouseOptions(started(bigQuery).rest()));
        JobHost flink = host;
        if (flink != null) {
            arguments.addAll(List.of("--flink.rest", flink.rest().toString()));
        }
        ApiProcess server = ApiProcess.start(directory.resolve("api"), Ports.preferred(API_PORT), arguments);
        api = server;
        return "and its page, port " + server.port();
    }

    private String submitCapture() {
        return submit(started(host), "capture", captureArguments(started(postgres), started(kafka)));
    }

    private String submitStream() {
        return submit(
                started(host),
                "stream",
                streamArguments(
                        started(postgres), started(kafka), started(redis), started(bigQuery), started(receiver)));
    }

    /** Does it, then says what was done and how long it took. */
    private void timed(String what, Supplier<String> work) {
        long begin = System.nanoTime();
        sayTook(what, begin, work.get());
    }

    private void sayTook(String what, long begin, String remark) {
        double seconds = (System.nanoTime() - begin) / 1e9;
        terminal.say(String.format(Locale.ROOT, "  %-14s %5.1f s   %s", what, seconds, remark));
    }

    private String startInProcess() {
        int port = Ports.preferred(FLINK_PORT);
        host = InProcessFlink.start(directory, port, slots(), jobConfiguration());
        return "port " + port;
    }

    private String startSessionCluster() {
        SessionCluster cluster = SessionCluster.start(
                directory.resolve(CLUSTER),
                TASK_MANAGERS,
                (slots() + TASK_MANAGERS - 1) / TASK_MANAGERS,
                jobConfiguration());
        host = new ClusteredFlink(cluster);
        return "port " + cluster.rest().getPort() + ", a job manager, " + TASK_MANAGERS
                + " task managers and ZooKeeper";
    }

    /** Each job takes as many slots as it has parallelism; and room for one more, such as a backfill. */
    private int slots() {
        return CAPTURE_PARALLELISM + 2 * options.parallelism();
    }

    private Map<String, String> jobConfiguration() {
        Map<String, String> configuration = new LinkedHashMap<>();
        configuration.put("parallelism.default", Integer.toString(options.parallelism()));
        // Rows show in the warehouse as often.
        configuration.put("execution.checkpointing.interval", "2 s");
        return configuration;
    }

    private String eventIds() {
        return options.eventIds().name().toLowerCase(Locale.ROOT);
    }

    private List<String> captureArguments(PostgresServer source, KafkaServer broker) {
        List<String> arguments = new ArrayList<>(List.of(
                "capture",
                "--ingest.event-id",
                eventIds(),
                "--job.name",
                "engagement capture",
                "--parallelism",
                Integer.toString(CAPTURE_PARALLELISM),
                "--kafka.bootstrap-servers",
                broker.bootstrapServers(),
                "--postgres.url",
                source.jdbcUrl(),
                "--postgres.username",
                source.username(),
                "--postgres.password.secret-file",
                passwordFile().toString()));
        if (options.outbox()) {
            arguments.addAll(
                    List.of("--capture.source", "outbox", "--postgres.publication", Schema.OUTBOX_PUBLICATION));
        }
        if (options.avro()) {
            arguments.addAll(List.of(
                    "--capture.format",
                    "avro",
                    "--capture.registry.auto-register",
                    "true",
                    "--registry.url",
                    registryUrl()));
        }
        return arguments;
    }

    private String registryUrl() {
        return started(registry).url();
    }

    private List<String> streamArguments(
            PostgresServer analytics,
            KafkaServer broker,
            RedisServer liveView,
            BigQueryProcess warehouse,
            ReceiverProcess receiver) {
        List<String> arguments = new ArrayList<>(List.of(
                "stream",
                "--ingest.event-id",
                eventIds(),
                "--job.name",
                "engagement stream",
                "--kafka.bootstrap-servers",
                broker.bootstrapServers(),
                "--redis.url",
                liveView.url(),
                "--destinations",
                "liveview,warehouse,delivery,rollups",
                "--rollup.postgres.url",
                analytics.jdbcUrl(PostgresServer.ANALYTICS),
                "--rollup.postgres.username",
                analytics.username(),
                "--rollup.postgres.password.secret-file",
                passwordFile().toString()));
        arguments.addAll(warehouse.streamArguments());
        arguments.addAll(receiver.streamArguments());
        if (options.avro()) {
            arguments.addAll(List.of("--registry.url", registryUrl()));
        }
        // For the audit.
        arguments.addAll(List.of("--delivery.receipts", "true"));
        // What a start or a broken receiver put aside is back within seconds, and the self-check does not wait for it.
        arguments.addAll(List.of("--delivery.drain-rate", "5000"));
        return arguments;
    }

    private String submit(JobHost flink, String name, List<String> arguments) {
        try {
            String id = flink.submit(arguments);
            synchronized (jobs) {
                jobs.put(name, id);
            }
            return id;
        } catch (ServerException e) {
            throw new ServerException("The job " + name + " could not be started: " + e.getMessage(), e);
        }
    }

    private void writeEndpoints(
            PostgresServer source,
            KafkaServer broker,
            RedisServer liveView,
            BigQueryProcess warehouse,
            ReceiverProcess partner,
            ApiProcess page,
            @Nullable JobHost flink)
            throws IOException {
        Map<String, String> endpoints = new LinkedHashMap<>();
        endpoints.put("postgres.url", source.jdbcUrl());
        endpoints.put("postgres.username", source.username());
        endpoints.put("postgres.password", source.password());
        // Of the same user.
        endpoints.put("analytics.url", source.jdbcUrl(PostgresServer.ANALYTICS));
        endpoints.put("kafka.bootstrap-servers", broker.bootstrapServers());
        endpoints.put("redis.url", liveView.url());
        endpoints.put("bigquery.rest", warehouse.rest());
        endpoints.put("bigquery.grpc", warehouse.grpc());
        endpoints.put("warehouse.project", BigQueryProcess.PROJECT);
        endpoints.put("receiver.url", partner.url());
        endpoints.put(
                "receiver.secret-file", partner.secretFile().toAbsolutePath().toString());
        endpoints.put("delivery.receipts", "true");
        endpoints.put("ingest.event-id", eventIds());
        endpoints.put("api.url", page.url());
        if (options.avro()) {
            endpoints.put("registry.url", registryUrl());
        }
        if (flink != null) {
            endpoints.put("flink.rest", flink.rest().toString());
        }
        // Not by Properties.store, whose escaped colons a shell script would trip over.
        StringBuilder text = new StringBuilder("# Where the local stack listens; written at each start\n");
        endpoints.forEach(
                (key, value) -> text.append(key).append('=').append(value).append('\n'));
        Folders.writePrivatelyAtOnce(directory.resolve("endpoints.properties"), text.toString());

        // First of all: it is what there is to see.
        places.add(new Place("page", page.url() + "/"));
        places.add(new Place("PostgreSQL", "psql " + source.psqlUrl()));
        places.add(new Place("rollups", "psql " + source.psqlUrl(PostgresServer.ANALYTICS)));
        places.add(new Place("Redis", "redis-cli -p " + liveView.port()));
        places.add(new Place("Kafka", broker.bootstrapServers()));
        places.add(new Place("BigQuery", warehouse.curl("SELECT COUNT(*) FROM " + WarehouseCheck.TABLE)));
        places.add(new Place(
                "receiver", "scripts/receiver.sh fail   # breaks it, until: mend; or slow 500, hang, reset; stats"));
        if (options.avro()) {
            places.add(new Place("registry", "curl " + registryUrl() + "/subjects"));
        }
        if (flink != null) {
            places.add(new Place("Flink", flink.rest().toString()));
        }
        if (options.cluster()) {
            places.add(
                    new Place("", "ENGAGEMENT_CLUSTER_DIR=" + DIRECTORY.resolve(CLUSTER) + " scripts/flink.sh list"));
        }
    }

    // ------------------------------------------------------------------------------------------------- watching

    /**
     * Waits until the first events have come through, and lets the load begin then: what the jobs do only once, at their
     * start, is behind them.
     *
     * @return the exit code, if this ends here
     */
    private OptionalInt letLoadBegin(Figures figures, LoadGenerator load, FirstEvents first)
            throws InterruptedException, SQLException {
        if (!options.jobs() || !load.hasEvents()) {
            load.begin();
            return OptionalInt.empty();
        }
        terminal.say("the load begins once the first events have come through to Redis, BigQuery and the receiver…");
        long begin = System.nanoTime();
        long shownAt = begin;
        while (!first.haveComeThrough()) {
            if (since(shownAt).compareTo(showEvery()) >= 0) {
                shownAt = System.nanoTime();
                show(figures, load);
                Optional<String> failure = failedJob();
                if (failure.isPresent()) {
                    return OptionalInt.of(failed(failure.get()));
                }
            }
            if (options.exit() && since(begin).compareTo(options.timeout()) > 0) {
                show(figures, load);
                return OptionalInt.of(failed("the first events have not come through to Redis, BigQuery and the"
                        + " receiver within "
                        + options.timeout().toSeconds() + " s (--timeout)"));
            }
            if (stopRequested.await(FIRST_EVENTS_POLL.toMillis(), TimeUnit.MILLISECONDS)) {
                return OptionalInt.of(INTERRUPTED);
            }
        }
        load.begin();
        sayTook("first events", begin, "in Redis, BigQuery and the receiver; the load begins");
        return OptionalInt.empty();
    }

    private int outcome(SelfCheckRun run) throws InterruptedException {
        SelfCheckRun.Outcome outcome = run.run(showEvery());
        return switch (outcome.verdict()) {
            case PASSED -> 0;
            case STOPPED -> INTERRUPTED;
            case FAILED -> failed(outcome.why());
        };
    }

    private Duration showEvery() {
        return terminal.isInteractive() ? REFRESH : LINE_EVERY;
    }

    /** Why a job will not go on, if one has failed for good. */
    private Optional<String> failedJob() throws InterruptedException {
        return jobStates().stream()
                .filter(job -> job.state().startsWith("FAILED"))
                .map(job -> "The job " + job.name() + " " + job.state())
                .findFirst();
    }

    private int watch(Figures figures, LoadGenerator load) throws InterruptedException {
        if (!terminal.isInteractive()) {
            sayPlaces();
        }
        do {
            show(figures, load);
        } while (!stopRequested.await(showEvery().toMillis(), TimeUnit.MILLISECONDS));
        return INTERRUPTED;
    }

    private void sayPlaces() {
        places.forEach(place -> terminal.say(String.format(Locale.ROOT, "  %-12s %s", place.server(), place.how())));
    }

    private void show(Figures figures, LoadGenerator load) throws InterruptedException {
        show(figures, load, List.of());
    }

    /** @param waitsFor what the self-check waits for, in words */
    private void show(Figures figures, LoadGenerator load, List<String> waitsFor) throws InterruptedException {
        ScreenState state = state(figures, load, waitsFor);
        if (stopping.get()) {
            return;
        }
        Path picture = options.picture();
        if (picture != null && !load.isDone()) {
            String shown = ScreenPicture.of(Screen.render(state, PICTURE_COLUMNS, PICTURE_ROWS, true), PICTURE_COLUMNS);
            PostgresServer source = postgres;
            // The one secret on the screen; a picture is shown around.
            Folders.writeAtOnce(picture, source == null ? shown : shown.replace(source.password(), "…"));
        }
        if (terminal.isInteractive()) {
            terminal.paint(Screen.render(state, terminal.width(), terminal.height(), terminal.isColourful()));
        } else {
            terminal.say(Screen.line(state));
        }
    }

    private ScreenState state(Figures figures, LoadGenerator load, List<String> waitsFor) throws InterruptedException {
        List<Job> states = jobStates();
        Figures.Reading reading = figures.read(job("stream"));
        List<String> notes = new ArrayList<>(reading.notes());
        notes.addAll(waitsFor);
        for (Job job : states) {
            if (!job.state().equals("RUNNING")) {
                notes.addAll(lastExceptions(job.name()));
            }
        }
        SQLException failure = load.failure();
        if (failure != null) {
            notes.add("the load generator has ended: " + failure.getMessage());
        }
        return new ScreenState(
                Duration.ofNanos(System.nanoTime() - startedAt),
                states,
                reading.in(),
                reading.out(),
                reading.warehouse(),
                reading.delivery(),
                reading.deadLetters(),
                reading.duplicates(),
                reading.p50Millis(),
                reading.p99Millis(),
                reading.leaderboards(),
                places,
                notes);
    }

    /** Why that job last restarted or failed, if it did. */
    private List<String> lastExceptions(String name) throws InterruptedException {
        String job = job(name);
        FlinkRest flink = rest;
        if (job == null || flink == null) {
            return List.of();
        }
        try {
            String exception = flink.lastException(job);
            return exception == null ? List.of() : List.of(name + ": " + exception);
        } catch (IOException e) {
            return List.of(name + ": Flink does not answer, " + rootCause(e));
        }
    }

    private @Nullable String job(String name) {
        synchronized (jobs) {
            return jobs.get(name);
        }
    }

    private Map<String, String> allJobs() {
        synchronized (jobs) {
            return new LinkedHashMap<>(jobs);
        }
    }

    private List<Job> jobStates() throws InterruptedException {
        List<Job> states = new ArrayList<>();
        JobHost flink = host;
        if (flink == null || stopping.get()) {
            return states;
        }
        for (Map.Entry<String, String> each : allJobs().entrySet()) {
            states.add(new Job(each.getKey(), flink.stateOf(each.getValue())));
        }
        return states;
    }

    private static Duration since(long nanoTime) {
        return Duration.ofNanos(System.nanoTime() - nanoTime);
    }

    // ------------------------------------------------------------------------------------------------- stopping

    /** In the order in which nobody waits for something already stopped; a failure does not keep the rest from it. */
    private void stop() {
        stopping.set(true);
        stopRequested.countDown();
        terminal.release();
        terminal.say("stopping…");
        step("load", generator);
        JobHost flink = host;
        if (flink != null) {
            allJobs().forEach((name, id) -> step("job " + name, () -> flink.cancel(id)));
            step("Flink", flink);
        }
        step("API", api);
        step("Kafka", kafka);
        step("receiver", receiver);
        step("BigQuery", bigQuery);
        step("Redis", redis);
        step("registry", registry);
        step("PostgreSQL", postgres);
        // What was still starting.
        ServerProcess.killAll();
        terminal.say("stopped");
    }

    private void step(String what, @Nullable AutoCloseable closeable) {
        if (closeable == null) {
            return;
        }
        try {
            closeable.close();
        } catch (Exception e) {
            terminal.say("  " + what + " did not stop in order: " + rootCause(e));
        }
    }

    private static <T> T started(@Nullable T server) {
        if (server == null) {
            throw new ServerException("The local stack is being stopped");
        }
        return server;
    }

    static String rootCause(Throwable failure) {
        Throwable cause = failure;
        while (cause.getCause() != null && cause.getCause() != cause) {
            cause = cause.getCause();
        }
        String message = cause.getMessage();
        return message == null ? cause.getClass().getSimpleName() : message;
    }
}
