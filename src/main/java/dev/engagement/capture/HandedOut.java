package dev.engagement.capture;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
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

    private static final ObjectMapper JSON = new ObjectMapper();

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
        try {
            JsonNode root = JSON.readTree(value);
            JsonNode envelope = root.path("payload").isObject() ? root.path("payload") : root;
            JsonNode source = envelope.path("source");
            long lsn = source.path("lsn").asLong(0);
            return lsn > 0 ? new Change(lsn, source.path("txId").asLong(0) & 0xFFFF_FFFFL) : null;
        } catch (JsonProcessingException e) {
            return null;
        } catch (IOException e) {
            throw new IllegalStateException("Bytes in memory are read", e);
        }
    }
}
