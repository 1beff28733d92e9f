package dev.engagement.bench;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import dev.engagement.connection.KafkaConnection;
import dev.engagement.connection.KafkaTopics;
import dev.engagement.connection.KafkaTopics.Topic;
import dev.engagement.dedupe.DedupeOptions;
import dev.engagement.enrichment.EnrichmentOptions;
import dev.engagement.event.types.EventShards;
import dev.engagement.ingest.EventTimeOptions;
import dev.engagement.ingest.IngestOptions;
import dev.engagement.local.KafkaProcess;
import dev.engagement.pipeline.Destinations;
import dev.engagement.pipeline.EngagementPipeline;
import dev.engagement.pipeline.Rules;
import dev.engagement.pipeline.Sources;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.configuration.CheckpointingOptions;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.PipelineOptions;
import org.apache.flink.configuration.StateBackendOptions;
import org.apache.flink.configuration.TaskManagerOptions;
import org.apache.flink.connector.kafka.source.KafkaSource;
import org.apache.flink.connector.kafka.source.enumerator.initializer.OffsetsInitializer;
import org.apache.flink.connector.kafka.source.reader.deserializer.KafkaRecordDeserializationSchema;
import org.apache.flink.runtime.minicluster.MiniCluster;
import org.apache.flink.runtime.minicluster.MiniClusterConfiguration;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.functions.sink.v2.DiscardingSink;
import org.apache.flink.util.Collector;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/**
 * Kafka -> decode -> enrich -> dedupe -> discard at parallelism 2, beside a Flink source that only reads and parses the
 * same records, in the same run, turn about.
 */
public final class IngestBenchmark {

    private static final String EVENTS = "bench.events";
    private static final String CONTENT = "bench.content";
    private static final int PARALLELISM = 2;

    private final MiniCluster cluster;
    private final String brokers;
    private final String stateBackend;
    private final Path directory;

    private IngestBenchmark(MiniCluster cluster, String brokers, String stateBackend, Path directory) {
        this.cluster = cluster;
        this.brokers = brokers;
        this.stateBackend = stateBackend;
        this.directory = directory;
    }

    /** {@code DIRECTORY EVENTS ROUNDS BACKEND}. */
    public static void main(String[] args) throws Exception {
        Path directory = Path.of(args[0]).toAbsolutePath();
        int events = Integer.parseInt(args[1]);
        int rounds = Integer.parseInt(args[2]);
        String stateBackend = args[3];
        // In a process of its own, so that what is measured is not the broker.
        try (KafkaProcess broker = KafkaProcess.start(directory.resolve("kafka"), 0, 0);
                MiniCluster cluster = cluster()) {
            String brokers = broker.bootstrapServers();
            fill(brokers, events);
            cluster.start();
            new IngestBenchmark(cluster, brokers, stateBackend, directory).compare(events, rounds);
        }
        System.exit(0);
    }

    private static MiniCluster cluster() {
        Configuration configuration = new Configuration();
        configuration.setString("rest.bind-port", "0");
        configuration.set(
                TaskManagerOptions.MANAGED_MEMORY_SIZE, org.apache.flink.configuration.MemorySize.ofMebiBytes(256));
        return new MiniCluster(new MiniClusterConfiguration.Builder()
                .setConfiguration(configuration)
                .setNumTaskManagers(1)
                .setNumSlotsPerTaskManager(PARALLELISM)
                .build());
    }

    private static void fill(String brokers, int events) {
        System.out.printf("filling Kafka with %,d events and %,d contents…%n", events, BenchEnvelopes.CONTENTS);
        KafkaTopics.ensure(
                new KafkaConnection(brokers, Map.of()),
                (short) 1,
                List.of(Topic.ofEvents(EVENTS), Topic.ofContent(CONTENT)));
        Properties properties = new Properties();
        properties.setProperty("bootstrap.servers", brokers);
        properties.setProperty("linger.ms", "20");
        properties.setProperty("batch.size", "262144");
        properties.setProperty("compression.type", "lz4");
        ByteArraySerializer bytes = new ByteArraySerializer();
        try (KafkaProducer<byte[], byte[]> producer = new KafkaProducer<>(properties, bytes, bytes)) {
            for (int i = 0; i < BenchEnvelopes.CONTENTS; i++) {
                var unused = producer.send(
                        new ProducerRecord<>(CONTENT, BenchEnvelopes.contentKey(i), BenchEnvelopes.content(i)));
            }
            for (long id = 0; id < events; id++) {
                var unused = producer.send(
                        new ProducerRecord<>(EVENTS, BenchEnvelopes.eventKey(id), BenchEnvelopes.event(id)));
            }
        }
    }

