package dev.engagement.api.read;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.engagement.connection.HostPort;
import dev.engagement.event.Integers;
import dev.engagement.event.Timestamps;
import java.io.IOException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.Semaphore;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Single rows of the warehouse's table of events, over BigQuery's REST interface. Thread-safe.
 *
 * <p>Whatever BigQuery does, a question ends by the timeout; so many run at once and no more, so that a slow warehouse
 * does not hold the threads of all other questions; and after a failure it is left alone for a moment.
 */
final class WarehouseRow {

    /** For people. */
    static final String NAME = "The warehouse";

    /** Questions that run at once; each holds a thread of the server. */
    static final int MOST_AT_ONCE = 4;

    private static final Logger LOG = LoggerFactory.getLogger(WarehouseRow.class);

    /** Where it takes somebody to change something. */
    private static final Duration WHEN_CHANGED = Duration.ofMinutes(1);

    private static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(5);

    /** A row is smaller: its payload has 1 MiB at most, and takes up to six times as much as a JSON text in JSON. */
    private static final int MAX_ANSWER_BYTES = 8 * 1_024 * 1_024;

    /** Each waits on the other side; a server that says at once that it is not done is not asked for ever. */
    private static final int MOST_POLLS = 10;

    private static final int MAX_QUOTED = 500;
    private static final Set<Integer> PASSING = Set.of(408, 425, 429, 500, 502, 503, 504);
    private static final ObjectMapper JSON = new ObjectMapper();

    private static final List<String> COLUMNS = List.of(
            "event_id",
            "content_id",
            "user_id",
            "event_type",
            "event_ts",
            "duration_ms",
            "device",
            "raw_payload",
            "slug",
            "title",
            "content_type",
            "length_seconds",
            "publish_ts",
            "engagement_seconds",
            "engagement_pct");

    private static final Set<String> TIMES = Set.of("event_ts", "publish_ts");

    private final WarehouseReadOptions options;
    private final BoundedHttp http;
    private final @Nullable AccessTokens tokens;
    private final Semaphore places = new Semaphore(MOST_AT_ONCE);
    private final Silence silence = new Silence(NAME, System::nanoTime);
    private final String path;
    private final String sql;

    /** Connects to nobody yet. */
    static WarehouseRow of(WarehouseReadOptions options, Clock clock) {
        BoundedHttp http = new BoundedHttp(CONNECT_TIMEOUT, MAX_ANSWER_BYTES);
        String file = options.credentialsFile();
        return new WarehouseRow(
                options, http, options.isPlain() || file == null ? null : new AccessTokens(Path.of(file), http, clock));
    }

    WarehouseRow(WarehouseReadOptions options, BoundedHttp http, @Nullable AccessTokens tokens) {
        this.options = options;
        this.http = http;
        this.tokens = tokens;
        this.path = "/bigquery/v2/projects/" + encoded(options.project()) + "/queries";
        // The times let BigQuery read one partition if one is known, and satisfy require_partition_filter in any case.
        this.sql = "SELECT " + String.join(", ", COLUMNS) + " FROM `" + options.project() + "." + options.dataset()
                + "." + options.table()
                + "` WHERE event_id = @event_id AND event_ts >= @earliest AND event_ts <= @latest LIMIT 1";
    }

    /**
     * The event's row, as texts by column, without those that are null; the form of the event cache.
     *
     * @param eventTsMicros when it happened; null if that is not known, and then the whole table is read
     * @return null if there is no such row
     * @throws UnavailableException if BigQuery does not answer in time, or not as it should
     */
    @Nullable
    Map<String, String> find(long eventId, @Nullable Long eventTsMicros) throws UnavailableException {
        silence.check();
        if (!places.tryAcquire()) {
            throw UnavailableException.saying(
                    NAME, Silence.PAUSE, "As many look into the warehouse as may do so at once", null);
        }
        try {
            return row(answer(
                    eventId,
                    eventTsMicros,
                    System.nanoTime() + options.timeout().toNanos()));
        } catch (IOException e) {
            silence.begin(String.valueOf(e.getMessage()));
            throw new UnavailableException(NAME, Silence.PAUSE, e);
        } catch (AccessTokens.CredentialsException e) {
            throw refused(
                    "The warehouse cannot be asked with this server's warehouse.credentials-file; its log says why",
                    String.valueOf(e.getMessage()));
        } finally {
            places.release();
        }
    }

    private JsonNode answer(long eventId, @Nullable Long eventTsMicros, long deadline)
            throws UnavailableException, IOException, AccessTokens.CredentialsException {
        JsonNode answer = send("POST", path, request(eventId, eventTsMicros, deadline), deadline);
        for (int polls = 0; !answer.path("jobComplete").asBoolean(); polls++) {
            JsonNode job = answer.path("jobReference");
            String id = job.path("jobId").asText();
            if (polls == MOST_POLLS || id.isEmpty() || millisUntil(deadline) == 0) {
                throw new IOException("its query was not done in time");
            }
            String location = job.path("location").asText();
            answer = send(
                    "GET",
                    path + "/" + encoded(id) + "?maxResults=1&formatOptions.useInt64Timestamp=true&timeoutMs="
                            + millisUntil(deadline) + (location.isEmpty() ? "" : "&location=" + encoded(location)),
                    null,
                    deadline);
        }
        return answer;
    }

