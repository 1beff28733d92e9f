package dev.engagement.source;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.engagement.event.ContentChange;
import dev.engagement.event.EngagementEvent;
import dev.engagement.ingest.ContentDecoder;
import dev.engagement.ingest.DecodedRecord;
import dev.engagement.ingest.EventDecoder;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.Optional;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.record.TimestampType;
import org.jspecify.annotations.Nullable;

/**
 * A row means what its captured envelope means. The envelope is put together here, in the shape that Flink CDC writes, and read
 * by the decoder of the topic.
 */
class RowDecoderProperties {

    private static final long LIMIT = 2_000;
    private static final long READ_AT = 1_767_884_512_000L;
    private static final Clock CLOCK = Clock.fixed(Instant.ofEpochMilli(READ_AT), ZoneOffset.UTC);
    private static final ObjectMapper MAPPER = new ObjectMapper();

    private final RowDecoder rows = new RowDecoder("events", "content", LIMIT, true, READ_AT, CLOCK);

    @Provide
    Arbitrary<EventRow> eventRows() {
        Arbitrary<String> ids = Arbitraries.of("00000000-0000-0000-0000-000000000007", "42", "-1");
        Arbitrary<String> words = Arbitraries.strings()
                .withChars("ab\"\\\u0001é€")
                .withChars('\u2028')
                .ofMaxLength(8)
                .injectNull(0.1);
        // PostgreSQL's own texts of a timestamptz, in UTC.
        Arbitrary<String> times = Arbitraries.of(
                "2026-01-08 14:21:52+00",
                "2026-01-08 14:21:52.1+00",
                "2026-01-08 14:21:52.123456+00",
                "0001-01-01 00:00:00+00",
                "9999-12-31 23:59:59.999999+00",
                "infinity",
                "-infinity",
                "10000-01-01 00:00:00+00",
                "0044-03-15 12:00:00+00 BC");
        Arbitrary<String> payloads = Arbitraries.of(
                        "{\"n\": 1}",
                        "null",
                        "[1, 2.50, 1e400]",
                        "\"text\"",
                        "{",
                        "",
                        "[".repeat(1_001) + "]".repeat(1_001),
                        "\"" + "x".repeat(3_000) + "\"",
                        "\"" + "€".repeat(400) + "\"")
                .injectNull(0.2);
        return Combinators.combine(
                        Arbitraries.longs(),
                        ids.injectNull(0.1),
                        ids.injectNull(0.2),
                        words,
                        times,
                        Arbitraries.of(0, 1, 7_000, Integer.MAX_VALUE, -1, Integer.MIN_VALUE)
                                .injectNull(0.2),
                        words,
                        payloads)
                .as(EventRow::new);
    }

    @Property(tries = 2_000)
    void anEventIsWhatItsCapturedEnvelopeGives(@ForAll("eventRows") EventRow row) {
        ObjectNode after = MAPPER.createObjectNode();
        after.put("id", row.id());
        after.put("content_id", row.contentId());
        after.put("user_id", row.userId());
        after.put("event_type", row.eventType());
        after.put("event_ts", zoned(row.eventTs()));
        after.put("duration_ms", row.durationMs());
        after.put("device", row.device());
        after.put("raw_payload", row.rawPayload());
        DecodedRecord<EngagementEvent> expected = new DecodedRecord<>();
        new EventDecoder("events", LIMIT, CLOCK).decode(record("events", row.id(), captured(after)), expected);
        DecodedRecord<EngagementEvent> found = new DecodedRecord<>();

        rows.decode(row, found);

        assertThat(found.kind()).isEqualTo(expected.kind());
        if (expected.kind() == DecodedRecord.Kind.VALUE) {
            assertThat(found.value()).isEqualTo(expected.value());
            assertThat(found.kafkaTimestampMillis()).isEqualTo(expected.kafkaTimestampMillis());
        } else {
            assertThat(found.letter().reason()).isEqualTo(expected.letter().reason());
            assertThat(found.letter().eventId()).isEqualTo(expected.letter().eventId());
            assertThat(found.letter().id()).isEqualTo(expected.letter().id());
            // A letter's payload is put back byte for byte: it has to mean the row.
            DecodedRecord<EngagementEvent> again = new DecodedRecord<>();
            byte[] payload = Optional.ofNullable(found.letter().payload()).orElseThrow();
            new EventDecoder("events", LIMIT, CLOCK).decode(record("events", row.id(), payload), again);
            assertThat(again.letter().reason()).isEqualTo(expected.letter().reason());
        }
    }

