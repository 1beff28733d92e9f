package dev.engagement.connection;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.DoubleRange;
import net.jqwik.api.constraints.IntRange;

class BackoffProperties {

    private final Backoff backoff = new Backoff(Duration.ofMillis(50), Duration.ofSeconds(1));

    @Property
    void a_delay_is_between_half_and_all_of_what_doubling_gives(
            @ForAll @IntRange(min = 1) int failures,
            @ForAll @DoubleRange(min = 0, max = 1, maxIncluded = false) double random) {
        double whole = Math.min(50 * Math.pow(2, failures - 1), 1_000);

        assertThat((double) backoff.delayMillis(failures, random)).isBetween(Math.floor(whole / 2), whole);
    }

    @Example
    void jitter_reaches_both_ends() {
        assertThat(backoff.delayMillis(1, 0)).isEqualTo(25);
        assertThat(backoff.delayMillis(1, Math.nextDown(1.0))).isEqualTo(50);
        assertThat(backoff.delayMillis(2, 0)).isEqualTo(50);
        assertThat(backoff.delayMillis(40, Math.nextDown(1.0))).isEqualTo(1_000);
    }
}
