package dev.engagement.local.receiver;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;

/** Posts and asks as anybody would. */
final class Sender {

    /** What came back. */
    record Reply(int status, String body, HttpResponse<String> response) {
        String header(String name) {
            return response.headers().firstValue(name).orElse("");
        }
    }

    private static final Duration TIMEOUT = Duration.ofMinutes(5);

    private final HttpClient http =
            HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
    private final String url;

    Sender(String url) {
        this.url = url;
    }

    /** Posts an event under its name. */
    Reply post(long eventId) throws IOException, InterruptedException {
        return post("evt_" + eventId, event(eventId));
    }

    static String event(long eventId) {
        return "{\"event_id\":" + eventId + ",\"raw_payload\":{\"event_id\":[1]},\"title\":\"x\"}";
    }

    /** @param headers further ones, names and values by turns */
    Reply post(String webhookId, String body, String... headers) throws IOException, InterruptedException {
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(url + "/events"))
                .timeout(TIMEOUT)
                .header("webhook-id", webhookId)
                .POST(HttpRequest.BodyPublishers.ofString(body));
        if (headers.length > 0) {
            request.headers(headers);
        }
        return send(request);
    }

    Reply behave(String json) throws IOException, InterruptedException {
        return send(
                HttpRequest.newBuilder(URI.create(url + "/behaviour")).POST(HttpRequest.BodyPublishers.ofString(json)));
    }

    JsonNode get(String path) throws IOException, InterruptedException {
        return new ObjectMapper().readTree(ask(path).body());
    }

    Reply ask(String path) throws IOException, InterruptedException {
        return send(HttpRequest.newBuilder(URI.create(url + path)));
    }

    long stat(String name) throws IOException, InterruptedException {
        return get("/stats").path(name).asLong(-1);
    }

    private Reply send(HttpRequest.Builder request) throws IOException, InterruptedException {
        HttpResponse<String> response =
                http.send(request.timeout(TIMEOUT).build(), HttpResponse.BodyHandlers.ofString());
        return new Reply(response.statusCode(), response.body(), response);
    }
}
