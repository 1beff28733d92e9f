package dev.engagement.local;

import java.io.IOException;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;

/** How a local server is asked and told over HTTP. */
public final class ControlHttp {

    /** A frozen one does not answer; who asks would wait for good. */
    private static final Duration ANSWER_LIMIT = Duration.ofMinutes(2);

    private final String server;
    private final HttpClient http =
            HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

    /**
     * For one server.
     *
     * @param server what it is called at the beginning of a message, such as {@code The receiver}
     */
    public ControlHttp(String server) {
        this.server = server;
    }

    /**
     * Answers the body of what it says.
     *
     * @throws ServerException if it does not answer, or refuses
     */
    public String send(HttpRequest.Builder builder) {
        HttpRequest request = builder.timeout(ANSWER_LIMIT).build();
        try {
            HttpResponse<String> answer =
                    http.send(request, HttpResponse.BodyHandlers.ofString(StandardCharsets.UTF_8));
            if (answer.statusCode() / 100 != 2) {
                throw new ServerException(
                        server + " refused " + request.method() + " " + request.uri() + ": " + answer.body());
            }
            return answer.body();
        } catch (IOException e) {
            throw new ServerException(server + " does not answer " + request.uri(), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new ServerException("Interrupted while waiting for " + request.uri(), e);
        }
    }
}
