package dev.engagement.ingest;

import java.util.ArrayDeque;
import java.util.Collections;
import java.util.HashSet;
import java.util.Iterator;
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

    private record Run(String splitId, Iterator<ConsumerRecord<byte[], byte[]>> records) {}

    private final Queue<Run> runs = new ArrayDeque<>();
    private final Set<String> finished = new HashSet<>();
    private Iterator<ConsumerRecord<byte[], byte[]>> current = Collections.emptyIterator();

    /** Adds records of a partition, in the order of their offsets. */
    void add(TopicPartition partition, List<ConsumerRecord<byte[], byte[]>> records) {
        runs.add(new Run(KafkaPartitionSplit.toSplitId(partition), records.iterator()));
    }

    /** Says that nothing follows in a partition of a bounded source. */
    void finish(TopicPartition partition) {
        finished.add(KafkaPartitionSplit.toSplitId(partition));
    }

    @Override
    public @Nullable String nextSplit() {
        Run next = runs.poll();
        if (next == null) {
            return null;
        }
        current = next.records();
        return next.splitId();
    }

    @Override
    public @Nullable ConsumerRecord<byte[], byte[]> nextRecordFromSplit() {
        return current.hasNext() ? current.next() : null;
    }

    @Override
    public Set<String> finishedSplits() {
        return finished;
    }
}
