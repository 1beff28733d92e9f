package dev.engagement.ranking;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.engagement.event.Samples;
import dev.engagement.event.types.testing.GoldenBytes;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.apache.flink.core.memory.DataInputDeserializer;
import org.apache.flink.core.memory.DataOutputSerializer;
import org.junit.jupiter.api.Test;

/** What version 1 wrote is read for ever. */
class PaneBlobTest {

    private static PaneBlob blob() throws IOException {
        PaneBlob.Writer writer = new PaneBlob.Writer();
        writer.add(ContentIds.encoded(Samples.contentId(1)), 1, 1, 7_000);
        writer.add(ContentIds.encoded("42"), 300, 0, 0);
        writer.add(ContentIds.encoded("ü\uD83D\uDE00"), Long.MAX_VALUE / 2, 2, Long.MAX_VALUE);
        return writer.blob();
    }

    @Test
    void version_1_is_read() throws IOException {
        DataOutputSerializer out = new DataOutputSerializer(64);
        RankingStage.serializer(PaneBlob.TYPE).serialize(blob(), out);
        byte[] golden = GoldenBytes.golden("ranking-pane", out.getCopyOfBuffer());
        List<String> contents = new ArrayList<>();

        RankingStage.serializer(PaneBlob.TYPE)
                .deserialize(new DataInputDeserializer(golden))
                .read((contentId, events, measured, millis) ->
                        contents.add(contentId + " " + events + " " + measured + " " + millis));

        assertThat(contents)
                .containsExactly(
                        Samples.contentId(1) + " 1 1 7000",
                        "42 300 0 0",
                        "ü\uD83D\uDE00 4611686018427387903 2 9223372036854775807");
        assertThat(out.getCopyOfBuffer()).as("the newest version is still 1").isEqualTo(golden);
    }

    @Test
    void a_newer_version_is_refused_with_the_way_out() {
        assertThatThrownBy(() -> RankingStage.serializer(PaneBlob.TYPE)
                        .deserialize(new DataInputDeserializer(new byte[] {2, 0})))
                .hasMessageContaining("newer build");
    }

    @Test
    void a_writer_begins_anew_after_each_blob() throws IOException {
        PaneBlob.Writer writer = new PaneBlob.Writer();
        writer.add(ContentIds.encoded("a"), 1, 0, 0);
        byte[] first = writer.blob().encoded();
        writer.add(ContentIds.encoded("a"), 1, 0, 0);

        assertThat(writer.blob().encoded()).isEqualTo(first);
    }
}
