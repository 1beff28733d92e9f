package dev.engagement.dedupe;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.engagement.event.EngagementEvent;
import dev.engagement.event.EnrichedEvent;
import dev.engagement.event.EventId;
import dev.engagement.event.EventIdKind;
import dev.engagement.event.Position;
import dev.engagement.event.Samples;
import dev.engagement.event.types.EventShards;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.UUID;
import java.util.function.IntFunction;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.apache.flink.contrib.streaming.state.EmbeddedRocksDBStateBackend;
import org.apache.flink.core.memory.DataInputDeserializer;
import org.apache.flink.core.memory.DataOutputSerializer;
import org.apache.flink.runtime.checkpoint.OperatorSubtaskState;
import org.apache.flink.runtime.execution.SuppressRestartsException;
import org.apache.flink.runtime.state.KeyGroupRangeAssignment;
import org.apache.flink.runtime.state.storage.FileSystemCheckpointStorage;
import org.apache.flink.streaming.util.AbstractStreamOperatorTestHarness;
import org.apache.flink.streaming.util.KeyedOneInputStreamOperatorTestHarness;
import org.apache.flink.util.FileUtils;

/** Dedupe of ids that are texts, against a map that forgets nothing, and what their state costs. */
class TextDedupeProperties {

    private static final Duration HORIZON = Duration.ofDays(7);
    private static final DedupeOptions TEXT = new DedupeOptions(HORIZON, EventIdKind.TEXT, 0);
    private static final long NOW = 1_800_000_000_000L;

    @Property(tries = 25)
    void within_the_horizon_texts_equal_a_set_across_restores_and_rescaling(@ForAll long seed) throws Exception {
        Random random = new Random(seed);
        Set<String> oracle = new HashSet<>();
        Set<String> onlySnapshot = new HashSet<>();
        OperatorSubtaskState state = null;
        int parallelism = 1;
        for (int generation = 0; generation < 4; generation++) {
            int next = 1 + random.nextInt(4);
            List<String> arrivals = arrivals(random, generation);
            List<OperatorSubtaskState> states = new ArrayList<>();
            for (int subtask = 0; subtask < next; subtask++) {
                try (var harness = harness(TEXT, subtask, next)) {
                    harness.setProcessingTime(NOW);
                    if (state != null) {
                        harness.initializeState(AbstractStreamOperatorTestHarness.repartitionOperatorState(
                                state, EventShards.SHARDS, parallelism, next, subtask));
                    }
                    harness.open();
                    List<String> first = new ArrayList<>();
                    List<String> aside = new ArrayList<>();
                    Random kinds = new Random(seed + generation);
                    for (String id : arrivals) {
                        boolean snapshot = kinds.nextInt(3) == 0;
                        if (ownerOf(id, next) != subtask) {
                            continue;
                        }
                        // Out of order by hours, far within the horizon.
                        arrive(harness, id, NOW - kinds.nextInt(3_600_000), snapshot);
                        if (oracle.add(id)) {
                            first.add(id);
                            if (snapshot) {
                                onlySnapshot.add(id);
                            }
                        } else if (!snapshot && onlySnapshot.remove(id)) {
                            aside.add(id);
                        }
                    }
                    assertThat(ids(harness)).isEqualTo(first);
                    assertThat(aside(harness)).isEqualTo(aside);
                    states.add(harness.snapshot(generation, generation));
                }
            }
            state = AbstractStreamOperatorTestHarness.repackageState(states.toArray(new OperatorSubtaskState[0]));
            parallelism = next;
        }
    }

    private static List<String> arrivals(Random random, int generation) {
        List<String> arrivals = new ArrayList<>();
        for (int i = 0; i < 600; i++) {
            arrivals.add(
                    switch (random.nextInt(4)) {
                        case 0 -> "order_" + (i + generation * 300);
                        case 1 -> new UUID(0x0190A5B07C3E7000L + (generation * 300 + i), 7).toString();
                        // The same digits in the other case are another id.
                        case 2 ->
                            new UUID(0x0190A5B07C3E7000L + (generation * 300 + i), 7)
                                    .toString()
                                    .toUpperCase(java.util.Locale.ROOT);
                        default -> Integer.toString(random.nextInt(2_000), 36);
                    });
        }
        return arrivals;
    }

