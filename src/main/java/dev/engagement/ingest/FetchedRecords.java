package dev.engagement.ingest;

import java.util.ArrayDeque;
import java.util.HashSet;
import java.util.List;
import java.util.Queue;
import java.util.Set;
import org.apache.flink.connector.base.source.reader.RecordsWithSplitIds;
import org.apache.flink.connector.kafka.source.split.KafkaPartitionSplit;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;

/** What one fetch brought, partition by partition, end marks behind the records. Filled by the fetcher, read once. */
final class FetchedRecords implements RecordsWithSplitIds<ConsumerRecord<byte[], byte[]>> {

    private record Run(String splitId, List<ConsumerRecord<byte[], byte[]>> records) {}

    private final Queue<Run> runs = new ArrayDeque<>();
    private final Set<String> finished = new HashSet<>();
    private List<ConsumerRecord<byte[], byte[]>> current = List.of();
    private int next;

    /** Adds records of a partition, in the order of their offsets. */
    void add(TopicPartition partition, List<ConsumerRecord<byte[], byte[]>> records) {
        runs.add(new Run(KafkaPartitionSplit.toSplitId(partition), records));
    }

    /** Says that nothing follows in a partition of a bounded source. */
    void finish(TopicPartition partition) {
        finished.add(KafkaPartitionSplit.toSplitId(partition));
    }

    @Override
    public @Nullable String nextSplit() {
        Run run = runs.poll();
        if (run == null) {
            return null;
        }
        current = run.records();
        next = 0;
        return run.splitId();
    }

    @Override
    public @Nullable ConsumerRecord<byte[], byte[]> nextRecordFromSplit() {
        return next < current.size() ? current.get(next++) : null;
    }

    @Override
    public Set<String> finishedSplits() {
        return finished;
    }
}
