package dev.engagement.delivery;

import static org.assertj.core.api.Assertions.assertThat;

import dev.engagement.event.EventId;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.apache.flink.metrics.SimpleCounter;

/**
 * One partition that is drained, with checkpoints of which some complete, crashes, and restores of any of them: a record is
 * gone only if the newest completed checkpoint knew its outcome.
 */
class RetryRetentionProperties {

    private record State(int position, Map<Integer, Long> unfinished, Set<Integer> done) {}

    private RecordedRetryLog log;
    private ManualTime clock;

    @Property(tries = 300)
    void only_what_is_done_with_for_good_is_deleted(@ForAll Random random) {
        log = new RecordedRetryLog();
        clock = new ManualTime(DeliveryWorld.START);
        List<Long> ids = new ArrayList<>();
        TreeMap<Long, State> taken = new TreeMap<>();
        List<State> completed = new ArrayList<>(List.of(new State(0, Map.of(), Set.of())));
        int position = 0;
        TreeMap<Integer, Long> unfinished = new TreeMap<>();
        Set<Integer> done = new HashSet<>();
        RetryRetention retention = retention();
        for (int step = 1; step <= 400; step++) {
            clock.set(clock.millis() + random.nextInt(2_000));
            switch (random.nextInt(8)) {
                case 0, 1 -> {
                    log.records(0, 1, clock.millis());
                    // The same events come again and again, as those that are handed back do.
                    ids.add((long) random.nextInt(6));
                }
                case 2, 3 -> {
                    if (position < ids.size()) {
                        unfinished.put(position, ids.get(position++));
                    }
                }
                case 4, 5 -> {
                    if (!unfinished.isEmpty()) {
                        int one = List.copyOf(unfinished.keySet()).get(random.nextInt(unfinished.size()));
                        unfinished.remove(one);
                        done.add(one);
                    }
                }
                case 6 -> {
                    retention
                            .checkpoint(step)
                            .holds(
                                    0,
                                    position,
                                    unfinished.values().stream()
                                            .map(EventId::of)
                                            .collect(Collectors.toSet()));
                    taken.put((long) step, new State(position, Map.copyOf(unfinished), Set.copyOf(done)));
                }
                default -> {
                    if (random.nextInt(4) == 0) {
                        State restored = completed.get(random.nextInt(completed.size()));
                        retention = retention();
                        taken.clear();
                        unfinished = new TreeMap<>(restored.unfinished());
                        // What was done behind the last checkpoint is known to nobody any more.
                        done.clear();
                        completed.forEach(each -> done.addAll(each.done()));
                        position = Math.max(
                                restored.position(),
                                log.beginnings.getOrDefault(0, 0L).intValue());
                    } else if (!taken.isEmpty()) {
                        long one = List.copyOf(taken.keySet()).get(random.nextInt(taken.size()));
                        completed.add(taken.get(one));
                        taken.headMap(one, true).clear();
                        log.committed.put(
                                0, (long) completed.get(completed.size() - 1).position());
                        retention.completed(one, log.id);
                        assertGoneIsDone(completed.get(completed.size() - 1).done());
                    }
                }
            }
        }
    }

    private void assertGoneIsDone(Set<Integer> done) {
        for (int offset = 0; offset < log.beginnings.getOrDefault(0, 0L); offset++) {
            assertThat(done).as("a record that is deleted").contains(offset);
            assertThat(log.timestamps.get(0).get(offset))
                    .as("when a deleted record was written")
                    .isLessThan(clock.millis() - Duration.ofSeconds(10).toMillis());
        }
    }

    private RetryRetention retention() {
        return new RetryRetention(
                () -> log,
                Duration.ofSeconds(10),
                clock,
                Runnable::run,
                new SimpleCounter(),
                new SimpleCounter(),
                line -> {});
    }
}
