package dev.engagement.local.bigquery;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.cloud.bigquery.storage.v1.StreamWriter;
import com.google.protobuf.ByteString;
import com.google.protobuf.DescriptorProtos.FieldDescriptorProto.Type;
import com.google.protobuf.Descriptors.Descriptor;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code totalBytesProcessed} against sums over the rows by hand, at the sizes that Google documents. */
class BytesProcessedTest {

    private static final Map<String, Type> FIELDS = Client.fields(
            "event_id", Type.TYPE_INT64,
            "content_id", Type.TYPE_STRING,
            "event_ts", Type.TYPE_INT64,
            "raw_payload", Type.TYPE_STRING,
            "amount", Type.TYPE_STRING,
            "share", Type.TYPE_DOUBLE,
            "seen", Type.TYPE_BOOL,
            "born", Type.TYPE_INT32);
    private static final Instant BEGIN = Instant.parse("2025-12-30T00:00:00Z");
    private static final List<Map<String, Object>> ROWS = new ArrayList<>();

    private static BigQueryEmulator emulator;

    @BeforeAll
    static void start(@TempDir Path directory) throws Throwable {
        emulator = BigQueryEmulator.start(directory, 0, 0);
        Rest.send(
                emulator,
                "POST",
                "/bigquery/v2/projects/local/datasets",
                "{\"datasetReference\": {\"datasetId\": \"analytics\"}}");
        create("days", "DAY");
        create("hours", "HOUR");
        Random random = new Random(7);
        for (long id = 1; id <= 400; id++) {
            Map<String, Object> row = new HashMap<>();
            row.put("event_id", id);
            row.put("event_ts", Client.micros(BEGIN) + (long) (random.nextDouble() * 6 * 86_400_000_000L));
            optional(random, row, "content_id", "cöntent-" + random.nextInt(1_000));
            optional(random, row, "raw_payload", "{\"n\": " + random.nextInt(100_000) + "}");
            optional(random, row, "amount", random.nextInt(100) + ".5");
            optional(random, row, "share", random.nextDouble());
            optional(random, row, "seen", random.nextBoolean());
            optional(random, row, "born", random.nextInt(20_000));
            ROWS.add(row);
        }
        Descriptor form = Client.form(FIELDS);
        List<ByteString> messages =
                ROWS.stream().map(row -> Client.message(form, row)).toList();
        try (Client client = new Client(emulator.grpc())) {
            for (String table : List.of("days", "hours")) {
                String stream = client.stream(table);
                try (StreamWriter writer = client.writer(stream, form)) {
                    Client.append(writer, Client.rows(messages.toArray(ByteString[]::new)), 0);
                }
                client.flush(stream, messages.size() - 1);
            }
        }
    }

    private static void optional(Random random, Map<String, Object> row, String name, Object value) {
        if (random.nextInt(5) > 0) {
            row.put(name, value);
        }
    }

    private static void create(String table, String partition) {
        Rest.Answer answer = Rest.send(
                emulator,
                "POST",
                "/bigquery/v2/projects/local/datasets/analytics/tables",
                "{\"tableReference\": {\"tableId\": \"" + table + "\"}, \"schema\": {\"fields\": ["
                        + "{\"name\": \"event_id\", \"type\": \"INT64\", \"mode\": \"REQUIRED\"},"
                        + "{\"name\": \"content_id\", \"type\": \"STRING\"},"
                        + "{\"name\": \"event_ts\", \"type\": \"TIMESTAMP\", \"mode\": \"REQUIRED\"},"
                        + "{\"name\": \"raw_payload\", \"type\": \"JSON\"},"
                        + "{\"name\": \"amount\", \"type\": \"NUMERIC\"},"
                        + "{\"name\": \"share\", \"type\": \"FLOAT64\"},"
                        + "{\"name\": \"seen\", \"type\": \"BOOL\"},"
                        + "{\"name\": \"born\", \"type\": \"DATE\"}]},"
                        + "\"clustering\": {\"fields\": [\"content_id\"]},"
                        + "\"timePartitioning\": {\"type\": \"" + partition + "\", \"field\": \"event_ts\"}}");
        assertThat(answer.status()).as(answer.message()).isEqualTo(200);
    }

