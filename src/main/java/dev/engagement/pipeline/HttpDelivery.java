package dev.engagement.pipeline;

import dev.engagement.connection.KafkaConnection;
import dev.engagement.delivery.DeliveryOptions;
import dev.engagement.delivery.DeliveryStreams;
import dev.engagement.event.EnrichedEvent;
import java.util.List;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.datastream.SingleOutputStreamOperator;

/** Delivery to an HTTP receiver, with the retry topic and its drain. */
public final class HttpDelivery implements Destinations.Delivery {

    private final DeliveryStreams streams;
    private final String groupId;
    private final boolean acceptGap;

    /**
     * Delivery at {@code options}.
     *
     * @param groupId under which the drain's offsets are shown in Kafka
     * @param acceptGap whether the drain goes on when the retry topic has lost what comes next
     */
    public HttpDelivery(
            DeliveryOptions options,
            KafkaConnection kafka,
            DeliveryStreams.Topics topics,
            String groupId,
            boolean acceptGap) {
        this.streams = new DeliveryStreams(options, kafka, topics);
        this.groupId = groupId;
        this.acceptGap = acceptGap;
    }

    @Override
    public List<SingleOutputStreamOperator<?>> post(
            DataStream<EnrichedEvent> unique, DataStream<EnrichedEvent> insertedAfterSnapshot) {
        return streams.deliver(unique, insertedAfterSnapshot, groupId, acceptGap, OperatorIds.DELIVERY);
    }
}
