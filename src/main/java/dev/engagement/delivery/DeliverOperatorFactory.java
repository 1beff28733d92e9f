package dev.engagement.delivery;

import dev.engagement.event.EnrichedEvent;
import org.apache.flink.streaming.api.operators.AbstractStreamOperatorFactory;
import org.apache.flink.streaming.api.operators.ChainingStrategy;
import org.apache.flink.streaming.api.operators.OneInputStreamOperatorFactory;
import org.apache.flink.streaming.api.operators.StreamOperator;
import org.apache.flink.streaming.api.operators.StreamOperatorParameters;

/** Makes a {@link DeliverOperator} where it runs. */
final class DeliverOperatorFactory extends AbstractStreamOperatorFactory<Delivery>
        implements OneInputStreamOperatorFactory<EnrichedEvent, Delivery> {

    private static final long serialVersionUID = 1L;

    private final DeliveryPlan plan;

    DeliverOperatorFactory(DeliveryPlan plan) {
        this.plan = plan;
        chainingStrategy = ChainingStrategy.ALWAYS;
    }

    @Override
    @SuppressWarnings("unchecked") // the caller asks for the operator of getStreamOperatorClass
    public <O extends StreamOperator<Delivery>> O createStreamOperator(StreamOperatorParameters<Delivery> parameters) {
        DeliverOperator operator = new DeliverOperator(plan, parameters.getMailboxExecutor());
        operator.setup(parameters.getContainingTask(), parameters.getStreamConfig(), parameters.getOutput());
        operator.setProcessingTimeService(parameters.getProcessingTimeService());
        return (O) operator;
    }

    @Override
    @SuppressWarnings("rawtypes") // Flink's signature
    public Class<? extends StreamOperator> getStreamOperatorClass(ClassLoader classLoader) {
        return DeliverOperator.class;
    }
}
