package dev.engagement.api.read;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
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
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * What the jobs tell of themselves by Flink's REST API: dead letters by reason, and the receiver's circuit. Looked at
 * now and then; whoever asks is told what was seen last, as long as that is not old. Thread-safe.
 *
 * <p>Counters begin at 0 whenever a job starts or is restored, so they are of now and not of all time.
 */
final class JobMetrics {

    /** How often somebody should {@link #look}. */
    static final long LOOK_EVERY_MILLIS = 5_000;

    /** What was seen is not told for longer. */
    static final long GOOD_FOR_MILLIS = 30_000;

    private static final String NAME = "Flink's REST API";

    /** As {@code DeadLetterSink} registers it, of whatever operator. */
    private static final Pattern LETTERS = Pattern.compile(".+\\.reason\\.([A-Z_]{1,40})\\.letters");

    private static final Pattern CIRCUIT = Pattern.compile(".+\\.circuitState");

    /** By the metric's value; that of the worst of several circuits is told. */
    private static final List<String> CIRCUITS = List.of("closed", "half_open", "open");

    private static final Pattern ID = Pattern.compile("[0-9a-f]{32}");

    private static final ObjectMapper JSON = new ObjectMapper();

    private final String base;
    private final Duration timeout;
    private final HttpClient http;

    private volatile @Nullable Seen seen;

    /**
     * What was seen.
     *
     * @param deadLetters by reason; null if no running job counts them
     * @param circuit null if no running job has one
     */
    record Told(
            @Nullable Map<String, Long> deadLetters,
            @Nullable String circuit) {}

    private record Seen(Told told, long atMillis) {}

    /**
     * Nothing was seen yet.
     *
     * @param rest {@code http://host:port}
     * @param timeout of each question
     */
    JobMetrics(URI rest, Duration timeout) {
        this.base = rest.toString().replaceAll("/+$", "");
        this.timeout = timeout;
        this.http = HttpClient.newBuilder()
                .version(HttpClient.Version.HTTP_1_1)
                .connectTimeout(timeout)
                .build();
    }

    /** What was seen last; nothing if that is too long ago. */
    Told told(long nowMillis) {
        Seen last = seen;
        return last == null || nowMillis - last.atMillis() > GOOD_FOR_MILLIS ? new Told(null, null) : last.told();
    }

    /** Looks once. */
    void look(long nowMillis) throws UnavailableException {
        Map<String, Long> letters = new TreeMap<>();
        int circuit = -1;
        for (JsonNode job : get("/jobs/overview").path("jobs")) {
            if (!job.path("state").asText().equals("RUNNING")) {
                continue;
            }
            String path = "/jobs/" + id(job.path("jid"));
            for (JsonNode vertex : get(path).path("vertices")) {
                circuit = Math.max(
                        circuit, look(path + "/vertices/" + id(vertex.path("id")) + "/subtasks/metrics", letters));
            }
        }
        String state = circuit < 0 ? null : CIRCUITS.get(Math.min(circuit, CIRCUITS.size() - 1));
        seen = new Seen(new Told(letters.isEmpty() ? null : letters, state), nowMillis);
    }

    /**
     * Adds the letters of an operator chain to those of the others.
     *
     * @return its circuit's state, or -1 if it has none
     */
    private int look(String path, Map<String, Long> letters) throws UnavailableException {
        List<String> wanted = new ArrayList<>();
        for (JsonNode metric : get(path)) {
            String name = metric.path("id").asText();
            if (LETTERS.matcher(name).matches() || CIRCUIT.matcher(name).matches()) {
                wanted.add(name);
            }
        }
        int circuit = -1;
        if (wanted.isEmpty()) {
            return circuit;
        }
        String names = wanted.stream()
                .map(name -> URLEncoder.encode(name, StandardCharsets.UTF_8))
                .collect(Collectors.joining(","));
        for (JsonNode metric : get(path + "?get=" + names)) {
            Matcher counted = LETTERS.matcher(metric.path("id").asText());
            if (counted.matches()) {
                letters.merge(counted.group(1), Math.round(metric.path("sum").asDouble()), Long::sum);
            } else {
                circuit = Math.max(circuit, (int) metric.path("max").asDouble());
            }
        }
        return circuit;
    }

    /** It becomes a part of a path, so it has to be what Flink calls one. */
    private static String id(JsonNode id) throws UnavailableException {
        String text = id.asText();
        if (!ID.matcher(text).matches()) {
            throw new UnavailableException(NAME, Silence.PAUSE, "It names a job or an operator as nobody does", null);
        }
        return text;
    }

    private JsonNode get(String path) throws UnavailableException {
        HttpRequest request = HttpRequest.newBuilder(URI.create(base + path))
                .timeout(timeout)
                .header("Accept", "application/json")
                .build();
        try {
            HttpResponse<byte[]> response = http.send(request, HttpResponse.BodyHandlers.ofByteArray());
            if (response.statusCode() != 200) {
                throw new IOException("it answers " + response.statusCode());
            }
            return JSON.readTree(response.body());
        } catch (IOException e) {
            throw new UnavailableException(NAME, Silence.PAUSE, e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new UnavailableException(NAME, Silence.PAUSE, e);
        }
    }
}
