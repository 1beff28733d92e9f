package dev.engagement.event.types;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import org.apache.flink.api.common.typeutils.TypeSerializer;
import org.apache.flink.api.common.typeutils.TypeSerializerSnapshot;
import org.apache.flink.core.memory.DataInputDeserializer;
import org.apache.flink.core.memory.DataOutputSerializer;
import org.junit.jupiter.api.Test;

class ImmutableSerializerSnapshotTest {

    private static final String OLD = "dev.engagement.liveview.sink.DirtySet$DirtySetSerializer";
    private static final String NEW = "dev.engagement.writeback.DirtySet$DirtySetSerializer";

    @Test
    void a_serializer_is_found_by_its_name() throws IOException {
        assertThat(snapshotOf(EventTypes.EventSerializer.class.getName()).restoreSerializer())
                .isEqualTo(new EventTypes.EventSerializer());
    }

    @Test
    void one_that_has_moved_is_found_by_the_name_that_a_savepoint_knows() throws IOException {
        assertThat(snapshotOf(OLD).restoreSerializer().getClass().getName()).isEqualTo(NEW);
    }

    @Test
    void what_was_written_before_it_moved_is_read_as_it_is_and_written_under_the_new_name() throws IOException {
        TypeSerializerSnapshot<Object> before = snapshotOf(OLD);
        TypeSerializer<Object> serializer = snapshotOf(NEW).restoreSerializer();
        TypeSerializerSnapshot<Object> now = serializer.snapshotConfiguration();

        assertThat(now.resolveSchemaCompatibility(before).isCompatibleAsIs()).isTrue();
        assertThat(now).isEqualTo(before);
        DataOutputSerializer out = new DataOutputSerializer(64);
        before.writeSnapshot(out);
        assertThat(new DataInputDeserializer(out.getCopyOfBuffer()).readUTF()).isEqualTo(NEW);
    }

    @Test
    void another_serializer_is_incompatible() throws IOException {
        TypeSerializerSnapshot<Object> events = snapshotOf(EventTypes.EventSerializer.class.getName());

        assertThat(snapshotOf(NEW).resolveSchemaCompatibility(events).isIncompatible())
                .isTrue();
    }

    @Test
    void one_that_is_gone_or_none_is_named() {
        assertThatThrownBy(() -> snapshotOf("dev.engagement.Gone"))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("dev.engagement.Gone")
                .hasMessageContaining("run the build that wrote it");
        assertThatThrownBy(() -> snapshotOf(String.class.getName())).isInstanceOf(IOException.class);
    }

    /** As a savepoint has it. */
    private static TypeSerializerSnapshot<Object> snapshotOf(String serializer) throws IOException {
        DataOutputSerializer out = new DataOutputSerializer(64);
        out.writeUTF(serializer);
        TypeSerializerSnapshot<Object> snapshot = new ImmutableSerializerSnapshot<>();
        snapshot.readSnapshot(
                snapshot.getCurrentVersion(),
                new DataInputDeserializer(out.getCopyOfBuffer()),
                ImmutableSerializerSnapshotTest.class.getClassLoader());
        return snapshot;
    }
}
