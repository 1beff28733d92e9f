package dev.engagement.rollup.sink;

import static dev.engagement.rollup.sink.SampleRows.views;
import static org.assertj.core.api.Assertions.assertThat;

import dev.engagement.connection.PostgresConnection;
import dev.engagement.connection.SecretRef;
import dev.engagement.event.RollupRow;
import dev.engagement.event.types.EventShards;
import dev.engagement.writeback.WriteBackPlan;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import org.apache.flink.configuration.MemorySize;
import org.apache.flink.contrib.streaming.state.EmbeddedRocksDBStateBackend;
import org.apache.flink.runtime.checkpoint.OperatorSubtaskState;
import org.apache.flink.runtime.state.KeyGroupRangeAssignment;
import org.apache.flink.runtime.state.StateBackend;
import org.apache.flink.runtime.state.VoidNamespace;
import org.apache.flink.runtime.state.hashmap.HashMapStateBackend;
import org.apache.flink.streaming.runtime.tasks.mailbox.Mail;
import org.apache.flink.streaming.util.AbstractStreamOperatorTestHarness;
import org.apache.flink.streaming.util.KeyedOneInputStreamOperatorTestHarness;
import org.apache.flink.util.concurrent.Executors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class RollupTableOperatorTest {

    private static final PostgresConnection TARGET =
            new PostgresConnection("jdbc:postgresql://host/analytics", "job", SecretRef.none());

    private final ScriptedRows database = new ScriptedRows();
    private final List<Subtask> opened = new ArrayList<>();
    private long now = SampleRows.START;

    enum Backend {
        HEAP,
        ROCKSDB;

        StateBackend create() {
            return this == HEAP ? new HashMapStateBackend() : new EmbeddedRocksDBStateBackend();
        }
    }

    @AfterEach
    void close() throws Exception {
        for (Subtask one : opened) {
            one.harness.close();
        }
        opened.clear();
    }

    @ParameterizedTest
    @EnumSource
    void rows_are_written_and_leave_state(Backend backend) throws Exception {
        Subtask subtask = open(backend, 1, null, 1, false).get(0);
        for (int i = 0; i < 500; i++) {
            subtask.send(views("c" + i % 50, 1 + i / 50));
        }
        settle();

        assertThat(database.held).hasSize(50);
        assertThat(database.held.values()).extracting(RollupRow::version).containsOnly(10L);
        subtask.harness.snapshot(1, 1);
        assertThat(subtask.shardsWithRows()).isZero();
    }

    @Test
    void rows_of_windows_that_are_still_open_are_written_only_if_that_is_asked_for() throws Exception {
        Subtask late = open(Backend.HEAP, 1, null, 1, false).get(0);
        late.send(views("a", SampleRows.START, 1, false));
        settle();
        assertThat(database.held).isEmpty();
        late.send(views("a", SampleRows.START, 2, true));
        settle();
        assertThat(database.held).hasSize(1);

        Subtask early = open(Backend.HEAP, 1, null, 1, true).get(0);
        early.send(views("b", SampleRows.START, 1, false));
        settle();
        assertThat(database.held).hasSize(2);
    }

    @Test
    void while_the_database_is_away_only_the_newest_row_of_a_cell_waits() throws Exception {
        Subtask subtask = open(Backend.HEAP, 1, null, 1, false).get(0);
        database.away = "08006";
        for (long version : new long[] {3, 5, 4, 1}) {
            subtask.send(views("a", version));
        }
        settle();
        database.away = null;
        settle();

        assertThat(database.held.values()).extracting(RollupRow::version).containsExactly(5L);
        assertThat(database.transactions).hasSize(1);
    }

    @ParameterizedTest
    @EnumSource
    void a_checkpoint_completes_while_the_database_is_away_and_is_written_at_any_other_parallelism(Backend backend)
            throws Exception {
        List<Subtask> before = open(backend, 3, null, 3, false);
        for (int i = 0; i < 300; i++) {
            before.get(i % 3).send(views("c" + i, 1));
        }
        settle();
        database.away = "57P03";
        for (int i = 300; i < 600; i++) {
            before.get(i % 3).send(views("c" + i, 1));
        }
        List<OperatorSubtaskState> states = new ArrayList<>();
        for (Subtask subtask : before) {
            states.add(subtask.harness.snapshot(1, 1));
        }
        close();
        database.away = null;

        List<Subtask> after = open(
                backend,
                2,
                AbstractStreamOperatorTestHarness.repackageState(states.toArray(new OperatorSubtaskState[0])),
                3,
                false);
        settle();

        assertThat(database.held).hasSize(600);
        for (Subtask subtask : after) {
            subtask.harness.snapshot(2, 2);
            assertThat(subtask.shardsWithRows()).isZero();
        }
    }

    @Test
    void what_is_replayed_after_a_restart_changes_nothing() throws Exception {
        open(Backend.HEAP, 1, null, 1, false).get(0).send(views("a", 5));
        settle();
        close();
        Subtask again = open(Backend.HEAP, 1, null, 1, false).get(0);
        again.send(views("a", 4));
        again.send(views("b", 1));
        settle();

        assertThat(database.held.get(views("a", 1).id()).version()).isEqualTo(5);
        assertThat(database.held).hasSize(2);
    }

    @Test
    void the_first_subtask_removes_old_rows() throws Exception {
        open(Backend.HEAP, 2, null, 2, false);
        settle();

        assertThat(database.removals).startsWith("content_views", "metrics_30s", "metrics_1m", "extremes");
    }

    private List<Subtask> open(
            Backend backend, int parallelism, OperatorSubtaskState stored, int storedParallelism, boolean early)
            throws Exception {
        List<Subtask> subtasks = new ArrayList<>();
        for (int i = 0; i < parallelism; i++) {
            subtasks.add(new Subtask(backend, i, parallelism, stored, storedParallelism, early));
        }
        opened.addAll(subtasks);
        return subtasks;
    }

    /** Long enough for retries and many batches. */
    private void settle() throws Exception {
        for (int i = 0; i < 120; i++) {
            now += 50;
            for (Subtask subtask : opened) {
                subtask.harness.setProcessingTime(now);
                subtask.runMails();
            }
        }
    }

    /** Any key that is the subtask's: the stage decides which one gets a row. */
    private static int keyOf(int subtask, int parallelism) {
        return IntStream.range(0, EventShards.SHARDS)
                .map(EventShards::keyOf)
                .filter(key -> KeyGroupRangeAssignment.assignKeyToParallelOperator(key, EventShards.SHARDS, parallelism)
                        == subtask)
                .findFirst()
                .orElseThrow();
    }

    private final class Subtask {
        final KeyedOneInputStreamOperatorTestHarness<Integer, RollupRow, Void> harness;

        Subtask(
                Backend backend,
                int subtask,
                int parallelism,
                OperatorSubtaskState stored,
                int storedParallelism,
                boolean early)
                throws Exception {
            harness = new KeyedOneInputStreamOperatorTestHarness<>(
                    new RollupTableOperatorFactory(
                            TARGET,
                            SampleRows.ALL,
                            early,
                            database,
                            RollupStreams.limits(MemorySize.ofMebiBytes(64)),
                            WriteBackPlan.BACKOFF,
                            // On the task thread: nothing happens at a time that the test does not choose.
                            name -> Executors.newDirectExecutorService()),
                    row -> keyOf(subtask, parallelism),
                    EventShards.KEY_TYPE,
                    EventShards.SHARDS,
                    parallelism,
                    subtask);
            harness.setStateBackend(backend.create());
            harness.setProcessingTime(now);
            if (stored != null) {
                harness.initializeState(AbstractStreamOperatorTestHarness.repartitionOperatorState(
                        stored, EventShards.SHARDS, storedParallelism, parallelism, subtask));
            }
            harness.open();
            runMails();
        }

        void send(RollupRow row) throws Exception {
            harness.processElement(row, 0);
            runMails();
        }

        long shardsWithRows() {
            return harness.getOperator()
                    .getKeyedStateBackend()
                    .getKeys(RollupTableOperator.PENDING.getName(), VoidNamespace.INSTANCE)
                    .distinct()
                    .count();
        }

        void runMails() throws Exception {
            Optional<Mail> mail = harness.getTaskMailbox().tryTake(0);
            while (mail.isPresent()) {
                mail.get().run();
                mail = harness.getTaskMailbox().tryTake(0);
            }
        }
    }
}
