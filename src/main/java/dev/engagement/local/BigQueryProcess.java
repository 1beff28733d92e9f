package dev.engagement.local;

import com.fasterxml.jackson.databind.node.TextNode;
import dev.engagement.local.bigquery.BigQueryEmulator;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpRequest;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/**
 * A {@link BigQueryEmulator} in a child JVM of its own, so that it can be killed and frozen. Rows, also those that wait
 * for a flush, and streams survive {@link #kill}, {@link #stop} and a later {@link #start} in the same folder.
 *
 * <p>Not thread safe.
 */
public final class BigQueryProcess extends RestartableServer {

    /** The project of the local warehouse. The emulator takes any. */
    public static final String PROJECT = "local";

    private static final String NAME = "BigQuery";
    private static final String HOST = "127.0.0.1";
    private static final List<String> JVM_OPTIONS = List.of("-Xmx512m");
    private static final Duration START_LIMIT = Duration.ofMinutes(5);
    private static final Duration STOP_TIMEOUT = Duration.ofSeconds(20);

    private final Path directory;
    private final int restPort;
    private final int grpcPort;
    private final ControlHttp http = new ControlHttp("The BigQuery emulator");

    private BigQueryProcess(Path directory, int restPort, int grpcPort) {
        super("TERM", STOP_TIMEOUT);
        this.directory = directory;
        this.restPort = restPort;
        this.grpcPort = grpcPort;
        launch();
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
        return sweep(NAME, directory);
    }

    /** Kills what a killed JVM left running in that folder, and deletes the folder with all rows. */
    public static void discard(Path directory) {
        discard(NAME, directory);
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
        ChildJvm.ready(directory);
        Thread.currentThread().join();
    }

    @Override
    ServerProcess startProcess() {
        return ChildJvm.start(
                NAME,
                directory,
                JVM_OPTIONS,
                "emulator.log",
                BigQueryProcess.class,
                List.of(directory.toString(), Integer.toString(restPort), Integer.toString(grpcPort)),
                START_LIMIT);
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
        return http.send(HttpRequest.newBuilder(URI.create(rest() + path)));
    }

    /** As {@link #get}, for {@code POST}. */
    public String post(String path, String json) {
        return http.send(
                HttpRequest.newBuilder(URI.create(rest() + path)).POST(HttpRequest.BodyPublishers.ofString(json)));
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
        return streamArguments(rest(), HOST + ":" + grpcPort);
    }

    /**
     * What {@code stream} needs to write to an emulator, as {@link #streamArguments(int)}.
     *
     * @param rest {@code http://host:port}
     * @param grpc {@code host:port}
     */
    public static List<String> streamArguments(String rest, String grpc) {
        return List.of(
                "--warehouse.project",
                PROJECT,
                "--warehouse.endpoint",
                rest,
                "--warehouse.grpc-endpoint",
                "http://" + grpc,
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
}
