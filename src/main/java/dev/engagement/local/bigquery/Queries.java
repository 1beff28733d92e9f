package dev.engagement.local.bigquery;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.math.BigDecimal;
import java.sql.Array;
import java.sql.Blob;
import java.sql.Connection;
import java.sql.Date;
import java.sql.ResultSet;
import java.sql.ResultSetMetaData;
import java.sql.SQLException;
import java.sql.Statement;
import java.sql.Timestamp;
import java.time.Clock;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** Answers {@code jobs.query}, in BigQuery's form: queries, a DELETE, and a MERGE that inserts. Thread safe. */
final class Queries {

    private final Tables tables;
    private final Store store;
    private final Clock clock;
    private final Counters counters;

    Queries(Tables tables, Store store, Clock clock, Counters counters) {
        this.tables = tables;
        this.store = store;
        this.clock = clock;
        this.counters = counters;
    }

    /**
     * @param body of {@code jobs.query}
     * @throws RestException as BigQuery would refuse it, or because the emulator cannot answer it
     */
    ObjectNode answer(String project, JsonNode body) {
        if (body.path("useLegacySql").asBoolean(true)) {
            throw RestException.invalid("The emulator answers GoogleSQL only: set \"useLegacySql\": false");
        }
        if (!body.hasNonNull("query")) {
            throw new RestException(400, "required", "Required parameter is missing: query");
        }
        tables.expire();
        List<GoogleSql.Parameter> positional = new ArrayList<>();
        Map<String, GoogleSql.Parameter> named = new HashMap<>();
        readParameters(body.path("queryParameters"), named, positional);
        String sql = body.get("query").asText();
        GoogleSql.Catalog catalog = path -> tables.get(idOf(project, body.path("defaultDataset"), path));
        boolean dryRun = body.path("dryRun").asBoolean();
        if (GoogleSql.isMerge(sql)) {
            GoogleSql.Merge merge = GoogleSql.mergeToDuckDb(sql, catalog, clock.instant(), named, positional);
            return merge(project, merge, dryRun);
        }
        if (GoogleSql.isDelete(sql)) {
            GoogleSql.Translation delete = GoogleSql.deleteToDuckDb(sql, catalog, clock.instant(), named, positional);
            return delete(project, delete, dryRun);
        }
        GoogleSql.Translation query = GoogleSql.translate(sql, catalog, clock.instant(), named, positional);
        ObjectNode answer = Json.object();
        answer.put("kind", "bigquery#queryResponse");
        long bytes = bytes(query.scans());
        if (dryRun) {
            return dryRun(answer, project, bytes);
        }
        boolean micros = body.path("formatOptions").path("useInt64Timestamp").asBoolean();
        try (Connection connection = store.connect();
                Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery(query.duckDb())) {
            write(rows, answer, micros);
        } catch (SQLException e) {
            throw invalid(e);
        }
        complete(answer, project, bytes);
        return answer.put("cacheHit", false);
    }

    /** What BigQuery says that it processes. */
    private long bytes(List<Scan> scans) {
        try (Connection connection = store.connect();
                Statement statement = connection.createStatement()) {
            return Scan.bytes(statement, scans);
        } catch (SQLException e) {
            throw invalid(e);
        }
    }

    /** Without rows, and without a job. */
    private static ObjectNode dryRun(ObjectNode answer, String project, long bytes) {
        answer.putObject("jobReference").put("projectId", project).put("location", "US");
        return answer.put("jobComplete", true).put("totalBytesProcessed", Long.toString(bytes));
    }

    /**
     * Answers {@code jobs.insert} of a query that is to be looked at only.
     *
     * @param body the job
     * @throws RestException if it is anything else, or BigQuery would refuse it
     */
    ObjectNode dryRun(String project, JsonNode body) {
        JsonNode configuration = body.path("configuration");
        if (!configuration.path("dryRun").asBoolean()
                || !configuration.path("query").isObject()) {
            throw new RestException(
                    501,
                    "notImplemented",
                    "The emulator inserts jobs only to look at them: a query with"
                            + " \"dryRun\": true. Send what is to run to jobs.query");
        }
        ObjectNode request = configuration.get("query").deepCopy();
        request.put("dryRun", true);
        String bytes = answer(project, request).path("totalBytesProcessed").asText();
        ObjectNode job = Json.object();
        job.put("kind", "bigquery#job").set("configuration", configuration.deepCopy());
        job.putObject("jobReference").put("projectId", project).put("location", "US");
        job.putObject("status").put("state", "DONE");
        job.putObject("statistics")
                .put("totalBytesProcessed", bytes)
                .putObject("query")
                .put("totalBytesProcessed", bytes)
                .put("cacheHit", false);
        return job;
    }

