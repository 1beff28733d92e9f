package dev.engagement.ingest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.engagement.deadletter.DeadLetter;
import dev.engagement.deadletter.DeadLetterJson;
import dev.engagement.deadletter.Reason;
import dev.engagement.event.ContentChange;
import dev.engagement.event.EngagementEvent;
import dev.engagement.event.Position;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** Every recorded or composed Debezium message has the outcome that its {@code .expected.json} says. */
class DebeziumCorpusTest {

    private static final Clock CLOCK = Clock.fixed(Instant.parse("2026-01-08T14:30:00Z"), ZoneOffset.UTC);
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final int PARTITION = 3;
    private static final long OFFSET = 4_711L;
    private static final long TIMESTAMP = 1_767_882_112_400L;

    @TestFactory
    Stream<DynamicTest> every_case_has_its_outcome() {
        return DebeziumCase.all().stream().map(c -> DynamicTest.dynamicTest(c.name(), () -> check(c)));
    }

    /** Keeps the corpus honest: a second reading of the contract, by Jackson's tree, agrees with every expectation. */
    @TestFactory
    Stream<DynamicTest> the_tree_oracle_agrees_with_every_case() {
        return DebeziumCase.all().stream()
                .map(c -> DynamicTest.dynamicTest(c.name(), () -> {
                    TreeOracle.Verdict verdict = TreeOracle.judge(c.onEvents(), c.key(), c.value());
                    assertThat(verdict.specified()).as(c.name()).isTrue();
                    // A tree no longer knows how a nested raw_payload was written.
                    assertThat(verdict.unspecifiedFields()).as(c.name()).isSubsetOf("raw_payload");
                    assertAsExpected(c, verdict.outcome(), verdict.unspecifiedFields());
                }));
    }

    @Test
    void every_file_belongs_to_a_case_and_the_readme_lists_each() throws IOException {
        List<DebeziumCase> cases = DebeziumCase.all();
        TreeSet<String> belonging = new TreeSet<>(List.of("README.md", ".gitattributes"));
        for (DebeziumCase c : cases) {
            belonging.add(c.name() + ".expected.json");
            belonging.add(c.name() + ".json");
        }
        try (Stream<Path> files = Files.list(DebeziumCase.folder())) {
            assertThat(files.map(file -> file.getFileName().toString())).isSubsetOf(belonging);
        }
        String readme = Files.readString(DebeziumCase.folder().resolve("README.md"));
        TreeSet<String> listed = readme.substring(readme.indexOf("## The cases"))
                .lines()
                .filter(line -> line.startsWith("| ") && !line.startsWith("| case "))
                .map(line -> line.substring(2, line.indexOf(" |", 2)))
                .collect(Collectors.toCollection(TreeSet::new));
        assertThat(listed)
                .containsExactlyElementsOf(
                        cases.stream().map(DebeziumCase::name).sorted().toList());
    }

    @Test
    void only_tombstones_have_no_value_file() {
        assertThat(DebeziumCase.all().stream()
                        .filter(c -> c.value() == null)
                        .map(DebeziumCase::name)
                        .filter(name -> !name.contains("tombstone")))
                .isEmpty();
    }

    private static void check(DebeziumCase c) {
        ConsumerRecord<byte[], byte[]> record = c.record(PARTITION, OFFSET, TIMESTAMP);
        byte[] before = c.value() == null ? null : c.value().clone();

        DecodedRecord<?> decoded = decode(c.onEvents(), record);

        assertThat(c.value())
                .as("%s: the decoder leaves the value alone", c.name())
                .isEqualTo(before);
        assertAsExpected(c, Outcome.of(decoded), List.of());
        switch (decoded.kind()) {
            case VALUE -> {
                assertEquals(new Position(PARTITION, OFFSET, TIMESTAMP), positionOf(decoded.value()));
                assertEquals(TIMESTAMP, decoded.kafkaTimestampMillis());
            }
            case LETTER -> {
                assertLetter(c, record, decoded.letter());
                assertEquals(
                        decoded.letter().id(),
                        decode(c.onEvents(), record).letter().id());
            }
            default -> assertThat(decoded.kind()).isEqualTo(DecodedRecord.Kind.IGNORED);
        }
    }

    static DecodedRecord<?> decode(boolean events, ConsumerRecord<byte[], byte[]> record) {
        if (events) {
            DecodedRecord<EngagementEvent> decoded = new DecodedRecord<>();
            new EventDecoder(DebeziumCase.EVENTS_TOPIC, DebeziumCase.MAX_RECORD_BYTES, CLOCK).decode(record, decoded);
            return decoded;
        }
        DecodedRecord<ContentChange> decoded = new DecodedRecord<>();
        new ContentDecoder(DebeziumCase.CONTENT_TOPIC, DebeziumCase.MAX_RECORD_BYTES, CLOCK).decode(record, decoded);
        return decoded;
    }

