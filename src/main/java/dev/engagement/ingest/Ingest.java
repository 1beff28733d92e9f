package dev.engagement.ingest;

import dev.engagement.deadletter.DeadLetterTypes;
import dev.engagement.event.ContentChange;
import dev.engagement.event.EngagementEvent;
import dev.engagement.event.Timestamps;
import dev.engagement.event.types.EventTypes;
import java.time.Clock;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.metrics.Counter;
import org.apache.flink.metrics.MetricGroup;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.datastream.SingleOutputStreamOperator;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.functions.ProcessFunction;
import org.apache.flink.util.Collector;

/**
 * The first stage: what the two topics hold, decoded, with dead letters aside.
 *
 * <p>read = accepted + ignored + dead letters, for each topic and at all times: the metrics {@code accepted},
 * {@code ignored} and {@code deadLetters} of the decode operators count every record exactly once.
 */
public final class Ingest {

    private Ingest() {}

    /** The events topic. */
    public static DataStream<DecodedRecord<EngagementEvent>> events(
            StreamExecutionEnvironment env, IngestOptions options, boolean bounded, String uid) {
        long maxBytes = options.maxRecordBytes().getBytes();
        String topic = options.eventsTopic();
        EventRules rules = options.rules();
        TopicSource<EngagementEvent> source = TopicSource.of(
                topic,
                options,
                format -> EventDecoders.of(format, topic, maxBytes, rules, Clock.systemUTC()),
                DecodedRecordTypes.EVENTS,
                bounded);
        return env.fromSource(
                        source, EventTime.ofEvents(options.eventTime()), "events topic", DecodedRecordTypes.EVENTS)
                .uid(uid);
    }

    /** The content topic. */
    public static DataStream<DecodedRecord<ContentChange>> contentChanges(
            StreamExecutionEnvironment env, IngestOptions options, boolean bounded, String uid) {
        long maxBytes = options.maxRecordBytes().getBytes();
        String topic = options.contentTopic();
        TopicSource<ContentChange> source = TopicSource.of(
                topic,
                options,
                format -> new ContentDecoder(topic, maxBytes, Clock.systemUTC(), format),
                DecodedRecordTypes.CONTENT,
                bounded);
        return env.fromSource(source, EventTime.ofContent(), "content topic", DecodedRecordTypes.CONTENT)
                .uid(uid);
    }

    /** The good events; UNDECODABLE, INVALID and OVERSIZE in the side output. */
    public static SingleOutputStreamOperator<EngagementEvent> decode(
            DataStream<DecodedRecord<EngagementEvent>> records, EventTimeOptions eventTime) {
        return records.process(new DecodeEvents(eventTime.maxClockSkew().toMillis()), EventTypes.EVENT);
    }

    /** The content changes and the marks of the topic's end; dead letters in the side output. */
    public static SingleOutputStreamOperator<ContentChange> decodeContent(
            DataStream<DecodedRecord<ContentChange>> records) {
        return records.process(new DecodeContent(), EventTypes.CONTENT_CHANGE);
    }

    private abstract static class Decode<T> extends ProcessFunction<DecodedRecord<T>, T> {
        private static final long serialVersionUID = 1L;

        private transient Counter accepted;
        private transient Counter ignored;
        private transient Counter deadLetters;

        @Override
        public void open(Configuration configuration) {
            MetricGroup metrics = getRuntimeContext().getMetricGroup();
            accepted = metrics.counter("accepted");
            ignored = metrics.counter("ignored");
            deadLetters = metrics.counter("deadLetters");
        }

        @Override
        public void processElement(DecodedRecord<T> decoded, Context context, Collector<T> out) {
            switch (decoded.kind()) {
                case VALUE -> {
                    accepted.inc();
                    onValue(decoded);
                    out.collect(decoded.value());
                }
                case IGNORED -> ignored.inc();
                case LETTER -> {
                    deadLetters.inc();
                    context.output(DeadLetterTypes.DEAD_LETTERS, decoded.letter());
                }
                case READ_TO_END -> onReadToEnd(decoded, out);
            }
        }

        void onValue(DecodedRecord<T> decoded) {}

        void onReadToEnd(DecodedRecord<T> decoded, Collector<T> out) {}
    }

    private static final class DecodeEvents extends Decode<EngagementEvent> {
        private static final long serialVersionUID = 1L;

        private final long maxClockSkewMillis;
        private transient Counter futureDated;

        DecodeEvents(long maxClockSkewMillis) {
            this.maxClockSkewMillis = maxClockSkewMillis;
        }

        @Override
        public void open(Configuration configuration) {
            super.open(configuration);
            futureDated = getRuntimeContext().getMetricGroup().counter("futureDated");
        }

        @Override
        void onValue(DecodedRecord<EngagementEvent> decoded) {
            if (Timestamps.isAhead(
                    decoded.value().eventTsMicros(), decoded.kafkaTimestampMillis(), maxClockSkewMillis)) {
                futureDated.inc();
            }
        }
    }

    private static final class DecodeContent extends Decode<ContentChange> {
        private static final long serialVersionUID = 1L;

        private transient Counter publishTsDropped;

        @Override
        public void open(Configuration configuration) {
            super.open(configuration);
            publishTsDropped = getRuntimeContext().getMetricGroup().counter("publishTsDropped");
        }

        @Override
        void onValue(DecodedRecord<ContentChange> decoded) {
            if (decoded.publishTsDropped()) {
                publishTsDropped.inc();
            }
        }

        @Override
        void onReadToEnd(DecodedRecord<ContentChange> decoded, Collector<ContentChange> out) {
            out.collect(new ContentChange.ReadToEnd(decoded.partition(), decoded.partitions()));
        }
    }
}
