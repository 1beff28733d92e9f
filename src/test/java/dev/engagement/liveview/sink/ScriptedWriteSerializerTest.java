package dev.engagement.liveview.sink;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.engagement.liveview.LiveValue;
import dev.engagement.liveview.LiveViewKeys;
import dev.engagement.liveview.Samples;
import dev.engagement.liveview.ScriptedWrite;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.List;
import org.junit.jupiter.api.Test;

class ScriptedWriteSerializerTest {

    private static final String GOLDEN = "/state/v1/live-view-pending-writes.hex";

    private final ScriptedWriteSerializer serializer = new ScriptedWriteSerializer();

    private static List<ScriptedWrite> writes() {
        LiveViewKeys keys = new LiveViewKeys("p:");
        return List.of(
                Samples.last("c1", 7, 1_767_882_112_000_000L).write(keys),
                new LiveValue.Count("c1", Long.MAX_VALUE).write(keys),
                new LiveValue.Meta(Samples.content("c1"), 12).write(keys),
                new LiveValue.MetaGone("ü", 13).write(keys));
    }

    @Test
    void a_write_comes_back_as_it_was() throws IOException {
        for (ScriptedWrite write : writes()) {
            assertThat(serializer.deserialize(serializer.getVersion(), serializer.serialize(write)))
                    .isEqualTo(write);
        }
    }

    @Test
    void what_version_1_wrote_is_read() throws IOException {
        List<String> lines = golden().lines().toList();
        List<ScriptedWrite> writes = writes();

        assertThat(lines).hasSameSizeAs(writes);
        for (int i = 0; i < lines.size(); i++) {
            assertThat(serializer.deserialize(1, HexFormat.of().parseHex(lines.get(i))))
                    .isEqualTo(writes.get(i));
        }
    }

    @Test
    void a_newer_version_names_the_way_out() {
        assertThatThrownBy(() -> serializer.deserialize(2, new byte[0]))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("newer");
    }

    private static String golden() throws IOException {
        try (InputStream in = ScriptedWriteSerializerTest.class.getResourceAsStream(GOLDEN)) {
            assertThat(in).as(GOLDEN).isNotNull();
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        }
    }
}
