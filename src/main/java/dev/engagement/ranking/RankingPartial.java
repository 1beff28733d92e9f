package dev.engagement.ranking;

import dev.engagement.event.types.ContentShards;
import dev.engagement.event.types.EventShards;
import dev.engagement.event.types.ImmutableSerializer;
import dev.engagement.event.types.ImmutableType;
import dev.engagement.event.types.Wire;
import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;
import java.util.Arrays;
import org.apache.flink.api.common.typeinfo.TypeInformation;

/**
 * What one task saw of a content since it last said so, by second of event time. Immutable: its numbers are not to be
 * written to.
 *
 * <p>A pane without events says only that some task has seen an event of that second: see {@link #mark}.
 */
final class RankingPartial {

    /** Its type, explicit. */
    static final TypeInformation<RankingPartial> TYPE =
            ImmutableType.of(RankingPartial.class, RankingPartialSerializer::new);

    /** Numbers of a pane: its second, events, events with a duration, milliseconds of engagement. */
    static final int WIDTH = 4;

    /** For each shard a content id that belongs to it. */
    private static final String[] MARKED = idOfEachShard();

    private final String contentId;
    private final int panes;
    private final long[] numbers;

    /**
     * Numbers by pane.
     *
     * @param panes how many; from {@code panes} x {@link #WIDTH} on, numbers mean nothing
     * @param numbers {@link #WIDTH} of each pane
     */
    RankingPartial(String contentId, int panes, long[] numbers) {
        this.contentId = contentId;
        this.panes = panes;
        this.numbers = numbers;
    }

    /** Tells a shard which second is the newest that has events of any content. */
    static RankingPartial mark(int shard, long newestSecond) {
        return new RankingPartial(MARKED[shard], 1, new long[] {newestSecond, 0, 0, 0});
    }

    String contentId() {
        return contentId;
    }

    /** The key of the content's shard. */
    Integer key() {
        return ContentShards.keyOf(contentId);
    }

    int panes() {
        return panes;
    }

    /** Seconds since the epoch at which the pane begins. */
    long second(int pane) {
        return numbers[pane * WIDTH];
    }

    long events(int pane) {
        return numbers[pane * WIDTH + 1];
    }

    /** Events that have a duration. */
    long measured(int pane) {
        return numbers[pane * WIDTH + 2];
    }

    long millis(int pane) {
        return numbers[pane * WIDTH + 3];
    }

    @Override
    public String toString() {
        return contentId + Arrays.toString(Arrays.copyOf(numbers, panes * WIDTH));
    }

    private static String[] idOfEachShard() {
        String[] ids = new String[EventShards.SHARDS];
        int missing = ids.length;
        for (int candidate = 0; missing > 0; candidate++) {
            String id = Integer.toString(candidate);
            int shard = ContentShards.shardOf(id);
            if (ids[shard] == null) {
                ids[shard] = id;
                missing--;
            }
        }
        return ids;
    }

    /** Serializer of {@link RankingPartial}. */
    public static final class RankingPartialSerializer extends ImmutableSerializer<RankingPartial> {
        private static final long serialVersionUID = 1L;

        @Override
        protected int version() {
            return 1;
        }

        @Override
        protected void write(RankingPartial partial, DataOutput out) throws IOException {
            ContentIds.write(partial.contentId, out);
            Wire.writeUnsigned(partial.panes, out);
            long before = 0;
            for (int at = 0; at < partial.panes * WIDTH; at += WIDTH) {
                // Panes are near each other, in either direction.
                long step = partial.numbers[at] - before;
                before = partial.numbers[at];
                Wire.writeUnsigned(step << 1 ^ step >> 63, out);
                for (int i = 1; i < WIDTH; i++) {
                    Wire.writeUnsigned(partial.numbers[at + i], out);
                }
            }
        }

        @Override
        protected RankingPartial read(int version, DataInput in) throws IOException {
            String contentId = ContentIds.read(in);
            int panes = (int) Wire.readUnsigned(in);
            long[] numbers = new long[Math.multiplyExact(panes, WIDTH)];
            long before = 0;
            for (int at = 0; at < numbers.length; at += WIDTH) {
                long step = Wire.readUnsigned(in);
                before += step >>> 1 ^ -(step & 1);
                numbers[at] = before;
                for (int i = 1; i < WIDTH; i++) {
                    numbers[at + i] = Wire.readUnsigned(in);
                }
            }
            return new RankingPartial(contentId, panes, numbers);
        }
    }
}
