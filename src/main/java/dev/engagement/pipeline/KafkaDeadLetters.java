package dev.engagement.pipeline;

import dev.engagement.connection.KafkaConnection;
import dev.engagement.deadletter.DeadLetter;
import dev.engagement.deadletter.DeadLetterOptions;
import dev.engagement.deadletter.DeadLetterSink;
import dev.engagement.deadletter.DeadLetterTypes;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.datastream.SingleOutputStreamOperator;

/** Dead letters in their Kafka topic. */
public final class KafkaDeadLetters implements Destinations.DeadLetters {

    private final KafkaConnection kafka;
    private final DeadLetterOptions options;

    /** Letters into the topic of {@code options}. */
    public KafkaDeadLetters(KafkaConnection kafka, DeadLetterOptions options) {
        this.kafka = kafka;
        this.options = options;
    }

    @Override
    public void keep(SingleOutputStreamOperator<?>... stages) {
        DataStream<DeadLetter> letters = stages[0].getSideOutput(DeadLetterTypes.DEAD_LETTERS);
        for (int i = 1; i < stages.length; i++) {
            letters = letters.union(stages[i].getSideOutput(DeadLetterTypes.DEAD_LETTERS));
        }
        keep(letters);
    }

    /** Keeps letters that come as a stream of their own. */
    public void keep(DataStream<DeadLetter> letters) {
        letters.sinkTo(DeadLetterSink.of(kafka, options))
                .uid(OperatorIds.DEAD_LETTERS)
                .name("dead letters");
    }
}
