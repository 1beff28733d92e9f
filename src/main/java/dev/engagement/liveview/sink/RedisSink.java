package dev.engagement.liveview.sink;

import dev.engagement.liveview.LiveViewKeys;
import dev.engagement.liveview.LiveViewOptions;
import dev.engagement.liveview.ScriptedWrite;
import java.util.Collection;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import org.apache.flink.api.common.TaskInfo;
import org.apache.flink.api.connector.sink2.Sink;
import org.apache.flink.api.connector.sink2.StatefulSinkWriter;
import org.apache.flink.api.connector.sink2.SupportsWriterState;
import org.apache.flink.api.connector.sink2.WriterInitContext;
import org.apache.flink.core.io.SimpleVersionedSerializer;
import org.jspecify.annotations.Nullable;

/**
 * Shows a stream in Redis, as the newest value of each slot.
 *
 * <pre>{@code
 * unique.sinkTo(RedisSink.<EnrichedEvent>builder()
 *         .options(options)
 *         .mapping(LiveViewMappings.last(rules))
 *         .name("last")
 *         .build())
 *     .uid(OperatorIds.LIVE_VIEW_LAST)
 *     .name("live view: last");
 * }</pre>
 *
 * <p><b>Guarantee.</b> At least once, and idempotent: each write is absolute and versioned, so a replay, a restart or a
 * zombie leaves the newest value. Between two writes only the newest value of a slot is kept; a reader may never see
 * those in between. A completed checkpoint means that every value before it is in Redis or in the checkpoint; it never
 * waits for Redis. The end of a bounded input waits until all is written.
 *
 * <p>While Redis cannot be reached the writer coalesces and retries for ever, and upstream goes on, until the limits on
 * pending values are reached; then the task stands still ({@code blockedMillis}) rather than lose one. What Redis refuses
 * for good fails the job with {@link LiveViewRefusedException}.
 *
 * <p>What Redis itself loses, by a crash without persistence or by eviction, is shown again when its next value comes; a
 * version lost with it holds no zombie back until then. A deleted content leaves its version in a grave for
 * {@link dev.engagement.liveview.LiveValue#GRAVE_IS_KEPT_FOR}, so only a put that arrives later than that shows it again.
 *
 * @param <T> element of the stream
 */
public final class RedisSink<T> implements Sink<T>, SupportsWriterState<T, ScriptedWrite> {

    private static final long serialVersionUID = 1L;

    /** Longer than a connect takes to time out. */
    private static final long CLOSE_SECONDS = 5;

    private final String name;
    private final LiveViewMapping<T> mapping;
    private final String keyPrefix;
    private final String server;
    private final RedisConnection.Connector connector;
    private final WriterLimits limits;
    private final Backoff backoff;

    RedisSink(
            String name,
            LiveViewMapping<T> mapping,
            String keyPrefix,
            String server,
            RedisConnection.Connector connector,
            WriterLimits limits,
            Backoff backoff) {
        this.name = name;
        this.mapping = mapping;
        this.keyPrefix = keyPrefix;
        this.server = server;
        this.connector = connector;
        this.limits = limits;
        this.backoff = backoff;
    }

    /** What is needed to make one. */
    public static <T> Builder<T> builder() {
        return new Builder<>();
    }

    /** Flink 1.20 still demands it, and calls the other one. */
    @Override
    @Deprecated
    public StatefulSinkWriter<T, ScriptedWrite> createWriter(InitContext context) {
        throw new UnsupportedOperationException("Flink 1.20 calls createWriter(WriterInitContext)");
    }

    @Override
    public StatefulSinkWriter<T, ScriptedWrite> createWriter(WriterInitContext context) {
        return restoreWriter(context, List.of());
    }

    @Override
    public StatefulSinkWriter<T, ScriptedWrite> restoreWriter(
            WriterInitContext context, Collection<ScriptedWrite> recoveredState) {
        TaskInfo task = context.getTaskInfo();
        String thread = "live-view-" + name + " (" + (task.getIndexOfThisSubtask() + 1) + "/"
                + task.getNumberOfParallelSubtasks() + ")";
        ExecutorService io = Executors.newSingleThreadExecutor(runnable -> {
            Thread created = new Thread(runnable, thread);
            created.setDaemon(true);
            return created;
        });
        return new RedisWriter<>(
                mapping,
                new LiveViewKeys(keyPrefix),
                limits,
                backoff,
                connector,
                new RedisWriter.Environment(
                        server,
                        context.getMailboxExecutor(),
                        context.getProcessingTimeService(),
                        io,
                        () -> stop(io),
                        () -> ThreadLocalRandom.current().nextDouble(),
                        context.metricGroup()),
                recoveredState);
    }

    private static void stop(ExecutorService io) {
        io.shutdown();
        try {
            // A thread that outlives its task would keep the job's class loader alive.
            boolean ended = io.awaitTermination(CLOSE_SECONDS, TimeUnit.SECONDS);
            if (!ended) {
                io.shutdownNow();
            }
        } catch (InterruptedException e) {
            io.shutdownNow();
            Thread.currentThread().interrupt();
        }
    }

    @Override
    public SimpleVersionedSerializer<ScriptedWrite> getWriterStateSerializer() {
        return new ScriptedWriteSerializer();
    }

    /**
     * Builds a {@link RedisSink}.
     *
     * @param <T> element of the stream
     */
    public static final class Builder<T> {

        private @Nullable LiveViewOptions options;
        private @Nullable LiveViewMapping<T> mapping;
        private String name = "redis";
        private WriterLimits limits = WriterLimits.DEFAULT;
        private Backoff backoff = Backoff.DEFAULT;

        private Builder() {}

        /** Where the live view is. Required. */
        public Builder<T> options(LiveViewOptions options) {
            this.options = options;
            return this;
        }

        /** What an element shows. Required. */
        public Builder<T> mapping(LiveViewMapping<T> mapping) {
            this.mapping = mapping;
            return this;
        }

        /** What its threads are called. */
        public Builder<T> name(String name) {
            this.name = name;
            return this;
        }

        Builder<T> limits(WriterLimits limits) {
            this.limits = limits;
            return this;
        }

        Builder<T> backoff(Backoff backoff) {
            this.backoff = backoff;
            return this;
        }

        /**
         * The sink.
         *
         * @throws NullPointerException if something required is missing
         */
        public RedisSink<T> build() {
            LiveViewOptions where = Objects.requireNonNull(options, "RedisSink needs options(…)");
            LiveViewMapping<T> what = Objects.requireNonNull(mapping, "RedisSink needs mapping(…)");
            String server = where.url().getHost() + ":" + where.port() + "/" + where.database();
            return new RedisSink<>(
                    name, what, where.keyPrefix(), server, () -> JedisConnection.connect(where), limits, backoff);
        }
    }
}
