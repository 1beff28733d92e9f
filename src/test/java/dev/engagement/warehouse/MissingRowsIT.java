package dev.engagement.warehouse;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.net.httpserver.HttpServer;
import dev.engagement.connection.testing.ManualPause;
import dev.engagement.deadletter.DeadLetter;
import dev.engagement.deadletter.Reason;
import dev.engagement.event.Content;
import dev.engagement.event.EngagementEvent;
import dev.engagement.event.EngagementRule;
import dev.engagement.event.EnrichedEvent;
import dev.engagement.event.EventId;
import dev.engagement.event.EventJson;
import dev.engagement.event.Position;
import dev.engagement.event.Timestamps;
import dev.engagement.local.bigquery.BigQueryEmulator;
import dev.engagement.local.bigquery.ComparedRows;
import dev.engagement.rowstore.CheckpointLineage;
import dev.engagement.rowstore.RowPlan;
import dev.engagement.rowstore.RowStoreException;
import dev.engagement.rowstore.RowStoreRefusedException;
import dev.engagement.warehouse.testing.LocalWarehouse;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Single rows by MERGE: as the job would have written them, each once. */
class MissingRowsIT {

    private static final String COLUMNS = "event_id, content_id, user_id, event_type, event_ts, duration_ms, device,"
            + " raw_payload, slug, title, content_type, length_seconds, publish_ts, engagement_seconds, engagement_pct";
    private static final Content CONTENT =
            new Content("c-1", "a-slug", "It's \"quoted\" \\ é", "video", 300, 1_000_000L);

    private static BigQueryEmulator bigQuery;
    private static int tables;

    private final String table = "events_" + tables++;
    private final WarehouseOptions options = options(bigQuery.rest(), "http://" + bigQuery.grpc(), table);

    @BeforeAll
    static void start(@TempDir Path directory) throws Exception {
        bigQuery = BigQueryEmulator.start(directory, 0, 0);
    }

