package dev.engagement.event.types;

import dev.engagement.event.Content;
import dev.engagement.event.ContentChange;
import dev.engagement.event.Engagement;
import dev.engagement.event.EngagementEvent;
import dev.engagement.event.EnrichedEvent;
import dev.engagement.event.EventId;
import dev.engagement.event.Position;
import dev.engagement.event.Standings;
import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.apache.flink.api.common.typeinfo.TypeInformation;

/** The types of {@code event} for Flink's streams and state. Serializer and snapshot class names are part of savepoints. */
public final class EventTypes {

    private EventTypes() {}

    /** {@link EngagementEvent}. */
    public static final TypeInformation<EngagementEvent> EVENT =
            ImmutableType.of(EngagementEvent.class, EventSerializer::new);

    /** {@link Content}. */
    public static final TypeInformation<Content> CONTENT = ImmutableType.of(Content.class, ContentSerializer::new);

    /** {@link ContentChange}. */
    public static final TypeInformation<ContentChange> CONTENT_CHANGE =
            ImmutableType.of(ContentChange.class, ContentChangeSerializer::new);

    /** {@link EnrichedEvent}. */
    public static final TypeInformation<EnrichedEvent> ENRICHED =
            ImmutableType.of(EnrichedEvent.class, EnrichedSerializer::new);

    /** {@link Standings}. */
    public static final TypeInformation<Standings> STANDINGS =
            ImmutableType.of(Standings.class, StandingsSerializer::new);

    private static void writePosition(Position position, DataOutput out) throws IOException {
        out.writeInt(position.partition());
        out.writeLong(position.offset());
        out.writeLong(position.timestampMillis());
    }

    private static Position readPosition(DataInput in) throws IOException {
        return new Position(in.readInt(), in.readLong(), in.readLong());
    }

    /** Serializer of {@link EngagementEvent}. */
    public static final class EventSerializer extends ImmutableSerializer<EngagementEvent> {
        private static final long serialVersionUID = 1L;
        private static final int NUMBER_ID = 1;
        private static final int TEXT_ID = 2;

        @Override
        protected int version() {
            return TEXT_ID;
        }

        @Override
        protected int versionOf(EngagementEvent event) {
            return event.textId() == null ? NUMBER_ID : TEXT_ID;
        }

        @Override
        protected void write(EngagementEvent event, DataOutput out) throws IOException {
            if (event.textId() == null) {
                out.writeLong(event.id());
            } else {
                Wire.writeText(event.textId(), out);
            }
            Wire.writeText(event.contentId(), out);
            Wire.writeText(event.userId(), out);
            Wire.writeText(event.eventType(), out);
            out.writeLong(event.eventTsMicros());
            out.writeInt(event.durationMs());
            Wire.writeText(event.device(), out);
            Wire.writeText(event.rawPayload(), out);
            out.writeBoolean(event.snapshot());
            out.writeLong(event.committedAtMillis());
            writePosition(event.position(), out);
        }

        @Override
        protected EngagementEvent read(int version, DataInput in) throws IOException {
            String textId = version == NUMBER_ID ? null : Wire.readRequiredText(in);
            return new EngagementEvent(
                    textId == null ? in.readLong() : EventId.hash(textId),
                    textId,
                    Wire.readText(in),
                    Wire.readText(in),
                    Wire.readText(in),
                    in.readLong(),
                    in.readInt(),
                    Wire.readText(in),
                    Wire.readText(in),
                    in.readBoolean(),
                    in.readLong(),
                    readPosition(in));
        }
    }

    /** Serializer of {@link Content}. */
    public static final class ContentSerializer extends ImmutableSerializer<Content> {
        private static final long serialVersionUID = 1L;

        @Override
        protected int version() {
            return 1;
        }

        @Override
        protected void write(Content content, DataOutput out) throws IOException {
            Wire.writeText(content.id(), out);
            Wire.writeText(content.slug(), out);
            Wire.writeText(content.title(), out);
            Wire.writeText(content.contentType(), out);
            Integer length = content.lengthSeconds();
            out.writeBoolean(length != null);
            if (length != null) {
                out.writeInt(length);
            }
            Long publishTs = content.publishTsMicros();
            out.writeBoolean(publishTs != null);
            if (publishTs != null) {
                out.writeLong(publishTs);
            }
        }

