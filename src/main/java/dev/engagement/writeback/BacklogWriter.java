package dev.engagement.writeback;

import dev.engagement.connection.Backoff;
import dev.engagement.writeback.Backlog.Taken;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledFuture;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Brings the {@link Backlog} to the store. Everything but the attempt itself happens on the task thread, so nothing here is
 * locked: the I/O thread gets a batch and sends it, and its result comes back through the mailbox. One batch is under way at
 * a time; what changes meanwhile coalesces, so batches grow with the load.
 *
 * <p>Nothing that the store does or answers fails the job or slows it; see {@link Link}.
 *
 * @param <V> kind of value
 */
final class BacklogWriter<V extends WriteBackValue<V>> {

    private static final Logger LOG = LoggerFactory.getLogger(BacklogWriter.class);

    /** How often the store is asked whether it is still the one it was, if nothing else is to be said. */
    static final long HEARTBEAT_MILLIS = 1_000;

    private static final Duration COMPLAINT_INTERVAL = Duration.ofMinutes(1);

    private enum State {
        /** Nothing is under way; a batch may start. */
        IDLE,
        /** A batch starts when the linger time is over. */
        LINGERING,
        /** The I/O thread has a batch. */
        WRITING,
        /** The batch failed; the next one waits. */
        BACKING_OFF,
        CLOSED
    }

    private final Backlog<V> backlog;
    private final WriteBackPlan plan;
    private final Link<V> link;
    private final WriteBack.Environment environment;
    private final WriteBackMetrics metrics;
    private final LogThrottle refusedLog = new LogThrottle(COMPLAINT_INTERVAL);

    private State state = State.IDLE;
    private boolean watched;
    private int failures;
    private long lastStart;

    BacklogWriter(
            Backlog<V> backlog,
            WriteBackPlan plan,
            Link<V> link,
            WriteBack.Environment environment,
            WriteBackMetrics metrics) {
        this.backlog = backlog;
        this.plan = plan;
        this.link = link;
        this.environment = environment;
        this.metrics = metrics;
    }

    /** Connects, and looks after the store from now on, whether there is something to write or not. */
    void start() throws Exception {
        startBatch();
        heartbeat();
    }

    private void heartbeat() {
        at(now() + HEARTBEAT_MILLIS, () -> {
            if (state == State.IDLE && now() - lastStart >= HEARTBEAT_MILLIS) {
                startBatch();
            }
            heartbeat();
        });
    }

    /** Something may have come into the backlog. */
    void startIfDue() throws Exception {
        if (state != State.IDLE || !hasWork()) {
            return;
        }
        long now = now();
        long due = lastStart + plan.limits().linger().toMillis();
        if (now >= due) {
            startBatch();
        } else {
            state = State.LINGERING;
            at(due, this::startBatch);
        }
    }

    private boolean hasWork() {
        return !backlog.isEmpty() || link.hasMore();
    }

    /** Waits until the store has everything: the end of a bounded input. */
    void flush() throws Exception {
        while (hasWork() || state == State.WRITING) {
            startIfDue();
            environment.mailbox().yield();
        }
    }

    private void startBatch() throws Exception {
        long now = now();
        List<Taken<V>> taken = backlog.take(now);
        List<Item<V>> items = new ArrayList<>(taken.size());
        for (Taken<V> each : taken) {
            items.add(each.item());
        }
        Link.Attempt attempt = link.attempt(items, now);
        lastStart = now;
        state = State.WRITING;
        watch(now);
        environment.io().execute(() -> send(taken, attempt));
    }

    /** On the I/O thread. */
    private void send(List<Taken<V>> taken, Link.Attempt attempt) {
        Throwable bug = null;
        try {
            attempt.send();
        } catch (Throwable e) {
            // An I/O thread that died would leave the writer waiting for ever.
            bug = e;
        }
        Throwable failure = bug;
        try {
            environment
                    .mailbox()
                    .execute(
                            () -> {
                                if (failure != null) {
                                    throw new IllegalStateException(
                                            "A batch of " + environment.subject() + " cannot be sent", failure);
                                }
                                cameBack(taken, attempt);
                            },
                            "%s: a batch came back",
                            environment.subject());
        } catch (RejectedExecutionException taskEnds) {
            // Nobody waits for the result any more; state has all that was to be written.
            link.close();
        }
    }

    private void cameBack(List<Taken<V>> taken, Link.Attempt attempt) throws Exception {
        if (state == State.CLOSED) {
            return;
        }
        long now = now();
        Link.Outcome outcome = attempt.outcome(now);
        boolean reached = outcome.incarnation() != null;
        for (int i = 0; i < taken.size(); i++) {
            long missing = outcome.missing()[i];
            if (missing == 0) {
                backlog.written(taken.get(i));
            } else {
                backlog.failed(taken.get(i), missing, reached);
            }
        }
        backlog.cameBack();
        if (outcome.incarnation() != null) {
            backlog.reached(outcome.incarnation(), now);
        }
        String error = outcome.error();
        if (error == null) {
            up();
            state = State.IDLE;
            startIfDue();
        } else {
            // One part of a store that is away must not slow down the others.
            failures = outcome.someDone() ? 1 : failures + 1;
            retryLater(error, outcome.refused(), now);
        }
    }

    private void up() {
        failures = 0;
        metrics.refused(false);
        if (metrics.setUp(true)) {
            LOG.info("{} takes the writes of {} again", environment.store(), environment.subject());
        }
    }

    private void retryLater(String error, boolean refused, long now) {
        metrics.retries.inc();
        metrics.refused(refused);
        boolean wentDown = metrics.setUp(false);
        if (refused) {
            if (refusedLog.isDue(now)) {
                LOG.error("{}. What is to be written waits in state, and is written when it is put right", error);
            }
        } else if (wentDown) {
            LOG.warn(
                    "{} does not take the writes of {}; what is to be written waits in state: {}",
                    environment.store(),
                    environment.subject(),
                    error);
        }
        state = State.BACKING_OFF;
        Backoff wait = refused ? plan.refusedBackoff() : plan.backoff();
        at(now + wait.delayMillis(failures, environment.random().getAsDouble()), this::startBatch);
    }

    /** One timer for all batches, not one each: it looks again while something is under way. */
    private void watch(long now) {
        if (!watched) {
            watched = true;
            at(now + plan.limits().timeout().toMillis(), this::giveUpIfStuck);
        }
    }

    private void giveUpIfStuck() {
        watched = false;
        if (state != State.WRITING) {
            return;
        }
        long now = now();
        if (now - lastStart >= plan.limits().timeout().toMillis()) {
            abort();
            watch(now);
        } else {
            watch(lastStart);
        }
    }

    private void abort() {
        // On a thread of its own: closing a TLS socket waits for whoever is stuck in writing to it.
        Thread closing = new Thread(link::abort, "write-back-abort");
        closing.setDaemon(true);
        closing.start();
    }

    private interface Action {
        void run() throws Exception;
    }

    private void at(long millis, Action action) {
        ScheduledFuture<?> unused = environment.time().registerTimer(millis, time -> {
            if (state != State.CLOSED) {
                action.run();
            }
        });
    }

    private long now() {
        long now = environment.time().getCurrentProcessingTime();
        // Nothing waits until a clock that was set back is where it was.
        lastStart = Math.min(lastStart, now);
        return now;
    }

    void close() {
        boolean writing = state == State.WRITING;
        state = State.CLOSED;
        if (writing) {
            abort();
        }
        environment.io().execute(link::close);
        environment.stopIo().run();
    }
}
