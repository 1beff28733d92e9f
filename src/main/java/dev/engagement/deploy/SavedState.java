package dev.engagement.deploy;

import java.io.DataInputStream;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.apache.flink.api.common.ExecutionConfig;
import org.apache.flink.api.common.state.ListStateDescriptor;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.api.common.typeutils.TypeSerializerSnapshot;
import org.apache.flink.core.fs.CloseableRegistry;
import org.apache.flink.core.fs.FSDataInputStream;
import org.apache.flink.core.memory.DataInputViewStreamWrapper;
import org.apache.flink.runtime.checkpoint.Checkpoints;
import org.apache.flink.runtime.checkpoint.OperatorState;
import org.apache.flink.runtime.checkpoint.OperatorSubtaskState;
import org.apache.flink.runtime.checkpoint.metadata.CheckpointMetadata;
import org.apache.flink.runtime.jobgraph.OperatorID;
import org.apache.flink.runtime.state.CompletedCheckpointStorageLocation;
import org.apache.flink.runtime.state.DefaultOperatorStateBackendBuilder;
import org.apache.flink.runtime.state.IncrementalKeyedStateHandle;
import org.apache.flink.runtime.state.KeyGroupsStateHandle;
import org.apache.flink.runtime.state.KeyedBackendSerializationProxy;
import org.apache.flink.runtime.state.KeyedStateHandle;
import org.apache.flink.runtime.state.OperatorBackendSerializationProxy;
import org.apache.flink.runtime.state.OperatorStateBackend;
import org.apache.flink.runtime.state.OperatorStateHandle;
import org.apache.flink.runtime.state.StreamStateHandle;
import org.apache.flink.runtime.state.filesystem.AbstractFsCheckpointStorageAccess;
import org.apache.flink.runtime.state.metainfo.StateMetaInfoSnapshot;
import org.apache.flink.runtime.state.metainfo.StateMetaInfoSnapshot.CommonOptionsKeys;
import org.jspecify.annotations.Nullable;

/**
 * What a savepoint or a retained checkpoint holds, read from its own files: of each operator the states with the
 * serializers that wrote them, by the same headers that a restore reads.
 *
 * @param path where it is
 * @param checkpoint its number, which grows along one line of checkpoints
 * @param operators those that have state or had subtasks, by their hash
 */
record SavedState(String path, long checkpoint, Map<OperatorID, Operator> operators) {

    /**
     * What is kept of an operator.
     *
     * @param parallelism at which it was written
     * @param maxParallelism number of its key groups
     * @param coordinator whether its coordinator has state
     * @param hasState whether Flink restores anything of it, be it empty
     * @param states with a name
     * @param empty names of those of {@code states} that hold nothing, as far as the metadata tell
     * @param unreadable why a part of it cannot be read with these classes; empty if all can
     * @param rollups those that it keeps: fingerprints of their definitions by name
     */
    record Operator(
            int parallelism,
            int maxParallelism,
            boolean coordinator,
            boolean hasState,
            List<RegisteredState> states,
            Set<String> empty,
            List<String> unreadable,
            Map<String, String> rollups) {}

    private static final String UNION = "operator union list";

    /** In which the operator that keeps rollups says what they mean: name and fingerprint, one after the other. */
    private static final ListStateDescriptor<String> MEANINGS = new ListStateDescriptor<>("meanings", Types.STRING);

    /**
     * Reads one.
     *
     * @param path as {@code flink run -s} takes it
     * @param classes that know the serializers' snapshots: those of the jar that is to be restored
     * @throws IOException if there is none, or its metadata cannot be read
     */
    static SavedState read(String path, ClassLoader classes) throws IOException {
        CompletedCheckpointStorageLocation location = AbstractFsCheckpointStorageAccess.resolveCheckpointPointer(path);
        CheckpointMetadata metadata;
        try (DataInputStream in =
                new DataInputStream(location.getMetadataHandle().openInputStream())) {
            metadata = Checkpoints.loadCheckpointMetadata(in, classes, location.getExternalPointer());
        }
        Map<OperatorID, Operator> operators = new LinkedHashMap<>();
        for (OperatorState state : metadata.getOperatorStates()) {
            operators.put(state.getOperatorID(), operator(state, classes));
        }
        return new SavedState(path, metadata.getCheckpointId(), operators);
    }

