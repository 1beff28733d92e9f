package dev.engagement.clickhouse;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.io.DataInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.StringLength;

/** Against a reader that takes one byte after the other. */
class RowBinaryProperties {

    private final RowBinary row = new RowBinary();

    @Property
    void values_are_read_as_they_were_written(
            @ForAll int number, @ForAll long large, @ForAll List<@StringLength(max = 300) String> texts)
            throws IOException {
        row.clear();
        row.int32(number);
        row.present(true);
        row.int64(large);
        for (String text : texts) {
            row.text(text);
        }
        row.present(false);

        DataInputStream in = new DataInputStream(new ByteArrayInputStream(row.toBytes()));
        assertThat(Integer.reverseBytes(in.readInt())).isEqualTo(number);
        assertThat(in.read()).isZero();
        assertThat(Long.reverseBytes(in.readLong())).isEqualTo(large);
        for (String text : texts) {
            byte[] bytes = in.readNBytes(length(in));
            assertThat(bytes).isEqualTo(text.getBytes(StandardCharsets.UTF_8));
        }
        assertThat(in.read()).isEqualTo(1);
        assertThat(in.read()).isEqualTo(-1);
    }

    private static int length(DataInputStream in) throws IOException {
        int length = 0;
        for (int shift = 0; ; shift += 7) {
            int next = in.readUnsignedByte();
            length |= (next & 0x7f) << shift;
            if (next < 0x80) {
                return length;
            }
        }
    }
}
