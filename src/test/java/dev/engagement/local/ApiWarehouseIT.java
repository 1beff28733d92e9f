package dev.engagement.local;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.engagement.api.ApiOptions;
import dev.engagement.api.EngagementApi;
import dev.engagement.event.Content;
import dev.engagement.event.Engagement;
import dev.engagement.event.EngagementEvent;
import dev.engagement.event.EnrichedEvent;
import dev.engagement.event.EventJson;
import dev.engagement.event.Position;
import dev.engagement.local.testing.SharedServers;
import dev.engagement.warehouse.WrittenRows;
import dev.engagement.warehouse.testing.LocalWarehouse;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.time.Clock;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** {@code /events/{id}?fallback=warehouse}, on rows that the job's own client wrote into the emulator. */
class ApiWarehouseIT {

    /** Numbers by their value: BigQuery writes 2.5 for 2.50. */
    private static final JsonMapper JSON = JsonMapper.builder()
            .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
            .build();

    private static final Path DIRECTORY = Path.of("target/it/api-warehouse");
    private static final long AT_MICROS = 1_767_882_112_345_678L;

    private final HttpClient http =
            HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

    private SharedServers servers;
    private String rest;
    private List<String> options;

    @BeforeEach
    void lease() throws Exception {
        servers = SharedServers.lease(DIRECTORY);
        rest = servers.bigQuery().rest();
        options = ApiProcess.options(servers.analytics(), Path.of(servers.postgresPasswordFile()), servers.redis());
    }

    @AfterEach
    void giveBack() {
        servers.bigQuery().emulator().faults().clear();
        servers.close();
    }

    private EngagementApi start(List<String> more) {
        List<String> arguments = new ArrayList<>(options);
        // Of a machine that does something else, too.
        arguments.addAll(List.of("--api.port", "0", "--api.store-timeout", "30 s"));
        arguments.addAll(more);
        return EngagementApi.start(ApiOptions.parse(arguments.toArray(String[]::new), Map.of()), Clock.systemUTC());
    }

    private EngagementApi startWithWarehouse(String timeout) {
        List<String> more = new ArrayList<>(ApiProcess.warehouseOptions(rest));
        more.addAll(List.of("--api.warehouse-timeout", timeout));
        return start(more);
    }

    private HttpResponse<String> get(EngagementApi api, String path) throws Exception {
        return http.send(
                HttpRequest.newBuilder(URI.create(api.address() + path)).build(), HttpResponse.BodyHandlers.ofString());
    }

    private static EnrichedEvent full(long id) {
        EngagementEvent event = new EngagementEvent(
                id,
                "c",
                "ann",
                "play",
                AT_MICROS,
                45_000,
                "ios",
                "{\"value\": 4.50, \"n\": [1, null], \"text\": \"<b>\\u00fc\\\"</b>\"}",
                false,
                AT_MICROS / 1_000,
                new Position(0, id, AT_MICROS / 1_000));
        Content content = new Content("c", "slug", "Title \"ü\"", "video", 1_800, -1L);
        return new EnrichedEvent(event, content, new Engagement(45_000, 250, (byte) 2));
    }

    /** With nothing in it that may be null. */
    private static EnrichedEvent bare(long id) {
        EngagementEvent event = new EngagementEvent(
                id,
                null,
                null,
                null,
                AT_MICROS,
                EngagementEvent.NO_DURATION,
                null,
                null,
                false,
                AT_MICROS / 1_000,
                new Position(0, id, AT_MICROS / 1_000));
        return new EnrichedEvent(
                event,
                new Content("c", null, null, null, null, null),
                new Engagement(Engagement.NONE, Engagement.NONE, (byte) 2));
    }

    private void write(EnrichedEvent... events) throws Exception {
        // The API has to satisfy what a table may ask of its readers.
        WrittenRows.write(
                LocalWarehouse.options(rest, "http://" + servers.bigQuery().grpc(), "engagement_events", true),
                List.of(events));
    }

