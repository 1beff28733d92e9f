package dev.engagement.backfill;

import dev.engagement.connection.KafkaConnection;
import dev.engagement.ingest.RegistryOptions;
import dev.engagement.source.RangeOptions;
import dev.engagement.source.SourceOptions;
import java.time.Duration;
import org.apache.flink.configuration.MemorySize;
import org.jspecify.annotations.Nullable;

/**
 * What a backfill is to do.
 *
 * @param source where rows are read
 * @param range which rows
 * @param contentId only the events of this content, or null for all
 * @param all publish rows that the warehouse has, too
 * @param dryRun publish nothing
 * @param timeout how long to wait until the stream has taken in what was published
 * @param settling how long what the stream has taken in may be on its way to the warehouse; what does not come is not waited
 *     for any longer
 * @param kafka where the events topic is
 * @param eventsTopic where missing rows are published
 * @param contentTopic where contents are published of which it has not what the table holds
 * @param deadLettersTopic where the stream puts what it cannot process
 * @param groupId group that the stream reports its offsets under
 * @param maxRowBytes largest envelope that is published
 * @param maxRecordBytes largest envelope that the stream accepts
 * @param readers threads that read
 * @param registry where the schemas of the content topic are, or null
 */
public record BackfillOptions(
        SourceOptions source,
        RangeOptions range,
        @Nullable String contentId,
        boolean all,
        boolean dryRun,
        Duration timeout,
        Duration settling,
        KafkaConnection kafka,
        String eventsTopic,
        String contentTopic,
        String deadLettersTopic,
        String groupId,
        MemorySize maxRowBytes,
        MemorySize maxRecordBytes,
        int readers,
        @Nullable RegistryOptions registry) {

    /** Threads that read, if nobody says. */
    public static final int READERS = 2;

    public BackfillOptions {
        if (readers < 1) {
            throw new IllegalArgumentException("parallelism is " + readers + "; it must be at least 1");
        }
    }
}