    @AfterAll
    static void stop() {
        emulator.close();
    }

    private static long size(String column, Object value) {
        if (value == null) {
            return 0;
        }
        return switch (column) {
            case "event_id", "event_ts", "share", "born" -> 8;
            case "amount" -> 16;
            case "seen" -> 1;
            case "content_id" -> 2 + ((String) value).getBytes(StandardCharsets.UTF_8).length;
            case "raw_payload" -> ((String) value).getBytes(StandardCharsets.UTF_8).length;
            default -> throw new IllegalArgumentException(column);
        };
    }

    private static LocalDate day(Map<String, Object> row) {
        return Instant.ofEpochSecond(Math.floorDiv((Long) row.get("event_ts"), 1_000_000L))
                .atOffset(ZoneOffset.UTC)
                .toLocalDate();
    }

    private static long sum(Set<String> columns, Predicate<Map<String, Object>> rows) {
        return ROWS.stream()
                .filter(rows)
                .mapToLong(row ->
                        columns.stream().mapToLong(c -> size(c, row.get(c))).sum())
                .sum();
    }

    private static long sumOfDays(Set<String> columns, String... days) {
        Set<LocalDate> wanted = Set.of(days).stream().map(LocalDate::parse).collect(Collectors.toSet());
        return sum(columns, row -> wanted.contains(day(row)));
    }

    private static long processed(String sql) {
        Rest.Answer answer = Rest.query(emulator, sql);
        assertThat(answer.status()).as(sql + ": " + answer.message()).isEqualTo(200);
        return answer.body().path("totalBytesProcessed").asLong();
    }

    private static final Predicate<Map<String, Object>> ALL = row -> true;

    @Test
    void each_type_has_its_documented_size_and_null_has_none() {
        for (String column : FIELDS.keySet()) {
            assertThat(processed("SELECT " + column + " FROM analytics.days"))
                    .as(column)
                    .isEqualTo(sum(Set.of(column), ALL))
                    .isPositive();
        }
        assertThat(processed("SELECT * FROM analytics.days")).isEqualTo(sum(FIELDS.keySet(), ALL));
        assertThat(processed("SELECT * EXCEPT (raw_payload, amount) FROM analytics.days"))
                .isEqualTo(sum(Set.of("event_id", "content_id", "event_ts", "share", "seen", "born"), ALL));
        assertThat(processed("SELECT COUNT(*) FROM analytics.days")).isZero();
        assertThat(processed("SELECT 1 AS one")).isZero();
    }

    @Test
    void a_column_is_read_wherever_it_is_named() {
        assertThat(processed("SELECT COUNT(*) AS n FROM analytics.days AS d WHERE d.seen GROUP BY content_id"
                        + " ORDER BY MAX(d.share) LIMIT 1"))
                .isEqualTo(sum(Set.of("seen", "content_id", "share"), ALL));
        assertThat(processed("SELECT event_id AS content_id FROM analytics.days"))
                .isEqualTo(sum(Set.of("event_id"), ALL));
        assertThat(processed("SELECT a.event_id FROM analytics.days AS a JOIN analytics.hours AS b ON a.event_id ="
                        + " b.event_id AND b.seen"))
                .isEqualTo(sum(Set.of("event_id"), ALL) + sum(Set.of("event_id", "seen"), ALL));
        assertThat(processed("WITH some AS (SELECT content_id FROM analytics.days) SELECT COUNT(content_id) FROM some"))
                .isEqualTo(sum(Set.of("content_id"), ALL));
        assertThat(processed("SELECT amount FROM analytics.days AS d WHERE EXISTS (SELECT 1 FROM analytics.hours AS h"
                        + " WHERE h.event_id = d.event_id)"))
                .isEqualTo(sum(Set.of("amount", "event_id"), ALL) + sum(Set.of("event_id"), ALL));
    }

