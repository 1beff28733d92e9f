package dev.engagement.delivery;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.apache.kafka.common.Uuid;
import org.jspecify.annotations.Nullable;

/** The retry topic as a list of timestamps for each partition; records what is deleted. */
final class RecordedRetryLog implements RetryLog {

    final Map<Integer, List<Long>> timestamps = new TreeMap<>();
    final Map<Integer, Long> beginnings = new HashMap<>();
    final Map<Integer, Long> committed = new HashMap<>();
    final List<Map<Integer, Long>> deleted = new ArrayList<>();
    Uuid id = Uuid.randomUuid();
    int opened;
    int closed;

    /** Thrown by whatever is asked. */
    @Nullable
    RuntimeException failure;

    /** So many more records, written at that time. */
    void records(int partition, int count, long timestampMillis) {
        List<Long> all = timestamps.computeIfAbsent(partition, any -> new ArrayList<>());
        for (int i = 0; i < count; i++) {
            all.add(timestampMillis);
        }
    }

    RetryLog open() {
        opened++;
        return this;
    }

    private void failIfToldTo() {
        if (failure != null) {
            throw failure;
        }
    }

    @Override
    public Uuid id() {
        failIfToldTo();
        return id;
    }

    @Override
    public Map<Integer, Long> beginnings(Set<Integer> partitions) {
        failIfToldTo();
        Map<Integer, Long> all = new HashMap<>();
        partitions.forEach(partition -> all.put(partition, beginnings.getOrDefault(partition, 0L)));
        return all;
    }

    @Override
    public Map<Integer, Long> firstSince(Set<Integer> partitions, long millis) {
        failIfToldTo();
        Map<Integer, Long> first = new HashMap<>();
        for (int partition : partitions) {
            List<Long> all = timestamps.getOrDefault(partition, List.of());
            for (int offset = beginnings.getOrDefault(partition, 0L).intValue(); offset < all.size(); offset++) {
                if (all.get(offset) >= millis) {
                    first.put(partition, (long) offset);
                    break;
                }
            }
        }
        return first;
    }

    @Override
    public Map<Integer, Long> committed() {
        failIfToldTo();
        return Map.copyOf(committed);
    }

    @Override
    public void deleteBelow(Map<Integer, Long> offsets) {
        failIfToldTo();
        deleted.add(Map.copyOf(offsets));
        beginnings.putAll(offsets);
    }

    @Override
    public void close() {
        closed++;
    }
}
