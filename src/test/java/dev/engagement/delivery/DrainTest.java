package dev.engagement.delivery;

import static dev.engagement.delivery.DeliveryWorld.RULES;
import static dev.engagement.delivery.DeliveryWorld.START;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.engagement.delivery.ScriptedReceiver.Posted;
import dev.engagement.delivery.ScriptedReceiver.Reply;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The courier behind the retry topic. */
class DrainTest {

    private static final long MINUTE = 60_000;

    private final DeliveryWorld world = DeliveryWorld.ofBothPaths(RULES, 500, () -> 0.5);

    @Test
    void the_drain_begins_with_a_trickle_and_has_its_rate_after_twenty_seconds() {
        world.divert(100_000);
        world.pass(3 * MINUTE);

        assertThat(posts(0, 1_000)).as("in the first second").isBetween(1, 16);
        assertThat(posts(9_500, 10_500)).as("after half of it").isCloseTo(250, within(15));
        assertThat(posts(20_000, 21_000)).as("after all of it").isCloseTo(500, within(10));
        assertThat(posts(2 * MINUTE, 3 * MINUTE)).as("from then on").isCloseTo(30_000, within(100));
    }

    @Test
    void a_reader_that_gets_its_turn_late_drains_at_its_rate() {
        world.divert(100_000);
        world.pass(MINUTE);
        int before = world.receiver.posted.size();
        for (int turn = 0; turn < 100; turn++) {
            world.standStill(400);
            world.pass(0);
        }

        assertThat(world.receiver.posted.size() - before)
                .as("in 40 s at 500 a second")
                .isCloseTo(20_000, within(300));
    }

    @Test
    void records_are_taken_oldest_first() {
        world.divert(2_000);
        world.pass(5 * MINUTE);

        assertThat(world.delivered)
                .extracting(delivery -> delivery.eventId().number())
                .isSorted()
                .hasSize(2_000);
    }

    @Test
    void who_is_not_due_waits_and_holds_nobody_up() {
        Delivery later = DeliveryWorld.delivery(1, START);
        world.topic.add(later.afterAnswer(START + 30_000));
        world.topic.add(DeliveryWorld.delivery(2, START));
        world.pass(10_000);
        assertThat(world.delivered)
                .extracting(delivery -> delivery.eventId().number())
                .containsExactly(2L);
        world.pass(20_010);
        assertThat(world.delivered)
                .extracting(delivery -> delivery.eventId().number())
                .containsExactly(2L, 1L);
        assertThat(world.receiver.posted.get(1).atMillis()).isGreaterThanOrEqualTo(START + 30_000);
    }

    @Test
    void one_that_gets_no_answer_while_others_do_goes_to_the_tail_and_holds_no_place_for_ever() {
        world.receiver.does(request -> request.webhookId().equals("evt_1") ? Reply.hang() : Reply.status(200));
        world.divert(1);
        for (int second = 0; second < 600; second++) {
            world.divert(1);
            world.pass(1_000);
        }

        assertThat(world.topic.stream().filter(one -> one.eventId().number() == 1))
                .as("the record itself, and at the tail again and again")
                .hasSizeGreaterThan(1)
                .allSatisfy(one -> assertThat(one.attempts()).isZero());
        assertThat(world.dead).isEmpty();
        assertThat(world.receiver.posted.stream()
                        .filter(posted -> posted.request().webhookId().equals("evt_1")))
                .hasSizeGreaterThanOrEqualTo(Courier.UNANSWERED_AT_MOST);
    }

    @Test
    void nothing_is_read_while_the_circuit_is_open_and_a_few_probe_after_the_pause() {
        world.receiver.does(request -> Reply.status(500));
        world.divert(10_000);
        world.pass(MINUTE);
        int read = 10_000 - untouched(10_000);
        assertThat(read).as("read of 10,000 in a minute").isLessThan(100);
        long before = world.receiver.posted.size();
        world.pass(10 * MINUTE);
        assertThat(world.receiver.posted.size() - before)
                .as("posted in ten more minutes: five after each pause of a minute")
                .isBetween(30L, 60L);
    }

    private int untouched(int of) {
        return of
                - (int) world.receiver.posted.stream()
                        .map(posted -> posted.request().webhookId())
                        .distinct()
                        .count();
    }

    @Test
    void after_a_black_hole_of_ten_minutes_nothing_is_lost_and_the_receiver_is_not_stampeded() {
        world.receiver.does(request -> Reply.hang());
        for (int second = 0; second < 600; second++) {
            world.come(50);
            world.pass(1_000);
        }
        assertThat(world.delivered).isEmpty();
        assertThat(world.dead).as("no answer makes no dead letter").isEmpty();
        int during = world.receiver.posted.size();
        assertThat(during).as("attempts of 30,000 events in ten minutes").isLessThan(1_500);

        long mended = world.clock.millis() - START;
        world.receiver.does(request -> Reply.status(200));
        List<Posted> posted = world.receiver.posted;
        long ramped = mended;
        while (posts(ramped - 1_000, ramped) < 450 && ramped < mended + 5 * MINUTE) {
            world.pass(1_000);
            ramped += 1_000;
        }
        assertThat(ramped - mended)
                .as("milliseconds to the full rate: the pause of a minute, and the ramp of twenty seconds")
                .isLessThan(90_000);
        long start = posted.get(during).atMillis() - START;
        assertThat(posts(start, start + 1_000))
                .as("in the first second after it answers")
                .isLessThan(30);
        world.pass(10 * MINUTE);

        assertThat(world.isDone()).isTrue();
        assertThat(world.delivered)
                .extracting(delivery -> delivery.eventId().number())
                .hasSize(30_000)
                .doesNotHaveDuplicates();
        assertThat(world.dead).isEmpty();
    }

    @Test
    void who_waits_for_his_time_holds_up_nobody() {
        DeliveryWorld few = DeliveryWorld.ofBothPaths(DeliveryWorld.with(1, 4, 12, RULES.success()), 500, () -> 0.5);
        few.receiver.does(
                request -> few.receiver.posted.size() % 3 == 0 ? Reply.status(503, "3600") : Reply.status(200));
        few.divert(10_000);
        few.pass(MINUTE);

        assertThat(few.backlog()).isZero();
        assertThat(few.unfinished(few.drain)).as("wait for an hour").hasSizeGreaterThan(3_000);
    }

    @Test
    void what_waits_is_bounded_by_its_bytes() {
        DeliveryWorld small = DeliveryWorld.ofBothPaths(
                DeliveryWorld.with(1, 4, 12, RULES.success(), RULES.timeoutMillis(), 1 << 20), 500, () -> 0.5);
        // Alternating, so that the circuit stays closed.
        small.receiver.does(
                request -> small.receiver.posted.size() % 3 == 0 ? Reply.status(503, "3600") : Reply.status(200));
        small.divert(10_000);
        small.pass(10 * MINUTE);

        assertThat(small.unfinished(small.drain).size())
                .as("with 512 bytes for each")
                .isBetween(1_000, (1 << 20) / 512);
        assertThat(small.backlog()).isPositive();
        small.receiver.does(request -> Reply.status(200));
        small.pass(120 * MINUTE);
        assertThat(small.delivered).hasSize(10_000);
    }

    /** Posts from one time after the start to another. */
    private int posts(long fromMillis, long toMillis) {
        return (int) world.receiver.posted.stream()
                .filter(posted -> posted.atMillis() >= START + fromMillis && posted.atMillis() < START + toMillis)
                .count();
    }
}