    private static void assertSame(JsonNode answered, EnrichedEvent written) throws Exception {
        JsonNode expected = JSON.readTree(EventJson.enriched(written));
        for (Iterator<Map.Entry<String, JsonNode>> fields = expected.fields(); fields.hasNext(); ) {
            Map.Entry<String, JsonNode> field = fields.next();
            assertThat(answered.has(field.getKey())).as(field.getKey()).isTrue();
            assertThat(field.getValue().equals(ApiWarehouseIT::byValue, answered.get(field.getKey())))
                    .as(field.getKey() + " " + answered.get(field.getKey()))
                    .isTrue();
        }
    }

    /** 0 for the same number, however many digits it is written with. */
    private static int byValue(JsonNode one, JsonNode other) {
        if (one.isNumber() && other.isNumber()) {
            return one.decimalValue().compareTo(other.decimalValue());
        }
        return one.equals(other) ? 0 : 1;
    }

    @Test
    void a_row_that_the_job_wrote_is_answered_as_the_event_cache_would() throws Exception {
        write(full(7), bare(8));
        try (EngagementApi api = startWithWarehouse("1 min")) {
            HttpResponse<String> whole = get(api, "/events/7?fallback=warehouse");
            assertThat(whole.statusCode()).as(whole.body()).isEqualTo(200);
            JsonNode body = JSON.readTree(whole.body());
            assertSame(body, full(7));
            assertThat(body.get("exact").asBoolean()).isTrue();
            assertThat(body.get("window").isNull()).isTrue();
            assertThat(body.get("as_of").asText()).endsWith("Z");
            assertSame(JSON.readTree(get(api, "/events/8?fallback=warehouse").body()), bare(8));

            assertThat(get(api, "/events/7").statusCode()).isEqualTo(404);
            HttpResponse<String> none = get(api, "/events/9?fallback=warehouse");
            assertThat(none.statusCode()).isEqualTo(404);
            assertThat(none.body()).contains("nor in the warehouse");
        }
    }

    @Test
    void an_event_that_the_source_has_is_looked_for_at_its_time() throws Exception {
        write(full(7), full(8));
        servers.sql("INSERT INTO engagement_events (id, event_type, event_ts) VALUES"
                + " (7, 'play', timestamptz '1970-01-01 00:00:00Z' + 1767882112345678 * interval '1 microsecond'),"
                + " (8, 'play', timestamptz '2026-01-08 14:21:53Z')");
        try (EngagementApi api = startWithWarehouse("1 min")) {
            assertThat(get(api, "/events/7?fallback=warehouse").statusCode()).isEqualTo(200);
            // Another time than that of its row: so it was the source's time that was looked at.
            assertThat(get(api, "/events/8?fallback=warehouse").statusCode()).isEqualTo(404);
        }
    }

    @Test
    void without_a_warehouse_it_is_refused_and_the_missing_option_is_named() throws Exception {
        try (EngagementApi api = start(List.of())) {
            HttpResponse<String> refusal = get(api, "/events/7?fallback=warehouse");
            assertThat(refusal.statusCode()).isEqualTo(400);
            assertThat(refusal.body()).contains("warehouse.project");
        }
        try (EngagementApi api = start(List.of("--warehouse.project", "p"))) {
            HttpResponse<String> refusal = get(api, "/events/7?fallback=warehouse");
            assertThat(refusal.statusCode()).isEqualTo(400);
            assertThat(refusal.body()).contains("warehouse.credentials-file");
        }
    }

    @Test
    void a_table_that_is_not_there_and_a_warehouse_that_is_away_are_no_events_that_are_not_there() throws Exception {
        try (EngagementApi api = startWithWarehouse("1 min")) {
            HttpResponse<String> noTable = get(api, "/events/7?fallback=warehouse");
            assertThat(noTable.statusCode()).isEqualTo(503);
            assertThat(noTable.body()).contains("no table of events yet");
            assertThat(noTable.headers().firstValueAsLong("Retry-After").orElse(0))
                    .isPositive();
        }
        write(full(7));
        servers.bigQuery().emulator().faults().blackHole(true);
        try (EngagementApi api = startWithWarehouse("1 s")) {
            HttpResponse<String> away = get(api, "/events/7?fallback=warehouse");
            assertThat(away.statusCode()).isEqualTo(503);
            assertThat(away.headers().firstValueAsLong("Retry-After").orElse(0)).isPositive();
            assertThat(get(api, "/health/ready").statusCode()).isEqualTo(200);
        } finally {
            servers.bigQuery().emulator().faults().blackHole(false);
        }
    }
}
