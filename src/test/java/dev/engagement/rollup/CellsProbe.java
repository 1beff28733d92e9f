package dev.engagement.rollup;

import dev.engagement.event.Content;
import dev.engagement.event.EngagementEvent;
import dev.engagement.event.EngagementRule;
import dev.engagement.event.Position;
import dev.engagement.event.RollupRow;
import dev.engagement.event.types.EventShards;
import dev.engagement.event.types.RollupRowType;
import java.util.Objects;
import org.apache.flink.runtime.state.hashmap.HashMapStateBackend;
import org.apache.flink.runtime.state.storage.JobManagerCheckpointStorage;
import org.apache.flink.streaming.util.KeyedOneInputStreamOperatorTestHarness;

/** One subtask with all cells of the first rollup, on the heap state backend, event by event, to be weighed. */
public final class CellsProbe implements AutoCloseable {

    private static final long PUBLISHED_MICROS = 1_767_225_600_000_000L;

    private final CompiledRollup rollup;
    private final PayloadFields fields;
    private final KeyedOneInputStreamOperatorTestHarness<Integer, RollupPartial, RollupRow> cells;

    /** Without cells. */
    public CellsProbe(RollupOptions options) throws Exception {
        CompiledRollup.All all = CompiledRollup.All.of(options.definitions());
        rollup = all.rollups().get(0);
        fields = all.fields();
        cells = new KeyedOneInputStreamOperatorTestHarness<>(
                new RollupCellsFactory(options, true),
                RollupPartial::shardKey,
                EventShards.KEY_TYPE,
                EventShards.SHARDS,
                1,
                0);
        cells.setStateBackend(new HashMapStateBackend());
        cells.setCheckpointStorage(new JobManagerCheckpointStorage(Integer.MAX_VALUE));
        cells.setup(RollupStage.serializer(RollupRowType.ROW));
        cells.open();
    }

    /** Adds an event, which the rollup has to be about, as it comes alone over the network. */
    public void add(String contentId, String userId, long eventTsMicros) throws Exception {
        long millis = eventTsMicros / 1_000;
        EngagementEvent event = new EngagementEvent(
                1,
                contentId,
                userId,
                "play",
                eventTsMicros,
                1_000,
                "web",
                null,
                false,
                millis,
                new Position(0, 0, millis));
        Content content = new Content(contentId, "slug", "Title", "podcast", 300, PUBLISHED_MICROS);
        EventFacts facts = new EventFacts(fields, EngagementRule.DEFAULT.enrich(event, content));
        Aggregate one = rollup.empty();
        rollup.add(facts, one);
        String key = Objects.requireNonNull(rollup.key(facts));
        cells.processElement(new RollupPartial(rollup.name(), key, rollup.paneOf(eventTsMicros), false, one), 0);
    }

    /** Bytes of a snapshot of the operator. */
    public long snapshotBytes() throws Exception {
        return cells.snapshot(1, 1).getStateSize();
    }

    @Override
    public void close() throws Exception {
        cells.close();
    }
}