    /** What a backfill publishes is read by the stream as the same event. */
    @Property
    void anEventIsWhatItsPublishedEnvelopeGives(@ForAll("eventRows") EventRow row) {
        DecodedRecord<EngagementEvent> expected = new DecodedRecord<>();
        rows.decode(row, expected);
        DecodedRecord<EngagementEvent> found = new DecodedRecord<>();

        new EventDecoder("events", LIMIT, CLOCK).decode(record("events", row.id(), RowJson.envelope(row)), found);

        assertThat(found.kind()).isEqualTo(expected.kind());
        if (expected.kind() == DecodedRecord.Kind.VALUE) {
            assertThat(found.value()).isEqualTo(expected.value());
        }
    }

    @Property
    void aContentIsWhatItsCapturedEnvelopeGives(
            @ForAll("contentTimes") @Nullable String publishTs, @ForAll boolean hasLength, @ForAll boolean hasTexts) {
        ContentRow row = new ContentRow(
                "42",
                hasTexts ? "slug" : null,
                hasTexts ? "Title \"€\"" : null,
                hasTexts ? "video" : null,
                hasLength ? 300 : null,
                publishTs);
        ObjectNode after = MAPPER.createObjectNode();
        // A BIGINT is a number in an envelope, and the same text in the end.
        after.put("id", 42);
        after.put("slug", row.slug());
        after.put("title", row.title());
        after.put("content_type", row.contentType());
        after.put("length_seconds", row.lengthSeconds());
        after.put("publish_ts", publishTs == null ? null : zoned(publishTs));
        DecodedRecord<ContentChange> expected = new DecodedRecord<>();
        new ContentDecoder("content", LIMIT, CLOCK).decode(record("content", 5, captured(after)), expected);
        DecodedRecord<ContentChange> found = new DecodedRecord<>();

        rows.decode(row, 5, found);

        assertThat(found.value()).isEqualTo(expected.value());
        assertThat(found.publishTsDropped()).isEqualTo(expected.publishTsDropped());
    }

    @Provide
    Arbitrary<String> contentTimes() {
        return Arbitraries.of("2026-01-08 14:21:52.5+00", "infinity", "0044-03-15 12:00:00+00 BC")
                .injectNull(0.2);
    }

    /** As Flink CDC writes a timestamptz. */
    private static String zoned(String postgres) {
        return postgres.endsWith("+00") && postgres.charAt(4) == '-'
                ? postgres.substring(0, 10) + "T" + postgres.substring(11, postgres.length() - 3) + "Z"
                : postgres;
    }

    private static byte[] captured(ObjectNode after) {
        ObjectNode envelope = MAPPER.createObjectNode();
        envelope.putNull("before");
        envelope.set("after", after);
        envelope.putObject("source").put("ts_ms", 0).put("snapshot", "false").put("lsn", 0);
        envelope.put("op", "r");
        envelope.put("ts_ms", 0);
        return envelope.toString().getBytes(StandardCharsets.UTF_8);
    }

    private static ConsumerRecord<byte[], byte[]> record(String topic, long offset, byte[] value) {
        return new ConsumerRecord<>(
                topic,
                RowDecoder.NO_PARTITION,
                offset,
                READ_AT,
                TimestampType.CREATE_TIME,
                ConsumerRecord.NULL_SIZE,
                value.length,
                null,
                value,
                new RecordHeaders(),
                Optional.empty());
    }
}
