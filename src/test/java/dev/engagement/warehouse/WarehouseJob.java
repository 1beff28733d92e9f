package dev.engagement.warehouse;

import dev.engagement.JobCluster;
import dev.engagement.connection.Backoff;
import dev.engagement.connection.Pause;
import dev.engagement.deadletter.DeadLetter;
import dev.engagement.deadletter.DeadLetterTypes;
import dev.engagement.event.Samples;
import dev.engagement.event.types.EventTypes;
import dev.engagement.rowstore.Appended;
import dev.engagement.rowstore.RowApi;
import dev.engagement.rowstore.RowPlan;
import dev.engagement.rowstore.Rows;
import java.io.Serial;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.flink.api.common.JobID;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.api.common.functions.RichMapFunction;
import org.apache.flink.api.common.state.CheckpointListener;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.api.connector.sink2.Sink;
import org.apache.flink.api.connector.sink2.SinkWriter;
import org.apache.flink.api.connector.sink2.WriterInitContext;
import org.apache.flink.api.connector.source.util.ratelimit.RateLimiter;
import org.apache.flink.api.connector.source.util.ratelimit.RateLimiterStrategy;
import org.apache.flink.configuration.CheckpointingOptions;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.CoreOptions;
import org.apache.flink.configuration.PipelineOptions;
import org.apache.flink.configuration.RestartStrategyOptions;
import org.apache.flink.configuration.StateRecoveryOptions;
import org.apache.flink.connector.datagen.source.DataGeneratorSource;
import org.apache.flink.runtime.state.FunctionInitializationContext;
import org.apache.flink.runtime.state.FunctionSnapshotContext;
import org.apache.flink.streaming.api.checkpoint.CheckpointedFunction;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.jspecify.annotations.Nullable;

/** A job of numbered events and the warehouse alone, which fails where a test wants it to. */
final class WarehouseJob {

    /** Where a task fails, once for each time that is asked for. */
    enum Place {
        SNAPSHOT,
        COMPLETED,
        BEFORE_FLUSH,
        AFTER_FLUSH
    }

    /** What tasks and test share, as they run in one JVM: by the job's run. */
    static final class Shared {
        final Map<Place, AtomicInteger> failures = new ConcurrentHashMap<>();
        final Set<Long> letters = ConcurrentHashMap.newKeySet();
        final AtomicInteger connections = new AtomicInteger();
        private final CompletableFuture<Void> rest = new CompletableFuture<>();

        /** From now on the second half of the numbers may come. */
        void letTheRestCome() {
            rest.complete(null);
        }

        void failAt(Place place, int times) {
            failures.computeIfAbsent(place, any -> new AtomicInteger()).set(times);
        }

        void fail(Place place) {
            AtomicInteger left = failures.get(place);
            if (left != null && left.getAndUpdate(times -> Math.max(0, times - 1)) > 0) {
                throw new IllegalStateException("a failure at " + place);
            }
        }
    }

    private static final Map<String, Shared> SHARED = new ConcurrentHashMap<>();

    private final JobCluster cluster;
    private final Path directory;
    private final String key = UUID.randomUUID().toString();
    final Shared shared = new Shared();
    private final long events;

    WarehouseJob(JobCluster cluster, Path directory, long events) {
        this.cluster = cluster;
        this.directory = directory;
        this.events = events;
        SHARED.put(key, shared);
    }

    /** Starts it, as a new submission does; all numbers come. */
    JobID start(WarehouseOptions options, int parallelism, int perSecond, @Nullable String savepoint) throws Exception {
        shared.letTheRestCome();
        return startHeld(options, parallelism, perSecond, savepoint);
    }

