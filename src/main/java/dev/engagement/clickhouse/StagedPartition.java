package dev.engagement.clickhouse;

import dev.engagement.event.types.Wire;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import org.apache.flink.core.memory.DataInputDeserializer;
import org.apache.flink.core.memory.DataOutputSerializer;

/**
 * A partition of a staging table: what a commit needs to know of it, to tell afterwards whether its rows are in the table.
 *
 * @param id as ClickHouse names partitions
 * @param rows how many
 * @param samples some of the event ids
 */
record StagedPartition(String id, long rows, List<String> samples) {

    private static final int BUFFER_BYTES = 256;

    StagedPartition {
        samples = List.copyOf(samples);
    }

    /** Of all partitions, as a checkpoint keeps them. */
    static byte[] write(List<StagedPartition> partitions) {
        DataOutputSerializer out = new DataOutputSerializer(BUFFER_BYTES);
        try {
            Wire.writeUnsigned(partitions.size(), out);
            for (StagedPartition partition : partitions) {
                Wire.writeText(partition.id(), out);
                out.writeLong(partition.rows());
                Wire.writeUnsigned(partition.samples().size(), out);
                for (String sample : partition.samples()) {
                    Wire.writeText(sample, out);
                }
            }
        } catch (IOException e) {
            throw new UncheckedIOException("Writing into memory failed", e);
        }
        return out.getCopyOfBuffer();
    }

    /** What {@link #write} wrote. */
    static List<StagedPartition> read(byte[] written) {
        DataInputDeserializer in = new DataInputDeserializer(written);
        List<StagedPartition> partitions = new ArrayList<>();
        try {
            for (long left = Wire.readUnsigned(in); left > 0; left--) {
                String id = Wire.readRequiredText(in);
                long rows = in.readLong();
                List<String> samples = new ArrayList<>();
                for (long more = Wire.readUnsigned(in); more > 0; more--) {
                    samples.add(Wire.readRequiredText(in));
                }
                partitions.add(new StagedPartition(id, rows, samples));
            }
        } catch (IOException e) {
            throw new UncheckedIOException("What a checkpoint kept of a staging table is not readable", e);
        }
        return partitions;
    }
}
