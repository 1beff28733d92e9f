package dev.engagement.local.bigquery;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.google.cloud.bigquery.storage.v1.StreamWriter;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** REST, as curl would speak it. */
class RestServiceTest {

    private static final String DATASETS = "/bigquery/v2/projects/local/datasets";
    private static final String TABLES = DATASETS + "/analytics/tables";

    private static BigQueryEmulator emulator;

    @BeforeAll
    static void start(@TempDir Path directory) throws Throwable {
        emulator = BigQueryEmulator.start(directory, 0, 0);
        Rest.send(emulator, "POST", DATASETS, "{\"datasetReference\": {\"datasetId\": \"analytics\"}}");
        create("events", Client.HOURLY);
        try (Client client = new Client(emulator.grpc())) {
            String stream = client.stream("events");
            try (StreamWriter writer = client.writer(stream)) {
                Client.append(writer, Client.events(1, 4), 0);
            }
            client.flush(stream, 3);
        }
    }

    @AfterAll
    static void stop() {
        emulator.close();
    }

    private static Rest.Answer create(String table, String resource) {
        return Rest.send(
                emulator,
                "POST",
                TABLES,
                "{\"tableReference\": {\"tableId\": \"" + table + "\"}, " + resource.substring(1));
    }

    @Test
    void datasets_are_made_once_and_found() {
        assertThat(Rest.send(emulator, "GET", DATASETS + "/analytics", "")
                        .body()
                        .path("id")
                        .asText())
                .isEqualTo("local:analytics");
        assertThat(Rest.send(emulator, "POST", DATASETS, "{\"datasetReference\": {\"datasetId\": \"analytics\"}}")
                        .reason())
                .isEqualTo("duplicate");
        Rest.Answer none = Rest.send(emulator, "GET", DATASETS + "/none", "");
        assertThat(none.status()).isEqualTo(404);
        assertThat(none.message()).isEqualTo("Not found: Dataset local:none");
    }

    @Test
    void a_table_answers_what_it_was_made_of() {
        create(
                "made",
                "{" + Client.FIELDS
                        + ", \"timePartitioning\": {\"type\": \"DAY\", \"field\": \"event_ts\", \"expirationMs\": \"7776000000\"},"
                        + " \"clustering\": {\"fields\": [\"content_id\"]}, \"labels\": {\"job\": \"stream\"},"
                        + " \"requirePartitionFilter\": true}");

        JsonNode table = Rest.send(emulator, "GET", TABLES + "/made", "").body();

        assertThat(table.path("kind").asText()).isEqualTo("bigquery#table");
        assertThat(table.path("schema").path("fields").path(0).toString())
                .isEqualTo("{\"name\":\"event_id\",\"type\":\"INTEGER\",\"mode\":\"REQUIRED\"}");
        assertThat(table.path("schema").path("fields").path(1).path("mode").asText())
                .isEqualTo("NULLABLE");
        assertThat(table.path("timePartitioning").path("expirationMs").asText()).isEqualTo("7776000000");
        assertThat(table.path("clustering").path("fields").path(0).asText()).isEqualTo("content_id");
        assertThat(table.path("labels").path("job").asText()).isEqualTo("stream");
        assertThat(table.path("numRows").asText()).isEqualTo("0");
        assertThat(table.path("etag").asText()).isNotEmpty();
        assertThat(create("made", Client.HOURLY).status()).isEqualTo(409);
    }

    @Test
    void tables_bigquery_would_not_have_are_refused() {
        assertThat(create("bad", "{\"schema\": {\"fields\": [{\"name\": \"a b\", \"type\": \"STRING\"}]}}")
                        .message())
                .contains("Invalid field name \"a b\"");
        assertThat(create("bad", "{\"schema\": {\"fields\": [{\"name\": \"a\", \"type\": \"GEOGRAPHY\"}]}}")
                        .message())
                .contains("GEOGRAPHY");
        assertThat(create("bad", Client.HOURLY.replace("event_ts\"}", "content_id\"}"))
                        .message())
                .contains("cannot be partitioned");
        assertThat(create("bad", "{" + Client.FIELDS + ", \"clustering\": {\"fields\": [\"raw_payload\"]}}")
                        .message())
                .contains("not supported for clustering");
        assertThat(Rest.send(emulator, "POST", DATASETS + "/none/tables", "{}").status())
                .isEqualTo(404);
    }

