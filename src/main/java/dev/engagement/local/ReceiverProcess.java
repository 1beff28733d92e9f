package dev.engagement.local;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.engagement.local.receiver.ReceiverMain;
import java.io.File;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * A {@link dev.engagement.local.receiver.WebhookReceiver} in a child JVM of its own, so that it can be killed and frozen.
 * What it answered survives {@link #kill}, {@link #stop} and a later {@link #start} in the same folder; its behaviour does
 * not. It checks signatures by a secret that it makes, in {@link #secretFile}.
 *
 * <p>Not thread safe.
 */
public final class ReceiverProcess implements AutoCloseable {

    private static final String NAME = "Receiver";
    private static final String HOST = "127.0.0.1";
    private static final String HEAP = "-Xmx256m";
    private static final int SECRET_BYTES = 32;
    private static final Duration START_LIMIT = Duration.ofSeconds(60);
    private static final Duration STOP_PATIENCE = Duration.ofSeconds(20);
    /** A frozen one does not answer; who asks would wait for good. */
    private static final Duration ANSWER_LIMIT = Duration.ofSeconds(30);

    private static final ObjectMapper JSON = new ObjectMapper();

    private final Path directory;
    private final int port;
    private final HttpClient http =
            HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
    private ServerProcess process;

    private ReceiverProcess(Path directory, int port) {
        this.directory = directory;
        this.port = port;
        if (!Files.exists(secretFile())) {
            byte[] secret = new byte[SECRET_BYTES];
            new SecureRandom().nextBytes(secret);
            Folders.writePrivately(secretFile(), "whsec_" + Base64.getEncoder().encodeToString(secret));
        }
        this.process = launch();
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
        return ServerProcess.sweep(NAME, directory.toAbsolutePath().normalize());
    }

    /** Kills what a killed JVM left running in that folder, and deletes the folder with all that arrived. */
    public static void discard(Path directory) {
        Path absolute = directory.toAbsolutePath().normalize();
        ServerProcess.sweep(NAME, absolute);
        Folders.deleteRecursively(absolute);
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
                "-Dlog.file=" + directory.resolve("receiver-log4j.log"),
                "-Dlog4j2.configurationFile=dev/engagement/local/log4j2-local.properties",
                "-cp",
                absoluteClassPath(),
                ReceiverMain.class.getName(),
                "--directory",
                directory.toString(),
                "--port",
                Integer.toString(port),
                "--secret-file",
                secretFile().toString(),
                "--ready-file",
                readyFile().toString()));
        ServerProcess started = ServerProcess.start(NAME, directory, "java", command, Map.of());
        started.awaitReady(START_LIMIT, () -> {
            if (!Files.readString(readyFile()).equals(Long.toString(started.pid()))) {
                throw new ServerException("The receiver has not started yet");
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

    /** Holds the pid of the receiver that last became ready. */
    private Path readyFile() {
        return directory.resolve("ready");
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
        return List.of(
                "--delivery.url",
                url(port) + "/events",
                "--delivery.secret.secret-file",
                secretFile().toString(),
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
        send(HttpRequest.newBuilder(URI.create(url() + "/behaviour")).POST(HttpRequest.BodyPublishers.ofString(json)));
    }

    /**
     * Answers what {@code GET} of a path answers, such as {@code /stats}.
     *
     * @throws ServerException if it does not answer, or refuses
     */
    public JsonNode get(String path) {
        try {
            return JSON.readTree(send(HttpRequest.newBuilder(URI.create(url() + path))));
        } catch (JsonProcessingException e) {
            throw new ServerException("The receiver's answer to " + path + " is not JSON", e);
        }
    }

    private String send(HttpRequest.Builder builder) {
        HttpRequest request = builder.timeout(ANSWER_LIMIT).build();
        try {
            HttpResponse<String> answer =
                    http.send(request, HttpResponse.BodyHandlers.ofString(StandardCharsets.UTF_8));
            if (answer.statusCode() / 100 != 2) {
                throw new ServerException(
                        "The receiver refused " + request.method() + " " + request.uri() + ": " + answer.body());
            }
            return answer.body();
        } catch (IOException e) {
            throw new ServerException("The receiver does not answer " + request.uri(), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new ServerException("Interrupted while waiting for " + request.uri(), e);
        }
    }

    /** The receiver's process id, of the last start. */
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

    /** Stops in order; what arrived stays on disk. */
    public void stop() {
        process.stop("TERM", STOP_PATIENCE);
    }

    /** Starts it again on the same port and folder, after {@link #kill} or {@link #stop}; a running one is stopped first. */
    public void restart() {
        stop();
        process = launch();
    }

    @Override
    public void close() {
        stop();
    }
}
