package dev.engagement.enrichment;

import dev.engagement.event.EngagementEvent;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.apache.flink.api.common.state.ListStateDescriptor;
import org.apache.flink.api.java.tuple.Tuple2;
import org.apache.flink.runtime.state.internal.InternalListState;
import org.apache.flink.streaming.api.operators.KeyContext;
import org.jspecify.annotations.Nullable;

/**
 * Events whose content is unknown, in keyed state: by shard, and by content as the namespace. Those of one shard and content
 * lie in chunks, each a list of its own, so that not all of them are on the heap when they leave: a hot content may have
 * kept millions waiting while a catch-up had not reached it. Which shards have any for a content is known without asking the
 * state. Used on the task's thread.
 */
final class WaitingEvents {

    static final ListStateDescriptor<WaitingEvent> STATE =
            new ListStateDescriptor<>("waiting-for-content", WaitingEvent.TYPE);

    /** Of a chunk; one of a savepoint that was taken when there were no chunks may be larger. */
    static final int CHUNK_EVENTS = 1_000;

    private static final long CHUNK_BYTES = 1 << 20;

    /** What an event takes without its payload, about. */
    private static final int EVENT_BYTES = 200;

    /** Stands before the number of a chunk in its namespace; PostgreSQL has no text with it. */
    private static final char SEPARATOR = '\0';

    private final KeyContext keys;
    private final InternalListState<Integer, String, WaitingEvent> state;
    private final Map<String, Map<Integer, Chunks>> chunks = new HashMap<>();
    private long size;

    WaitingEvents(KeyContext keys, InternalListState<Integer, String, WaitingEvent> state) {
        this.keys = keys;
        this.state = state;
    }

    /** The chunks of one shard and content; some of those between may be empty. */
    private static final class Chunks {
        private int first;
        private int last;
        private int eventsInLast;
        private long bytesInLast;
    }

    /** What is done with an event. */
    interface Handler {
        /** Whether the event is to be forgotten. May change the current key. */
        boolean handle(WaitingEvent event) throws Exception;
    }

    /** Takes up what a run before this one left, of which the backend knows the keys and namespaces. */
    void restore(Stream<Tuple2<Integer, String>> known) throws Exception {
        List<Tuple2<Integer, String>> all = new ArrayList<>();
        known.forEach(all::add);
        for (Tuple2<Integer, String> each : all) {
            String contentId = contentId(each.f1);
            int number = number(each.f1);
            List<WaitingEvent> events = read(each.f0, each.f1);
            size += events.size();
            Map<Integer, Chunks> shards = chunks.computeIfAbsent(contentId, id -> new HashMap<>());
            Chunks found = shards.get(each.f0);
            if (found == null) {
                found = new Chunks();
                found.first = number;
                found.last = -1;
                shards.put(each.f0, found);
            }
            found.first = Math.min(found.first, number);
            if (number > found.last) {
                found.last = number;
                found.eventsInLast = events.size();
                found.bytesInLast =
                        events.stream().mapToLong(one -> bytes(one.event())).sum();
            }
        }
    }

    void add(Integer shard, String contentId, WaitingEvent event) throws Exception {
        Chunks all =
                chunks.computeIfAbsent(contentId, id -> new HashMap<>()).computeIfAbsent(shard, any -> new Chunks());
        if (all.eventsInLast >= CHUNK_EVENTS || all.bytesInLast >= CHUNK_BYTES) {
            all.last++;
            all.eventsInLast = 0;
            all.bytesInLast = 0;
        }
        keys.setCurrentKey(shard);
        state.setCurrentNamespace(namespace(contentId, all.last));
        state.add(event);
        all.eventsInLast++;
        all.bytesInLast += bytes(event.event());
        size++;
    }

    /** Events of all contents. */
    long size() {
        return size;
    }

    /** Those for which events wait; a copy. */
    List<String> contents() {
        return List.copyOf(chunks.keySet());
    }

    /** Those in which events wait for that content; a copy. */
    Set<Integer> shards(String contentId) {
        return Set.copyOf(chunks.getOrDefault(contentId, Map.of()).keySet());
    }

    /** Hands over the events in the order in which they came, and forgets those of which the handler says so. */
    void removeIf(Integer shard, String contentId, Handler handler) throws Exception {
        Map<Integer, Chunks> shards = chunks.getOrDefault(contentId, Map.of());
        Chunks all = shards.get(shard);
        if (all == null) {
            return;
        }
        int first = all.last + 1;
        for (int number = all.first; number <= all.last; number++) {
            String namespace = namespace(contentId, number);
            List<WaitingEvent> events = read(shard, namespace);
            List<WaitingEvent> kept = new ArrayList<>();
            for (WaitingEvent each : events) {
                if (!handler.handle(each)) {
                    kept.add(each);
                }
            }
            size -= events.size() - kept.size();
            if (!kept.isEmpty()) {
                first = Math.min(first, number);
            }
            if (kept.size() < events.size()) {
                keys.setCurrentKey(shard);
                state.setCurrentNamespace(namespace);
                // An empty list is removed.
                state.update(kept);
            }
        }
        all.first = first;
        if (first > all.last) {
            shards.remove(shard);
            if (shards.isEmpty()) {
                chunks.remove(contentId);
            }
        }
    }

    /** A copy, since a handler may switch keys. */
    private List<WaitingEvent> read(Integer shard, String namespace) throws Exception {
        keys.setCurrentKey(shard);
        state.setCurrentNamespace(namespace);
        @Nullable Iterable<WaitingEvent> found = state.get();
        List<WaitingEvent> copy = new ArrayList<>();
        if (found != null) {
            found.forEach(copy::add);
        }
        return copy;
    }

    private static long bytes(EngagementEvent event) {
        String payload = event.rawPayload();
        return EVENT_BYTES + (payload == null ? 0 : payload.length());
    }

    /** The first chunk's is the content itself, as it was when there were no others. */
    private static String namespace(String contentId, int number) {
        return number == 0 && contentId.indexOf(SEPARATOR) < 0 ? contentId : contentId + SEPARATOR + number;
    }

    private static String contentId(String namespace) {
        int at = namespace.lastIndexOf(SEPARATOR);
        return at < 0 ? namespace : namespace.substring(0, at);
    }

    private static int number(String namespace) {
        int at = namespace.lastIndexOf(SEPARATOR);
        return at < 0 ? 0 : Integer.parseInt(namespace.substring(at + 1));
    }
}