    @Test
    void a_patch_changes_labels_and_adds_columns_if_nobody_was_faster() {
        create("patched", Client.HOURLY.replace("{\"type\"", "{ \"type\""));
        String etag = Rest.send(emulator, "GET", TABLES + "/patched", "")
                .body()
                .path("etag")
                .asText();

        Rest.Answer labelled =
                Rest.patch(emulator, "patched", "{\"labels\": {\"a\": \"1\", \"b\": \"2\"}}", "If-Match", etag);
        assertThat(labelled.status()).isEqualTo(200);
        assertThat(labelled.body().path("etag").asText()).isNotEqualTo(etag);

        Rest.Answer late = Rest.patch(emulator, "patched", "{\"labels\": {\"a\": \"9\"}}", "If-Match", etag);
        assertThat(late.status()).isEqualTo(412);
        assertThat(late.reason()).isEqualTo("conditionNotMet");

        JsonNode removed =
                Rest.patch(emulator, "patched", "{\"labels\": {\"a\": null}}").body();
        assertThat(removed.path("labels").toString()).isEqualTo("{\"b\":\"2\"}");

        String wider = "{" + Client.FIELDS.replace("]}", ", {\"name\": \"mood\", \"type\": \"STRING\"}]}") + "}";
        assertThat(Rest.patch(emulator, "patched", wider)
                        .body()
                        .path("schema")
                        .path("fields")
                        .size())
                .isEqualTo(6);
        assertThat(Rest.query(emulator, "SELECT mood FROM analytics.patched").status())
                .isEqualTo(200);
    }

    @Test
    void a_patch_that_bigquery_refuses_is_refused() {
        assertThat(Rest.patch(emulator, "events", "{" + Client.FIELDS.replace("\"NUMERIC\"", "\"STRING\"") + "}")
                        .message())
                .contains("Field engagement_seconds has changed type from NUMERIC to STRING");
        assertThat(Rest.patch(
                                emulator,
                                "events",
                                "{\"schema\": {\"fields\": [{\"name\": \"event_id\", \"type\": \"INT64\"}]}}")
                        .message())
                .contains("Field content_id is missing in new schema");
        assertThat(Rest.patch(
                                emulator,
                                "events",
                                "{"
                                        + Client.FIELDS.replace(
                                                "]}",
                                                ", {\"name\": \"mood\", \"type\": \"STRING\", \"mode\": \"REQUIRED\"}]}")
                                        + "}")
                        .message())
                .contains("Cannot add required fields");
        assertThat(Rest.patch(emulator, "events", "{\"timePartitioning\": null}")
                        .status())
                .isEqualTo(400);
        assertThat(Rest.patch(emulator, "none", "{}").status()).isEqualTo(404);
    }

    @Test
    void a_deleted_table_is_gone_with_its_streams() {
        create("deleted", Client.HOURLY);
        assertThat(Rest.send(emulator, "DELETE", TABLES + "/deleted", "").status())
                .isEqualTo(204);
        assertThat(Rest.send(emulator, "GET", TABLES + "/deleted", "").message())
                .isEqualTo("Not found: Table local:analytics.deleted");
        assertThat(create("deleted", Client.HOURLY).status()).isEqualTo(200);
    }

    @Test
    void an_answer_has_bigquerys_form() {
        Rest.Answer answer = Rest.query(
                emulator,
                "SELECT event_id, content_id, event_ts, raw_payload, engagement_seconds, event_id > 1 AS later,"
                        + " event_id / 2 AS half, DATE(event_ts) AS day, CAST(NULL AS STRING) AS nothing, COUNT(*) OVER ()"
                        + " FROM `local.analytics.events` ORDER BY event_id LIMIT 1");

        assertThat(answer.status()).as(answer.message()).isEqualTo(200);
        assertThat(answer.body().path("kind").asText()).isEqualTo("bigquery#queryResponse");
        assertThat(answer.body().path("jobComplete").asBoolean()).isTrue();
        assertThat(answer.body().path("totalRows").toString()).isEqualTo("\"1\"");
        assertThat(answer.body().path("jobReference").path("projectId").asText())
                .isEqualTo("local");
        assertThat(answer.body().path("schema").path("fields"))
                .extracting(field ->
                        field.path("name").asText() + " " + field.path("type").asText())
                .containsExactly(
                        "event_id INTEGER",
                        "content_id STRING",
                        "event_ts TIMESTAMP",
                        "raw_payload JSON",
                        "engagement_seconds NUMERIC",
                        "later BOOLEAN",
                        "half FLOAT",
                        "day DATE",
                        "nothing STRING",
                        "f0_ INTEGER");
        assertThat(answer.body().path("rows").toString())
                .isEqualTo(
                        "[{\"f\":[{\"v\":\"1\"},{\"v\":\"content-1\"},{\"v\":\"1.767882112E9\"},{\"v\":\"{\\\"n\\\": 1}\"},"
                                + "{\"v\":\"1.5\"},{\"v\":\"false\"},{\"v\":\"0.5\"},{\"v\":\"2026-01-08\"},{\"v\":null},"
                                + "{\"v\":\"4\"}]}]");
    }

