package dev.engagement.liveview.sink;

import dev.engagement.connection.Backoff;
import dev.engagement.event.EngagementEvent;
import dev.engagement.event.EnrichedEvent;
import dev.engagement.liveview.LiveViewKeys;
import dev.engagement.liveview.ScriptedWrite;
import dev.engagement.liveview.WriteOutcome;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledFuture;
import java.util.function.DoubleSupplier;
import org.apache.flink.api.common.operators.MailboxExecutor;
import org.apache.flink.api.common.operators.ProcessingTimeService;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Brings the {@link Backlog} to Redis. Everything but the attempt itself happens on the task thread, so nothing here is
 * locked: the I/O thread gets a batch, encodes and sends it, and its result comes back through the mailbox. One batch is
 * under way at a time; what changes meanwhile coalesces, so batches grow with the load.
 *
 * <p>Nothing that Redis does or answers fails the job or slows it: see {@link RedisVerdict}.
 */
final class RedisWriter {

    private static final Logger LOG = LoggerFactory.getLogger(RedisWriter.class);

    /** How often Redis is asked whether it is still the one it was, if nothing else is to be said. */
    static final long HEARTBEAT_MILLIS = 1_000;

    /** A Redis that returns is noticed within a second. */
    static final Backoff BACKOFF = new Backoff(Duration.ofMillis(50), Duration.ofSeconds(1));

    /** What waits for a person is asked less often; a secret that was put right is found within ten seconds. */
    static final Backoff REFUSED_BACKOFF = new Backoff(Duration.ofSeconds(1), Duration.ofSeconds(10));

    private static final Duration COMPLAINT_INTERVAL = Duration.ofMinutes(1);

    /** What the writer is given; the thread that runs {@code io} runs one task after the other. */
    record Environment(
            String server,
            MailboxExecutor mailbox,
            ProcessingTimeService time,
            Executor io,
            Runnable stopIo,
            DoubleSupplier random) {}

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

    private final Backlog backlog;
    private final CachedEvents cachedEvents;
    private final LiveViewKeys keys;
    private final WriterLimits limits;
    private final Backoff backoff;
    private final Backoff refusedBackoff;
    private final Environment environment;
    private final RedisLink link;
    private final LiveViewWriterMetrics metrics;
    private final LogThrottle refusedLog = new LogThrottle(COMPLAINT_INTERVAL);
    private final LogThrottle givenUpLog = new LogThrottle(COMPLAINT_INTERVAL);

    private State state = State.IDLE;
    private boolean watched;
    private int failures;
    private long lastStart;

    RedisWriter(
            Backlog backlog,
            CachedEvents cachedEvents,
            LiveViewKeys keys,
            WriterLimits limits,
            Backoff backoff,
            Backoff refusedBackoff,
            RedisLink link,
            Environment environment,
            LiveViewWriterMetrics metrics) {
        this.backlog = backlog;
        this.cachedEvents = cachedEvents;
        this.keys = keys;
        this.limits = limits;
        this.backoff = backoff;
        this.refusedBackoff = refusedBackoff;
        this.environment = environment;
        this.link = link;
        this.metrics = metrics;
    }