    private void complete(ObjectNode answer, String project, long bytes) {
        counters.queries.increment();
        counters.bytesProcessed.add(bytes);
        answer.putObject("jobReference")
                .put("projectId", project)
                .put("jobId", "job_" + UUID.randomUUID().toString().replace("-", ""))
                .put("location", "US");
        answer.put("jobComplete", true).put("totalBytesProcessed", Long.toString(bytes));
    }

    private ObjectNode delete(String project, GoogleSql.Translation delete, boolean dryRun) {
        ObjectNode answer = Json.object();
        answer.put("kind", "bigquery#queryResponse");
        long bytes = bytes(delete.scans());
        if (dryRun) {
            return dryRun(answer, project, bytes);
        }
        long deleted;
        try {
            deleted = store.delete(delete.duckDb());
        } catch (SQLException e) {
            throw invalid(e);
        }
        complete(answer, project, bytes);
        return changed(answer, 0, deleted);
    }

    private static ObjectNode changed(ObjectNode answer, long inserted, long deleted) {
        answer.put("numDmlAffectedRows", Long.toString(inserted + deleted));
        answer.putObject("dmlStats")
                .put("insertedRowCount", Long.toString(inserted))
                .put("updatedRowCount", "0")
                .put("deletedRowCount", Long.toString(deleted));
        return answer;
    }

    /** One statement, all of it or nothing; two at once run one after the other. */
    private ObjectNode merge(String project, GoogleSql.Merge merge, boolean dryRun) {
        ObjectNode answer = Json.object();
        answer.put("kind", "bigquery#queryResponse");
        long bytes = bytes(merge.scans());
        if (dryRun) {
            return dryRun(answer, project, bytes);
        }
        Table table = merge.table();
        long inserted;
        try {
            inserted = store.insert(table, merge.duckDb(), partitions -> tables.addPartitions(table, partitions));
        } catch (SQLException e) {
            throw invalid(e);
        } catch (Refusal e) {
            RestException refusal = RestException.invalidQuery(String.valueOf(e.getMessage()));
            refusal.initCause(e);
            throw refusal;
        }
        complete(answer, project, bytes);
        return changed(answer, inserted, 0);
    }

    /** Answers {@code tabledata.list}: rows as they are stored, no filter needed. */
    ObjectNode list(Table table, long startIndex, long maxResults) {
        tables.expire();
        ObjectNode answer = Json.object();
        answer.put("kind", "bigquery#tableDataList");
        try (Connection connection = store.connect();
                Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery("SELECT * FROM " + Store.quoted(table.id()) + " LIMIT "
                        + Math.min(maxResults, Integer.MAX_VALUE) + " OFFSET " + startIndex)) {
            write(rows, answer, false);
        } catch (SQLException e) {
            throw invalid(e);
        }
        answer.remove("schema");
        answer.put("totalRows", Long.toString(store.count(table.id())));
        return answer;
    }

    private static TableId idOf(String project, JsonNode dataset, List<String> path) {
        return switch (path.size()) {
            case 3 -> new TableId(path.get(0), path.get(1), path.get(2));
            case 2 -> new TableId(project, path.get(0), path.get(1));
            case 1 -> {
                if (!dataset.hasNonNull("datasetId")) {
                    throw RestException.invalid(
                            "Table \"" + path.get(0) + "\" must be qualified with a dataset (e.g. dataset.table).");
                }
                yield new TableId(
                        dataset.path("projectId").asText(project),
                        dataset.get("datasetId").asText(),
                        path.get(0));
            }
            default -> throw RestException.invalidQuery("Invalid table name: " + String.join(".", path));
        };
    }

    private static void readParameters(
            JsonNode parameters, Map<String, GoogleSql.Parameter> named, List<GoogleSql.Parameter> positional) {
        for (JsonNode parameter : parameters) {
            JsonNode value = parameter.path("parameterValue").path("value");
            GoogleSql.Parameter read = new GoogleSql.Parameter(
                    parameter.path("parameterType").path("type").asText(),
                    value.isMissingNode() || value.isNull() ? Optional.empty() : Optional.of(value.asText()));
            if (parameter.hasNonNull("name")) {
                named.put(parameter.get("name").asText().toLowerCase(Locale.ROOT), read);
            } else {
                positional.add(read);
            }
        }
    }

