package dev.engagement.liveview.sink;

import static org.assertj.core.api.Assertions.assertThat;

import dev.engagement.event.Content;
import dev.engagement.liveview.LiveValue;
import dev.engagement.liveview.Samples;
import java.io.IOException;
import java.util.List;
import org.apache.flink.api.common.serialization.SerializerConfigImpl;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.api.common.typeutils.TypeSerializer;
import org.apache.flink.core.memory.DataInputDeserializer;
import org.apache.flink.core.memory.DataOutputSerializer;
import org.junit.jupiter.api.Test;

class LiveValueTypeTest {

    @Test
    void every_kind_comes_back_as_it_was() throws IOException {
        for (LiveValue value : List.of(
                Samples.last("c1", 7, 1_767_882_112_000_000L),
                new LiveValue.Count("ü", Long.MAX_VALUE),
                new LiveValue.Meta(new Content("c", null, null, null, null, null), 0),
                new LiveValue.Meta(Samples.content("c"), 1L << 40),
                new LiveValue.MetaGone("c", 3))) {
            assertThat(roundTrip(LiveValueType.LIVE_VALUE, value)).isEqualTo(value);
        }
    }

    @Test
    void a_partial_count_is_a_few_bytes() throws IOException {
        assertThat(roundTrip(CountPartial.TYPE, new CountPartial("c1", 300))).isEqualTo(new CountPartial("c1", 300));

        DataOutputSerializer out = new DataOutputSerializer(16);
        serializer(CountPartial.TYPE).serialize(new CountPartial("c1", 300), out);
        assertThat(out.length()).isEqualTo(6);
    }

    private static <T> T roundTrip(TypeInformation<T> type, T value) throws IOException {
        DataOutputSerializer out = new DataOutputSerializer(64);
        serializer(type).serialize(value, out);
        return serializer(type).deserialize(new DataInputDeserializer(out.getCopyOfBuffer()));
    }

    private static <T> TypeSerializer<T> serializer(TypeInformation<T> type) {
        return type.createSerializer(new SerializerConfigImpl());
    }
}
