package dev.engagement.warehouse;

import com.google.auth.oauth2.GoogleCredentials;
import dev.engagement.connection.HostPort;
import dev.engagement.rowstore.StoreRequestException;
import java.io.IOException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.UnknownHostException;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * {@link TableApi} over the JDK's HTTP client: five requests of BigQuery's REST interface, version 2, are not worth
 * another client library in the job jar.
 */
final class RestTable implements TableApi {

    private static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(10);
    private static final Duration REQUEST_TIMEOUT = Duration.ofSeconds(30);
    private static final Set<Integer> PASSING = Set.of(408, 425, 429, 500, 502, 503, 504);
    private static final int CONFLICT = 409;
    private static final int PRECONDITION_FAILED = 412;
    private static final int NOT_FOUND = 404;
    private static final int MAX_QUOTED = 500;

    private final WarehouseOptions options;
    private final @Nullable GoogleCredentials credentials;
    private final HttpClient http = HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .connectTimeout(CONNECT_TIMEOUT)
            .build();
    private final String queries;
    private final String datasets;
    private final String tables;
    private final String table;

    RestTable(WarehouseOptions options) {
        this.options = options;
        this.credentials = BigQueryCredentials.of(options);
        this.queries = "/bigquery/v2/projects/" + encoded(options.project()) + "/queries";
        this.datasets = "/bigquery/v2/projects/" + encoded(options.project()) + "/datasets";
        this.tables = datasets + "/" + encoded(options.dataset()) + "/tables";
        this.table = tables + "/" + encoded(options.table());
    }

    @Override
    public @Nullable Table get() throws StoreRequestException, InterruptedException {
        HttpResponse<String> response = send("GET", table, null, null);
        if (response.statusCode() == NOT_FOUND) {
            return null;
        }
        String body = ok("read", response);
        try {
            Map<String, @Nullable Object> json = RestJson.object(body);
            Map<String, @Nullable Object> schema = RestJson.asObject(json.get("schema"));
            List<Table.Field> fields = new ArrayList<>();
            for (Object element : RestJson.asList(schema.get("fields"))) {
                Map<String, @Nullable Object> field = RestJson.asObject(element);
                Object mode = field.get("mode");
                fields.add(new Table.Field(
                        String.valueOf(field.get("name")),
                        String.valueOf(field.get("type")),
                        mode == null ? "NULLABLE" : mode.toString()));
            }
            Map<String, String> labels = new LinkedHashMap<>();
            RestJson.asObject(json.get("labels")).forEach((name, value) -> labels.put(name, String.valueOf(value)));
            return new Table(String.valueOf(json.get("etag")), fields, RestJson.write(schema), labels);
        } catch (IOException e) {
            throw new StoreRequestException(
                    "BigQuery's description of " + options.tableName() + " is not readable: " + quoted(body), false, e);
        }
    }

    @Override
    public void create() throws StoreRequestException, InterruptedException {
        HttpResponse<String> response = send("POST", tables, RestJson.write(description()), null);
        if (response.statusCode() == NOT_FOUND) {
            Map<String, Object> dataset =
                    Map.of("datasetReference", Map.of("projectId", options.project(), "datasetId", options.dataset()));
            HttpResponse<String> made = send("POST", datasets, RestJson.write(dataset), null);
            if (made.statusCode() != CONFLICT) {
                ok("create the dataset of", made);
            }
            response = send("POST", tables, RestJson.write(description()), null);
        }
        // Somebody else was faster: what they made is checked like any other.
        if (response.statusCode() != CONFLICT) {
            ok("create", response);
        }
    }

    private Map<String, Object> description() {
        WarehouseOptions.Layout layout = options.layout();
        Map<String, Object> partitioning = new LinkedHashMap<>();
        partitioning.put("type", layout.partition().name());
        partitioning.put("field", Columns.PARTITIONING);
        if (layout.partitionExpiration() != null) {
            partitioning.put(
                    "expirationMs", Long.toString(layout.partitionExpiration().toMillis()));
        }
        Map<String, Object> description = new LinkedHashMap<>();
        description.put(
                "tableReference",
                Map.of("projectId", options.project(), "datasetId", options.dataset(), "tableId", options.table()));
        description.put(
                "schema",
                Map.of(
                        "fields",
                        Columns.of(options.eventIds()).stream()
                                .map(RestTable::field)
                                .toList()));
        description.put("timePartitioning", partitioning);
        description.put("clustering", Map.of("fields", Columns.CLUSTERING));
        if (layout.requirePartitionFilter()) {
            description.put("requirePartitionFilter", true);
        }
        return description;
    }

    private static Map<String, String> field(Columns.Column column) {
        Map<String, String> field = new LinkedHashMap<>();
        field.put("name", column.name());
        field.put("type", column.type().inRest());
        field.put("mode", column.required() ? "REQUIRED" : "NULLABLE");
        return field;
    }

    @Override
    public boolean addColumns(Table read, List<Columns.Column> columns)
            throws StoreRequestException, InterruptedException {
        Map<String, @Nullable Object> schema;
        List<Object> fields = new ArrayList<>();
        try {
            schema = new LinkedHashMap<>(RestJson.object(read.schemaJson()));
            fields.addAll(RestJson.asList(schema.get("fields")));
        } catch (IOException e) {
            throw new IllegalStateException("What was written as JSON is not readable", e);
        }
        columns.forEach(column -> fields.add(field(column)));
        schema.put("fields", fields);
        return patch(read, Map.of("schema", schema), "add columns to");
    }

