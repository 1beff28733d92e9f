package dev.engagement.local;

import dev.engagement.api.ApiOptions;
import dev.engagement.api.ApiOptionsException;
import dev.engagement.api.ApiServer;
import dev.engagement.api.EngagementApi;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpRequest;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/**
 * The API in a child JVM of its own, so that it can be killed and frozen. It keeps nothing: what it knows is in Redis
 * and PostgreSQL.
 *
 * <p>Not thread safe.
 */
public final class ApiProcess extends RestartableServer {

    private static final String NAME = "API";
    private static final String HOST = "127.0.0.1";
    private static final List<String> JVM_OPTIONS = List.of("-Xmx256m", "-XX:TieredStopAtLevel=1");
    private static final Duration START_LIMIT = Duration.ofMinutes(5);
    private static final Duration STOP_TIMEOUT = Duration.ofSeconds(20);

    private final Path directory;
    private final int port;
    private final List<String> options;
    private final ControlHttp http = new ControlHttp("The API");

    private ApiProcess(Path directory, int port, List<String> options) {
        super("TERM", STOP_TIMEOUT);
        this.directory = directory;
        this.port = port;
        this.options = List.copyOf(options);
        launch();
    }

    /**
     * Starts an API. What a killed JVM left running in that folder is killed first.
     *
     * @param directory for logs and pid file; created if missing
     * @param port where it listens; 0 takes a free one
     * @param options of it, but for the port: {@code --KEY}, {@code VALUE}, and so on
     * @throws ServerException if it does not start; with the end of its log
     */
    public static ApiProcess start(Path directory, int port, List<String> options) {
        Path absolute = Folders.create(directory.toAbsolutePath().normalize());
        ServerProcess.sweep(NAME, absolute);
        return new ApiProcess(absolute, Ports.orFree(port), options);
    }

    /**
     * What it needs to answer out of a live view and of rollups, and to take events.
     *
     * @param source with the source tables, and with the rollups' tables in {@link PostgresServer#ANALYTICS}
     * @param passwordFile with the password of its user
     */
    public static List<String> options(PostgresServer source, Path passwordFile, RedisServer liveView) {
        return List.of(
                "--redis.url",
                liveView.url(),
                "--postgres.url",
                source.jdbcUrl(),
                "--postgres.username",
                source.username(),
                "--postgres.password.secret-file",
                passwordFile.toString(),
                "--rollup.postgres.url",
                source.jdbcUrl(PostgresServer.ANALYTICS),
                "--rollup.postgres.username",
                source.username(),
                "--rollup.postgres.password.secret-file",
                passwordFile.toString());
    }

    /**
     * What it needs besides to answer out of an emulator's warehouse, into whose table {@code stream} writes.
     *
     * @param rest {@code http://host:port}
     */
    public static List<String> warehouseOptions(String rest) {
        String[] table = WarehouseCheck.TABLE.split("\\.", 2);
        return List.of(
                "--warehouse.project",
                BigQueryProcess.PROJECT,
                "--warehouse.dataset",
                table[0],
                "--warehouse.table",
                table[1],
                "--warehouse.endpoint",
                rest);
    }

    /**
     * Kills what a killed JVM left running in that folder.
     *
     * @return whether there was something
     */
    static boolean sweep(Path directory) {
        return sweep(NAME, directory);
    }

    /** Kills what a killed JVM left running in that folder, and deletes the folder. */
    public static void discard(Path directory) {
        discard(NAME, directory);
    }

    /** The API as a child: its folder, then its options. Ends by a signal. */
    public static void main(String[] args) throws IOException, InterruptedException {
        if (args.length == 0) {
            System.err.println("Usage: ApiProcess FOLDER [--KEY VALUE …]");
            System.exit(2);
        }
        EngagementApi api;
        try {
            // Its options are all on its command line: what is set for others' programs is none of its business.
            api = EngagementApi.start(
                    ApiOptions.parse(Arrays.copyOfRange(args, 1, args.length), Map.of()), Clock.systemUTC());
        } catch (ApiOptionsException | ApiServer.StartException e) {
            System.err.println(e.getMessage());
            System.exit(1);
            return;
        }
        Runtime.getRuntime().addShutdownHook(new Thread(api::close, "stop-api"));
        System.out.println("API: " + api.address());
        ChildJvm.ready(Path.of(args[0]));
        Thread.currentThread().join();
    }

    @Override
    ServerProcess startProcess() {
        List<String> arguments = new ArrayList<>();
        arguments.add(directory.toString());
        arguments.addAll(options);
        arguments.addAll(List.of("--api.port", Integer.toString(port)));
        return ChildJvm.start(NAME, directory, JVM_OPTIONS, "api-log4j.log", ApiProcess.class, arguments, START_LIMIT);
    }

    /** Where it answers: {@code http://host:port}. */
    public String url() {
        return "http://" + HOST + ":" + port;
    }

    /** Where it listens. */
    public int port() {
        return port;
    }

    /**
     * Answers what {@code GET} of a path answers, such as {@code /stats}.
     *
     * @throws ServerException if it does not answer, or refuses
     */
    public String get(String path) {
        return http.send(HttpRequest.newBuilder(URI.create(url() + path)));
    }
}
