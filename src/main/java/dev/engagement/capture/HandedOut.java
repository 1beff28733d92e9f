package dev.engagement.capture;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import dev.engagement.connection.KafkaConnection;
import dev.engagement.connection.TopicReader;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;

/**
 * What capture has handed out last, by what stands at the ends of its topics: more than its state says, if it was killed
 * behind a checkpoint. The last records of each partition are enough, as changes are handed out in the order of their
 * commits. Blocking.
 */
final class HandedOut {

    /** Of each partition: backfills and a redrive may have written behind capture's last change. */
    private static final int TAIL = 500;

    private static final byte REGISTRY_MAGIC = 0;

    private static final JsonFactory JSON = new JsonFactory();

    private HandedOut() {}

    /**
     * A change that was handed out.
     *
     * @param lsn where it stands in the write-ahead log; its commit stands somewhere behind
     * @param txId its transaction, the lower 32 bits
     */
    record Change(long lsn, long txId) {}

    /**
     * The end of the topics.
     *
     * @param changes with a place in the write-ahead log; rows of a snapshot have none
     * @param readable whether none is in the form of a schema registry, which is not read here
     */
    record Tail(List<Change> changes, boolean readable) {}

    static Tail tail(KafkaConnection kafka, List<String> topics) throws IOException {
        List<Change> changes = new ArrayList<>();
        boolean[] readable = {true};
        try (TopicReader reader = TopicReader.open(kafka)) {
            for (String topic : topics) {
                Map<TopicPartition, Long> ends = reader.ends(topic);
                Map<TopicPartition, Long> from = new HashMap<>(reader.beginnings(topic));
                from.replaceAll((partition, beginning) -> Math.max(beginning, ends.getOrDefault(partition, 0L) - TAIL));
                reader.read(topic, from, ends, record -> {
                    if (record.value() != null) {
                        readable[0] &= record.value().length == 0 || record.value()[0] != REGISTRY_MAGIC;
                        Change change = change(record.value());
                        if (change != null) {
                            changes.add(change);
                        }
                    }
                });
            }
        }
        return new Tail(changes, readable[0]);
    }

    /** Of a Debezium envelope, bare or wrapped; null of anything else, and of a row of a snapshot. */
    static @Nullable Change change(byte[] value) {
        try (JsonParser parser = JSON.createParser(value)) {
            return parser.nextToken() == JsonToken.START_OBJECT ? inObject(parser) : null;
        } catch (IOException notOurs) {
            return null;
        }
    }

    private static @Nullable Change inObject(JsonParser parser) throws IOException {
        Change found = null;
        while (parser.nextToken() == JsonToken.FIELD_NAME) {
            String name = parser.currentName();
            boolean isObject = parser.nextToken() == JsonToken.START_OBJECT;
            if (isObject && name.equals("source")) {
                found = inSource(parser);
            } else if (isObject && name.equals("payload")) {
                found = inObject(parser);
            } else {
                parser.skipChildren();
            }
        }
        return found;
    }

    private static @Nullable Change inSource(JsonParser parser) throws IOException {
        long lsn = 0;
        long txId = 0;
        while (parser.nextToken() == JsonToken.FIELD_NAME) {
            String name = parser.currentName();
            boolean isNumber = parser.nextToken() == JsonToken.VALUE_NUMBER_INT;
            if (isNumber && name.equals("lsn")) {
                lsn = parser.getLongValue();
            } else if (isNumber && name.equals("txId")) {
                txId = parser.getLongValue();
            } else {
                parser.skipChildren();
            }
        }
        return lsn > 0 ? new Change(lsn, txId & 0xFFFF_FFFFL) : null;
    }
}
