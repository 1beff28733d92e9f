package dev.engagement.ingest;

import dev.engagement.deadletter.Reason;
import dev.engagement.event.Content;
import dev.engagement.event.ContentChange;
import dev.engagement.event.EngagementEvent;
import dev.engagement.event.EventId;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * What became of one record, in a form that the corpus, the tree oracle and the decoders can all be brought to.
 *
 * @param kind {@code accepted}, {@code ignored} or {@code dead-letter}
 * @param reason of a dead letter
 * @param eventId of a dead letter, if it is known
 * @param fields of what was accepted, under the names that the corpus uses; empty otherwise
 */
record Outcome(
        String kind, @Nullable Reason reason, @Nullable Long eventId, Map<String, @Nullable Object> fields) {

    static final String ACCEPTED = "accepted";
    static final String IGNORED = "ignored";
    static final String DEAD_LETTER = "dead-letter";

    private static final DateTimeFormatter SIX_DIGITS =
            DateTimeFormatter.ofPattern("uuuu-MM-dd'T'HH:mm:ss.SSSSSS'Z'", Locale.ROOT);

    Outcome {
        fields = Collections.unmodifiableMap(new LinkedHashMap<>(fields));
    }

    static Outcome accepted(Map<String, @Nullable Object> fields) {
        return new Outcome(ACCEPTED, null, null, fields);
    }

    static Outcome ignored() {
        return new Outcome(IGNORED, null, null, Map.of());
    }

    static Outcome dead(Reason reason, @Nullable Long eventId) {
        return new Outcome(DEAD_LETTER, reason, eventId, Map.of());
    }

    /** What a decoder said. */
    static Outcome of(DecodedRecord<?> decoded) {
        return switch (decoded.kind()) {
            case VALUE -> accepted(fieldsOf(decoded.value(), decoded.publishTsDropped()));
            case IGNORED -> ignored();
            case LETTER ->
                dead(decoded.letter().reason(), numberOf(decoded.letter().eventId()));
            case READ_TO_END -> throw new AssertionError("A record is not the end of a partition");
        };
    }

    private static @Nullable Long numberOf(@Nullable EventId id) {
        return id == null ? null : (Long) id.number();
    }

    private static Map<String, @Nullable Object> fieldsOf(Object value, boolean publishTsDropped) {
        Map<String, @Nullable Object> fields = new LinkedHashMap<>();
        if (value instanceof EngagementEvent event) {
            fields.put("id", event.id());
            fields.put("content_id", event.contentId());
            fields.put("user_id", event.userId());
            fields.put("event_type", event.eventType());
            fields.put("event_ts", isoOfMicros(event.eventTsMicros()));
            fields.put("duration_ms", event.hasDuration() ? (Integer) event.durationMs() : null);
            fields.put("device", event.device());
            fields.put("raw_payload", event.rawPayload());
            fields.put("op", event.snapshot() ? "r" : "c");
            fields.put("committed_at_millis", event.committedAtMillis());
        } else if (value instanceof ContentChange.Put put) {
            Content content = put.content();
            fields.put("id", content.id());
            fields.put("slug", content.slug());
            fields.put("title", content.title());
            fields.put("content_type", content.contentType());
            fields.put("length_seconds", content.lengthSeconds());
            Long micros = content.publishTsMicros();
            fields.put("publish_ts", micros == null ? null : isoOfMicros(micros));
            fields.put("publish_ts_dropped", publishTsDropped);
            fields.put(
                    "unchanged",
                    Stream.of(
                                    put.unchanged().slug() ? "slug" : "",
                                    put.unchanged().title() ? "title" : "")
                            .filter(column -> !column.isEmpty())
                            .toList());
        } else if (value instanceof ContentChange.Delete delete) {
            fields.put("deleted", delete.contentId());
        } else {
            throw new AssertionError("No record means " + value);
        }
        return fields;
    }

    /** ISO-8601 in UTC with six digits. */
    static String isoOfMicros(long micros) {
        return SIX_DIGITS.format(
                Instant.ofEpochSecond(Math.floorDiv(micros, 1_000_000L), Math.floorMod(micros, 1_000_000L) * 1_000L)
                        .atOffset(ZoneOffset.UTC));
    }

    /** The same without some fields. */
    Outcome without(List<String> names) {
        Map<String, @Nullable Object> rest = new LinkedHashMap<>(fields);
        names.forEach(rest::remove);
        return new Outcome(kind, reason, eventId, rest);
    }
}
