package dev.engagement.ingest;

import dev.engagement.deadletter.DeadLetter;
import dev.engagement.deadletter.DeadLetterTypes;
import dev.engagement.event.ContentChange;
import dev.engagement.event.EngagementEvent;
import dev.engagement.event.types.EventTypes;
import dev.engagement.event.types.ImmutableSerializer;
import dev.engagement.event.types.ImmutableType;
import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;
import org.apache.flink.api.common.typeinfo.TypeInformation;

/**
 * The types of decoded records. They are serialized only where somebody breaks the chain between a source and its decode stage;
 * until then that stage uses a record up before the source fills it again, so that handing out the same one is safe.
 */
public final class DecodedRecordTypes {

    private DecodedRecordTypes() {}

    @SuppressWarnings("unchecked") // the class object of a generic type
    private static <T> TypeInformation<DecodedRecord<T>> type(DecodedRecordSerializer<T> serializer) {
        return ImmutableType.of((Class<DecodedRecord<T>>) (Class<?>) DecodedRecord.class, () -> serializer);
    }

    /** Decoded records of events. */
    public static final TypeInformation<DecodedRecord<EngagementEvent>> EVENTS = type(new DecodedEventSerializer());

    /** Decoded records of content changes. */
    public static final TypeInformation<DecodedRecord<ContentChange>> CONTENT =
            type(new DecodedContentChangeSerializer());

    private abstract static class DecodedRecordSerializer<T> extends ImmutableSerializer<DecodedRecord<T>> {
        private static final long serialVersionUID = 1L;

        private final ImmutableSerializer<T> values;
        private final ImmutableSerializer<DeadLetter> letters = new DeadLetterTypes.LetterSerializer();

        DecodedRecordSerializer(ImmutableSerializer<T> values) {
            this.values = values;
        }

        @Override
        protected int version() {
            return 1;
        }

        @Override
        protected void write(DecodedRecord<T> decoded, DataOutput out) throws IOException {
            out.writeByte(decoded.kind().ordinal());
            switch (decoded.kind()) {
                case VALUE -> {
                    out.writeLong(decoded.kafkaTimestampMillis());
                    out.writeBoolean(decoded.publishTsDropped());
                    values.writeVersioned(decoded.value(), out);
                }
                case IGNORED -> {}
                case LETTER -> letters.writeVersioned(decoded.letter(), out);
                case READ_TO_END -> {
                    out.writeInt(decoded.partition());
                    out.writeInt(decoded.partitions());
                    out.writeLong(decoded.readToEndAtMillis());
                }
            }
        }

        @Override
        protected DecodedRecord<T> read(int version, DataInput in) throws IOException {
            DecodedRecord<T> decoded = new DecodedRecord<>();
            switch (DecodedRecord.Kind.values()[in.readByte()]) {
                case VALUE -> {
                    long timestamp = in.readLong();
                    boolean dropped = in.readBoolean();
                    decoded.accept(values.readVersioned(in), timestamp);
                    if (dropped) {
                        decoded.markPublishTsDropped();
                    }
                }
                case IGNORED -> decoded.ignore();
                case LETTER -> decoded.reject(letters.readVersioned(in));
                case READ_TO_END -> decoded.readToEnd(in.readInt(), in.readInt(), in.readLong());
            }
            return decoded;
        }
    }

    /** Serializer of decoded records of events. */
    public static final class DecodedEventSerializer extends DecodedRecordSerializer<EngagementEvent> {
        private static final long serialVersionUID = 1L;

        public DecodedEventSerializer() {
            super(new EventTypes.EventSerializer());
        }
    }

    /** Serializer of decoded records of content changes. */
    public static final class DecodedContentChangeSerializer extends DecodedRecordSerializer<ContentChange> {
        private static final long serialVersionUID = 1L;

        public DecodedContentChangeSerializer() {
            super(new EventTypes.ContentChangeSerializer());
        }
    }
}
