package dev.engagement.local;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.engagement.local.receiver.ReceiverMain;
import java.net.URI;
import java.net.http.HttpRequest;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.Base64;
import java.util.List;

/**
 * A {@link dev.engagement.local.receiver.WebhookReceiver} in a child JVM of its own, so that it can be killed and frozen.
 * What it answered survives {@link #kill}, {@link #stop} and a later {@link #start} in the same folder; its behaviour does
 * not. It checks signatures by a secret that it makes, in {@link #secretFile}.
 *
 * <p>Not thread safe.
 */
public final class ReceiverProcess extends RestartableServer {

    private static final String NAME = "Receiver";
    private static final String HOST = "127.0.0.1";
    /** It idles: what its second compiler would cost never comes back. */
    private static final List<String> JVM_OPTIONS = List.of("-Xmx256m", "-XX:TieredStopAtLevel=1");

    private static final int SECRET_BYTES = 32;
    private static final Duration START_LIMIT = Duration.ofMinutes(5);
    private static final Duration STOP_TIMEOUT = Duration.ofSeconds(20);

    private static final ObjectMapper JSON = new ObjectMapper();

    private final Path directory;
    private final int port;
    private final ControlHttp http = new ControlHttp("The receiver");

    private ReceiverProcess(Path directory, int port) {
        super("TERM", STOP_TIMEOUT);
        this.directory = directory;
        this.port = port;
        if (!Files.exists(secretFile())) {
            byte[] secret = new byte[SECRET_BYTES];
            new SecureRandom().nextBytes(secret);
            Folders.writePrivately(secretFile(), "whsec_" + Base64.getEncoder().encodeToString(secret));
        }
        launch();
    }

    /**
     * Starts a receiver, with what the folder holds. What a killed JVM left running in that folder is killed first.
     *
     * @param directory for what arrived, the secret, log and pid file; created if missing
     * @param port where it listens; 0 takes a free one
     * @throws ServerException if it does not start; with the end of its log
     */
    public static ReceiverProcess start(Path directory, int port) {
        Path absolute = Folders.create(directory.toAbsolutePath().normalize());
        ServerProcess.sweep(NAME, absolute);
        return new ReceiverProcess(absolute, Ports.orFree(port));
    }

    /**
     * Kills what a killed JVM left running in that folder.
     *
     * @return whether there was something
     */
    static boolean sweep(Path directory) {
        return sweep(NAME, directory);
    }

    /** Kills what a killed JVM left running in that folder, and deletes the folder with all that arrived. */
    public static void discard(Path directory) {
        discard(NAME, directory);
    }

    @Override
    ServerProcess startProcess() {
        return ChildJvm.start(
                NAME,
                directory,
                JVM_OPTIONS,
                "receiver-log4j.log",
                ReceiverMain.class,
                List.of(
                        "--directory",
                        directory.toString(),
                        "--port",
                        Integer.toString(port),
                        "--secret-file",
                        secretFile().toString(),
                        "--ready-file",
                        ChildJvm.readyFile(directory).toString()),
                START_LIMIT);
    }

    /** Holds the secret that posts have to be signed by. */
    public Path secretFile() {
        return directory.resolve("secret");
    }

    /** Where it listens: {@code http://host:port}. */
    public String url() {
        return url(port);
    }

    private static String url(int port) {
        return "http://" + HOST + ":" + port;
    }

    /** Where it listens. */
    public int port() {
        return port;
    }

    /**
     * What {@code stream} needs on its command line to deliver here, rows of a snapshot too.
     *
     * @param port where the receiver is reached, if not where it listens
     */
    public List<String> streamArguments(int port) {
        return streamArguments(url(port), secretFile());
    }

    /**
     * What {@code stream} needs to deliver to a receiver, as {@link #streamArguments(int)}.
     *
     * @param url {@code http://host:port}
     */
    public static List<String> streamArguments(String url, Path secretFile) {
        return List.of(
                "--delivery.url",
                url + "/events",
                "--delivery.secret.secret-file",
                secretFile.toString(),
                "--delivery.include-snapshot",
                "true");
    }

    /** As {@link #streamArguments(int)}, directly. */
    public List<String> streamArguments() {
        return streamArguments(port);
    }

    /**
     * Tells it how to behave.
     *
     * @param json as {@code POST /behaviour} takes it
     * @throws ServerException if it does not answer, or refuses
     */
    public void behave(String json) {
        http.send(HttpRequest.newBuilder(URI.create(url() + "/behaviour"))
                .POST(HttpRequest.BodyPublishers.ofString(json)));
    }

    /**
     * Answers what {@code GET} of a path answers, such as {@code /stats}.
     *
     * @throws ServerException if it does not answer, or refuses
     */
    public JsonNode get(String path) {
        try {
            return JSON.readTree(http.send(HttpRequest.newBuilder(URI.create(url() + path))));
        } catch (JsonProcessingException e) {
            throw new ServerException("The receiver's answer to " + path + " is not JSON", e);
        }
    }
}
