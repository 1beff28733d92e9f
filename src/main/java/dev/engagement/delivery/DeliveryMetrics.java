package dev.engagement.delivery;

import java.util.EnumMap;
import java.util.Map;
import org.apache.flink.metrics.Counter;
import org.apache.flink.metrics.Gauge;
import org.apache.flink.metrics.Histogram;
import org.apache.flink.metrics.MetricGroup;
import org.apache.flink.runtime.metrics.DescriptiveStatisticsHistogram;

/** What one subtask of a path tells of itself. Updated on the task thread. */
final class DeliveryMetrics {

    private static final int HISTOGRAM_VALUES = 1_024;

    /** Events that the receiver has taken. */
    final Counter delivered;
    /** Attempts that are to be repeated. */
    final Counter retried;
    /** Events handed back to the retry topic. */
    final Counter diverted;
    /** Events that became dead letters. */
    final Counter undeliverable;
    /** Attempts without an answer, by why. */
    private final Map<NoAnswer, Counter> unanswered = new EnumMap<>(NoAnswer.class);

    /** From a request to its answer, or to when none was waited for any more. */
    final Histogram postMillis;
    /** From the commit in the source to the receiver's answer, of events that say when they were committed. */
    final Histogram commitToDeliveredMillis;

    private volatile int circuitState;
    private volatile int inFlight;
    private volatile int waiting;
    private volatile long bytes;

    DeliveryMetrics(MetricGroup group) {
        delivered = group.counter("delivered");
        retried = group.counter("retried");
        diverted = group.counter("diverted");
        undeliverable = group.counter("undeliverable");
        for (NoAnswer kind : NoAnswer.values()) {
            unanswered.put(kind, group.addGroup("kind", kind.text()).counter("unanswered"));
        }
        postMillis = group.histogram("postMillis", new DescriptiveStatisticsHistogram(HISTOGRAM_VALUES));
        commitToDeliveredMillis =
                group.histogram("commitToDeliveredMillis", new DescriptiveStatisticsHistogram(HISTOGRAM_VALUES));
        Gauge<Integer> circuit = () -> circuitState;
        Gauge<Integer> onTheirWay = () -> inFlight;
        Gauge<Integer> forLater = () -> waiting;
        group.gauge("circuitState", circuit);
        group.gauge("inFlight", onTheirWay);
        group.gauge("waiting", forLater);
        Gauge<Long> held = () -> bytes;
        group.gauge("inFlightBytes", held);
    }

    /** Counts an attempt without an answer. */
    void unanswered(NoAnswer kind) {
        unanswered.get(kind).inc();
    }

    /** Shows the circuit, the requests on their way, those that wait for a place or for their time, and the size of all. */
    void show(Breaker.State circuit, int requestsInFlight, int requestsWaiting, long bytesHeld) {
        circuitState = circuit.number;
        inFlight = requestsInFlight;
        waiting = requestsWaiting;
        bytes = bytesHeld;
    }
}