    /** As {@link #start}, but of what it reads, half of all numbers wait until the test lets them come. */
    JobID startHeld(WarehouseOptions options, int parallelism, int perSecond, @Nullable String savepoint)
            throws Exception {
        Configuration configuration = new Configuration();
        configuration.set(CheckpointingOptions.CHECKPOINTING_INTERVAL, Duration.ofMillis(200));
        configuration.set(
                CheckpointingOptions.CHECKPOINTS_DIRECTORY,
                "file://" + directory.toAbsolutePath().resolve("checkpoints"));
        configuration.set(CheckpointingOptions.TOLERABLE_FAILURE_NUMBER, 100);
        configuration.set(CoreOptions.DEFAULT_PARALLELISM, parallelism);
        configuration.set(PipelineOptions.GENERIC_TYPES, false);
        configuration.set(PipelineOptions.OBJECT_REUSE, true);
        configuration.set(PipelineOptions.AUTO_GENERATE_UIDS, false);
        configuration.set(RestartStrategyOptions.RESTART_STRATEGY, "fixed-delay");
        configuration.set(RestartStrategyOptions.RESTART_STRATEGY_FIXED_DELAY_ATTEMPTS, 1_000);
        configuration.set(RestartStrategyOptions.RESTART_STRATEGY_FIXED_DELAY_DELAY, Duration.ofMillis(50));
        if (savepoint != null) {
            configuration.set(StateRecoveryOptions.SAVEPOINT_PATH, savepoint);
        }
        StreamExecutionEnvironment env = new StreamExecutionEnvironment(configuration);
        var numbers = env.fromSource(
                        new DataGeneratorSource<>(index -> index + 1, events, held(perSecond), Types.LONG),
                        WatermarkStrategy.noWatermarks(),
                        "numbers")
                .uid("numbers")
                // Fixed, as its splits are: what is rescaled comes behind it.
                .setParallelism(2);
        String shared = key;
        var unique = numbers.rebalance()
                .map(new Failing(shared))
                .uid("failing")
                .map(number -> Samples.enriched(number, number % 7))
                .returns(EventTypes.ENRICHED)
                .uid("events");
        BigQueryStore failing = new BigQueryStore(
                options,
                Duration.ofSeconds(2),
                new Backoff(Duration.ofMillis(20), Duration.ofMillis(500)),
                where -> new FailingWrites(new GoogleWriteApi(where), shared),
                RestTable::new);
        RowPlan plan = new RowPlan(failing, "events", UUID.randomUUID().toString(), Pause.real());
        Rows.append(unique, plan, "append", "commit")
                .getSideOutput(DeadLetterTypes.DEAD_LETTERS)
                .sinkTo(new Letters(shared))
                .uid("letters");
        return cluster.run(env);
    }

    /** At that rate, and the second half when the test says so. */
    private RateLimiterStrategy held(int perSecond) {
        String shared = key;
        long half = events / 2;
        return readers -> new HeldBack(
                RateLimiterStrategy.perSecond(perSecond).createRateLimiter(readers), half / readers, shared);
    }

    /** Of one reader, on its thread. */
    private static final class HeldBack implements RateLimiter {

        private final RateLimiter rate;
        private final String shared;
        private long left;

        HeldBack(RateLimiter rate, long left, String shared) {
            this.rate = rate;
            this.left = left;
            this.shared = shared;
        }

        @Override
        public CompletionStage<Void> acquire() {
            left--;
            return left >= 0 ? rate.acquire() : shared(shared).rest.thenCompose(all -> rate.acquire());
        }
    }

    private static final class FailingWrites implements RowApi {

        private final RowApi real;
        private final String shared;

        FailingWrites(RowApi real, String shared) {
            this.real = real;
            this.shared = shared;
        }

        @Override
        public CompletableFuture<Appender> open(@Nullable String stream) {
            shared(shared).connections.incrementAndGet();
            return real.open(stream);
        }

        @Override
        public CompletableFuture<Void> show(Appended rows) {
            shared(shared).fail(Place.BEFORE_FLUSH);
            CompletableFuture<Void> flushed = real.show(rows);
            return flushed.thenRun(() -> shared(shared).fail(Place.AFTER_FLUSH));
        }

        @Override
        public void close() {
            real.close();
        }
    }

    private static Shared shared(String key) {
        Shared shared = SHARED.get(key);
        if (shared == null) {
            throw new IllegalStateException("No such test");
        }
        return shared;
    }

    private static final class Failing extends RichMapFunction<Long, Long>
            implements CheckpointedFunction, CheckpointListener {

        @Serial
        private static final long serialVersionUID = 1L;

        private final String shared;

        Failing(String shared) {
            this.shared = shared;
        }

        @Override
        public Long map(Long number) {
            return number;
        }

        @Override
        public void snapshotState(FunctionSnapshotContext context) {
            shared(shared).fail(Place.SNAPSHOT);
        }

        @Override
        public void initializeState(FunctionInitializationContext context) {}

        @Override
        public void notifyCheckpointComplete(long checkpointId) {
            shared(shared).fail(Place.COMPLETED);
        }
    }

    private static final class Letters implements Sink<DeadLetter> {

        @Serial
        private static final long serialVersionUID = 1L;

        private final String shared;

        Letters(String shared) {
            this.shared = shared;
        }

        @Override
        @Deprecated
        public SinkWriter<DeadLetter> createWriter(InitContext context) {
            throw new UnsupportedOperationException();
        }

        @Override
        public SinkWriter<DeadLetter> createWriter(WriterInitContext context) {
            return new SinkWriter<>() {
                @Override
                public void write(DeadLetter letter, Context writing) {
                    shared(shared).letters.add(letter.eventId().number());
                }

                @Override
                public void flush(boolean endOfInput) {}

                @Override
                public void close() {}
            };
        }
    }
}
