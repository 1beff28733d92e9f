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
 * write a letter again under the same id. A letter that the producer would not take goes without its payload and headers,
 * which are still at its source, and says so.
 */
public final class DeadLetterSink {

    /** Largest letter: an 8 MiB value in base64, headers and all. */
    public static final int MAX_LETTER_BYTES = 16 * 1024 * 1024;

    /** Key and framing. */
    private static final int RECORD_OVERHEAD_BYTES = 512;

    private DeadLetterSink() {}

    /** The sink over {@code kafka}. */
    public static KafkaSink<DeadLetter> of(KafkaConnection kafka, DeadLetterOptions options) {
        Properties properties = kafka.clientProperties();
        properties.putIfAbsent("max.request.size", Integer.toString(MAX_LETTER_BYTES));
        properties.putIfAbsent("compression.type", "lz4");
        String topic = options.topic();
        String build = options.build();
        int limit = limit(properties);
        KafkaRecordSerializationSchema<DeadLetter> schema = (letter, context, timestamp) -> new ProducerRecord<>(
                topic, letter.id().getBytes(StandardCharsets.UTF_8), fitting(letter, build, limit));
        return KafkaSink.<DeadLetter>builder()
                .setKafkaProducerConfig(properties)
                .setRecordSerializer(schema)
                .setDeliveryGuarantee(DeliveryGuarantee.AT_LEAST_ONCE)
                .build();
    }

    /** How large a letter may be that the producer takes. */
    static int limit(Properties producer) {
        String said = producer.getProperty("max.request.size", "");
        return (said.matches("\\d{1,9}") ? Integer.parseInt(said) : MAX_LETTER_BYTES) - RECORD_OVERHEAD_BYTES;
    }

    /** The letter as bytes, without payload and headers if they make it larger than {@code limit}. */
    static byte[] fitting(DeadLetter letter, String build, int limit) {
        byte[] payload = letter.payload();
        if (payload == null || payload.length <= limit) {
            byte[] whole = DeadLetterJson.toBytes(letter, build);
            if (whole.length <= limit) {
                return whole;
            }
        }
        return DeadLetterJson.toBytes(letter.withoutContents(), build);
    }
}
