package dev.engagement.backfill;

import dev.engagement.connection.KafkaConnection;
import dev.engagement.connection.TopicReader;
import dev.engagement.deadletter.DeadLetter;
import dev.engagement.deadletter.DeadLetterJson;
import dev.engagement.deadletter.Reason;
import dev.engagement.event.ContentChange;
import dev.engagement.event.EventId;
import dev.engagement.ingest.ContentReading;
import dev.engagement.ingest.DecodedRecord;
import dev.engagement.ingest.RecordKey;
import java.io.IOException;
import java.time.Clock;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.jspecify.annotations.Nullable;

/**
 * The stream's topics over an idempotent producer: at least once, in the order of publishing for each key. Partitions are
 * chosen by key, as capture's producer does, so that an event or a content lands where its captured record is.
 */
final class KafkaStream implements StreamGateway {

    private static final Duration CLOSE_TIMEOUT = Duration.ofSeconds(15);
    private static final int BATCH_BYTES = 128 * 1024;
    private static final int LINGER_MILLIS = 20;
    private static final int RECORD_OVERHEAD_BYTES = 64 * 1024;

    private final BackfillOptions options;
    private final String topic;
    private final String contentTopic;
    private final String groupId;
    private final KafkaProducer<byte[], byte[]> producer;
    private final TopicReader reader;
    /** Where the letters of this backfill begin. */
    private final Map<TopicPartition, Long> begin;
    /** How far the letters have been read. */
    private Map<TopicPartition, Long> lettersRead = Map.of();

    private final Map<Integer, Long> ends = new ConcurrentHashMap<>();
    private final AtomicReference<BackfillException> failure = new AtomicReference<>();

    private KafkaStream(BackfillOptions options, KafkaProducer<byte[], byte[]> producer, TopicReader reader)
            throws IOException {
        this.options = options;
        this.topic = options.eventsTopic();
        this.contentTopic = options.contentTopic();
        this.groupId = options.groupId();
        this.producer = producer;
        this.reader = reader;
        this.begin = reader.ends(options.deadLettersTopic());
    }

    static KafkaStream open(BackfillOptions options) throws IOException {
        KafkaConnection kafka = options.kafka();
        Properties properties = kafka.clientProperties();
        properties.setProperty("acks", "all");
        properties.setProperty("enable.idempotence", "true");
        properties.putIfAbsent("linger.ms", Integer.toString(LINGER_MILLIS));
        properties.putIfAbsent("batch.size", Integer.toString(BATCH_BYTES));
        properties.putIfAbsent("compression.type", "lz4");
        long largest = options.maxRowBytes().getBytes() + RECORD_OVERHEAD_BYTES;
        properties.putIfAbsent("max.request.size", Long.toString(Math.max(1024 * 1024, largest)));
        KafkaProducer<byte[], byte[]> producer = null;
        TopicReader reader = null;
        try {
            producer = new KafkaProducer<>(properties, new ByteArraySerializer(), new ByteArraySerializer());
            reader = TopicReader.open(kafka);
            return new KafkaStream(options, producer, reader);
        } catch (KafkaException e) {
            close(producer, reader);
            throw new IOException(
                    "Kafka at " + kafka.bootstrapServers() + " takes nothing (" + e.getMessage()
                            + "). Check kafka.bootstrap-servers and kafka.properties",
                    e);
        } catch (IOException e) {
            close(producer, reader);
            throw e;
        }
    }

    @Override
    public void publish(EventId id, byte[] envelope) {
        send(new ProducerRecord<>(topic, RecordKey.ofEvent(id), envelope), ends);
    }

    @Override
    public void publishContent(byte[] key, byte @Nullable [] envelope) {
        send(new ProducerRecord<>(contentTopic, key, envelope), null);
    }

    /** @param ends what is told where the record stands */
    private void send(ProducerRecord<byte[], byte[]> record, @Nullable Map<Integer, Long> ends) {
        failOnFailure();
        try {
            var unused = producer.send(record, (metadata, exception) -> {
                if (exception != null) {
                    failure.compareAndSet(null, notTaken(record.topic(), exception));
                } else if (ends != null) {
                    ends.merge(metadata.partition(), metadata.offset() + 1, Math::max);
                }
            });
        } catch (KafkaException e) {
            throw notTaken(record.topic(), e);
        }
    }

    @Override
    public Map<Integer, Long> flush() {
        try {
            producer.flush();
        } catch (KafkaException e) {
            throw notTaken(topic, e);
        }
        failOnFailure();
        return Map.copyOf(ends);
    }

    private void failOnFailure() {
        BackfillException failed = failure.get();
        if (failed != null) {
            throw failed;
        }
    }

    private static BackfillException notTaken(String topic, Exception e) {
        return new BackfillException(
                "Kafka does not take what is published to " + topic + " ("
                        + e.getClass().getSimpleName() + ": " + e.getMessage()
                        + "). Run the backfill again when it does: what is published twice counts once",
                e);
    }

    @Override
    public Map<Integer, Long> takenIn() throws IOException {
        Map<Integer, Long> offsets = new HashMap<>();
        reader.committed(groupId).forEach((partition, offset) -> {
            if (partition.topic().equals(topic)) {
                offsets.put(partition.partition(), offset);
            }
        });
        return offsets;
    }

    @Override
    public void contents(EachContent each) throws IOException {
        ContentReading decoder = new ContentReading(
                contentTopic, options.maxRecordBytes().getBytes(), Clock.systemUTC(), options.registry());
        DecodedRecord<ContentChange> decoded = new DecodedRecord<>();
        var unused = reader.read(contentTopic, Map.of(), Map.of(), record -> {
            decoder.decode(record, decoded);
            if (decoded.kind() == DecodedRecord.Kind.VALUE) {
                each.take(decoded.value(), record.key());
            }
        });
    }

    @Override
    public void letters(EachLetter each) throws IOException {
        lettersRead = reader.read(options.deadLettersTopic(), lettersRead, Map.of(), record -> take(record, each));
    }

    private void take(ConsumerRecord<byte[], byte[]> record, EachLetter each) {
        if (record.value() == null) {
            return;
        }
        DeadLetter letter;
        try {
            letter = DeadLetterJson.readHead(record.value());
        } catch (DeadLetterJson.UnreadableLetterException notOurs) {
            return;
        }
        EventId eventId = letter.eventId();
        boolean isNew =
                record.offset() >= begin.getOrDefault(new TopicPartition(record.topic(), record.partition()), 0L);
        if (eventId != null
                && letter.reason() != Reason.UNDELIVERABLE
                && (isNew || letter.reason() == Reason.REJECTED)) {
            each.take(eventId, letter.reason());
        }
    }

    @Override
    public void close() {
        close(producer, reader);
    }

    private static void close(@Nullable KafkaProducer<byte[], byte[]> producer, @Nullable TopicReader reader) {
        if (producer != null) {
            producer.close(CLOSE_TIMEOUT);
        }
        if (reader != null) {
            reader.close();
        }
    }
}