    private static RestException invalid(SQLException e) {
        String message = String.valueOf(e.getMessage());
        String column = "Referenced column \"";
        int begin = message.indexOf(column);
        RestException refusal;
        if (begin >= 0) {
            int from = begin + column.length();
            refusal = RestException.invalidQuery(
                    "Unrecognized name: " + message.substring(from, message.indexOf('"', from)));
        } else if (message.contains("NOT NULL constraint failed")) {
            refusal = RestException.invalidQuery("Required field "
                    + message.substring(message.lastIndexOf('.') + 1).strip() + " cannot be null");
        } else {
            refusal = RestException.invalidQuery("The query cannot be run by the emulator: "
                    + message.lines().findFirst().orElse(""));
        }
        refusal.initCause(e);
        return refusal;
    }

    private static void write(ResultSet rows, ObjectNode answer, boolean micros) throws SQLException {
        ResultSetMetaData meta = rows.getMetaData();
        ArrayNode fields = answer.putObject("schema").putArray("fields");
        for (int i = 1; i <= meta.getColumnCount(); i++) {
            String type = meta.getColumnTypeName(i);
            boolean list = type.endsWith("[]");
            fields.addObject()
                    .put("name", meta.getColumnLabel(i))
                    .put("type", restType(list ? type.substring(0, type.length() - 2) : type))
                    .put("mode", list ? "REPEATED" : "NULLABLE");
        }
        ArrayNode written = Json.object().putArray("rows");
        while (rows.next()) {
            ArrayNode cells = written.addObject().putArray("f");
            for (int i = 1; i <= meta.getColumnCount(); i++) {
                cell(cells.addObject(), rows.getObject(i), micros);
            }
        }
        answer.put("totalRows", Integer.toString(written.size()));
        // BigQuery leaves it out where there are none.
        if (!written.isEmpty()) {
            answer.set("rows", written);
        }
    }

    private static void cell(ObjectNode into, @Nullable Object value, boolean micros) throws SQLException {
        if (value instanceof Array array) {
            ArrayNode elements = into.putArray("v");
            for (Object element : (Object[]) array.getArray()) {
                cell(elements.addObject(), element, micros);
            }
        } else {
            into.put("v", text(value, micros));
        }
    }

    private static @Nullable String text(@Nullable Object value, boolean micros) throws SQLException {
        if (value == null) {
            return null;
        }
        if (value instanceof Timestamp timestamp) {
            return timestamp(timestamp.toLocalDateTime(), micros);
        }
        if (value instanceof LocalDateTime timestamp) {
            return timestamp(timestamp, micros);
        }
        if (value instanceof Date date) {
            return date.toLocalDate().toString();
        }
        if (value instanceof LocalDate date) {
            return date.toString();
        }
        if (value instanceof Blob bytes) {
            return Base64.getEncoder().encodeToString(bytes.getBytes(1, Math.toIntExact(bytes.length())));
        }
        if (value instanceof BigDecimal number) {
            return number.signum() == 0 ? "0" : number.stripTrailingZeros().toPlainString();
        }
        return value.toString();
    }

    /** Seconds as a double's text, which is what BigQuery answers unless asked for whole microseconds. */
    private static String timestamp(LocalDateTime timestamp, boolean micros) {
        long value = Partitioning.micros(timestamp.toInstant(ZoneOffset.UTC));
        return micros ? Long.toString(value) : Double.toString(value / 1e6);
    }

    private static String restType(String duckDb) {
        if (duckDb.startsWith("DECIMAL")) {
            return "NUMERIC";
        }
        if (duckDb.startsWith("STRUCT")) {
            throw RestException.invalidQuery("Results of type STRUCT are not supported by the emulator");
        }
        return switch (duckDb) {
            case "BIGINT", "INTEGER", "SMALLINT", "TINYINT", "HUGEINT", "UBIGINT", "UINTEGER", "UHUGEINT" -> "INTEGER";
            case "DOUBLE", "FLOAT" -> "FLOAT";
            case "BOOLEAN" -> "BOOLEAN";
            case "TIMESTAMP", "TIMESTAMP WITH TIME ZONE" -> "TIMESTAMP";
            case "DATE" -> "DATE";
            case "JSON" -> "JSON";
            case "BLOB" -> "BYTES";
            case "VARCHAR" -> "STRING";
            case "\"NULL\"", "NULL" -> "INTEGER";
            default ->
                throw RestException.invalidQuery(
                        "Results of DuckDB's type " + duckDb + " are not supported by the emulator");
        };
    }
}
