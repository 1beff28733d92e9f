package dev.engagement.liveview.sink;

import dev.engagement.event.EngagementEvent;
import dev.engagement.event.EnrichedEvent;
import dev.engagement.liveview.EventCache;
import dev.engagement.liveview.LiveValue;
import dev.engagement.liveview.LiveViewKeys;
import dev.engagement.liveview.LiveViewScript;
import dev.engagement.liveview.ScriptedWrite;
import dev.engagement.liveview.Tally;
import dev.engagement.writeback.Item;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * What goes to Redis in one pipeline: items and, behind them, cached events. Made on the task thread, encoded on the I/O
 * thread, read on the task thread again.
 */
final class Batch implements LiveValue.Writes {

    /** Members of a bucket in one write: a script must not keep Redis from others for long. */
    private static final int MAX_MEMBERS = 250;

    /** Of a write of a cached event. */
    private static final int NO_ITEM = -1;

    final List<Item<LiveValue>> items;
    final List<EnrichedEvent> cached;
    final List<ScriptedWrite> writes = new ArrayList<>();

    /** For each write the items that it shows, by their place in the list, and which part of each. */
    private final List<int[]> itemsOf = new ArrayList<>();

    private final List<long[]> partsOf = new ArrayList<>();
    private final Map<Long, Members> buckets = new HashMap<>();
    private int item;
    private int expired;
    private long bytes;

    Batch(List<Item<LiveValue>> items, List<EnrichedEvent> cached) {
        this.items = items;
        this.cached = cached;
    }

    /** Makes the writes. */
    void encode(LiveViewKeys keys, long nowMillis) {
        for (item = 0; item < items.size(); item++) {
            Item<LiveValue> next = items.get(item);
            next.value().writeTo(this, keys, next.parts(), nowMillis);
        }
        buckets.forEach((minute, members) -> members.addTo(keys));
        item = NO_ITEM;
        for (EnrichedEvent event : cached) {
            add(EventCache.write(event, keys, nowMillis), 0);
        }
    }

    @Override
    public void add(ScriptedWrite write, long part) {
        add(write, new int[] {item}, new long[] {part});
    }

    private void add(ScriptedWrite write, int[] ofItems, long[] parts) {
        writes.add(write);
        itemsOf.add(ofItems);
        partsOf.add(parts);
        bytes += write.bytes();
    }

    @Override
    public void addToBucket(long minute, String contentId, long events, long part) {
        buckets.computeIfAbsent(minute, Members::new).add(contentId, events, item, part);
    }

    @Override
    public void expired() {
        expired++;
    }

    /** How many values were over before they were sent. */
    int expiredCount() {
        return expired;
    }

    /** Bytes of keys and arguments. */
    long bytes() {
        return bytes;
    }

    /** Whether that write is of a cached event. */
    boolean isOfCache(int write) {
        return itemsOf.get(write)[0] == NO_ITEM;
    }

    /** Adds to {@code parts}, which has a mask for each item, what that write was to show. */
    void mark(int write, long[] parts) {
        int[] ofItems = itemsOf.get(write);
        for (int i = 0; i < ofItems.length; i++) {
            parts[ofItems[i]] |= partsOf.get(write)[i];
        }
    }

    /** When the source committed what that write shows, or {@link EngagementEvent#UNKNOWN_TIME}. */
    long committedAtMillis(int write) {
        return isOfCache(write)
                ? EngagementEvent.UNKNOWN_TIME
                : items.get(itemsOf.get(write)[0]).value().committedAtMillis();
    }

    /** Members of one bucket. */
    private final class Members {
        private final long minute;
        private final List<byte[]> scoresAndMembers = new ArrayList<>();
        private int[] ofItems = new int[16];
        private long[] parts = new long[16];
        private int size;

        Members(long minute) {
            this.minute = minute;
        }

        void add(String contentId, long events, int ofItem, long part) {
            if (size == ofItems.length) {
                ofItems = Arrays.copyOf(ofItems, 2 * size);
                parts = Arrays.copyOf(parts, 2 * size);
            }
            ofItems[size] = ofItem;
            parts[size] = part;
            size++;
            scoresAndMembers.add(Long.toString(events).getBytes(StandardCharsets.US_ASCII));
            scoresAndMembers.add(contentId.getBytes(StandardCharsets.UTF_8));
        }

        void addTo(LiveViewKeys keys) {
            byte[] key = keys.bucket(minute).getBytes(StandardCharsets.UTF_8);
            byte[] expiry = Long.toString(Tally.expiresAtMillis(minute)).getBytes(StandardCharsets.US_ASCII);
            for (int from = 0; from < size; from += MAX_MEMBERS) {
                int to = Math.min(size, from + MAX_MEMBERS);
                List<byte[]> arguments = new ArrayList<>(1 + 2 * (to - from));
                arguments.add(expiry);
                arguments.addAll(scoresAndMembers.subList(2 * from, 2 * to));
                Batch.this.add(
                        new ScriptedWrite(LiveViewScript.BUCKET, List.of(key), arguments),
                        Arrays.copyOfRange(ofItems, from, to),
                        Arrays.copyOfRange(parts, from, to));
            }
        }
    }
}
