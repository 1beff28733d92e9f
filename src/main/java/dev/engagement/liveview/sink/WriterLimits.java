package dev.engagement.liveview.sink;

import java.io.Serializable;
import java.time.Duration;
import org.apache.flink.configuration.MemorySize;

/**
 * How much a writer holds and sends.
 *
 * @param maxPendingEntries values that wait before they are forgotten and everything is written again instead
 * @param maxPending their estimated memory before that
 * @param maxBatchEntries writes in one pipeline
 * @param maxBatch their estimated size, unless one write alone is larger
 * @param linger least time between the starts of two pipelines: a value that comes first waits for nothing, one that comes
 *     right after another waits at most this long and meanwhile coalesces
 * @param timeout after which a pipeline without an answer is given up, whatever the socket is stuck in
 * @param eventCache estimated memory of events that wait for the event cache before the oldest are left out
 */
record WriterLimits(
        int maxPendingEntries,
        MemorySize maxPending,
        int maxBatchEntries,
        MemorySize maxBatch,
        Duration linger,
        Duration timeout,
        MemorySize eventCache)
        implements Serializable {

    private static final long serialVersionUID = 1L;

    /** Up to 64 MiB of values that wait; pipelines that a busy Redis answers in a few milliseconds. */
    static final WriterLimits DEFAULT = new WriterLimits(
            1_000_000,
            MemorySize.ofMebiBytes(64),
            1_000,
            MemorySize.ofMebiBytes(1),
            Duration.ofMillis(5),
            Duration.ofSeconds(15),
            MemorySize.ofMebiBytes(16));

    WriterLimits {
        positive("max pending entries", maxPendingEntries);
        positive("max pending bytes", maxPending.getBytes());
        positive("max batch entries", maxBatchEntries);
        positive("max batch bytes", maxBatch.getBytes());
        positive("timeout", timeout.toMillis());
        positive("event cache bytes", eventCache.getBytes());
        if (linger.isNegative()) {
            throw new IllegalArgumentException(
                    "linger of the live view sink is " + linger + "; it must not be negative");
        }
    }

    private static void positive(String what, long value) {
        if (value < 1) {
            throw new IllegalArgumentException(what + " of the live view sink is " + value + "; it must be positive");
        }
    }
}
