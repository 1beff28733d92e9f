package dev.engagement.backfill;

import dev.engagement.connection.KafkaConnection;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/**
 * The events topic over an idempotent producer: at least once, in the order of publishing for each key. Partitions are
 * chosen by key, as capture's producer does, so that an event lands where its captured record is.
 */
final class KafkaStream implements Stream {

    private static final Duration PATIENCE = Duration.ofSeconds(15);
    private static final int BATCH_BYTES = 128 * 1024;
    private static final int LINGER_MILLIS = 20;
    private static final int RECORD_OVERHEAD_BYTES = 64 * 1024;

    private final String topic;
    private final String groupId;
    private final KafkaProducer<byte[], byte[]> producer;
    private final Admin admin;
    private final Map<Integer, Long> ends = new ConcurrentHashMap<>();
    private final AtomicReference<Exception> failure = new AtomicReference<>();

    private KafkaStream(String topic, String groupId, KafkaProducer<byte[], byte[]> producer, Admin admin) {
        this.topic = topic;
        this.groupId = groupId;
        this.producer = producer;
        this.admin = admin;
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
        Admin admin = Admin.create(kafka.clientProperties());
        try {
            return new KafkaStream(
                    options.eventsTopic(),
                    options.groupId(),
                    new KafkaProducer<>(properties, new ByteArraySerializer(), new ByteArraySerializer()),
                    admin);
        } catch (RuntimeException e) {
            admin.close();
            throw e;
        }
    }

    @Override
    public void publish(long id, byte[] envelope) {
        failOnFailure();
        try {
            var unused =
                    producer.send(new ProducerRecord<>(topic, RowJson.key(id), envelope), (metadata, exception) -> {
                        if (exception != null) {
                            failure.compareAndSet(null, exception);
                        } else {
                            ends.merge(metadata.partition(), metadata.offset() + 1, Math::max);
                        }
                    });
        } catch (KafkaException e) {
            throw notTaken(e);
        }
    }

    @Override
    public Map<Integer, Long> flush() {
        try {
            producer.flush();
        } catch (KafkaException e) {
            throw notTaken(e);
        }
        failOnFailure();
        return Map.copyOf(ends);
    }

    private void failOnFailure() {
        Exception failed = failure.get();
        if (failed != null) {
            throw notTaken(failed);
        }
    }

    private BackfillException notTaken(Exception e) {
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
    public void close() {
        producer.close(PATIENCE);
        admin.close(PATIENCE);
    }
}
