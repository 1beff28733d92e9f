package dev.engagement.bench;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.LongStream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.HdrHistogram.Histogram;
import org.junit.jupiter.api.Test;

/** Against looking for each row's arrival in all that was seen. */
class CounterLatencyProperties {

    private record Look(long count, long at) {}

    @Property(tries = 500)
    void each_row_has_the_latency_of_the_first_look_that_counts_it(
            @ForAll long seed, @ForAll @IntRange(min = 1, max = 3) int phases) {
        Random random = new Random(seed);
        CounterLatency latency = new CounterLatency(phases);
        List<List<Long>> due = new ArrayList<>();
        List<Long> allDue = new ArrayList<>();
        List<Look> looks = new ArrayList<>();
        long now = 0;
        for (int phase = 0; phase < phases; phase++) {
            due.add(new ArrayList<>());
            for (int step = random.nextInt(60); step > 0; step--) {
                now += random.nextInt(1_000_000);
                if (random.nextBoolean()) {
                    due.get(phase).add(now);
                    allDue.add(now);
                    latency.due(phase, now);
                } else {
                    // Now and then less than before: a board that lags behind, a replica.
                    looks.add(new Look(random.nextInt(allDue.size() + 1), now));
                    latency.reached(looks.get(looks.size() - 1).count, now);
                }
            }
        }

        int number = 0;
        for (int phase = 0; phase < phases; phase++) {
            Histogram expected = CounterLatency.histogram();
            long missing = 0;
            for (long dueAt : due.get(phase)) {
                long k = ++number;
                LongStream arrivals = looks.stream()
                        .filter(look -> look.count >= k)
                        .mapToLong(Look::at)
                        .limit(1);
                missing += arrivals.peek(at -> expected.recordValue((at - dueAt) / 1_000))
                                .findFirst()
                                .isPresent()
                        ? 0
                        : 1;
            }
            Histogram actual = CounterLatency.histogram();
            latency.addTo(actual, phase);
            assertThat(actual).isEqualTo(expected);
            assertThat(latency.missing(phase)).isEqualTo(missing);
        }
        assertThat(latency.surplus()).isZero();
    }

    @Test
    void a_writer_that_was_held_up_does_not_shorten_what_it_wrote_late() {
        CounterLatency latency = new CounterLatency(1);
        // Both are written at 5 s, and there at once.
        latency.due(0, 1_000_000_000);
        latency.due(0, 2_000_000_000);
        latency.reached(2, 5_000_000_000L);

        Histogram histogram = CounterLatency.histogram();
        latency.addTo(histogram, 0);

        assertThat(histogram.getCountAtValue(4_000_000)).isEqualTo(1);
        assertThat(histogram.getCountAtValue(3_000_000)).isEqualTo(1);
        assertThat(latency.lastArrival(0)).isEqualTo(5_000_000_000L);
    }

    @Test
    void more_than_were_written_are_told() {
        CounterLatency latency = new CounterLatency(1);
        latency.due(0, 10);
        latency.reached(3, 20);

        assertThat(latency.surplus()).isEqualTo(2);
        assertThat(latency.missing(0)).isZero();
    }

    @Test
    void seconds_that_left_the_window_are_summed() {
        EventSeconds seconds = new EventSeconds();
        for (long millis : new long[] {9_999, 10_000, 10_999, 11_000}) {
            seconds.add(millis);
        }

        assertThat(seconds.before(9)).isZero();
        assertThat(seconds.before(10)).isEqualTo(1);
        assertThat(seconds.before(11)).isEqualTo(3);
        assertThat(seconds.before(12)).isEqualTo(4);
    }
}
