package dev.engagement.ranking;

import dev.engagement.event.Standings;
import dev.engagement.event.types.Wire;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;
import org.apache.flink.core.memory.DataInputDeserializer;
import org.apache.flink.core.memory.DataOutputSerializer;

/**
 * The best contents of one subtask by one score, best first, in the form in which they cross the network: most of them are
 * not among the best of all, and of these no id is ever made a text. Immutable: its bytes are not to be written to.
 *
 * @param encoded the contents one after another, each as {@link Writer#add} writes it
 */
record TopN(byte[] encoded) {

    static TopN of(List<Standings.Place> places) {
        Writer writer = new Writer();
        places.forEach(place -> writer.add(ContentIds.encoded(place.contentId()), place.score()));
        return writer.leaders();
    }

    /** Before the first place. */
    Cursor read() {
        return new Cursor(encoded);
    }

    /** Puts leaders together, one board after another. */
    static final class Writer {
        private final DataOutputSerializer out = new DataOutputSerializer(256);

        /**
         * Adds the next best.
         *
         * @param encodedId as {@link ContentIds#encoded} says
         * @param score not negative
         */
        void add(byte[] encodedId, long score) {
            try {
                out.write(encodedId);
                Wire.writeUnsigned(score, out);
            } catch (IOException e) {
                throw new UncheckedIOException("Writing into memory failed", e);
            }
        }

        /** Those that were added since the last call. */
        TopN leaders() {
            TopN leaders = new TopN(out.getCopyOfBuffer());
            out.clear();
            return leaders;
        }
    }

    /** Stands on one place after another. */
    static final class Cursor {
        private final DataInputDeserializer in;
        private Standings.Place place = new Standings.Place("", 0);

        private Cursor(byte[] encoded) {
            this.in = new DataInputDeserializer(encoded);
        }

        /** Whether there was another place to step to. */
        boolean next() throws IOException {
            if (in.available() == 0) {
                return false;
            }
            place = new Standings.Place(ContentIds.read(in), Wire.readUnsigned(in));
            return true;
        }

        Standings.Place place() {
            return place;
        }
    }
}
