package dev.engagement.connection.topics;

import java.time.Duration;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.Callable;
import java.util.function.BiConsumer;
import org.apache.flink.api.connector.source.ReaderInfo;
import org.apache.flink.api.connector.source.SourceEvent;
import org.apache.flink.api.connector.source.SourceSplit;
import org.apache.flink.api.connector.source.SplitEnumeratorContext;
import org.apache.flink.api.connector.source.SplitsAssignment;
import org.apache.flink.metrics.groups.SplitEnumeratorMetricGroup;
import org.apache.flink.util.FlinkRuntimeException;
import org.apache.kafka.common.Uuid;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Looks for new partitions while the job runs, and whether the topic is still the one that it was.
 *
 * <p>Flink's enumerator of Kafka's partitions ends the job when one look fails, so that an outage of Kafka, in which the
 * readers only wait, would restart it. Here the first look of a run must succeed; one that fails later is said in the log,
 * and the next one makes up for it. A topic that was made anew meanwhile restarts the job: its readers, which know what
 * they have read, then say what is missing.
 *
 * @param <S> a partition
 */
public final class TopicDiscovery<S extends SourceSplit> implements SplitEnumeratorContext<S> {

    private static final Logger LOG = LoggerFactory.getLogger(TopicDiscovery.class);

    /** How often: a new partition is read within a minute, also if a look fails. */
    public static final Duration INTERVAL = Duration.ofSeconds(10);

    /** Each look takes a connection of its own. */
    private static final Duration ID_INTERVAL = Duration.ofMinutes(1);

    private final SplitEnumeratorContext<S> context;
    private final String topic;

    /** Of the coordinator's thread alone, as all of these. */
    private boolean found;

    /** Between a look that found something new and its assignment. */
    private boolean initializing;

    private Uuid firstId = TopicIds.UNKNOWN;

    private TopicDiscovery(SplitEnumeratorContext<S> context, String topic) {
        this.context = context;
        this.topic = topic;
    }

    /** Has a client of Kafka notice new partitions in time; what the user has set stays. */
    public static void configure(Properties properties) {
        properties.putIfAbsent("partition.discovery.interval.ms", Long.toString(INTERVAL.toMillis()));
        // From it the readers know how many partitions there are.
        properties.putIfAbsent("metadata.max.age.ms", Long.toString(INTERVAL.toMillis()));
        // A reader that asks for a topic that was deleted would make it, with the broker's defaults.
        properties.setProperty("allow.auto.create.topics", "false");
    }

    /** The context to make the enumerator of one topic in. */
    public static <S extends SourceSplit> SplitEnumeratorContext<S> in(
            SplitEnumeratorContext<S> context, String topic, TopicIds ids) {
        TopicDiscovery<S> discovery = new TopicDiscovery<>(context, topic);
        context.callAsync(() -> ids.find(topic), discovery::onTopic, 0, ID_INTERVAL.toMillis());
        return discovery;
    }

    private void onTopic(TopicIds.Found is, Throwable failure) {
        if (failure != null) {
            LOG.warn("The id of topic {} could not be looked up; it will be again", topic, failure);
        } else if (firstId.equals(TopicIds.UNKNOWN)) {
            firstId = is.id();
        } else if (is.isOtherThan(firstId)) {
            throw new FlinkRuntimeException(
                    "Topic " + topic + " was deleted and made again while it was read: its id was " + firstId
                            + " and is " + is.id() + " now");
        }
    }

    private <T> BiConsumer<T, Throwable> lenient(BiConsumer<T, Throwable> handler) {
        return (result, failure) -> {
            if (initializing) {
                // It does not know yet of what an earlier look has found, and would have it assigned once more.
                return;
            }
            if (failure != null && found) {
                LOG.warn("New partitions of topic {} could not be looked for; they will be again", topic, failure);
                return;
            }
            handler.accept(result, failure);
            found = true;
        };
    }

    @Override
    public <T> void callAsync(Callable<T> callable, BiConsumer<T, Throwable> handler) {
        initializing = true;
        context.callAsync(callable, (result, failure) -> {
            initializing = false;
            lenient(handler).accept(result, failure);
        });
    }

    @Override
    public <T> void callAsync(
            Callable<T> callable, BiConsumer<T, Throwable> handler, long initialDelayMillis, long periodMillis) {
        context.callAsync(callable, lenient(handler), initialDelayMillis, periodMillis);
    }

    @Override
    public SplitEnumeratorMetricGroup metricGroup() {
        return context.metricGroup();
    }

    @Override
    public void sendEventToSourceReader(int subtask, SourceEvent event) {
        context.sendEventToSourceReader(subtask, event);
    }

    @Override
    public void sendEventToSourceReader(int subtask, int attempt, SourceEvent event) {
        context.sendEventToSourceReader(subtask, attempt, event);
    }

    @Override
    public int currentParallelism() {
        return context.currentParallelism();
    }

    @Override
    public Map<Integer, ReaderInfo> registeredReaders() {
        return context.registeredReaders();
    }

    @Override
    public Map<Integer, Map<Integer, ReaderInfo>> registeredReadersOfAttempts() {
        return context.registeredReadersOfAttempts();
    }

    @Override
    public void assignSplits(SplitsAssignment<S> assignment) {
        context.assignSplits(assignment);
    }

    @Override
    public void assignSplit(S split, int subtask) {
        context.assignSplit(split, subtask);
    }

    @Override
    public void signalNoMoreSplits(int subtask) {
        context.signalNoMoreSplits(subtask);
    }

    @Override
    public void runInCoordinatorThread(Runnable runnable) {
        context.runInCoordinatorThread(runnable);
    }

    @Override
    public void setIsProcessingBacklog(boolean isProcessingBacklog) {
        context.setIsProcessingBacklog(isProcessingBacklog);
    }
}
