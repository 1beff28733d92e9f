package dev.engagement.warehouse;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import dev.engagement.connection.Backoff;
import dev.engagement.connection.Pause;
import dev.engagement.rowstore.Retries;
import dev.engagement.rowstore.RowStoreException;
import dev.engagement.rowstore.RowStoreRefusedException;
import dev.engagement.rowstore.StoreRequestException;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Questions to BigQuery in GoogleSQL. Blocking; a query may take any time, and what passes by itself is tried again for a
 * minute. Thread-safe.
 */
public final class WarehouseQuery {

    private static final JsonFactory JSON = new JsonFactory();
    private static final Duration TIMEOUT = Duration.ofMinutes(1);
    private static final Backoff BACKOFF = new Backoff(Duration.ofMillis(200), Duration.ofSeconds(10));
    private static final int WAIT_MILLIS = 10_000;

    private final WarehouseOptions options;
    private final RestTable table;
    private final Retries retries;

    /**
     * Of the project of {@code options}.
     *
     * @throws RowStoreRefusedException if the credentials are not where they should be
     */
    public WarehouseQuery(WarehouseOptions options) {
        this(options, Pause.real());
    }

    WarehouseQuery(WarehouseOptions options, Pause pause) {
        this.options = options;
        this.table = new RestTable(options);
        this.retries = new Retries(BACKOFF, TIMEOUT, pause);
    }

    /**
     * Asks, and takes the answer row by row: its cells as BigQuery writes them, null for NULL. A table that is not there
     * has no rows.
     *
     * @throws IOException if BigQuery refuses, or does not answer in time; the message says what it said
     */
    public void run(String sql, Consumer<List<@Nullable String>> row) throws IOException {
        try {
            rows(sql, row);
        } catch (InterruptedException e) {
            throw interrupted(e);
        }
    }

    /** As {@link #run}, for who is interrupted as an interrupted thread is. */
    void rows(String sql, Consumer<List<@Nullable String>> row) throws IOException, InterruptedException {
        Map<String, Object> request = new LinkedHashMap<>();
        request.put("query", sql);
        request.put("useLegacySql", false);
        request.put("timeoutMs", WAIT_MILLIS);
        Answer answer = ask("POST", "/queries", RestJson.write(request), row);
        while (answer != null && (!answer.complete || answer.pageToken != null)) {
            answer = ask("GET", answer.nextPath(), null, row);
        }
    }

    /** As {@link #bytesProcessed}, for who is not interrupted. */
    public long bytesToRead(String sql) throws IOException {
        try {
            return bytesProcessed(sql);
        } catch (InterruptedException e) {
            throw interrupted(e);
        }
    }

    /**
     * How many bytes it would process, as BigQuery's dry run says, which costs nothing; 0 if there is no table.
     *
     * @throws IOException if BigQuery refuses, or does not answer in time
     */
    long bytesProcessed(String sql) throws IOException, InterruptedException {
        Map<String, Object> request = new LinkedHashMap<>();
        request.put("query", sql);
        request.put("useLegacySql", false);
        request.put("dryRun", true);
        String text = patiently(rest -> rest.query("POST", "/queries", RestJson.write(request)));
        return text == null ? 0 : bytesIn(RestJson.object(text));
    }

    /** What an answer says that was, or would be, processed. */
    static long bytesIn(Map<String, @Nullable Object> answer) throws IOException {
        Object bytes = answer.get("totalBytesProcessed");
        if (bytes == null) {
            throw new RowStoreException("BigQuery's answer to a dry run does not say what it would read", null);
        }
        return Long.parseLong(bytes.toString());
    }

    private @Nullable Answer ask(
            String method, String path, @Nullable String body, Consumer<List<@Nullable String>> row)
            throws IOException, InterruptedException {
        String text = patiently(rest -> rest.query(method, path, body));
        return text == null ? null : Answer.read(text, row);
    }

    /** A request to BigQuery's REST interface. */
    interface Request<T extends @Nullable Object> {
        T send(RestTable rest) throws StoreRequestException, InterruptedException;
    }

