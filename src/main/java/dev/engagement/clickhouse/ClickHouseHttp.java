package dev.engagement.clickhouse;

import dev.engagement.connection.HostPort;
import java.io.IOException;
import java.net.ConnectException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpConnectTimeoutException;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * ClickHouse's HTTP interface, as far as it is used here. Blocking; thread-safe. Each call is one request to one endpoint;
 * when that cannot be reached, the next call goes to the next one.
 */
final class ClickHouseHttp {

    private static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(10);

    /** An insert, a merge of a checkpoint's rows, a move of parts: seconds at most on a machine that is not lost. */
    private static final Duration REQUEST_TIMEOUT = Duration.ofSeconds(60);

    private static final int OK = 200;
    private static final int MAX_QUOTED = 500;
    private static final String CODE = "X-ClickHouse-Exception-Code";

    private final ClickHouseOptions options;
    private final @Nullable String password;
    private final HttpClient http = HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .connectTimeout(CONNECT_TIMEOUT)
            .build();
    private final AtomicInteger endpoint = new AtomicInteger();

    /**
     * A client.
     *
     * @param options whose password is read here, on the machine that uses it
     */
    ClickHouseHttp(ClickHouseOptions options) {
        this.options = options;
        this.password = options.password().read();
    }

    /** Runs a statement that answers nothing. */
    void run(String sql) throws ClickHouseFailure, InterruptedException {
        var unused = send(Map.of(), HttpRequest.BodyPublishers.ofString(sql));
    }

    /** The rows that a statement answers, each with its columns. Values have neither tabs nor line ends. */
    List<List<String>> rows(String sql) throws ClickHouseFailure, InterruptedException {
        return send(Map.of(), HttpRequest.BodyPublishers.ofString(sql))
                .lines()
                .map(line -> Arrays.asList(line.split("\t", -1)))
                .toList();
    }

    /** The one value that a statement answers. */
    String value(String sql) throws ClickHouseFailure, InterruptedException {
        return send(Map.of(), HttpRequest.BodyPublishers.ofString(sql)).strip();
    }

    /**
     * Inserts rows.
     *
     * @param sql up to and with its FORMAT
     * @param settings of this insert
     */
    void insert(String sql, Map<String, String> settings, List<byte[]> rows)
            throws ClickHouseFailure, InterruptedException {
        Map<String, String> parameters = new LinkedHashMap<>(settings);
        parameters.put("query", sql);
        var unused = send(parameters, HttpRequest.BodyPublishers.ofByteArrays(rows));
    }

    private String send(Map<String, String> parameters, HttpRequest.BodyPublisher body)
            throws ClickHouseFailure, InterruptedException {
        int used = endpoint.get();
        URI url =
                options.endpoints().get(Math.floorMod(used, options.endpoints().size()));
        StringBuilder path = new StringBuilder("/?wait_end_of_query=1");
        parameters.forEach((name, value) ->
                path.append('&').append(name).append('=').append(URLEncoder.encode(value, StandardCharsets.UTF_8)));
        try {
            HttpRequest.Builder request = HttpRequest.newBuilder(
                            HostPort.reachable(url).resolve(path.toString()))
                    .timeout(REQUEST_TIMEOUT)
                    .header("X-ClickHouse-User", options.username())
                    .POST(body);
            if (password != null) {
                request.header("X-ClickHouse-Key", password);
            }
            return ok(http.send(request.build(), HttpResponse.BodyHandlers.ofString()));
        } catch (IOException e) {
            if (e instanceof ConnectException || e instanceof HttpConnectTimeoutException) {
                boolean unused = endpoint.compareAndSet(used, used + 1);
            }
            throw ClickHouseFailure.unanswered("ClickHouse at " + url + " does not answer (" + e + ")", e);
        }
    }

    private static String ok(HttpResponse<String> response) throws ClickHouseFailure {
        String body = response.body();
        String code = response.headers().firstValue(CODE).orElse("0");
        if (response.statusCode() == OK && code.equals("0")) {
            return body;
        }
        String quoted = body.strip();
        throw ClickHouseFailure.answered(
                code.matches("\\d{1,6}") ? Integer.parseInt(code) : ClickHouseFailure.NO_ANSWER,
                "HTTP " + response.statusCode() + ": "
                        + (quoted.length() <= MAX_QUOTED ? quoted : quoted.substring(0, MAX_QUOTED) + "…"));
    }
}