    private void compare(int events, int rounds) throws Exception {
        Meter meter = new Meter();
        List<Double> ratios = new ArrayList<>();
        System.out.printf(
                "%,d events of about %d bytes, parallelism %d, %s state, %d contents%n",
                events, BenchEnvelopes.event(1_000_000).length, PARALLELISM, stateBackend, BenchEnvelopes.CONTENTS);
        System.out.printf("%-8s %-24s %12s %14s %14s%n", "round", "what", "events/s", "CPU µs/event", "bytes/event");
        for (int round = 0; round <= rounds; round++) {
            String name = round == 0 ? "warm-up" : Integer.toString(round);
            Meter.Reading reference = run(meter, reference());
            print(name, "read and parse", reference, events);
            Meter.Reading pipeline = run(meter, pipeline());
            print(name, "decode, enrich, dedupe", pipeline, events);
            if (round > 0) {
                ratios.add(reference.seconds() / pipeline.seconds());
            }
        }
        ratios.sort(null);
        System.out.printf(
                "ratio to read and parse: median %.2f (%.2f to %.2f); goal 0.60%n",
                ratios.get(ratios.size() / 2), ratios.get(0), ratios.get(ratios.size() - 1));
    }

    private static void print(String round, String what, Meter.Reading reading, int events) {
        System.out.printf(
                "%-8s %-24s %,12.0f %14.2f %,14d%n",
                round, what, events / reading.seconds(), reading.cpuSeconds() * 1e6 / events, reading.bytes() / events);
    }

    private Meter.Reading run(Meter meter, StreamExecutionEnvironment env) throws Exception {
        meter.start();
        cluster.executeJobBlocking(env.getStreamGraph().getJobGraph());
        return meter.stop();
    }

    private StreamExecutionEnvironment environment() {
        Configuration configuration = new Configuration();
        configuration.set(PipelineOptions.OBJECT_REUSE, true);
        configuration.set(PipelineOptions.GENERIC_TYPES, false);
        configuration.set(StateBackendOptions.STATE_BACKEND, stateBackend);
        configuration.set(CheckpointingOptions.CHECKPOINTING_INTERVAL, Duration.ofSeconds(5));
        configuration.set(
                CheckpointingOptions.CHECKPOINTS_DIRECTORY,
                directory.resolve("checkpoints").toUri().toString());
        StreamExecutionEnvironment env = new StreamExecutionEnvironment(configuration);
        env.setParallelism(PARALLELISM);
        env.setMaxParallelism(EventShards.SHARDS);
        return env;
    }

    private StreamExecutionEnvironment reference() {
        StreamExecutionEnvironment env = environment();
        KafkaSource<Integer> source = KafkaSource.<Integer>builder()
                .setBootstrapServers(brokers)
                .setTopics(EVENTS)
                .setGroupId("bench-reference")
                .setStartingOffsets(OffsetsInitializer.earliest())
                .setBounded(OffsetsInitializer.latest())
                .setDeserializer(new ParseAndDiscard())
                .build();
        env.fromSource(source, WatermarkStrategy.noWatermarks(), "reference").sinkTo(new DiscardingSink<>());
        return env;
    }

    private static final class ParseAndDiscard implements KafkaRecordDeserializationSchema<Integer> {
        private static final long serialVersionUID = 1L;
        private static final JsonFactory JSON = new JsonFactory();

        @Override
        public void deserialize(ConsumerRecord<byte[], byte[]> record, Collector<Integer> out) throws IOException {
            int tokens = 0;
            try (JsonParser parser = JSON.createParser(record.value())) {
                while (parser.nextToken() != null) {
                    tokens++;
                }
            }
            if (tokens == 0) {
                out.collect(tokens);
            }
        }

        @Override
        public org.apache.flink.api.common.typeinfo.TypeInformation<Integer> getProducedType() {
            return org.apache.flink.api.common.typeinfo.Types.INT;
        }
    }

    private StreamExecutionEnvironment pipeline() {
        StreamExecutionEnvironment env = environment();
        IngestOptions ingest = new IngestOptions(
                new KafkaConnection(brokers, Map.of()),
                EVENTS,
                CONTENT,
                "bench",
                org.apache.flink.configuration.MemorySize.ofMebiBytes(1),
                false,
                EventTimeOptions.DEFAULT);
        EngagementPipeline.wire(
                Sources.ofTopicsToTheirEnd(env, ingest),
                new Rules(EVENTS, EventTimeOptions.DEFAULT, EnrichmentOptions.DEFAULT, DedupeOptions.DEFAULT),
                new Destinations(
                        (unique, contents) ->
                                unique.sinkTo(new DiscardingSink<>()).name("discard"),
                        stages -> {}));
        return env;
    }
}
