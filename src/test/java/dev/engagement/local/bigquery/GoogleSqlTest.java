package dev.engagement.local.bigquery;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.google.cloud.bigquery.storage.v1.ProtoRows;
import com.google.cloud.bigquery.storage.v1.StreamWriter;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The questions of analysts, asked in GoogleSQL; expected is what BigQuery's documentation says they mean. */
class GoogleSqlTest {

    private static BigQueryEmulator emulator;

    /** Ten events, ten minutes apart, from 14:21:52 on, of contents 1, 2, 0, 1, 2, 0, … */
    @BeforeAll
    static void start(@TempDir Path directory) throws Throwable {
        emulator = BigQueryEmulator.start(directory, 0, 0);
        emulator.createDataset(Client.PROJECT, Client.DATASET);
        emulator.createTable(Client.PROJECT, Client.DATASET, "events", Client.HOURLY);
        emulator.createTable(
                Client.PROJECT,
                Client.DATASET,
                "guarded",
                "{" + Client.FIELDS + ", \"timePartitioning\": {\"type\": \"DAY\", \"field\": \"event_ts\"},"
                        + " \"requirePartitionFilter\": true}");
        try (Client client = new Client(emulator.grpc())) {
            String stream = client.stream("events");
            ProtoRows.Builder rows = ProtoRows.newBuilder();
            for (int i = 1; i <= 10; i++) {
                Instant time = Client.TIME.plus(Duration.ofMinutes(10L * (i - 1)));
                rows.addSerializedRows(Client.event(i, time));
            }
            try (StreamWriter writer = client.writer(stream)) {
                Client.append(writer, rows.build(), 0);
            }
            client.flush(stream, 9);
        }
    }

    @AfterAll
    static void stop() {
        emulator.close();
    }

    private static String answer(String sql) {
        return emulator.query(Client.PROJECT, sql).stream()
                .map(row -> row.stream().map(String::valueOf).collect(Collectors.joining(",")))
                .collect(Collectors.joining(" | "));
    }

