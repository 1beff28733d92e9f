package dev.engagement.ingest;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import dev.engagement.deadletter.Reason;
import dev.engagement.event.Content;
import dev.engagement.event.ContentChange;
import dev.engagement.event.Position;
import dev.engagement.event.Timestamps;
import java.io.IOException;
import java.time.Clock;
import java.util.Set;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.jspecify.annotations.Nullable;

/**
 * Decodes the content topic: {@code op} c, r and u put a content, d and tombstones delete it, t and m are ignored.
 *
 * <p>A {@code publish_ts} that is no time within years 1..9999 becomes null and is marked on the record; the content
 * stays usable. INVALID: no usable {@code id}, or a field of another type than its column's.
 */
public final class ContentDecoder extends EnvelopeDecoder<ContentChange> {

    /** What Debezium writes for a large text that an update did not touch. */
    private static final String UNAVAILABLE = "__debezium_unavailable_value";

    private static final Set<String> COLUMNS =
            Set.of("id", "slug", "title", "content_type", "length_seconds", "publish_ts");

    private static final int ID = 0;
    private static final int SLUG = 1;
    private static final int TITLE = 2;
    private static final int CONTENT_TYPE = 3;
    private static final int LENGTH_SECONDS = 4;
    private static final int BEFORE_ID = 5;

    private @Nullable String id;
    private @Nullable String slug;
    private @Nullable String title;
    private @Nullable String contentType;
    private @Nullable Integer lengthSeconds;
    private @Nullable Long publishTsMicros;
    private boolean publishTsDropped;
    private @Nullable String beforeId;

    /**
     * Makes a decoder.
     *
     * @param topic named in dead letters
     * @param maxRecordBytes largest accepted value
     * @param clock says when a letter was written
     */
    public ContentDecoder(String topic, long maxRecordBytes, Clock clock) {
        this(topic, maxRecordBytes, clock, RecordFormat.JSON);
    }

    /** @param format what the records may be */
    ContentDecoder(String topic, long maxRecordBytes, Clock clock, RecordFormat format) {
        super(topic, maxRecordBytes, clock, format, COLUMNS);
    }

    @Override
    public boolean readsKeys() {
        return true;
    }

    @Override
    void clearRow() {
        id = null;
        slug = null;
        title = null;
        contentType = null;
        lengthSeconds = null;
        publishTsMicros = null;
        publishTsDropped = false;
    }

    @Override
    void readRowField(String name, JsonParser parser) throws IOException {
        switch (name) {
            case "id" -> id = orNone(identifier(parser, ID, name));
            case "slug" -> slug = text(parser, SLUG, name);
            case "title" -> title = text(parser, TITLE, name);
            case "content_type" -> contentType = text(parser, CONTENT_TYPE, name);
            case "length_seconds" -> lengthSeconds = integer(parser, LENGTH_SECONDS, name);
            case "publish_ts" -> readPublishTs(parser);
            default -> parser.skipChildren();
        }
    }

    private void readPublishTs(JsonParser parser) throws IOException {
        JsonToken token = parser.currentToken();
        long micros = time(parser);
        parser.skipChildren();
        publishTsMicros = micros == Timestamps.INVALID ? null : (Long) micros;
        publishTsDropped = publishTsMicros == null && token != JsonToken.VALUE_NULL;
    }

    @Override
    boolean readsBefore() {
        return true;
    }

    @Override
    void clearBefore() {
        beforeId = null;
    }

    @Override
    void readBeforeField(String name, JsonParser parser) throws IOException {
        if (name.equals("id")) {
            beforeId = orNone(identifier(parser, BEFORE_ID, name));
            good(BEFORE_ID);
        } else {
            parser.skipChildren();
        }
    }

    @Override
    void tombstone(ConsumerRecord<byte[], byte[]> record, DecodedRecord<ContentChange> out) {
        String key = orNone(idOfKey(record));
        if (key == null) {
            undecodable(record, "a tombstone whose key has no id", out);
        } else {
            out.accept(new ContentChange.Delete(key, position(record)), record.timestamp());
        }
    }

    @Override
    void judge(ConsumerRecord<byte[], byte[]> record, Op op, DecodedRecord<ContentChange> out) {
        switch (op) {
            case CREATE, READ, UPDATE -> put(record, out);
            case DELETE -> {
                String deleted = beforeId == null ? orNone(idOfKey(record)) : beforeId;
                if (deleted == null) {
                    undecodable(record, "a delete with an id neither in before nor in its key", out);
                } else {
                    out.accept(new ContentChange.Delete(deleted, position(record)), record.timestamp());
                }
            }
            case TRUNCATE, MESSAGE -> out.ignore();
        }
    }

    /** An empty text is no id: Debezium writes it where a key did not come. */
    private static @Nullable String orNone(@Nullable String id) {
        return id == null || id.isEmpty() ? null : id;
    }

    private void put(ConsumerRecord<byte[], byte[]> record, DecodedRecord<ContentChange> out) {
        if (!hasAfter()) {
            undecodable(record, "the envelope has no after", out);
            return;
        }
        String problem = problem();
        if (problem != null || id == null) {
            reject(record, Reason.INVALID, problem == null ? "id is missing" : problem, null, out);
            return;
        }
        boolean slugLeftOut = UNAVAILABLE.equals(slug);
        boolean titleLeftOut = UNAVAILABLE.equals(title);
        out.accept(
                new ContentChange.Put(
                        new Content(
                                id,
                                slugLeftOut ? null : slug,
                                titleLeftOut ? null : title,
                                contentType,
                                lengthSeconds,
                                publishTsMicros),
                        slugLeftOut || titleLeftOut
                                ? new ContentChange.Unchanged(slugLeftOut, titleLeftOut)
                                : ContentChange.Unchanged.NOTHING,
                        position(record)),
                record.timestamp());
        if (publishTsDropped) {
            out.markPublishTsDropped();
        }
    }

    private static Position position(ConsumerRecord<byte[], byte[]> record) {
        return new Position(record.partition(), record.offset(), record.timestamp());
    }
}
