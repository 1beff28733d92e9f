package dev.engagement.local.testing;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.engagement.local.ControlHttp;
import dev.engagement.local.ReceiverProcess;
import dev.engagement.local.receiver.WebhookReceiver;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpRequest;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** A {@link WebhookReceiver} of one lease, which checks signatures; asked as a {@code ReceiverProcess} is. */
public final class InProcessReceiver {

    private static final String SECRET = "whsec_c2hhcmVkIHNlcnZlcnMgb2YgdGhlIHRlc3RzIQ==";
    private static final ObjectMapper JSON = new ObjectMapper();

    private final WebhookReceiver receiver;
    private final Path secretFile;
    private final ControlHttp http = new ControlHttp("The receiver");

    InProcessReceiver(Path directory) {
        try {
            Files.createDirectories(directory);
            secretFile = Files.writeString(directory.resolve("secret").toAbsolutePath(), SECRET);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        receiver = WebhookReceiver.start(directory, 0, List.of(SECRET));
    }

    /** Where it listens: {@code http://host:port}. */
    public String url() {
        return receiver.url();
    }

    /** Holds the secret that posts have to be signed by; absolute. */
    public Path secretFile() {
        return secretFile;
    }

    /** What {@code stream} needs on its command line to deliver here, rows of a snapshot too. */
    public List<String> streamArguments() {
        return ReceiverProcess.streamArguments(url(), secretFile);
    }

    /**
     * Tells it how to behave.
     *
     * @param json as {@code POST /behaviour} takes it
     */
    public void behave(String json) {
        http.send(HttpRequest.newBuilder(URI.create(url() + "/behaviour"))
                .POST(HttpRequest.BodyPublishers.ofString(json)));
    }

    /** Answers what {@code GET} of a path answers, such as {@code /stats}. */
    public JsonNode get(String path) {
        try {
            return JSON.readTree(http.send(HttpRequest.newBuilder(URI.create(url() + path))));
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("The receiver's answer to " + path + " is not JSON", e);
        }
    }

    void close() {
        receiver.close();
    }
}
