package dev.engagement.ingest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.engagement.deadletter.DeadLetter;
import dev.engagement.event.Content;
import dev.engagement.event.ContentChange;
import dev.engagement.event.EngagementEvent;
import dev.engagement.event.Position;
import java.time.Instant;
import java.util.List;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The writer of Connect's shapes writes what the decoders read, so that a test may rely on it. */
class EnvelopeShapesTest {

    private static final Instant COMMITTED = Instant.parse("2026-01-08T14:21:52.345678Z");
    private static final long COMMITTED_MILLIS = COMMITTED.toEpochMilli();
    private static final Position AT = new Position(0, 5, 9);

    private static final EnvelopeShapes.EventRow EVENT = new EnvelopeShapes.EventRow(
            16,
            "6f1c1c52-8f0e-4f5e-9d2c-0d3c2b7a9e11",
            null,
            "play",
            Instant.parse("2026-01-08T14:21:52Z"),
            7000,
            "Télé 📺",
            "{\"app\": \"ios\"}");
    private static final EnvelopeShapes.ContentRow CONTENT = new EnvelopeShapes.ContentRow(
            "6f1c1c52-8f0e-4f5e-9d2c-0d3c2b7a9e11",
            "why-streams-win",
            "Why streams win",
            "video",
            null,
            Instant.parse("2025-11-03T09:00:05.5Z"));

    @ParameterizedTest
    @EnumSource
    void events_are_read_back(EnvelopeShapes.Schemas schemas) {
        EnvelopeShapes shapes = new EnvelopeShapes("dbserver1", schemas);

        assertEquals(
                new EngagementEvent(
                        16,
                        "6f1c1c52-8f0e-4f5e-9d2c-0d3c2b7a9e11",
                        null,
                        "play",
                        1_767_882_112_000_000L,
                        7000,
                        "Télé 📺",
                        "{\"app\": \"ios\"}",
                        false,
                        COMMITTED_MILLIS,
                        AT),
                decode(true, shapes.insert(EVENT, COMMITTED)).value());
        assertThat(((EngagementEvent)
                                decode(true, shapes.snapshot(EVENT, COMMITTED)).value())
                        .snapshot())
                .isTrue();
        for (EnvelopeShapes.Message ignored :
                List.of(shapes.update(EVENT, COMMITTED), shapes.delete(EVENT, COMMITTED), shapes.tombstone(EVENT))) {
            assertEquals(DecodedRecord.Kind.IGNORED, decode(true, ignored).kind());
        }
    }

    @ParameterizedTest
    @EnumSource
    void contents_are_read_back(EnvelopeShapes.Schemas schemas) {
        EnvelopeShapes shapes = new EnvelopeShapes("dbserver1", schemas);
        Content row = new Content(
                "6f1c1c52-8f0e-4f5e-9d2c-0d3c2b7a9e11",
                "why-streams-win",
                "Why streams win",
                "video",
                null,
                1_762_160_405_500_000L);
        ContentChange.Put put = new ContentChange.Put(row, ContentChange.Unchanged.NOTHING, AT);

        for (EnvelopeShapes.Message message : List.of(
                shapes.insert(CONTENT, COMMITTED),
                shapes.snapshot(CONTENT, COMMITTED),
                shapes.update(CONTENT, COMMITTED))) {
            assertEquals(put, decode(false, message).value());
        }
        ContentChange.Put withoutTitle = (ContentChange.Put)
                decode(false, shapes.updateWithoutTitle(CONTENT, COMMITTED)).value();
        assertEquals(new ContentChange.Unchanged(false, true), withoutTitle.unchanged());
        for (EnvelopeShapes.Message message : List.of(shapes.delete(CONTENT, COMMITTED), shapes.tombstone(CONTENT))) {
            assertEquals(
                    new ContentChange.Delete(row.id(), AT),
                    decode(false, message).value());
        }
    }

    @ParameterizedTest
    @EnumSource
    void bigint_ids_are_read_back_as_text(EnvelopeShapes.Schemas schemas) {
        EnvelopeShapes shapes = new EnvelopeShapes("dbserver1", schemas);
        EnvelopeShapes.ContentRow content =
                new EnvelopeShapes.ContentRow(4711L, "s", "t", "video", 300, Instant.parse("2025-11-03T09:00:00Z"));

        assertEquals(
                new ContentChange.Delete("4711", AT),
                decode(false, shapes.tombstone(content)).value());
        assertEquals(
                "4711",
                ((ContentChange.Put)
                                decode(false, shapes.insert(content, COMMITTED)).value())
                        .content()
                        .id());
    }

    private static DecodedRecord<?> decode(boolean events, EnvelopeShapes.Message message) {
        DecodedRecord<?> decoded = DebeziumCorpusTest.decode(
                events,
                DebeziumCase.record(
                        events ? DebeziumCase.EVENTS_TOPIC : DebeziumCase.CONTENT_TOPIC,
                        message.key(),
                        message.value(),
                        new RecordHeaders(),
                        AT.partition(),
                        AT.offset(),
                        AT.timestampMillis()));
        if (decoded.kind() == DecodedRecord.Kind.LETTER) {
            DeadLetter letter = decoded.letter();
            throw new AssertionError(letter.reason() + ": " + letter.error());
        }
        return decoded;
    }
}