    /** Sends it, and what passes by itself again. */
    <T extends @Nullable Object> T patiently(Request<T> request) throws IOException, InterruptedException {
        try {
            return retries.send(() -> request.send(table));
        } catch (StoreRequestException e) {
            throw new RowStoreException(
                    "The warehouse table " + options.tableName() + " cannot be asked: " + e.getMessage()
                            + ". Check warehouse.project, dataset, endpoint, credentials and rights"
                            + " (bigquery.dataViewer on the dataset and bigquery.jobUser on the project)",
                    e);
        }
    }

    private static IOException interrupted(InterruptedException e) {
        Thread.currentThread().interrupt();
        InterruptedIOException interrupted = new InterruptedIOException("Interrupted while BigQuery was asked");
        interrupted.initCause(e);
        return interrupted;
    }

    /**
     * What stands in an answer beside its rows.
     *
     * @param complete whether the query has ended; if not there are no rows yet
     * @param pageToken of the rows that did not fit, or null
     * @param jobId under which the rest of the answer is to be had
     * @param location of that job, or null
     */
    private record Answer(
            boolean complete,
            @Nullable String pageToken,
            @Nullable String jobId,
            @Nullable String location) {

        String nextPath() {
            return "/queries/" + RestTable.encoded(String.valueOf(jobId)) + "?timeoutMs=" + WAIT_MILLIS
                    + (location == null ? "" : "&location=" + RestTable.encoded(location))
                    + (pageToken == null ? "" : "&pageToken=" + RestTable.encoded(pageToken));
        }

        /** Reads an answer as a stream: it may hold some hundred thousand rows. */
        static Answer read(String text, Consumer<List<@Nullable String>> row) throws IOException {
            boolean complete = true;
            String pageToken = null;
            String jobId = null;
            String location = null;
            try (JsonParser parser = JSON.createParser(text)) {
                if (parser.nextToken() != JsonToken.START_OBJECT) {
                    throw new RowStoreException("BigQuery's answer to a query is not a JSON object", null);
                }
                while (parser.nextToken() == JsonToken.FIELD_NAME) {
                    String field = parser.currentName();
                    JsonToken value = parser.nextToken();
                    switch (field) {
                        case "jobComplete" -> complete = value == JsonToken.VALUE_TRUE;
                        case "pageToken" -> pageToken = parser.getValueAsString();
                        case "jobReference" -> {
                            while (parser.nextToken() == JsonToken.FIELD_NAME) {
                                String part = parser.currentName();
                                parser.nextToken();
                                if (part.equals("jobId")) {
                                    jobId = parser.getValueAsString();
                                } else if (part.equals("location")) {
                                    location = parser.getValueAsString();
                                }
                            }
                        }
                        case "rows" -> {
                            while (parser.nextToken() == JsonToken.START_OBJECT) {
                                row.accept(cells(parser));
                            }
                        }
                        default -> parser.skipChildren();
                    }
                }
            }
            return new Answer(complete, pageToken, jobId, location);
        }

        /** {@code {"f":[{"v":"1"},{"v":null}]}}, of scalar columns. */
        private static List<@Nullable String> cells(JsonParser parser) throws IOException {
            List<@Nullable String> cells = new ArrayList<>();
            int depth = 1;
            while (depth > 0) {
                JsonToken token = parser.nextToken();
                if (token == null) {
                    throw new RowStoreException("BigQuery's answer to a query ends in the middle of a row", null);
                }
                if (token.isStructStart()) {
                    depth++;
                } else if (token.isStructEnd()) {
                    depth--;
                } else if (token == JsonToken.FIELD_NAME && parser.currentName().equals("v")) {
                    if (parser.nextToken() != JsonToken.VALUE_NULL
                            && !parser.currentToken().isScalarValue()) {
                        throw new RowStoreException("BigQuery answers a nested value where a scalar was asked", null);
                    }
                    cells.add(parser.currentToken() == JsonToken.VALUE_NULL ? null : parser.getText());
                }
            }
            return cells;
        }
    }
}