    @Override
    public boolean label(Table read, Map<String, String> labels) throws StoreRequestException, InterruptedException {
        Map<String, String> all = new LinkedHashMap<>(read.labels());
        all.putAll(labels);
        return patch(read, Map.of("labels", all), "label");
    }

    private boolean patch(Table read, Map<String, Object> changes, String what)
            throws StoreRequestException, InterruptedException {
        HttpResponse<String> response = send("PATCH", table, RestJson.write(changes), read.etag());
        if (response.statusCode() == PRECONDITION_FAILED) {
            return false;
        }
        ok(what, response);
        return true;
    }

    /** Of the table's data: its count of rows does not know those that were streamed into it a moment ago. */
    @Override
    public boolean hasRows() throws StoreRequestException, InterruptedException {
        String body = ok("read the rows of", send("GET", table + "/data?maxResults=1", null, null));
        try {
            return !RestJson.asList(RestJson.object(body).get("rows")).isEmpty();
        } catch (IOException e) {
            throw new StoreRequestException(
                    "BigQuery's rows of " + options.tableName() + " are not readable: " + quoted(body), false, e);
        }
    }

    /**
     * Sends a request of a query.
     *
     * @param path behind the project, such as {@code /queries}
     * @return the answer's body; null if the table or its dataset is not there
     */
    @Nullable
    String query(String method, String path, @Nullable String body) throws StoreRequestException, InterruptedException {
        HttpResponse<String> response =
                send(method, "/bigquery/v2/projects/" + encoded(options.project()) + path, body, null);
        return response.statusCode() == NOT_FOUND ? null : ok("query", response);
    }

    /**
     * Runs a statement.
     *
     * @param what it does to the table, for messages
     * @param request of {@code jobs.query}
     * @return the answer, of which the job may not be complete
     */
    Map<String, @Nullable Object> query(String what, Map<String, Object> request)
            throws StoreRequestException, InterruptedException {
        return answer(ok(what, send("POST", queries, RestJson.write(request), null)));
    }

    /** Asks once more for the answer of a statement whose job was not complete. */
    Map<String, @Nullable Object> queryResults(String what, String job, String location, Duration wait)
            throws StoreRequestException, InterruptedException {
        String path = queries + "/" + encoded(job) + "?maxResults=0&timeoutMs=" + wait.toMillis() + "&location="
                + encoded(location);
        return answer(ok(what, send("GET", path, null, null)));
    }

    private Map<String, @Nullable Object> answer(String body) throws StoreRequestException {
        try {
            return RestJson.object(body);
        } catch (IOException e) {
            throw new StoreRequestException(
                    "BigQuery's answer about " + options.tableName() + " is not readable: " + quoted(body), false, e);
        }
    }

    private HttpResponse<String> send(String method, String path, @Nullable String body, @Nullable String etag)
            throws StoreRequestException, InterruptedException {
        URI uri;
        try {
            uri = HostPort.reachable(options.endpoints().rest()).resolve(path);
        } catch (UnknownHostException e) {
            throw new StoreRequestException(
                    "No name server here knows warehouse.endpoint = "
                            + options.endpoints().rest(),
                    true,
                    e);
        }
        HttpRequest.Builder request = HttpRequest.newBuilder(uri)
                .timeout(REQUEST_TIMEOUT)
                .method(
                        method,
                        body == null ? HttpRequest.BodyPublishers.noBody() : HttpRequest.BodyPublishers.ofString(body))
                .header("Accept", "application/json");
        if (body != null) {
            request.header("Content-Type", "application/json");
        }
        if (etag != null) {
            request.header("If-Match", etag);
        }
        try {
            if (credentials != null) {
                credentials
                        .getRequestMetadata(uri)
                        .forEach((name, values) -> values.forEach(value -> request.header(name, value)));
            }
            return http.send(request.build(), HttpResponse.BodyHandlers.ofString());
        } catch (IOException e) {
            throw new StoreRequestException(
                    "BigQuery at " + options.endpoints().rest() + " does not answer ("
                            + e.getClass().getSimpleName() + ": " + e.getMessage() + ")",
                    true,
                    e);
        }
    }

    private String ok(String what, HttpResponse<String> response) throws StoreRequestException {
        int status = response.statusCode();
        if (status / 100 == 2) {
            return response.body();
        }
        // BigQuery answers 403 to too many requests as well as to missing rights.
        boolean passing = PASSING.contains(status)
                || status == 403
                        && (response.body().contains("rateLimitExceeded")
                                || response.body().contains("quotaExceeded"));
        throw new StoreRequestException(
                "BigQuery refuses to " + what + " " + options.tableName() + ": HTTP " + status + " "
                        + quoted(response.body()),
                passing,
                status,
                null);
    }

    private static String quoted(String body) {
        String line = body.strip().replaceAll("\\s+", " ");
        return line.length() <= MAX_QUOTED ? line : line.substring(0, MAX_QUOTED) + "…";
    }

    static String encoded(String part) {
        return URLEncoder.encode(part, StandardCharsets.UTF_8).replace("+", "%20");
    }
}