    private static Operator operator(OperatorState state, ClassLoader classes) throws IOException {
        Map<String, RegisteredState> states = new TreeMap<>();
        List<String> unreadable = new ArrayList<>();
        OperatorStateHandle operator = null;
        KeyedStateHandle keyed = null;
        boolean hasState = false;
        Map<String, Integer> elements = new HashMap<>();
        Map<String, String> rollups = Map.of();
        for (OperatorSubtaskState subtask : state.getStates()) {
            hasState |= subtask.hasState();
            // Every subtask registers the same: one of each is enough.
            for (OperatorStateHandle each : subtask.getManagedOperatorState()) {
                each.getStateNameToPartitionOffsets()
                        .forEach((name, part) -> elements.merge(name, part.getOffsets().length, Integer::sum));
            }
            operator = subtask.getManagedOperatorState().stream().findFirst().orElse(operator);
            keyed = subtask.getManagedKeyedState().stream().findFirst().orElse(keyed);
            if (!subtask.getRawOperatorState().isEmpty()
                    || !subtask.getRawKeyedState().isEmpty()) {
                keep(new RegisteredState("raw", "raw", List.of()), states);
            }
        }
        if (operator != null) {
            OperatorBackendSerializationProxy header = new OperatorBackendSerializationProxy(classes);
            if (readHeader(operator, header::read, unreadable)) {
                for (StateMetaInfoSnapshot each : header.getOperatorStateMetaInfoSnapshots()) {
                    keep(registered(each, null), states);
                }
                for (StateMetaInfoSnapshot each : header.getBroadcastStateMetaInfoSnapshots()) {
                    keep(registered(each, null), states);
                }
                if (states.containsKey(key(MEANINGS.getName(), UNION))) {
                    rollups = rollups(operator, classes);
                }
            }
        }
        if (keyed != null) {
            StreamStateHandle files = withHeader(keyed);
            KeyedBackendSerializationProxy<Object> header = new KeyedBackendSerializationProxy<>(classes);
            if (files == null) {
                unreadable.add(keyed.getClass().getSimpleName() + " cannot be looked into; take a savepoint");
            } else if (readHeader(files, header::read, unreadable)) {
                for (StateMetaInfoSnapshot each : header.getStateMetaInfoSnapshots()) {
                    keep(registered(each, header.getKeySerializerSnapshot()), states);
                }
            }
        }
        return new Operator(
                state.getParallelism(),
                state.getMaxParallelism(),
                state.getCoordinatorState() != null,
                hasState || state.getCoordinatorState() != null,
                List.copyOf(states.values()),
                elements.keySet().stream()
                        .filter(name -> elements.get(name) == 0)
                        .collect(Collectors.toSet()),
                unreadable,
                rollups);
    }

    private static void keep(RegisteredState state, Map<String, RegisteredState> states) {
        states.put(key(state.name(), state.kind()), state);
    }

    private static String key(String name, String kind) {
        return name + ' ' + kind;
    }

    /** As a restore reads it: every subtask has written the same. */
    private static Map<String, String> rollups(OperatorStateHandle files, ClassLoader classes) throws IOException {
        Map<String, String> fingerprints = new TreeMap<>();
        try (CloseableRegistry open = new CloseableRegistry();
                OperatorStateBackend state = new DefaultOperatorStateBackendBuilder(
                                classes, new ExecutionConfig(), false, List.of(files), open)
                        .build()) {
            Iterator<String> texts = state.getUnionListState(MEANINGS).get().iterator();
            while (texts.hasNext()) {
                String name = texts.next();
                fingerprints.put(name, texts.next());
            }
            return fingerprints;
        } catch (IOException e) {
            throw e;
        } catch (Exception e) {
            throw new IOException("what the rollups of it mean cannot be read: " + e.getMessage(), e);
        }
    }

    private static @Nullable StreamStateHandle withHeader(KeyedStateHandle keyed) {
        if (keyed instanceof KeyGroupsStateHandle groups) {
            return groups;
        }
        return keyed instanceof IncrementalKeyedStateHandle incremental ? incremental.getMetaDataStateHandle() : null;
    }

    private interface Header {
        void read(DataInputViewStreamWrapper in) throws IOException;
    }

    /** A snapshot whose class is not there is no failure of the look, but what the look is for. */
    private static boolean readHeader(StreamStateHandle files, Header header, List<String> unreadable)
            throws FileNotFoundException {
        try (FSDataInputStream in = files.openInputStream()) {
            header.read(new DataInputViewStreamWrapper(in));
            return true;
        } catch (FileNotFoundException e) {
            // The checkpoint was deleted meanwhile, as there is a newer one: nothing of it can be restored.
            throw e;
        } catch (IOException e) {
            Throwable cause = e;
            while (cause.getCause() != null) {
                cause = cause.getCause();
            }
            unreadable.add(e.getMessage() + (cause == e ? "" : " (" + cause + ")"));
            return false;
        }
    }

    private static RegisteredState registered(StateMetaInfoSnapshot state, @Nullable TypeSerializerSnapshot<?> key)
            throws IOException {
        Map<String, TypeSerializerSnapshot<?>> snapshots = new TreeMap<>(state.getSerializerSnapshotsImmutable());
        if (key != null) {
            snapshots.put(RegisteredState.KEY, key);
        }
        List<StateSerializer> serializers = new ArrayList<>();
        for (Map.Entry<String, TypeSerializerSnapshot<?>> each : snapshots.entrySet()) {
            serializers.add(StateSerializer.of(each.getKey(), each.getValue()));
        }
        return new RegisteredState(state.getName(), kind(state), serializers);
    }

    private static String kind(StateMetaInfoSnapshot state) {
        return switch (state.getBackendStateType()) {
            case KEY_VALUE -> "keyed " + option(state, CommonOptionsKeys.KEYED_STATE_TYPE);
            case OPERATOR ->
                option(state, CommonOptionsKeys.OPERATOR_STATE_DISTRIBUTION_MODE)
                                .equals("union")
                        ? UNION
                        : "operator list";
            case BROADCAST -> "broadcast";
            case PRIORITY_QUEUE -> "timers";
        };
    }

    private static String option(StateMetaInfoSnapshot state, CommonOptionsKeys key) {
        String value = state.getOption(key);
        return value == null ? "of an unknown kind" : value.toLowerCase(Locale.ROOT);
    }
}