    @Property(tries = 20)
    void no_id_is_forgotten_before_the_horizon_and_state_holds_no_more_than_it(@ForAll long seed) throws Exception {
        Random random = new Random(seed);
        Duration horizon = Duration.ofHours(1 + random.nextInt(48));
        Map<String, Long> firstSeen = new HashMap<>();
        long clock = NOW - Duration.ofDays(60).toMillis();
        try (var harness = harness(new DedupeOptions(horizon, EventIdKind.TEXT, 0), 0, 1)) {
            harness.setProcessingTime(NOW);
            harness.open();
            for (int i = 0; i < 3_000; i++) {
                clock += random.nextLong(horizon.toMillis() / 200);
                String id = "e" + random.nextInt(i + 1);
                int before = ids(harness).size();
                arrive(harness, id, clock, false);
                boolean passed = ids(harness).size() > before;
                Long first = firstSeen.get(id);
                if (first == null) {
                    assertThat(passed).isTrue();
                } else if (clock - first <= horizon.toMillis()) {
                    assertThat(passed).as("%s after %d ms", id, clock - first).isFalse();
                }
                if (passed) {
                    firstSeen.put(id, clock);
                }
            }
        }
    }

    /** As many rounds of sweeping as an old id needs to be met. */
    @Example
    void behind_the_horizon_the_state_is_empty_again() throws Exception {
        long start = NOW - Duration.ofDays(60).toMillis();
        try (var harness = harness(TEXT, 0, 1)) {
            harness.setProcessingTime(NOW);
            harness.open();
            long empty = stateBytes(harness, 1);
            for (int i = 0; i < 20_000; i++) {
                arrive(harness, new UUID(i, 1).toString(), start, false);
            }
            long full = stateBytes(harness, 2);
            long later = start + HORIZON.toMillis() + Duration.ofMinutes(2).toMillis();
            // The same one again and again: one bucket is swept for each.
            for (int i = 0; i < EventShards.SHARDS * TextIds.BUCKETS; i++) {
                arrive(harness, "one", later + i * 10_000L, false);
            }
            long after = stateBytes(harness, 3);
            assertThat(full - empty).isGreaterThan(20_000 * 20);
            assertThat(after - empty).isLessThan((full - empty) / 100);
        }
    }

    @Example
    void a_uuid_takes_some_forty_bytes_of_a_snapshot_whether_random_or_of_version_7() throws Exception {
        Random random = new Random(7);
        int ids = 40_000;
        long ofRandom = bytesOf(ids, i -> new UUID(random.nextLong(), random.nextLong()).toString());
        long ofTimes = bytesOf(ids, i -> new UUID(0x0190A5B07C3E7000L + ((long) i << 16), 1L << 63 | i).toString());
        long sequential = bytesOf(ids, i -> "event-" + (100_000_000 + i));
        assertThat(ofRandom / ids).isBetween(20L, 45L);
        assertThat(ofTimes).isLessThanOrEqualTo(ofRandom * 101 / 100);
        assertThat(sequential).isLessThanOrEqualTo(ofRandom * 101 / 100);
    }

    /** In the files of an incremental checkpoint, which are RocksDB's own, as compressed as they lie on a disk. */
    @Example
    void on_rocksdb_an_id_takes_fewer_bytes_than_its_text_however_ids_follow_each_other() throws Exception {
        Random random = new Random(7);
        int ids = 100_000;
        long none = bytesOnRocksDb(1, i -> "a");
        long ofRandom = bytesOnRocksDb(ids, i -> new UUID(random.nextLong(), random.nextLong()).toString()) - none;
        long ofTimes =
                bytesOnRocksDb(ids, i -> new UUID(0x0190A5B07C3E7000L + ((long) i << 16), 1L << 63 | i).toString())
                        - none;
        long sequential = bytesOnRocksDb(ids, i -> Integer.toString(1_000_000_000 + i)) - none;
        assertThat(ofRandom / ids).isBetween(10L, 36L);
        assertThat(ofTimes).isLessThanOrEqualTo(ofRandom);
        assertThat(sequential).isLessThanOrEqualTo(ofRandom);
    }

    private static long bytesOnRocksDb(int ids, IntFunction<String> id) throws Exception {
        Path folder = Files.createTempDirectory("dedupe");
        try (var harness = harness(TEXT, 0, 1)) {
            harness.setStateBackend(new EmbeddedRocksDBStateBackend(true));
            harness.setCheckpointStorage(new FileSystemCheckpointStorage(folder.toUri()));
            return bytesIn(harness, ids, id);
        } finally {
            FileUtils.deleteDirectory(folder.toFile());
        }
    }

    private static long bytesOf(int ids, IntFunction<String> id) throws Exception {
        try (var harness = harness(TEXT, 0, 1)) {
            return bytesIn(harness, ids, id);
        }
    }

    private static long bytesIn(
            KeyedOneInputStreamOperatorTestHarness<Integer, EnrichedEvent, EnrichedEvent> harness,
            int ids,
            IntFunction<String> id)
            throws Exception {
        harness.setProcessingTime(NOW);
        harness.open();
        for (int i = 0; i < ids; i++) {
            arrive(harness, id.apply(i), NOW, false);
        }
        harness.getOutput().clear();
        return stateBytes(harness, 1);
    }

