package dev.engagement.redrive;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import dev.engagement.deadletter.Reason;
import dev.engagement.event.EventId;
import dev.engagement.event.Timestamps;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import org.jspecify.annotations.Nullable;

/**
 * Says that a letter was put back: the value of its id in {@code engagement.dead-letters-redriven}.
 *
 * @param redrivenAtMillis when, milliseconds since the epoch
 * @param reason the letter's
 * @param to where to
 */
record Mark(long redrivenAtMillis, Reason reason, Place to) {

    private static final JsonFactory FACTORY = new JsonFactory();

    /** Where something was put. */
    sealed interface Place {}

    /** A record in Kafka. */
    record InTopic(String topic, int partition, long offset) implements Place {}

    /** A row of the warehouse. */
    record InTable(String table, EventId eventId) implements Place {}

    byte[] toBytes() {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream(200);
        try (JsonGenerator json = FACTORY.createGenerator(bytes)) {
            json.writeStartObject();
            json.writeStringField("redriven_at", Timestamps.format(redrivenAtMillis * 1_000));
            json.writeStringField("reason", reason.name());
            json.writeObjectFieldStart("to");
            if (to instanceof InTopic record) {
                json.writeStringField("topic", record.topic());
                json.writeNumberField("partition", record.partition());
                json.writeNumberField("offset", record.offset());
            } else if (to instanceof InTable row) {
                json.writeStringField("table", row.table());
                row.eventId().write("event_id", json);
            }
            json.writeEndObject();
            json.writeEndObject();
        } catch (IOException e) {
            throw new UncheckedIOException("Writing JSON into memory failed", e);
        }
        return bytes.toByteArray();
    }

    /** Which record was put where, of a mark's bytes; null if it was no record, or the mark is somebody else's. */
    static @Nullable InTopic recordOf(byte[] mark) {
        String topic = null;
        Integer partition = null;
        Long offset = null;
        try (JsonParser parser = FACTORY.createParser(mark)) {
            // Names are unique over the whole mark, at whatever depth.
            for (JsonToken token = parser.nextToken(); token != null; token = parser.nextToken()) {
                if (token == JsonToken.VALUE_STRING && "topic".equals(parser.currentName())) {
                    topic = parser.getText();
                } else if (token == JsonToken.VALUE_NUMBER_INT && "partition".equals(parser.currentName())) {
                    partition = parser.getIntValue();
                } else if (token == JsonToken.VALUE_NUMBER_INT && "offset".equals(parser.currentName())) {
                    offset = parser.getLongValue();
                }
            }
        } catch (JacksonException e) {
            // That it is there says enough: the letter is marked.
            return null;
        } catch (IOException e) {
            throw new UncheckedIOException("Reading JSON from memory failed", e);
        }
        return topic == null || partition == null || offset == null ? null : new InTopic(topic, partition, offset);
    }
}
