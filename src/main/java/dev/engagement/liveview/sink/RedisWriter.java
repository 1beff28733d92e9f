package dev.engagement.liveview.sink;

import dev.engagement.event.EngagementEvent;
import dev.engagement.liveview.LiveValue;
import dev.engagement.liveview.LiveViewKeys;
import dev.engagement.liveview.ScriptedWrite;
import dev.engagement.liveview.Slot;
import dev.engagement.liveview.WriteOutcome;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledFuture;
import java.util.function.DoubleSupplier;
import org.apache.flink.api.common.operators.MailboxExecutor;
import org.apache.flink.api.common.operators.ProcessingTimeService;
import org.apache.flink.api.connector.sink2.StatefulSinkWriter;
import org.apache.flink.metrics.MetricGroup;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import redis.clients.jedis.exceptions.JedisException;

/**
 * Writer of {@link RedisSink}. Everything but the attempt itself happens on the task thread, so nothing here is locked:
 * the I/O thread takes a batch, encodes and sends it, and its result comes back through the mailbox. One batch is under
 * way at a time; what arrives meanwhile coalesces, so batches grow with the load.
 *
 * @param <T> element of the stream
 */
final class RedisWriter<T> implements StatefulSinkWriter<T, ScriptedWrite> {

    private static final Logger LOG = LoggerFactory.getLogger(RedisWriter.class);

    /** What the writer is given; the thread that runs {@code io} runs one task after the other. */
    record Environment(
            String server,
            MailboxExecutor mailbox,
            ProcessingTimeService time,
            Executor io,
            Runnable stopIo,
            DoubleSupplier random,
            MetricGroup metrics) {}

    private enum State {
        /** Nothing is under way; a batch may start. */
        IDLE,
        /** A batch starts when the linger time is over. */
        LINGERING,
        /** The I/O thread has a batch. */
        WRITING,
        /** The batch failed and waits for its retry. */
        BACKING_OFF,
        CLOSED
    }

    private final LiveViewMapping<T> mapping;
    private final LiveViewKeys keys;
    private final WriterLimits limits;
    private final Backoff backoff;
    private final Environment environment;
    private final RedisLink link;
    private final WriterMetrics metrics;
    private final LiveViewMapping.View view = new Pending();

    private final Map<Slot, LiveValue> pending = new LinkedHashMap<>();
    /** From a checkpoint: sent before anything else, since they cannot be compared with values. */
    private final ArrayDeque<Outgoing> restored = new ArrayDeque<>();

    private List<Outgoing> inFlight = List.of();
    private State state = State.IDLE;
    private boolean watched;
    private int failures;
    private long lastStart = Long.MIN_VALUE;
    /** Read by metric reporters. */
    private volatile long pendingBytes;

    private volatile int pendingEntries;

    RedisWriter(
            LiveViewMapping<T> mapping,
            LiveViewKeys keys,
            WriterLimits limits,
            Backoff backoff,
            RedisConnection.Connector connector,
            Environment environment,
            Collection<ScriptedWrite> fromCheckpoint) {
        this.mapping = mapping;
        this.keys = keys;
        this.limits = limits;
        this.backoff = backoff;
        this.environment = environment;
        this.link = new RedisLink(connector);
        this.metrics = new WriterMetrics(environment.metrics(), () -> pendingEntries, () -> pendingBytes);
        for (ScriptedWrite write : fromCheckpoint) {
            added(write.bytes());
            restored.add(new Outgoing(null, write));
        }
        // Even with nothing to write: a wrong password shows at the start and not with the first event.
        startBatch();
    }

    @Override
    public void write(T element, Context context) throws InterruptedException {
        mapping.show(element, view);
        startIfDue();
        if (isFull()) {
            waitForRoom();
        }
    }

    private boolean isFull() {
        return pendingEntries > limits.maxPendingEntries()
                || pendingBytes > limits.maxPending().getBytes();
    }

    private void waitForRoom() throws InterruptedException {
        long since = environment.time().getCurrentProcessingTime();
        while (isFull()) {
            environment.mailbox().yield();
            // Each time, as one who looks during an outage must see it and not only who looks after it.
            long now = environment.time().getCurrentProcessingTime();
            metrics.blockedMillis.inc(Math.max(0, now - since));
            since = now;
        }
    }

    /** Nothing at a checkpoint, which stores what is pending instead of waiting for Redis; all at the end of input. */
    @Override
    public void flush(boolean endOfInput) throws InterruptedException {
        if (!endOfInput) {
            return;
        }
        while (pendingEntries > 0) {
            startIfDue();
            environment.mailbox().yield();
        }
    }

    @Override
    public List<ScriptedWrite> snapshotState(long checkpointId) {
        List<ScriptedWrite> writes = new ArrayList<>(pendingEntries);
        long now = environment.time().getCurrentProcessingTime();
        inFlight.forEach(outgoing -> store(outgoing, now, writes));
        restored.forEach(outgoing -> store(outgoing, now, writes));
        pending.values().forEach(value -> store(new Outgoing(value, null), now, writes));
        return writes;
    }

