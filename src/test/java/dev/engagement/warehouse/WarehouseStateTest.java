package dev.engagement.warehouse;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.engagement.event.types.testing.GoldenBytes;
import dev.engagement.rowstore.Appended;
import dev.engagement.rowstore.AppendedSerializer;
import dev.engagement.rowstore.CheckpointLineage;
import java.io.IOException;
import java.util.List;
import org.apache.flink.core.memory.DataInputDeserializer;
import org.apache.flink.core.memory.DataOutputSerializer;
import org.junit.jupiter.api.Test;

/** What version 1 wrote is read for ever; see {@code GoldenBytesTest} on how a new case comes to be there. */
class WarehouseStateTest {

    private static final CheckpointLineage LINE = new CheckpointLineage(
            "5b2f9a0e-7f7c-4a3c-9d7b-0d1a52c7d8aa",
            List.of(new CheckpointLineage.FencingLabel("11111111-2222-3333-4444-555555555555", 41)));

    private static final Appended APPENDED = new Appended(
            "projects/p/datasets/analytics/tables/events/streams/s-ü", 123_456_789_012L, Appended.NO_DETAIL, 42, LINE);

    @Test
    void the_writers_state_of_version_1_is_read() throws IOException {
        DataOutputSerializer out = new DataOutputSerializer(64);
        CheckpointLineageSerializer serializer = new CheckpointLineageSerializer();
        serializer.serialize(LINE, out);
        byte[] golden = GoldenBytes.golden("warehouse-line", out.getCopyOfBuffer());

        assertThat(serializer.deserialize(new DataInputDeserializer(golden))).isEqualTo(LINE);
        assertThat(out.getCopyOfBuffer()).as("the newest version is still 1").isEqualTo(golden);
    }

    @Test
    void what_waits_to_be_committed_of_version_1_is_read() throws IOException {
        GoldenBytes.assertThatVersion1IsRead("warehouse-appended", new AppendedSerializer(false), APPENDED);
    }

    @Test
    void a_newer_version_is_refused_with_the_way_out() {
        AppendedSerializer serializer = new AppendedSerializer(false);

        assertThatThrownBy(() -> serializer.deserialize(3, serializer.serialize(APPENDED)))
                .hasMessageContaining("version 3")
                .hasMessageContaining("run the build that wrote");
    }

    @Test
    void a_stream_knows_its_table() {
        assertThat(BigQueryStore.of(WarehouseTableTest.OPTIONS).tableOf(APPENDED.stream()))
                .isEqualTo("p.analytics.events");
    }
}
