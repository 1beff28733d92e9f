package dev.engagement.rowstore;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.engagement.connection.testing.ManualPause;
import dev.engagement.deadletter.DeadLetter;
import dev.engagement.deadletter.DeadLetterTypes;
import dev.engagement.deadletter.Reason;
import dev.engagement.event.EnrichedEvent;
import dev.engagement.event.EventId;
import dev.engagement.event.EventJson;
import dev.engagement.event.Samples;
import java.util.List;
import org.apache.flink.api.common.serialization.SerializerConfigImpl;
import org.apache.flink.runtime.checkpoint.OperatorSubtaskState;
import org.apache.flink.streaming.api.connector.sink2.CommittableMessage;
import org.apache.flink.streaming.api.connector.sink2.CommittableMessageTypeInfo;
import org.apache.flink.streaming.api.connector.sink2.CommittableSummary;
import org.apache.flink.streaming.api.connector.sink2.CommittableWithLineage;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;
import org.apache.flink.streaming.util.AbstractStreamOperatorTestHarness;
import org.apache.flink.streaming.util.OneInputStreamOperatorTestHarness;
import org.junit.jupiter.api.Test;

class AppendOperatorTest {

    private final FakeStore store = new FakeStore();

    AppendOperatorTest() {
        store.arrivesAtOnce = true;
    }

    @Test
    void what_is_to_be_committed_names_its_checkpoint_and_its_line() throws Exception {
        try (var harness = harness("run", 1, 0)) {
            harness.open();
            harness.processElement(Samples.enriched(1, 1), 0);
            List<CommittableMessage<Appended>> messages = checkpoint(harness, 7);

            assertThat(messages).hasSize(2);
            assertThat(messages.get(0)).isInstanceOfSatisfying(CommittableSummary.class, summary -> {
                assertThat(summary.getNumberOfCommittables()).isEqualTo(1);
                assertThat(summary.getCheckpointIdOrEOI()).isEqualTo(7);
            });
            Appended appended = appended(messages.get(1));
            assertThat(appended.checkpoint()).isEqualTo(7);
            assertThat(appended.lastOffset()).isZero();
            assertThat(appended.line()).isEqualTo(new CheckpointLineage("run", List.of()));
        }
    }

    @Test
    void a_checkpoint_without_rows_commits_nothing() throws Exception {
        try (var harness = harness("run", 1, 0)) {
            harness.open();

            assertThat(checkpoint(harness, 1)).singleElement().isInstanceOf(CommittableSummary.class);
        }
    }

    @Test
    void the_end_of_the_input_commits_as_the_next_checkpoint() throws Exception {
        try (var harness = harness("run", 1, 0)) {
            harness.open();
            checkpoint(harness, 4);
            harness.processElement(Samples.enriched(1, 1), 0);
            harness.getOutput().clear();
            harness.endInput();

            assertThat(appended(messages(harness).get(1)).checkpoint()).isEqualTo(5);
            harness.getOutput().clear();
            assertThat(checkpoint(harness, 6)).as("the final one").isEmpty();
        }
    }

    @Test
    void a_refused_row_becomes_a_letter_before_its_checkpoint() throws Exception {
        store.bad.add(2L);
        EnrichedEvent bad = Samples.enriched(2, 1);
        try (var harness = harness("run", 1, 0)) {
            harness.open();
            harness.processElement(Samples.enriched(1, 1), 0);
            harness.processElement(bad, 0);
            checkpoint(harness, 1);

            assertThat(harness.getSideOutput(DeadLetterTypes.DEAD_LETTERS))
                    .singleElement()
                    .satisfies(record -> {
                        DeadLetter letter = record.getValue();
                        assertThat(letter.reason()).isEqualTo(Reason.REJECTED);
                        assertThat(letter.stage()).isEqualTo("shop");
                        assertThat(letter.error()).isEqualTo("bad row 2");
                        assertThat(letter.eventId()).isEqualTo(EventId.of(2));
                        assertThat(letter.source().topic()).isEqualTo("events");
                        assertThat(letter.source().offset())
                                .isEqualTo(bad.event().position().offset());
                        assertThat(letter.payload()).isEqualTo(EventJson.enriched(bad));
                    });
        }
    }

    @Test
    void the_line_reaches_every_subtask_at_another_parallelism() throws Exception {
        OperatorSubtaskState both;
        try (var first = harness("run", 2, 0);
                var second = harness("run", 2, 1)) {
            first.open();
            second.open();
            both = AbstractStreamOperatorTestHarness.repackageState(first.snapshot(3, 0), second.snapshot(3, 0));
        }
        store.labelled("run", 3);
        for (int subtask = 0; subtask < 3; subtask++) {
            try (var harness = harness("next", 3, subtask)) {
                harness.setRestoredCheckpointId(3);
                harness.initializeState(
                        AbstractStreamOperatorTestHarness.repartitionOperatorState(both, 128, 2, 3, subtask));
                harness.open();
                harness.processElement(Samples.enriched(subtask, 1), 0);

                assertThat(appended(checkpoint(harness, 4).get(1)).line())
                        .isEqualTo(
                                new CheckpointLineage("next", List.of(new CheckpointLineage.FencingLabel("run", 3))));
            }
        }
    }

    @Test
    void a_checkpoint_older_than_the_table_is_refused_before_anything_is_written() throws Exception {
        OperatorSubtaskState state;
        try (var harness = harness("run", 1, 0)) {
            harness.open();
            state = harness.snapshot(3, 0);
        }
        store.labelled("run", 5);
        try (var harness = harness("next", 1, 0)) {
            harness.setRestoredCheckpointId(3);

            assertThatThrownBy(() -> harness.initializeState(state))
                    .isInstanceOf(RowStoreRefusedException.class)
                    .hasMessageContaining("up to checkpoint 5")
                    .hasMessageContaining("from checkpoint 3");
        }
        assertThat(store.streams).isEmpty();
    }

    private OneInputStreamOperatorTestHarness<EnrichedEvent, CommittableMessage<Appended>> harness(
            String run, int parallelism, int subtask) throws Exception {
        RowPlan plan = new RowPlan(store.store(false, RowWriterTest.LIMITS), "events", run, new ManualPause());
        OneInputStreamOperatorTestHarness<EnrichedEvent, CommittableMessage<Appended>> harness =
                new OneInputStreamOperatorTestHarness<>(new AppendOperator.Factory(plan), 128, parallelism, subtask);
        harness.setup(CommittableMessageTypeInfo.of(() -> new AppendedSerializer(false))
                .createSerializer(new SerializerConfigImpl()));
        return harness;
    }

    private static List<CommittableMessage<Appended>> checkpoint(
            OneInputStreamOperatorTestHarness<EnrichedEvent, CommittableMessage<Appended>> harness, long id)
            throws Exception {
        harness.getOutput().clear();
        harness.prepareSnapshotPreBarrier(id);
        harness.snapshot(id, 0);
        return messages(harness);
    }

    private static List<CommittableMessage<Appended>> messages(
            OneInputStreamOperatorTestHarness<EnrichedEvent, CommittableMessage<Appended>> harness) {
        return harness.getOutput().stream()
                .<CommittableMessage<Appended>>map(record -> {
                    @SuppressWarnings("unchecked") // the operator's output
                    StreamRecord<CommittableMessage<Appended>> message =
                            (StreamRecord<CommittableMessage<Appended>>) record;
                    return message.getValue();
                })
                .toList();
    }

    private static Appended appended(CommittableMessage<Appended> message) {
        return ((CommittableWithLineage<Appended>) message).getCommittable();
    }
}