    private void store(Outgoing outgoing, long now, List<ScriptedWrite> writes) {
        if (outgoing.expiresAtMillis() > now) {
            writes.add(outgoing.encode(keys));
        }
    }

    private void startIfDue() {
        if (state != State.IDLE || pendingEntries == 0) {
            return;
        }
        long now = environment.time().getCurrentProcessingTime();
        long due =
                lastStart == Long.MIN_VALUE ? now : lastStart + limits.linger().toMillis();
        if (now >= due) {
            startBatch();
        } else {
            state = State.LINGERING;
            at(due, this::startBatch);
        }
    }

    /** Starts a batch: what failed before, or else what has waited longest. */
    private void startBatch() {
        long now = environment.time().getCurrentProcessingTime();
        List<Outgoing> batch = new ArrayList<>();
        long bytes = 0;
        for (Outgoing outgoing : inFlight) {
            if (isStillWanted(outgoing, now)) {
                batch.add(outgoing);
            }
        }
        while (batch.size() < limits.maxBatchEntries()
                && bytes < limits.maxBatch().getBytes()
                && !restored.isEmpty()) {
            Outgoing next = restored.remove();
            bytes += next.estimatedBytes();
            batch.add(next);
        }
        Iterator<LiveValue> values = pending.values().iterator();
        while (batch.size() < limits.maxBatchEntries()
                && bytes < limits.maxBatch().getBytes()
                && values.hasNext()) {
            Outgoing next = new Outgoing(values.next(), null);
            values.remove();
            if (isStillWanted(next, now)) {
                bytes += next.estimatedBytes();
                batch.add(next);
            }
        }
        inFlight = batch;
        lastStart = now;
        state = State.WRITING;
        watch(now);
        environment.io().execute(() -> attempt(batch));
    }

    /** Whether it is still to be written; if not, it is counted and forgotten. */
    private boolean isStillWanted(Outgoing outgoing, long now) {
        LiveValue value = outgoing.value();
        if (value == null) {
            return true;
        }
        if (value.expiresAtMillis() <= now) {
            metrics.expired.inc();
            removed(outgoing);
            return false;
        }
        LiveValue waiting = pending.get(value.slot());
        if (waiting != null && waiting.newerThan(value)) {
            metrics.coalesced.inc();
            removed(outgoing);
            return false;
        }
        return true;
    }

    /** On the I/O thread. */
    private void attempt(List<Outgoing> batch) {
        RedisLink.Attempt attempt;
        long bytes = 0;
        try {
            List<ScriptedWrite> writes = new ArrayList<>(batch.size());
            for (Outgoing outgoing : batch) {
                ScriptedWrite write = outgoing.encode(keys);
                bytes += write.bytes();
                writes.add(write);
            }
            attempt = link.attempt(writes);
        } catch (Throwable e) {
            // An I/O thread that died would leave the writer waiting for ever.
            attempt =
                    new RedisLink.Attempt(List.of(), new IllegalStateException("Encoding or sending failed: " + e, e));
        }
        RedisLink.Attempt ended = attempt;
        long sent = bytes;
        try {
            environment.mailbox().execute(() -> onAttempt(ended, sent), "live view: a batch came back");
        } catch (RejectedExecutionException taskEnds) {
            // Nobody waits for the result any more; the checkpoint has what was pending.
            link.close();
        }
    }

    private void onAttempt(RedisLink.Attempt attempt, long bytes) {
        if (state == State.CLOSED) {
            return;
        }
        long now = environment.time().getCurrentProcessingTime();
        String error = null;
        List<Outgoing> remaining = new ArrayList<>();
        if (attempt.failure() != null) {
            RuntimeException failure = attempt.failure();
            if (RedisVerdict.of(failure) == RedisVerdict.TERMINAL) {
                throw failure instanceof JedisException
                        ? refused("refuses the live view", String.valueOf(failure.getMessage()), failure)
                        : new LiveViewRefusedException(
                                "The live view cannot be written: " + failure.getMessage(), failure);
            }
            error = failure.toString();
            remaining.addAll(inFlight);
        } else {
            for (int i = 0; i < inFlight.size(); i++) {
                Outgoing outgoing = inFlight.get(i);
                if (attempt.replies().get(i) instanceof Reply.Failed failed) {
                    repeatable(outgoing, failed.error());
                    error = failed.error();
                    remaining.add(outgoing);
                } else if (attempt.replies().get(i) instanceof Reply.Done done) {
                    acknowledged(outgoing, done.outcome(), now);
                }
            }
        }
        if (error == null) {
            up(inFlight.size(), bytes);
            inFlight = List.of();
            state = State.IDLE;
            startIfDue();
        } else {
            inFlight = remaining;
            retryLater(error, now);
        }
    }

