package dev.engagement.delivery;

import dev.engagement.deadletter.DeadLetter;
import dev.engagement.deadletter.Reason;
import java.util.ArrayList;
import java.util.List;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.connector.kafka.source.reader.deserializer.KafkaRecordDeserializationSchema;
import org.apache.flink.util.Collector;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.header.Header;

/** What one record of the retry topic turned out to be. Never leaves the reader. */
sealed interface RetryTopicEntry {

    /** A delivery, from a partition. */
    record Good(Delivery delivery, int partition) implements RetryTopicEntry {}

    /** A record that is no delivery. */
    record Bad(DeadLetter letter) implements RetryTopicEntry {}

    /** Reads records for the drain's reader. */
    final class Reading implements KafkaRecordDeserializationSchema<RetryTopicEntry> {

        private static final long serialVersionUID = 1L;

        @Override
        public void deserialize(ConsumerRecord<byte[], byte[]> record, Collector<RetryTopicEntry> out) {
            out.collect(read(record, System.currentTimeMillis()));
        }

        static RetryTopicEntry read(ConsumerRecord<byte[], byte[]> record, long nowMillis) {
            try {
                return new Good(
                        RetryRecord.read(record.key(), record.value(), record.headers(), record.timestamp()),
                        record.partition());
            } catch (RetryRecord.UnreadableException e) {
                List<DeadLetter.Header> headers = new ArrayList<>();
                for (Header header : record.headers()) {
                    headers.add(new DeadLetter.Header(header.key(), header.value()));
                }
                return new Bad(DeadLetter.of(
                        Reason.UNDECODABLE,
                        DeliveryLetters.DRAIN,
                        String.valueOf(e.getMessage()),
                        nowMillis,
                        new DeadLetter.Source(record.topic(), record.partition(), record.offset(), record.timestamp()),
                        null,
                        record.value(),
                        headers));
            }
        }

        @Override
        public TypeInformation<RetryTopicEntry> getProducedType() {
            throw new UnsupportedOperationException("Entries never leave the reader");
        }
    }
}
