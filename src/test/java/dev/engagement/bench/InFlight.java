package dev.engagement.bench;

import java.time.Duration;
import java.util.List;
import java.util.Properties;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.metrics.Gauge;
import org.apache.flink.metrics.Metric;
import org.apache.flink.metrics.MetricConfig;
import org.apache.flink.metrics.MetricGroup;
import org.apache.flink.metrics.reporter.MetricReporter;
import org.apache.flink.metrics.reporter.MetricReporterFactory;

/** The most that a writer of the warehouse or a subtask of delivery held, by its metric, which is read each millisecond. */
public final class InFlight implements MetricReporter {

    /** The configuration with which a cluster of this process tells of it. */
    static final Configuration REPORTED = new Configuration();

    private static final Duration PAUSE = Duration.ofMillis(1);
    private static final List<Gauge<?>> WRITERS = new CopyOnWriteArrayList<>();
    private static final AtomicLong PEAK = new AtomicLong();

    static {
        REPORTED.setString("metrics.reporter.peak.factory.class", Factory.class.getName());
    }

    static void forget() {
        PEAK.set(0);
    }

    static long peak() {
        return PEAK.get();
    }

    @Override
    public void open(MetricConfig config) {
        Thread reader = new Thread(
                () -> {
                    while (true) {
                        for (Gauge<?> writer : WRITERS) {
                            PEAK.accumulateAndGet(((Number) writer.getValue()).longValue(), Math::max);
                        }
                        LockSupport.parkNanos(PAUSE.toNanos());
                    }
                },
                "peak in flight");
        reader.setDaemon(true);
        reader.start();
    }

    @Override
    public void notifyOfAddedMetric(Metric metric, String name, MetricGroup group) {
        if (name.equals("inFlightBytes") && metric instanceof Gauge<?> writer) {
            WRITERS.add(writer);
        }
    }

    @Override
    public void notifyOfRemovedMetric(Metric metric, String name, MetricGroup group) {
        WRITERS.remove(metric);
    }

    @Override
    public void close() {
        WRITERS.clear();
    }

    /** Found by Flink. */
    public static final class Factory implements MetricReporterFactory {

        @Override
        public MetricReporter createMetricReporter(Properties properties) {
            return new InFlight();
        }
    }
}
