package dev.engagement.local;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/**
 * A {@link KafkaServer} in a child JVM of its own, so that it can be killed and frozen as a real broker. Records survive
 * {@link #kill}, {@link #stop} and a later {@link #start} in the same folder.
 *
 * <p>Not thread safe.
 */
public final class KafkaProcess extends RestartableServer {

    private static final String NAME = "Kafka";
    private static final String HOST = "127.0.0.1";
    private static final List<String> JVM_OPTIONS = List.of("-Xmx512m");
    private static final Duration START_LIMIT = Duration.ofMinutes(5);
    private static final Duration STOP_TIMEOUT = Duration.ofSeconds(20);

    private final Path directory;
    private final int port;
    private final int advertisedPort;

    private KafkaProcess(Path directory, int port, int advertisedPort) {
        super("TERM", STOP_TIMEOUT);
        this.directory = directory;
        this.port = port;
        this.advertisedPort = advertisedPort;
        launch();
    }

    /**
     * Starts a broker, on a new log if the folder has none yet. What a killed JVM left running in that folder is killed
     * first.
     *
     * @param directory for records, logs and pid file; created if missing
     * @param port where to listen; 0 takes a free one
     * @param advertisedPort where clients are told to connect, for a proxy in between; 0 for {@code port}
     * @throws ServerException if it does not start; with the end of its log
     */
    public static KafkaProcess start(Path directory, int port, int advertisedPort) {
        Path absolute = Folders.create(directory.toAbsolutePath().normalize());
        int broker = Ports.orFree(port);
        return new KafkaProcess(absolute, broker, advertisedPort == 0 ? broker : advertisedPort);
    }

    /** Kills what a killed JVM left running in that folder, and deletes the folder with all records. */
    public static void discard(Path directory) {
        discard(NAME, directory);
    }

    /** The child: folder, port, advertised port. Ends by a signal. */
    public static void main(String[] args) throws IOException, InterruptedException {
        Path directory = Path.of(args[0]);
        KafkaServer server = KafkaServer.start(directory, Integer.parseInt(args[1]), Integer.parseInt(args[2]));
        Runtime.getRuntime().addShutdownHook(new Thread(server::stop, "stop-kafka"));
        ChildJvm.ready(directory);
        Thread.currentThread().join();
    }

    @Override
    ServerProcess startProcess() {
        return ChildJvm.start(
                NAME,
                directory,
                JVM_OPTIONS,
                "broker.log",
                KafkaProcess.class,
                List.of(directory.toString(), Integer.toString(port), Integer.toString(advertisedPort)),
                START_LIMIT);
    }

    /** {@code host:port} as advertised. */
    public String bootstrapServers() {
        return HOST + ":" + advertisedPort;
    }

    /** Where it listens itself. */
    public int port() {
        return port;
    }
}