        @Override
        protected Content read(int version, DataInput in) throws IOException {
            return new Content(
                    Wire.readRequiredText(in),
                    Wire.readText(in),
                    Wire.readText(in),
                    Wire.readText(in),
                    in.readBoolean() ? (Integer) in.readInt() : null,
                    in.readBoolean() ? (Long) in.readLong() : null);
        }
    }

    /** Serializer of {@link ContentChange}. */
    public static final class ContentChangeSerializer extends ImmutableSerializer<ContentChange> {
        private static final long serialVersionUID = 1L;
        private static final int PUT = 1;
        private static final int DELETE = 2;
        private static final int READ_TO_END = 3;

        private final ContentSerializer contents = new ContentSerializer();

        @Override
        protected int version() {
            return 1;
        }

        @Override
        protected void write(ContentChange change, DataOutput out) throws IOException {
            if (change instanceof ContentChange.Put put) {
                out.writeByte(PUT);
                contents.writeVersioned(put.content(), out);
                out.writeBoolean(put.unchanged().slug());
                out.writeBoolean(put.unchanged().title());
                writePosition(put.position(), out);
            } else if (change instanceof ContentChange.Delete delete) {
                out.writeByte(DELETE);
                Wire.writeText(delete.contentId(), out);
                writePosition(delete.position(), out);
            } else if (change instanceof ContentChange.ReadToEnd end) {
                out.writeByte(READ_TO_END);
                out.writeInt(end.partition());
                out.writeInt(end.partitions());
            }
        }

        @Override
        protected ContentChange read(int version, DataInput in) throws IOException {
            byte kind = in.readByte();
            return switch (kind) {
                case PUT ->
                    new ContentChange.Put(
                            contents.readVersioned(in),
                            new ContentChange.Unchanged(in.readBoolean(), in.readBoolean()),
                            readPosition(in));
                case DELETE -> new ContentChange.Delete(Wire.readRequiredText(in), readPosition(in));
                case READ_TO_END -> new ContentChange.ReadToEnd(in.readInt(), in.readInt());
                default -> throw new IOException("Unknown kind of content change " + kind + ": the data is damaged");
            };
        }
    }

    /** Serializer of {@link EnrichedEvent}. */
    public static final class EnrichedSerializer extends ImmutableSerializer<EnrichedEvent> {
        private static final long serialVersionUID = 1L;

        private final EventSerializer events = new EventSerializer();
        private final ContentSerializer contents = new ContentSerializer();

        @Override
        protected int version() {
            return 1;
        }

        @Override
        protected void write(EnrichedEvent enriched, DataOutput out) throws IOException {
            events.writeVersioned(enriched.event(), out);
            contents.writeVersioned(enriched.content(), out);
            out.writeInt(enriched.engagement().millis());
            out.writeLong(enriched.engagement().pctUnscaled());
            out.writeByte(enriched.engagement().pctScale());
        }

        @Override
        protected EnrichedEvent read(int version, DataInput in) throws IOException {
            return new EnrichedEvent(
                    events.readVersioned(in),
                    contents.readVersioned(in),
                    new Engagement(in.readInt(), in.readLong(), in.readByte()));
        }
    }

    /** Serializer of {@link Standings}. */
    public static final class StandingsSerializer extends ImmutableSerializer<Standings> {
        private static final long serialVersionUID = 1L;

        @Override
        protected int version() {
            return 1;
        }

        @Override
        protected void write(Standings standings, DataOutput out) throws IOException {
            out.writeLong(standings.slideEndMillis());
            writePlaces(standings.byEvents(), out);
            writePlaces(standings.byEngagement(), out);
        }

        /** Writes the places of one leaderboard. */
        public static void writePlaces(List<Standings.Place> places, DataOutput out) throws IOException {
            Wire.writeUnsigned(places.size(), out);
            for (Standings.Place place : places) {
                Wire.writeText(place.contentId(), out);
                Wire.writeUnsigned(place.score(), out);
            }
        }

        @Override
        protected Standings read(int version, DataInput in) throws IOException {
            return new Standings(in.readLong(), readPlaces(in), readPlaces(in));
        }

        /** What {@link #writePlaces} wrote. */
        public static List<Standings.Place> readPlaces(DataInput in) throws IOException {
            int size = (int) Wire.readUnsigned(in);
            List<Standings.Place> places = new ArrayList<>(Math.min(size, 1_024));
            for (int i = 0; i < size; i++) {
                places.add(new Standings.Place(Wire.readRequiredText(in), Wire.readUnsigned(in)));
            }
            return places;
        }
    }
}
