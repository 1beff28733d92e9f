package dev.engagement.ranking;

import dev.engagement.event.types.EventShards;
import java.io.IOException;
import java.util.HashMap;
import java.util.Map;
import org.apache.flink.api.common.serialization.SerializerConfigImpl;
import org.apache.flink.api.common.typeutils.TypeSerializer;
import org.apache.flink.core.memory.DataOutputSerializer;
import org.apache.flink.runtime.state.hashmap.HashMapStateBackend;
import org.apache.flink.runtime.state.storage.JobManagerCheckpointStorage;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;
import org.apache.flink.streaming.util.KeyedOneInputStreamOperatorTestHarness;

/**
 * The window of one subtask that has all contents, step by step, to be measured. What it keeps in state goes into maps as
 * on the heap state backend.
 */
public final class WindowProbe {

    private final RankingOptions options;
    private final SlidingWindow window;
    private final TypeSerializer<ShardStandings> wire =
            ShardStandings.TYPE.createSerializer(new SerializerConfigImpl());
    private final DataOutputSerializer sent = new DataOutputSerializer(16_384);
    private final Map<Integer, Map<Long, PaneBlob>> stored = new HashMap<>();

    /** An empty window. */
    public WindowProbe(RankingOptions options) {
        this.options = options;
        this.window = new SlidingWindow(options);
    }

    /**
     * Adds a partial sum.
     *
     * @param millis milliseconds of engagement of all the events, each of which has a duration
     */
    public void add(String contentId, long second, int events, long millis) {
        window.add(new RankingPartial(contentId, 1, new long[] {second, events, events, millis}));
    }

    /** Moves to a slide end, finds both boards and writes them as they cross the network. */
    public void slideTo(long endSecond) throws IOException {
        window.moveTo(endSecond);
        sent.clear();
        wire.serialize(new ShardStandings(endSecond * 1_000, 0, 1, window.byEvents(), window.byEngagement()), sent);
    }

    /** Contents with an event in the window. */
    public int contents() {
        return window.contents();
    }

    /** How often all contents were looked at to find the best. */
    public long rebuilds() {
        return window.rebuilds();
    }

    /** Brings state up to date, as the task thread does when a checkpoint is taken. */
    public void save() throws Exception {
        window.save(new SlidingWindow.Store() {
            @Override
            public void put(int shard, long second, PaneBlob blob) {
                stored.computeIfAbsent(shard, any -> new HashMap<>()).put(second, blob);
            }

            @Override
            public void remove(int shard, long second) {
                stored.computeIfAbsent(shard, any -> new HashMap<>()).remove(second);
            }
        });
    }

    /** Bytes of a snapshot of the operator that has what was saved. */
    public long snapshotBytes() throws Exception {
        StandingsOperator operator = new StandingsOperator(options);
        try (var harness = new KeyedOneInputStreamOperatorTestHarness<>(
                operator, RankingPartial::key, EventShards.KEY_TYPE, EventShards.SHARDS, 1, 0)) {
            harness.setStateBackend(new HashMapStateBackend());
            harness.setCheckpointStorage(new JobManagerCheckpointStorage(Integer.MAX_VALUE));
            harness.setup(wire);
            harness.open();
            for (Map<Long, PaneBlob> shard : stored.values()) {
                for (Map.Entry<Long, PaneBlob> pane : shard.entrySet()) {
                    pane.getValue()
                            .read((contentId, events, measured, millis) ->
                                    feed(operator, new RankingPartial(contentId, 1, new long[] {
                                        pane.getKey(), events, measured, millis
                                    })));
                }
            }
            return harness.snapshot(1, 1).getStateSize();
        }
    }

    private static void feed(StandingsOperator operator, RankingPartial partial) {
        operator.processElement(new StreamRecord<>(partial));
    }
}