    /** Throws if the error is not one that passes. */
    private void repeatable(Outgoing outgoing, String error) {
        switch (RedisVerdict.ofError(error)) {
            case TRANSIENT, SCRIPT_LOST -> {}
            case OUT_OF_MEMORY -> metrics.redisOutOfMemory.inc();
            case TERMINAL -> throw refused("refuses the write of " + outgoing.encode(keys), error, null);
        }
    }

    private void acknowledged(Outgoing outgoing, WriteOutcome outcome, long now) {
        removed(outgoing);
        metrics.writes.inc();
        switch (outcome) {
            case SUPERSEDED -> metrics.superseded.inc();
            case EXPIRED -> metrics.expired.inc();
            case REPLACED_UNREADABLE -> metrics.unreadableReplaced.inc();
            case WRITTEN -> {
                LiveValue value = outgoing.value();
                if (value != null && value.committedAtMillis() != EngagementEvent.UNKNOWN_TIME) {
                    metrics.commitToVisibleMillis.update(now - value.committedAtMillis());
                }
            }
        }
    }

    private void up(int size, long bytes) {
        failures = 0;
        if (size > 0) {
            metrics.batchSize.update(size);
            metrics.writtenBytes.inc(bytes);
        }
        if (metrics.setUp(true)) {
            LOG.info("Redis at {} takes the live view's writes again", environment.server());
        }
    }

    private void retryLater(String error, long now) {
        failures++;
        metrics.redisRetries.inc();
        if (metrics.setUp(false)) {
            LOG.warn(
                    "Redis at {} does not take the live view's writes; they wait and are repeated until it does: {}",
                    environment.server(),
                    error);
        }
        state = State.BACKING_OFF;
        at(now + backoff.delayMillis(failures, environment.random().getAsDouble()), this::startBatch);
    }

    private LiveViewRefusedException refused(String what, String error, @Nullable Throwable cause) {
        return new LiveViewRefusedException(
                "Redis at " + environment.server() + " " + what + ": " + error
                        + ". Check redis.url, the password and the user's rights (EVALSHA, SCRIPT LOAD,"
                        + " TIME, EXISTS, GET, SET, HGET, HSET, DEL on keys beginning with '" + keys.prefix() + "')",
                cause);
    }

    /** One timer for all batches, not one each: it looks again while something is under way. */
    private void watch(long now) {
        if (!watched) {
            watched = true;
            at(now + limits.patience().toMillis(), this::giveUpIfStuck);
        }
    }

    private void giveUpIfStuck() {
        watched = false;
        if (state != State.WRITING) {
            return;
        }
        long now = environment.time().getCurrentProcessingTime();
        if (now - lastStart >= limits.patience().toMillis()) {
            abort();
            watch(now);
        } else {
            watch(lastStart);
        }
    }

    private void abort() {
        // On a thread of its own: closing a TLS socket waits for whoever is stuck in writing to it.
        Thread closing = new Thread(link::abort, "live-view-abort");
        closing.setDaemon(true);
        closing.start();
    }

    private void at(long millis, Runnable action) {
        ScheduledFuture<?> unused = environment.time().registerTimer(millis, time -> {
            if (state != State.CLOSED) {
                action.run();
            }
        });
    }

    private void added(int bytes) {
        pendingEntries = pendingEntries + 1;
        pendingBytes = pendingBytes + bytes;
    }

    private void removed(Outgoing outgoing) {
        pendingEntries = pendingEntries - 1;
        pendingBytes = pendingBytes - outgoing.estimatedBytes();
    }

    @Override
    public void close() {
        boolean writing = state == State.WRITING;
        state = State.CLOSED;
        if (writing) {
            abort();
        }
        environment.io().execute(link::close);
        environment.stopIo().run();
    }

    /** Where values wait. */
    private final class Pending implements LiveViewMapping.View {

        @Override
        public void show(LiveValue value) {
            if (value.expiresAtMillis() <= environment.time().getCurrentProcessingTime()) {
                metrics.expired.inc();
                return;
            }
            Slot slot = value.slot();
            LiveValue waiting = pending.get(slot);
            if (waiting == null) {
                pending.put(slot, value);
                added(value.estimatedBytes());
                return;
            }
            metrics.coalesced.inc();
            if (value.newerThan(waiting)) {
                pending.put(slot, value);
                pendingBytes = pendingBytes + value.estimatedBytes() - waiting.estimatedBytes();
            }
        }

        @Override
        public void leaveOutFutureDated() {
            metrics.futureDated.inc();
        }
    }

    /** What is sent: a value, or what a checkpoint kept of one. */
    private record Outgoing(
            @Nullable LiveValue value, @Nullable ScriptedWrite write) {

        ScriptedWrite encode(LiveViewKeys keys) {
            return value != null ? value.write(keys) : Objects.requireNonNull(write);
        }

        int estimatedBytes() {
            return value != null
                    ? value.estimatedBytes()
                    : Objects.requireNonNull(write).bytes();
        }

        long expiresAtMillis() {
            return value != null ? value.expiresAtMillis() : LiveValue.NEVER;
        }
    }
}
