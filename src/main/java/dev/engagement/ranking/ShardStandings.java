package dev.engagement.ranking;

import dev.engagement.event.Standings;
import dev.engagement.event.types.ImmutableSerializer;
import dev.engagement.event.types.ImmutableType;
import dev.engagement.event.types.Wire;
import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.api.common.typeutils.SimpleTypeSerializerSnapshot;
import org.apache.flink.api.common.typeutils.TypeSerializerSnapshot;

/**
 * The best contents of one subtask over the window that ends at one slide end. Immutable.
 *
 * @param slideEndMillis the window's end, milliseconds since the epoch, exclusive
 * @param subtask which subtask says so
 * @param parallelism of how many
 * @param byEvents the subtask's contents of most events, best first
 * @param byEngagement the subtask's contents of most engagement, best first
 */
record ShardStandings(
        long slideEndMillis,
        int subtask,
        int parallelism,
        List<Standings.Place> byEvents,
        List<Standings.Place> byEngagement) {

    /** Its type, explicit. */
    static final TypeInformation<ShardStandings> TYPE =
            ImmutableType.of(ShardStandings.class, ShardStandingsSerializer::new);

    ShardStandings {
        byEvents = List.copyOf(byEvents);
        byEngagement = List.copyOf(byEngagement);
    }

    /** Serializer of {@link ShardStandings}. */
    static final class ShardStandingsSerializer extends ImmutableSerializer<ShardStandings> {
        private static final long serialVersionUID = 1L;

        @Override
        protected int version() {
            return 1;
        }

        @Override
        protected void write(ShardStandings standings, DataOutput out) throws IOException {
            out.writeLong(standings.slideEndMillis());
            Wire.writeUnsigned(standings.subtask(), out);
            Wire.writeUnsigned(standings.parallelism(), out);
            writePlaces(standings.byEvents(), out);
            writePlaces(standings.byEngagement(), out);
        }

        private static void writePlaces(List<Standings.Place> places, DataOutput out) throws IOException {
            Wire.writeUnsigned(places.size(), out);
            for (Standings.Place place : places) {
                ContentIds.write(place.contentId(), out);
                Wire.writeUnsigned(place.score(), out);
            }
        }

        @Override
        protected ShardStandings read(int version, DataInput in) throws IOException {
            return new ShardStandings(
                    in.readLong(),
                    (int) Wire.readUnsigned(in),
                    (int) Wire.readUnsigned(in),
                    readPlaces(in),
                    readPlaces(in));
        }

        private static List<Standings.Place> readPlaces(DataInput in) throws IOException {
            int size = (int) Wire.readUnsigned(in);
            List<Standings.Place> places = new ArrayList<>(Math.min(size, 1_024));
            for (int i = 0; i < size; i++) {
                places.add(new Standings.Place(ContentIds.read(in), Wire.readUnsigned(in)));
            }
            return places;
        }

        @Override
        public TypeSerializerSnapshot<ShardStandings> snapshotConfiguration() {
            return new Snapshot();
        }

        /** Snapshot of {@link ShardStandingsSerializer}. */
        public static final class Snapshot extends SimpleTypeSerializerSnapshot<ShardStandings> {
            public Snapshot() {
                super(ShardStandingsSerializer::new);
            }
        }
    }
}
