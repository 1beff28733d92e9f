package dev.engagement.ranking;

import dev.engagement.event.types.ImmutableSerializer;
import dev.engagement.event.types.ImmutableType;
import dev.engagement.event.types.Wire;
import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;
import org.apache.flink.api.common.typeinfo.TypeInformation;

/**
 * The best contents of one subtask over the window that ends at one slide end. Immutable.
 *
 * @param slideEndMillis the window's end, milliseconds since the epoch, exclusive
 * @param subtask which subtask says so
 * @param parallelism of how many
 * @param byEvents the subtask's contents of most events, best first
 * @param byEngagement the subtask's contents of most engagement, best first
 */
record ShardStandings(long slideEndMillis, int subtask, int parallelism, TopN byEvents, TopN byEngagement) {

    /** Its type, explicit. */
    static final TypeInformation<ShardStandings> TYPE =
            ImmutableType.of(ShardStandings.class, ShardStandingsSerializer::new);

    /** Serializer of {@link ShardStandings}. */
    public static final class ShardStandingsSerializer extends ImmutableSerializer<ShardStandings> {
        private static final long serialVersionUID = 1L;

        @Override
        protected int version() {
            return 2;
        }

        @Override
        protected void write(ShardStandings standings, DataOutput out) throws IOException {
            out.writeLong(standings.slideEndMillis());
            Wire.writeUnsigned(standings.subtask(), out);
            Wire.writeUnsigned(standings.parallelism(), out);
            Wire.writeBytes(standings.byEvents().encoded(), out);
            Wire.writeBytes(standings.byEngagement().encoded(), out);
        }

        @Override
        protected ShardStandings read(int version, DataInput in) throws IOException {
            return new ShardStandings(
                    in.readLong(),
                    (int) Wire.readUnsigned(in),
                    (int) Wire.readUnsigned(in),
                    readLeaders(version, in),
                    readLeaders(version, in));
        }

        private static TopN readLeaders(int version, DataInput in) throws IOException {
            if (version == 1) {
                return readPlaces(in);
            }
            byte[] encoded = Wire.readBytes(in);
            if (encoded == null) {
                throw new IOException("The leaders of a subtask have no bytes: the data is damaged");
            }
            return new TopN(encoded);
        }

        /** As version 1 has them: their number and then each, as among {@link TopN}. */
        private static TopN readPlaces(DataInput in) throws IOException {
            int size = (int) Wire.readUnsigned(in);
            TopN.Writer leaders = new TopN.Writer();
            for (int i = 0; i < size; i++) {
                leaders.add(ContentIds.encoded(ContentIds.read(in)), Wire.readUnsigned(in));
            }
            return leaders.leaders();
        }
    }
}
