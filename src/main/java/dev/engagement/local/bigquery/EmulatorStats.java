package dev.engagement.local.bigquery;

/**
 * What happened since the start, as {@code GET /emulator/stats} answers it.
 *
 * @param rowsAppended acknowledged or meant to be, discarded ones included
 * @param rowsDiscarded of these, counted only
 * @param rowsFlushed made visible, discarded ones included
 * @param rowsRefused named in row errors
 * @param appends done
 * @param appendsRefused answered with an error, or their connection ended
 * @param flushes done
 * @param flushesRefused answered with an error before anything was done
 * @param bytes of the append requests that were done
 * @param streamsCreated all together
 * @param queries answered, dry runs not counted
 * @param bytesProcessed by these, as BigQuery counts them
 * @param streams there are now
 * @param connections of AppendRows that are open now
 */
public record EmulatorStats(
        long rowsAppended,
        long rowsDiscarded,
        long rowsFlushed,
        long rowsRefused,
        long appends,
        long appendsRefused,
        long flushes,
        long flushesRefused,
        long bytes,
        long streamsCreated,
        long queries,
        long bytesProcessed,
        int streams,
        int connections) {}