    @Test
    void arrays_are_lists_of_values_and_no_rows_are_left_out() {
        Rest.Answer arrays = Rest.query(
                emulator, "SELECT ARRAY_AGG(event_id ORDER BY event_id DESC LIMIT 2) AS ids FROM analytics.events");
        assertThat(arrays.body().path("schema").toString())
                .isEqualTo("{\"fields\":[{\"name\":\"ids\",\"type\":\"INTEGER\",\"mode\":\"REPEATED\"}]}");
        assertThat(arrays.body().path("rows").toString())
                .isEqualTo("[{\"f\":[{\"v\":[{\"v\":\"4\"},{\"v\":\"3\"}]}]}]");

        Rest.Answer none = Rest.query(emulator, "SELECT 1 AS one FROM analytics.events WHERE FALSE");
        assertThat(none.body().has("rows")).isFalse();
        assertThat(none.body().path("totalRows").asText()).isEqualTo("0");
    }

    @Test
    void whole_microseconds_are_answered_if_asked_for() {
        Rest.Answer answer = Rest.send(
                emulator,
                "POST",
                "/bigquery/v2/projects/local/queries",
                "{\"query\": \"SELECT TIMESTAMP '2026-01-08 14:21:52.000001 UTC'\", \"useLegacySql\": false,"
                        + " \"formatOptions\": {\"useInt64Timestamp\": true}}");
        assertThat(answer.body().path("rows").toString()).isEqualTo("[{\"f\":[{\"v\":\"1767882112000001\"}]}]");
    }

    @Test
    void parameters_and_a_default_dataset_are_understood() {
        Rest.Answer answer = Rest.send(emulator, "POST", "/bigquery/v2/projects/local/queries", """
                {"query": "SELECT COUNT(*) FROM events WHERE event_id >= @least AND event_ts = @at", "useLegacySql": false,
                 "defaultDataset": {"datasetId": "analytics"}, "parameterMode": "NAMED", "queryParameters": [
                  {"name": "least", "parameterType": {"type": "INT64"}, "parameterValue": {"value": "3"}},
                  {"name": "at", "parameterType": {"type": "TIMESTAMP"},
                   "parameterValue": {"value": "2026-01-08 14:21:52+00:00"}}]}
                """);
        assertThat(answer.body().path("rows").toString()).as(answer.message()).isEqualTo("[{\"f\":[{\"v\":\"2\"}]}]");
    }

    @Test
    void what_cannot_be_run_is_refused_in_bigquerys_form() {
        Rest.Answer function = Rest.query(emulator, "SELECT\n  ST_AREA(event_id) FROM analytics.events");
        assertThat(function.status()).isEqualTo(400);
        assertThat(function.reason()).isEqualTo("invalidQuery");
        assertThat(function.message()).isEqualTo("Function not found in the emulator: ST_AREA at [2:3]");
        assertThat(function.body().path("error").path("status").asText()).isEqualTo("INVALID_ARGUMENT");

        assertThat(Rest.query(emulator, "SELECT mood FROM analytics.events").message())
                .isEqualTo("Unrecognized name: mood");
        assertThat(Rest.query(emulator, "SELECT 1 FROM analytics.none").status())
                .isEqualTo(404);
        assertThat(Rest.query(emulator, "SELECT 1 FROM events").message())
                .isEqualTo("Table \"events\" must be qualified with a dataset (e.g. dataset.table).");
        assertThat(Rest.send(emulator, "POST", "/bigquery/v2/projects/local/queries", "{\"query\": \"SELECT 1\"}")
                        .message())
                .contains("useLegacySql");
        assertThat(Rest.send(emulator, "GET", "/bigquery/v2/projects/local/jobs", "")
                        .status())
                .isEqualTo(501);
    }

    @Test
    void rows_are_listed_without_a_query() {
        JsonNode two = Rest.send(emulator, "GET", TABLES + "/events/data?maxResults=2&startIndex=1", "")
                .body();
        assertThat(two.path("kind").asText()).isEqualTo("bigquery#tableDataList");
        assertThat(two.path("totalRows").asText()).isEqualTo("4");
        assertThat(two.path("rows")).hasSize(2);
        assertThat(two.path("rows").path(0).path("f").path(0).path("v").asText())
                .isEqualTo("2");

        create("empty", Client.HOURLY);
        JsonNode none = Rest.send(emulator, "GET", TABLES + "/empty/data?maxResults=1", "")
                .body();
        assertThat(none.path("totalRows").asText()).isEqualTo("0");
        assertThat(none.has("rows")).isFalse();
        assertThat(Rest.send(emulator, "GET", TABLES + "/none/data", "").status())
                .isEqualTo(404);
    }

    @Test
    void figures_are_told() {
        JsonNode stats = Rest.send(emulator, "GET", "/emulator/stats", "").body();
        assertThat(stats.path("rowsAppended").asLong()).isEqualTo(4);
        assertThat(stats.path("rowsFlushed").asLong()).isEqualTo(4);
        assertThat(stats.path("appends").asLong()).isEqualTo(1);
        assertThat(stats.path("flushes").asLong()).isEqualTo(1);
        assertThat(stats.path("bytes").asLong()).isPositive();
    }
}
