package dev.engagement.api.web;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;

class RateLimitsProperties {

    /**
     * Whatever comes when: within no window more than the quota and what comes back meanwhile, which is as much again.
     */
    @Property
    void within_no_window_more_than_twice_the_quota_is_allowed(
            @ForAll @IntRange(min = 1, max = 20) int quota,
            @ForAll @Size(max = 200) List<@IntRange(min = 0, max = 2_000) Integer> gapsMillis) {
        AtomicLong nanos = new AtomicLong();
        RateLimits limits = new RateLimits("x", quota, Duration.ofSeconds(1), 10, nanos::get);
        Deque<Long> allowedAt = new ArrayDeque<>();
        for (int gap : gapsMillis) {
            nanos.addAndGet(Duration.ofMillis(gap).toNanos());
            long now = nanos.get();
            if (limits.take("a").allowed()) {
                allowedAt.add(now);
            }
            allowedAt.removeIf(at -> now - at >= Duration.ofSeconds(1).toNanos());
            assertThat(allowedAt).hasSizeLessThanOrEqualTo(2 * quota);
        }
    }

    /** Who waits as long as he is told is answered, and one who waits less is not. */
    @Property
    void retry_after_is_exact(
            @ForAll @IntRange(min = 1, max = 20) int quota, @ForAll @IntRange(min = 1, max = 60) int extra) {
        AtomicLong nanos = new AtomicLong(7);
        RateLimits limits = new RateLimits("x", quota, Duration.ofSeconds(1), 10, nanos::get);
        RateLimits.Verdict verdict = limits.take("a");
        for (int i = 0; i < quota + extra && verdict.allowed(); i++) {
            verdict = limits.take("a");
        }
        assertThat(verdict.allowed()).isFalse();

        nanos.addAndGet(verdict.retryAfter().toNanos() - 1);
        assertThat(limits.take("a").allowed()).isFalse();
        nanos.addAndGet(1);
        assertThat(limits.take("a").allowed()).isTrue();
    }
}
