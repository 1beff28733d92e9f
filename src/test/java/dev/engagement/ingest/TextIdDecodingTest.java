package dev.engagement.ingest;

import static org.assertj.core.api.Assertions.assertThat;

import dev.engagement.deadletter.Reason;
import dev.engagement.event.EngagementEvent;
import dev.engagement.event.EventId;
import dev.engagement.event.EventIdKind;
import dev.engagement.event.EventJson;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TextIdDecodingTest {

    private static final String LONGEST = "x".repeat(128);

    private final EventDecoder texts =
            new EventDecoder("events", 1 << 20, new EventRules(EventIdKind.TEXT, true), Clock.systemUTC());
    private final EventDecoder numbers = new EventDecoder("events", 1 << 20, Clock.systemUTC());

    @ParameterizedTest
    @ValueSource(strings = {"0190a5b0-7c3e-7d4a-8f00-000000000001", "01J0ABCXYZ", "a", "-", "_", "17", "A_b-9"})
    void a_text_of_the_alphabet_is_an_id(String id) {
        EngagementEvent event = decoded(texts, '"' + id + '"').value();
        assertThat(event.textId()).isEqualTo(id);
        assertThat(event.id()).isEqualTo(EventId.hash(id));
        assertThat(new String(EventJson.envelope(event), StandardCharsets.UTF_8))
                .contains("\"id\":\"" + id + '"');
    }

    @Test
    void the_longest_has_128_characters() {
        assertThat(decoded(texts, '"' + LONGEST + '"').kind()).isEqualTo(DecodedRecord.Kind.VALUE);
        assertThat(decoded(texts, '"' + LONGEST + "x\"").kind()).isEqualTo(DecodedRecord.Kind.LETTER);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"\"\"", "\"a b\"", "\"ä\"", "\"a.b\"", "\"a\\u0000\"", "17", "1.5", "true", "{}", "[\"a\"]"})
    void anything_else_is_invalid_and_says_what_an_id_is(String id) {
        DecodedRecord<EngagementEvent> decoded = decoded(texts, id);
        assertThat(decoded.kind()).isEqualTo(DecodedRecord.Kind.LETTER);
        assertThat(decoded.letter().reason()).isEqualTo(Reason.INVALID);
        assertThat(decoded.letter().eventId()).isNull();
        assertThat(decoded.letter().error())
                .contains("it must be a text of 1 to 128 characters of A-Z, a-z, 0-9, _ and -");
    }

    @Test
    void a_letter_of_an_event_has_its_text() {
        DecodedRecord<EngagementEvent> decoded = new DecodedRecord<>();
        texts.decode(record("{\"id\":\"e_1\",\"content_id\":\"c\"}"), decoded);
        assertThat(decoded.letter().error()).isEqualTo("event_ts is missing");
        assertThat(decoded.letter().eventId()).isEqualTo(EventId.of("e_1"));
    }

    @Test
    void a_text_is_invalid_where_ids_are_numbers() {
        assertThat(decoded(numbers, "\"17\"").letter().error()).contains("it must be a whole number of 64 bits");
        assertThat(decoded(numbers, "17").value().textId()).isNull();
    }

    private static DecodedRecord<EngagementEvent> decoded(EventDecoder decoder, String id) {
        DecodedRecord<EngagementEvent> decoded = new DecodedRecord<>();
        decoder.decode(
                record("{\"id\":" + id + ",\"content_id\":\"c\",\"event_ts\":\"2026-01-08T14:21:52Z\"}"), decoded);
        return decoded;
    }

    private static ConsumerRecord<byte[], byte[]> record(String row) {
        byte[] value = ("{\"after\":" + row + ",\"op\":\"c\"}").getBytes(StandardCharsets.UTF_8);
        return new ConsumerRecord<>("events", 0, 0, null, value);
    }
}