    @ParameterizedTest
    @CsvSource(delimiter = '~', textBlock = """
                    COUNT(*) ~ 10
                    COUNT(DISTINCT content_id) ~ 3
                    APPROX_COUNT_DISTINCT(content_id) ~ 3
                    COUNTIF(event_id > 7) ~ 3
                    SUM(engagement_seconds) ~ 15
                    SUM(DISTINCT CAST(DIV(event_id, 2) AS NUMERIC)) ~ 15
                    AVG(event_id) ~ 5.5
                    MIN(event_ts) ~ 1.767882112E9
                    MAX(DATE(event_ts)) ~ 2026-01-08
                    SAFE_DIVIDE(SUM(event_id), 0) ~ null
                    SAFE_DIVIDE(COUNT(*), 4) ~ 2.5
                    IFNULL(MAX(IF(event_id > 100, event_id, NULL)), -1) ~ -1
                    LOGICAL_OR(event_id = 3) ~ true
                    ARRAY_AGG(event_id IGNORE NULLS ORDER BY event_id LIMIT 2)[OFFSET(1)] ~ 2
                    APPROX_QUANTILES(event_id, 2)[OFFSET(2)] ~ 10
                    STRING_AGG(DISTINCT content_id, ';' ORDER BY content_id) ~ content-0;content-1;content-2
                    """)
    void aggregates(String expression, String expected) {
        assertThat(answer("SELECT " + expression + " FROM analytics.events")).isEqualTo(expected);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '~', textBlock = """
                    TIMESTAMP_TRUNC(TIMESTAMP '2026-01-08 14:21:52.5 UTC', HOUR) ~ 1.7678808E9
                    TIMESTAMP_TRUNC(TIMESTAMP '2026-01-08 14:21:52', DAY, 'UTC') ~ 1.7678304E9
                    TIMESTAMP_TRUNC(TIMESTAMP '2026-01-08T14:21:52Z', WEEK) ~ 1.7674848E9
                    TIMESTAMP_TRUNC(TIMESTAMP '2026-01-08', ISOWEEK) ~ 1.7675712E9
                    TIMESTAMP('2026-01-08 15:21:52+01:00') = TIMESTAMP "2026-01-08 14:21:52+00" ~ true
                    TIMESTAMP_SECONDS(DIV(UNIX_SECONDS(TIMESTAMP '2026-01-08 14:41:52'), 1800) * 1800) ~ 1.7678826E9
                    TIMESTAMP_ADD(TIMESTAMP '2026-01-08', INTERVAL 90 MINUTE) ~ 1.7678358E9
                    TIMESTAMP_SUB(TIMESTAMP '2026-01-08', INTERVAL 1 + 1 HOUR) ~ 1.7678232E9
                    TIMESTAMP_DIFF(TIMESTAMP '2026-01-08 14:59:00', TIMESTAMP '2026-01-08 13:00:00', HOUR) ~ 1
                    DATE_DIFF(DATE '2026-01-08', DATE '2025-12-31', YEAR) ~ 1
                    DATE_ADD(DATE '2026-01-31', INTERVAL 1 MONTH) ~ 2026-02-28
                    DATE_TRUNC(DATE '2026-01-08', MONTH) ~ 2026-01-01
                    DATE(2026, 1, 8) ~ 2026-01-08
                    UNIX_SECONDS(TIMESTAMP '1969-12-31 23:59:59.5') ~ -1
                    UNIX_MILLIS(TIMESTAMP '1970-01-01 00:00:00.0015') ~ 1
                    UNIX_MICROS(TIMESTAMP_MILLIS(12)) ~ 12000
                    EXTRACT(HOUR FROM TIMESTAMP '2026-01-08 14:21:52') ~ 14
                    EXTRACT(DAYOFWEEK FROM DATE '2026-01-08') ~ 5
                    EXTRACT(MICROSECOND FROM TIMESTAMP '2026-01-08 14:21:52.000007') ~ 7
                    EXTRACT(DATE FROM TIMESTAMP '2026-01-08 14:21:52') ~ 2026-01-08
                    FORMAT_TIMESTAMP('%F %T', TIMESTAMP '2026-01-08 14:21:52') ~ 2026-01-08 14:21:52
                    FORMAT_TIMESTAMP('%Y%m%d%H%M', TIMESTAMP '2026-01-08 14:21:52', 'UTC') ~ 202601081421
                    FORMAT_TIMESTAMP('%FT%H:%M:%E6SZ', TIMESTAMP '2026-01-08 14:21:52.25') ~ 2026-01-08T14:21:52.250000Z
                    FORMAT_DATE('%d/%m/%y', DATE '2026-01-08') ~ 08/01/26
                    PARSE_TIMESTAMP('%Y-%m-%d', '2026-01-08') ~ 1.7678304E9
                    JSON_VALUE(JSON '{"a": {"b": 7, "c": [1]}}', '$.a.b') ~ 7
                    JSON_VALUE(JSON '{"a": {"b": 7}}', '$.a') ~ null
                    JSON_VALUE(JSON '{"a": null}', '$.a') ~ null
                    JSON_QUERY(JSON '{"a": {"b": 7}}', '$.a') ~ {"b":7}
                    CAST(JSON_VALUE(JSON '{"n": "12"}', '$.n') AS INT64) + 1 ~ 13
                    SAFE_CAST('x' AS INT64) ~ null
                    CAST('1.25' AS NUMERIC) ~ 1.25
                    NUMERIC '12.50' ~ 12.5
                    7 / 2 ~ 3.5
                    DIV(-7, 2) ~ -3
                    MOD(-7, 2) ~ -1
                    GREATEST(1, NULL) ~ null
                    CONCAT('a', "b", r'\\n') ~ ab\\n
                    'it''s' IS NULL ~ !
                    CASE WHEN 1 IN (1, 2) THEN 'yes' ELSE 'no' END ~ yes
                    2 BETWEEN 1 AND 3 AND NOT FALSE ~ true
                    5 IN UNNEST([4, 5]) ~ true
                    COALESCE(NULL, 'x') || UPPER('y') ~ xY
                    0x10 ~ 16
                    MD5('Hello World') ~ sQqNsWTgdUEFt6mb5y4/5Q==
                    TO_HEX(MD5('Hello World')) ~ b10a8db164e0754105b7a99be72e3fe5
                    CAST('0x123' AS INT64) ~ 291
                    CAST('0xfffffffffffffff' AS INT64) ~ 1152921504606846975
                    """)
    void scalars(String expression, String expected) {
        if (expected.equals("!")) {
            assertThatThrownBy(() -> answer("SELECT " + expression)).isInstanceOf(RestException.class);
            return;
        }
        assertThat(answer("SELECT " + expression)).isEqualTo(expected);
    }

