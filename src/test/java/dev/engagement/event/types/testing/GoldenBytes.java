package dev.engagement.event.types.testing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;
import org.apache.flink.api.common.serialization.SerializerConfigImpl;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.api.common.typeutils.TypeSerializer;
import org.apache.flink.core.io.SimpleVersionedSerializer;
import org.apache.flink.core.memory.DataInputDeserializer;
import org.apache.flink.core.memory.DataOutputSerializer;

/**
 * One value of a state type, and the bytes that version 1 wrote for it: they stand in {@code src/test/resources/state/v1}
 * and are read for ever. A case that is new is written there by {@code ./mvnw test -Dtest=… -Dgolden.write=true}; one that
 * is there never changes.
 *
 * @param name of the file
 */
public record GoldenBytes<T>(String name, TypeInformation<T> type, T value) {

    private static final Path STATE = Path.of("src/test/resources/state");

    /** The bytes are read as the value, and are still what is written. */
    public void assertThatVersion1IsRead() throws IOException {
        byte[] golden = golden(name, written());

        assertThat(serializer().deserialize(new DataInputDeserializer(golden))).isEqualTo(value);
        assertThat(written()).as("the newest version is still 1").isEqualTo(golden);
    }

    /**
     * The bytes of a case whose serializer is none of Flink's types, as version 1 wrote them.
     *
     * @param now what is written now, which a new case begins with
     */
    public static byte[] golden(String name, byte[] now) throws IOException {
        return golden(1, name, now);
    }

    /** The same, as another version wrote them. */
    public static byte[] golden(int version, String name, byte[] now) throws IOException {
        Path file = STATE.resolve("v" + version).resolve(name + ".hex");
        if (Boolean.getBoolean("golden.write") && Files.notExists(file)) {
            Files.writeString(file, HexFormat.of().formatHex(now) + "\n");
        }
        return HexFormat.of().parseHex(Files.readString(file).strip());
    }

    /** As {@link #assertThatVersion1IsRead}, of a split or of what waits to be committed. */
    public static <T> void assertThatVersion1IsRead(String name, SimpleVersionedSerializer<T> serializer, T value)
            throws IOException {
        byte[] now = serializer.serialize(value);
        byte[] golden = golden(name, now);

        assertThat(serializer.deserialize(1, golden)).isEqualTo(value);
        assertThat(now).as("the newest version is still 1").isEqualTo(golden);
    }

    /** What a newer build wrote is refused. */
    public void assertThatANewerVersionIsRefused() throws IOException {
        byte[] newer = written();
        newer[0] = Byte.MAX_VALUE;

        assertThatThrownBy(() -> serializer().deserialize(new DataInputDeserializer(newer)))
                .hasMessageContaining("version " + newer[0])
                .hasMessageContaining("Run the build that wrote it");
    }

    /** The bytes that are written now. */
    public byte[] written() throws IOException {
        DataOutputSerializer out = new DataOutputSerializer(256);
        serializer().serialize(value, out);
        return out.getCopyOfBuffer();
    }

    private TypeSerializer<T> serializer() {
        return type.createSerializer(new SerializerConfigImpl());
    }

    @Override
    public String toString() {
        return name;
    }
}
