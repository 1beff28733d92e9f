package dev.engagement.writeback;

import java.io.Serializable;
import java.time.Duration;
import org.apache.flink.configuration.MemorySize;

/**
 * How much a writer holds and sends.
 *
 * @param maxPendingEntries values that wait before they are forgotten and everything is written again instead
 * @param maxPending their estimated memory before that
 * @param maxBatchEntries values in one batch
 * @param maxBatch their estimated size, unless one value alone is larger
 * @param linger least time between the starts of two batches: a value that comes first waits for nothing, one that comes
 *     right after another waits at most this long and meanwhile coalesces
 * @param timeout after which a batch without an answer is given up, whatever the socket is stuck in
 */
public record WriterLimits(
        int maxPendingEntries,
        MemorySize maxPending,
        int maxBatchEntries,
        MemorySize maxBatch,
        Duration linger,
        Duration timeout)
        implements Serializable {

    private static final long serialVersionUID = 1L;

    public WriterLimits {
        positive("max pending entries", maxPendingEntries);
        positive("max pending bytes", maxPending.getBytes());
        positive("max batch entries", maxBatchEntries);
        positive("max batch bytes", maxBatch.getBytes());
        positive("timeout", timeout.toMillis());
        if (linger.isNegative()) {
            throw new IllegalArgumentException("linger of a writer is " + linger + "; it must not be negative");
        }
    }

    private static void positive(String what, long value) {
        if (value < 1) {
            throw new IllegalArgumentException(what + " of a writer is " + value + "; it must be positive");
        }
    }
}
