package dev.engagement.delivery;

import static org.assertj.core.api.Assertions.assertThat;

import dev.engagement.deadletter.DeadLetterTypes;
import dev.engagement.deadletter.Reason;
import dev.engagement.delivery.ScriptedReceiver.Posted;
import dev.engagement.delivery.ScriptedReceiver.Reply;
import dev.engagement.event.EngagementEvent;
import dev.engagement.event.EnrichedEvent;
import dev.engagement.event.EventId;
import dev.engagement.event.EventJson;
import dev.engagement.event.Samples;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.flink.api.common.serialization.SerializerConfigImpl;
import org.apache.flink.runtime.checkpoint.OperatorSubtaskState;
import org.apache.flink.streaming.runtime.tasks.mailbox.Mail;
import org.apache.flink.streaming.util.AbstractStreamOperatorTestHarness;
import org.apache.flink.streaming.util.OneInputStreamOperatorTestHarness;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class DeliverOperatorTest {

    private static final long START = DeliveryWorld.START;

    /** Tasks find it by its name, as their plan is serialized. */
    private static final Map<String, ScriptedReceiver> RECEIVERS = new ConcurrentHashMap<>();

    /** So few bytes that the harness, which keeps state in memory, has room for them. */
    private static final CourierRules FEW_BYTES = DeliveryWorld.with(
            1, 256, 12, DeliveryOptions.Success.ANY_2XX, DeliveryWorld.RULES.timeoutMillis(), 2 << 20);

    private final ManualTime clock = new ManualTime(START);
    private final ScriptedReceiver receiver = new ScriptedReceiver(clock);
    private final String name = "receiver-" + System.identityHashCode(receiver);
    private final List<AutoCloseable> opened = new ArrayList<>();

    private CourierRules rules = DeliveryWorld.RULES;

    DeliverOperatorTest() {
        RECEIVERS.put(name, receiver);
    }

    @AfterEach
    void close() throws Exception {
        RECEIVERS.remove(name);
        for (AutoCloseable one : opened) {
            one.close();
        }
    }

    @Test
    void an_event_is_posted_as_the_enriched_json_that_all_readers_get() throws Exception {
        var harness = started(false, true);
        harness.processElement(Samples.enriched(16, 1), 0);
        assertThat(receiver.posted).hasSize(1);
        assertThat(receiver.posted.get(0).request().body()).isEqualTo(EventJson.enriched(Samples.enriched(16, 1)));
        pass(harness, 10);

        assertThat(harness.extractOutputValues()).isEmpty();
        assertThat(harness.getSideOutput(DeliveryTypes.RECEIPTS))
                .singleElement()
                .satisfies(
                        record -> assertThat(record.getValue()).isEqualTo(new Receipt(EventId.of(16), START + 5, 200)));
        assertThat(unfinished(harness)).isZero();
    }

    @Test
    void receipts_are_written_only_if_they_are_wanted() throws Exception {
        var harness = started(false, false);
        harness.processElement(Samples.enriched(16, 1), 0);
        pass(harness, 10);

        assertThat(harness.getSideOutput(DeliveryTypes.RECEIPTS)).isNull();
    }

    /** By construction: there is nobody else on this thread who could make the receiver answer. */
    @Test
    void whoever_gets_no_answer_holds_up_neither_events_nor_checkpoints() throws Exception {
        receiver.does(request -> Reply.hang());
        rules = FEW_BYTES;
        var harness = started(false, false);
        for (int i = 1; i <= 50_000; i++) {
            harness.processElement(Samples.enriched(i, 1), 0);
        }
        OperatorSubtaskState state = checkpoint(harness, 1);

        assertThat(receiver.posted).hasSize(rules.maxInFlight());
        assertThat(harness.extractOutputValues()).as("what does not fit in").isNotEmpty();
        assertThat(harness.extractOutputValues().size() + unfinished(harness)).isEqualTo(50_000);
        assertThat(state.getManagedOperatorState().stream()
                        .mapToLong(handle -> handle.getStateSize())
                        .sum())
                .as("bytes of state, whatever has come")
                .isLessThan(rules.maxBytes());
        pass(harness, 11_000);
        assertThat(harness.extractOutputValues()).as("the circuit is open").hasSize(50_000);
    }

    @Test
    void a_burst_is_in_a_checkpoint_and_is_tried_again_after_a_restore() throws Exception {
        receiver.does(request -> Reply.hang());
        var first = started(false, false);
        for (int i = 1; i <= 3_000; i++) {
            first.processElement(Samples.enriched(i, 1), 0);
        }
        OperatorSubtaskState state = checkpoint(first, 1);
        receiver.posted.clear();
        receiver.does(request -> Reply.status(200));

        var restored = restored(state);
        pass(restored, 1_000);

        assertThat(receiver.posted)
                .extracting(posted -> posted.request().webhookId())
                .hasSize(3_000)
                .doesNotHaveDuplicates();
        assertThat(restored.extractOutputValues()).isEmpty();
        assertThat(unfinished(restored)).isZero();
    }

    @Test
    void what_gets_no_answer_in_time_is_tried_again_by_the_tasks_own_timer() throws Exception {
        receiver.does(request -> receiver.posted.isEmpty() ? Reply.hang() : Reply.status(200));
        var harness = started(false, false);
        harness.processElement(Samples.enriched(1, 1), 0);
        pass(harness, 11_000);

        assertThat(receiver.cancelled).isEqualTo(1);
        assertThat(receiver.posted).hasSize(2);
        assertThat(unfinished(harness)).isZero();
    }

    @Test
    void a_final_answer_makes_a_letter_that_says_where_the_event_stood() throws Exception {
        receiver.does(request -> Reply.body(400, "no such user"));
        EnrichedEvent bad = Samples.enriched(16, 1);
        var harness = started(false, false);
        harness.processElement(bad, 0);
        pass(harness, 10);

        assertThat(harness.getSideOutput(DeadLetterTypes.DEAD_LETTERS))
                .singleElement()
                .satisfies(record -> {
                    var letter = record.getValue();
                    assertThat(letter.reason()).isEqualTo(Reason.UNDELIVERABLE);
                    assertThat(letter.stage()).isEqualTo("deliver");
                    assertThat(letter.error()).contains("400", "no such user");
                    assertThat(letter.attempts()).isEqualTo(1);
                    assertThat(letter.eventId()).isEqualTo(EventId.of(16));
                    assertThat(letter.source().topic()).isEqualTo("events");
                    assertThat(letter.source().partition())
                            .isEqualTo(bad.event().position().partition());
                    assertThat(letter.source().offset())
                            .isEqualTo(bad.event().position().offset());
                    assertThat(letter.payload()).isEqualTo(EventJson.enriched(bad));
                });
    }

    @Test
    void snapshot_rows_are_left_out_unless_they_are_wanted() throws Exception {
        var without = started(false, false);
        without.processElement(snapshot(1), 0);
        without.processElement(Samples.enriched(2, 1), 0);
        assertThat(receiver.posted)
                .extracting(posted -> posted.request().webhookId())
                .containsExactly("evt_2");

        var with = started(true, false);
        with.processElement(snapshot(3), 0);
        assertThat(receiver.posted)
                .extracting(posted -> posted.request().webhookId())
                .containsExactly("evt_2", "evt_3");
    }

    @Test
    void at_the_end_of_the_input_all_that_is_unfinished_is_handed_back() throws Exception {
        receiver.does(request -> Reply.hang());
        var harness = started(false, false);
        for (int i = 1; i <= 10; i++) {
            harness.processElement(Samples.enriched(i, 1), 0);
        }
        harness.endInput();

        assertThat(harness.extractOutputValues()).hasSize(10);
        assertThat(unfinished(harness)).isZero();
    }

    @Test
    void what_was_unfinished_is_tried_again_after_a_restore_under_the_same_id_with_the_same_bytes() throws Exception {
        receiver.does(request -> Reply.status(503));
        var first = started(false, false);
        first.processElement(Samples.enriched(1, 1), 0);
        pass(first, 6);
        receiver.does(request -> Reply.hang());
        first.processElement(Samples.enriched(2, 1), 0);
        OperatorSubtaskState state = checkpoint(first, 1);
        Posted before = receiver.posted.get(0);
        receiver.posted.clear();
        receiver.does(request -> Reply.status(200));

        var restored = restored(state);
        pass(restored, 10_000);

        assertThat(receiver.posted)
                .extracting(posted -> posted.request().webhookId())
                .containsExactlyInAnyOrder("evt_1", "evt_2");
        assertThat(receiver.posted)
                .anySatisfy(posted -> assertThat(posted.body()).isEqualTo(before.body()));
        assertThat(unfinished(restored)).isZero();
    }

    @Test
    void a_restore_with_fewer_subtasks_hands_back_what_has_no_room() throws Exception {
        receiver.does(request -> Reply.hang());
        rules = FEW_BYTES;
        List<OperatorSubtaskState> states = new ArrayList<>();
        int each = 2_000;
        for (int subtask = 0; subtask < 3; subtask++) {
            var harness = harness(false, false, 3, subtask);
            harness.open();
            for (int i = 0; i < each; i++) {
                harness.processElement(Samples.enriched(1 + i * 3L + subtask, 1), 0);
            }
            states.add(checkpoint(harness, 1));
        }
        OperatorSubtaskState all =
                AbstractStreamOperatorTestHarness.repackageState(states.toArray(new OperatorSubtaskState[0]));
        receiver.posted.clear();

        var restored = harness(false, false, 1, 0);
        restored.initializeState(AbstractStreamOperatorTestHarness.repartitionOperatorState(all, 128, 3, 1, 0));
        restored.open();
        assertThat(unfinished(restored)).as("before they are tried again").isEqualTo(3 * each);
        mails(restored);

        assertThat(receiver.posted).hasSize(DeliveryWorld.RULES.maxInFlight());
        assertThat(restored.extractOutputValues()).as("handed back").isNotEmpty();
        int kept = unfinished(restored);
        assertThat(kept).isGreaterThan(each);
        restored.endInput();
        assertThat(restored.extractOutputValues())
                .extracting(Delivery::eventId)
                .as("with what was kept")
                .hasSize(3 * each)
                .doesNotHaveDuplicates();
    }

    @Test
    void an_answer_that_came_before_a_checkpoint_is_not_in_it() throws Exception {
        var harness = started(false, false);
        harness.processElement(Samples.enriched(1, 1), 0);
        clock.set(START + 5);
        receiver.answer();
        harness.prepareSnapshotPreBarrier(1);

        assertThat(unfinished(harness)).isZero();
    }

    private OneInputStreamOperatorTestHarness<EnrichedEvent, Delivery> started(
            boolean includeSnapshot, boolean receipts) throws Exception {
        var harness = harness(includeSnapshot, receipts, 1, 0);
        harness.open();
        return harness;
    }

    private OneInputStreamOperatorTestHarness<EnrichedEvent, Delivery> restored(OperatorSubtaskState state)
            throws Exception {
        var harness = harness(false, false, 1, 0);
        harness.initializeState(state);
        harness.open();
        mails(harness);
        return harness;
    }

    private OneInputStreamOperatorTestHarness<EnrichedEvent, Delivery> harness(
            boolean includeSnapshot, boolean receipts, int parallelism, int subtask) throws Exception {
        String where = name;
        DeliveryPlan plan = new DeliveryPlan(
                rules,
                () -> RECEIVERS.get(where).sender(),
                includeSnapshot,
                receipts,
                500,
                Duration.ofDays(1),
                "events",
                "http://receiver");
        OneInputStreamOperatorTestHarness<EnrichedEvent, Delivery> harness =
                new OneInputStreamOperatorTestHarness<>(new DeliverOperatorFactory(plan), 128, parallelism, subtask);
        harness.setup(DeliveryTypes.DELIVERY.createSerializer(new SerializerConfigImpl()));
        harness.setProcessingTime(clock.millis());
        opened.add(harness);
        return harness;
    }

    /** Time passes, and what comes of it. */
    private void pass(OneInputStreamOperatorTestHarness<EnrichedEvent, Delivery> harness, long millis)
            throws Exception {
        long until = clock.millis() + millis;
        while (clock.millis() < until) {
            clock.set(clock.millis() + 1);
            receiver.answer();
            harness.setProcessingTime(clock.millis());
            mails(harness);
        }
    }

    private static void mails(OneInputStreamOperatorTestHarness<EnrichedEvent, Delivery> harness) throws Exception {
        Optional<Mail> mail = harness.getTaskMailbox().tryTake(0);
        while (mail.isPresent()) {
            mail.get().run();
            mail = harness.getTaskMailbox().tryTake(0);
        }
    }

    private static OperatorSubtaskState checkpoint(
            OneInputStreamOperatorTestHarness<EnrichedEvent, Delivery> harness, long id) throws Exception {
        harness.prepareSnapshotPreBarrier(id);
        return harness.snapshot(id, id);
    }

    private static int unfinished(OneInputStreamOperatorTestHarness<EnrichedEvent, Delivery> harness) throws Exception {
        harness.snapshot(99, 99);
        int count = 0;
        var state = harness.getOperator().getOperatorStateBackend().getListState(DeliverOperator.UNFINISHED);
        for (Delivery ignored : state.get()) {
            count++;
        }
        return count;
    }

    private static EnrichedEvent snapshot(long id) {
        EnrichedEvent enriched = Samples.enriched(id, 1);
        EngagementEvent of = enriched.event();
        return new EnrichedEvent(
                new EngagementEvent(
                        of.id(),
                        of.contentId(),
                        of.userId(),
                        of.eventType(),
                        of.eventTsMicros(),
                        of.durationMs(),
                        of.device(),
                        of.rawPayload(),
                        true,
                        EngagementEvent.UNKNOWN_TIME,
                        of.position()),
                enriched.content(),
                enriched.engagement());
    }
}