    @Example
    void state_of_one_kind_is_refused_by_the_other() throws Exception {
        OperatorSubtaskState ofTexts;
        OperatorSubtaskState ofNumbers;
        try (var harness = harness(TEXT, 0, 1)) {
            harness.open();
            arrive(harness, "a", NOW, false);
            ofTexts = harness.snapshot(1, 1);
        }
        try (var harness = harness(DedupeOptions.DEFAULT, 0, 1)) {
            harness.open();
            harness.processElement(Samples.enriched(1, 1), 0);
            ofNumbers = harness.snapshot(1, 1);
        }
        assertRefused(
                DedupeOptions.DEFAULT,
                ofTexts,
                "of a job with ingest.event-id=text, and this one has ingest.event-id=long");
        assertRefused(TEXT, ofNumbers, "of a job with ingest.event-id=long, and this one has ingest.event-id=text");
    }

    private static void assertRefused(DedupeOptions options, OperatorSubtaskState state, String message)
            throws Exception {
        try (var harness = harness(options, 0, 1)) {
            assertThatThrownBy(() -> {
                        harness.initializeState(state);
                        harness.open();
                    })
                    .hasStackTraceContaining(SuppressRestartsException.class.getName())
                    .hasStackTraceContaining(message);
        }
    }

    @Property
    void a_text_is_read_as_it_was_written_and_a_uuid_takes_17_bytes(@ForAll long high, @ForAll long low)
            throws Exception {
        String uuid = new UUID(high, low).toString();
        assertThat(written(uuid)).isEqualTo(17);
        for (String other :
                List.of(uuid.toUpperCase(java.util.Locale.ROOT), uuid.substring(1), uuid.replace('-', '_'))) {
            assertThat(written(other)).isEqualTo(other.equals(uuid) ? 17 : other.length() + 2);
        }
    }

    /** How many bytes. */
    private static int written(String id) throws Exception {
        TextIdSerializer serializer = new TextIdSerializer();
        DataOutputSerializer out = new DataOutputSerializer(64);
        serializer.serialize(id, out);
        assertThat(serializer.deserialize(new DataInputDeserializer(out.getCopyOfBuffer())))
                .isEqualTo(id);
        return out.length();
    }

    private static int ownerOf(String id, int parallelism) {
        return KeyGroupRangeAssignment.assignKeyToParallelOperator(
                EventShards.keyOf(EventShards.shardOf(EventId.hash(id))), EventShards.SHARDS, parallelism);
    }

    private static KeyedOneInputStreamOperatorTestHarness<Integer, EnrichedEvent, EnrichedEvent> harness(
            DedupeOptions options, int subtask, int parallelism) throws Exception {
        return new KeyedOneInputStreamOperatorTestHarness<>(
                new DedupeOperator(options, "events"),
                EventShards.ofEnriched(),
                EventShards.KEY_TYPE,
                EventShards.SHARDS,
                parallelism,
                subtask);
    }

    private static void arrive(
            KeyedOneInputStreamOperatorTestHarness<Integer, EnrichedEvent, EnrichedEvent> harness,
            String id,
            long kafkaMillis,
            boolean snapshot)
            throws Exception {
        EnrichedEvent sample = Samples.enriched(0, 1);
        EngagementEvent of = sample.event();
        EngagementEvent event = new EngagementEvent(
                EventId.hash(id),
                id,
                of.contentId(),
                of.userId(),
                of.eventType(),
                of.eventTsMicros(),
                of.durationMs(),
                of.device(),
                of.rawPayload(),
                snapshot,
                0,
                new Position(0, 0, kafkaMillis));
        harness.processElement(new EnrichedEvent(event, sample.content(), sample.engagement()), 0);
    }

    private static List<String> ids(
            KeyedOneInputStreamOperatorTestHarness<Integer, EnrichedEvent, EnrichedEvent> harness) {
        return harness.extractOutputValues().stream()
                .map(enriched -> enriched.event().textId())
                .toList();
    }

    private static List<String> aside(
            KeyedOneInputStreamOperatorTestHarness<Integer, EnrichedEvent, EnrichedEvent> harness) {
        var side = harness.getSideOutput(Dedupe.INSERTED_AFTER_SNAPSHOT);
        return side == null
                ? List.of()
                : side.stream()
                        .map(record -> record.getValue().event().textId())
                        .toList();
    }

    private static long stateBytes(
            KeyedOneInputStreamOperatorTestHarness<Integer, EnrichedEvent, EnrichedEvent> harness, long checkpoint)
            throws Exception {
        return harness.snapshot(checkpoint, checkpoint).getManagedKeyedState().stream()
                .mapToLong(handle -> handle.getStateSize())
                .sum();
    }
}
