package dev.engagement.warehouse;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.ByteString;
import dev.engagement.connection.Backoff;
import dev.engagement.connection.testing.ManualPause;
import dev.engagement.deadletter.DeadLetter;
import dev.engagement.deadletter.DeadLetterTypes;
import dev.engagement.deadletter.Reason;
import dev.engagement.event.EnrichedEvent;
import dev.engagement.event.EventId;
import dev.engagement.event.EventJson;
import dev.engagement.event.Samples;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.flink.api.common.serialization.SerializerConfigImpl;
import org.apache.flink.runtime.checkpoint.OperatorSubtaskState;
import org.apache.flink.streaming.api.connector.sink2.CommittableMessage;
import org.apache.flink.streaming.api.connector.sink2.CommittableMessageTypeInfo;
import org.apache.flink.streaming.api.connector.sink2.CommittableSummary;
import org.apache.flink.streaming.api.connector.sink2.CommittableWithLineage;
import org.apache.flink.streaming.runtime.streamrecord.StreamRecord;
import org.apache.flink.streaming.util.AbstractStreamOperatorTestHarness;
import org.apache.flink.streaming.util.OneInputStreamOperatorTestHarness;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class AppendOperatorTest {

    /** Tasks find it by its name, as their plan is serialized. */
    private static final Map<String, FakeBigQuery> SERVERS = new ConcurrentHashMap<>();

    private final FakeBigQuery bigQuery = new FakeBigQuery();
    private final String server = Integer.toHexString(System.identityHashCode(bigQuery)) + SERVERS.size();

    AppendOperatorTest() {
        SERVERS.put(server, bigQuery);
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
        bigQuery.bad.add(2L);
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
                        assertThat(letter.stage()).isEqualTo("warehouse");
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
        bigQuery.label(bigQuery.get(), Map.of("engagement-line", "run", "engagement-checkpoint", "3"));
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
        bigQuery.label(bigQuery.get(), Map.of("engagement-line", "run", "engagement-checkpoint", "5"));
        try (var harness = harness("next", 1, 0)) {
            harness.setRestoredCheckpointId(3);

            assertThatThrownBy(() -> harness.initializeState(state))
                    .isInstanceOf(WarehouseRefusedException.class)
                    .hasMessageContaining("up to checkpoint 5")
                    .hasMessageContaining("from checkpoint 3");
        }
        assertThat(bigQuery.streams).isEmpty();
    }

    private OneInputStreamOperatorTestHarness<EnrichedEvent, CommittableMessage<Appended>> harness(
            String run, int parallelism, int subtask) throws Exception {
        String where = server;
        WritePlan plan = new WritePlan(
                FakeBigQuery.OPTIONS,
                "events",
                run,
                WarehouseWriter.Limits.of(FakeBigQuery.OPTIONS),
                new Backoff(Duration.ofMillis(1), Duration.ofMillis(1)),
                new ManualPause(),
                any -> new Answering(where),
                any -> server(where));
        OneInputStreamOperatorTestHarness<EnrichedEvent, CommittableMessage<Appended>> harness =
                new OneInputStreamOperatorTestHarness<>(new AppendOperator.Factory(plan), 128, parallelism, subtask);
        harness.setup(
                CommittableMessageTypeInfo.of(AppendedSerializer::new).createSerializer(new SerializerConfigImpl()));
        return harness;
    }

    private static FakeBigQuery server(String name) {
        FakeBigQuery server = SERVERS.get(name);
        if (server == null) {
            throw new IllegalStateException("No such server");
        }
        return server;
    }

    /** Everything arrives at once. */
    private static final class Answering implements WriteApi {

        private final FakeBigQuery server;
        private final WriteApi api;
        private final Random random = new Random(1);

        Answering(String name) {
            server = server(name);
            api = server.connect();
        }

        @Override
        public CompletableFuture<Appender> open(@Nullable String stream) {
            var opened = api.open(stream).<Appender>thenApply(appender -> new Appender() {
                @Override
                public String stream() {
                    return appender.stream();
                }

                @Override
                public CompletableFuture<Void> append(List<ByteString> rows, long offset) {
                    var answer = appender.append(rows, offset);
                    arrive();
                    return answer;
                }

                @Override
                public void abandon() {
                    appender.abandon();
                }
            });
            arrive();
            return opened;
        }

        private void arrive() {
            boolean more = true;
            while (more) {
                more = server.step(random);
            }
        }

        @Override
        public CompletableFuture<Void> flush(String stream, long offset) {
            return api.flush(stream, offset);
        }

        @Override
        public void close() {}
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
