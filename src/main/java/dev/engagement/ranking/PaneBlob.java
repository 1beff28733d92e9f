package dev.engagement.ranking;

import dev.engagement.event.types.ImmutableSerializer;
import dev.engagement.event.types.ImmutableType;
import dev.engagement.event.types.Wire;
import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.core.memory.DataInputDeserializer;
import org.apache.flink.core.memory.DataOutputSerializer;

/**
 * One second of one shard in state: for each content its events, those that have a duration, and their milliseconds.
 * Immutable: its bytes are not to be written to.
 *
 * @param encoded the contents one after another, each as {@link Writer#add} writes it
 */
record PaneBlob(byte[] encoded) {

    /** Its type, explicit. */
    static final TypeInformation<PaneBlob> TYPE = ImmutableType.of(PaneBlob.class, PaneBlobSerializer::new);

    /** Receives the contents of a blob. */
    interface Reader {
        void content(String contentId, long events, long measured, long millis);
    }

    /** Tells all contents, in the order in which they were added. */
    void read(Reader reader) throws IOException {
        DataInputDeserializer in = new DataInputDeserializer(encoded);
        while (in.available() > 0) {
            String contentId = ContentIds.read(in);
            long head = Wire.readUnsigned(in);
            long events = head >>> 1;
            long measured = (head & 1) == 1 ? events : Wire.readUnsigned(in);
            long millis = measured == 0 ? 0 : Wire.readUnsigned(in);
            reader.content(contentId, events, measured, millis);
        }
    }

    /** Puts blobs together, one after another. Each content has at least one event. */
    static final class Writer {
        private final DataOutputSerializer out = new DataOutputSerializer(256);

        /**
         * Adds a content.
         *
         * @param encodedId as {@link ContentIds#encoded} says
         */
        void add(byte[] encodedId, long events, long measured, long millis) throws IOException {
            out.write(encodedId);
            boolean allMeasured = measured == events;
            Wire.writeUnsigned(events << 1 | (allMeasured ? 1 : 0), out);
            if (!allMeasured) {
                Wire.writeUnsigned(measured, out);
            }
            if (measured != 0) {
                Wire.writeUnsigned(millis, out);
            }
        }

        /** What was added since the last one. */
        PaneBlob blob() {
            PaneBlob blob = new PaneBlob(out.getCopyOfBuffer());
            out.clear();
            return blob;
        }
    }

    /** Serializer of {@link PaneBlob}. Its version stands for the form of the encoded contents too. */
    public static final class PaneBlobSerializer extends ImmutableSerializer<PaneBlob> {
        private static final long serialVersionUID = 1L;

        @Override
        protected int version() {
            return 1;
        }

        @Override
        protected void write(PaneBlob blob, DataOutput out) throws IOException {
            Wire.writeBytes(blob.encoded(), out);
        }

        @Override
        protected PaneBlob read(int version, DataInput in) throws IOException {
            byte[] encoded = Wire.readBytes(in);
            if (encoded == null) {
                throw new IOException("A pane of the leaderboards has no bytes: the data is damaged");
            }
            return new PaneBlob(encoded);
        }
    }
}