    @Test
    void only_the_partitions_are_read_that_the_filter_leaves() {
        Set<String> columns = Set.of("event_id", "event_ts");
        String select = "SELECT event_id FROM analytics.days WHERE ";
        assertThat(processed(
                        select + "event_ts >= TIMESTAMP '2025-12-31 12:00:00' AND event_ts < TIMESTAMP '2026-01-02'"))
                .isEqualTo(sumOfDays(columns, "2025-12-31", "2026-01-01"));
        assertThat(processed(select + "event_ts < TIMESTAMP '2026-01-02 00:00:00.000001' AND TIMESTAMP '2026-01-01' <="
                        + " event_ts"))
                .isEqualTo(sumOfDays(columns, "2026-01-01", "2026-01-02"));
        assertThat(processed(select + "event_ts BETWEEN TIMESTAMP '2025-12-31' AND TIMESTAMP '2025-12-31 23:00:00' AND"
                        + " event_id > 5"))
                .isEqualTo(sumOfDays(columns, "2025-12-31"));
        assertThat(processed(select + "event_ts >= TIMESTAMP_MICROS(1767225600000000) AND event_ts < TIMESTAMP_ADD("
                        + "TIMESTAMP '2026-01-01', INTERVAL 1 DAY)"))
                .isEqualTo(sumOfDays(columns, "2026-01-01"));
        assertThat(processed(
                        select + "(event_ts = TIMESTAMP '2026-01-01 05:00:00' OR event_ts >= TIMESTAMP '2026-01-03'"
                                + " AND event_ts < TIMESTAMP '2026-01-04') AND event_id > 0"))
                .isEqualTo(sumOfDays(columns, "2026-01-01", "2026-01-03"));
        assertThat(processed(select + "event_ts IN (TIMESTAMP '2026-01-01', TIMESTAMP '2026-01-01 10:00:00')"))
                .isEqualTo(sumOfDays(columns, "2026-01-01"));
        assertThat(processed(select + "event_ts >= TIMESTAMP '2027-01-01'")).isZero();
        assertThat(processed(select + "event_ts >= TIMESTAMP '2026-01-03'"))
                .isEqualTo(sumOfDays(columns, "2026-01-03", "2026-01-04"));
        assertThat(processed(select + "event_ts >= TIMESTAMP '0001-01-01' AND event_ts <= TIMESTAMP"
                        + " '9999-12-31 23:59:59.999999'"))
                .isEqualTo(sum(columns, ALL));
    }

    @Test
    void what_is_no_comparison_with_a_constant_leaves_all_partitions() {
        long all = sum(Set.of("event_id", "event_ts"), ALL);
        String select = "SELECT event_id FROM analytics.days WHERE ";
        assertThat(processed(select + "event_ts = TIMESTAMP '2026-01-01' OR event_id = 3"))
                .isEqualTo(all);
        assertThat(processed(select + "NOT event_ts < TIMESTAMP '2026-01-01'")).isEqualTo(all);
        assertThat(processed(select + "event_ts < TIMESTAMP_MICROS(event_id)")).isEqualTo(all);
        assertThat(processed(select + "event_ts >= (SELECT MAX(h.event_ts) FROM analytics.hours AS h)"))
                .isEqualTo(all + sum(Set.of("event_ts"), ALL));
        assertThat(processed("SELECT event_id FROM analytics.days WHERE event_id < 3 LIMIT 1"))
                .as("neither a limit nor another column")
                .isEqualTo(sum(Set.of("event_id"), ALL));
    }

    @Test
    void partitions_may_be_hours() {
        Instant from = Instant.parse("2026-01-01T05:00:00Z");
        assertThat(processed(
                        "SELECT event_ts FROM analytics.hours WHERE event_ts >= TIMESTAMP '2026-01-01 05:30:00' AND"
                                + " event_ts < TIMESTAMP '2026-01-01 08:00:00'"))
                .isEqualTo(sum(Set.of("event_ts"), row -> {
                    long hours = Math.floorDiv((Long) row.get("event_ts") - Client.micros(from), 3_600_000_000L);
                    return hours >= 0 && hours < 3;
                }));
    }

    @Test
    void ranges_at_random_cost_what_brute_force_says() {
        Random random = new Random(11);
        for (int i = 0; i < 40; i++) {
            long from = Client.micros(BEGIN) + (long) ((random.nextDouble() * 8 - 1) * 86_400_000_000L);
            long to = from + (long) (random.nextDouble() * 3 * 86_400_000_000L) + 1;
            long expected = sum(Set.of("content_id", "event_ts"), row -> {
                long begin = Math.floorDiv((Long) row.get("event_ts"), 86_400_000_000L) * 86_400_000_000L;
                return begin < to && begin + 86_400_000_000L > from;
            });
            assertThat(processed("SELECT content_id FROM analytics.days WHERE event_ts >= TIMESTAMP_MICROS(" + from
                            + ") AND event_ts < TIMESTAMP_MICROS(" + to + ")"))
                    .as("%d to %d", from, to)
                    .isEqualTo(expected);
        }
    }

