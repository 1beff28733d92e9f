package dev.engagement.liveview.sink;

import static org.assertj.core.api.Assertions.assertThat;

import dev.engagement.event.EnrichedEvent;
import dev.engagement.liveview.LiveValue;
import dev.engagement.liveview.Samples;
import java.util.List;
import org.apache.flink.metrics.Counter;
import org.apache.flink.metrics.SimpleCounter;
import org.junit.jupiter.api.Test;

class CachedEventsTest {

    private static final int SIZE = new LiveValue.Last(event(0)).estimatedBytes();

    private final Counter leftOut = new SimpleCounter();

    @Test
    void the_oldest_leave_first_and_not_more_than_are_asked_for() {
        CachedEvents events = new CachedEvents(10L * SIZE, leftOut);
        for (int i = 0; i < 5; i++) {
            events.add(event(i));
        }

        assertThat(events.take(3)).containsExactly(event(0), event(1), event(2));
        assertThat(events.isEmpty()).isFalse();
        assertThat(events.take(0)).isEmpty();
        assertThat(events.take(3)).containsExactly(event(3), event(4));
        assertThat(events.isEmpty()).isTrue();
        assertThat(events.take(3)).isEmpty();
        assertThat(leftOut.getCount()).isZero();
    }

    @Test
    void above_the_limit_the_oldest_make_room_and_are_counted() {
        CachedEvents events = new CachedEvents(3L * SIZE, leftOut);
        for (int i = 0; i < 8; i++) {
            events.add(event(i));
        }

        assertThat(leftOut.getCount()).isEqualTo(5);
        assertThat(events.take(100)).containsExactly(event(5), event(6), event(7));
    }

    @Test
    void what_was_taken_makes_room() {
        CachedEvents events = new CachedEvents(3L * SIZE, leftOut);
        for (int round = 0; round < 10; round++) {
            events.add(event(1));
            events.add(event(2));
            events.add(event(3));
            assertThat(events.take(100)).hasSize(3);
        }

        assertThat(leftOut.getCount()).isZero();
    }

    @Test
    void an_event_larger_than_the_limit_is_left_out_itself() {
        CachedEvents events = new CachedEvents(3L * SIZE, leftOut);
        events.add(event(1));
        events.add(Samples.event("c", 2, 0, "web", "x".repeat(3 * SIZE), false));

        assertThat(events.isEmpty()).isTrue();
        assertThat(leftOut.getCount()).isEqualTo(2);

        events.add(event(3));
        assertThat(events.take(100)).isEqualTo(List.of(event(3)));
    }

    @Test
    void what_did_not_reach_redis_is_counted() {
        CachedEvents events = new CachedEvents(3L * SIZE, leftOut);

        events.lost(7);

        assertThat(leftOut.getCount()).isEqualTo(7);
    }

    private static EnrichedEvent event(long id) {
        return Samples.event("c", id, 0);
    }
}
