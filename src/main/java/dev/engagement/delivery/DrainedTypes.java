package dev.engagement.delivery;

import dev.engagement.deadletter.DeadLetterTypes;
import dev.engagement.event.types.ImmutableSerializer;
import dev.engagement.event.types.ImmutableType;
import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;
import org.apache.flink.api.common.typeinfo.TypeInformation;

/** The type of {@link Drained} for Flink's streams. */
final class DrainedTypes {

    private DrainedTypes() {}

    /** {@link Drained}. */
    static final TypeInformation<Drained> DRAINED = ImmutableType.of(Drained.class, DrainedSerializer::new);

    /** Serializer of {@link Drained}. */
    public static final class DrainedSerializer extends ImmutableSerializer<Drained> {
        private static final long serialVersionUID = 1L;
        private static final int HANDED_BACK = 1;
        private static final int TAKEN = 2;
        private static final int GIVEN = 3;

        private final DeliveryTypes.DeliverySerializer deliveries = new DeliveryTypes.DeliverySerializer();
        private final DeliveryTypes.ReceiptSerializer receipts = new DeliveryTypes.ReceiptSerializer();
        private final DeadLetterTypes.LetterSerializer letters = new DeadLetterTypes.LetterSerializer();

        @Override
        protected int version() {
            return 1;
        }

        @Override
        protected void write(Drained drained, DataOutput out) throws IOException {
            if (drained instanceof Drained.HandedBack back) {
                out.writeByte(HANDED_BACK);
                deliveries.writeVersioned(back.delivery(), out);
            } else if (drained instanceof Drained.Taken taken) {
                out.writeByte(TAKEN);
                receipts.writeVersioned(taken.receipt(), out);
            } else if (drained instanceof Drained.Given given) {
                out.writeByte(GIVEN);
                letters.writeVersioned(given.letter(), out);
            }
        }

        @Override
        protected Drained read(int version, DataInput in) throws IOException {
            byte kind = in.readByte();
            return switch (kind) {
                case HANDED_BACK -> new Drained.HandedBack(deliveries.readVersioned(in));
                case TAKEN -> new Drained.Taken(receipts.readVersioned(in));
                case GIVEN -> new Drained.Given(letters.readVersioned(in));
                default -> throw new IOException("Unknown kind of drained delivery " + kind + ": the data is damaged");
            };
        }
    }
}
