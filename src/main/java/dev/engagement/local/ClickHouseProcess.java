package dev.engagement.local;

import dev.engagement.local.clickhouse.ClickHouseServer;
import java.io.IOException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpRequest;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/**
 * A {@link ClickHouseServer} in a child JVM of its own, so that it can be killed and frozen. Needs npm for the engine.
 *
 * <p>Not thread safe.
 */
public final class ClickHouseProcess extends RestartableServer {

    /** Its only user. */
    public static final String USERNAME = "engagement";

    /** Of that. Not a secret: it listens on the loopback interface, and holds what was generated. */
    public static final String PASSWORD = "engagement";

    private static final String NAME = "ClickHouse";
    private static final List<String> JVM_OPTIONS = List.of("-Xmx128m");
    private static final Duration START_LIMIT = Duration.ofMinutes(5);
    private static final Duration STOP_TIMEOUT = Duration.ofSeconds(20);

    private final Path directory;
    private final int port;
    private final Path library;
    private final ControlHttp http = new ControlHttp("ClickHouse");

    private ClickHouseProcess(Path directory, int port) {
        super("TERM", STOP_TIMEOUT);
        this.directory = directory;
        this.port = port;
        this.library = Binaries.clickHouse();
        launch();
    }

    /**
     * Starts a server, with what the folder holds. What a killed JVM left running in that folder is killed first.
     *
     * @param directory for data, logs and pid file; created if missing
     * @param port where it listens; 0 takes a free one
     * @throws ServerException if it does not start; with the end of its log
     */
    public static ClickHouseProcess start(Path directory, int port) {
        Path absolute = Folders.create(directory.toAbsolutePath().normalize());
        ServerProcess.sweep(NAME, absolute);
        return new ClickHouseProcess(absolute, Ports.orFree(port));
    }

    /** Kills what a killed JVM left running in that folder, and deletes the folder with all rows. */
    public static void discard(Path directory) {
        discard(NAME, directory);
    }

    /** The server as a program of its own: folder, port, engine. Ends by a signal. */
    public static void main(String[] args) throws IOException, InterruptedException {
        if (args.length != 3) {
            System.err.println("Usage: ClickHouseProcess FOLDER PORT LIBRARY");
            System.exit(2);
        }
        Path directory = Path.of(args[0]);
        ClickHouseServer server = new ClickHouseServer(
                Path.of(args[2]), directory.resolve("data"), Integer.parseInt(args[1]), USERNAME, PASSWORD);
        // The engine does not end in order once it has tables; what it has acknowledged is on disk.
        Runtime.getRuntime()
                .addShutdownHook(new Thread(() -> Runtime.getRuntime().halt(0), "stop-clickhouse"));
        System.out.println("ClickHouse: http://127.0.0.1:" + server.port());
        ChildJvm.ready(directory);
        Thread.currentThread().join();
    }

    @Override
    ServerProcess startProcess() {
        return ChildJvm.start(
                NAME,
                directory,
                JVM_OPTIONS,
                "server.log",
                ClickHouseProcess.class,
                List.of(directory.toString(), Integer.toString(port), library.toString()),
                START_LIMIT);
    }

    /** Where it answers: {@code http://host:port}. */
    public String url() {
        return "http://127.0.0.1:" + port;
    }

    /**
     * Asks, and answers what it answers, tab separated if the statement names no format.
     *
     * @throws ServerException if it does not answer, or refuses
     */
    public String query(String sql) {
        return http.send(HttpRequest.newBuilder(URI.create(url() + "/"))
                .header("X-ClickHouse-User", USERNAME)
                .header("X-ClickHouse-Key", PASSWORD)
                .POST(HttpRequest.BodyPublishers.ofString(sql)));
    }

    /**
     * Inserts rows.
     *
     * @param sql up to and with its FORMAT
     */
    public void insert(String sql, byte[] rows) {
        http.send(
                HttpRequest.newBuilder(URI.create(url() + "/?query=" + URLEncoder.encode(sql, StandardCharsets.UTF_8)))
                        .header("X-ClickHouse-User", USERNAME)
                        .header("X-ClickHouse-Key", PASSWORD)
                        .POST(HttpRequest.BodyPublishers.ofByteArray(rows)));
    }

    /**
     * Sets faults, instead of those that were set.
     *
     * @param json as {@code POST /control/faults} takes it; {@code []} for none
     */
    public void faults(String json) {
        http.send(HttpRequest.newBuilder(URI.create(url() + "/control/faults"))
                .POST(HttpRequest.BodyPublishers.ofString(json)));
    }
}
