package dev.engagement.delivery;

import dev.engagement.event.EventId;
import dev.engagement.event.Position;
import dev.engagement.event.types.ImmutableSerializer;
import dev.engagement.event.types.ImmutableType;
import dev.engagement.event.types.Wire;
import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.util.OutputTag;
import org.jspecify.annotations.Nullable;

/** The types of delivery for Flink's streams and state. Serializer and snapshot class names are part of savepoints. */
final class DeliveryTypes {

    private DeliveryTypes() {}

    /** {@link Delivery}. */
    static final TypeInformation<Delivery> DELIVERY = ImmutableType.of(Delivery.class, DeliverySerializer::new);

    /** {@link Receipt}. */
    static final TypeInformation<Receipt> RECEIPT = ImmutableType.of(Receipt.class, ReceiptSerializer::new);

    /** Where both paths put what the receiver has taken, if anybody wants to know. */
    static final OutputTag<Receipt> RECEIPTS = new OutputTag<>("delivery-receipts", RECEIPT);

    private static void writeId(EventId id, DataOutput out) throws IOException {
        if (id.text() == null) {
            out.writeLong(id.number());
        } else {
            Wire.writeText(id.text(), out);
        }
    }

    private static EventId readId(boolean isText, DataInput in) throws IOException {
        return isText ? EventId.of(Wire.readRequiredText(in)) : EventId.of(in.readLong());
    }

    /** Serializer of {@link Delivery}. */
    public static final class DeliverySerializer extends ImmutableSerializer<Delivery> {
        private static final long serialVersionUID = 1L;
        private static final int WITHOUT_UNANSWERED = 1;
        private static final int NUMBER_ID = 2;
        private static final int TEXT_ID = 3;

        @Override
        protected int version() {
            return TEXT_ID;
        }

        @Override
        protected int versionOf(Delivery delivery) {
            return delivery.eventId().text() == null ? NUMBER_ID : TEXT_ID;
        }

        @Override
        protected void write(Delivery delivery, DataOutput out) throws IOException {
            writeId(delivery.eventId(), out);
            Wire.writeBytes(delivery.body(), out);
            out.writeInt(delivery.attempts());
            out.writeInt(delivery.source().partition());
            out.writeLong(delivery.source().offset());
            out.writeLong(delivery.source().timestampMillis());
            out.writeLong(delivery.sinceMillis());
            out.writeLong(delivery.notBeforeMillis());
            out.writeLong(delivery.committedAtMillis());
            Answer.Unanswered unanswered = delivery.unanswered();
            Wire.writeText(unanswered == null ? null : unanswered.kind().text(), out);
            Wire.writeText(unanswered == null ? null : unanswered.why(), out);
        }

        @Override
        protected Delivery read(int version, DataInput in) throws IOException {
            EventId eventId = readId(version == TEXT_ID, in);
            byte[] body = Wire.readBytes(in);
            if (body == null) {
                throw new IOException("The delivery of event " + eventId + " has no body: the data is damaged");
            }
            return new Delivery(
                    eventId,
                    body,
                    in.readInt(),
                    new Position(in.readInt(), in.readLong(), in.readLong()),
                    in.readLong(),
                    in.readLong(),
                    in.readLong(),
                    version == WITHOUT_UNANSWERED ? null : readUnanswered(in));
        }

        /** Null also for a kind that a newer build has: it is for people. */
        private static Answer.@Nullable Unanswered readUnanswered(DataInput in) throws IOException {
            String kind = Wire.readText(in);
            String why = Wire.readText(in);
            NoAnswer known = kind == null ? null : NoAnswer.named(kind);
            return known == null || why == null ? null : new Answer.Unanswered(known, why);
        }
    }

    /** Serializer of {@link Receipt}. */
    public static final class ReceiptSerializer extends ImmutableSerializer<Receipt> {
        private static final long serialVersionUID = 1L;

        private static final int NUMBER_ID = 1;
        private static final int TEXT_ID = 2;

        @Override
        protected int version() {
            return TEXT_ID;
        }

        @Override
        protected int versionOf(Receipt receipt) {
            return receipt.eventId().text() == null ? NUMBER_ID : TEXT_ID;
        }

        @Override
        protected void write(Receipt receipt, DataOutput out) throws IOException {
            writeId(receipt.eventId(), out);
            out.writeLong(receipt.deliveredAtMillis());
            out.writeInt(receipt.status());
        }

        @Override
        protected Receipt read(int version, DataInput in) throws IOException {
            return new Receipt(readId(version == TEXT_ID, in), in.readLong(), in.readInt());
        }
    }
}
