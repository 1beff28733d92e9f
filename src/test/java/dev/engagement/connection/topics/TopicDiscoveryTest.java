package dev.engagement.connection.topics;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.Callable;
import java.util.function.BiConsumer;
import org.apache.flink.api.connector.source.ReaderInfo;
import org.apache.flink.api.connector.source.SourceEvent;
import org.apache.flink.api.connector.source.SplitEnumeratorContext;
import org.apache.flink.api.connector.source.SplitsAssignment;
import org.apache.flink.connector.kafka.source.split.KafkaPartitionSplit;
import org.apache.flink.metrics.groups.SplitEnumeratorMetricGroup;
import org.apache.kafka.common.Uuid;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** What becomes of a look at the topic, of which the test says when it is made and what it finds. */
class TopicDiscoveryTest {

    private final Coordinator coordinator = new Coordinator();
    private @Nullable Uuid id = Uuid.randomUuid();
    private final SplitEnumeratorContext<KafkaPartitionSplit> context =
            TopicDiscovery.in(coordinator, "events", topic -> {
                if (id == null) {
                    throw new IllegalStateException("nobody answers");
                }
                return new TopicIds.Found(id, 16);
            });

    private final List<Integer> found = new ArrayList<>();
    private boolean fails;

    @Test
    void the_first_look_for_partitions_has_to_succeed() {
        lookForPartitions();
        fails = true;

        assertThatThrownBy(coordinator::look).hasStackTraceContaining("no broker");
    }

    /** Readers wait through an outage of Kafka; Flink's own enumerator would end the job. */
    @Test
    void a_later_look_may_fail_and_the_next_makes_up_for_it() {
        lookForPartitions();
        coordinator.look();
        fails = true;
        coordinator.look();
        fails = false;
        coordinator.look();

        assertThat(found).containsExactly(16, 16);
    }

    @Test
    void a_topic_made_anew_while_it_is_read_restarts_the_job() {
        coordinator.look();
        Uuid was = id;
        id = null;
        coordinator.look();
        id = was;
        coordinator.look();
        id = Uuid.randomUuid();

        assertThatThrownBy(coordinator::look)
                .hasMessageContaining("Topic events was deleted and made again while it was read: its id was " + was
                        + " and is " + id + " now");
    }

    @Test
    void an_id_that_cannot_be_had_is_no_other_topic() {
        coordinator.look();
        id = TopicIds.UNKNOWN;

        coordinator.look();
    }

    @Test
    void what_the_user_has_set_stays() {
        Properties properties = new Properties();
        properties.setProperty("partition.discovery.interval.ms", "30000");
        TopicDiscovery.configure(properties);

        assertThat(properties)
                .containsEntry("partition.discovery.interval.ms", "30000")
                .containsEntry("metadata.max.age.ms", "10000");
    }

    private void lookForPartitions() {
        context.callAsync(
                () -> {
                    if (fails) {
                        throw new IllegalStateException("no broker");
                    }
                    return 16;
                },
                (partitions, failure) -> {
                    if (failure != null) {
                        throw new IllegalStateException(failure);
                    }
                    found.add(partitions);
                },
                0,
                10);
    }

    /** Makes each look that it was asked for when the test says so. */
    private static final class Coordinator implements SplitEnumeratorContext<KafkaPartitionSplit> {

        private final List<Runnable> looks = new ArrayList<>();

        void look() {
            looks.forEach(Runnable::run);
        }

        @Override
        public <T> void callAsync(
                Callable<T> callable, BiConsumer<T, Throwable> handler, long initialDelayMillis, long periodMillis) {
            looks.add(() -> {
                T result;
                try {
                    result = callable.call();
                } catch (Exception e) {
                    handler.accept(null, e);
                    return;
                }
                handler.accept(result, null);
            });
        }

        @Override
        public <T> void callAsync(Callable<T> callable, BiConsumer<T, Throwable> handler) {
            callAsync(callable, handler, 0, 0);
        }

        @Override
        public SplitEnumeratorMetricGroup metricGroup() {
            throw new UnsupportedOperationException();
        }

        @Override
        public void sendEventToSourceReader(int subtask, SourceEvent event) {
            throw new UnsupportedOperationException();
        }

        @Override
        public int currentParallelism() {
            return 1;
        }

        @Override
        public Map<Integer, ReaderInfo> registeredReaders() {
            return Map.of();
        }

        @Override
        public void assignSplits(SplitsAssignment<KafkaPartitionSplit> assignment) {
            throw new UnsupportedOperationException();
        }

        @Override
        public void signalNoMoreSplits(int subtask) {
            throw new UnsupportedOperationException();
        }

        @Override
        public void runInCoordinatorThread(Runnable runnable) {
            runnable.run();
        }
    }
}
