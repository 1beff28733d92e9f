package dev.engagement.bench;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import dev.engagement.connection.KafkaConnection;
import dev.engagement.connection.KafkaTopics;
import dev.engagement.connection.KafkaTopics.Topic;
import dev.engagement.event.EventIdKind;
import dev.engagement.ingest.EventRules;
import dev.engagement.ingest.EventTimeOptions;
import dev.engagement.ingest.IngestFormat;
import dev.engagement.ingest.IngestOptions;
import dev.engagement.local.KafkaProcess;
import dev.engagement.pipeline.Sources;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.function.LongUnaryOperator;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.configuration.MemorySize;
import org.apache.flink.connector.kafka.source.KafkaSource;
import org.apache.flink.connector.kafka.source.enumerator.initializer.OffsetsInitializer;
import org.apache.flink.connector.kafka.source.reader.deserializer.KafkaRecordDeserializationSchema;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.functions.sink.v2.DiscardingSink;
import org.apache.flink.util.Collector;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/** Both topics, full, in a broker that is a process of its own, so that what is measured is not the broker. */
final class BenchTopics implements AutoCloseable {

    static final String EVENTS = "bench.events";
    static final String TEXT_EVENTS = "bench.text-events";
    private static final String CONTENT = "bench.content";

    private final KafkaProcess broker;

    private BenchTopics(KafkaProcess broker) {
        this.broker = broker;
    }

    /**
     * Starts a broker and fills the topics.
     *
     * @param eventMicros when the event of a number happened, and was written to Kafka
     */
    static BenchTopics fill(Path directory, int events, LongUnaryOperator eventMicros) {
        return fill(directory, events, eventMicros, Popularity.UNIFORM);
    }

    /** The same, with events that spread over the contents as said. */
    static BenchTopics fill(Path directory, int events, LongUnaryOperator eventMicros, Popularity popularity) {
        BenchTopics topics = new BenchTopics(KafkaProcess.start(directory.resolve("kafka"), 0, 0));
        System.out.printf("filling Kafka with %,d events and %,d contents…%n", events, BenchEnvelopes.CONTENTS);
        topics.write(events, eventMicros, popularity);
        return topics;
    }

    private void write(int events, LongUnaryOperator eventMicros, Popularity popularity) {
        KafkaTopics.ensure(connection(), (short) 1, List.of(Topic.ofEvents(EVENTS), Topic.ofContent(CONTENT)));
        Properties properties = producerProperties();
        ByteArraySerializer bytes = new ByteArraySerializer();
        try (KafkaProducer<byte[], byte[]> producer = new KafkaProducer<>(properties, bytes, bytes)) {
            for (int i = 0; i < BenchEnvelopes.CONTENTS; i++) {
                var unused = producer.send(
                        new ProducerRecord<>(CONTENT, BenchEnvelopes.contentKey(i), BenchEnvelopes.content(i)));
            }
            for (long id = 0; id < events; id++) {
                long micros = eventMicros.applyAsLong(id);
                var unused = producer.send(new ProducerRecord<>(
                        EVENTS,
                        null,
                        micros / 1_000,
                        BenchEnvelopes.eventKey(id),
                        BenchEnvelopes.event(id, micros, popularity)));
            }
        }
    }

    /** The same events once more, under ids that are texts, in a topic of their own. */
    void addTextEvents(int events, LongUnaryOperator eventMicros) {
        KafkaTopics.ensure(connection(), (short) 1, List.of(Topic.ofEvents(TEXT_EVENTS)));
        Properties properties = producerProperties();
        ByteArraySerializer bytes = new ByteArraySerializer();
        try (KafkaProducer<byte[], byte[]> producer = new KafkaProducer<>(properties, bytes, bytes)) {
            for (long id = 0; id < events; id++) {
                long micros = eventMicros.applyAsLong(id);
                var unused = producer.send(new ProducerRecord<>(
                        TEXT_EVENTS,
                        null,
                        micros / 1_000,
                        BenchEnvelopes.eventKey(id),
                        BenchEnvelopes.textEvent(id, micros)));
            }
        }
    }

    private Properties producerProperties() {
        Properties properties = new Properties();
        properties.setProperty("bootstrap.servers", broker.bootstrapServers());
        properties.setProperty("linger.ms", "20");
        properties.setProperty("batch.size", "262144");
        properties.setProperty("compression.type", "lz4");
        return properties;
    }

    private KafkaConnection connection() {
        return new KafkaConnection(broker.bootstrapServers(), Map.of());
    }

    /** Both topics, to their ends. */
    Sources sources(StreamExecutionEnvironment env) {
        return sources(env, EVENTS, EventIdKind.LONG);
    }

    /** The same with the events of {@link #addTextEvents}. */
    Sources textSources(StreamExecutionEnvironment env) {
        return sources(env, TEXT_EVENTS, EventIdKind.TEXT);
    }

    private Sources sources(StreamExecutionEnvironment env, String events, EventIdKind ids) {
        return Sources.ofTopicsToTheirEnd(
                env,
                new IngestOptions(
                        connection(),
                        events,
                        CONTENT,
                        "bench",
                        MemorySize.ofMebiBytes(1),
                        false,
                        EventTimeOptions.DEFAULT,
                        new EventRules(ids, true),
                        null,
                        IngestFormat.AUTO));
    }

    /** What every figure stands beside: Flink's own source reads the events and parses them, and forgets them. */
    void readAndParse(StreamExecutionEnvironment env) {
        KafkaSource<Integer> source = KafkaSource.<Integer>builder()
                .setBootstrapServers(broker.bootstrapServers())
                .setTopics(EVENTS)
                .setGroupId("bench-reference")
                .setStartingOffsets(OffsetsInitializer.earliest())
                .setBounded(OffsetsInitializer.latest())
                .setDeserializer(new ParseAndDiscard())
                .build();
        env.fromSource(source, WatermarkStrategy.noWatermarks(), "reference").sinkTo(new DiscardingSink<>());
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
        public TypeInformation<Integer> getProducedType() {
            return Types.INT;
        }
    }

    @Override
    public void close() {
        broker.close();
    }
}
