package dev.engagement.event.types;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.engagement.event.Content;
import dev.engagement.event.ContentChange;
import dev.engagement.event.EngagementEvent;
import dev.engagement.event.EnrichedEvent;
import dev.engagement.event.Position;
import dev.engagement.event.Samples;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.List;
import org.apache.flink.api.common.serialization.SerializerConfigImpl;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.api.common.typeutils.TypeSerializer;
import org.apache.flink.core.memory.DataInputDeserializer;
import org.apache.flink.core.memory.DataOutputSerializer;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * What version 1 wrote is read for ever: the bytes stand in {@code src/test/resources/state/v1}. A case that is new is
 * written there by {@code ./mvnw test -Dtest=GoldenBytesTest -Dgolden.write=true}; one that is there never changes.
 */
class GoldenBytesTest {

    private static final Path FOLDER = Path.of("src/test/resources/state/v1");

    record Case<T>(String name, TypeInformation<T> type, T value) {
        @Override
        public String toString() {
            return name;
        }
    }

    static List<Case<?>> cases() {
        EngagementEvent bare = new EngagementEvent(
                -1, "", null, null, -1, EngagementEvent.NO_DURATION, null, null, true, 0, new Position(-1, -1, -1));
        return List.of(
                new Case<>("event", EventTypes.EVENT, Samples.event(16, 1)),
                new Case<>("event-bare", EventTypes.EVENT, bare),
                new Case<>("content", EventTypes.CONTENT, Samples.content(1)),
                new Case<>("content-bare", EventTypes.CONTENT, new Content("c", null, null, null, null, null)),
                new Case<>("content-put", EventTypes.CONTENT_CHANGE, Samples.put(1)),
                new Case<>(
                        "content-put-unchanged",
                        EventTypes.CONTENT_CHANGE,
                        new ContentChange.Put(
                                Samples.content(2), new ContentChange.Unchanged(true, false), new Position(1, 2, 3))),
                new Case<>(
                        "content-delete",
                        EventTypes.CONTENT_CHANGE,
                        new ContentChange.Delete("c-ü", new Position(1, 2, 3))),
                new Case<>("content-read-to-end", EventTypes.CONTENT_CHANGE, new ContentChange.ReadToEnd(3, 16)),
                new Case<EnrichedEvent>("enriched", EventTypes.ENRICHED, Samples.enriched(16, 1)));
    }

    @ParameterizedTest
    @MethodSource("cases")
    <T> void version_1_is_read(Case<T> one) throws IOException {
        Path file = FOLDER.resolve(one.name() + ".hex");
        if (Boolean.getBoolean("golden.write") && Files.notExists(file)) {
            Files.writeString(file, HexFormat.of().formatHex(bytes(one)) + "\n");
        }
        byte[] golden = HexFormat.of().parseHex(Files.readString(file).strip());

        assertThat(serializer(one).deserialize(new DataInputDeserializer(golden)))
                .isEqualTo(one.value());
        assertThat(bytes(one)).as("the newest version is still 1").isEqualTo(golden);
    }

    @ParameterizedTest
    @MethodSource("cases")
    <T> void a_newer_version_is_refused_with_the_way_out(Case<T> one) throws IOException {
        byte[] newer = bytes(one);
        newer[0]++;

        assertThatThrownBy(() -> serializer(one).deserialize(new DataInputDeserializer(newer)))
                .hasMessageContaining("version 2")
                .hasMessageContaining("Run the build that wrote it");
    }

    private static <T> TypeSerializer<T> serializer(Case<T> one) {
        return one.type().createSerializer(new SerializerConfigImpl());
    }

    private static <T> byte[] bytes(Case<T> one) {
        try {
            DataOutputSerializer out = new DataOutputSerializer(256);
            serializer(one).serialize(one.value(), out);
            return out.getCopyOfBuffer();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
