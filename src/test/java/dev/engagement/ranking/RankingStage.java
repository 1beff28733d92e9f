package dev.engagement.ranking;

import dev.engagement.event.EnrichedEvent;
import dev.engagement.event.Standings;
import dev.engagement.event.types.EventShards;
import dev.engagement.event.types.EventTypes;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import org.apache.flink.api.common.serialization.SerializerConfigImpl;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.api.common.typeutils.TypeSerializer;
import org.apache.flink.core.memory.DataInputDeserializer;
import org.apache.flink.core.memory.DataOutputSerializer;
import org.apache.flink.runtime.checkpoint.OperatorSubtaskState;
import org.apache.flink.runtime.state.KeyGroupRangeAssignment;
import org.apache.flink.runtime.state.StateBackend;
import org.apache.flink.runtime.state.hashmap.HashMapStateBackend;
import org.apache.flink.streaming.util.AbstractStreamOperatorTestHarness;
import org.apache.flink.streaming.util.KeyedOneInputStreamOperatorTestHarness;
import org.apache.flink.streaming.util.OneInputStreamOperatorTestHarness;
import org.jspecify.annotations.Nullable;

/** The three operators, the middle one as several subtasks, with everything serialized where it crosses the network. */
final class RankingStage implements AutoCloseable {

    private final int maxParallelism;
    private final OneInputStreamOperatorTestHarness<EnrichedEvent, RankingPartial> partials;
    private final List<KeyedOneInputStreamOperatorTestHarness<Integer, RankingPartial, ShardStandings>> shards =
            new ArrayList<>();
    private final OneInputStreamOperatorTestHarness<ShardStandings, Standings> merge;
    private final List<PanePartials> partialsOperator = new ArrayList<>();
    private final List<StandingsOperator> operators = new ArrayList<>();
    private final MergeStandings mergeOperator;

    /** The state of all subtasks. */
    record Saved(OperatorSubtaskState state, int parallelism) {}

    RankingStage(RankingOptions options, int parallelism) throws Exception {
        this(options, parallelism, EventShards.SHARDS, HashMapStateBackend::new, null);
    }

    RankingStage(
            RankingOptions options,
            int parallelism,
            int maxParallelism,
            Supplier<? extends StateBackend> backend,
            @Nullable Saved saved)
            throws Exception {
        this.maxParallelism = maxParallelism;
        PanePartials panePartials = new PanePartials(options);
        partialsOperator.add(panePartials);
        partials = new OneInputStreamOperatorTestHarness<>(panePartials);
        partials.setup(serializer(RankingPartial.TYPE));
        partials.open();
        for (int subtask = 0; subtask < parallelism; subtask++) {
            StandingsOperator operator = new StandingsOperator(options);
            var shard = new KeyedOneInputStreamOperatorTestHarness<>(
                    operator, RankingPartial::key, EventShards.KEY_TYPE, maxParallelism, parallelism, subtask);
            shard.setStateBackend(backend.get());
            shard.setup(serializer(ShardStandings.TYPE));
            if (saved != null) {
                shard.initializeState(AbstractStreamOperatorTestHarness.repartitionOperatorState(
                        saved.state(), maxParallelism, saved.parallelism(), parallelism, subtask));
            }
            shard.open();
            operators.add(operator);
            shards.add(shard);
        }
        mergeOperator = new MergeStandings(options);
        merge = new OneInputStreamOperatorTestHarness<>(mergeOperator);
        merge.setup(serializer(EventTypes.STANDINGS));
        merge.open();
    }

    void wallClock(long millis) throws Exception {
        for (var shard : shards) {
            shard.setProcessingTime(millis);
        }
        merge.setProcessingTime(millis);
    }

    void event(EnrichedEvent event) throws Exception {
        partials.processElement(event, 0);
    }

    /** The boards that are published when event time comes there. */
    List<Standings> watermark(long millis) throws Exception {
        partials.processWatermark(millis);
        route();
        for (var shard : shards) {
            shard.processWatermark(millis);
            for (ShardStandings part : shard.extractOutputValues()) {
                merge.processElement(copy(ShardStandings.TYPE, part), 0);
            }
            shard.getOutput().clear();
        }
        merge.processWatermark(millis);
        List<Standings> boards = merge.extractOutputValues();
        merge.getOutput().clear();
        return boards;
    }

    Saved snapshot() throws Exception {
        partials.prepareSnapshotPreBarrier(1);
        route();
        List<OperatorSubtaskState> states = new ArrayList<>();
        for (var shard : shards) {
            states.add(shard.snapshot(1, 1));
        }
        return new Saved(
                AbstractStreamOperatorTestHarness.repackageState(states.toArray(new OperatorSubtaskState[0])),
                shards.size());
    }

    long futureDated() {
        return partialsOperator.get(0).futureDated();
    }

    long lateEvents() {
        return operators.stream().mapToLong(StandingsOperator::lateEvents).sum();
    }

    /** Of the subtask whose event time is furthest behind. */
    long watermarkLagMillis() {
        return operators.stream()
                .mapToLong(StandingsOperator::watermarkLagMillis)
                .max()
                .orElseThrow();
    }

    long incompleteBoards() {
        return mergeOperator.incompleteBoards();
    }

    private void route() throws Exception {
        for (RankingPartial partial : partials.extractOutputValues()) {
            RankingPartial received = copy(RankingPartial.TYPE, partial);
            int subtask =
                    KeyGroupRangeAssignment.assignKeyToParallelOperator(partial.key(), maxParallelism, shards.size());
            shards.get(subtask).processElement(received, 0);
        }
        partials.getOutput().clear();
    }

    static List<Standings.Place> places(TopN leaders) throws IOException {
        List<Standings.Place> places = new ArrayList<>();
        TopN.Cursor cursor = leaders.read();
        while (cursor.next()) {
            places.add(cursor.place());
        }
        return places;
    }

    static <T> TypeSerializer<T> serializer(TypeInformation<T> type) {
        return type.createSerializer(new SerializerConfigImpl());
    }

    static <T> T copy(TypeInformation<T> type, T value) throws Exception {
        DataOutputSerializer out = new DataOutputSerializer(64);
        serializer(type).serialize(value, out);
        return serializer(type).deserialize(new DataInputDeserializer(out.getCopyOfBuffer()));
    }

    @Override
    public void close() throws Exception {
        partials.close();
        for (var shard : shards) {
            shard.close();
        }
        merge.close();
    }
}