    @AfterAll
    static void stop() {
        bigQuery.close();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "{\"a\":[1,{\"b\":null}],\"c\":\"x'y\\\\z\\n\"}",
                "[]",
                "12.5",
                "true",
                "\"a text with \\\" and \\u00e9\"",
                "{\"big\":18446744073709551615}"
            })
    void a_row_is_the_one_that_the_job_would_have_written(String payload) throws Exception {
        Warehouse.prepare(options);
        MissingRows rows = MissingRows.of(options);
        EnrichedEvent event = event(1, payload, 7_000);

        assertThat(rows.insert("r1", EventJson.enriched(event))).isTrue();
        String merged = row(1);
        append(event(2, payload, 7_000));

        assertThat(merged).isEqualTo(row(2).replaceFirst("2", "1"));
        assertThat(merged).contains("It's \"quoted\" \\ é");
    }

    @Test
    void nulls_stay_nulls() throws Exception {
        Warehouse.prepare(options);
        EnrichedEvent event = EngagementRule.DEFAULT.enrich(
                new EngagementEvent(
                        1,
                        "c",
                        null,
                        null,
                        Timestamps.MIN_MICROS,
                        EngagementEvent.NO_DURATION,
                        null,
                        null,
                        false,
                        0,
                        new Position(0, 0, 0)),
                new Content("c", null, null, null, null, null));

        assertThat(MissingRows.of(options).insert("r1", EventJson.enriched(event)))
                .isTrue();

        assertThat(row(1)).isEqualTo("1, c, null, null, -6.21355968E10" + ", null".repeat(10));
    }

    @Test
    void a_row_that_is_there_stays_as_it_is() throws Exception {
        Warehouse.prepare(options);
        append(event(1, "{\"first\":1}", 7_000));
        MissingRows rows = MissingRows.of(options);

        assertThat(rows.insert("r1", EventJson.enriched(event(1, "{\"second\":2}", 7_000))))
                .isFalse();
        assertThat(rows.insert("r1", EventJson.enriched(event(1, "{\"second\":2}", 7_000))))
                .isFalse();

        assertThat(row(1)).contains("first").doesNotContain("second");
    }

    @Test
    void many_at_once_are_one_row() throws Exception {
        Warehouse.prepare(options);
        byte[] json = EventJson.enriched(event(1, "{}", 7_000));
        ExecutorService threads = Executors.newFixedThreadPool(4);
        try {
            List<Callable<Boolean>> calls =
                    Collections.nCopies(12, () -> MissingRows.of(options).insert("r1", json));
            int inserted = 0;
            for (Future<Boolean> call : threads.invokeAll(calls)) {
                inserted += call.get() ? 1 : 0;
            }
            assertThat(inserted).isEqualTo(1);
        } finally {
            threads.shutdownNow();
        }
        assertThat(bigQuery.query("local", "SELECT COUNT(*) FROM analytics." + table + " WHERE event_ts IS NOT NULL"))
                .containsExactly(List.of("1"));
    }

    @Test
    void labels_of_the_line_stay() throws Exception {
        Warehouse.prepare(options);
        RestTable api = new RestTable(options);
        assertThat(api.label(api.get(), LineMarks.labels(new CheckpointLineage.FencingLabel("run-1", 17))))
                .isTrue();

        MissingRows.of(options).insert("r1", EventJson.enriched(event(1, "{}", 7_000)));

        assertThat(LineMarks.on(api.get())).isEqualTo(new CheckpointLineage.FencingLabel("run-1", 17));
    }

    @Test
    void a_row_waits_until_the_job_cannot_come_back_to_its_event() throws Exception {
        Warehouse.prepare(options);
        RestTable api = new RestTable(options);
        MissingRows rows = MissingRows.of(options);
        DeadLetter letter = letter(RowPlan.letterHeaders(BigQueryStore.NAME, "run-1", 17));

        assertThat(rows.isBehind(letter)).as("nothing was shown yet").isFalse();
        assertThat(api.label(api.get(), LineMarks.labels(new CheckpointLineage.FencingLabel("run-1", 16))))
                .isTrue();
        assertThat(rows.isBehind(letter)).isFalse();
        assertThat(api.label(api.get(), LineMarks.labels(new CheckpointLineage.FencingLabel("run-1", 17))))
                .isTrue();
        assertThat(rows.isBehind(letter)).isTrue();
        assertThat(rows.isBehind(letter(List.of()))).as("of an older build").isTrue();
    }

    private static DeadLetter letter(List<DeadLetter.Header> headers) {
        return DeadLetter.of(
                Reason.REJECTED,
                "warehouse",
                "refused",
                5,
                new DeadLetter.Source("t", 0, 1, 5),
                EventId.of(1L),
                new byte[0],
                headers);
    }

    @Test
    void rows_that_cannot_be_there_are_refused_with_why() throws Exception {
        Warehouse.prepare(options);
        MissingRows rows = MissingRows.of(options);

        assertRefused(rows, EventJson.enriched(event(1, "{\"n\":1e400}", 1)), "the number 1e400");
        assertRefused(rows, EventJson.enriched(event(1, "[".repeat(501) + "]".repeat(501), 1)), "nested deeper");
        assertRefused(rows, "{\"event_id\":1}".getBytes(StandardCharsets.UTF_8), "event_ts is missing");
        assertRefused(rows, "[]".getBytes(StandardCharsets.UTF_8), "not an enriched event");
        assertRefused(rows, "{".getBytes(StandardCharsets.UTF_8), "not readable as JSON");
        assertRefused(rows, new byte[9_000_001], "9000001 bytes");
        assertThatThrownBy(() -> rows.insert(
                        "r1", "{\"event_id\":1,\"event_ts\":\"yesterday\"}".getBytes(StandardCharsets.UTF_8)))
                .isInstanceOf(MissingRows.RefusedRowException.class)
                .hasMessageContaining("Could not cast literal");
    }

    @Test
    void numbers_that_bigquery_would_change_go_in_when_they_may_be_rounded() throws Exception {
        Warehouse.prepare(options);
        byte[] refused = EventJson.enriched(event(1, "{\"n\":[922337203685477580701,0.01207,1.5]}", 1));
        assertRefused(MissingRows.of(options), refused, "the number 922337203685477580701");

        MissingRows rounding = MissingRows.of(
                options(bigQuery.rest(), "http://" + bigQuery.grpc(), table, WarehouseOptions.JsonNumbers.ROUND));

        assertThat(rounding.insert("r1", refused)).isTrue();
        assertThat(row(1)).contains("9.223372036854776E+20", "0.012070000000000001", "1.5");
        assertRefused(rounding, EventJson.enriched(event(2, "{\"n\":1e400}", 1)), "beyond");
    }

    private static void assertRefused(MissingRows rows, byte[] json, String why) {
        assertThatThrownBy(() -> rows.check(json))
                .isInstanceOf(MissingRows.RefusedRowException.class)
                .hasMessageContaining(why);
        assertThatThrownBy(() -> rows.insert("r1", json))
                .isInstanceOf(MissingRows.RefusedRowException.class)
                .hasMessageContaining(why);
    }

    @Test
    void a_table_that_is_not_there_is_not_made() {
        assertThatThrownBy(() -> MissingRows.of(options))
                .isInstanceOf(RowStoreRefusedException.class)
                .hasMessageContaining("There is no warehouse table local.analytics." + table);
    }

    /** BigQuery's own habits, which the emulator does not have. */
    @Test
    void what_passes_is_repeated_and_a_job_that_takes_longer_is_waited_for() throws Exception {
        Warehouse.prepare(options);
        String description = new String(
                URI.create(bigQuery.rest() + "/bigquery/v2/projects/local/datasets/analytics/tables/" + table)
                        .toURL()
                        .openStream()
                        .readAllBytes(),
                StandardCharsets.UTF_8);
        String running = "{\"jobComplete\":false,\"jobReference\":{\"jobId\":\"j 1\",\"location\":\"EU\"}}";
        Deque<String> script = new ArrayDeque<>(List.of(
                "200" + description,
                "503{}",
                "200" + running,
                "200" + running,
                "200{\"jobComplete\":true,\"numDmlAffectedRows\":\"1\"}",
                "403{\"error\":{\"message\":\"no right\"}}"));
        List<String> asked = new ArrayList<>();
        HttpServer server = HttpServer.create(new InetSocketAddress("127.0.0.1", 0), 0);
        server.createContext("/", exchange -> {
            asked.add(exchange.getRequestMethod() + " " + exchange.getRequestURI() + " "
                    + new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8));
            String answer = script.remove();
            byte[] body = answer.substring(3).getBytes(StandardCharsets.UTF_8);
            exchange.sendResponseHeaders(Integer.parseInt(answer.substring(0, 3)), body.length);
            exchange.getResponseBody().write(body);
            exchange.close();
        });
        server.start();
        try {
            String address = "http://127.0.0.1:" + server.getAddress().getPort();
            ManualPause pause = new ManualPause();
            MissingRows rows = MissingRows.of(options(address, address, table), pause);

            assertThat(rows.insert("letter-1", EventJson.enriched(event(1, "{}", 1))))
                    .isTrue();
            assertThatThrownBy(() -> rows.insert("letter-1", EventJson.enriched(event(1, "{}", 1))))
                    .isInstanceOf(RowStoreException.class)
                    .hasMessageContaining("HTTP 403");
            assertThat(pause.made()).as("after what failed").hasSize(1);
        } finally {
            server.stop(0);
        }
        assertThat(asked.get(1)).isEqualTo(asked.get(2)).contains("\"requestId\":\"letter-1\"");
        assertThat(asked.get(3)).isEqualTo(asked.get(4)).contains("/queries/j%201?", "location=EU");
    }

    @Test
    void a_row_costs_its_partition_and_neither_the_table_nor_what_was_put_there_before() throws Exception {
        Warehouse.prepare(options);
        int days = 4;
        int rowsADay = 300;
        long begin = Timestamps.parse("2026-01-08T00:00:00Z");
        List<ComparedRows.Row> there = LongStream.range(0, (long) days * rowsADay)
                .mapToObj(n -> new ComparedRows.Row(1_000 + n, "c", begin + n * (86_400_000_000L / rowsADay), null))
                .toList();
        ComparedRows.append(bigQuery.grpc(), table, there);
        MissingRows rows = MissingRows.of(options);
        long before = bigQuery.stats().bytesProcessed();

        for (int day = 0; day < days; day++) {
            byte[] json = EventJson.enriched(event(day, "{}", 7_000, begin + day * 86_400_000_000L + 5));
            // The ids and times of a day.
            assertThat(rows.bytesToRead(json)).isEqualTo(16L * rowsADay);
            assertThat(rows.insert("r" + day, json)).isTrue();
            assertThat(bigQuery.stats().bytesProcessed() - before).isEqualTo((day + 1) * 16L * rowsADay);
        }
    }

    private static EnrichedEvent event(long id, @Nullable String payload, int durationMs) {
        return event(id, payload, durationMs, Timestamps.parse("2026-01-08T14:21:52.123456Z"));
    }

    private static EnrichedEvent event(long id, @Nullable String payload, int durationMs, long eventTsMicros) {
        return EngagementRule.DEFAULT.enrich(
                new EngagementEvent(
                        id,
                        CONTENT.id(),
                        "u-1",
                        "play",
                        eventTsMicros,
                        durationMs,
                        "web",
                        payload,
                        false,
                        0,
                        new Position(0, 0, 0)),
                CONTENT);
    }

    private void append(EnrichedEvent event) throws Exception {
        WrittenRows.write(options, List.of(event));
    }

    private String row(long id) {
        List<List<@Nullable String>> rows = bigQuery.query(
                "local",
                "SELECT " + COLUMNS + " FROM analytics." + table + " WHERE event_ts IS NOT NULL AND event_id = " + id);
        assertThat(rows).hasSize(1);
        return String.join(", ", rows.get(0).stream().map(String::valueOf).toList());
    }

    private static WarehouseOptions options(String rest, String grpc, String table) {
        return options(rest, grpc, table, WarehouseOptions.JsonNumbers.EXACT);
    }

    private static WarehouseOptions options(
            String rest, String grpc, String table, WarehouseOptions.JsonNumbers numbers) {
        return LocalWarehouse.options(rest, grpc, table, true, numbers);
    }
}
