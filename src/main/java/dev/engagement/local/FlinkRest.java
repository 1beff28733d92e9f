package dev.engagement.local;

import java.io.IOException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalDouble;
import java.util.stream.Collectors;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.JsonNode;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.ObjectMapper;
import org.jspecify.annotations.Nullable;

/** Metrics of a job by Flink's REST API: what an operator would read there too. For one thread. */
public final class FlinkRest {

    private static final Duration TIMEOUT = Duration.ofSeconds(3);

    private final ObjectMapper mapper = new ObjectMapper();
    private final HttpClient client =
            HttpClient.newBuilder().connectTimeout(TIMEOUT).build();
    private final URI base;

    /**
     * Of one cluster.
     *
     * @param base {@code http://host:port}
     */
    public FlinkRest(URI base) {
        this.base = base;
    }

    /** How the values of several subtasks and operators become one. */
    public enum Aggregation {
        MAX,
        SUM
    }

    /**
     * A metric of a job, over all operators that have one of that name.
     *
     * @param metric the last part of its name; for a histogram with its suffix, such as {@code _p99}
     * @return empty as long as no operator reports it
     */
    public OptionalDouble metric(String job, String metric, Aggregation aggregation)
            throws IOException, InterruptedException {
        List<Double> values = new ArrayList<>();
        for (JsonNode vertex : get("/jobs/" + job).path("vertices")) {
            String path = "/jobs/" + job + "/vertices/" + vertex.path("id").asText() + "/subtasks/metrics";
            List<String> names = new ArrayList<>();
            for (JsonNode each : get(path)) {
                String name = each.path("id").asText();
                if (name.equals(metric) || name.endsWith("." + metric)) {
                    names.add(name);
                }
            }
            if (!names.isEmpty()) {
                String query = names.stream()
                        .map(name -> URLEncoder.encode(name, StandardCharsets.UTF_8))
                        .collect(Collectors.joining(","));
                for (JsonNode value : get(path + "?get=" + query)) {
                    JsonNode aggregated = value.path(aggregation == Aggregation.MAX ? "max" : "sum");
                    if (aggregated.isNumber() && Double.isFinite(aggregated.asDouble())) {
                        values.add(aggregated.asDouble());
                    }
                }
            }
        }
        return switch (aggregation) {
            case MAX -> values.stream().mapToDouble(Double::doubleValue).max();
            case SUM ->
                values.isEmpty()
                        ? OptionalDouble.empty()
                        : OptionalDouble.of(
                                values.stream().mapToDouble(Double::doubleValue).sum());
        };
    }

    /** The exception that last made the job restart or fail, in one line; null if there was none. */
    @Nullable
    String lastException(String job) throws IOException, InterruptedException {
        JsonNode latest = get("/jobs/" + job + "/exceptions?maxExceptions=1")
                .path("exceptionHistory")
                .path("entries")
                .path(0);
        if (latest.isMissingNode()) {
            return null;
        }
        // The innermost cause says what happened; those around it only that something did.
        return latest.path("stacktrace")
                .asText()
                .lines()
                .filter(line -> line.startsWith("Caused by: "))
                .reduce((outer, inner) -> inner)
                .map(line -> line.substring("Caused by: ".length()))
                .orElse(latest.path("exceptionName").asText());
    }

    private JsonNode get(String path) throws IOException, InterruptedException {
        HttpRequest request =
                HttpRequest.newBuilder(base.resolve(path)).timeout(TIMEOUT).build();
        HttpResponse<byte[]> response = client.send(request, HttpResponse.BodyHandlers.ofByteArray());
        if (response.statusCode() != 200) {
            throw new IOException("Flink answers " + response.statusCode() + " to " + base.resolve(path));
        }
        return mapper.readTree(response.body());
    }
}