    /** Connects, and looks after Redis from now on, whether there is something to write or not. */
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
        long due = lastStart + limits.linger().toMillis();
        if (now >= due) {
            startBatch();
        } else {
            state = State.LINGERING;
            at(due, this::startBatch);
        }
    }

    private boolean hasWork() {
        return !backlog.isEmpty() || !cachedEvents.isEmpty();
    }

    /** Waits until Redis has everything: the end of a bounded input. */
    void flush() throws Exception {
        while (hasWork() || state == State.WRITING) {
            startIfDue();
            environment.mailbox().yield();
        }
    }

    private void startBatch() throws Exception {
        long now = now();
        List<Backlog.Item> items = backlog.take(now);
        List<EnrichedEvent> cached = cachedEvents.take(Math.max(0, limits.maxBatchEntries() - items.size()));
        lastStart = now;
        state = State.WRITING;
        watch(now);
        Batch batch = new Batch(items, cached);
        environment.io().execute(() -> attempt(batch, now));
    }

    /** On the I/O thread. */
    private void attempt(Batch batch, long now) {
        RedisLink.@Nullable Attempt attempt = null;
        Throwable bug = null;
        try {
            batch.encode(keys, now);
            attempt = link.attempt(batch.writes);
        } catch (Throwable e) {
            // An I/O thread that died would leave the writer waiting for ever.
            bug = e;
        }
        RedisLink.@Nullable Attempt ended = attempt;
        Throwable failure = bug;
        try {
            environment
                    .mailbox()
                    .execute(
                            () -> {
                                if (ended == null) {
                                    throw new IllegalStateException(
                                            "A batch of the live view cannot be encoded", failure);
                                }
                                onAttempt(batch, ended);
                            },
                            "live view: a batch came back");
        } catch (RejectedExecutionException taskEnds) {
            // Nobody waits for the result any more; state has all that was to be shown.
            link.close();
        }
    }

    private void onAttempt(Batch batch, RedisLink.Attempt attempt) throws Exception {
        if (state == State.CLOSED) {
            return;
        }
        long now = now();
        long[] missing = new long[batch.items.size()];
        String error = null;
        boolean refused = false;
        boolean someDone = false;
        int lostFromCache = 0;
        metrics.expired.inc(batch.expiredCount());
        RuntimeException failure = attempt.failure();
        if (failure != null) {
            refused = RedisVerdict.of(failure) == RedisVerdict.REFUSED;
            if (RedisVerdict.of(failure) == RedisVerdict.OUT_OF_MEMORY) {
                metrics.redisOutOfMemory.inc();
            }
            error = refused ? RefusalAdvice.text(environment.server(), keys.prefix(), failure) : failure.toString();
            for (int i = 0; i < missing.length; i++) {
                missing[i] = batch.items.get(i).parts();
            }
            lostFromCache = batch.cached.size();
        } else {
            for (int i = 0; i < batch.writes.size(); i++) {
                if (attempt.replies().get(i) instanceof Reply.Done done) {
                    someDone = true;
                    acknowledged(done.outcome(), batch.committedAtMillis(i), now);
                } else if (attempt.replies().get(i) instanceof Reply.Failed failed) {
                    RedisVerdict verdict = failed.verdict();
                    if (batch.isOfCache(i)) {
                        lostFromCache++;
                    }
                    if (verdict == RedisVerdict.UNUSABLE) {
                        giveUp(batch.writes.get(i), failed.error(), now);
                        continue;
                    }
                    if (verdict == RedisVerdict.OUT_OF_MEMORY) {
                        metrics.redisOutOfMemory.inc();
                    }
                    refused |= verdict == RedisVerdict.REFUSED;
                    error = verdict == RedisVerdict.REFUSED
                            ? RefusalAdvice.text(environment.server(), keys.prefix(), failed.error())
                            : failed.error();
                    if (!batch.isOfCache(i)) {
                        batch.mark(i, missing);
                    }
                }
            }
        }
        for (int i = 0; i < missing.length; i++) {
            if (missing[i] == 0) {
                backlog.shown(batch.items.get(i));
            } else {
                backlog.failed(batch.items.get(i), missing[i]);
            }
        }
        backlog.cameBack();
        cachedEvents.lost(lostFromCache);
        if (attempt.incarnation() != null) {
            backlog.reached(attempt.incarnation(), now);
        }
        if (error == null) {
            up(batch);
            state = State.IDLE;
            startIfDue();
        } else {
            // One master of a cluster that is away must not slow down the others.
            failures = someDone ? 1 : failures + 1;
            retryLater(error, refused, now);
        }
    }

    private void acknowledged(WriteOutcome outcome, long committedAtMillis, long now) {
        metrics.writes.inc();
        switch (outcome) {
            case SUPERSEDED -> metrics.superseded.inc();
            case EXPIRED -> metrics.expired.inc();
            case REPLACED_UNREADABLE -> metrics.unreadableReplaced.inc();
            case WRITTEN -> {
                if (committedAtMillis != EngagementEvent.UNKNOWN_TIME) {
                    metrics.commitToVisibleMillis.update(now - committedAtMillis);
                }
            }
        }
    }

    /** State keeps the value: it is tried again when everything is written again. */
    private void giveUp(ScriptedWrite write, String error, long now) {
        metrics.givenUp.inc();
        if (givenUpLog.isDue(now)) {
            LOG.error(
                    "Redis at {} cannot take the write of {} and others like it, which are given up: {}",
                    environment.server(),
                    write,
                    error);
        }
    }

    private void up(Batch batch) {
        failures = 0;
        if (!batch.writes.isEmpty()) {
            metrics.batchSize.update(batch.writes.size());
            metrics.writtenBytes.inc(batch.bytes());
        }
        metrics.refused(false);
        if (metrics.setUp(true)) {
            LOG.info("Redis at {} takes the live view's writes again", environment.server());
        }
    }

    private void retryLater(String error, boolean refused, long now) {
        metrics.redisRetries.inc();
        metrics.refused(refused);
        boolean wentDown = metrics.setUp(false);
        if (refused) {
            if (refusedLog.isDue(now)) {
                LOG.error("{}. What is to be shown waits in state, and is written when it is put right", error);
            }
        } else if (wentDown) {
            LOG.warn(
                    "Redis at {} does not take the live view's writes; what is to be shown waits in state: {}",
                    environment.server(),
                    error);
        }
        state = State.BACKING_OFF;
        Backoff wait = refused ? refusedBackoff : backoff;
        at(now + wait.delayMillis(failures, environment.random().getAsDouble()), this::startBatch);
    }

    /** One timer for all batches, not one each: it looks again while something is under way. */
    private void watch(long now) {
        if (!watched) {
            watched = true;
            at(now + limits.timeout().toMillis(), this::giveUpIfStuck);
        }
    }

    private void giveUpIfStuck() {
        watched = false;
        if (state != State.WRITING) {
            return;
        }
        long now = now();
        if (now - lastStart >= limits.timeout().toMillis()) {
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
