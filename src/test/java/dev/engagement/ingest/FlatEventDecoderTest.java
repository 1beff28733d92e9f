package dev.engagement.ingest;

import static org.assertj.core.api.Assertions.assertThat;

import dev.engagement.deadletter.DeadLetter;
import dev.engagement.deadletter.Reason;
import dev.engagement.event.EngagementEvent;
import dev.engagement.event.EventId;
import dev.engagement.event.EventIdKind;
import dev.engagement.event.EventJson;
import dev.engagement.event.Position;
import dev.engagement.event.Samples;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class FlatEventDecoderTest {

    private static final Clock CLOCK = Clock.fixed(Instant.parse("2026-01-08T14:30:00Z"), ZoneOffset.UTC);
    private static final long TIMESTAMP = 1_767_882_112_400L;

    private final FlatEventDecoder decoder =
            new FlatEventDecoder("events", 1 << 20, new EventRules(EventIdKind.LONG, false), CLOCK);
    private final FlatEventDecoder strict =
            new FlatEventDecoder("events", 1 << 20, new EventRules(EventIdKind.LONG, true), CLOCK);
    private final DecodedRecord<EngagementEvent> decoded = new DecodedRecord<>();

    @Test
    void a_plain_event_is_no_row_of_a_snapshot_and_nobody_knows_when_it_was_committed() {
        assertThat(event("""
                {"id": 16, "content_id": "p-17", "user_id": "u-1", "event_type": "purchase",
                 "event_ts": "2026-01-08T15:21:52+01:00", "duration_ms": 7000, "device": "web",
                 "raw_payload": {"price": 12.50}}"""))
                .isEqualTo(new EngagementEvent(
                        16,
                        "p-17",
                        "u-1",
                        "purchase",
                        Samples.BASE_MICROS,
                        7_000,
                        "web",
                        "{\"price\": 12.50}",
                        false,
                        EngagementEvent.UNKNOWN_TIME,
                        new Position(3, 4_711, TIMESTAMP)));
        assertThat(decoded.kafkaTimestampMillis()).isEqualTo(TIMESTAMP);
    }

    @Test
    void fields_that_are_no_columns_are_the_payload_in_their_order_as_they_were_written() {
        assertThat(payload("""
                {"order":"o-1","id":1,"event_ts":"2026-01-08T14:21:52Z","amount" : 12.50,
                 "it\\u0065ms":[ {"sku":"a"} ],"note":null,"gift\\"wrap":true,"":{}}"""))
                .isEqualTo("{\"order\":\"o-1\",\"amount\" : 12.50,\"it\\u0065ms\":[ {\"sku\":\"a\"} ],\"note\":null,"
                        + "\"gift\\\"wrap\":true,\"\":{}}");
    }

    @Test
    void without_other_fields_there_is_no_payload() {
        assertThat(payload("{\"id\":1,\"event_ts\":\"2026-01-08T14:21:52Z\"}")).isNull();
        assertThat(payload("{\"id\":1,\"event_ts\":\"2026-01-08T14:21:52Z\",\"raw_payload\":null}"))
                .isNull();
    }

    @Test
    void an_event_with_a_payload_of_its_own_keeps_that_one() {
        assertThat(payload("{\"a\":1,\"id\":1,\"event_ts\":\"2026-01-08T14:21:52Z\",\"raw_payload\":\"[2]\",\"b\":3}"))
                .isEqualTo("[2]");
        assertThat(payload("{\"a\":1,\"id\":1,\"event_ts\":\"2026-01-08T14:21:52Z\",\"raw_payload\":null,\"b\":3}"))
                .isEqualTo("{\"a\":1,\"b\":3}");
    }

    @Test
    void words_of_an_envelope_are_a_shops_own_as_long_as_they_make_none() {
        assertThat(payload("""
                {"id":1,"event_ts":"2026-01-08T14:21:52Z","source":"mail","op":"x","payload":{"id":2},"before":1}""")).isEqualTo("{\"source\":\"mail\",\"op\":\"x\",\"payload\":{\"id\":2},\"before\":1}");
        assertThat(payload("{\"id\":1,\"event_ts\":\"2026-01-08T14:21:52Z\",\"after\":{\"id\":2}}"))
                .isEqualTo("{\"after\":{\"id\":2}}");
    }

    @Test
    void an_envelope_between_plain_events_is_decoded_as_one() {
        EngagementEvent sample = Samples.event(16, 1);
        decode(decoder, new String(EventJson.envelope(sample), StandardCharsets.UTF_8));
        assertThat(decoded.value().committedAtMillis()).isEqualTo(sample.committedAtMillis());
        assertThat(decoded.value().rawPayload()).isEqualTo(sample.rawPayload());

        decode(decoder, "{\"before\":{\"id\":16},\"after\":null,\"source\":{\"ts_ms\":7},\"op\":\"d\"}");
        assertThat(decoded.kind()).isEqualTo(DecodedRecord.Kind.IGNORED);
        assertThat(decoded.knownUntilMillis()).isEqualTo(7);
    }

    @Test
    void nothing_of_an_envelope_or_of_an_event_shows_in_the_next_one() {
        decode(decoder, new String(EventJson.envelope(Samples.event(16, 1)), StandardCharsets.UTF_8));
        assertThat(payload("{\"a\":1,\"id\":1,\"event_ts\":\"2026-01-08T14:21:52Z\"}"))
                .isEqualTo("{\"a\":1}");
        assertThat(event("{\"id\":2,\"event_ts\":\"2026-01-08T14:21:52Z\"}"))
                .extracting(EngagementEvent::contentId, EngagementEvent::rawPayload, EngagementEvent::device)
                .containsOnlyNulls();
    }

    @Test
    void a_tombstone_is_ignored() {
        decode(decoder, null);
        assertThat(decoded.kind()).isEqualTo(DecodedRecord.Kind.IGNORED);
    }

    @Test
    void without_a_content_id_an_event_is_invalid_only_where_it_must_have_one() {
        String without = "{\"id\":1,\"event_ts\":\"2026-01-08T14:21:52Z\"}";
        assertThat(event(without).contentId()).isNull();

        DeadLetter letter = letter(strict, without);
        assertThat(letter.reason()).isEqualTo(Reason.INVALID);
        assertThat(letter.error()).isEqualTo("content_id is missing: an event without a content cannot be enriched");
        assertThat(letter.eventId()).isEqualTo(EventId.of(1));
        assertThat(new String(letter.payload(), StandardCharsets.UTF_8)).isEqualTo(without);
    }

    @Test
    void an_empty_content_id_is_no_way_to_say_that_there_is_none() {
        String empty = "{\"id\":1,\"event_ts\":\"2026-01-08T14:21:52Z\",\"content_id\":\"\"}";
        assertThat(letter(decoder, empty).error())
                .isEqualTo("content_id is an empty text; where an event has no content, leave it out or write null");
        decode(strict, empty);
        assertThat(decoded.kind()).isEqualTo(DecodedRecord.Kind.VALUE);
    }

    @Test
    void what_breaks_a_rule_of_rows_is_the_same_letter() {
        assertThat(letter(decoder, "{\"event_ts\":\"2026-01-08T14:21:52Z\",\"a\":1}")
                        .error())
                .isEqualTo("id is missing");
        assertThat(letter(decoder, "{\"id\":1}").error()).isEqualTo("event_ts is missing");
        assertThat(letter(decoder, "{\"id\":1,\"event_ts\":1767882112400}").error())
                .isEqualTo(
                        "event_ts is '1767882112400'; it must be an ISO-8601 time with a zone, within years 1..9999");
        assertThat(letter(decoder, "[{\"id\":1}]").reason()).isEqualTo(Reason.UNDECODABLE);
        assertThat(letter(decoder, "{\"id\":1,\"a\":tru}").reason()).isEqualTo(Reason.UNDECODABLE);
        assertThat(letter(decoder, "{\"id\":1,\"a\":\"" + "x".repeat(1 << 20) + "\"}")
                        .reason())
                .isEqualTo(Reason.OVERSIZE);
    }

    private @Nullable String payload(String value) {
        return event(value).rawPayload();
    }

    private EngagementEvent event(String value) {
        decode(decoder, value);
        return decoded.value();
    }

    private DeadLetter letter(FlatEventDecoder by, String value) {
        decode(by, value);
        return decoded.letter();
    }

    private void decode(FlatEventDecoder by, @Nullable String value) {
        ConsumerRecord<byte[], byte[]> record = DebeziumCase.record(
                "events",
                null,
                value == null ? null : value.getBytes(StandardCharsets.UTF_8),
                new RecordHeaders(),
                3,
                4_711,
                TIMESTAMP);
        by.decode(record, decoded);
    }
}
