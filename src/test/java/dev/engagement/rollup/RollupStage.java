package dev.engagement.rollup;

import dev.engagement.event.EnrichedEvent;
import dev.engagement.event.RollupRow;
import dev.engagement.event.types.EventShards;
import dev.engagement.event.types.RollupRowType;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import org.apache.flink.api.common.serialization.SerializerConfigImpl;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.api.common.typeutils.TypeSerializer;
import org.apache.flink.core.memory.DataInputDeserializer;
import org.apache.flink.core.memory.DataOutputSerializer;
import org.apache.flink.runtime.checkpoint.OperatorSubtaskState;
import org.apache.flink.runtime.state.KeyGroupRangeAssignment;
import org.apache.flink.runtime.state.StateBackend;
import org.apache.flink.streaming.runtime.tasks.mailbox.Mail;
import org.apache.flink.streaming.util.AbstractStreamOperatorTestHarness;
import org.apache.flink.streaming.util.KeyedOneInputStreamOperatorTestHarness;
import org.apache.flink.streaming.util.OneInputStreamOperatorTestHarness;
import org.jspecify.annotations.Nullable;

/** The two operators, the second one as several subtasks, with everything serialized where it crosses the network. */
final class RollupStage implements AutoCloseable {

    private static final int MAX_PARALLELISM = EventShards.SHARDS;

    /** Few rows in one go, so that there are several. */
    private static final int SLICE = 2;

    private final OneInputStreamOperatorTestHarness<EnrichedEvent, RollupPartial> partials;
    private final List<KeyedOneInputStreamOperatorTestHarness<Integer, RollupPartial, RollupRow>> cells =
            new ArrayList<>();

    /** The state of all subtasks. */
    record Saved(OperatorSubtaskState partials, OperatorSubtaskState state, int parallelism) {}

    RollupStage(RollupOptions options, int parallelism, Supplier<? extends StateBackend> backend, @Nullable Saved saved)
            throws Exception {
        this(0, options, parallelism, backend, saved);
    }

    private RollupStage(
            long wallClock,
            RollupOptions options,
            int parallelism,
            Supplier<? extends StateBackend> backend,
            @Nullable Saved saved)
            throws Exception {
        partials = new OneInputStreamOperatorTestHarness<>(new RollupPartials(options));
        partials.setup(serializer(RollupPartial.TYPE));
        if (saved != null) {
            partials.initializeState(saved.partials());
        }
        partials.open();
        for (int subtask = 0; subtask < parallelism; subtask++) {
            var each = new KeyedOneInputStreamOperatorTestHarness<>(
                    new RollupCellsFactory(options, true, SLICE),
                    RollupPartial::shardKey,
                    EventShards.KEY_TYPE,
                    MAX_PARALLELISM,
                    parallelism,
                    subtask);
            each.setStateBackend(backend.get());
            each.setProcessingTime(wallClock);
            each.setup(serializer(RollupRowType.ROW));
            if (saved != null) {
                each.initializeState(AbstractStreamOperatorTestHarness.repartitionOperatorState(
                        saved.state(), MAX_PARALLELISM, saved.parallelism(), parallelism, subtask));
            }
            each.open();
            cells.add(each);
        }
    }

    /** Opened at that time of the wall clock, milliseconds since the epoch. */
    static RollupStage at(
            long wallClock,
            RollupOptions options,
            int parallelism,
            Supplier<? extends StateBackend> backend,
            @Nullable Saved saved)
            throws Exception {
        return new RollupStage(wallClock, options, parallelism, backend, saved);
    }

    void event(EnrichedEvent event) throws Exception {
        partials.processElement(event, 0);
    }

    /** The rows that are told as time passes for those who look. */
    List<RollupRow> wallClock(long millis) throws Exception {
        partials.setProcessingTime(millis);
        route();
        for (var each : cells) {
            each.setProcessingTime(millis);
        }
        return rows();
    }

    /** The rows that are told when event time comes there. */
    List<RollupRow> watermark(long millis) throws Exception {
        List<RollupRow> rows = new ArrayList<>(advance(millis));
        rows.addAll(drain());
        return rows;
    }

    /** The rows that are told at once when event time comes there; others wait for {@link #drain}. */
    List<RollupRow> advance(long millis) throws Exception {
        partials.processWatermark(millis);
        route();
        for (var each : cells) {
            each.processWatermark(millis);
        }
        return rows();
    }

    /** The rows that were to be told piece by piece. */
    List<RollupRow> drain() throws Exception {
        for (var each : cells) {
            Optional<Mail> mail = each.getTaskMailbox().tryTake(0);
            while (mail.isPresent()) {
                mail.get().run();
                mail = each.getTaskMailbox().tryTake(0);
            }
        }
        return rows();
    }

    /** What is told before the barrier, and the state behind it. */
    Saved snapshot(List<RollupRow> told) throws Exception {
        partials.prepareSnapshotPreBarrier(1);
        route();
        List<OperatorSubtaskState> states = new ArrayList<>();
        for (var each : cells) {
            each.prepareSnapshotPreBarrier(1);
            states.add(each.snapshot(1, 1));
        }
        told.addAll(rows());
        return new Saved(
                partials.snapshot(1, 1),
                AbstractStreamOperatorTestHarness.repackageState(states.toArray(new OperatorSubtaskState[0])),
                cells.size());
    }

    private List<RollupRow> rows() {
        List<RollupRow> rows = new ArrayList<>();
        for (var each : cells) {
            rows.addAll(each.extractOutputValues());
            each.getOutput().clear();
        }
        return rows;
    }

    private void route() throws Exception {
        for (RollupPartial partial : partials.extractOutputValues()) {
            RollupPartial received = copy(RollupPartial.TYPE, partial);
            int subtask = KeyGroupRangeAssignment.assignKeyToParallelOperator(
                    partial.shardKey(), MAX_PARALLELISM, cells.size());
            cells.get(subtask).processElement(received, 0);
        }
        partials.getOutput().clear();
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
        for (var each : cells) {
            each.close();
        }
    }
}
