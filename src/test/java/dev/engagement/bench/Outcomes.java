package dev.engagement.bench;

import java.util.List;
import java.util.Properties;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.metrics.Counter;
import org.apache.flink.metrics.Metric;
import org.apache.flink.metrics.MetricConfig;
import org.apache.flink.metrics.MetricGroup;
import org.apache.flink.metrics.reporter.MetricReporter;
import org.apache.flink.metrics.reporter.MetricReporterFactory;

/** How many events have left delivery, by its metrics: with the receiver, as letters, or into the retry topic. */
public final class Outcomes implements MetricReporter {

    private static final Set<String> NAMES = Set.of("delivered", "diverted", "undeliverable");
    private static final List<Counter> COUNTERS = new CopyOnWriteArrayList<>();

    /** The configuration with which a cluster of this process tells of it, and of what is in flight. */
    static final Configuration REPORTED = new Configuration(InFlight.REPORTED);

    static {
        REPORTED.setString("metrics.reporter.outcomes.factory.class", Factory.class.getName());
    }

    /** All of them, of the job that runs. */
    static long count() {
        long sum = 0;
        for (Counter counter : COUNTERS) {
            sum += counter.getCount();
        }
        return sum;
    }

    @Override
    public void open(MetricConfig config) {}

    @Override
    public void notifyOfAddedMetric(Metric metric, String name, MetricGroup group) {
        if (NAMES.contains(name) && metric instanceof Counter counter) {
            COUNTERS.add(counter);
        }
    }

    @Override
    public void notifyOfRemovedMetric(Metric metric, String name, MetricGroup group) {
        COUNTERS.remove(metric);
    }

    @Override
    public void close() {
        COUNTERS.clear();
    }

    /** Found by Flink. */
    public static final class Factory implements MetricReporterFactory {

        @Override
        public MetricReporter createMetricReporter(Properties properties) {
            return new Outcomes();
        }
    }
}
