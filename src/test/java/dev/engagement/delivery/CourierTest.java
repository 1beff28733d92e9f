package dev.engagement.delivery;

import static dev.engagement.delivery.DeliveryWorld.RULES;
import static dev.engagement.delivery.DeliveryWorld.START;
import static dev.engagement.delivery.DeliveryWorld.bodyOf;
import static org.assertj.core.api.Assertions.assertThat;

import dev.engagement.delivery.ScriptedReceiver.Posted;
import dev.engagement.delivery.ScriptedReceiver.Reply;
import dev.engagement.event.EventId;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class CourierTest {

    private final DeliveryWorld world = DeliveryWorld.ofLivePath(RULES);

    @Test
    void an_event_is_posted_at_once_under_its_id_as_it_is() {
        world.come(1);

        assertThat(world.receiver.posted).hasSize(1);
        assertThat(world.receiver.posted.get(0).request().webhookId()).isEqualTo("evt_1");
        assertThat(world.receiver.posted.get(0).body()).isEqualTo(bodyOf(1));
        assertThat(world.unfinished(world.live)).as("until it is answered").hasSize(1);
        world.pass(10);
        assertThat(world.delivered).hasSize(1);
        assertThat(world.unfinished(world.live)).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(ints = {408, 425, 429, 500, 503, 599})
    void what_asks_for_a_retry_is_tried_again_with_the_same_bytes(int status) {
        world.receiver.does(request -> Reply.status(world.receiver.posted.isEmpty() ? status : 204));
        world.come(1);
        world.pass(10_000);

        assertThat(world.receiver.posted).hasSize(2).extracting(Posted::body).containsOnly(bodyOf(1));
        assertThat(world.receiver.posted)
                .extracting(posted -> posted.request().webhookId())
                .containsOnly("evt_1");
        assertThat(world.delivered).extracting(Delivery::attempts).containsExactly(1);
    }

    @ParameterizedTest
    @ValueSource(ints = {400, 401, 404, 410, 422, 301, 302, 307})
    void a_final_answer_ends_it_at_once(int status) {
        world.receiver.does(request -> new Reply(
                false, 5, new Answer.Answered(status, null, "no, thanks".getBytes(StandardCharsets.UTF_8), true)));
        world.come(1);
        world.pass(60_000);

        assertThat(world.receiver.posted).hasSize(1);
        assertThat(world.dead.get(1L)).contains(Integer.toString(status)).contains("no, thanks");
        assertThat(world.letters).extracting(Delivery::attempts).containsExactly(1);
    }

    @Test
    void a_success_with_an_error_in_its_body_is_tried_again() {
        DeliveryWorld asking = DeliveryWorld.ofLivePath(DeliveryWorld.with(
                1,
                256,
                12,
                new DeliveryOptions.Success(
                        List.of(new DeliveryOptions.StatusRange(200, 299)), "status", Set.of("ok"))));
        asking.receiver.does(request ->
                Reply.body(200, asking.receiver.posted.isEmpty() ? "{\"status\":\"error\"}" : "{\"status\":\"ok\"}"));
        asking.come(1);
        asking.pass(10_000);

        assertThat(asking.receiver.posted).hasSize(2);
        assertThat(asking.delivered).extracting(Delivery::attempts).containsExactly(1);
    }

    @Test
    void answered_attempts_run_out() {
        DeliveryWorld few = DeliveryWorld.ofLivePath(DeliveryWorld.with(1, 256, 3, RULES.success()));
        few.receiver.does(request -> Reply.body(500, "out of order"));
        few.come(1);
        few.pass(60_000);

        assertThat(few.receiver.posted).hasSize(3);
        assertThat(few.letters).extracting(Delivery::attempts).containsExactly(3);
        assertThat(few.dead.get(1L)).contains("500", "out of order");
    }

    @Test
    void an_attempt_without_an_answer_never_counts() {
        world.receiver.does(request -> Reply.reset(false));
        world.come(1);
        world.pass(3_600_000);

        assertThat(world.dead).isEmpty();
        assertThat(world.topic).extracting(Delivery::attempts).containsExactly(0);
    }

    @Test
    void why_an_attempt_had_no_answer_stays_with_its_delivery() {
        world.receiver.does(request -> Reply.reset(false));
        world.come(1);
        world.pass(3_600_000);

        assertThat(world.topic)
                .extracting(Delivery::unanswered)
                .containsExactly(new Answer.Unanswered(NoAnswer.CONNECTION_CLOSED, "connection reset"));
        assertThat(world.unanswered(NoAnswer.CONNECTION_CLOSED)).isPositive().isEqualTo(world.receiver.posted.size());
        assertThat(world.unanswered(NoAnswer.TIMED_OUT)).isZero();

        DeliveryWorld hanging = DeliveryWorld.ofLivePath(RULES);
        hanging.receiver.does(request -> Reply.hang());
        hanging.come(1);
        hanging.pass(10_000);
        assertThat(hanging.unfinished(hanging.live))
                .extracting(Delivery::unanswered)
                .containsExactly(new Answer.Unanswered(NoAnswer.TIMED_OUT, "no answer within 10 s"));
        assertThat(hanging.unanswered(NoAnswer.TIMED_OUT)).isEqualTo(1);
        hanging.receiver.does(request -> Reply.status(400));
        hanging.pass(60_000);
        assertThat(hanging.letters)
                .as("the letter's, too")
                .extracting(delivery -> delivery.unanswered().kind())
                .containsExactly(NoAnswer.TIMED_OUT);
    }

    @Test
    void attempts_without_an_answer_are_told_once_a_minute_with_their_number_and_why() {
        world.receiver.does(request -> Reply.reset(false));
        for (int second = 0; second < 180; second++) {
            world.come(10);
            world.pass(1_000);
        }

        assertThat(world.log).hasSizeBetween(3, 4);
        assertThat(world.log.get(0))
                .isEqualTo("Attempts to post to http://receiver that had no answer since the start: 1"
                        + " (connection-closed 1). They will be repeated."
                        + " The connection was closed before a status came: connection reset");
        long told = world.log.stream()
                .mapToLong(line -> Long.parseLong(line.replaceAll(".*connection-closed (\\d+).*", "$1")))
                .sum();
        assertThat(told).as("all but those of the last minute").isBetween(20L, (long) world.receiver.posted.size());
    }

    @Test
    void an_attempt_has_its_time_and_a_later_answer_says_nothing() {
        world.receiver.does(request -> Reply.status(200).after(10_001));
        world.come(1);
        world.pass(9_999);
        assertThat(world.receiver.cancelled).isZero();
        world.pass(1);
        assertThat(world.receiver.cancelled).isEqualTo(1);
        world.receiver.does(request -> Reply.status(200));
        world.pass(10_000);

        assertThat(world.delivered).hasSize(1);
    }

    @Test
    void a_burst_waits_for_places_in_its_order_and_nobody_waits_for_it() {
        world.come(30_000);
        assertThat(world.receiver.posted).hasSize(256);
        assertThat(world.unfinished(world.live)).hasSize(30_000);
        assertThat(world.clock.millis()).isEqualTo(START);
        world.pass(1_000);

        assertThat(world.topic).isEmpty();
        assertThat(world.delivered)
                .extracting(delivery -> delivery.eventId().number())
                .isSorted()
                .hasSize(30_000);
        assertThat(world.receiver.maxOpen).isEqualTo(256);
    }

    @Test
    void who_has_waited_for_a_place_for_half_a_minute_goes_aside() {
        world.receiver.does(request -> Reply.status(200).after(9_000));
        world.come(1_500);
        world.pass(29_999);
        assertThat(world.topic).isEmpty();
        world.pass(1);

        assertThat(world.topic)
                .as("at 0, 9, 18 and 27 s there were 256 places")
                .extracting(delivery -> delivery.eventId().number())
                .hasSize(1_500 - 4 * 256)
                .startsWith(4 * 256 + 1L)
                .endsWith(1_500L)
                .isSorted();
        world.pass(20_000);
        assertThat(world.delivered).hasSize(4 * 256);
        assertThat(world.receiver.cancelled).isZero();
    }

    @Test
    void a_receiver_that_takes_one_a_second_gets_what_it_can_and_the_rest_goes_aside() {
        long[] free = {START};
        world.receiver.does(request -> {
            free[0] = Math.max(free[0], world.clock.millis()) + 1_000;
            return Reply.status(200).after(free[0] - world.clock.millis());
        });
        for (int second = 0; second < 120; second++) {
            world.come(100);
            world.pass(1_000);
        }
        world.pass(60_000);

        assertThat(world.unfinished(world.live)).isEmpty();
        assertThat(world.delivered).isNotEmpty();
        assertThat(world.delivered.size() + world.topic.size()).isEqualTo(12_000);
        assertThat(world.dead).isEmpty();
    }

    @Test
    void who_waits_for_a_receiver_that_never_answers_goes_aside_when_the_circuit_opens() {
        world.receiver.does(request -> Reply.hang());
        world.come(1_000);
        world.pass(9_999);
        assertThat(world.topic).isEmpty();
        // In steps, one each millisecond.
        world.pass(10);

        assertThat(world.topic)
                .extracting(delivery -> delivery.eventId().number())
                .hasSize(1_000)
                .doesNotHaveDuplicates();
        assertThat(world.unfinished(world.live)).isEmpty();
    }

    @Test
    void an_answer_whose_body_never_ends_is_one_when_its_time_is_up() {
        world.receiver.does(request -> Reply.hangAfter(request.webhookId().equals("evt_2") ? 400 : 200));
        world.come(3);
        world.pass(9_999);
        assertThat(world.delivered).isEmpty();
        world.pass(1);

        assertThat(world.delivered).hasSize(2);
        assertThat(world.dead).hasSize(1);
        assertThat(world.topic).isEmpty();
    }

    @Test
    void while_the_circuit_is_not_closed_nobody_waits_for_a_place() {
        DeliveryWorld few = DeliveryWorld.ofLivePath(DeliveryWorld.with(1, 8, 12, RULES.success()));
        few.receiver.does(request -> Reply.hang());
        few.come(7);
        few.receiver.does(request -> Reply.reset(false));
        for (int i = 0; i < 20; i++) {
            few.come(1);
            few.pass(5);
        }
        assertThat(few.unfinished(few.live)).as("open").hasSize(7);
        few.receiver.does(request -> Reply.hang());
        few.pass(1_010);
        for (int i = 0; i < 100; i++) {
            few.live.offer(DeliveryWorld.delivery(1_000 + i, few.clock.millis()), 0);
        }

        assertThat(few.unfinished(few.live))
                .as("with a probe, for which there was a place")
                .hasSize(8);
    }

    @Test
    void what_is_slow_while_this_process_stands_still_is_not_the_receivers_fault() {
        world.receiver.does(request -> Reply.status(200).after(9_000));
        world.come(1_000);
        world.pass(8_000);
        world.standStill(3_600_000);
        // The task has its turn before who takes answers from the wire.
        world.live.settle();
        world.live.settle();
        assertThat(world.receiver.cancelled).isZero();
        assertThat(world.topic).isEmpty();
        world.pass(60_000);

        assertThat(world.receiver.posted).hasSize(1_000);
        assertThat(world.delivered).hasSize(1_000);
        assertThat(world.topic).isEmpty();
    }

    @Test
    void a_receiver_that_never_answers_is_found_out_by_a_process_that_hardly_gets_a_turn() {
        world.receiver.does(request -> Reply.hang());
        world.come(1_000);
        for (int turn = 0; turn < 120; turn++) {
            world.standStill(5_000);
            world.live.settle();
        }

        assertThat(world.topic).as("the probes, too").hasSize(1_000);
    }

    @Test
    void a_slow_success_is_a_success_of_the_circuit() {
        DeliveryWorld slow =
                DeliveryWorld.ofLivePath(DeliveryWorld.with(1, 256, 12, RULES.success(), 600_000, RULES.maxBytes()));
        slow.receiver.does(request -> Reply.status(200).after(300_000));
        slow.come(200);
        slow.pass(300_000);
        assertThat(slow.delivered).hasSize(200);
        slow.come(10);

        assertThat(slow.receiver.posted).hasSize(210);
        assertThat(slow.topic).isEmpty();
    }

    @Test
    void more_bytes_than_may_be_held_go_aside_and_one_that_is_larger_than_all_goes_alone() {
        world.receiver.does(request -> Reply.hang());
        byte[] large = new byte[33 << 20];
        Delivery huge = new Delivery(EventId.of(1), large, 0, Delivery.UNKNOWN_SOURCE, START, 0, 0);
        world.live.offer(huge, 0);
        assertThat(world.receiver.posted).hasSize(1);

        world.live.offer(DeliveryWorld.delivery(2, START), 0);
        assertThat(world.topic)
                .extracting(delivery -> delivery.eventId().number())
                .containsExactly(2L);
    }

    @Test
    void what_the_retry_topic_would_not_take_becomes_a_letter_instead_of_stopping_the_job() {
        Delivery huge = new Delivery(
                EventId.of(1), new byte[17 << 20], 0, Delivery.UNKNOWN_SOURCE, START, START + 3_600_000, 0);
        world.live.offer(huge, 0);

        assertThat(world.topic).isEmpty();
        assertThat(world.dead.get(1L)).contains("larger than what the retry topic takes");
    }

    @Test
    void who_is_asked_to_come_back_much_later_goes_to_the_retry_topic_and_says_when() {
        world.receiver.does(request -> Reply.status(429, "60"));
        world.come(1);
        world.pass(10);

        assertThat(world.topic).hasSize(1);
        assertThat(world.topic.get(0).attempts()).isEqualTo(1);
        assertThat(world.topic.get(0).notBeforeMillis()).isEqualTo(START + 5 + 60_000);
        assertThat(world.unfinished(world.live)).isEmpty();
    }

    @Test
    void who_is_asked_to_come_back_soon_waits_and_comes_back_then() {
        world.receiver.does(request -> world.receiver.posted.isEmpty() ? Reply.status(503, "3") : Reply.status(200));
        world.come(1);
        world.pass(60_000);

        assertThat(world.receiver.posted).extracting(Posted::atMillis).containsExactly(START, START + 5 + 3_000);
    }

    @Test
    void an_open_circuit_hands_back_what_waits_and_what_comes_and_probes_after_its_pause() {
        world.receiver.does(request -> Reply.status(500));
        world.come(19);
        world.pass(10);
        assertThat(world.topic).as("19 failures say nothing").isEmpty();
        world.come(1);
        world.pass(10);
        assertThat(world.topic).as("the 20th opens").hasSize(20);
        int posts = world.receiver.posted.size();
        world.come(100);
        assertThat(world.receiver.posted).hasSize(posts);
        assertThat(world.topic).hasSize(120);

        world.pass(1_000);
        world.come(100);
        assertThat(world.receiver.posted).as("probes").hasSize(posts + Breaker.PROBES);
        world.pass(10);
        assertThat(world.topic).as("they failed").hasSize(220);

        world.pass(1_000);
        world.come(10);
        assertThat(world.receiver.posted)
                .as("the second pause is twice as long")
                .hasSize(posts + Breaker.PROBES);
        world.receiver.does(request -> Reply.status(200));
        world.pass(1_000);
        world.come(6);
        world.pass(10);
        assertThat(world.delivered).hasSize(Breaker.PROBES);
        world.come(256);
        world.pass(10);
        assertThat(world.delivered).as("closed again").hasSize(Breaker.PROBES + 256);
    }

    @Test
    void a_queue_that_goes_aside_goes_in_steps_and_whoever_comes_between_them_is_not_held_up() {
        world.come(1_000);
        world.receiver.does(request -> Reply.status(503));
        world.come(10_000);
        // 256 are on their way, and nobody else has been posted.
        assertThat(world.unfinished(world.live)).hasSize(11_000);
        int max = 0;
        int steps = 0;
        while (world.unfinished(world.live).size() > 256 || world.topic.isEmpty()) {
            int before = world.topic.size();
            world.pass(1);
            max = Math.max(max, world.topic.size() - before);
            steps++;
            if (!world.topic.isEmpty() && !world.unfinished(world.live).isEmpty()) {
                assertThat(world.live.millisToNext(false))
                        .as("in the very next turn")
                        .isLessThanOrEqualTo(100);
            }
            assertThat(steps).isLessThan(1_000);
        }

        assertThat(max)
                .as("what was on its way goes aside by its own answers")
                .isLessThanOrEqualTo(2 * Courier.EVENTS_HANDED_BACK_AT_ONCE + RULES.maxInFlight());
        world.pass(900);
        assertThat(world.unfinished(world.live)).isEmpty();
        assertThat(world.topic.size() + world.delivered.size()).isEqualTo(11_000);
    }

    @Test
    void a_step_is_bounded_by_its_bytes_too() {
        byte[] large = ("{\"event_id\":1,\"x\":\"" + "x".repeat(200_000) + "\"}").getBytes(StandardCharsets.UTF_8);
        world.receiver.does(request -> Reply.status(503));
        world.come(256);
        for (int id = 1_000; id < 1_100; id++) {
            world.live.offer(new Delivery(EventId.of(id), large, 0, Delivery.UNKNOWN_SOURCE, START, 0, 0), 0);
        }
        world.clock.set(START + 5);
        world.receiver.answer();
        world.live.settle();

        assertThat(world.topic)
                .filteredOn(delivery -> delivery.eventId().number() >= 1_000)
                .as("half a mebibyte, and what exceeds it")
                .hasSize(3);
        assertThat(world.live.millisToNext(false)).isZero();
        world.live.handBackEverything();
        assertThat(world.unfinished(world.live)).isEmpty();
    }

    @Test
    void pauses_double_to_a_minute() {
        world.receiver.does(request -> Reply.status(500));
        world.come(20);
        world.pass(10);
        long opened = world.clock.millis();
        for (long pause : new long[] {1, 2, 4, 8, 16, 32, 60, 60}) {
            int posts = world.receiver.posted.size();
            world.pass(pause * 1_000 - 50);
            world.come(1);
            assertThat(world.receiver.posted).as("before %s s", pause).hasSize(posts);
            world.pass(60);
            world.come(Breaker.PROBES);
            assertThat(world.receiver.posted).as("after %s s", pause).hasSize(posts + Breaker.PROBES);
            world.pass(5);
        }
        assertThat(world.clock.millis()).isGreaterThan(opened);
    }

    @Test
    void a_final_answer_is_that_of_a_receiver_that_works() {
        world.receiver.does(request -> Reply.status(400));
        world.come(200);
        world.pass(100);

        assertThat(world.topic).isEmpty();
        assertThat(world.dead).hasSize(200);
    }

    @Test
    void answers_to_what_was_posted_before_the_circuit_opened_decide_no_probe() {
        world.receiver.does(request -> Reply.status(200).after(2_000));
        world.come(50);
        world.receiver.does(request -> Reply.reset(false));
        world.come(60);
        world.pass(10);
        assertThat(world.topic).as("open").isNotEmpty();
        world.pass(1_000);
        // Half open, and its five probes hang.
        world.receiver.does(request -> Reply.hang());
        world.come(5);
        world.pass(1_500);
        int posts = world.receiver.posted.size();
        world.come(1);
        assertThat(world.delivered).as("the old ones were answered").hasSize(50);
        assertThat(world.receiver.posted).as("and closed nothing").hasSize(posts);
    }

    @Test
    void a_clock_that_is_set_back_makes_nobody_wait_longer() {
        world.receiver.does(request -> Reply.hang());
        world.come(1);
        world.pass(5_000);
        world.clock.set(START - 3_600_000);
        world.live.settle();
        world.pass(5_000);

        assertThat(world.receiver.cancelled).isEqualTo(1);
    }

    @Test
    void at_the_end_everything_unfinished_is_handed_back() {
        world.receiver.does(request -> request.webhookId().equals("evt_1") ? Reply.status(500) : Reply.hang());
        world.come(10);
        world.pass(6);
        world.live.handBackEverything();

        assertThat(world.topic)
                .extracting(delivery -> delivery.eventId().number())
                .hasSize(10)
                .contains(1L, 10L);
        assertThat(world.unfinished(world.live)).isEmpty();
        assertThat(world.receiver.open).as("on their way").isZero();
    }

    @Test
    void closing_tells_nobody_and_closes_the_poster() {
        world.receiver.does(request -> Reply.hang());
        world.come(10);
        world.live.close();

        assertThat(world.topic).isEmpty();
        assertThat(world.unfinished(world.live)).hasSize(10);
        assertThat(world.receiver.closed).isEqualTo(1);
    }

    @Test
    void a_full_batch_goes_at_once_as_an_array_under_the_hash_of_its_ids() throws Exception {
        DeliveryWorld batching = DeliveryWorld.ofLivePath(DeliveryWorld.batches(3));
        batching.come(3);

        assertThat(batching.receiver.posted).hasSize(1);
        Posted posted = batching.receiver.posted.get(0);
        assertThat(posted.body()).isEqualTo("[" + bodyOf(1) + "," + bodyOf(2) + "," + bodyOf(3) + "]");
        byte[] hash = MessageDigest.getInstance("SHA-256").digest("1,2,3".getBytes(StandardCharsets.UTF_8));
        assertThat(posted.request().webhookId())
                .isEqualTo("bat_" + HexFormat.of().formatHex(hash).substring(0, 32));
        batching.pass(10);
        assertThat(batching.delivered).hasSize(3);
    }

    @Test
    void a_batch_that_does_not_fill_goes_after_its_linger() {
        DeliveryWorld batching = DeliveryWorld.ofLivePath(DeliveryWorld.batches(3));
        batching.come(2);
        assertThat(batching.unfinished(batching.live)).hasSize(2);
        batching.pass(49);
        assertThat(batching.receiver.posted).isEmpty();
        batching.pass(1);
        assertThat(batching.receiver.posted).hasSize(1);
    }

    @Test
    void a_batch_is_the_same_bytes_under_the_same_id_in_its_attempts() {
        DeliveryWorld batching = DeliveryWorld.ofLivePath(DeliveryWorld.batches(3));
        batching.receiver.does(request -> Reply.status(batching.receiver.posted.size() < 3 ? 503 : 200));
        batching.come(3);
        batching.pass(10_000);

        assertThat(batching.receiver.posted).hasSize(4);
        assertThat(batching.receiver.posted)
                .extracting(Posted::body)
                .containsOnly(batching.receiver.posted.get(0).body());
        assertThat(batching.receiver.posted)
                .extracting(posted -> posted.request().webhookId())
                .containsOnly(batching.receiver.posted.get(0).request().webhookId());
        assertThat(batching.delivered).extracting(Delivery::attempts).containsExactly(3, 3, 3);
    }

    @Test
    void a_final_answer_takes_a_batch_apart_and_only_the_bad_event_dies() {
        DeliveryWorld batching = DeliveryWorld.ofLivePath(DeliveryWorld.batches(5));
        batching.receiver.does(request -> Reply.status(holds(request, 3) ? 422 : 200));
        batching.come(5);
        batching.pass(100);

        assertThat(batching.receiver.posted).hasSize(6);
        assertThat(batching.dead).containsOnlyKeys(3L);
        assertThat(batching.delivered)
                .extracting(delivery -> delivery.eventId().number())
                .containsExactlyInAnyOrder(1L, 2L, 4L, 5L);
        assertThat(batching.letters.get(0).attempts())
                .as("the batch's answer was not of this event")
                .isEqualTo(1);
    }

    @Test
    void an_event_that_makes_its_batch_fail_dies_alone() {
        DeliveryWorld batching = DeliveryWorld.ofBothPaths(DeliveryWorld.batches(5), 500, () -> 0.5);
        batching.receiver.does(request -> Reply.status(holds(request, 3) ? 500 : 200));
        batching.come(5);
        batching.pass(3_600_000);

        assertThat(batching.dead).containsOnlyKeys(3L);
        assertThat(batching.letters.get(0).attempts()).isEqualTo(RULES.maxAttempts());
        assertThat(batching.delivered)
                .extracting(delivery -> delivery.eventId().number())
                .containsExactlyInAnyOrder(1L, 2L, 4L, 5L);
    }

    @Test
    void batches_taken_apart_stay_within_what_may_be_in_flight() {
        DeliveryWorld batching = DeliveryWorld.ofLivePath(DeliveryWorld.with(100, 8, 12, RULES.success()));
        batching.receiver.does(request -> Reply.status(request.body().length > 100 ? 413 : 200));
        batching.come(800);
        batching.pass(10_000);

        assertThat(batching.delivered).hasSize(800);
        assertThat(batching.receiver.maxOpen).isEqualTo(8);
    }

    private static boolean holds(Request request, long id) {
        return DeliveryWorld.idsIn(new String(request.body(), StandardCharsets.UTF_8))
                .contains(id);
    }
}
