package dev.engagement.api.web;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class RateLimitsTest {

    private final AtomicLong nanos = new AtomicLong(-5);

    @Test
    void the_quota_may_come_at_once_and_comes_back_evenly() {
        RateLimits limits = new RateLimits("read", 10, Duration.ofSeconds(10), 100, nanos::get);

        for (int left = 9; left >= 0; left--) {
            RateLimits.Verdict verdict = limits.take("a");
            assertThat(verdict.allowed()).isTrue();
            assertThat(verdict.remaining()).isEqualTo(left);
        }
        RateLimits.Verdict refused = limits.take("a");
        assertThat(refused.allowed()).isFalse();
        assertThat(refused.retryAfter()).isEqualTo(Duration.ofSeconds(1));
        assertThat(limits.exhaustedFor("a")).isEqualTo(Duration.ofSeconds(1));

        nanos.addAndGet(Duration.ofMillis(999).toNanos());
        assertThat(limits.take("a").allowed()).isFalse();
        nanos.addAndGet(Duration.ofMillis(1).toNanos());
        assertThat(limits.exhaustedFor("a")).isZero();
        assertThat(limits.take("a").allowed()).isTrue();
        assertThat(limits.take("a").allowed()).isFalse();
    }

    @Test
    void what_was_refused_takes_nothing() {
        RateLimits limits = new RateLimits("read", 1, Duration.ofSeconds(1), 100, nanos::get);
        assertThat(limits.take("a").allowed()).isTrue();
        for (int i = 0; i < 1_000; i++) {
            assertThat(limits.take("a").allowed()).isFalse();
        }
        nanos.addAndGet(Duration.ofSeconds(1).toNanos());

        assertThat(limits.take("a").allowed()).isTrue();
    }

    @Test
    void nobody_takes_of_the_quota_of_another() {
        RateLimits limits = new RateLimits("read", 1, Duration.ofSeconds(1), 100, nanos::get);

        assertThat(limits.take("a").allowed()).isTrue();
        assertThat(limits.take("b").allowed()).isTrue();
        assertThat(limits.take("a").allowed()).isFalse();
    }

    @Test
    void a_flood_of_addresses_takes_no_memory_and_shares_one_quota() {
        RateLimits limits = new RateLimits("read", 5, Duration.ofSeconds(5), 10, nanos::get);

        long allowed = 0;
        for (int i = 0; i < 100_000; i++) {
            allowed += limits.take("flood " + i).allowed() ? 1 : 0;
        }

        assertThat(limits.keys()).isLessThanOrEqualTo(11);
        // Those that were told apart, and the quota that all others share.
        assertThat(allowed).isEqualTo(10 + 5);
    }

    @Test
    void who_has_his_whole_quota_again_is_forgotten_when_room_is_needed() {
        RateLimits limits = new RateLimits("read", 5, Duration.ofSeconds(5), 10, nanos::get);
        for (int i = 0; i < 10; i++) {
            limits.take("before " + i);
        }
        nanos.addAndGet(Duration.ofMinutes(1).toNanos());

        assertThat(limits.take("after").remaining()).isEqualTo(4);
        assertThat(limits.take("another").remaining()).isEqualTo(4);
    }

    @Test
    void headers_are_whole_seconds_rounded_up() {
        RateLimits limits = new RateLimits("read", 10, Duration.ofSeconds(10), 100, nanos::get);
        RateLimits.Verdict verdict = limits.take("a");
        nanos.addAndGet(1);

        assertThat(limits.policy()).isEqualTo("\"read\";q=10;w=10");
        assertThat(limits.state(verdict)).isEqualTo("\"read\";r=9;t=1");
        assertThat(RateLimits.seconds(Duration.ofNanos(1))).isEqualTo(1);
        assertThat(RateLimits.seconds(Duration.ZERO)).isZero();
    }
}
