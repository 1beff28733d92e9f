package dev.engagement.liveview.sink;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import org.apache.flink.api.common.serialization.SerializerConfigImpl;
import org.apache.flink.api.common.typeutils.TypeSerializer;
import org.apache.flink.core.memory.DataInputDeserializer;
import org.apache.flink.core.memory.DataOutputSerializer;
import org.junit.jupiter.api.Test;

class CountPartialTest {

    private final TypeSerializer<CountPartial> serializer =
            CountPartial.TYPE.createSerializer(new SerializerConfigImpl());

    @Test
    void a_partial_count_is_a_few_bytes() throws IOException {
        DataOutputSerializer out = new DataOutputSerializer(16);
        serializer.serialize(new CountPartial("c1", 300, new long[] {29_464_701}, new long[] {300}), out);

        // Version, text of two, count of two; one minute in four and its count in two.
        assertThat(out.length()).isEqualTo(1 + 3 + 2 + 1 + 4 + 2);
    }

    @Test
    void an_absurd_number_of_minutes_is_damage_and_not_an_array_of_that_size() {
        byte[] damaged = {1, 2, 'c', 1, (byte) 0xFF, (byte) 0xFF, (byte) 0xFF, (byte) 0xFF, 0x7F};

        assertThatThrownBy(() -> serializer.deserialize(new DataInputDeserializer(damaged)))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("the data is damaged");
    }
}
