package dev.engagement.writeback;

import dev.engagement.connection.Backoff;
import java.time.Duration;
import java.util.Arrays;

/**
 * How values are kept and written.
 *
 * @param keeping how long state keeps them
 * @param rewriteOrder their parts, as masks, in the order in which everything is written again: those of an entry before any
 *     of the next one, the last of several entries at a gentle pace
 * @param limits how much is held and sent
 * @param backoff before what failed is tried again
 * @param refusedBackoff before what the store refused is tried again
 */
public record WriteBackPlan(
        Keeping keeping, long[] rewriteOrder, WriterLimits limits, Backoff backoff, Backoff refusedBackoff) {

    /** A store that returns is noticed within a second. */
    public static final Backoff BACKOFF = new Backoff(Duration.ofMillis(50), Duration.ofSeconds(1));

    /** What waits for a person is asked less often; a secret that was put right is found within ten seconds. */
    public static final Backoff REFUSED_BACKOFF = new Backoff(Duration.ofSeconds(1), Duration.ofSeconds(10));

    public WriteBackPlan {
        if (keeping == Keeping.UNTIL_WRITTEN && !Arrays.equals(rewriteOrder, wholeValues())) {
            throw new IllegalArgumentException(
                    "Values that leave state once they are written are written whole; the order is "
                            + Arrays.toString(rewriteOrder));
        }
    }

    /** The order of values without parts. */
    public static long[] wholeValues() {
        return new long[] {WriteBackValue.ALL_PARTS};
    }
}
