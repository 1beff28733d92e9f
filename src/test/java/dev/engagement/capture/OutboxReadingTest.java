package dev.engagement.capture;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.engagement.event.EventId;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.apache.flink.api.common.functions.util.ListCollector;
import org.apache.flink.cdc.connectors.shaded.org.apache.kafka.connect.data.Schema;
import org.apache.flink.cdc.connectors.shaded.org.apache.kafka.connect.data.SchemaBuilder;
import org.apache.flink.cdc.connectors.shaded.org.apache.kafka.connect.data.Struct;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class OutboxReadingTest {

    private static final ObjectMapper JSON = new ObjectMapper();

    private static final String EVENT = """
            {"id": 16, "device": "web", "user_id": null, "event_ts": "2026-01-08T14:21:52.5+00:00", "content_id": "c-1",\
             "event_type": "play", "duration_ms": 7000, "raw_payload": {"a": [1.50, "\\u00e9\\""]}, "elsewhere": {"x": 1}}""";

    private static final String CONTENT = """
            {"id": "c-1", "slug": "s", "title": "A \\"title\\"", "content_type": null, "length_seconds": 300,\
             "publish_ts": "2026-01-01T05:30:00+05:30"}""";

    private static final Schema SOURCE = SchemaBuilder.struct()
            .field("db", Schema.STRING_SCHEMA)
            .field("schema", Schema.STRING_SCHEMA)
            .field("table", Schema.STRING_SCHEMA)
            .field("lsn", Schema.OPTIONAL_INT64_SCHEMA)
            .field("xmin", Schema.OPTIONAL_INT64_SCHEMA)
            .field("ts_ms", Schema.INT64_SCHEMA)
            .build();

    private boolean mayLack;

    @Test
    void anEventIsWhatItsTableWouldHaveGiven() throws IOException {
        Captured.Row row = row(read("engagement_event", "16", "created", EVENT, "c"));

        assertThat(row.table()).isEqualTo(CapturedTable.EVENTS);
        assertThat(text(row.key())).isEqualTo("{\"id\":16}");
        assertThat(text(row.value())).isEqualTo("""
                        {"before":null,"after":{"id":16,"content_id":"c-1","user_id":null,"event_type":"play",\
                        "event_ts":"2026-01-08T14:21:52.5Z","duration_ms":7000,"device":"web",\
                        "raw_payload":"{\\"a\\": [1.50, \\"\\\\u00e9\\\\\\"\\"]}"},\
                        "source":{"db":"engagement","schema":"public","table":"engagement_events","lsn":4711,"xmin":null,\
                        "ts_ms":1700000000000},"op":"c","ts_ms":5,"transaction":null}""");
    }

    @Test
    void aContentIsWhatItsTableWouldHaveGiven() throws IOException {
        Captured.Row row = row(read("content", "c-1", "updated", CONTENT, "r"));

        assertThat(row.table()).isEqualTo(CapturedTable.CONTENT);
        assertThat(text(row.key())).isEqualTo("{\"id\":\"c-1\"}");
        JsonNode envelope = JSON.readTree(row.value());
        assertThat(envelope.path("op").asText()).isEqualTo("r");
        assertThat(envelope.path("source").path("table").asText()).isEqualTo("content");
        assertThat(envelope.path("after").toString())
                .isEqualTo("{\"id\":\"c-1\",\"slug\":\"s\",\"title\":\"A \\\"title\\\"\",\"content_type\":null,"
                        + "\"length_seconds\":300,\"publish_ts\":\"2026-01-01T00:00:00.000000Z\"}");
    }

    @Test
    void theKeyIsThePayloadsIdWhateverTheAggregateIdSays() {
        assertThat(text(row(read("engagement_event", "another", "created", EVENT, "c"))
                        .key()))
                .isEqualTo("{\"id\":16}");
    }

    @ParameterizedTest
    @ValueSource(strings = {"delete", "deleted", "DELETED", "content.deleted", "CONTENT_DELETED", "ContentDeleted"})
    void aTypeThatSaysDeleteDeletesAContentAndLeavesATombstone(String type) throws IOException {
        List<Captured> captured = read("content", "c-1", type, CONTENT, "c");

        assertThat(captured).hasSize(2);
        Captured.Row deleted = (Captured.Row) captured.get(0);
        JsonNode envelope = JSON.readTree(deleted.value());
        assertThat(envelope.path("op").asText()).isEqualTo("d");
        assertThat(envelope.path("after").isNull()).isTrue();
        assertThat(envelope.path("before").toString())
                .isEqualTo("{\"id\":\"c-1\",\"slug\":null,\"title\":null,\"content_type\":null,\"length_seconds\":null,"
                        + "\"publish_ts\":null}");
        Captured.Row tombstone = (Captured.Row) captured.get(1);
        assertThat(tombstone.value()).isNull();
        assertThat(tombstone.key()).isEqualTo(deleted.key());
    }

    @ParameterizedTest
    @ValueSource(strings = {"created", "undelete", "ContentUndeleted", "deleted.by.nobody", "Deletednot", "", "…"})
    void noOtherTypeDoes(String type) {
        assertThat(read("content", "c-1", type, CONTENT, "c")).hasSize(1);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", " ", "null", "{}", " { } "})
    void anEmptyPayloadDeletesAContentByTheAggregateId(String payload) {
        List<Captured> captured = read("content", "c-1", "whatever", payload, "c");

        assertThat(captured).hasSize(2);
        assertThat(text(((Captured.Row) captured.get(0)).key())).isEqualTo("{\"id\":\"c-1\"}");
        assertThat(read("content", "c-1", null, null, "c")).hasSize(2);
    }

    @Test
    void anAggregateIdThatIsANumberDeletesAContentWhoseIdIsOne() {
        assertThat(text(((Captured.Row)
                                read("content", "17", "deleted", null, "c").get(0))
                        .key()))
                .isEqualTo("{\"id\":17}");
        assertThat(text(((Captured.Row) read("content", "17", "deleted", "{\"id\": \"17\"}", "c")
                                .get(0))
                        .key()))
                .isEqualTo("{\"id\":\"17\"}");
    }

    @Test
    void aDeletedEventIsADeleteThatTheStreamIgnores() throws IOException {
        Captured.Row row = row(read("engagement_event", "16", "deleted", null, "c"));

        assertThat(text(row.key())).isEqualTo("{\"id\":16}");
        assertThat(JSON.readTree(row.value()).path("op").asText()).isEqualTo("d");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            quoteCharacter = '`',
            value = {
                "order            | {}          | its aggregatetype is 'order'; expected is 'engagement_event' or 'content'",
                "                 | {}          | its aggregatetype is null; expected is",
                "engagement_event |             | its payload is no row of engagement_events: it is empty; expected is the row",
                "engagement_event | {}          | it is empty",
                "engagement_event | [1]         | it is no JSON object",
                "engagement_event | {\"id\": 1  | it is not readable as JSON",
                "engagement_event | {} {}       | something follows its JSON object",
                "engagement_event | null null   | something follows its JSON",
                "content          | \"c-1\"     | its payload is no row of content: it is no JSON object",
                "content          | {\"slug\":1} | it has no id, title, content_type, length_seconds, publish_ts; expected is",
                "engagement_event | {\"id\":1,\"device\":{}} | device is an object, which no column but raw_payload holds"
            })
    void whatIsNoRowIsAMisfitThatSaysWhatWasExpectedAndKeepsThePayload(
            @Nullable String aggregateType, @Nullable String payload, String problem) {
        Captured.Misfit misfit = misfit(read(aggregateType, "9", "created", payload, "c"));

        assertThat(misfit.problem()).contains(problem);
        assertThat(misfit.table()).isEqualTo("public.outbox_events");
        assertThat(misfit.key()).isEqualTo("{\"id\":\"o-1\"}");
        assertThat(misfit.operation()).isEqualTo("c");
        assertThat(misfit.lsn()).isEqualTo(4711);
        assertThat(misfit.committedAtMillis()).isEqualTo(1_700_000_000_000L);
        assertThat(misfit.payload()).isEqualTo(payload == null ? null : payload.getBytes(StandardCharsets.UTF_8));
    }

    @Test
    void aMisfitNamesItsEventIfAnybodyKnowsIt() {
        assertThat(misfit(read("engagement_event", "x", "created", "{\"id\": 16}", "c"))
                        .eventId())
                .isEqualTo(EventId.of(16));
        assertThat(misfit(read("engagement_event", "17", "created", "broken", "c"))
                        .eventId())
                .isEqualTo(EventId.of(17));
        assertThat(misfit(read("engagement_event", "x", "created", "broken", "c"))
                        .eventId())
                .isNull();
        assertThat(misfit(read("content", "17", "created", "broken", "c")).eventId())
                .isNull();
    }

    @Test
    void aDeleteOfNobodyKnowsWhatIsAMisfit() {
        assertThat(misfit(read("content", null, "deleted", null, "c")).problem())
                .contains("does not say which")
                .contains("in aggregateid");
        assertThat(misfit(read("content", "", "deleted", "{\"id\": null}", "c")).problem())
                .contains("does not say which");
    }

    @Test
    void anIdThatIsNullOrEmptyIsAMisfit() {
        assertThat(misfit(read("engagement_event", "16", "created", EVENT.replace("16", "null"), "c"))
                        .problem())
                .contains("its id is missing or null");
        assertThat(misfit(read("content", "", "created", CONTENT.replace("c-1", ""), "c"))
                        .problem())
                .contains("its id is missing or null");
    }

    @Test
    void aLargePayloadIsLeftOutOfAMisfit() {
        Captured.Misfit misfit = misfit(read("content", "c-1", "created", "x".repeat(2_000), "c"));

        assertThat(misfit.payload()).isNull();
        assertThat(misfit.problem())
                .contains("The 2000 bytes of its payload are left out")
                .contains("capture.max-row-bytes");
    }

    @Test
    void aLargeRowIsAReferenceToTheRowItself() {
        Captured.Oversize oversize = (Captured.Oversize)
                read("engagement_event", "16", "created", EVENT.replace("web", "x".repeat(2_000)), "c")
                        .get(0);

        assertThat(oversize.table()).isEqualTo("public.engagement_events");
        assertThat(oversize.key()).isEqualTo("{\"id\":16}");
        assertThat(oversize.eventId()).isEqualTo(EventId.of(16));
        assertThat(oversize.bytes()).isGreaterThan(2_000);
    }

    @Test
    void aggregatesOfOthersArePassedOverIfTheyAreNamed() {
        assertThat(read("invoice", "1", "created", "{}", "c")).isEmpty();
    }

    @Test
    void fieldsMayBeMissingIfThatIsMeant() throws IOException {
        mayLack = true;
        Captured.Row row = row(read("content", "c-1", "created", "{\"id\":\"c-1\",\"slug\":\"s\"}", "c"));

        assertThat(JSON.readTree(row.value()).path("after").toString())
                .isEqualTo(
                        "{\"id\":\"c-1\",\"slug\":\"s\",\"title\":null,\"content_type\":null,\"length_seconds\":null,"
                                + "\"publish_ts\":null}");
    }

    @ParameterizedTest
    @CsvSource({
        "2026-01-08T14:21:52Z,             2026-01-08T14:21:52Z",
        "2026-01-08T14:21:52.123456+00:00, 2026-01-08T14:21:52.123456Z",
        "2026-01-08T14:21:52-03:30,        2026-01-08T17:51:52.000000Z",
        "2026-01-08 14:21:52+00,           2026-01-08T14:21:52.000000Z",
        "2026-01-08T14:21:52.5,            2026-01-08T14:21:52.500000Z",
        "infinity,                         infinity",
        "0044-03-15T00:00:00+00:00 BC,     0044-03-15T00:00:00+00:00 BC",
        "tomorrow,                         tomorrow"
    })
    void timesAreInUtcAndWhatIsNoneIsForTheStreamToJudge(String written, String captured) throws IOException {
        Captured.Row row =
                row(read("engagement_event", "16", "c", EVENT.replace("2026-01-08T14:21:52.5+00:00", written), "c"));

        assertThat(JSON.readTree(row.value()).path("after").path("event_ts").asText())
                .isEqualTo(captured);
    }

    @Test
    void aValueOfAnotherTypeIsForTheStreamToJudge() throws IOException {
        Captured.Row row = row(read(
                "engagement_event",
                "16",
                "c",
                EVENT.replace("7000", "true").replace("\"c-1\"", "5").replace("16", "\"a-b\""),
                "c"));

        assertThat(text(row.key())).isEqualTo("{\"id\":\"a-b\"}");
        JsonNode after = JSON.readTree(row.value()).path("after");
        assertThat(after.path("duration_ms").isBoolean()).isTrue();
        assertThat(after.path("content_id").isInt()).isTrue();
    }

    @Test
    void halfOfASurrogatePairIsAMisfit() {
        assertThat(misfit(read("engagement_event", "16", "c", EVENT.replace("web", "\\ud800"), "c"))
                        .problem())
                .contains("device holds half of a surrogate pair");
    }

    private List<Captured> read(
            @Nullable String aggregateType,
            @Nullable String aggregateId,
            @Nullable String type,
            @Nullable String payload,
            String operation) {
        CaptureOptions options = CaptureSamples.ofOutbox(mayLack);
        Struct source = new Struct(SOURCE)
                .put("db", "engagement")
                .put("schema", "public")
                .put("table", "outbox_events")
                .put("lsn", 4711L)
                .put("ts_ms", 1_700_000_000_000L);
        List<Captured> captured = new ArrayList<>();
        new OutboxReading(options, CaptureSamples.outbox())
                .read(
                        new OutboxReading.Row("o-1", aggregateType, aggregateId, type, payload),
                        new OutboxReading.Origin(operation, source, 5),
                        new ListCollector<>(captured));
        return captured;
    }

    private static Captured.Row row(List<Captured> captured) {
        assertThat(captured).hasSize(1);
        assertThat(captured.get(0)).isInstanceOf(Captured.Row.class);
        return (Captured.Row) captured.get(0);
    }

    private static Captured.Misfit misfit(List<Captured> captured) {
        assertThat(captured).hasSize(1);
        assertThat(captured.get(0)).isInstanceOf(Captured.Misfit.class);
        return (Captured.Misfit) captured.get(0);
    }

    private static String text(byte[] bytes) {
        return new String(bytes, StandardCharsets.UTF_8);
    }
}
