package dev.engagement.bench;

import com.fasterxml.jackson.databind.JsonNode;
import dev.engagement.connection.KafkaConnection;
import dev.engagement.connection.KafkaTopics;
import dev.engagement.connection.SecretRef;
import dev.engagement.delivery.DeliveryOptions;
import dev.engagement.delivery.DeliveryStreams;
import dev.engagement.event.EnrichedEvent;
import dev.engagement.event.types.EventTypes;
import dev.engagement.local.KafkaProcess;
import dev.engagement.local.ReceiverProcess;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import org.apache.flink.api.common.functions.MapFunction;
import org.apache.flink.configuration.MemorySize;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.functions.sink.v2.DiscardingSink;

/**
 * Delivery alone, over real HTTP: a job of synthetic events that are posted to the local receiver, signed, beside a job that
 * discards the same events, in the same run, turn about. The live path hands back what does not fit into its bytes, so a gate
 * before it lets events through only as they leave delivery.
 */
public final class DeliveryBenchmark {

    private static final int CONTENTS = 10_000;
    private static final int REQUESTS = 256;
    private static final List<Case> CASES = List.of(
            new Case(Duration.ZERO, 1),
            new Case(Duration.ofMillis(50), 1),
            new Case(Duration.ZERO, 100),
            new Case(Duration.ofMillis(50), 100));

    private final BenchCluster cluster;
    private final KafkaConnection kafka;
    private final ReceiverProcess receiver;
    private final int events;
    private final EventHour time;

    /**
     * How the receiver is, and what it gets.
     *
     * @param latency of each answer, many being on their way at once
     * @param batch events in a request
     */
    private record Case(Duration latency, int batch) {

        String text() {
            return latency.toMillis() + " ms, " + (batch == 1 ? "single" : "batches of " + batch);
        }
    }

    private record Figures(
            double eventsPerSecond,
            double postsPerSecond,
            double cpuMicros,
            double receiverCpuMicros,
            double delivered,
            long peakInFlight) {}

    private DeliveryBenchmark(BenchCluster cluster, KafkaConnection kafka, ReceiverProcess receiver, int events) {
        this.cluster = cluster;
        this.kafka = kafka;
        this.receiver = receiver;
        this.events = events;
        this.time = EventHour.of(events);
    }

    /** {@code DIRECTORY EVENTS ROUNDS BACKEND}. */
    public static void main(String[] args) throws Exception {
        Path directory = Path.of(args[0]).toAbsolutePath();
        int events = Integer.parseInt(args[1]);
        int rounds = Integer.parseInt(args[2]);
        try (BenchCluster cluster = BenchCluster.start(directory, args[3], Outcomes.REPORTED);
                KafkaProcess broker = KafkaProcess.start(directory.resolve("kafka"), 0, 0);
                ReceiverProcess receiver = ReceiverProcess.start(directory.resolve("receiver"), 0)) {
            KafkaConnection kafka = new KafkaConnection(broker.bootstrapServers(), Map.of());
            KafkaTopics.ensure(kafka, (short) 1, List.of(KafkaTopics.Topic.ofDeliveryRetries("retry")));
            new DeliveryBenchmark(cluster, kafka, receiver, events).compare(rounds);
        }
        System.exit(0);
    }

    private void compare(int rounds) throws Exception {
        System.out.printf(
                "delivery: %,d events, parallelism %d, %d requests in flight a subtask; the receiver is a process of its own on"
                        + " the same cores, checks signatures and records what it gets;%n          CPU of the job is its process"
                        + " less that of the job that discards; in flight is the most that a subtask held%n",
                events, BenchCluster.PARALLELISM, REQUESTS);
        System.out.printf(
                "%-8s %-24s %10s %10s %16s %18s %10s %12s%n",
                "round",
                "receiver",
                "posts/s",
                "events/s",
                "CPU us/post",
                "receiver's us/post",
                "delivered",
                "in flight");
        SyntheticEvents.prepare(Load.UNIFORM, CONTENTS, events);
        Map<Case, List<Figures>> measured = new LinkedHashMap<>();
        for (int round = 0; round <= rounds; round++) {
            String name = round == 0 ? "warm-up" : Integer.toString(round);
            Meter.Reading discarded = cluster.run(discarding());
            System.out.printf(
                    "%-8s %-24s %10s %,10.0f %16.2f%n",
                    name, "(discarded)", "", events / discarded.seconds(), discarded.cpuSeconds() * 1e6 / events);
            for (Case one : CASES) {
                Figures figures = measure(one, discarded);
                System.out.printf(
                        "%-8s %-24s %,10.0f %,10.0f %16.1f %18.1f %9.1f%% %12s%n",
                        name,
                        one.text(),
                        figures.postsPerSecond,
                        figures.eventsPerSecond,
                        figures.cpuMicros,
                        figures.receiverCpuMicros,
                        figures.delivered * 100,
                        String.format("%.2f MiB", figures.peakInFlight / (double) (1 << 20)));
                if (round > 0) {
                    measured.computeIfAbsent(one, any -> new ArrayList<>()).add(figures);
                }
            }
        }
        measured.forEach((one, figures) -> System.out.printf(
                "%s: posts/s %s; CPU us per post %s%n",
                one.text(),
                new Spread(figures.stream().map(Figures::postsPerSecond).toList()).text("%,.0f"),
                new Spread(figures.stream().map(Figures::cpuMicros).toList()).text("%.1f")));
        System.out.println(
                "by the receiver's own count of posts, each of one id; goal: at least 10,000 single posts/s");
    }

