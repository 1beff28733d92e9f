package dev.engagement.redrive;

import dev.engagement.deadletter.DeadLetter;
import dev.engagement.deadletter.DeadLetterJson;
import dev.engagement.deadletter.Reason;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.jspecify.annotations.Nullable;

/**
 * Where the wanted letters are. Holds some 150 bytes for each of them, and never a payload. A letter that was written
 * again, after a replay of the job, stands there once, where it was written last.
 */
final class LetterIndex {

    /** A wanted letter. */
    record Found(LetterId id, Reason reason, int partition, long offset) {}

    /** A record that is no letter. */
    record Unreadable(int partition, long offset, String why) {}

    private final RedriveOptions.Selection selection;
    private final Map<LetterId, Found> found = new HashMap<>();
    private final List<Unreadable> unreadable = new ArrayList<>();

    /** An empty index. */
    LetterIndex(RedriveOptions.Selection selection) {
        this.selection = selection;
    }

    void add(ConsumerRecord<byte[], byte[]> record) {
        DeadLetter head = null;
        String why = "it has no value";
        if (record.value() != null) {
            try {
                head = DeadLetterJson.readHead(record.value());
            } catch (DeadLetterJson.UnreadableLetterException e) {
                why = String.valueOf(e.getMessage());
            }
        }
        LetterId id = head == null ? null : LetterId.of(head.id());
        if (head == null || id == null) {
            unreadable.add(new Unreadable(
                    record.partition(), record.offset(), head == null ? why : "its id is not 32 hexadecimal digits"));
            return;
        }
        if (selection.has(head.reason(), head.failedAtMillis(), head.eventId())) {
            found.put(id, new Found(id, head.reason(), record.partition(), record.offset()));
        } else {
            // Its newest writing decides.
            found.remove(id);
        }
    }

    @Nullable
    Found find(LetterId id) {
        return found.get(id);
    }

    List<Unreadable> unreadable() {
        return unreadable;
    }

    /** In the order of the topic, partition by partition. */
    List<Found> inOrder() {
        List<Found> all = new ArrayList<>(found.values());
        all.sort(Comparator.comparingInt(Found::partition).thenComparingLong(Found::offset));
        return all;
    }
}
