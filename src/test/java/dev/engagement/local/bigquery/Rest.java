package dev.engagement.local.bigquery;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;

/** REST as curl would speak it. */
final class Rest {

    private static final HttpClient HTTP = HttpClient.newHttpClient();

    record Answer(int status, JsonNode body) {

        String message() {
            return body.path("error").path("message").asText();
        }

        String reason() {
            return body.path("error").path("errors").path(0).path("reason").asText();
        }
    }

    private Rest() {}

    static Answer send(BigQueryEmulator emulator, String method, String path, String body, String... headers) {
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(emulator.rest() + path))
                .method(method, HttpRequest.BodyPublishers.ofString(body));
        if (headers.length > 0) {
            request.headers(headers);
        }
        try {
            HttpResponse<String> answer = HTTP.send(request.build(), HttpResponse.BodyHandlers.ofString());
            return new Answer(answer.statusCode(), Json.parse(answer.body()));
        } catch (IOException e) {
            throw new IllegalStateException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }

    static Answer patch(BigQueryEmulator emulator, String table, String body, String... headers) {
        return send(emulator, "PATCH", path(table), body, headers);
    }

    static String path(String table) {
        return "/bigquery/v2/projects/" + Client.PROJECT + "/datasets/" + Client.DATASET + "/tables/" + table;
    }

    static Answer query(BigQueryEmulator emulator, String sql) {
        return send(
                emulator,
                "POST",
                "/bigquery/v2/projects/" + Client.PROJECT + "/queries",
                Json.object().put("query", sql).put("useLegacySql", false).toString());
    }
}
