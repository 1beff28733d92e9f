package dev.engagement.connection;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.engagement.connection.KafkaTopics.Topic;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.stream.IntStream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.CreateTopicsResult;
import org.apache.kafka.clients.admin.DescribeTopicsResult;
import org.apache.kafka.clients.admin.ListOffsetsResult;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.common.KafkaFuture;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.TopicPartitionInfo;
import org.apache.kafka.common.errors.LeaderNotAvailableException;
import org.apache.kafka.common.errors.TopicAuthorizationException;
import org.apache.kafka.common.errors.TopicExistsException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.apache.kafka.common.internals.KafkaFutureImpl;
import org.junit.jupiter.api.Test;

class KafkaTopicsTest {

    private final ScriptedBroker broker = new ScriptedBroker();
    private final List<Duration> pauses = new ArrayList<>();

    @Test
    void a_deleted_content_stays_readable_as_deleted_as_long_as_events_are_kept() {
        String fourteenDays = Long.toString(Duration.ofDays(14).toMillis());
        assertThat(Topic.ofEvents("events").settings()).containsEntry("retention.ms", fourteenDays);
        assertThat(Topic.ofContent("content").settings())
                .containsEntry("cleanup.policy", "compact")
                .containsEntry("delete.retention.ms", fourteenDays);
    }

    @Test
    void a_topic_that_was_made_is_waited_for_until_every_partition_answers() throws Exception {
        broker.refusals.add(new UnknownTopicOrPartitionException("the broker has not heard of it"));
        broker.refusals.add(new LeaderNotAvailableException("partition 7 is opening"));
        make(Topic.ofEvents("events"));
        assertThat(broker.asked).isEqualTo(Set.of("describe events", "offsets of 16"));
        assertThat(broker.answered).isEqualTo(1);
        assertThat(pauses).hasSize(2);
    }

    @Test
    void a_topic_that_another_start_made_meanwhile_is_waited_for_with_the_partitions_that_it_has() throws Exception {
        broker.elsewhere.put("events", 3);
        make(Topic.ofEvents("events"));
        assertThat(broker.asked).isEqualTo(Set.of("describe events", "offsets of 3"));
        assertThat(broker.answered).isEqualTo(1);
    }

    @Test
    void what_no_time_mends_is_told_at_once() {
        broker.refusals.add(new TopicAuthorizationException("not yours"));
        assertThatThrownBy(() -> make(Topic.ofEvents("events")))
                .isInstanceOf(ExecutionException.class)
                .hasRootCauseMessage("not yours");
        assertThat(pauses).isEmpty();
    }

    private void make(Topic topic) throws Exception {
        KafkaTopics.make(
                broker.admin(), List.of(new NewTopic(topic.name(), topic.partitions(), (short) -1)), pauses::add);
    }

    /** Answers what {@link KafkaTopics} asks, and refuses as scripted to say where partitions end. */
    private static final class ScriptedBroker {

        /** What questions for offsets are refused with, one after the other; then they are answered. */
        final Deque<Exception> refusals = new ArrayDeque<>();
        /** Topics that another start makes first, with their partitions. */
        final Map<String, Integer> elsewhere = new HashMap<>();

        final Set<String> asked = new HashSet<>();
        int answered;

        private final Map<String, Integer> made = new HashMap<>();

        Admin admin() {
            return (Admin) Proxy.newProxyInstance(
                    Admin.class.getClassLoader(),
                    new Class<?>[] {Admin.class},
                    (proxy, method, arguments) -> switch (method.getName()) {
                        case "createTopics" -> create((Collection<?>) arguments[0]);
                        case "describeTopics" -> describe((Collection<?>) arguments[0]);
                        case "listOffsets" -> offsets((Map<?, ?>) arguments[0]);
                        default -> throw new UnsupportedOperationException(method.getName());
                    });
        }

        private Created create(Collection<?> topics) {
            Map<String, KafkaFuture<CreateTopicsResult.TopicMetadataAndConfig>> created = new HashMap<>();
            for (Object each : topics) {
                NewTopic topic = (NewTopic) each;
                Integer partitions = elsewhere.get(topic.name());
                made.put(topic.name(), partitions == null ? topic.numPartitions() : partitions);
                created.put(
                        topic.name(),
                        partitions == null
                                ? KafkaFuture.completedFuture(null)
                                : failed(new TopicExistsException(topic.name())));
            }
            return new Created(created);
        }

        private Described describe(Collection<?> names) {
            Map<String, KafkaFuture<TopicDescription>> described = new HashMap<>();
            for (Object each : names) {
                String name = (String) each;
                asked.add("describe " + name);
                List<TopicPartitionInfo> partitions = IntStream.range(0, made.getOrDefault(name, 0))
                        .mapToObj(n -> new TopicPartitionInfo(n, Node.noNode(), List.of(), List.of()))
                        .toList();
                described.put(name, KafkaFuture.completedFuture(new TopicDescription(name, false, partitions)));
            }
            return new Described(described);
        }

        private ListOffsetsResult offsets(Map<?, ?> partitions) {
            asked.add("offsets of " + partitions.size());
            Exception refusal = refusals.poll();
            if (refusal == null) {
                answered++;
            }
            Map<TopicPartition, KafkaFuture<ListOffsetsResult.ListOffsetsResultInfo>> offsets = new HashMap<>();
            partitions
                    .keySet()
                    .forEach(partition -> offsets.put(
                            (TopicPartition) partition,
                            refusal == null ? KafkaFuture.completedFuture(null) : failed(refusal)));
            return new ListOffsetsResult(offsets);
        }

        private static <T> KafkaFuture<T> failed(Exception failure) {
            KafkaFutureImpl<T> future = new KafkaFutureImpl<>();
            future.completeExceptionally(failure);
            return future;
        }
    }

    // Their constructors are for the client and for whoever extends them.

    private static final class Created extends CreateTopicsResult {
        Created(Map<String, KafkaFuture<TopicMetadataAndConfig>> futures) {
            super(futures);
        }
    }

    private static final class Described extends DescribeTopicsResult {
        Described(Map<String, KafkaFuture<TopicDescription>> futures) {
            super(null, futures);
        }
    }
}
