package dev.engagement.capture;

import dev.engagement.connection.KafkaConnection;
import dev.engagement.deadletter.DeadLetter;
import dev.engagement.deadletter.DeadLetterTypes;
import java.util.Properties;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.connector.base.DeliveryGuarantee;
import org.apache.flink.connector.kafka.sink.KafkaRecordSerializationSchema;
import org.apache.flink.connector.kafka.sink.KafkaSink;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.datastream.SingleOutputStreamOperator;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.kafka.clients.producer.ProducerRecord;

/**
 * Capture: rows of the two tables from PostgreSQL into their topics, whether it reads the tables or an outbox.
 *
 * <p>Guarantee: at least once. A completed checkpoint means that every row committed before its position is in Kafka; a
 * restart repeats the rows since, in order, and changes of one row keep their order. The replication slot is confirmed
 * up to the checkpoint only, so PostgreSQL keeps what a restart needs.
 *
 * <p>Parallelism: the snapshot is read by all subtasks, changes by one, as a slot has one reader; more than 1 pays only
 * for the first start on large tables.
 */
public final class CaptureJob {

    /** What a record takes beside its value: key, headers, framing. */
    private static final long RECORD_OVERHEAD_BYTES = 64 * 1024;

    private static final String LINGER_MILLIS = "2";
    private static final String BATCH_BYTES = Integer.toString(128 * 1024);

    private CaptureJob() {}

    /**
     * Adds capture to {@code env}. Connects nowhere; see {@link CapturePreflight}. Both topics must exist.
     *
     * @return the letters of oversize rows, for the caller to keep
     */
    public static DataStream<DeadLetter> wire(
            StreamExecutionEnvironment env, CaptureOptions options, KafkaConnection kafka) {
        SingleOutputStreamOperator<Captured.Row> rows = env.fromSource(
                        new CaptureSource(options, kafka),
                        WatermarkStrategy.noWatermarks(),
                        "PostgreSQL",
                        CapturedTypes.CAPTURED)
                .uid(CaptureOperatorIds.POSTGRES_SOURCE)
                .name("PostgreSQL changes")
                .process(new OversizeSplit(options.maxRowBytes()))
                .returns(CapturedTypes.ROW)
                .uid(CaptureOperatorIds.OVERSIZE_SPLIT)
                .name("oversize rows");
        rows.sinkTo(sink(options, kafka)).uid(CaptureOperatorIds.KAFKA_SINK).name("Kafka topics");
        return rows.getSideOutput(DeadLetterTypes.DEAD_LETTERS);
    }

    private static KafkaSink<Captured.Row> sink(CaptureOptions options, KafkaConnection kafka) {
        return KafkaSink.<Captured.Row>builder()
                .setKafkaProducerConfig(producer(options, kafka))
                .setRecordSerializer(toTopics(options.eventsTopic(), options.contentTopic()))
                .setDeliveryGuarantee(DeliveryGuarantee.AT_LEAST_ONCE)
                .build();
    }

    static Properties producer(CaptureOptions options, KafkaConnection kafka) {
        Properties properties = kafka.clientProperties();
        properties.putIfAbsent("acks", "all");
        properties.putIfAbsent("linger.ms", LINGER_MILLIS);
        properties.putIfAbsent("batch.size", BATCH_BYTES);
        properties.putIfAbsent("compression.type", "lz4");
        // A row that is not oversize must fit: the producer's own limit would fail the job on it for ever.
        long largest = Math.min(Integer.MAX_VALUE, options.maxRowBytes().getBytes() + RECORD_OVERHEAD_BYTES);
        properties.putIfAbsent("max.request.size", Long.toString(Math.max(1024 * 1024, largest)));
        properties.putIfAbsent("buffer.memory", Long.toString(Math.max(32 * 1024 * 1024, 4 * largest)));
        return properties;
    }

    /** No partition and no timestamp: Kafka spreads by key and stamps the time of creation. */
    static KafkaRecordSerializationSchema<Captured.Row> toTopics(String eventsTopic, String contentTopic) {
        return (row, context, timestamp) -> new ProducerRecord<>(
                row.table() == CapturedTable.EVENTS ? eventsTopic : contentTopic, row.key(), row.value());
    }
}
