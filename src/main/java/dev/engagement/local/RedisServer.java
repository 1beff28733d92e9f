package dev.engagement.local;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import redis.clients.jedis.DefaultJedisClientConfig;
import redis.clients.jedis.HostAndPort;
import redis.clients.jedis.Jedis;

/**
 * A real Redis 7 as a child process, on the loopback interface only. In memory only, unless it is started durable: what
 * it held is gone after {@link #kill} or {@link #stop}, as after the loss of a production server.
 *
 * <p>Not thread safe.
 */
public final class RedisServer extends RestartableServer {

    private static final String NAME = "Redis";
    private static final String HOST = "127.0.0.1";
    private static final Duration START_LIMIT = Duration.ofMinutes(5);
    private static final Duration STOP_TIMEOUT = Duration.ofSeconds(5);
    /** Redis itself answers in an instant; on a machine that is full it has to get a processor first. */
    private static final Duration ANSWER_LIMIT = Duration.ofMinutes(1);
    /** Short: on a taken port somebody may accept and never answer. */
    private static final Duration PROBE_LIMIT = Duration.ofMillis(500);

    private final Path directory;
    private final int port;
    private final @Nullable String password;
    private final boolean durable;
    private final List<String> settings;

    private RedisServer(Path directory, int port, @Nullable String password, boolean durable, List<String> settings) {
        super("TERM", STOP_TIMEOUT);
        this.directory = directory;
        this.port = port;
        this.password = password;
        this.durable = durable;
        this.settings = List.copyOf(settings);
        launch();
    }

    /** As {@link #start(Path, int, String)}, without a password. */
    public static RedisServer start(Path directory, int port) {
        return start(directory, port, null);
    }

    /**
     * Starts an empty server. What a killed JVM left running in that folder is killed first.
     *
     * @param directory for configuration, log and pid file; created if missing
     * @param port where to listen; 0 takes a free one
     * @param password of the default user; null for none
     * @throws ServerException if it does not start; with the end of its log
     */
    public static RedisServer start(Path directory, int port, @Nullable String password) {
        return start(directory, port, password, false, List.of());
    }

    /**
     * Starts a server that keeps what it has acknowledged, in an append-only file that is synced before each answer:
     * {@link #restart} finds it again, after {@link #kill} too. It begins with what that folder holds.
     *
     * @param directory for configuration, log, pid file and data; created if missing
     * @param port where to listen; 0 takes a free one
     * @throws ServerException if it does not start; with the end of its log
     */
    public static RedisServer startDurable(Path directory, int port) {
        return start(directory, port, null, true, List.of());
    }

    /** As {@link #start(Path, int, String)}, with further lines of {@code redis.conf}. */
    static RedisServer start(Path directory, int port, @Nullable String password, List<String> settings) {
        return start(directory, port, password, false, settings);
    }

    private static RedisServer start(
            Path directory, int port, @Nullable String password, boolean durable, List<String> settings) {
        Path absolute = Folders.create(directory.toAbsolutePath().normalize());
        ServerProcess.sweep(NAME, absolute);
        return new RedisServer(absolute, Ports.orFree(port), password, durable, settings);
    }

    /** Kills what a killed JVM left running in that folder, and deletes the folder. */
    public static void discard(Path directory) {
        discard(NAME, directory);
    }

    @Override
    ServerProcess startProcess() {
        Path configuration = directory.resolve("redis.conf");
        // In a file and not in arguments, which every user of the machine can read.
        Folders.writePrivately(
                configuration,
                String.join(
                        "\n",
                        "bind " + HOST,
                        "port " + port,
                        "dir \"" + directory + "\"",
                        "save \"\"",
                        "appendonly " + (durable ? "yes" : "no"),
                        // With everysec, an answer may come before its write has reached even the kernel.
                        "appendfsync always",
                        password == null ? "" : "requirepass \"" + password + "\"",
                        String.join("\n", settings),
                        ""));
        ServerProcess started = ServerProcess.start(
                NAME,
                directory,
                "redis-server",
                List.of(Binaries.redis().toString(), configuration.toString()),
                Map.of());
        started.awaitReady(START_LIMIT, () -> {
            try (Jedis jedis = connect(PROBE_LIMIT)) {
                if (!jedis.info("server").contains("process_id:" + started.pid() + "\r")) {
                    throw new ServerException("Another server answers on port " + port);
                }
            }
            // Not by INFO: it says that nothing is loading, too, between two of the files that a durable one reads.
            if (!hasSaidThatItIsReady(started)) {
                throw new ServerException("Redis on port " + port + " is still loading what it had");
            }
        });
        return started;
    }

    private boolean hasSaidThatItIsReady(ServerProcess started) throws IOException {
        try (Stream<String> lines = Files.lines(ServerProcess.logFile(NAME, directory))) {
            return lines.anyMatch(
                    line -> line.startsWith(started.pid() + ":M ") && line.contains("Ready to accept connections"));
        }
    }

    /** {@code redis://host:port}, without the password. */
    public String url() {
        return "redis://" + HOST + ":" + port;
    }

    public String host() {
        return HOST;
    }

    public int port() {
        return port;
    }

    /** The default user's password, or null if it has none. */
    public @Nullable String password() {
        return password;
    }

    /** A new connection, which the caller closes. */
    public Jedis connect() {
        return connect(ANSWER_LIMIT);
    }

    /**
     * The same for one who does not wait as long.
     *
     * @param answerLimit how long the server may take to connect, and for each answer
     */
    Jedis connect(Duration answerLimit) {
        DefaultJedisClientConfig.Builder config =
                DefaultJedisClientConfig.builder().timeoutMillis((int) answerLimit.toMillis());
        if (password != null) {
            config.password(password);
        }
        return new Jedis(new HostAndPort(HOST, port), config.build());
    }

    /** SIGSTOP: it keeps its connections, accepts new ones, and answers nothing until {@link #thaw}. */
    public void freeze() {
        process().signal("STOP");
    }

    /** SIGCONT, after {@link #freeze}. */
    public void thaw() {
        process().signal("CONT");
    }

    /** Stops in order; a frozen one too. */
    @Override
    public void stop() {
        if (isAlive()) {
            thaw();
        }
        super.stop();
    }

    /** As {@link #restart}, empty even if durable: the machine that comes back without its disk. */
    public void restartEmpty() {
        stop();
        Folders.deleteRecursively(directory.resolve("appendonlydir"));
        launch();
    }
}
