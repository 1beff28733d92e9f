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
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.JsonNode;
import org.apache.flink.shaded.jackson2.com.fasterxml.jackson.databind.ObjectMapper;
import org.jspecify.annotations.Nullable;

/** Metrics of a job by Flink's REST API: what an operator would read there too. For one thread. */
public final class FlinkRest {

    /** For who shows the answer to a user, who would rather see that there is none. */
    static final Duration SHOWN_WITHIN = Duration.ofSeconds(3);

    private static final Duration TIMEOUT = Duration.ofMinutes(1);

    private final ObjectMapper mapper = new ObjectMapper();
    private final HttpClient client;
    private final URI base;
    private final Duration timeout;

    /**
     * Of one cluster.
     *
     * @param base {@code http://host:port}
     */
    public FlinkRest(URI base) {
        this(base, TIMEOUT);
    }

    /**
     * As {@link #FlinkRest(URI)}.
     *
     * @param timeout of each question
     */
    public FlinkRest(URI base, Duration timeout) {
        this.base = base;
        this.timeout = timeout;
        this.client = HttpClient.newBuilder().connectTimeout(timeout).build();
    }

    /** How the values of several subtasks and operators become one. */
    public enum Aggregation {
        MAX,
        SUM
    }

    /**
     * Metrics of a job, each over all operators that have one of that name, and all of one moment.
     *
     * @param wanted the last part of each name (for a histogram with its suffix, such as {@code _p99}), and how the values
     *     of several become one; {@code TEXT.NAME} is that of the operators alone whose names begin with the text
     * @return without those that no operator reports yet
     */
    public Map<String, Double> metrics(String job, Map<String, Aggregation> wanted)
            throws IOException, InterruptedException {
        Map<String, Double> found = new HashMap<>();
        for (JsonNode vertex : get("/jobs/" + job).path("vertices")) {
            String path = "/jobs/" + job + "/vertices/" + vertex.path("id").asText() + "/subtasks/metrics";
            List<String> names = new ArrayList<>();
            for (JsonNode each : get(path)) {
                String name = each.path("id").asText();
                if (wantedBy(name, wanted) != null) {
                    names.add(URLEncoder.encode(name, StandardCharsets.UTF_8));
                }
            }
            if (names.isEmpty()) {
                continue;
            }
            for (JsonNode value : get(path + "?get=" + String.join(",", names))) {
                String metric = wantedBy(value.path("id").asText(), wanted);
                if (metric == null) {
                    continue;
                }
                Aggregation aggregation = wanted.getOrDefault(metric, Aggregation.SUM);
                JsonNode aggregated = value.path(aggregation == Aggregation.MAX ? "max" : "sum");
                if (aggregated.isNumber() && Double.isFinite(aggregated.asDouble())) {
                    found.merge(
                            metric, aggregated.asDouble(), aggregation == Aggregation.MAX ? Math::max : Double::sum);
                }
            }
        }
        return found;
    }

    /** The key that a metric's whole name answers to. */
    private static @Nullable String wantedBy(String name, Map<String, Aggregation> wanted) {
        int dot = name.lastIndexOf('.');
        String last = name.substring(dot + 1);
        for (String key : wanted.keySet()) {
            int keyDot = key.indexOf('.');
            if (keyDot < 0
                    ? key.equals(last)
                    : key.substring(keyDot + 1).equals(last) && dot > 0 && name.startsWith(key.substring(0, keyDot))) {
                return key;
            }
        }
        return null;
    }

    /** The job's state as Flink calls it. */
    String jobState(String job) throws IOException, InterruptedException {
        return get("/jobs/" + job).path("state").asText();
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

    /** The answer to a path such as {@code /jobs/overview}. */
    JsonNode get(String path) throws IOException, InterruptedException {
        HttpRequest request =
                HttpRequest.newBuilder(base.resolve(path)).timeout(timeout).build();
        HttpResponse<byte[]> response = client.send(request, HttpResponse.BodyHandlers.ofByteArray());
        if (response.statusCode() != 200) {
            throw new IOException("Flink answers " + response.statusCode() + " to " + base.resolve(path));
        }
        return mapper.readTree(response.body());
    }
}