    private Figures measure(Case one, Meter.Reading discarded) throws Exception {
        receiver.behave("{\"mode\":\"slow\",\"delayMillis\":" + one.latency.toMillis() + "}");
        JsonNode before = receiver.get("/stats");
        double receiverBefore = receiverCpuSeconds();
        InFlight.forget();
        Gate.open(2L * REQUESTS * one.batch * 3 / 4);
        Meter.Reading delivered = cluster.run(delivering(one));
        long peak = InFlight.peak();
        double receiverCpu = receiverCpuSeconds() - receiverBefore;
        JsonNode after = receiver.get("/stats");
        long posts = grown(before, after, "received");
        long taken = grown(before, after, "events");
        return new Figures(
                taken / delivered.seconds(),
                posts / delivered.seconds(),
                (delivered.cpuSeconds() - discarded.cpuSeconds()) * 1e6 / posts,
                receiverCpu * 1e6 / posts,
                taken / (double) events,
                peak);
    }

    private StreamExecutionEnvironment discarding() {
        StreamExecutionEnvironment env = environment();
        Gate.open(Long.MAX_VALUE);
        gated(env).sinkTo(new DiscardingSink<>());
        return env;
    }

    private StreamExecutionEnvironment delivering(Case one) {
        StreamExecutionEnvironment env = environment();
        DataStream<EnrichedEvent> unique = gated(env);
        DeliveryOptions usual = DeliveryOptions.to(URI.create(receiver.url() + "/events"));
        DeliveryOptions options = new DeliveryOptions(
                usual.url(),
                new DeliveryOptions.Secrets(
                        SecretRef.inFile(
                                "delivery.secret.secret-file",
                                receiver.secretFile().toAbsolutePath().toString()),
                        SecretRef.none(),
                        SecretRef.none()),
                usual.security(),
                usual.attempts(),
                new DeliveryOptions.InFlight(REQUESTS, MemorySize.ofMebiBytes(32)),
                new DeliveryOptions.Batch(one.batch, Duration.ofMillis(50)),
                usual.drainRate(),
                usual.retryRetention(),
                true,
                false,
                usual.success(),
                usual.maxResponseBytes());
        var unused = new DeliveryStreams(options, kafka, new DeliveryStreams.Topics("events", "retry", "receipts"))
                .deliverWithoutDrain(
                        unique,
                        unique,
                        new DeliveryStreams.Uids("live", "inserted", "drain-source", "drain", "retries", "receipts"));
        return env;
    }

    private StreamExecutionEnvironment environment() {
        StreamExecutionEnvironment env = cluster.environment();
        // What the gate has let through is to be at delivery soon, as it counts.
        env.setBufferTimeout(1);
        return env;
    }

    /** On a thread of their own, as who waits there must not be who settles answers. */
    private DataStream<EnrichedEvent> gated(StreamExecutionEnvironment env) {
        return SyntheticEvents.of(env, Load.UNIFORM, CONTENTS, events, time)
                .map(new Gate())
                .returns(EventTypes.ENRICHED)
                .disableChaining();
    }

    /** Lets events through while no more than so many are behind it. */
    private static final class Gate implements MapFunction<EnrichedEvent, EnrichedEvent> {

        private static final long serialVersionUID = 1L;

        private static final Duration TIMEOUT = Duration.ofSeconds(60);
        private static final AtomicLong PASSED = new AtomicLong();
        private static final AtomicLong MOST = new AtomicLong();

        static void open(long max) {
            PASSED.set(0);
            MOST.set(max);
        }

        @Override
        public EnrichedEvent map(EnrichedEvent event) {
            long max = MOST.get();
            if (max != Long.MAX_VALUE) {
                long number = PASSED.incrementAndGet();
                long since = System.nanoTime();
                while (number - Outcomes.count() > max) {
                    if (System.nanoTime() - since > TIMEOUT.toNanos()) {
                        throw new IllegalStateException("Nothing has left delivery for " + TIMEOUT.toSeconds()
                                + " s: of " + number + " events " + Outcomes.count() + " have");
                    }
                    LockSupport.parkNanos(20_000);
                }
            }
            return event;
        }
    }

    private static long grown(JsonNode before, JsonNode after, String field) {
        return after.required(field).asLong() - before.required(field).asLong();
    }

    private double receiverCpuSeconds() {
        return ProcessHandle.of(receiver.pid())
                        .flatMap(process -> process.info().totalCpuDuration())
                        .orElseThrow()
                        .toNanos()
                / 1e9;
    }
}
