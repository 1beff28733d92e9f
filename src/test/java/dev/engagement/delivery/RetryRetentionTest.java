package dev.engagement.delivery;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.engagement.connection.topics.TopicIds;
import dev.engagement.event.EventId;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.apache.flink.metrics.Counter;
import org.apache.flink.metrics.SimpleCounter;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.errors.GroupAuthorizationException;
import org.apache.kafka.common.errors.TopicAuthorizationException;
import org.junit.jupiter.api.Test;

class RetryRetentionTest {

    private static final long START = DeliveryWorld.START;
    private static final long DAY = Duration.ofDays(1).toMillis();
    private static final long MINUTE = Duration.ofMinutes(1).toMillis();

    private final ManualTime clock = new ManualTime(START);
    private final RecordedRetryLog log = new RecordedRetryLog();
    private final Counter deleted = new SimpleCounter();
    private final Counter failed = new SimpleCounter();
    private final List<String> warnings = new ArrayList<>();
    private final List<Runnable> elsewhere = new ArrayList<>();
    private final RetryRetention retention =
            new RetryRetention(log::open, Duration.ofDays(1), clock, elsewhere::add, deleted, failed, warnings::add);

    @Test
    void what_a_completed_checkpoint_has_passed_and_is_older_than_the_retention_is_deleted() {
        log.records(0, 100, START - 2 * DAY);
        log.records(1, 60, START - DAY - 1);
        log.records(1, 40, START - DAY);
        log.committed.putAll(Map.of(0, 100L, 1, 100L));
        hold(1, 0, 70);
        hold(1, 1, 90);
        run();
        assertThat(log.opened).as("before it has completed").isZero();

        complete(1);
        run();

        assertThat(log.deleted).containsExactly(Map.of(0, 70L, 1, 60L));
        assertThat(deleted.getCount()).isEqualTo(130);
        assertThat(log.closed).isEqualTo(log.opened);
        assertThat(warnings).isEmpty();
    }

    @Test
    void neither_a_checkpoint_nor_its_completion_asks_kafka_itself() {
        log.records(0, 100, START - 2 * DAY);
        log.committed.put(0, 100L);
        hold(1, 0, 70);
        complete(1);

        assertThat(elsewhere).hasSize(1);
        assertThat(log.opened).isZero();
    }

    @Test
    void what_is_not_committed_to_the_group_stays_so_that_a_restore_can_tell() {
        log.records(0, 100, START - 2 * DAY);
        log.committed.put(0, 30L);
        log.records(1, 100, START - 2 * DAY);
        hold(1, 0, 70);
        hold(1, 1, 70);
        complete(1);
        run();

        assertThat(log.deleted).containsExactly(Map.of(0, 30L));
    }

    @Test
    void what_is_unfinished_holds_back_what_was_read_with_it_and_no_more() {
        log.records(0, 100, START - 2 * DAY);
        log.committed.put(0, 100L);
        hold(1, 0, 20, 7L, 8L);
        complete(1);
        run();
        assertThat(log.deleted).isEmpty();

        later();
        hold(2, 0, 40, 8L, 30L);
        complete(2);
        run();
        assertThat(log.deleted).isEmpty();

        later();
        // 7 and 8 are done: all below 20 is. 30 and 50 have to be waited for.
        hold(3, 0, 60, 30L, 50L);
        complete(3);
        run();
        assertThat(log.deleted).containsExactly(Map.of(0, 20L));

        later();
        hold(4, 0, 80, 50L, 70L);
        complete(4);
        run();
        assertThat(log.deleted).hasSize(1);

        later();
        hold(5, 0, 100);
        complete(5);
        run();
        assertThat(log.deleted).last().isEqualTo(Map.of(0, 100L));
    }

    @Test
    void a_checkpoint_that_never_completes_says_nothing() {
        log.records(0, 100, START - 2 * DAY);
        log.committed.put(0, 100L);
        hold(1, 0, 10);
        hold(2, 0, 20);
        hold(3, 0, 30);
        complete(2);
        run();

        assertThat(log.deleted).containsExactly(Map.of(0, 20L));
    }

    @Test
    void runs_are_minutes_apart_and_never_two_at_once() {
        log.records(0, 100, START - 2 * DAY);
        log.committed.put(0, 100L);
        for (int minute = 1; minute <= 12; minute++) {
            hold(minute, 0, minute);
            complete(minute);
            run();
            clock.set(clock.millis() + MINUTE);
        }
        assertThat(log.deleted).containsExactly(Map.of(0, 1L), Map.of(0, 6L), Map.of(0, 11L));

        later();
        hold(20, 0, 20);
        complete(20);
        later();
        hold(21, 0, 21);
        complete(21);
        assertThat(elsewhere).as("one that is on its way").hasSize(1);
        run();
        later();
        hold(22, 0, 22);
        complete(22);
        run();
        assertThat(log.deleted).endsWith(Map.of(0, 20L), Map.of(0, 22L));
    }

