package dev.engagement.deadletter;

import dev.engagement.connection.KafkaConnection;
import java.nio.charset.StandardCharsets;
import java.util.Properties;
import org.apache.flink.connector.base.DeliveryGuarantee;
import org.apache.flink.connector.kafka.sink.KafkaRecordSerializationSchema;
import org.apache.flink.connector.kafka.sink.KafkaSink;
import org.apache.kafka.clients.producer.ProducerRecord;

/**
 * Dead letters into their topic, keyed by letter id.
 *
 * <p>Guarantee: at least once. A completed checkpoint means that every letter before it is in the topic; a replay may
 * write a letter again under the same id.
 */
public final class DeadLetterSink {

    /** Largest letter: an 8 MiB value in base64, headers and all. */
    public static final int MAX_LETTER_BYTES = 16 * 1024 * 1024;

    private DeadLetterSink() {}

    /** The sink over {@code kafka}. */
    public static KafkaSink<DeadLetter> of(KafkaConnection kafka, DeadLetterOptions options) {
        Properties properties = kafka.clientProperties();
        properties.putIfAbsent("max.request.size", Integer.toString(MAX_LETTER_BYTES));
        properties.putIfAbsent("compression.type", "lz4");
        String topic = options.topic();
        String build = options.build();
        KafkaRecordSerializationSchema<DeadLetter> schema = (letter, context, timestamp) -> new ProducerRecord<>(
                topic, letter.id().getBytes(StandardCharsets.UTF_8), DeadLetterJson.toBytes(letter, build));
        return KafkaSink.<DeadLetter>builder()
                .setKafkaProducerConfig(properties)
                .setRecordSerializer(schema)
                .setDeliveryGuarantee(DeliveryGuarantee.AT_LEAST_ONCE)
                .build();
    }
}
