package dev.engagement.dedupe;

import static org.assertj.core.api.Assertions.assertThat;

import dev.engagement.deadletter.DeadLetter;
import dev.engagement.deadletter.DeadLetterTypes;
import dev.engagement.deadletter.Reason;
import dev.engagement.event.EngagementEvent;
import dev.engagement.event.EnrichedEvent;
import dev.engagement.event.EventId;
import dev.engagement.event.EventIdKind;
import dev.engagement.event.EventJson;
import dev.engagement.event.Position;
import dev.engagement.event.Samples;
import dev.engagement.event.types.EventShards;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.apache.flink.runtime.checkpoint.OperatorSubtaskState;
import org.apache.flink.runtime.state.KeyGroupRangeAssignment;
import org.apache.flink.runtime.state.VoidNamespace;
import org.apache.flink.runtime.state.VoidNamespaceSerializer;
import org.apache.flink.streaming.api.operators.AbstractStreamOperator;
import org.apache.flink.streaming.api.operators.OneInputStreamOperator;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;
import org.apache.flink.streaming.util.AbstractStreamOperatorTestHarness;
import org.apache.flink.streaming.util.KeyedOneInputStreamOperatorTestHarness;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class DedupeOperatorTest {

    private final List<AutoCloseable> opened = new ArrayList<>();

    @AfterEach
    void close() throws Exception {
        for (AutoCloseable one : opened) {
            one.close();
        }
    }

    @Test
    void only_the_first_arrival_passes() throws Exception {
        var harness = started(DedupeOptions.DEFAULT);
        for (long id : new long[] {1, 2, 1, 129, 2, Long.MAX_VALUE, -5, Long.MAX_VALUE, -5, 0, Long.MIN_VALUE}) {
            arrive(harness, id, 0);
        }
        assertThat(ids(harness)).containsExactly(1L, 2L, 129L, Long.MAX_VALUE, -5L, 0L, Long.MIN_VALUE);
    }

    @Test
    void the_age_of_the_last_checkpoint_begins_with_the_run() throws Exception {
        var harness = started(DedupeOptions.DEFAULT);
        DedupeOperator operator = (DedupeOperator) harness.getOneInputOperator();
        long begin = operator.checkpointAgeMillis();
        harness.setProcessingTime(harness.getProcessingTime() + 40_000);
        assertThat(operator.checkpointAgeMillis()).isEqualTo(begin + 40_000);

        harness.notifyOfCompletedCheckpoint(1);
        harness.setProcessingTime(harness.getProcessingTime() + 3_000);
        assertThat(operator.checkpointAgeMillis()).isEqualTo(3_000);
    }

    @Test
    void random_ids_in_any_density_across_restores_and_rescaling_equal_a_set() throws Exception {
        Random random = new Random(42);
        Set<Long> oracle = new HashSet<>();
        OperatorSubtaskState state = null;
        int parallelism = 1;
        for (int generation = 0; generation < 6; generation++) {
            int next = 1 + random.nextInt(4);
            List<Long> arrivals = arrivals(random, generation);
            List<OperatorSubtaskState> states = new ArrayList<>();
            for (int subtask = 0; subtask < next; subtask++) {
                var harness = harness(DedupeOptions.DEFAULT, subtask, next);
                if (state != null) {
                    harness.initializeState(AbstractStreamOperatorTestHarness.repartitionOperatorState(
                            state, EventShards.SHARDS, parallelism, next, subtask));
                }
                harness.open();
                List<Long> expected = new ArrayList<>();
                for (long id : arrivals) {
                    int owner = KeyGroupRangeAssignment.assignKeyToParallelOperator(
                            EventShards.keyOf(EventShards.shardOf(id)), EventShards.SHARDS, next);
                    if (owner == subtask) {
                        arrive(harness, id, 0);
                        if (oracle.add(id)) {
                            expected.add(id);
                        }
                    }
                }
                assertThat(ids(harness)).isEqualTo(expected);
                states.add(harness.snapshot(generation, generation));
            }
            state = AbstractStreamOperatorTestHarness.repackageState(states.toArray(new OperatorSubtaskState[0]));
            parallelism = next;
        }
    }

    private static List<Long> arrivals(Random random, int generation) {
        List<Long> arrivals = new ArrayList<>();
        for (int i = 0; i < 5_000; i++) {
            arrivals.add(
                    switch (random.nextInt(3)) {
                        case 0 -> (long) i + generation * 2_500L; // dense, half of it seen before
                        case 1 -> random.nextLong(1_000_000); // scattered
                        default -> random.nextLong() & ~0xFFFFFFL; // sparse over all numbers
                    });
        }
        return arrivals;
    }

    @Test
    void more_chunks_than_are_held_in_the_heap_are_remembered() throws Exception {
        var harness = started(DedupeOptions.DEFAULT);
        long chunkSpan = (long) EventShards.SHARDS * IdChunk.IDS;
        int chunks = ShardedIds.CACHED_CHUNKS + 100;
        for (int round = 0; round < 2; round++) {
            for (int chunk = 0; chunk < chunks; chunk++) {
                arrive(harness, chunk * chunkSpan + 3, 0);
            }
        }
        assertThat(ids(harness)).hasSize(chunks).doesNotHaveDuplicates();
    }

    @Test
    void a_million_dense_ids_cost_about_a_bit_each() throws Exception {
        var harness = started(DedupeOptions.DEFAULT);
        int ids = 1_000_000;
        for (long id = 0; id < ids; id++) {
            arrive(harness, id, 0);
        }
        harness.getOutput().clear();
        long bytes = harness.snapshot(1, 1).getManagedKeyedState().stream()
                .mapToLong(handle -> handle.getStateSize())
                .sum();
        assertThat(bytes).as("bytes of state").isLessThan(ids / 8);
    }

    @Test
    void with_a_horizon_ids_are_remembered_that_long_at_least_and_not_for_ever() throws Exception {
        var harness = started(new DedupeOptions(Duration.ofHours(1), EventIdKind.LONG, 0));
        long chunkSpan = (long) EventShards.SHARDS * IdChunk.IDS;
        long hour = 3_600_000;
        harness.setProcessingTime(100 * hour);
        arrive(harness, 1, 0);
        arrive(harness, 1 + chunkSpan, hour); // a new chunk sweeps: the first is exactly an hour old
        reopen(harness);
        arrive(harness, 1, hour);
        assertThat(ids(harness)).as("within the horizon").containsExactly(1L, 1 + chunkSpan);
    }

    @Test
    void after_the_horizon_the_state_shrinks() throws Exception {
        var harness = started(new DedupeOptions(Duration.ofHours(1), EventIdKind.LONG, 0));
        long chunkSpan = (long) EventShards.SHARDS * IdChunk.IDS;
        long hour = 3_600_000;
        harness.setProcessingTime(1_000 * hour);
        for (int chunk = 0; chunk < 20; chunk++) {
            arrive(harness, 1 + chunk * chunkSpan, chunk * hour);
        }
        OperatorSubtaskState state = harness.snapshot(1, 1);
        var restored = harness(new DedupeOptions(Duration.ofHours(1), EventIdKind.LONG, 0), 0, 1);
        restored.initializeState(state);
        restored.open();
        restored.setProcessingTime(1_000 * hour);
        arrive(restored, 1 + 100 * chunkSpan, 100 * hour);
        arrive(restored, 1, 100 * hour);
        assertThat(ids(restored)).as("forgotten, hence first again").containsExactly(1 + 100 * chunkSpan, 1L);
    }

    @Test
    void a_record_from_the_future_makes_nothing_forgotten_early() throws Exception {
        var harness = started(new DedupeOptions(Duration.ofHours(1), EventIdKind.LONG, 0));
        long chunkSpan = (long) EventShards.SHARDS * IdChunk.IDS;
        harness.setProcessingTime(1_000);
        arrive(harness, 1, 1_000);
        OperatorSubtaskState state = harness.snapshot(1, 1);
        var restored = harness(new DedupeOptions(Duration.ofHours(1), EventIdKind.LONG, 0), 0, 1);
        restored.initializeState(state);
        restored.open();
        restored.setProcessingTime(1_000);
        arrive(restored, 2 * EventShards.SHARDS + 1 + chunkSpan, Long.MAX_VALUE / 2);
        arrive(restored, 1 + 5 * chunkSpan, 1_000);
        arrive(restored, 1, 1_000);
        assertThat(ids(restored)).doesNotContain(1L);
    }

    @Test
    void an_insert_that_a_snapshot_had_read_is_told_aside_once_and_is_a_duplicate_for_everybody_else()
            throws Exception {
        var harness = started(DedupeOptions.DEFAULT);
        arrive(harness, 1, 0, true);
        arrive(harness, 2, 0, true);
        arrive(harness, 1, 0);
        arrive(harness, 1, 0);
        arrive(harness, 1, 0, true);

        assertThat(ids(harness)).containsExactly(1L, 2L);
        assertThat(insertedAfterSnapshot(harness)).containsExactly(1L);
    }

    @Test
    void a_snapshot_that_reads_what_was_inserted_before_tells_nothing() throws Exception {
        var harness = started(DedupeOptions.DEFAULT);
        arrive(harness, 1, 0);
        arrive(harness, 1, 0, true);
        arrive(harness, 1, 0);

        assertThat(ids(harness)).containsExactly(1L);
        assertThat(insertedAfterSnapshot(harness)).isEmpty();
    }

    @Test
    void what_only_a_snapshot_has_brought_is_known_after_a_restore_at_another_parallelism() throws Exception {
        var first = started(DedupeOptions.DEFAULT);
        for (long id = 0; id < 1_000; id++) {
            arrive(first, id, 0, true);
        }
        for (long id = 0; id < 500; id++) {
            arrive(first, id, 0);
        }
        OperatorSubtaskState state = first.snapshot(1, 1);
        List<Long> told = new ArrayList<>();
        for (int subtask = 0; subtask < 3; subtask++) {
            var harness = harness(DedupeOptions.DEFAULT, subtask, 3);
            harness.initializeState(AbstractStreamOperatorTestHarness.repartitionOperatorState(
                    state, EventShards.SHARDS, 1, 3, subtask));
            harness.open();
            for (long id = 0; id < 1_000; id++) {
                if (ownerOf(id, 3) == subtask) {
                    arrive(harness, id, 0);
                    arrive(harness, id, 0);
                }
            }
            assertThat(ids(harness)).isEmpty();
            told.addAll(insertedAfterSnapshot(harness));
        }
        assertThat(insertedAfterSnapshot(first)).hasSize(500);
        assertThat(told).hasSize(500).doesNotHaveDuplicates().allMatch(id -> id >= 500);
    }

    @Test
    void the_state_of_a_build_that_did_not_look_at_snapshots_is_read() throws Exception {
        var old = new KeyedOneInputStreamOperatorTestHarness<>(
                new OnlySeen(), EventShards.ofEnriched(), EventShards.KEY_TYPE, EventShards.SHARDS, 1, 0);
        opened.add(old);
        old.open();
        old.processElement(Samples.enriched(1, 1), 0);
        OperatorSubtaskState state = old.snapshot(1, 1);
        var restored = harness(DedupeOptions.DEFAULT, 0, 1);
        restored.initializeState(state);
        restored.open();
        arrive(restored, 1, 0);
        arrive(restored, 2, 0, true);
        arrive(restored, 2, 0);

        assertThat(ids(restored)).containsExactly(2L);
        assertThat(insertedAfterSnapshot(restored)).containsExactly(2L);
    }

    /** The state as it was before there was a second one. */
    private static final class OnlySeen extends AbstractStreamOperator<EnrichedEvent>
            implements OneInputStreamOperator<EnrichedEvent, EnrichedEvent> {

        private static final long serialVersionUID = 1L;

        @Override
        public void processElement(StreamRecord<EnrichedEvent> record) throws Exception {
            IdChunk chunk = new IdChunk();
            long id = record.getValue().event().id();
            chunk.add((int) Math.floorMod(Math.floorDiv(id, (long) EventShards.SHARDS), (long) IdChunk.IDS), 0);
            getPartitionedState(VoidNamespace.INSTANCE, VoidNamespaceSerializer.INSTANCE, DedupeOperator.SEEN)
                    .put(
                            Math.floorDiv(Math.floorDiv(id, (long) EventShards.SHARDS), (long) IdChunk.IDS),
                            chunk.freeze());
        }
    }

    @Test
    void snapshots_that_were_followed_by_their_inserts_leave_nothing_in_the_state() throws Exception {
        var harness = started(DedupeOptions.DEFAULT);
        long before = stateBytes(harness, 1);
        for (long id = 0; id < 100_000; id++) {
            arrive(harness, id, 0, true);
        }
        long snapshotOnly = stateBytes(harness, 2);
        for (long id = 0; id < 100_000; id++) {
            arrive(harness, id, 0);
        }
        harness.getOutput().clear();

        assertThat(stateBytes(harness, 3) - before).isLessThan((snapshotOnly - before) * 2 / 3);
    }

    @Test
    void with_a_horizon_snapshot_only_ids_are_forgotten_too() throws Exception {
        long chunkSpan = (long) EventShards.SHARDS * IdChunk.IDS;
        long hour = 3_600_000;
        var harness = started(new DedupeOptions(Duration.ofHours(1), EventIdKind.LONG, 0));
        harness.setProcessingTime(1_000 * hour);
        arrive(harness, 1, 0, true);
        OperatorSubtaskState state = harness.snapshot(1, 1);
        var restored = harness(new DedupeOptions(Duration.ofHours(1), EventIdKind.LONG, 0), 0, 1);
        restored.initializeState(state);
        restored.open();
        restored.setProcessingTime(1_000 * hour);
        arrive(restored, 1 + chunkSpan, 100 * hour, true);
        arrive(restored, 1, 100 * hour);

        assertThat(ids(restored)).as("first again").contains(1L);
        assertThat(insertedAfterSnapshot(restored)).isEmpty();
    }

    @Test
    void an_id_that_comes_again_with_other_facts_is_a_letter_as_long_as_it_is_in_the_window() throws Exception {
        var harness = started(new DedupeOptions(null, EventIdKind.LONG, 1_000));
        EngagementEvent first = Samples.event(7, 1);
        EngagementEvent again = Samples.event(7, 1).committedAt(5).withRawPayload("{}");
        EngagementEvent other = Samples.event(7, 1, first.eventTsMicros() + 1);
        for (EngagementEvent event : List.of(first, again, other, Samples.event(8, 1))) {
            harness.processElement(new StreamRecord<>(enriched(event)));
        }

        assertThat(ids(harness)).containsExactly(7L, 8L);
        assertThat(letters(harness)).singleElement().satisfies(letter -> {
            assertThat(letter.reason()).isEqualTo(Reason.CONFLICT);
            assertThat(letter.stage()).isEqualTo("dedupe");
            assertThat(letter.eventId()).isEqualTo(EventId.of(7));
            assertThat(letter.source())
                    .isEqualTo(new DeadLetter.Source(
                            "events-topic",
                            other.position().partition(),
                            other.position().offset(),
                            other.position().timestampMillis()));
            assertThat(letter.payload()).isEqualTo(EventJson.envelope(other));
        });
    }

    /** Facts are not in state: what a restart does not know is a duplicate, and nothing is counted twice. */
    @Test
    void without_a_window_and_after_a_restart_an_id_that_is_known_is_a_duplicate() throws Exception {
        EngagementEvent first = Samples.event(7, 1);
        EngagementEvent other = Samples.event(7, 1, first.eventTsMicros() + 1);
        var without = started(DedupeOptions.DEFAULT);
        without.processElement(new StreamRecord<>(enriched(first)));
        without.processElement(new StreamRecord<>(enriched(other)));
        assertThat(ids(without)).containsExactly(7L);
        assertThat(letters(without)).isEmpty();

        var restored = harness(new DedupeOptions(null, EventIdKind.LONG, 1_000), 0, 1);
        restored.initializeState(without.snapshot(1, 1));
        restored.open();
        restored.processElement(new StreamRecord<>(enriched(other)));
        assertThat(ids(restored)).isEmpty();
        assertThat(letters(restored)).isEmpty();
    }

    private static List<DeadLetter> letters(
            KeyedOneInputStreamOperatorTestHarness<Integer, EnrichedEvent, EnrichedEvent> harness) {
        var side = harness.getSideOutput(DeadLetterTypes.DEAD_LETTERS);
        return side == null
                ? List.of()
                : side.stream().map(StreamRecord::getValue).toList();
    }

    private static long stateBytes(
            KeyedOneInputStreamOperatorTestHarness<Integer, EnrichedEvent, EnrichedEvent> harness, long checkpoint)
            throws Exception {
        return harness.snapshot(checkpoint, checkpoint).getManagedKeyedState().stream()
                .mapToLong(handle -> handle.getStateSize())
                .sum();
    }

    private static int ownerOf(long id, int parallelism) {
        return KeyGroupRangeAssignment.assignKeyToParallelOperator(
                EventShards.keyOf(EventShards.shardOf(id)), EventShards.SHARDS, parallelism);
    }

    private static List<Long> insertedAfterSnapshot(
            KeyedOneInputStreamOperatorTestHarness<Integer, EnrichedEvent, EnrichedEvent> harness) {
        var side = harness.getSideOutput(Dedupe.INSERTED_AFTER_SNAPSHOT);
        return side == null
                ? List.of()
                : side.stream().map(record -> record.getValue().event().id()).toList();
    }

    private static void reopen(KeyedOneInputStreamOperatorTestHarness<Integer, EnrichedEvent, EnrichedEvent> harness)
            throws Exception {
        harness.snapshot(1, 1);
    }

    private KeyedOneInputStreamOperatorTestHarness<Integer, EnrichedEvent, EnrichedEvent> started(DedupeOptions options)
            throws Exception {
        var harness = harness(options, 0, 1);
        harness.open();
        return harness;
    }

    private KeyedOneInputStreamOperatorTestHarness<Integer, EnrichedEvent, EnrichedEvent> harness(
            DedupeOptions options, int subtask, int parallelism) throws Exception {
        var harness = new KeyedOneInputStreamOperatorTestHarness<>(
                new DedupeOperator(options, "events-topic"),
                EventShards.ofEnriched(),
                EventShards.KEY_TYPE,
                EventShards.SHARDS,
                parallelism,
                subtask);
        opened.add(harness);
        return harness;
    }

    private static void arrive(
            KeyedOneInputStreamOperatorTestHarness<Integer, EnrichedEvent, EnrichedEvent> harness,
            long id,
            long kafkaMillis)
            throws Exception {
        arrive(harness, id, kafkaMillis, false);
    }

    private static void arrive(
            KeyedOneInputStreamOperatorTestHarness<Integer, EnrichedEvent, EnrichedEvent> harness,
            long id,
            long kafkaMillis,
            boolean snapshot)
            throws Exception {
        EnrichedEvent sample = Samples.enriched(0, 1);
        EngagementEvent of = sample.event();
        EngagementEvent event = new EngagementEvent(
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

    private static EnrichedEvent enriched(EngagementEvent event) {
        EnrichedEvent sample = Samples.enriched(0, 1);
        return new EnrichedEvent(event, sample.content(), sample.engagement());
    }

    private static List<Long> ids(
            KeyedOneInputStreamOperatorTestHarness<Integer, EnrichedEvent, EnrichedEvent> harness) {
        return harness.extractOutputValues().stream()
                .map(enriched -> enriched.event().id())
                .toList();
    }
}