    @Test
    void half_hours_are_read_within_their_partition() {
        assertThat(answer("""
                        SELECT TIMESTAMP_SECONDS(DIV(UNIX_SECONDS(event_ts), 1800) * 1800) AS half_hour, COUNT(*) AS events
                        FROM `local.analytics.events`  -- three names in backticks
                        WHERE event_ts >= TIMESTAMP '2026-01-08 14:00:00 UTC' AND event_ts < TIMESTAMP('2026-01-08 15:00:00')
                        GROUP BY half_hour
                        ORDER BY half_hour
                        """)).isEqualTo("1.7678808E9,1 | 1.7678826E9,3");
    }

    @Test
    void ctes_joins_subqueries_and_windows() {
        assertThat(answer("""
                        WITH per_content AS (
                          SELECT e.content_id, COUNT(*) AS n FROM analytics.events AS e GROUP BY 1
                        ), ranked AS (SELECT *, ROW_NUMBER() OVER (ORDER BY n DESC, content_id) AS place FROM per_content)
                        SELECT r.content_id, r.n, (SELECT MAX(event_id) FROM analytics.events x WHERE x.content_id = r.content_id)
                        FROM ranked r JOIN per_content USING (content_id)
                        WHERE r.place <= 2 AND EXISTS (SELECT 1 FROM `analytics`.`events` WHERE event_id = 1)
                        ORDER BY place
                        """)).isEqualTo("content-1,4,10 | content-0,3,9");
    }

    @Test
    void the_rest_of_the_clauses() {
        assertThat(answer("SELECT DISTINCT content_id FROM analytics.events ORDER BY content_id DESC LIMIT 1 OFFSET 1"))
                .isEqualTo("content-1");
        assertThat(answer("SELECT * EXCEPT (raw_payload, event_ts) FROM local.analytics.events WHERE event_id = 2"))
                .isEqualTo("2,content-2,1.5");
        assertThat(answer("SELECT 1 UNION ALL SELECT 2 UNION ALL (SELECT 3) ORDER BY 1 DESC"))
                .isEqualTo("3 | 2 | 1");
        assertThat(answer("SELECT x FROM UNNEST([3, NULL, 1]) AS x ORDER BY x")).isEqualTo("null | 1 | 3");
        assertThat(answer("SELECT content_id FROM analytics.events GROUP BY content_id HAVING COUNT(*) > 3"))
                .isEqualTo("content-1");
        assertThat(
                        answer(
                                "SELECT event_id FROM analytics.events"
                                        + " QUALIFY RANK() OVER (PARTITION BY content_id ORDER BY event_id DESC) = 1 ORDER BY event_id"))
                .isEqualTo("8 | 9 | 10");
        assertThat(answer("SELECT COUNT(*) FROM analytics.events a, analytics.events b WHERE a.event_id = b.event_id"))
                .isEqualTo("10");
        assertThat(answer(
                        "SELECT COUNT(e.event_id) FROM UNNEST(GENERATE_TIMESTAMP_ARRAY(TIMESTAMP '2026-01-08 14:00:00',"
                                + " TIMESTAMP '2026-01-08 15:00:00', INTERVAL 30 MINUTE)) AS slot LEFT JOIN analytics.events AS e"
                                + " ON TIMESTAMP_TRUNC(e.event_ts, HOUR) = slot"))
                .isEqualTo("10");
    }

