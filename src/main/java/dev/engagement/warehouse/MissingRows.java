package dev.engagement.warehouse;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import dev.engagement.connection.Backoff;
import dev.engagement.connection.Pause;
import dev.engagement.deadletter.DeadLetter;
import dev.engagement.rowstore.CheckpointLineage;
import dev.engagement.rowstore.Retries;
import dev.engagement.rowstore.RowPlan;
import dev.engagement.rowstore.RowStoreException;
import dev.engagement.rowstore.RowStoreRefusedException;
import dev.engagement.rowstore.StoreRequestException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Puts single rows into the table that are not there: rows that BigQuery refused when the job appended them. Not for the
 * job, and not for many: each is a statement of its own, a second or two. Blocking.
 *
 * <p><b>Guarantee.</b> One MERGE that inserts and does nothing else: a row whose event_id is there, at that event_ts, stays
 * as it is, so a repetition changes nothing. BigQuery lets two such statements run at once, and each might miss the other's
 * row; so each carries the same request id for the same letter, and BigQuery runs it once.
 *
 * <p>The line of checkpoints knows nothing of these rows, and need not: the labels stay, and the job goes on from where it
 * stood. What it must not do is to append the row itself afterwards, which is possible as long as a failure takes it back
 * behind the event. So a letter says in which run and before which checkpoint its row was refused, and {@link #isBehind}
 * whether the labels say that this checkpoint has completed.
 */
public final class MissingRows {

    private static final JsonFactory FACTORY = JsonFactory.builder()
            .streamReadConstraints(StreamReadConstraints.builder()
                    .maxStringLength(Integer.MAX_VALUE)
                    .maxNumberLength(Integer.MAX_VALUE)
                    .maxNestingDepth(Integer.MAX_VALUE)
                    .build())
            .build();

    private static final Set<String> JSON = Columns.ALL.stream()
            .filter(column -> column.type() == Columns.ColumnType.JSON)
            .map(Columns.Column::name)
            .collect(Collectors.toUnmodifiableSet());

    /** A request takes 10 MB. */
    private static final int MAX_ROW_BYTES = 9_000_000;

    /** Headers of a REJECTED letter. */
    private static final String RUN = RowPlan.runHeader(BigQueryStore.NAME);

    private static final String CHECKPOINT = RowPlan.checkpointHeader(BigQueryStore.NAME);

    private static final Duration ANSWER_WITHIN = Duration.ofSeconds(20);
    private static final Duration TIMEOUT = Duration.ofMinutes(2);
    private static final Backoff BACKOFF = new Backoff(Duration.ofMillis(200), Duration.ofSeconds(10));
    private static final int BAD_REQUEST = 400;
    /** Of {@code 2026-01-08T09}. */
    private static final int HOUR_LENGTH = 13;

    private static final String WHAT = "put a row into";

    private final WarehouseOptions options;
    private final RestTable api;
    private final Retries retries;
    private final String sql;
    private final Map<String, Long> bytesOfHours = new HashMap<>();

    private MissingRows(WarehouseOptions options, RestTable api, Retries retries) {
        this.options = options;
        this.api = api;
        this.retries = retries;
        this.sql = sql(options);
    }

    /** The row cannot be in the table; the message says why. */
    public static final class RefusedRowException extends Exception {
        private static final long serialVersionUID = 1L;

        RefusedRowException(String message) {
            super(message);
        }
    }

    /**
     * For a table that is there.
     *
     * @throws RowStoreRefusedException if there is none, or it does not fit
     * @throws IOException if BigQuery does not answer or refuses
     */
    public static MissingRows of(WarehouseOptions options) throws IOException, InterruptedException {
        return of(options, Pause.real());
    }

    static MissingRows of(WarehouseOptions options, Pause pause) throws IOException, InterruptedException {
        RestTable api = new RestTable(options);
        Retries retries = new Retries(BACKOFF, TIMEOUT, pause);
        try {
            TableApi.Table table = retries.send(api::get);
            if (table == null) {
                throw new RowStoreRefusedException("There is no warehouse table " + options.tableName()
                        + ". Check warehouse.project, warehouse.dataset and warehouse.table");
            }
            var unused = WarehouseTable.missing(table, options);
        } catch (StoreRequestException e) {
            throw new RowStoreException(String.valueOf(e.getMessage()), e);
        }
        return new MissingRows(options, api, retries);
    }

    /** {@code project.dataset.table}. */
    public String table() {
        return options.tableName();
    }

    /**
     * Whether the job has left the event behind: whether a checkpoint has shown rows since, so that no failure takes the job
     * back to it. Also true of letters that do not say when their rows were refused, and with
     * {@code --accept-warehouse-duplicates}.
     *
     * @throws IOException if BigQuery does not answer or refuses
     */
    public boolean isBehind(DeadLetter letter) throws IOException, InterruptedException {
        String run = header(letter, RUN);
        String checkpoint = header(letter, CHECKPOINT);
        if (options.acceptDuplicates() || run == null || checkpoint == null || !checkpoint.matches("\\d{1,18}")) {
            return true;
        }
        try {
            TableApi.Table table = retries.send(api::get);
            CheckpointLineage.FencingLabel shown = table == null ? null : LineMarks.on(table);
            // Checkpoints are counted on over all runs of a line.
            return shown != null && shown.checkpoint() >= Long.parseLong(checkpoint);
        } catch (StoreRequestException e) {
            throw new RowStoreException(String.valueOf(e.getMessage()), e);
        }
    }

    private static @Nullable String header(DeadLetter letter, String key) {
        for (DeadLetter.Header header : letter.headers()) {
            byte[] value = header.value();
            if (header.key().equals(key) && value != null) {
                return new String(value, StandardCharsets.UTF_8);
            }
        }
        return null;
    }

    /**
     * Sees whether a row could be put there, as far as can be said without BigQuery.
     *
     * @param enrichedJson as {@code EventJson.enriched} writes it
     * @throws RefusedRowException if not
     */
    public void check(byte[] enrichedJson) throws RefusedRowException {
        var unused = values(enrichedJson);
    }

    /**
     * How many bytes BigQuery would read to put a row there, as its dry run says: the ids and times of the row's partition.
     * It is asked once for each hour that rows are of.
     *
     * @param enrichedJson as {@code EventJson.enriched} writes it
     * @throws RefusedRowException if the row cannot be there
     * @throws IOException if BigQuery does not answer, or refuses anything
     */
    public long bytesToRead(byte[] enrichedJson) throws RefusedRowException, IOException, InterruptedException {
        Map<String, @Nullable String> values = values(enrichedJson);
        String time = String.valueOf(values.get(Columns.PARTITIONING));
        String hour = time.substring(0, Math.min(time.length(), HOUR_LENGTH));
        Long known = bytesOfHours.get(hour);
        if (known != null) {
            return known;
        }
        Map<String, Object> request = request(values);
        request.put("dryRun", true);
        try {
            long bytes = WarehouseQuery.bytesIn(retries.send(() -> api.query(WHAT, request)));
            bytesOfHours.put(hour, bytes);
            return bytes;
        } catch (StoreRequestException e) {
            throw failed(e);
        }
    }

    /**
     * Puts a row there, if it is not.
     *
     * @param requestId the same for the same row, at most 36 characters
     * @param enrichedJson as {@code EventJson.enriched} writes it
     * @return whether it was not there
     * @throws RefusedRowException if BigQuery refuses the row for what it is
     * @throws IOException if BigQuery does not answer, or refuses anything
     */
    public boolean insert(String requestId, byte[] enrichedJson)
            throws RefusedRowException, IOException, InterruptedException {
        Map<String, Object> request = request(values(enrichedJson));
        request.put("requestId", requestId);
        request.put("timeoutMs", ANSWER_WITHIN.toMillis());
        try {
            Map<String, @Nullable Object> answer = retries.send(() -> api.query(WHAT, request));
            long until = System.nanoTime() + TIMEOUT.toNanos();
            while (!Boolean.TRUE.equals(answer.get("jobComplete"))) {
                if (System.nanoTime() > until) {
                    throw new RowStoreException(
                            "BigQuery has not put a row into " + options.tableName() + " within " + TIMEOUT.toMinutes()
                                    + " minutes",
                            null);
                }
                Map<String, @Nullable Object> job = RestJson.asObject(answer.get("jobReference"));
                String id = String.valueOf(job.get("jobId"));
                String location = String.valueOf(job.get("location"));
                answer = retries.send(() -> api.queryResults(WHAT, id, location, ANSWER_WITHIN));
            }
            return "1".equals(String.valueOf(answer.get("numDmlAffectedRows")));
        } catch (StoreRequestException e) {
            throw failed(e);
        }
    }

    private Map<String, Object> request(Map<String, @Nullable String> values) {
        Map<String, Object> request = new LinkedHashMap<>();
        request.put("query", sql);
        request.put("useLegacySql", false);
        request.put("parameterMode", "NAMED");
        request.put("queryParameters", parameters(values));
        return request;
    }

    /** What to throw for what BigQuery says to a statement about a row. */
    private static RowStoreException failed(StoreRequestException e) throws RefusedRowException {
        if (e.status() == BAD_REQUEST) {
            throw new RefusedRowException(String.valueOf(e.getMessage()));
        }
        return new RowStoreException(String.valueOf(e.getMessage()), e);
    }

    private static String sql(WarehouseOptions options) {
        List<String> names = Columns.of(options.eventIds()).stream()
                .map(Columns.Column::name)
                .toList();
        // The parameter in the condition lets BigQuery read one partition, and satisfies require_partition_filter.
        return "MERGE `" + options.tableName() + "` AS T USING (SELECT "
                + names.stream().map(name -> "@" + name + " AS " + name).collect(Collectors.joining(", "))
                + ") AS S ON T.event_id = S.event_id AND T." + Columns.PARTITIONING + " = @" + Columns.PARTITIONING
                + " WHEN NOT MATCHED THEN INSERT (" + String.join(", ", names) + ") VALUES ("
                + names.stream().map(name -> "S." + name).collect(Collectors.joining(", ")) + ")";
    }

    private List<Object> parameters(Map<String, @Nullable String> values) {
        List<Object> parameters = new ArrayList<>();
        for (Columns.Column column : Columns.of(options.eventIds())) {
            String value = values.get(column.name());
            parameters.add(Map.of(
                    "name",
                    column.name(),
                    "parameterType",
                    Map.of("type", column.type().name()),
                    "parameterValue",
                    value == null ? Map.of() : Map.of("value", value)));
        }
        return parameters;
    }

    /** The columns' values as texts of BigQuery's parameters. */
    private Map<String, @Nullable String> values(byte[] enrichedJson) throws RefusedRowException {
        if (enrichedJson.length > MAX_ROW_BYTES) {
            throw new RefusedRowException(
                    "it has " + enrichedJson.length + " bytes, and a statement takes " + MAX_ROW_BYTES);
        }
        Map<String, @Nullable String> values = new LinkedHashMap<>();
        try (JsonParser parser = FACTORY.createParser(enrichedJson)) {
            if (parser.nextToken() != JsonToken.START_OBJECT) {
                throw new RefusedRowException("the letter's payload is not an enriched event");
            }
            for (String name = parser.nextFieldName(); name != null; name = parser.nextFieldName()) {
                JsonToken token = parser.nextToken();
                if (token == JsonToken.VALUE_NULL) {
                    continue;
                }
                values.put(name, JSON.contains(name) ? verbatim(parser, enrichedJson) : parser.getText());
                parser.skipChildren();
            }
        } catch (JacksonException e) {
            throw new RefusedRowException("the letter's payload is not readable as JSON: " + e.getOriginalMessage());
        } catch (IOException e) {
            throw new UncheckedIOException("Reading JSON from memory failed", e);
        }
        for (Columns.Column column : Columns.of(options.eventIds())) {
            String value = values.get(column.name());
            if (value == null && column.required()) {
                throw new RefusedRowException(column.name() + " is missing");
            }
            if (value != null && column.type() == Columns.ColumnType.JSON) {
                WarehouseJson.Fitted fitted = WarehouseJson.fit(value, options.jsonNumbers());
                if (fitted.problem() != null) {
                    throw new RefusedRowException(fitted.problem());
                }
                values.put(column.name(), fitted.json());
            }
        }
        return values;
    }

    /** The text of the value that the parser stands on, which it leaves at that value's end. */
    private static String verbatim(JsonParser parser, byte[] bytes) throws IOException {
        if (!parser.currentToken().isStructStart() && parser.currentToken() != JsonToken.VALUE_STRING) {
            return parser.getText();
        }
        int from = (int) parser.currentTokenLocation().getByteOffset();
        parser.skipChildren();
        parser.finishToken();
        int to = (int) parser.currentLocation().getByteOffset();
        return new String(bytes, from, to - from, StandardCharsets.UTF_8);
    }
}