    private String request(long eventId, @Nullable Long eventTsMicros, long deadline) {
        ObjectNode request = JsonNodeFactory.instance.objectNode();
        request.put("query", sql)
                .put("useLegacySql", false)
                .put("maxResults", 1)
                .put("timeoutMs", millisUntil(deadline))
                .put("maximumBytesBilled", Long.toString(options.maxBytes()))
                .put("parameterMode", "NAMED");
        request.putObject("formatOptions").put("useInt64Timestamp", true);
        ArrayNode parameters = request.putArray("queryParameters");
        parameter(parameters, "event_id", "INT64", Long.toString(eventId));
        parameter(parameters, "earliest", "TIMESTAMP", time(eventTsMicros, Timestamps.MIN_MICROS));
        parameter(parameters, "latest", "TIMESTAMP", time(eventTsMicros, Timestamps.MAX_MICROS));
        return request.toString();
    }

    private static String time(@Nullable Long micros, long otherwise) {
        return Timestamps.format(micros == null ? otherwise : micros);
    }

    private static void parameter(ArrayNode parameters, String name, String type, String value) {
        ObjectNode parameter = parameters.addObject().put("name", name);
        parameter.putObject("parameterType").put("type", type);
        parameter.putObject("parameterValue").put("value", value);
    }

    private JsonNode send(String method, String target, @Nullable String body, long deadline)
            throws UnavailableException, IOException, AccessTokens.CredentialsException {
        URI uri = HostPort.reachable(options.endpoint()).resolve(target);
        HttpRequest.Builder request = HttpRequest.newBuilder(uri)
                .header("Accept", "application/json")
                .method(
                        method,
                        body == null ? HttpRequest.BodyPublishers.noBody() : HttpRequest.BodyPublishers.ofString(body));
        if (body != null) {
            request.header("Content-Type", "application/json");
        }
        String token = tokens == null ? null : tokens.token(deadline);
        if (token != null) {
            request.header("Authorization", "Bearer " + token);
        }
        HttpResponse<byte[]> response = http.send(request.build(), deadline);
        int status = response.statusCode();
        if (status == 200) {
            return JSON.readTree(response.body());
        }
        if (status == 401 && tokens != null && token != null) {
            tokens.forget(token);
        }
        throw failed(status, new String(response.body(), StandardCharsets.UTF_8));
    }

    /** What to throw for a refusal; an IOException for what passes by itself. */
    private UnavailableException failed(int status, String body) throws IOException {
        // BigQuery answers 403 to too many questions as well as to missing rights.
        boolean isQuota = status == 403 && (body.contains("rateLimitExceeded") || body.contains("quotaExceeded"));
        String said = "HTTP " + status + " " + quoted(body);
        if (PASSING.contains(status) || isQuota) {
            throw new IOException(said);
        }
        if (body.contains("bytesBilledLimitExceeded")) {
            // Of this event: another one's partition may be smaller.
            return UnavailableException.saying(
                    NAME,
                    WHEN_CHANGED,
                    "To find it, more of the warehouse would be read than api.warehouse-max-bytes allows",
                    null);
        }
        return status == 404
                ? refused("The warehouse has no table of events yet; the job makes it when it starts", said)
                : refused("The warehouse refuses the question; the API's log says why", said);
    }

    /** Of what stays until somebody changes something, whoever runs this hears, once a moment at most. */
    private UnavailableException refused(String saying, String forTheLog) {
        LOG.warn("{} ({})", saying, forTheLog);
        silence.begin(saying);
        return UnavailableException.saying(NAME, WHEN_CHANGED, saying, null);
    }

    private static @Nullable Map<String, String> row(JsonNode answer) throws IOException {
        JsonNode cells = answer.path("rows").path(0).path("f");
        if (cells.isMissingNode()) {
            return null;
        }
        if (cells.size() != COLUMNS.size()) {
            throw new IOException("its row has " + cells.size() + " columns and not " + COLUMNS.size());
        }
        Map<String, String> row = new HashMap<>();
        for (int i = 0; i < COLUMNS.size(); i++) {
            JsonNode value = cells.path(i).path("v");
            if (!value.isNull() && !value.isMissingNode()) {
                String column = COLUMNS.get(i);
                row.put(column, TIMES.contains(column) ? time(value.asText()) : value.asText());
            }
        }
        return row;
    }

    private static String time(String text) throws IOException {
        OptionalLong micros = Integers.parse(text);
        if (micros.isEmpty() || !Timestamps.isWithinRange(micros.getAsLong())) {
            throw new IOException("its row has a time that is not in microseconds");
        }
        return Timestamps.format(micros.getAsLong());
    }

    /** When a time is of PostgreSQL; null if BigQuery would hold none such. */
    static @Nullable Long micros(Instant time) {
        long micros;
        try {
            micros = Timestamps.microsOf(time);
        } catch (ArithmeticException e) {
            // PostgreSQL's infinity.
            return null;
        }
        return Timestamps.isWithinRange(micros) ? micros : null;
    }

    private static long millisUntil(long deadline) {
        return Math.max(0, (deadline - System.nanoTime()) / 1_000_000);
    }

    private static String quoted(String body) {
        String line = body.strip().replaceAll("\\s+", " ");
        return line.length() <= MAX_QUOTED ? line : line.substring(0, MAX_QUOTED) + "…";
    }

    private static String encoded(String part) {
        return URLEncoder.encode(part, StandardCharsets.UTF_8).replace("+", "%20");
    }
}
