package dev.engagement.delivery;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import dev.engagement.connection.KafkaConnection;
import dev.engagement.event.Timestamps;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Properties;
import org.apache.flink.connector.base.DeliveryGuarantee;
import org.apache.flink.connector.kafka.sink.KafkaRecordSerializationSchema;
import org.apache.flink.connector.kafka.sink.KafkaSink;
import org.apache.kafka.clients.producer.ProducerRecord;

/**
 * The two topics of delivery, written at least once: a completed checkpoint means that all before it is in the topic. A
 * replay may write a record again, which is then delivered again under the same id.
 */
final class DeliverySinks {

    private static final JsonFactory FACTORY = new JsonFactory();

    /** Largest request to Kafka: the largest body with its key, headers and framing. */
    private static final int MAX_REQUEST_BYTES = RetryRecord.MAX_BODY_BYTES + 4 * 1024;

    private DeliverySinks() {}

    /** Deliveries into the retry topic. */
    static KafkaSink<Delivery> retries(KafkaConnection kafka, String topic) {
        KafkaRecordSerializationSchema<Delivery> schema =
                (delivery, context, timestamp) -> RetryRecord.of(topic, delivery);
        return sink(kafka, schema);
    }

    /** Receipts into their topic, the newest of each event kept. */
    static KafkaSink<Receipt> receipts(KafkaConnection kafka, String topic) {
        KafkaRecordSerializationSchema<Receipt> schema = (receipt, context, timestamp) -> new ProducerRecord<>(
                topic, receipt.eventId().toString().getBytes(StandardCharsets.US_ASCII), json(receipt));
        return sink(kafka, schema);
    }

    private static <T> KafkaSink<T> sink(KafkaConnection kafka, KafkaRecordSerializationSchema<T> schema) {
        Properties properties = kafka.clientProperties();
        properties.putIfAbsent("max.request.size", Integer.toString(MAX_REQUEST_BYTES));
        properties.putIfAbsent("compression.type", "lz4");
        return KafkaSink.<T>builder()
                .setKafkaProducerConfig(properties)
                .setRecordSerializer(schema)
                .setDeliveryGuarantee(DeliveryGuarantee.AT_LEAST_ONCE)
                .build();
    }

    /** {@code {"event_id":N,"delivered_at":"…Z","status":200}}. */
    static byte[] json(Receipt receipt) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream(96);
        try (JsonGenerator json = FACTORY.createGenerator(bytes)) {
            json.writeStartObject();
            receipt.eventId().write("event_id", json);
            json.writeStringField("delivered_at", Timestamps.format(receipt.deliveredAtMillis() * 1_000));
            json.writeNumberField("status", receipt.status());
            json.writeEndObject();
        } catch (IOException e) {
            throw new UncheckedIOException("Writing JSON into memory failed", e);
        }
        return bytes.toByteArray();
    }
}
