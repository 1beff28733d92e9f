package dev.engagement.ingest;

import static org.assertj.core.api.Assertions.assertThat;

import dev.engagement.event.EngagementEvent;
import dev.engagement.event.EventIdKind;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.apache.kafka.common.header.internals.RecordHeaders;

/** A plain event is what the row of the same fields is in an envelope, and its other fields are its payload. */
class FlatEventProperties {

    private static final Clock CLOCK = Clock.fixed(Instant.parse("2026-01-08T14:30:00Z"), ZoneOffset.UTC);
    private static final Set<String> COLUMNS =
            Set.of("id", "content_id", "user_id", "event_type", "event_ts", "duration_ms", "device", "raw_payload");

    /**
     * A field of an object.
     *
     * @param name as it is after its escapes
     * @param json the field as it is written
     */
    record Field(String name, String json, boolean isNull) {}

    @Property(tries = 2_000)
    void it_is_what_its_row_is(@ForAll("fields") List<Field> fields, @ForAll boolean contentRequired) {
        List<Field> others =
                fields.stream().filter(field -> !COLUMNS.contains(field.name())).toList();
        boolean hasPayload = fields.stream()
                .filter(field -> field.name().equals("raw_payload"))
                .reduce((first, last) -> last)
                .map(field -> !field.isNull())
                .orElse(false);
        List<Field> row = new ArrayList<>(fields);
        if (!hasPayload && !others.isEmpty()) {
            String payload = others.stream().map(Field::json).collect(Collectors.joining(",", "{", "}"));
            row.add(new Field("raw_payload", "\"raw_payload\":" + payload, false));
        }
        DecodedRecord<EngagementEvent> expected = new DecodedRecord<>();
        new EventDecoder("events", 1 << 20, new EventRules(EventIdKind.LONG, contentRequired), CLOCK)
                .decode(record("{\"op\":\"c\",\"after\":" + object(row) + "}"), expected);

        DecodedRecord<EngagementEvent> found = new DecodedRecord<>();
        new FlatEventDecoder("events", 1 << 20, new EventRules(EventIdKind.LONG, contentRequired), CLOCK)
                .decode(record(object(fields)), found);

        assertThat(Outcome.of(found)).isEqualTo(Outcome.of(expected));
        if (found.kind() == DecodedRecord.Kind.LETTER) {
            assertThat(found.letter().error()).isEqualTo(expected.letter().error());
        } else {
            assertThat(found.value()).isEqualTo(expected.value());
        }
    }

    /** Whatever the bytes are: an event or a letter with these bytes, and nothing of them in the next event. */
    @Property(tries = 2_000)
    void any_bytes_are_an_event_or_a_letter(
            @ForAll("fields") List<Field> fields, @ForAll int at, @ForAll byte to, @ForAll boolean cut) {
        byte[] bytes = object(fields).getBytes(StandardCharsets.UTF_8);
        int place = Math.floorMod(at, bytes.length);
        byte[] broken = cut ? java.util.Arrays.copyOf(bytes, place) : bytes;
        if (!cut) {
            broken[place] = to;
        }
        FlatEventDecoder decoder =
                new FlatEventDecoder("events", 1 << 20, new EventRules(EventIdKind.LONG, false), CLOCK);
        DecodedRecord<EngagementEvent> decoded = new DecodedRecord<>();
        decoder.decode(DebeziumCase.record("events", null, broken, new RecordHeaders(), 0, 7, 11), decoded);

        if (decoded.kind() == DecodedRecord.Kind.LETTER) {
            assertThat(decoded.letter().payload()).isEqualTo(broken);
        } else {
            assertThat(decoded.kind()).isEqualTo(DecodedRecord.Kind.VALUE);
        }
        decoder.decode(record("{\"id\":1,\"event_ts\":\"2026-01-08T14:21:52Z\",\"a\":1}"), decoded);
        assertThat(decoded.value().rawPayload()).isEqualTo("{\"a\":1}");
        assertThat(decoded.value().contentId()).isNull();
    }

    private static org.apache.kafka.clients.consumer.ConsumerRecord<byte[], byte[]> record(String value) {
        return DebeziumCase.record(
                "events", null, value.getBytes(StandardCharsets.UTF_8), new RecordHeaders(), 0, 7, 11);
    }

    private static String object(List<Field> fields) {
        return fields.stream().map(Field::json).collect(Collectors.joining(",", "{", "}"));
    }

    @Provide
    Arbitrary<List<Field>> fields() {
        Arbitrary<List<Field>> some = Arbitraries.oneOf(
                        field("content_id", "\"p-1\"", "7", "null", "\"\"", "{}", "true"),
                        field("user_id", "\"u\"", "null", "[]"),
                        field("event_type", "\"purchase\"", "null", "\"\\u00fc\"", "1"),
                        field("duration_ms", "7000", "-1", "null", "1.5", "\"7\"", "99999999999"),
                        field("device", "\"web\"", "\"\\uD83D\\uDE00\"", "\"\\uD83D\"", "false"),
                        field("raw_payload", "null", "{\"a\": 1}", "\"[1]\"", "\"x\"", "5", "[\"\\uDE00\"]"),
                        field("amount", "12.50", "1e400", "-0", "null"),
                        field("items", "[ {\"sku\": \"a\", \"id\": 5} ]", "[]", "{\"x\":{\"y\":[1,2]}}"),
                        field("source", "\"mail\"", "{\"ts_ms\":7}"),
                        field("op", "\"c\"", "1"),
                        field("payload", "{\"id\":9}", "null"),
                        field("\u00e4\"\\\uD83D\uDE00", "\"\u00fc\"", "\"\\uD83D\""),
                        field("", "1"))
                .list()
                .ofMaxSize(8);
        Arbitrary<List<Field>> needed = Combinators.combine(
                        field("id", "1", "-9223372036854775808", "1", "\"1\"", "null", "9223372036854775808"),
                        field(
                                "event_ts",
                                "\"2026-01-08T14:21:52Z\"",
                                "\"2026-01-08 14:21:52+01\"",
                                "\"infinity\"",
                                "1767882112",
                                "null"))
                .as(List::of);
        return Combinators.combine(needed, some)
                .as((first, second) -> {
                    List<Field> all = new ArrayList<>(first);
                    all.addAll(second);
                    return all;
                })
                .flatMap(Arbitraries::shuffle);
    }

    private static Arbitrary<Field> field(String name, String... values) {
        Arbitrary<String> spaces = Arbitraries.of("", "", " ", "\n\t ");
        return Combinators.combine(Arbitraries.of(values), spaces, spaces, Arbitraries.of(false, false, true))
                .as((value, before, behind, escaped) ->
                        new Field(name, quoted(name, escaped) + before + ':' + behind + value, value.equals("null")));
    }

    private static String quoted(String name, boolean escaped) {
        StringBuilder text = new StringBuilder("\"");
        name.chars().forEach(c -> {
            if (escaped || c == '"' || c == '\\') {
                text.append(String.format("\\u%04x", c));
            } else {
                text.append((char) c);
            }
        });
        return text.append('"').toString();
    }
}
