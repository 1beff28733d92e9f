package dev.engagement.deadletter;

import dev.engagement.connection.KafkaConnection;
import java.nio.charset.StandardCharsets;
import java.util.EnumMap;
import java.util.Map;
import java.util.Properties;
import org.apache.flink.api.common.serialization.SerializationSchema;
import org.apache.flink.connector.base.DeliveryGuarantee;
import org.apache.flink.connector.kafka.sink.KafkaRecordSerializationSchema;
import org.apache.flink.connector.kafka.sink.KafkaSink;
import org.apache.flink.metrics.Counter;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.jspecify.annotations.Nullable;

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
        return KafkaSink.<DeadLetter>builder()
                .setKafkaProducerConfig(properties)
                .setRecordSerializer(new LetterSchema(options, limit(properties)))
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

    /** Letters as records, counted by reason: the metric {@code letters}, with a label for each. */
    static final class LetterSchema implements KafkaRecordSerializationSchema<DeadLetter> {

        private static final long serialVersionUID = 1L;

        private final DeadLetterOptions options;
        private final int limit;
        private transient @Nullable Map<Reason, Counter> letters;

        LetterSchema(DeadLetterOptions options, int limit) {
            this.options = options;
            this.limit = limit;
        }

        /** All reasons at once, so that a rate has a zero to begin at. */
        @Override
        public void open(SerializationSchema.InitializationContext context, KafkaSinkContext sink) {
            Map<Reason, Counter> counters = new EnumMap<>(Reason.class);
            for (Reason reason : Reason.values()) {
                counters.put(
                        reason,
                        context.getMetricGroup()
                                .addGroup("reason", reason.name())
                                .counter("letters"));
            }
            letters = counters;
        }

        @Override
        public ProducerRecord<byte[], byte[]> serialize(
                DeadLetter letter, KafkaSinkContext context, @Nullable Long timestamp) {
            Map<Reason, Counter> counters = letters;
            if (counters != null) {
                counters.get(letter.reason()).inc();
            }
            return new ProducerRecord<>(
                    options.topic(),
                    letter.id().getBytes(StandardCharsets.UTF_8),
                    fitting(letter, options.build(), limit));
        }
    }
}
