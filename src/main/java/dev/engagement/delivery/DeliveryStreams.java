package dev.engagement.delivery;

import dev.engagement.connection.KafkaConnection;
import dev.engagement.deadletter.DeadLetterTypes;
import dev.engagement.event.EnrichedEvent;
import java.util.List;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.datastream.SingleOutputStreamOperator;
import org.apache.flink.streaming.api.functions.ProcessFunction;
import org.apache.flink.util.Collector;

/**
 * Delivery as streams: the live path, the retry topic, and the drain behind it.
 *
 * <pre>
 *  unique ──► deliver ──┬─► handed back ──┬─► retry topic ──► drain ──┬─► handed back (to the same topic)
 *                       │                 │                           │
 *  inserted after ──────┼─────────────────┘                           │
 *  snapshot             ├─► receipts ◄────────────────────────────────┤
 *                       └─► UNDELIVERABLE ◄───────────────────────────┘ UNDECODABLE
 * </pre>
 *
 * <p><b>Guarantee.</b> Each event is delivered at least once under one id, or becomes a dead letter, across restarts and
 * rescaling, as long as the retry topic is kept. Nothing here waits for the receiver, so neither does anything beside it.
 */
public final class DeliveryStreams {

    private final DeliveryPlan plan;
    private final KafkaConnection kafka;
    private final Topics topics;

    /**
     * Where delivery reads and writes.
     *
     * @param events named in dead letters
     * @param retry deliveries to be tried again
     * @param receipts what the receiver has, if that is wanted
     */
    public record Topics(String events, String retry, String receipts) {}

    /**
     * The uids of the stages.
     *
     * @param deliver the live path
     * @param insertedAfterSnapshot makes deliveries of inserts that a snapshot had read
     * @param drainSource reads and posts what is in the retry topic
     * @param drain puts apart what comes out of it
     * @param retries writes the retry topic
     * @param receipts writes the receipts topic
     */
    public record Uids(
            String deliver,
            String insertedAfterSnapshot,
            String drainSource,
            String drain,
            String retries,
            String receipts) {}

    /** Delivery as {@code options} say. */
    public DeliveryStreams(DeliveryOptions options, KafkaConnection kafka, Topics topics) {
        this(
                new DeliveryPlan(
                        CourierRules.of(options),
                        AsyncHttpSender.of(options),
                        options.includeSnapshot(),
                        options.receipts(),
                        options.drainRate(),
                        options.retryRetention(),
                        topics.events(),
                        options.url().getScheme() + "://" + options.url().getRawAuthority()),
                kafka,
                topics);
    }

    DeliveryStreams(DeliveryPlan plan, KafkaConnection kafka, Topics topics) {
        this.plan = plan;
        this.kafka = kafka;
        this.topics = topics;
    }

    /**
     * Delivers, and drains.
     *
     * @param unique every event once, chained to what it comes from
     * @param insertedAfterSnapshot inserts of which {@code unique} holds only what a snapshot read; left out when those are
     *     delivered
     * @param groupId under which the drain's offsets are shown in Kafka
     * @param acceptGap whether the drain goes on when the retry topic has lost what comes next
     * @return the stages with dead letters in their side outputs
     */
    public List<SingleOutputStreamOperator<?>> deliver(
            DataStream<EnrichedEvent> unique,
            DataStream<EnrichedEvent> insertedAfterSnapshot,
            String groupId,
            boolean acceptGap,
            Uids uids) {
        SingleOutputStreamOperator<Delivery> live = live(unique, uids);
        SingleOutputStreamOperator<Delivery> drained = unique.getExecutionEnvironment()
                .fromSource(
                        DrainSource.of(topics.retry(), kafka, groupId, acceptGap, plan),
                        WatermarkStrategy.noWatermarks(),
                        "delivery-retry topic",
                        DrainedTypes.DRAINED)
                .uid(uids.drainSource())
                .process(new PutApart(), DeliveryTypes.DELIVERY)
                .uid(uids.drain())
                .name("drain");
        keep(live.union(drained), insertedAfterSnapshot, uids);
        keepReceipts(
                live.getSideOutput(DeliveryTypes.RECEIPTS).union(drained.getSideOutput(DeliveryTypes.RECEIPTS)), uids);
        return List.of(live, drained);
    }

    /**
     * Delivers, and leaves to another job what is handed back: for a run with an end, at which all that is unfinished is.
     *
     * @return the stages with dead letters in their side outputs
     */
    public List<SingleOutputStreamOperator<?>> deliverWithoutDrain(
            DataStream<EnrichedEvent> unique, DataStream<EnrichedEvent> insertedAfterSnapshot, Uids uids) {
        SingleOutputStreamOperator<Delivery> live = live(unique, uids);
        keep(live, insertedAfterSnapshot, uids);
        keepReceipts(live.getSideOutput(DeliveryTypes.RECEIPTS), uids);
        return List.of(live);
    }

    private SingleOutputStreamOperator<Delivery> live(DataStream<EnrichedEvent> unique, Uids uids) {
        return unique.transform("deliver", DeliveryTypes.DELIVERY, new DeliverOperatorFactory(plan))
                .uid(uids.deliver());
    }

    private void keep(DataStream<Delivery> handedBack, DataStream<EnrichedEvent> insertedAfterSnapshot, Uids uids) {
        DataStream<Delivery> all = handedBack;
        if (!plan.includeSnapshot()) {
            all = all.union(insertedAfterSnapshot
                    .process(new FirstDelivery(), DeliveryTypes.DELIVERY)
                    .uid(uids.insertedAfterSnapshot())
                    .name("inserted after snapshot"));
        }
        all.sinkTo(DeliverySinks.retries(kafka, topics.retry()))
                .uid(uids.retries())
                .name("delivery retries");
    }

    private void keepReceipts(DataStream<Receipt> receipts, Uids uids) {
        if (plan.receipts()) {
            receipts.sinkTo(DeliverySinks.receipts(kafka, topics.receipts()))
                    .uid(uids.receipts())
                    .name("delivery receipts");
        }
    }

    /** The deliveries of events that the live path does not get. */
    private static final class FirstDelivery extends ProcessFunction<EnrichedEvent, Delivery> {
        private static final long serialVersionUID = 1L;

        @Override
        public void processElement(EnrichedEvent enriched, Context context, Collector<Delivery> out) {
            out.collect(DeliverOperator.first(enriched, context.timerService().currentProcessingTime()));
        }
    }

    /** What comes out of the drain, by where it goes. */
    private static final class PutApart extends ProcessFunction<Drained, Delivery> {
        private static final long serialVersionUID = 1L;

        @Override
        public void processElement(Drained drained, Context context, Collector<Delivery> out) {
            if (drained instanceof Drained.HandedBack back) {
                out.collect(back.delivery());
            } else if (drained instanceof Drained.Taken taken) {
                context.output(DeliveryTypes.RECEIPTS, taken.receipt());
            } else if (drained instanceof Drained.Given given) {
                context.output(DeadLetterTypes.DEAD_LETTERS, given.letter());
            }
        }
    }
}
