package dev.engagement.writeback;

import java.time.Duration;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import org.apache.flink.api.common.TaskInfo;
import org.apache.flink.api.common.operators.MailboxExecutor;
import org.apache.flink.api.common.state.MapState;
import org.apache.flink.api.common.state.MapStateDescriptor;
import org.apache.flink.api.common.state.ValueState;
import org.apache.flink.runtime.state.KeyGroupRangeAssignment;
import org.apache.flink.runtime.state.StateSnapshotContext;
import org.apache.flink.runtime.state.VoidNamespace;
import org.apache.flink.runtime.state.VoidNamespaceSerializer;
import org.apache.flink.streaming.api.operators.AbstractStreamOperator;
import org.apache.flink.streaming.api.operators.BoundedOneInput;
import org.apache.flink.streaming.api.operators.ChainingStrategy;
import org.apache.flink.streaming.api.operators.OneInputStreamOperator;

/**
 * The end of a branch whose values are written back: what {@link WriteBack} needs of a Flink task. Subclasses begin it when
 * they open, and put values into their places as elements come.
 *
 * <p>An operator with keyed state and not a {@code Sink}, because what is written has to be found again in state.
 *
 * @param <T> element of the stream
 * @param <V> kind of value
 */
public abstract class WriteBackOperator<T, V extends WriteBackValue<V>> extends AbstractStreamOperator<Void>
        implements OneInputStreamOperator<T, Void>, BoundedOneInput {

    private static final long serialVersionUID = 1L;

    /** Longer than nearly all that an I/O thread may be stuck in; one that takes longer ends by itself, later. */
    private static final long CLOSE_SECONDS = 5;

    /** One shard is looked through for what is over, then the next: all of them within about an hour. */
    public static final Duration SWEEP_INTERVAL = Duration.ofSeconds(25);

    private final MailboxExecutor mailbox;

    private transient WriteBack<V> writeBack;
    private transient int[] shards;
    private transient int nextSwept;

    /** @param mailbox of the task */
    protected WriteBackOperator(MailboxExecutor mailbox) {
        this.mailbox = mailbox;
        setChainingStrategy(ChainingStrategy.ALWAYS);
    }

    /**
     * How the values are found in state, and named in logs.
     *
     * @param state of the values, by id
     * @param spread under which shard
     * @param store the store's name, such as {@code Redis at host:6379/0}
     * @param subject what is written, such as {@code the live view}
     * @param ioThread the beginning of the I/O thread's name
     * @param ioThreads makes it
     */
    public record Setting<V extends WriteBackValue<V>>(
            MapStateDescriptor<String, V> state,
            KeyedShownState.Spread spread,
            String store,
            String subject,
            String ioThread,
            IoThreads ioThreads) {}

    /** Takes up what a checkpoint left, and connects in the background; once, by a subclass that opens. */
    protected final WriteBack<V> begin(Setting<V> setting, WriteBackPlan plan, Link<V> link, WriteBackMetrics metrics)
            throws Exception {
        TaskInfo task = getRuntimeContext().getTaskInfo();
        MapState<String, V> values =
                getPartitionedState(VoidNamespace.INSTANCE, VoidNamespaceSerializer.INSTANCE, setting.state());
        ValueState<DirtySet> dirty = plan.keeping() == Keeping.UNTIL_WRITTEN
                ? null
                : getPartitionedState(VoidNamespace.INSTANCE, VoidNamespaceSerializer.INSTANCE, KeyedShownState.DIRTY);
        KeyedShownState<V> state = new KeyedShownState<>(
                getKeyedStateBackend(),
                KeyGroupRangeAssignment.computeKeyGroupRangeForOperatorIndex(
                        task.getMaxNumberOfParallelSubtasks(),
                        task.getNumberOfParallelSubtasks(),
                        task.getIndexOfThisSubtask()),
                task.getMaxNumberOfParallelSubtasks(),
                values,
                dirty,
                setting.spread());
        shards = state.shards();
        ExecutorService io = setting.ioThreads()
                .of(setting.ioThread() + " (" + (task.getIndexOfThisSubtask() + 1) + "/"
                        + task.getNumberOfParallelSubtasks() + ")");
        writeBack = new WriteBack<>(
                state,
                plan,
                link,
                new WriteBack.Environment(
                        setting.store(),
                        setting.subject(),
                        mailbox,
                        getProcessingTimeService(),
                        io,
                        () -> stop(io),
                        () -> ThreadLocalRandom.current().nextDouble()),
                metrics);
        writeBack.open();
        if (plan.keeping() == Keeping.WHILE_ALIVE) {
            scheduleSweep();
        }
        return writeBack;
    }

    private static void stop(ExecutorService io) {
        io.shutdown();
        try {
            // A thread that outlives its task would keep the job's class loader alive.
            boolean ended = io.awaitTermination(CLOSE_SECONDS, TimeUnit.SECONDS);
            if (!ended) {
                io.shutdownNow();
            }
        } catch (InterruptedException e) {
            io.shutdownNow();
            Thread.currentThread().interrupt();
        }
    }

    private void scheduleSweep() {
        ScheduledFuture<?> unused = getProcessingTimeService()
                .registerTimer(
                        getProcessingTimeService().getCurrentProcessingTime() + SWEEP_INTERVAL.toMillis(), time -> {
                            writeBack.sweep(shards[nextSwept++ % shards.length]);
                            scheduleSweep();
                        });
    }

    /** Only values that are not at hand need the key: it is set there, and not for each element. */
    @Override
    public boolean hasKeyContext1() {
        return false;
    }

    @Override
    public void snapshotState(StateSnapshotContext context) throws Exception {
        super.snapshotState(context);
        writeBack.save();
    }

    @Override
    public void endInput() throws Exception {
        writeBack.flush();
    }

    @Override
    public void close() throws Exception {
        // Null if opening failed.
        if (writeBack != null) {
            writeBack.close();
        }
        super.close();
    }
}
