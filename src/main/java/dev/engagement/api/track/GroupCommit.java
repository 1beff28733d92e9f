package dev.engagement.api.track;

import dev.engagement.api.read.UnavailableException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Writes what comes at the same time in one transaction. A few threads, each with a connection: whichever is free takes
 * what waits, and commits it; what comes meanwhile waits for the next one, and is its group. Nobody waits for a group
 * to grow.
 *
 * <p>What waits has a bound. When the database turns out to be away, all that wait are told so at once, and who comes
 * within the next moments is told without a try. Thread-safe.
 */
final class GroupCommit implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(GroupCommit.class);

    static final String POSTGRES = "PostgreSQL";

    /** After which to come back when there is no room. */
    private static final Duration FULL_RETRY = Duration.ofSeconds(1);

    private final TrackOptions options;
    private final LongSupplier ticker;
    private final LongAdder written = new LongAdder();
    private final LongAdder groups = new LongAdder();
    private final List<Thread> threads = new ArrayList<>();
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition arrived = lock.newCondition();

    // All below is guarded by the lock.

    private final ArrayDeque<TrackRequest> waiting = new ArrayDeque<>();
    private int waitingEvents;
    private boolean isAway;
    private long awayUntilNanos;
    private boolean closed;

    /**
     * Begins.
     *
     * @param stores makes one for each thread
     * @param ticker nanoseconds, monotonic
     */
    GroupCommit(TrackOptions options, Supplier<GroupStore> stores, LongSupplier ticker) {
        this.options = options;
        this.ticker = ticker;
        for (int i = 1; i <= options.connections(); i++) {
            Thread thread = new Thread(() -> run(stores.get()), "track-" + i);
            thread.setDaemon(true);
            threads.add(thread);
        }
        threads.forEach(Thread::start);
    }

    /**
     * Writes a request, and waits until it is committed or was given up.
     *
     * @throws UnavailableException at once if there is no room or the database was away a moment ago
     */
    TrackAnswer write(TrackRequest request) throws TrackRefusedException, UnavailableException {
        int events = request.events().size();
        lock.lock();
        try {
            if (closed) {
                throw new UnavailableException(POSTGRES, FULL_RETRY, "The API is going away", null);
            }
            long rest = awayUntilNanos - ticker.getAsLong();
            if (isAway && rest > 0) {
                throw new UnavailableException(
                        POSTGRES, Duration.ofNanos(rest), POSTGRES + " did not answer a moment ago", null);
            }
            if (waitingEvents > 0 && waitingEvents + events > options.maxWaitingEvents()) {
                throw new UnavailableException(
                        POSTGRES,
                        FULL_RETRY,
                        "track.max-waiting-events is " + options.maxWaitingEvents() + ", and as many wait",
                        null);
            }
            waiting.add(request);
            waitingEvents += events;
            arrived.signal();
        } finally {
            lock.unlock();
        }
        return request.await();
    }

    /** How many events wait for a connection. */
    int waitingEvents() {
        lock.lock();
        try {
            return waitingEvents;
        } finally {
            lock.unlock();
        }
    }

    /** Events of requests that were answered, repetitions among them. */
    long written() {
        return written.sum();
    }

    /** Groups that were brought to the database. */
    long groups() {
        return groups.sum();
    }

    /** Ends what is under way; what waits is told to come back. */
    @Override
    public void close() {
        lock.lock();
        try {
            closed = true;
            giveUpWaiting(new UnavailableException(POSTGRES, FULL_RETRY, "The API is going away", null));
            arrived.signalAll();
        } finally {
            lock.unlock();
        }
        for (Thread thread : threads) {
            try {
                thread.join();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return;
            }
        }
    }

    private void run(GroupStore store) {
        try (store) {
            for (List<TrackRequest> group = next(); !group.isEmpty(); group = next()) {
                write(group, store);
            }
        }
    }

    /** Waits for requests, and takes as many as make a group; none if this is the end. */
    private List<TrackRequest> next() {
        lock.lock();
        try {
            while (waiting.isEmpty()) {
                if (closed) {
                    return List.of();
                }
                arrived.awaitUninterruptibly();
            }
            List<TrackRequest> group = new ArrayList<>();
            Set<String> keys = new HashSet<>();
            int events = 0;
            Iterator<TrackRequest> each = waiting.iterator();
            while (each.hasNext()) {
                TrackRequest request = each.next();
                int more = request.events().size();
                if (!group.isEmpty() && events + more > options.maxGroupEvents()) {
                    break;
                }
                String key = request.key();
                if (key != null && !keys.add(key)) {
                    // The one before it writes what this one is answered with.
                    continue;
                }
                each.remove();
                group.add(request);
                events += more;
            }
            waitingEvents -= events;
            if (!waiting.isEmpty()) {
                arrived.signal();
            }
            return group;
        } finally {
            lock.unlock();
        }
    }

    private void write(List<TrackRequest> taken, GroupStore store) {
        List<TrackRequest> group = withoutOverdue(taken);
        if (group.isEmpty()) {
            return;
        }
        groups.increment();
        try {
            List<Outcome> outcomes = store.write(group);
            back();
            for (int i = 0; i < group.size(); i++) {
                TrackRequest request = group.get(i);
                if (outcomes.get(i) instanceof Outcome.Answered) {
                    written.add(request.events().size());
                }
                request.end(outcomes.get(i));
            }
        } catch (UnavailableException e) {
            away(e);
            group.forEach(request -> request.end(new Outcome.Away(e)));
        } catch (Throwable e) {
            // Whatever it is, somebody waits for an answer, and others will.
            LOG.error("A group of requests could not be written", e);
            group.forEach(request -> request.fail(e));
        }
    }

    /** What has waited for longer than an answer may take has waited in vain: its client has gone, or is about to. */
    private List<TrackRequest> withoutOverdue(List<TrackRequest> taken) {
        long now = ticker.getAsLong();
        List<TrackRequest> group = new ArrayList<>(taken.size());
        for (TrackRequest request : taken) {
            if (now - request.sinceNanos() > options.timeout().toNanos()) {
                request.end(new Outcome.Away(new UnavailableException(
                        POSTGRES, FULL_RETRY, "No connection was free for " + options.timeout(), null)));
            } else {
                group.add(request);
            }
        }
        return group;
    }

    private void back() {
        lock.lock();
        try {
            isAway = false;
        } finally {
            lock.unlock();
        }
    }

    private void away(UnavailableException why) {
        lock.lock();
        try {
            isAway = true;
            awayUntilNanos = ticker.getAsLong() + why.retryAfter().toNanos();
            giveUpWaiting(why);
        } finally {
            lock.unlock();
        }
    }

    private void giveUpWaiting(UnavailableException why) {
        waiting.forEach(request -> request.end(new Outcome.Away(why)));
        waiting.clear();
        waitingEvents = 0;
    }
}