    @Test
    void columns_without_a_name_get_bigquerys() {
        Rest.Answer answer = Rest.query(
                emulator,
                "SELECT COUNT(*), 1 AS one, MAX(event_id) top, CASE WHEN TRUE THEN 1 END, 2 FROM analytics.events");
        assertThat(answer.body().path("schema").path("fields"))
                .extracting(field -> field.path("name").asText())
                .containsExactly("f0_", "one", "top", "f1_", "f2_");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "SELECT * FROM analytics.guarded WHERE event_ts >= TIMESTAMP '2026-01-08'",
                "SELECT * FROM (SELECT * FROM analytics.guarded) WHERE DATE(event_ts) = '2026-01-08'",
                "SELECT COUNT(*) FROM analytics.guarded g WHERE g.event_ts IS NOT NULL GROUP BY content_id"
            })
    void a_guarded_table_is_read_by_partition(String sql) {
        assertThat(answer(sql)).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "SELECT COUNT(*) FROM analytics.guarded",
                "SELECT event_ts FROM analytics.guarded WHERE event_id = 1 ORDER BY event_ts",
                "SELECT 1 FROM analytics.events WHERE event_ts IS NULL UNION ALL SELECT 1 FROM analytics.guarded"
            })
    void a_guarded_table_is_not_read_as_a_whole(String sql) {
        assertThatThrownBy(() -> answer(sql))
                .hasMessage(
                        "Cannot query over table 'analytics.guarded' without a filter over column(s) 'event_ts' that can"
                                + " be used for partition elimination");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '~', textBlock = """
                    SELECT FARM_FINGERPRINT('x') ~ Function not found in the emulator: FARM_FINGERPRINT at [1:8]
                    UPDATE analytics.events SET device = 'x' WHERE TRUE ~ Statements that start with UPDATE are not supported by the emulator at [1:1]
                    SELECT STRUCT(1) ~ Queries with STRUCT are not supported by the emulator at [1:8]
                    SELECT 1 FROM analytics.INFORMATION_SCHEMA.TABLES ~ Queries of INFORMATION_SCHEMA are not supported by the emulator at [1:15]
                    SELECT TIMESTAMP_TRUNC(CURRENT_TIMESTAMP(), HOUR, 'Europe/Berlin') ~ Time zones other than UTC are not supported by the emulator at [1:51]
                    SELECT TIMESTAMP_ADD(CURRENT_TIMESTAMP(), INTERVAL 1 MONTH) ~ Intervals of TIMESTAMP_ADD
                    SELECT FORMAT_TIMESTAMP('%G', CURRENT_TIMESTAMP()) ~ The format element %G
                    SELECT CAST(1 AS BYTES) ~ Values of type BYTES
                    SELECT 1; SELECT 2 ~ Syntax error: Unexpected ";" at [1:9]
                    SELECT (1 ~ Expected ")" but got end of script
                    SELECT 'x ~ Unclosed string literal
                    SELECT 1 UNION SELECT 2 ~ Expected keyword ALL or keyword DISTINCT
                    SELECT TIMESTAMP '2026-13-01' ~ Could not cast literal "2026-13-01" to type TIMESTAMP
                    """)
    void what_it_does_not_know_it_names(String sql, String message) {
        assertThatThrownBy(() -> answer(sql)).isInstanceOf(RestException.class).hasMessageContaining(message);
    }

    @Test
    void names_that_are_words_of_duckdb_stay_names() {
        assertThat(GoogleSql.toDuckDb(
                        "SELECT a.first, `desc` FROM (SELECT 1 AS first, 2 AS `desc`) a",
                        path -> {
                            throw new AssertionError(path);
                        },
                        Client.TIME))
                .isEqualTo("SELECT \"a\".\"first\", \"desc\" FROM (SELECT 1 AS \"first\", 2 AS \"desc\") \"a\"");
    }

    @Test
    void rows_are_deleted_and_merged_in_from_another_table() {
        emulator.createTable(Client.PROJECT, Client.DATASET, "target", Client.HOURLY);
        String merge = "MERGE `local.analytics.target` AS t USING `local.analytics.events` AS s"
                + " ON t.event_id = s.event_id AND t.event_ts >= TIMESTAMP \"2026-01-08\" WHEN NOT MATCHED THEN INSERT ROW";
        emulator.query(Client.PROJECT, merge);

        emulator.query(
                Client.PROJECT,
                "DELETE FROM analytics.target AS t WHERE t.event_id IN (2, 3) AND t.event_ts < TIMESTAMP '2026-01-09'");
        assertThat(answer("SELECT COUNT(*), SUM(event_id) FROM analytics.target"))
                .isEqualTo("8,50");

        emulator.query(Client.PROJECT, merge);
        emulator.query(Client.PROJECT, merge);
        assertThat(answer("SELECT COUNT(*), SUM(event_id) FROM analytics.target"))
                .isEqualTo("10,55");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "DELETE FROM analytics.events",
                "DELETE analytics.guarded WHERE event_id = 1",
                "DELETE FROM analytics.nothing WHERE TRUE",
                "DELETE FROM"
            })
    void what_bigquery_would_not_delete_is_refused(String sql) {
        assertThatThrownBy(() -> emulator.query(Client.PROJECT, sql)).isInstanceOf(RestException.class);
    }

    private static final String MERGE =
            "MERGE INTO analytics.merged AS T USING (SELECT %s AS id, JSON '{\"a\": 1}' AS raw) S"
                    + " ON T.event_id = S.id AND T.event_ts = TIMESTAMP '2026-01-08 14:21:52'"
                    + " WHEN NOT MATCHED BY TARGET THEN INSERT (event_id, event_ts, raw_payload)"
                    + " VALUES (id, TIMESTAMP '2026-01-08 14:21:52', raw);";

    @Test
    void a_merge_inserts_what_is_not_there_and_says_how_many() {
        emulator.createTable(Client.PROJECT, Client.DATASET, "merged", Client.HOURLY);

        JsonNode first = Rest.query(emulator, String.format(MERGE, "7")).body();
        JsonNode second = Rest.query(emulator, String.format(MERGE, "7")).body();
        JsonNode other = Rest.query(emulator, String.format(MERGE, "8")).body();

        assertThat(first.path("numDmlAffectedRows").asText()).isEqualTo("1");
        assertThat(first.path("dmlStats").path("insertedRowCount").asText()).isEqualTo("1");
        assertThat(first.path("jobComplete").asBoolean()).isTrue();
        assertThat(first.path("jobReference").path("jobId").asText()).startsWith("job_");
        assertThat(second.path("numDmlAffectedRows").asText()).isEqualTo("0");
        assertThat(other.path("numDmlAffectedRows").asText()).isEqualTo("1");
        assertThat(answer(
                        "SELECT event_id, content_id, JSON_VALUE(raw_payload, '$.a') FROM analytics.merged ORDER BY 1"))
                .isEqualTo("7,null,1 | 8,null,1");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '~', textBlock = """
                    MERGE analytics.events T USING (SELECT 11 AS id) S ON T.event_id = S.id WHEN NOT MATCHED THEN INSERT (event_id) VALUES (id) ~ Required field event_ts cannot be null
                    MERGE analytics.events T USING (SELECT 11 AS id) S ON T.event_id = S.id WHEN NOT MATCHED THEN INSERT (event_id) VALUES (id, 1) ~ Inserted row has wrong column count
                    MERGE analytics.events T USING (SELECT 1 AS id) S ON T.event_id = S.id WHEN MATCHED THEN DELETE ~ MERGE statements other than WHEN NOT MATCHED THEN INSERT
                    MERGE analytics.events T USING analytics.guarded S ON T.event_id = S.event_id WHEN NOT MATCHED THEN INSERT (event_id) VALUES (1) ~ Cannot query over table 'analytics.guarded' without a filter
                    MERGE analytics.events T USING (SELECT 1 AS id) S WHEN NOT MATCHED THEN INSERT (event_id) VALUES (id) ~ Expected keyword ON
                    MERGE analytics.none T USING (SELECT 1 AS id) S ON FALSE WHEN NOT MATCHED THEN INSERT (event_id) VALUES (id) ~ Not found: Table local:analytics.none
                    MERGE analytics.guarded T USING (SELECT 1 AS id) S ON T.event_id = S.id WHEN NOT MATCHED THEN INSERT (event_id) VALUES (id) ~ Cannot query over table 'analytics.guarded' without a filter
                    SELECT JSON '{"a": 1e400}' ~ cannot round-trip
                    """)
    void a_merge_that_it_does_not_take_changes_nothing(String sql, String message) {
        assertThat(Rest.query(emulator, sql).message()).contains(message);
        assertThat(answer("SELECT COUNT(*) FROM analytics.events")).isEqualTo("10");
    }

    @Test
    void a_merge_makes_no_more_partitions_than_a_table_may_have() {
        emulator.createTable(Client.PROJECT, Client.DATASET, "crowded", Client.HOURLY);
        String sql = "MERGE analytics.crowded T USING (SELECT hour FROM UNNEST(GENERATE_TIMESTAMP_ARRAY("
                + "TIMESTAMP '2026-01-01', TIMESTAMP_ADD(TIMESTAMP '2026-01-01', INTERVAL %d HOUR), INTERVAL 1 HOUR)) AS hour)"
                + " S ON T.event_ts = S.hour WHEN NOT MATCHED THEN INSERT (event_id, event_ts) VALUES (1, hour)";

        assertThat(Rest.query(emulator, String.format(sql, 10_000)).message()).contains("Too many partitions");
        assertThat(answer("SELECT COUNT(*) FROM analytics.crowded")).isEqualTo("0");
        assertThat(Rest.query(emulator, String.format(sql, 9_999))
                        .body()
                        .path("numDmlAffectedRows")
                        .asText())
                .isEqualTo("10000");
    }
}
