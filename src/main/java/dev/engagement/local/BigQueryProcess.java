package dev.engagement.local;

import com.fasterxml.jackson.databind.node.TextNode;
import dev.engagement.local.bigquery.BigQueryEmulator;
import java.io.File;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * A {@link BigQueryEmulator} in a child JVM of its own, so that it can be killed and frozen. Rows, also those that wait
 * for a flush, and streams survive {@link #kill}, {@link #stop} and a later {@link #start} in the same folder.
 *
 * <p>Not thread safe.
 */
public final class BigQueryProcess implements AutoCloseable {

    /** The project of the local warehouse. The emulator takes any. */
    public static final String PROJECT = "local";

    private static final String NAME = "BigQuery";
    private static final String HOST = "127.0.0.1";
    private static final String HEAP = "-Xmx512m";
    private static final Duration START_LIMIT = Duration.ofSeconds(60);
    private static final Duration STOP_PATIENCE = Duration.ofSeconds(20);
    /** A frozen one does not answer; who asks would wait for good. */
    private static final Duration ANSWER_LIMIT = Duration.ofSeconds(30);

    private final Path directory;
    private final int restPort;
    private final int grpcPort;
    private final HttpClient http = HttpClient.newHttpClient();
    private ServerProcess process;

    private BigQueryProcess(Path directory, int restPort, int grpcPort) {
        this.directory = directory;
        this.restPort = restPort;
        this.grpcPort = grpcPort;
        this.process = launch();
    }

    /**
     * Starts an emulator, with what the folder holds. What a killed JVM left running in that folder is killed first.
     *
     * @param directory for rows, logs and pid file; created if missing
     * @param restPort where REST listens; 0 takes a free one
     * @param grpcPort where gRPC listens; 0 takes a free one
     * @throws ServerException if it does not start; with the end of its log
     */
    public static BigQueryProcess start(Path directory, int restPort, int grpcPort) {
        Path absolute = Folders.create(directory.toAbsolutePath().normalize());
        ServerProcess.sweep(NAME, absolute);
        return new BigQueryProcess(absolute, Ports.orFree(restPort), Ports.orFree(grpcPort));
    }

    /**
     * Kills what a killed JVM left running in that folder.
     *
     * @return whether there was something
     */
    static boolean sweep(Path directory) {
        return ServerProcess.sweep(NAME, directory.toAbsolutePath().normalize());
    }

    /** Kills what a killed JVM left running in that folder, and deletes the folder with all rows. */
    public static void discard(Path directory) {
        Path absolute = directory.toAbsolutePath().normalize();
        ServerProcess.sweep(NAME, absolute);
        Folders.deleteRecursively(absolute);
    }

    /**
     * The emulator as a program of its own: folder, REST port, gRPC port (0 for free ones), and where to listen if not on
     * the loopback interface. Ends by a signal.
     */
    public static void main(String[] args) throws IOException, InterruptedException {
        if (args.length != 3 && args.length != 4) {
            System.err.println("Usage: BigQueryProcess FOLDER REST_PORT GRPC_PORT [ADDRESS]");
            System.exit(2);
        }
        Path directory = Path.of(args[0]);
        BigQueryEmulator emulator = BigQueryEmulator.start(
                directory,
                args.length == 4 ? args[3] : BigQueryEmulator.HOST,
                Integer.parseInt(args[1]),
                Integer.parseInt(args[2]));
        Runtime.getRuntime().addShutdownHook(new Thread(emulator::close, "stop-bigquery"));
        System.out.println("BigQuery emulator: REST " + emulator.rest() + ", gRPC " + emulator.grpc());
        Files.writeString(
                readyFile(directory), Long.toString(ProcessHandle.current().pid()));
        Thread.currentThread().join();
    }

    private ServerProcess launch() {
        Path tmp = Folders.create(directory.resolve("tmp"));
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                HEAP,
                "-XX:+UseSerialGC",
                "-XX:+ExitOnOutOfMemoryError",
                "-Dfile.encoding=UTF-8",
                "-Djava.io.tmpdir=" + tmp,
                "-Dlog.file=" + directory.resolve("emulator.log"),
                "-Dlog4j2.configurationFile=dev/engagement/local/log4j2-local.properties",
                "-cp",
                absoluteClassPath(),
                BigQueryProcess.class.getName(),
                directory.toString(),
                Integer.toString(restPort),
                Integer.toString(grpcPort)));
        ServerProcess started = ServerProcess.start(NAME, directory, "java", command, Map.of());
        started.awaitReady(START_LIMIT, () -> {
            if (!Files.readString(readyFile(directory)).equals(Long.toString(started.pid()))) {
                throw new ServerException("The BigQuery emulator has not started yet");
            }
        });
        return started;
    }

    /** The child runs in its own folder, where relative entries would lead nowhere. */
    private static String absoluteClassPath() {
        return Arrays.stream(System.getProperty("java.class.path").split(File.pathSeparator))
                .map(entry -> Path.of(entry).toAbsolutePath().toString())
                .collect(Collectors.joining(File.pathSeparator));
    }

    /** Holds the pid of the emulator that last became ready. */
    private static Path readyFile(Path directory) {
        return directory.resolve("ready");
    }

    /** Where REST answers: {@code http://host:port}. */
    public String rest() {
        return "http://" + HOST + ":" + restPort;
    }

    /** Where gRPC listens, in plain text: {@code host:port}. */
    public String grpc() {
        return HOST + ":" + grpcPort;
    }

    /**
     * Sets faults.
     *
     * @param json as {@code POST /emulator/faults} takes it
     * @throws ServerException if it does not answer, or refuses
     */
    public void faults(String json) {
        post("/emulator/faults", json);
    }

    /**
     * Answers what {@code GET} of a path answers, such as {@code /emulator/stats}.
     *
     * @throws ServerException if it does not answer, or refuses
     */
    public String get(String path) {
        return send(HttpRequest.newBuilder(URI.create(rest() + path)));
    }

    /** As {@link #get}, for {@code POST}. */
    public String post(String path, String json) {
        return send(HttpRequest.newBuilder(URI.create(rest() + path)).POST(HttpRequest.BodyPublishers.ofString(json)));
    }

    /**
     * Asks in GoogleSQL.
     *
     * @return BigQuery's answer, as JSON
     */
    public String query(String project, String sql) {
        return post(queries(project), queryOf(sql));
    }

    /**
     * What {@code stream} needs on its command line to write here, into a table of hours as the local stack has it.
     *
     * @param grpcPort where gRPC is reached, if not where it listens
     */
    public List<String> streamArguments(int grpcPort) {
        return List.of(
                "--warehouse.project",
                PROJECT,
                "--warehouse.endpoint",
                rest(),
                "--warehouse.grpc-endpoint",
                "http://" + HOST + ":" + grpcPort,
                "--warehouse.partition",
                "HOUR",
                "--warehouse.partition-expiration",
                "90 d");
    }

    /** As {@link #streamArguments(int)}, directly. */
    public List<String> streamArguments() {
        return streamArguments(grpcPort);
    }

    /** The port of {@link #rest}. */
    int restPort() {
        return restPort;
    }

    /** The port of {@link #grpc}. */
    public int grpcPort() {
        return grpcPort;
    }

    /** A command line that asks it in GoogleSQL, for a person to paste; without single quotes in the query. */
    String curl(String sql) {
        return "curl -s " + rest() + queries(PROJECT) + " -d '" + queryOf(sql) + "'";
    }

    private static String queries(String project) {
        return "/bigquery/v2/projects/" + project + "/queries";
    }

    private static String queryOf(String sql) {
        return "{\"query\": " + new TextNode(sql) + ", \"useLegacySql\": false}";
    }

    private String send(HttpRequest.Builder builder) {
        HttpRequest request = builder.timeout(ANSWER_LIMIT).build();
        try {
            HttpResponse<String> answer =
                    http.send(request, HttpResponse.BodyHandlers.ofString(StandardCharsets.UTF_8));
            if (answer.statusCode() / 100 != 2) {
                throw new ServerException("The BigQuery emulator refused " + request.method() + " " + request.uri()
                        + ": " + answer.body());
            }
            return answer.body();
        } catch (IOException e) {
            throw new ServerException("The BigQuery emulator does not answer " + request.uri(), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new ServerException("Interrupted while waiting for " + request.uri(), e);
        }
    }

    /** The emulator's process id, of the last start. */
    public long pid() {
        return process.pid();
    }

    public boolean isAlive() {
        return process.isAlive();
    }

    /** SIGKILL: a crash. */
    public void kill() {
        process.kill();
    }

    /** Stops in order; rows stay on disk. */
    public void stop() {
        process.stop("TERM", STOP_PATIENCE);
    }

    /** Starts it again on the same ports and rows, after {@link #kill} or {@link #stop}; a running one is stopped first. */
    public void restart() {
        stop();
        process = launch();
    }

    @Override
    public void close() {
        stop();
    }
}
