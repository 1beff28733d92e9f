package dev.engagement.capture;

import static org.assertj.core.api.Assertions.assertThat;

import dev.engagement.capture.SourceDatabase.Slot;
import dev.engagement.capture.SourceDatabase.SlotView;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.HashMap;
import java.util.Map;
import org.apache.flink.metrics.Gauge;
import org.apache.flink.metrics.groups.UnregisteredMetricsGroup;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class CaptureMetricsTest {

    private final Map<String, Gauge<?>> gauges = new HashMap<>();
    private Instant now = Instant.parse("2026-01-08T15:00:00Z");
    private final CaptureMetrics metrics = new CaptureMetrics(new Clock() {
        @Override
        public Instant instant() {
            return now;
        }

        @Override
        public ZoneOffset getZone() {
            return ZoneOffset.UTC;
        }

        @Override
        public Clock withZone(java.time.ZoneId zone) {
            throw new UnsupportedOperationException();
        }
    });

    private final UnregisteredMetricsGroup group = new UnregisteredMetricsGroup() {
        @Override
        public <T, G extends Gauge<T>> G gauge(String name, G gauge) {
            gauges.put(name, gauge);
            return gauge;
        }
    };

    CaptureMetricsTest() {
        metrics.show(group);
    }

    @Test
    void rows_that_were_removed_are_counted_where_rows_are_removed() {
        assertThat(gauges).doesNotContainKey("outboxRowsRemoved");

        metrics.showRemoved(group);
        metrics.removed(1_000);
        metrics.removed(5);

        assertThat(value("outboxRowsRemoved")).isEqualTo(1_005);
    }

    @Test
    void the_slot_is_behind_by_what_it_holds_and_by_what_is_not_confirmed() {
        assertThat(value("slotRetainedBytes")).isEqualTo(CaptureMetrics.UNKNOWN);

        metrics.seen(view(new Slot("pgoutput", "engagement", "reserved", 1_000, 1_800)));

        assertThat(value("slotRetainedBytes")).isEqualTo(1_000);
        assertThat(value("slotLagBytes")).isEqualTo(200);
    }

    @Test
    void a_slot_that_is_missing_or_lost_is_not_a_slot_without_lag() {
        metrics.seen(view(new Slot("pgoutput", "engagement", "reserved", 2_000, 2_000)));
        assertThat(value("slotRetainedBytes")).isZero();

        metrics.seen(view(null));
        assertThat(value("slotRetainedBytes")).isEqualTo(CaptureMetrics.UNKNOWN);
        assertThat(value("slotLagBytes")).isEqualTo(CaptureMetrics.UNKNOWN);

        metrics.seen(view(new Slot("pgoutput", "engagement", "lost", 0, 1_800)));
        assertThat(value("slotRetainedBytes")).isEqualTo(CaptureMetrics.UNKNOWN);
    }

    @Test
    void the_age_of_the_last_checkpoint_begins_with_the_run() {
        now = now.plus(Duration.ofSeconds(40));
        assertThat(value("checkpointAgeMillis")).isEqualTo(40_000);

        metrics.checkpointed();
        now = now.plus(Duration.ofSeconds(3));
        assertThat(value("checkpointAgeMillis")).isEqualTo(3_000);
    }

    private long value(String gauge) {
        return (Long) gauges.get(gauge).getValue();
    }

    private SlotView view(@Nullable Slot slot) {
        return new SlotView(slot, 2_000, now, "engagement");
    }
}
