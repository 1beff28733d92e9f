package dev.engagement.warehouse;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import dev.engagement.connection.Backoff;
import java.io.IOException;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;

/**
 * Which events the warehouse has, by BigQuery's query interface. Blocking; what passes by itself is tried again for a
 * minute. Thread-safe.
 */
public final class WarehouseIds {

    private static final JsonFactory JSON = new JsonFactory();
    private static final Duration PATIENCE = Duration.ofMinutes(1);
    private static final Backoff BACKOFF = new Backoff(Duration.ofMillis(200), Duration.ofSeconds(10));

    private final WarehouseOptions options;
    private final RestTable table;

    private WarehouseIds(WarehouseOptions options) {
        this.options = options;
        this.table = new RestTable(options);
    }

    /** Those of the table of {@code options}. */
    public static WarehouseIds of(WarehouseOptions options) {
        return new WarehouseIds(options);
    }

    /**
     * The ids from {@code first} to {@code last}, both within, of rows whose event_ts lies in {@code [from, to)}: a repeated
     * one more than once, none if there is no table yet. BigQuery reads two columns of the partitions of that time for it.
     *
     * @param fromMicros microseconds since the epoch
     * @param toMicros microseconds since the epoch
     * @throws IOException if BigQuery refuses, or does not answer in time; the message says what it said
     */
    public void between(long first, long last, long fromMicros, long toMicros, LongConsumer each)
            throws IOException, InterruptedException {
        String name = options.project() + "." + options.dataset() + "." + options.table();
        String sql = "SELECT event_id FROM `" + name + "` WHERE event_id >= " + first + " AND event_id <= " + last
                + " AND event_ts >= TIMESTAMP_MICROS(" + fromMicros + ") AND event_ts < TIMESTAMP_MICROS(" + toMicros
                + ")";
        Map<String, Object> request = new LinkedHashMap<>();
        request.put("query", sql);
        request.put("useLegacySql", false);
        Answer answer = ask("POST", "/queries", Json.write(request), each);
        while (answer != null && (!answer.complete || answer.pageToken != null)) {
            answer = ask("GET", answer.nextPath(), null, each);
        }
    }

    /**
     * Whether no job has ever written to the table: it is not there, or has neither rows nor the mark of a job.
     *
     * @throws IOException if BigQuery refuses, or does not answer in time
     */
    public boolean isFresh() throws IOException, InterruptedException {
        return patiently(() -> {
            TableApi.Table found = table.get();
            return found == null || (!found.labels().containsKey(LineMarks.RUN) && !table.hasRows());
        });
    }

    /** How many rows the table has, or 0 if it is not there. */
    public long rows() throws IOException, InterruptedException {
        long[] rows = {0};
        String name = options.project() + "." + options.dataset() + "." + options.table();
        // With a filter, as a table may be told to refuse queries without.
        String sql = "SELECT COUNT(*) FROM `" + name + "` WHERE event_ts >= TIMESTAMP '0001-01-01'";
        Map<String, Object> request = new LinkedHashMap<>();
        request.put("query", sql);
        request.put("useLegacySql", false);
        Answer answer = ask("POST", "/queries", Json.write(request), count -> rows[0] = count);
        while (answer != null && !answer.complete) {
            answer = ask("GET", answer.nextPath(), null, count -> rows[0] = count);
        }
        return rows[0];
    }

    private @Nullable Answer ask(String method, String path, @Nullable String body, LongConsumer each)
            throws IOException, InterruptedException {
        String text = patiently(() -> table.query(method, path, body));
        return text == null ? null : Answer.read(text, each);
    }

    private interface Request<T extends @Nullable Object> {
        T send() throws TableApi.TableException, InterruptedException;
    }

    private <T extends @Nullable Object> T patiently(Request<T> request) throws IOException, InterruptedException {
        long until = System.nanoTime() + PATIENCE.toNanos();
        for (int failures = 1; ; failures++) {
            try {
                return request.send();
            } catch (TableApi.TableException e) {
                if (!e.isPassing() || System.nanoTime() > until) {
                    throw new WarehouseException(
                            "The warehouse table " + options.tableName() + " cannot be asked: " + e.getMessage()
                                    + ". Check warehouse.project, dataset, endpoint, credentials and rights"
                                    + " (bigquery.dataViewer on the dataset and bigquery.jobUser on the project)",
                            e);
                }
                long pause = BACKOFF.delayMillis(
                        failures, ThreadLocalRandom.current().nextDouble());
                boolean unused = new CountDownLatch(1).await(pause, TimeUnit.MILLISECONDS);
            }
        }
    }

    /**
     * What stands in an answer beside its rows.
     *
     * @param complete whether the query has ended; if not there are no rows yet
     * @param pageToken of the rows that did not fit, or null
     */
    private record Answer(
            boolean complete,
            @Nullable String pageToken,
            @Nullable String jobId,
            @Nullable String location) {

        String nextPath() {
            return "/queries/" + RestTable.encoded(String.valueOf(jobId)) + "?timeoutMs=10000"
                    + (location == null ? "" : "&location=" + RestTable.encoded(location))
                    + (pageToken == null ? "" : "&pageToken=" + RestTable.encoded(pageToken));
        }

        /** Reads an answer as a stream: a page may hold some hundred thousand rows. */
        static Answer read(String text, LongConsumer each) throws IOException {
            boolean complete = true;
            String pageToken = null;
            String jobId = null;
            String location = null;
            try (JsonParser parser = JSON.createParser(text)) {
                if (parser.nextToken() != JsonToken.START_OBJECT) {
                    throw new WarehouseException("BigQuery's answer to a query is not a JSON object", null);
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
                        case "rows" -> rows(parser, each);
                        default -> parser.skipChildren();
                    }
                }
            }
            return new Answer(complete, pageToken, jobId, location);
        }

        /** {@code [{"f":[{"v":"1"}]},…]}: of one column, so that every v is a row. */
        private static void rows(JsonParser parser, LongConsumer each) throws IOException {
            int depth = 1;
            while (depth > 0) {
                JsonToken token = parser.nextToken();
                if (token == null) {
                    throw new WarehouseException("BigQuery's answer to a query ends in the middle of its rows", null);
                }
                if (token.isStructStart()) {
                    depth++;
                } else if (token.isStructEnd()) {
                    depth--;
                } else if (token == JsonToken.FIELD_NAME && parser.currentName().equals("v")) {
                    parser.nextToken();
                    each.accept(parser.getValueAsLong());
                }
            }
        }
    }
}
