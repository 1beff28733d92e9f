package dev.engagement.rollup.sink;

import dev.engagement.connection.Backoff;
import dev.engagement.event.RollupRow;
import dev.engagement.event.types.EventShards;
import dev.engagement.rollup.RollupOptions;
import dev.engagement.writeback.IoThreads;
import dev.engagement.writeback.WriterLimits;
import java.time.Duration;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.configuration.MemorySize;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.datastream.DataStreamUtils;

/**
 * Where the rows of the rollups end. Callers give the uids.
 *
 * <pre>{@code
 * RollupStreams.tables(Rollups.of(unique, options, true, OperatorIds.ROLLUPS), options, OperatorIds.ROLLUP_TABLES);
 * }</pre>
 */
public final class RollupStreams {

    private static final int MAX_PENDING_ROWS = 1_000_000;
    private static final int MAX_BATCH_ROWS = 1_000;
    private static final MemorySize MAX_BATCH = MemorySize.ofMebiBytes(4);

    /** A commit costs PostgreSQL a flush of its log: rows of many keys share one. */
    private static final Duration LINGER = Duration.ofMillis(100);

    /** Longer than all that an attempt does if nothing hangs. */
    private static final Duration TIMEOUT = Duration.ofSeconds(60);

    /** PostgreSQL takes seconds to return. */
    private static final Backoff BACKOFF = new Backoff(Duration.ofMillis(200), Duration.ofSeconds(2));

    private RollupStreams() {}

    /**
     * Brings rows into their tables in PostgreSQL, each in state until it is there: of windows that are closed, and, if
     * {@code options} want it, of those that are still open. Nothing crosses the network: each subtask keeps the rows that it
     * is given, and PostgreSQL the newest of each window and key.
     *
     * @param rows absolute and versioned, in any order
     * @param options with the database and the definitions of all rollups that there are rows of; tables are expected to be
     *     there, see {@link dev.engagement.rollup.RollupTables}
     */
    public static void tables(DataStream<RollupRow> rows, RollupOptions options, String uid) {
        tables(rows, options, limits(options.maxPending()), uid);
    }

    static void tables(DataStream<RollupRow> rows, RollupOptions options, WriterLimits limits, String uid) {
        // Nobody asks for the key of a row: the operator has no key context, and keeps a row under a shard of its own.
        DataStreamUtils.reinterpretAsKeyedStream(rows, any -> EventShards.keyOf(0), EventShards.KEY_TYPE)
                .transform(
                        "rollup tables",
                        Types.VOID,
                        new RollupTableOperatorFactory(
                                options.target(),
                                options.definitions(),
                                options.early(),
                                JdbcRows.connector(options.target(), options.definitions()),
                                limits,
                                BACKOFF,
                                IoThreads::daemon))
                .setParallelism(rows.getParallelism())
                .uid(uid);
    }

    /** @param maxPending of rows that wait in a subtask's heap */
    static WriterLimits limits(MemorySize maxPending) {
        return new WriterLimits(MAX_PENDING_ROWS, maxPending, MAX_BATCH_ROWS, MAX_BATCH, LINGER, TIMEOUT);
    }
}
