package dev.engagement.local;

import java.net.URI;
import java.net.http.HttpRequest;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;

/**
 * A real schema registry, Apicurio, as a child process on the loopback interface. In memory: what was registered is gone
 * after {@link #kill} or {@link #stop}, and not after {@link #freeze}.
 *
 * <p>Its program is 142 MB, so that only who needs it downloads it: {@code ./mvnw verify}, {@code scripts/local.sh --format
 * avro}, or by itself {@code ./mvnw dependency:copy@registry}.
 *
 * <p>Not thread safe.
 */
public final class RegistryProcess extends RestartableServer {

    private static final String NAME = "Registry";
    private static final String HOST = "127.0.0.1";
    private static final Duration START_LIMIT = Duration.ofMinutes(5);
    private static final Duration STOP_TIMEOUT = Duration.ofSeconds(20);

    private final Path directory;
    private final int port;
    private final ControlHttp http = new ControlHttp("The schema registry");

    private RegistryProcess(Path directory, int port) {
        super("TERM", STOP_TIMEOUT);
        this.directory = directory;
        this.port = port;
        launch();
    }

    /** Whether its program has been downloaded. */
    public static boolean isDownloaded() {
        return Files.exists(Binaries.registryArchive());
    }

    /**
     * Starts an empty registry. What a killed JVM left running in that folder is killed first.
     *
     * @param directory for log and pid file; created if missing
     * @param port where it listens; 0 takes a free one
     * @throws ServerException if it does not start, with the end of its log; or if it was not downloaded
     */
    public static RegistryProcess start(Path directory, int port) {
        Path absolute = Folders.create(directory.toAbsolutePath().normalize());
        ServerProcess.sweep(NAME, absolute);
        return new RegistryProcess(absolute, Ports.orFree(port));
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

    @Override
    ServerProcess startProcess() {
        Path program = Binaries.registry();
        ServerProcess server = ServerProcess.start(
                NAME,
                directory,
                "java",
                List.of(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Xmx256m",
                        "-XX:TieredStopAtLevel=1",
                        "-Dquarkus.http.host=" + HOST,
                        "-Dquarkus.http.port=" + port,
                        "-jar",
                        program.toString()),
                Map.of());
        server.awaitReady(START_LIMIT, () -> http.send(HttpRequest.newBuilder(URI.create(url() + "/subjects"))));
        return server;
    }

    /** Stops the process where it is: it takes connections and answers nothing. */
    public void freeze() {
        process().signal("STOP");
    }

    /** Lets it go on after {@link #freeze}. */
    public void thaw() {
        process().signal("CONT");
    }

    @Override
    public void stop() {
        if (isAlive()) {
            thaw();
        }
        super.stop();
    }

    /** Where Confluent's routes begin: the value of {@code registry.url}. */
    public String url() {
        return "http://" + HOST + ":" + port + "/apis/ccompat/v7";
    }

    /** Where it listens. */
    public int port() {
        return port;
    }
}