    private static void assertLetter(DebeziumCase c, ConsumerRecord<byte[], byte[]> record, DeadLetter letter) {
        assertThat(letter.payload()).as("%s: payload, byte for byte", c.name()).isEqualTo(c.value());
        assertEquals(new DeadLetter.Source(c.topic(), PARTITION, OFFSET, TIMESTAMP), letter.source());
        assertEquals("decode", letter.stage());
        assertEquals(1, letter.attempts());
        assertEquals(CLOCK.millis(), letter.failedAtMillis());
        assertEquals(DeadLetter.idOf(letter.source(), letter.stage(), letter.reason()), letter.id());
        assertThat(letter.error()).as(c.name()).isNotBlank();
        JsonNode word = c.expected().get("error_contains");
        if (word != null) {
            assertThat(letter.error()).as(c.name()).contains(word.textValue());
        }
        assertThat(payloadOf(DeadLetterJson.toBytes(letter, "test")))
                .as("%s: payload in the letter's JSON", c.name())
                .isEqualTo(c.value());
        List<String> kept = new ArrayList<>();
        letter.headers().forEach(h -> kept.add(h.key() + '=' + text(h.value())));
        List<String> sent = new ArrayList<>();
        record.headers().forEach(h -> sent.add(h.key() + '=' + text(h.value())));
        assertThat(kept).as("%s: headers", c.name()).isEqualTo(sent);
    }

    private static byte @Nullable [] payloadOf(byte[] letter) {
        try {
            JsonNode json = JSON.readTree(letter);
            JsonNode payload = json.get("payload");
            if (payload.isNull()) {
                return null;
            }
            return json.has("payload_encoding")
                    ? payload.binaryValue()
                    : payload.textValue().getBytes(StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    private static @Nullable String text(byte @Nullable [] bytes) {
        return bytes == null ? null : new String(bytes, StandardCharsets.UTF_8);
    }

    private static Position positionOf(Object value) {
        if (value instanceof EngagementEvent event) {
            return event.position();
        }
        if (value instanceof ContentChange.Put put) {
            return put.position();
        }
        return ((ContentChange.Delete) value).position();
    }

    private static void assertAsExpected(DebeziumCase c, Outcome outcome, List<String> except) {
        assertThat(outcome.kind() + (outcome.reason() == null ? "" : " " + outcome.reason()))
                .as(c.name())
                .isEqualTo(c.outcome() + reasonOf(c));
        Map<String, @Nullable Object> expected = expectedFields(c);
        except.forEach(expected::remove);
        assertThat(outcome.without(except).fields()).as(c.name()).isEqualTo(expected);
        JsonNode eventId = c.expected().get("event_id");
        if (eventId != null || outcome.reason() == Reason.INVALID) {
            assertThat(outcome.eventId())
                    .as("%s: event_id", c.name())
                    .isEqualTo(eventId == null ? null : eventId.longValue());
        }
    }

    private static String reasonOf(DebeziumCase c) {
        return c.outcome().equals(Outcome.DEAD_LETTER)
                ? " " + c.expected().get("reason").textValue()
                : "";
    }

    private static Map<String, @Nullable Object> expectedFields(DebeziumCase c) {
        Map<String, @Nullable Object> fields = new LinkedHashMap<>();
        if (!c.outcome().equals(Outcome.ACCEPTED)) {
            return fields;
        }
        JsonNode deleted = c.expected().get("deleted");
        if (deleted != null) {
            fields.put("deleted", deleted.textValue());
            return fields;
        }
        JsonNode row = c.expected().get(c.onEvents() ? "event" : "content");
        row.properties().forEach(field -> fields.put(field.getKey(), plain(c, field.getKey(), field.getValue())));
        if (!c.onEvents()) {
            fields.putIfAbsent("publish_ts_dropped", false);
            fields.putIfAbsent("unchanged", List.of());
        }
        return fields;
    }

    private static @Nullable Object plain(DebeziumCase c, String name, JsonNode node) {
        if (node.isNull()) {
            return null;
        }
        if (node.isTextual()) {
            return c.filled(node.textValue());
        }
        if (node.isBoolean()) {
            return node.booleanValue();
        }
        if (node.isArray()) {
            List<String> texts = new ArrayList<>();
            node.forEach(each -> texts.add(each.textValue()));
            return texts;
        }
        return switch (name) {
            case "duration_ms", "length_seconds" -> (Object) node.intValue();
            default -> (Object) node.longValue();
        };
    }
}
