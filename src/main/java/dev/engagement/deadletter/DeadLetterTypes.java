package dev.engagement.deadletter;

import dev.engagement.event.EventId;
import dev.engagement.event.types.ImmutableSerializer;
import dev.engagement.event.types.ImmutableType;
import dev.engagement.event.types.Wire;
import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.util.OutputTag;
import org.jspecify.annotations.Nullable;

/** Dead letters in Flink: their type and the one side output that every stage uses. */
public final class DeadLetterTypes {

    private DeadLetterTypes() {}

    /** {@link DeadLetter}. */
    public static final TypeInformation<DeadLetter> LETTER = ImmutableType.of(DeadLetter.class, LetterSerializer::new);

    /** Where each stage puts what it cannot process. */
    public static final OutputTag<DeadLetter> DEAD_LETTERS = new OutputTag<>("dead-letters", LETTER);

    /** Serializer of {@link DeadLetter}. */
    public static final class LetterSerializer extends ImmutableSerializer<DeadLetter> {
        private static final long serialVersionUID = 1L;
        private static final int NUMBER_ID = 1;
        private static final int TEXT_ID = 2;

        @Override
        protected int version() {
            return TEXT_ID;
        }

        @Override
        protected int versionOf(DeadLetter letter) {
            return letter.eventId() == null || letter.eventId().text() == null ? NUMBER_ID : TEXT_ID;
        }

        @Override
        protected void write(DeadLetter letter, DataOutput out) throws IOException {
            Wire.writeText(letter.id(), out);
            Wire.writeText(letter.reason().name(), out);
            Wire.writeText(letter.stage(), out);
            Wire.writeText(letter.error(), out);
            out.writeInt(letter.attempts());
            out.writeLong(letter.failedAtMillis());
            Wire.writeText(letter.source().topic(), out);
            out.writeInt(letter.source().partition());
            out.writeLong(letter.source().offset());
            out.writeLong(letter.source().timestampMillis());
            EventId eventId = letter.eventId();
            if (eventId != null && eventId.text() != null) {
                Wire.writeText(eventId.text(), out);
            } else {
                out.writeBoolean(eventId != null);
                if (eventId != null) {
                    out.writeLong(eventId.number());
                }
            }
            Wire.writeBytes(letter.payload(), out);
            Wire.writeUnsigned(letter.headers().size(), out);
            for (DeadLetter.Header header : letter.headers()) {
                Wire.writeText(header.key(), out);
                Wire.writeBytes(header.value(), out);
            }
        }

        @Override
        protected DeadLetter read(int version, DataInput in) throws IOException {
            return new DeadLetter(
                    Wire.readRequiredText(in),
                    Reason.valueOf(Wire.readRequiredText(in)),
                    Wire.readRequiredText(in),
                    Wire.readRequiredText(in),
                    in.readInt(),
                    in.readLong(),
                    new DeadLetter.Source(Wire.readRequiredText(in), in.readInt(), in.readLong(), in.readLong()),
                    eventId(version, in),
                    Wire.readBytes(in),
                    headers(in));
        }

        private static @Nullable EventId eventId(int version, DataInput in) throws IOException {
            if (version == TEXT_ID) {
                return EventId.of(Wire.readRequiredText(in));
            }
            return in.readBoolean() ? EventId.of(in.readLong()) : null;
        }

        private static List<DeadLetter.Header> headers(DataInput in) throws IOException {
            int count = (int) Wire.readUnsigned(in);
            List<DeadLetter.Header> headers = new ArrayList<>();
            for (int i = 0; i < count; i++) {
                headers.add(new DeadLetter.Header(Wire.readRequiredText(in), Wire.readBytes(in)));
            }
            return headers;
        }
    }
}
