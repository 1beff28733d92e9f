package dev.engagement.ingest;

import com.fasterxml.jackson.core.JsonParser;
import dev.engagement.event.EngagementEvent;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.util.Arrays;
import org.apache.kafka.clients.consumer.ConsumerRecord;

/**
 * Decodes plain events: a value is one event as a JSON object, its fields called as the columns are, by the rules of
 * {@link EventDecoder}. Tombstones are ignored. The event is no row of a snapshot, and when it was committed is not known.
 *
 * <p>Fields of other names are the event's payload: one JSON object of them, in their order, each as it was written. An
 * event with a {@code raw_payload} that is not null has its payload, and other fields are skipped as those of a row are.
 *
 * <p>An object with {@code op} and {@code after} is a Debezium envelope and decoded as one: backfill and redrive put such
 * into the topic, and a topic may hold older ones.
 */
public final class FlatEventDecoder extends EventDecoder {

    private final EventDecoder envelopes;

    /** Whether the object has the two fields that make it an envelope. */
    private boolean opSeen;

    private boolean afterSeen;

    /** The fields that are no columns as a JSON object without its last brace; it grows with the largest event. */
    private byte[] others = new byte[1_024];

    private int othersLength;

    /**
     * Makes a decoder.
     *
     * @param topic named in dead letters
     * @param maxRecordBytes largest accepted value
     * @param rules what an event must have
     * @param clock says when a letter was written
     */
    public FlatEventDecoder(String topic, long maxRecordBytes, EventRules rules, Clock clock) {
        super(topic, maxRecordBytes, rules, clock);
        envelopes = new EventDecoder(topic, maxRecordBytes, rules, clock);
    }

    @Override
    void readValue(JsonParser parser) throws IOException {
        opSeen = false;
        afterSeen = false;
        othersLength = 0;
        for (String name = parser.nextFieldName(); name != null; name = parser.nextFieldName()) {
            if (isColumn(name)) {
                parser.nextToken();
                readRowField(name, parser);
            } else {
                opSeen |= name.equals("op");
                afterSeen |= name.equals("after");
                int from = (int) parser.currentTokenLocation().getByteOffset();
                parser.nextToken();
                keep(sinceByte(from, parser));
            }
        }
    }

    private void keep(byte[] field) {
        int length = othersLength + 1 + field.length;
        if (length > others.length) {
            others = Arrays.copyOf(others, Math.max(length, 2 * others.length));
        }
        others[othersLength] = (byte) (othersLength == 0 ? '{' : ',');
        System.arraycopy(field, 0, others, othersLength + 1, field.length);
        othersLength = length;
    }

    @Override
    void judgeValue(ConsumerRecord<byte[], byte[]> record, DecodedRecord<EngagementEvent> out) {
        if (opSeen && afterSeen) {
            envelopes.decode(record, out);
            return;
        }
        if (othersLength > 0 && !hasPayload()) {
            setPayload(new String(others, 0, othersLength, StandardCharsets.UTF_8) + '}');
        }
        judgeRow(record, false, EngagementEvent.UNKNOWN_TIME, out);
    }
}
