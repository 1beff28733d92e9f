package dev.engagement.clickhouse;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class StagedPartitionTest {

    @Test
    void what_a_checkpoint_keeps_is_read_as_it_was_written() {
        List<StagedPartition> partitions = List.of(
                new StagedPartition("202603", 5_000_000_000L, List.of("7", "-1")),
                new StagedPartition("202604", 1, List.of("01J-a_Z")));

        assertThat(StagedPartition.read(StagedPartition.write(partitions))).isEqualTo(partitions);
        assertThat(StagedPartition.read(StagedPartition.write(List.of()))).isEmpty();
    }
}
