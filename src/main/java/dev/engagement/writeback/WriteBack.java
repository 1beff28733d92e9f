package dev.engagement.writeback;

import dev.engagement.writeback.WriteBackCache.Held;
import java.util.concurrent.Executor;
import java.util.function.DoubleSupplier;
import org.apache.flink.api.common.operators.MailboxExecutor;
import org.apache.flink.api.common.operators.ProcessingTimeService;

/**
 * The values of a subtask, held and written back. Used by the task thread; {@link #entries}, {@link #bytes},
 * {@link #isRewriting} and {@link #rewrites} by metric reporters too.
 *
 * @param <V> kind of value
 */
public final class WriteBack<V extends WriteBackValue<V>> {

    /**
     * Where it runs.
     *
     * @param store the store's name in logs, such as {@code Redis at host:6379/0}
     * @param subject what is written, in logs, such as {@code the live view}
     * @param mailbox of the task
     * @param time of the task
     * @param io runs one task after the other, on another thread
     * @param stopIo ends that thread
     * @param random within [0, 1)
     */
    public record Environment(
            String store,
            String subject,
            MailboxExecutor mailbox,
            ProcessingTimeService time,
            Executor io,
            Runnable stopIo,
            DoubleSupplier random) {}

    private final WriteBackCache<V> values;
    private final Backlog<V> backlog;
    private final BacklogWriter<V> writer;
    private final ProcessingTimeService time;

    /** Values of {@code state}, brought to the store by {@code link}; {@link #open} comes before all else. */
    public WriteBack(
            ShownState<V> state, WriteBackPlan plan, Link<V> link, Environment environment, WriteBackMetrics metrics) {
        this(state, plan, WriteBackCache.MAX_HELD, link, environment, metrics);
    }

    /** As the other one, with a limit of its own for values that are held beside those that wait. */
    public WriteBack(
            ShownState<V> state,
            WriteBackPlan plan,
            int maxHeld,
            Link<V> link,
            Environment environment,
            WriteBackMetrics metrics) {
        values = new WriteBackCache<>(state, maxHeld, WriteBackCache.MAX_HELD_BYTES);
        backlog = new Backlog<>(
                values,
                state,
                plan.keeping(),
                plan.rewriteOrder(),
                plan.limits(),
                metrics.coalesced,
                metrics.forgotten);
        writer = new BacklogWriter<>(backlog, plan, link, environment, metrics);
        time = environment.time();
    }

    /** Takes up what a checkpoint left, and connects in the background. */
    public void open() throws Exception {
        backlog.restore();
        writer.start();
    }

    /** The place of an id; the same object as long as the element is being handled. */
    public Place<V> place(String id) throws Exception {
        return values.held(id);
    }

    /**
     * Puts a value in its place; it is written once {@link #startIfDue} has been called.
     *
     * @param place of the value's id
     * @param changedParts which parts of it are not as the value before had them
     */
    public void put(Place<V> place, V value, long changedParts) {
        backlog.changed((Held<V>) place, value, changedParts);
    }

    /** An element has been handled: what it changed may be sent. */
    public void startIfDue() throws Exception {
        writer.startIfDue();
    }

    /** Writes into state what a checkpoint has to hold. */
    public void save() throws Exception {
        values.save(nowMillis());
        backlog.save();
    }

    /** Forgets what of a shard is no longer of use. */
    public void sweep(int shard) throws Exception {
        values.sweep(shard, nowMillis());
    }

    /** Waits until the store has everything: the end of a bounded input. */
    public void flush() throws Exception {
        writer.flush();
    }

    /** Ends the attempt that is under way, and the I/O thread. */
    public void close() {
        writer.close();
    }

    /** Whether the store has everything, as far as is known. */
    public boolean isEmpty() {
        return backlog.isEmpty();
    }

    /** Values that wait, those that are to be written again apart. */
    public int entries() {
        return backlog.entries();
    }

    /** About how much memory they hold. */
    public long bytes() {
        return backlog.bytes();
    }

    /** Whether everything is being written again. */
    public boolean isRewriting() {
        return backlog.isRewriting();
    }

    /** How often everything was written again. */
    public long rewrites() {
        return backlog.rewrites();
    }

    private long nowMillis() {
        return time.getCurrentProcessingTime();
    }
}
