package dev.engagement.backfill;

import dev.engagement.connection.KafkaConnection;
import dev.engagement.deadletter.DeadLetter;
import dev.engagement.deadletter.DeadLetterJson;
import dev.engagement.deadletter.Reason;
import dev.engagement.event.ContentChange;
import dev.engagement.ingest.Arrival;
import dev.engagement.ingest.ContentDecoder;
import dev.engagement.ingest.RecordKey;
import java.time.Clock;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.jspecify.annotations.Nullable;

/**
 * The stream's topics over an idempotent producer: at least once, in the order of publishing for each key. Partitions are
 * chosen by key, as capture's producer does, so that an event or a content lands where its captured record is.
 */
final class KafkaStream implements Stream {

    private static final Duration PATIENCE = Duration.ofSeconds(15);
    private static final Duration POLL = Duration.ofMillis(100);
    private static final int BATCH_BYTES = 128 * 1024;
    private static final int LINGER_MILLIS = 20;
    private static final int RECORD_OVERHEAD_BYTES = 64 * 1024;

    private final BackfillOptions options;
    private final String topic;
    private final String contentTopic;
    private final String groupId;
    private final KafkaProducer<byte[], byte[]> producer;
    private final Admin admin;
    private final KafkaConsumer<byte[], byte[]> deadLetters;
    /** Where the letters of this backfill begin. */
    private final Map<TopicPartition, Long> begin;

    private final Map<Integer, Long> ends = new ConcurrentHashMap<>();
    private final AtomicReference<BackfillException> failure = new AtomicReference<>();

    private KafkaStream(
            BackfillOptions options,
            KafkaProducer<byte[], byte[]> producer,
            Admin admin,
            KafkaConsumer<byte[], byte[]> deadLetters) {
        this.options = options;
        this.topic = options.eventsTopic();
        this.contentTopic = options.contentTopic();
        this.groupId = options.groupId();
        this.producer = producer;
        this.admin = admin;
        this.deadLetters = deadLetters;
        this.begin = deadLetters.endOffsets(fromBeginning(deadLetters, options.deadLettersTopic()));
    }

    static KafkaStream open(BackfillOptions options) {
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
        Admin admin = null;
        KafkaConsumer<byte[], byte[]> deadLetters = null;
        try {
            producer = new KafkaProducer<>(properties, new ByteArraySerializer(), new ByteArraySerializer());
            admin = Admin.create(kafka.clientProperties());
            deadLetters = consumer(options);
            return new KafkaStream(options, producer, admin, deadLetters);
        } catch (KafkaException e) {
            close(producer, admin, deadLetters);
            throw new BackfillException(
                    "Kafka at " + kafka.bootstrapServers() + " does not answer ("
                            + e.getClass().getSimpleName() + ": " + e.getMessage()
                            + "). Check kafka.bootstrap-servers",
                    e);
        }
    }

    private static KafkaConsumer<byte[], byte[]> consumer(BackfillOptions options) {
        Properties properties = options.kafka().clientProperties();
        properties.setProperty("isolation.level", "read_committed");
        properties.setProperty("enable.auto.commit", "false");
        properties.setProperty("auto.offset.reset", "earliest");
        properties.setProperty("allow.auto.create.topics", "false");
        properties.setProperty("default.api.timeout.ms", Long.toString(PATIENCE.toMillis()));
        return new KafkaConsumer<>(properties, new ByteArrayDeserializer(), new ByteArrayDeserializer());
    }

    @Override
    public void publish(long id, byte[] envelope) {
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
    public Map<Integer, Long> takenIn() {
        try {
            Map<Integer, Long> offsets = new HashMap<>();
            admin.listConsumerGroupOffsets(groupId)
                    .partitionsToOffsetAndMetadata()
                    .get(PATIENCE.toMillis(), TimeUnit.MILLISECONDS)
                    .forEach((partition, offset) -> {
                        if (partition.topic().equals(topic) && offset != null) {
                            offsets.put(partition.partition(), offset.offset());
                        }
                    });
            return offsets;
        } catch (ExecutionException | TimeoutException e) {
            Throwable cause = e instanceof ExecutionException && e.getCause() != null ? e.getCause() : e;
            throw new BackfillException(
                    "The offsets of the group " + groupId + " cannot be asked for ("
                            + cause.getClass().getSimpleName() + ": " + cause.getMessage() + ")",
                    cause);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new BackfillException("Interrupted while the stream's offsets were asked for", e);
        }
    }

    @Override
    public void contents(EachContent each) {
        ContentDecoder decoder =
                new ContentDecoder(contentTopic, options.maxRecordBytes().getBytes(), Clock.systemUTC());
        Arrival<ContentChange> arrival = new Arrival<>();
        try (KafkaConsumer<byte[], byte[]> contents = consumer(options)) {
            fromBeginning(contents, contentTopic);
            readToEnd(contents, record -> {
                decoder.decode(record, arrival);
                if (arrival.kind() == Arrival.Kind.VALUE) {
                    each.take(arrival.value(), record.key());
                }
            });
        } catch (KafkaException e) {
            throw notRead(contentTopic, e);
        }
    }

    @Override
    public void letters(EachLetter each) {
        try {
            readToEnd(deadLetters, record -> take(record, each));
        } catch (KafkaException e) {
            throw notRead(options.deadLettersTopic(), e);
        }
    }

    private static List<TopicPartition> fromBeginning(KafkaConsumer<byte[], byte[]> consumer, String topic) {
        List<TopicPartition> partitions = consumer.partitionsFor(topic).stream()
                .map(partition -> new TopicPartition(partition.topic(), partition.partition()))
                .toList();
        consumer.assign(partitions);
        consumer.seekToBeginning(partitions);
        return partitions;
    }

    /** From where it stands to where its partitions end now. */
    private static void readToEnd(
            KafkaConsumer<byte[], byte[]> consumer, Consumer<ConsumerRecord<byte[], byte[]>> each) {
        Map<TopicPartition, Long> ends = consumer.endOffsets(consumer.assignment());
        long until = System.nanoTime() + PATIENCE.toNanos();
        while (ends.entrySet().stream().anyMatch(end -> consumer.position(end.getKey()) < end.getValue())) {
            for (ConsumerRecord<byte[], byte[]> record : consumer.poll(POLL)) {
                until = System.nanoTime() + PATIENCE.toNanos();
                each.accept(record);
            }
            if (System.nanoTime() - until > 0) {
                throw new BackfillException(
                        "Kafka gives no more records for " + PATIENCE.toSeconds()
                                + " s, and has not come to the end of " + ends.keySet(),
                        null);
            }
        }
    }

    private static BackfillException notRead(String topic, KafkaException e) {
        return new BackfillException(
                topic + " cannot be read (" + e.getClass().getSimpleName() + ": " + e.getMessage() + ")", e);
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
        Long eventId = letter.eventId();
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
        close(producer, admin, deadLetters);
    }

    private static void close(
            @Nullable KafkaProducer<byte[], byte[]> producer,
            @Nullable Admin admin,
            @Nullable KafkaConsumer<byte[], byte[]> deadLetters) {
        if (producer != null) {
            producer.close(PATIENCE);
        }
        if (admin != null) {
            admin.close(PATIENCE);
        }
        if (deadLetters != null) {
            deadLetters.close(PATIENCE);
        }
    }
}