    @Test
    void nothing_of_another_topic_is_deleted() {
        log.records(0, 100, START - 2 * DAY);
        log.committed.put(0, 100L);
        hold(1, 0, 70);
        retention.completed(1, Uuid.randomUuid());
        run();

        assertThat(log.deleted).isEmpty();
    }

    @Test
    void without_the_right_to_delete_it_is_said_once_counted_and_tried_again() {
        log.records(0, 100, START - 2 * DAY);
        log.committed.put(0, 100L);
        log.failure = new TopicAuthorizationException(Set.of("engagement.delivery-retry"));
        for (int checkpoint = 1; checkpoint <= 3; checkpoint++) {
            hold(checkpoint, 0, 10 * checkpoint);
            complete(checkpoint);
            run();
            later();
        }
        assertThat(warnings).singleElement().asString().contains("DELETE", "engagement.delivery-retry", "grows");
        assertThat(failed.getCount()).isEqualTo(3);
        assertThat(log.closed).isEqualTo(log.opened);

        log.failure = null;
        hold(4, 0, 40);
        complete(4);
        run();
        assertThat(log.deleted).containsExactly(Map.of(0, 40L));
    }

    @Test
    void while_kafka_is_away_it_is_tried_again() {
        log.records(0, 100, START - 2 * DAY);
        log.committed.put(0, 100L);
        int checkpoint = 0;
        for (RuntimeException failure : List.of(
                new TopicIds.UnansweredException("Kafka does not answer", null), new KafkaException("no such topic"))) {
            log.failure = failure;
            hold(++checkpoint, 0, 10);
            complete(checkpoint);
            run();
            later();
        }
        assertThat(failed.getCount()).isEqualTo(2);
        assertThat(warnings).hasSize(2);
        log.failure = null;
        hold(3, 0, 20);
        complete(3);
        run();

        assertThat(log.deleted).containsExactly(Map.of(0, 20L));
    }

    @Test
    void a_partition_of_which_nothing_was_read_says_nothing() {
        log.records(0, 100, START - 2 * DAY);
        log.committed.put(0, 100L);
        hold(1, 0, -2);
        complete(1);

        assertThat(elsewhere).isEmpty();
    }

    // ---- A restore

    @Test
    void a_position_below_the_beginning_goes_on_there_if_a_later_checkpoint_had_passed_it() {
        log.beginnings.putAll(Map.of(0, 50L, 1, 50L, 2, 50L, 3, 50L));
        log.committed.putAll(Map.of(0, 50L, 1, 80L, 2, 49L));

        assertThat(RetryRetention.beginnings(log::open, Map.of(0, 20L, 1, 20L, 2, 20L, 3, 20L, 4, 0L)))
                .as("2 and 3 are gaps, as nobody has passed what is missing")
                .isEqualTo(Map.of(0, 50L, 1, 50L));
        assertThat(RetryRetention.beginnings(log::open, Map.of(0, 50L, 1, 60L))).isEmpty();
        assertThat(log.closed).isEqualTo(log.opened);
    }

    @Test
    void who_may_not_ask_leaves_it_to_the_reader_and_who_gets_no_answer_asks_again() {
        log.failure = new GroupAuthorizationException("engagement-stream");
        assertThat(RetryRetention.beginnings(log::open, Map.of(0, 20L))).isEmpty();

        log.failure = new TopicIds.UnansweredException("Kafka does not answer", null);
        assertThatThrownBy(() -> RetryRetention.beginnings(log::open, Map.of(0, 20L)))
                .isSameAs(log.failure);
    }

    private void hold(long checkpoint, int partition, long position, Long... unfinished) {
        checkpoints
                .computeIfAbsent(checkpoint, retention::checkpoint)
                .holds(
                        partition,
                        position,
                        Arrays.stream(unfinished).map(EventId::of).collect(Collectors.toSet()));
    }

    private final Map<Long, RetryRetention.Checkpoint> checkpoints = new HashMap<>();

    private void complete(long checkpoint) {
        retention.completed(checkpoint, log.id);
    }

    private void run() {
        List<Runnable> now = List.copyOf(elsewhere);
        elsewhere.clear();
        now.forEach(Runnable::run);
    }

    private void later() {
        clock.set(clock.millis() + RetryRetention.LONGEST_INTERVAL.toMillis());
    }
}