    @Test
    void a_dry_run_answers_the_bytes_and_no_rows() {
        long before = emulator.stats().bytesProcessed();
        String sql = "SELECT event_id FROM analytics.days WHERE event_ts = @at AND event_id = @id";
        String query = "\"query\": \"" + sql + "\", \"useLegacySql\": false, \"parameterMode\": \"NAMED\","
                + " \"queryParameters\": [{\"name\": \"at\", \"parameterType\": {\"type\": \"TIMESTAMP\"},"
                + " \"parameterValue\": {\"value\": \"2026-01-01 00:00:00+00:00\"}}, {\"name\": \"id\","
                + " \"parameterType\": {\"type\": \"INT64\"}, \"parameterValue\": {\"value\": \"7\"}}]";
        String expected = Long.toString(sumOfDays(Set.of("event_id", "event_ts"), "2026-01-01"));

        Rest.Answer asked =
                Rest.send(emulator, "POST", "/bigquery/v2/projects/local/queries", "{" + query + ", \"dryRun\": true}");
        Rest.Answer inserted = Rest.send(
                emulator,
                "POST",
                "/bigquery/v2/projects/local/jobs",
                "{\"configuration\": {\"dryRun\": true, \"query\": {" + query + "}}}");

        assertThat(asked.body().path("totalBytesProcessed").asText()).isEqualTo(expected);
        assertThat(asked.body().has("rows")).isFalse();
        assertThat(inserted.body()
                        .path("statistics")
                        .path("totalBytesProcessed")
                        .asText())
                .as(inserted.message())
                .isEqualTo(expected);
        assertThat(emulator.stats().bytesProcessed()).isEqualTo(before);
        assertThat(Rest.send(
                                emulator,
                                "POST",
                                "/bigquery/v2/projects/local/jobs",
                                "{\"configuration\": {\"query\": {" + query + "}}}")
                        .status())
                .isEqualTo(501);
    }

    @Test
    void a_merge_that_inserts_reads_what_it_compares_and_a_delete_all_columns_of_its_partitions() {
        String merge = "MERGE analytics.days AS T USING (SELECT 1 AS event_id) AS S ON T.event_id = S.event_id AND"
                + " T.event_ts = TIMESTAMP '2026-01-01 03:00:00' WHEN NOT MATCHED THEN INSERT (event_id, event_ts)"
                + " VALUES (S.event_id, TIMESTAMP '2026-01-01 03:00:00')";
        assertThat(dryRun(merge)).isEqualTo(sumOfDays(Set.of("event_id", "event_ts"), "2026-01-01"));
        String whole =
                "MERGE analytics.days AS T USING analytics.hours AS S ON T.event_id = S.event_id AND T.event_ts ="
                        + " TIMESTAMP '2026-01-01 03:00:00' WHEN NOT MATCHED THEN INSERT ROW";
        assertThat(dryRun(whole))
                .isEqualTo(sumOfDays(Set.of("event_id", "event_ts"), "2026-01-01") + sum(FIELDS.keySet(), ALL));
        String delete = "DELETE FROM analytics.days WHERE event_ts < TIMESTAMP '2025-12-31' AND event_id = 7";
        assertThat(dryRun(delete))
                .isEqualTo(sumOfDays(Set.of("event_id", "event_ts"), "2025-12-30")
                        + sumOfDays(FIELDS.keySet(), "2025-12-30"));
    }

    private static long dryRun(String sql) {
        Rest.Answer answer = Rest.send(
                emulator,
                "POST",
                "/bigquery/v2/projects/local/queries",
                Json.object()
                        .put("query", sql)
                        .put("useLegacySql", false)
                        .put("dryRun", true)
                        .toString());
        assertThat(answer.status()).as(sql + ": " + answer.message()).isEqualTo(200);
        return answer.body().path("totalBytesProcessed").asLong();
    }
}
