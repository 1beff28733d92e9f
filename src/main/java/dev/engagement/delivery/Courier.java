package dev.engagement.delivery;

import dev.engagement.event.EventId;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.PriorityQueue;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.DoubleSupplier;
import java.util.function.ObjIntConsumer;
import org.jspecify.annotations.Nullable;

/**
 * Brings deliveries to the receiver: the engine of both paths, what is on its way, what waits for its next attempt, the
 * breaker, deadlines and batches. Plain Java; all methods but {@link #hasAnswers} are called on one thread, and none of
 * them waits. Answers come on other threads, are queued, and a wake-up asks for {@link #settle}; time passes only by the
 * given clock.
 *
 * <p><b>Accounting.</b> A delivery that was taken is {@link #unfinished} until exactly one {@link Outcomes} is told of it,
 * and all of them are told from within a call of the courier. So what is unfinished at a checkpoint is all that the
 * checkpoint has to hold, and {@code delivery.max-in-flight-bytes} bounds it, on both paths.
 *
 * <p><b>Bursts and overload.</b> What finds no place in flight waits for one, in its order, and nobody waits for it. On the
 * live path it is handed back when it has waited for {@link #LONGEST_WAIT_FOR_A_PLACE}, when the bytes are full, or when the
 * circuit has opened, so much in each {@link #settle} that nobody beside it has to wait for it: a receiver that keeps up in the mean gets a burst late, and one that does not gets the rest from the drain.
 *
 * <p><b>Judgement.</b> Whether an attempt's time is up, and whether waiting is overload, is a matter of
 * {@link ObservedTime}: while this process stood still, nothing is the receiver's fault.
 *
 * <p><b>Identity.</b> A request of one event is {@code evt_} and its id; with batches, requests are JSON arrays under
 * {@code bat_} and a hash of the ids in them. A request is the same bytes under the same id in all attempts while it stays
 * here.
 *
 * <p><b>Batches.</b> A final answer to several events takes them apart, so that each is posted alone: one bad event never
 * takes its neighbours with it. So does a retry when half of an event's attempts are used up.
 */
final class Courier implements AutoCloseable {

    /** Which of the two paths. */
    enum Path {
        /** Beside the live view and the warehouse: whatever cannot be posted soon is handed back. */
        LIVE,
        /** Behind the retry topic: keeps what is to be tried again, and takes no more than the limiter allows. */
        DRAIN
    }

    /** What becomes of deliveries. */
    interface Outcomes {

        /** The receiver has it. */
        void delivered(Delivery delivery, int status);

        /** It is not tried here any more, and belongs into the retry topic. */
        void handBack(Delivery delivery);

        /** It is never tried again. */
        void undeliverable(Delivery delivery, String error);
    }

    /** On the live path, whoever is not to be tried before so long goes to the retry topic. */
    static final Duration LONGEST_LIVE_WAIT = Duration.ofSeconds(5);

    /** On the live path, whoever has found no place in flight for so long goes there too. */
    static final Duration LONGEST_WAIT_FOR_A_PLACE = Duration.ofSeconds(30);

    /** Attempts without an answer, while others are answered, after which the drain puts a delivery at the topic's tail. */
    static final int UNANSWERED_AT_MOST = 3;

    /** A batch is not made larger than this by its second event or a later one. */
    static final int BATCH_BYTES_AT_MOST = 1024 * 1024;

    /** How much the live path hands back at once: a queue that goes aside as a whole would hold up its task. */
    static final int EVENTS_HANDED_BACK_AT_ONCE = 256;

    static final int BYTES_HANDED_BACK_AT_ONCE = 512 * 1024;

    /** What a request costs beside its body. */
    private static final int OVERHEAD_BYTES = 512;

    private final Path path;
    private final CourierRules rules;
    private final SuccessRule success;
    private final HttpSender sender;
    private final SteadyClock clock;
    private final DoubleSupplier random;
    private final @Nullable RateLimiter limiter;
    private final Outcomes outcomes;
    private final Runnable wakeUp;
    private final DeliveryMetrics metrics;
    private final UnansweredLog log;
    private final Breaker breaker;

    /** On their way, in the order in which their time runs out. */
    private final LinkedHashSet<Attempt> inFlight = new LinkedHashSet<>();

    /** To be posted when their time has come. */
    private final PriorityQueue<PendingRequest> later =
            new PriorityQueue<>(Comparator.comparingLong((PendingRequest pending) -> pending.dueMillis)
                    .thenComparingLong(pending -> pending.order));

    /** Their time has come: to be posted when there is a place, and the limiter allows it, in this order. */
    private final Deque<PendingRequest> ready = new ArrayDeque<>();

    private final Queue<Answered> answers = new ConcurrentLinkedQueue<>();
    private final AtomicBoolean woken = new AtomicBoolean();

    private List<Held> filling = new ArrayList<>();
    private final Set<EventId> fillingIds = new HashSet<>();
    private long fillingBytes;
    private long fillingSinceMillis;

    private final ObservedTime observed;

    /** The circuit has opened: all that waits is to be handed back, in steps. */
    private boolean emptying;

    /** What is left of the step. */
    private int eventsLeft;

    private long bytesLeft;

    /** Whether the last step has left something for the next one. */
    private boolean stepIsFull;

    /** Whether what was to be taken was refused because there was no room for it. */
    private boolean refusedForRoom;

    private long bytes;
    private long order;
    private volatile boolean closed;

    /** A delivery, and where it came from. */
    private record Held(Delivery delivery, int partition) {}

    /** One request, in all its attempts. */
    private static final class PendingRequest {
        List<Held> events;
        final Request request;
        final long order;
        long dueMillis;
        /** Since when it has waited for a place, in observed time. */
        long readySince;

        int tries;
        int unanswered;

        PendingRequest(List<Held> events, Request request, long order, long dueMillis, int tries) {
            this.events = events;
            this.request = request;
            this.order = order;
            this.dueMillis = dueMillis;
            this.tries = tries;
        }

        long bytes() {
            long sum = (long) request.body().length + OVERHEAD_BYTES;
            if (events.size() > 1) {
                for (Held held : events) {
                    sum += held.delivery.body().length;
                }
            }
            return sum;
        }
    }

    private static final class Attempt {
        final PendingRequest pending;
        final long epoch;
        final long startedMillis;
        /** The same in observed time. */
        final long startedObserved;

        HttpSender.@Nullable Attempt request;
        boolean ended;

        Attempt(PendingRequest pending, long epoch, long startedMillis, long startedObserved) {
            this.pending = pending;
            this.epoch = epoch;
            this.startedMillis = startedMillis;
            this.startedObserved = startedObserved;
        }
    }

    private record Answered(Attempt attempt, Answer answer) {}

    /**
     * A courier, whose sender it closes with itself.
     *
     * @param random within [0, 1)
     * @param drainRate events per second of this subtask; for the drain only
     * @param wakeUp called on any thread when there are answers to settle
     */
    Courier(
            Path path,
            CourierRules rules,
            double drainRate,
            HttpSender sender,
            Clock clock,
            DoubleSupplier random,
            Outcomes outcomes,
            Runnable wakeUp,
            DeliveryMetrics metrics,
            UnansweredLog log) {
        this.path = path;
        this.rules = rules;
        this.success = new SuccessRule(rules.success());
        this.sender = sender;
        this.clock = new SteadyClock(clock);
        this.random = random;
        this.outcomes = outcomes;
        this.wakeUp = wakeUp;
        this.metrics = metrics;
        this.log = log;
        observed = new ObservedTime(this.clock.millis());
        limiter = path == Path.DRAIN ? new RateLimiter(drainRate, rules.batchSize(), this.clock.millis()) : null;
        breaker = new Breaker(this.clock, this::closedAgain);
    }

    private void closedAgain() {
        if (limiter != null) {
            limiter.restart(clock.millis());
        }
    }

    /**
     * Takes a delivery. On the live path it may be handed back before this returns; the drain keeps it, and asks
     * {@link #mayTake} before.
     *
     * @param partition told again with what is {@link #unfinished}
     */
    void offer(Delivery delivery, int partition) {
        long now = clock.millis();
        if (isIdle()) {
            // There is no answer that could have come.
            observed.look(now);
        }
        if (path == Path.LIVE) {
            if (!hasRoomFor(delivery)) {
                settle();
            }
            if (!hasRoomFor(delivery)
                    || !breaker.mayBeAsked()
                    || dueMillis(delivery) - now > LONGEST_LIVE_WAIT.toMillis()) {
                handBack(delivery);
                show();
                return;
            }
        }
        enter(new Held(delivery, partition), now);
        show();
    }

    private void enter(Held held, long now) {
        Delivery delivery = held.delivery;
        if (dueMillis(delivery) > now || isPostedAlone(delivery)) {
            start(pending(List.of(held), Math.max(now, dueMillis(delivery)), delivery.attempts()), now);
            return;
        }
        // An event that is here twice, after a replay, is not twice in one batch: receivers stumble over that.
        if (!filling.isEmpty()
                && (fillingBytes + delivery.body().length > BATCH_BYTES_AT_MOST
                        || fillingIds.contains(delivery.eventId()))) {
            seal(now);
        }
        if (filling.isEmpty()) {
            fillingSinceMillis = now;
        }
        filling.add(held);
        fillingIds.add(delivery.eventId());
        fillingBytes += delivery.body().length;
        if (filling.size() >= rules.batchSize() || fillingBytes >= BATCH_BYTES_AT_MOST) {
            seal(now);
        }
    }

    private long dueMillis(Delivery delivery) {
        return clock.fromWall(delivery.notBeforeMillis());
    }

    private boolean isPostedAlone(Delivery delivery) {
        return rules.batchSize() == 1 || delivery.attempts() * 2L >= rules.maxAttempts();
    }

    private void seal(long now) {
        if (!filling.isEmpty()) {
            List<Held> full = filling;
            filling = new ArrayList<>();
            fillingIds.clear();
            fillingBytes = 0;
            int tries = full.stream()
                    .mapToInt(held -> held.delivery.attempts())
                    .max()
                    .orElse(0);
            start(pending(List.copyOf(full), now, tries), now);
        }
    }

    /** A request, which counts from here on. */
    private PendingRequest pending(List<Held> events, long dueMillis, int tries) {
        PendingRequest pending = new PendingRequest(events, request(events), order++, dueMillis, tries);
        bytes += pending.bytes();
        return pending;
    }

    private Request request(List<Held> events) {
        if (rules.batchSize() == 1) {
            Delivery delivery = events.get(0).delivery;
            return new Request("evt_" + delivery.eventId(), delivery.body());
        }
        return Batch.of(events.stream().map(Held::delivery).toList());
    }

    /** Posts it if it may be posted now; else it waits, or goes. */
    private void start(PendingRequest pending, long now) {
        if (pending.dueMillis > now) {
            later.add(pending);
        } else if (ready.isEmpty() && hasPlace() && mayPost(pending, now)) {
            post(pending, now);
        } else if (path == Path.LIVE && !breaker.isClosed()) {
            handBack(pending);
        } else {
            await(pending, now);
        }
    }

    private boolean hasPlace() {
        return inFlight.size() < rules.maxInFlight();
    }

    /** It is due, and waits behind those that were before it. */
    private void await(PendingRequest pending, long now) {
        pending.readySince = observed.at(now);
        ready.add(pending);
    }

    private boolean mayPost(PendingRequest pending, long now) {
        if (!breaker.isClosed()) {
            // Probes are few enough without the limiter.
            return breaker.permits();
        }
        if (limiter != null) {
            if (!limiter.allows(pending.events.size(), now)) {
                return false;
            }
            limiter.take(pending.events.size(), now);
        }
        return breaker.permits();
    }

    private void post(PendingRequest pending, long now) {
        Attempt attempt = new Attempt(pending, breaker.epoch(), now, observed.at(now));
        inFlight.add(attempt);
        attempt.request = sender.post(pending.request, answer -> answered(attempt, answer));
    }

    /** On any thread. */
    private void answered(Attempt attempt, Answer answer) {
        answers.add(new Answered(attempt, answer));
        if (!closed && !woken.getAndSet(true)) {
            wakeUp.run();
        }
    }

    /** Whether {@link #settle} would find answers. Any thread. */
    boolean hasAnswers() {
        return !answers.isEmpty();
    }

    /** Takes in what was answered and what was not in time, and posts what is due. */
    void settle() {
        // First, as an answer that comes while these are looked at has to wake again.
        woken.set(false);
        long now = clock.millis();
        eventsLeft = EVENTS_HANDED_BACK_AT_ONCE;
        bytesLeft = BYTES_HANDED_BACK_AT_ONCE;
        stepIsFull = false;
        takeAnswers(now);
        observed.look(now);
        endOverdue(now);
        log.look(now);
        if (!filling.isEmpty() && now - fillingSinceMillis >= rules.batchLingerMillis()) {
            seal(now);
        }
        pump(now);
        if (emptying) {
            // Who finds it closed again needs not go.
            emptying = !breaker.isClosed() && !handBackWaiting();
        }
        show();
    }

    private void takeAnswers(long now) {
        for (Answered next = answers.poll(); next != null; next = answers.poll()) {
            // Some answer after their time.
            if (!next.attempt.ended) {
                end(next.attempt, next.answer, now);
            }
        }
    }

    private void endOverdue(long now) {
        while (!inFlight.isEmpty()) {
            Attempt oldest = inFlight.iterator().next();
            if (observed.at(now) - oldest.startedObserved < rules.timeoutMillis()) {
                return;
            }
            cancel(oldest);
            // Its status may have come without the rest: that is an answer.
            takeAnswers(now);
            if (!oldest.ended) {
                end(oldest, Answer.Unanswered.of(NoAnswer.TIMED_OUT, "no answer within " + rules.timeoutText()), now);
            }
        }
    }

    private static void cancel(Attempt attempt) {
        if (attempt.request != null) {
            attempt.request.cancel();
        }
    }

    private void end(Attempt attempt, Answer answer, long now) {
        attempt.ended = true;
        inFlight.remove(attempt);
        long took = Math.max(0, now - attempt.startedMillis);
        metrics.postMillis.update(took);
        PendingRequest pending = attempt.pending;
        Verdict verdict = DeliveryVerdict.of(answer, success, clock.toWall(now));
        if (verdict instanceof Verdict.Retry retry) {
            boolean wasClosed = breaker.isClosed();
            breaker.failed(attempt.epoch, took);
            retry(pending, retry, wasClosed, now);
            if (path == Path.LIVE && !breaker.isClosed()) {
                emptying = true;
            }
            return;
        }
        breaker.succeeded(attempt.epoch, took);
        if (verdict instanceof Verdict.Delivered delivered) {
            bytes -= pending.bytes();
            for (Held held : pending.events) {
                metrics.delivered.inc();
                if (held.delivery.committedAtMillis() > 0) {
                    metrics.commitToDeliveredMillis.update(clock.toWall(now) - held.delivery.committedAtMillis());
                }
                outcomes.delivered(held.delivery, delivered.status());
            }
        } else if (verdict instanceof Verdict.Final last) {
            if (pending.events.size() > 1) {
                metrics.retried.inc();
                takeApart(pending, now);
            } else {
                giveUp(pending, last.why());
            }
        }
    }

    private void retry(PendingRequest pending, Verdict.Retry retry, boolean wasClosed, long now) {
        pending.tries++;
        if (retry.answered()
                && pending.events.size() == 1
                && pending.events.get(0).delivery.attempts() + 1 >= rules.maxAttempts()) {
            giveUp(pending, "the attempts ran out: " + retry.why());
            return;
        }
        metrics.retried.inc();
        long due = Math.max(
                now + rules.backoffMillis(pending.tries, random.getAsDouble()),
                clock.fromWall(retry.notBeforeMillis()));
        Answer.Unanswered unanswered =
                retry.noAnswer() == null ? null : Answer.Unanswered.of(retry.noAnswer(), retry.why());
        long notBefore = clock.toWall(due);
        pending.events = pending.events.stream()
                .map(held -> new Held(
                        unanswered == null
                                ? held.delivery.afterAnswer(notBefore)
                                : held.delivery.afterNone(unanswered, notBefore),
                        held.partition))
                .toList();
        if (unanswered != null) {
            metrics.unanswered(unanswered.kind());
            log.add(unanswered, now);
            if (wasClosed) {
                pending.unanswered++;
            }
        }
        boolean goes = path == Path.LIVE
                ? !breaker.isClosed() || due - now > LONGEST_LIVE_WAIT.toMillis()
                : pending.unanswered >= UNANSWERED_AT_MOST && breaker.isClosed();
        if (goes) {
            handBack(pending);
        } else if (pending.events.size() > 1
                && pending.events.stream().anyMatch(held -> isPostedAlone(held.delivery))) {
            takeApart(pending, due);
        } else {
            pending.dueMillis = due;
            later.add(pending);
        }
    }

    private void takeApart(PendingRequest pending, long dueMillis) {
        bytes -= pending.bytes();
        for (Held held : pending.events) {
            later.add(pending(List.of(held), dueMillis, pending.tries));
        }
    }

    private void giveUp(PendingRequest pending, String why) {
        bytes -= pending.bytes();
        metrics.undeliverable.inc();
        outcomes.undeliverable(pending.events.get(0).delivery.afterAnswer(0), why);
    }

    /** Posts what is due, as far as breaker, limiter and room allow; on the live path the rest does not wait for ever. */
    private void pump(long now) {
        for (PendingRequest next = later.peek(); next != null && next.dueMillis <= now; next = later.peek()) {
            await(later.remove(), now);
        }
        for (PendingRequest next = ready.peek(); next != null; next = ready.peek()) {
            if (hasPlace() && mayPost(next, now)) {
                post(ready.remove(), now);
            } else if (path == Path.LIVE && (!breaker.isClosed() || hasWaitedTooLong(next, now))) {
                if (!hasStepLeft()) {
                    return;
                }
                step(ready.remove());
            } else {
                return;
            }
        }
    }

    private boolean hasWaitedTooLong(PendingRequest pending, long now) {
        return observed.at(now) - pending.readySince >= LONGEST_WAIT_FOR_A_PLACE.toMillis();
    }

    /**
     * Hands back what waits, as far as the step goes.
     *
     * @return whether nothing waits any more
     */
    private boolean handBackWaiting() {
        for (Held held : filling) {
            // A batch at the most.
            handBack(held.delivery);
        }
        filling.clear();
        fillingIds.clear();
        fillingBytes = 0;
        while (!ready.isEmpty() || !later.isEmpty()) {
            if (!hasStepLeft()) {
                return false;
            }
            step(ready.isEmpty() ? later.remove() : ready.remove());
        }
        return true;
    }

    private boolean hasStepLeft() {
        stepIsFull = eventsLeft <= 0 || bytesLeft <= 0;
        return !stepIsFull;
    }

    private void step(PendingRequest pending) {
        eventsLeft -= pending.events.size();
        bytesLeft -= pending.request.body().length;
        handBack(pending);
    }

    private void handBack(PendingRequest pending) {
        bytes -= pending.bytes();
        for (Held held : pending.events) {
            handBack(held.delivery);
        }
    }

    private void handBack(Delivery delivery) {
        if (delivery.body().length > RetryRecord.MAX_BODY_BYTES) {
            metrics.undeliverable.inc();
            outcomes.undeliverable(
                    delivery,
                    "it could not be posted yet, and its body (" + delivery.body().length
                            + " bytes) is larger than what the retry topic takes");
            return;
        }
        metrics.diverted.inc();
        outcomes.handBack(delivery);
    }

    /** Nothing is tried here any more: all that is unfinished is handed back, on its way or not. */
    void handBackEverything() {
        settle();
        eventsLeft = Integer.MAX_VALUE;
        bytesLeft = Long.MAX_VALUE;
        handBackWaiting();
        for (Attempt attempt : List.copyOf(inFlight)) {
            attempt.ended = true;
            cancel(attempt);
            handBack(attempt.pending);
        }
        inFlight.clear();
        show();
    }

    /** Whether another event fits in. One that is larger than all that may be held fits in alone. */
    private boolean hasRoomFor(Delivery delivery) {
        return isIdle() || bytes + 2 * fillingBytes + delivery.body().length + OVERHEAD_BYTES <= rules.maxBytes();
    }

    private boolean isIdle() {
        return inFlight.isEmpty() && ready.isEmpty() && later.isEmpty() && filling.isEmpty();
    }

    /** Whether the drain may take this delivery now. While the breaker is not closed, only what probes with. */
    boolean mayTake(Delivery delivery) {
        refusedForRoom = !hasRoomFor(delivery);
        if (refusedForRoom) {
            return false;
        }
        long now = clock.millis();
        if (!breaker.mayBeAsked()) {
            return false;
        }
        if (dueMillis(delivery) > now) {
            // Costs the receiver nothing until then, and what stands behind it may be due.
            return true;
        }
        if (!breaker.isClosed()) {
            return inFlight.size() + ready.size() + filling.size() < Breaker.PROBES;
        }
        return hasPlace() && ready.isEmpty() && (limiter == null || limiter.allows(filling.size() + 1, now));
    }

    /**
     * In how many milliseconds {@link #settle} or {@link #mayTake} may find something to do that no wake-up tells of.
     *
     * @param wantsToOffer whether somebody has a delivery that {@link #mayTake} refused
     * @return at least 0; {@link Long#MAX_VALUE} if there is nothing that time alone brings about
     */
    long millisToNext(boolean wantsToOffer) {
        if (stepIsFull) {
            return 0;
        }
        long next = Long.MAX_VALUE;
        long now = clock.millis();
        if (!inFlight.isEmpty()) {
            // What waits for a place waits for one of these.
            next = Math.min(observed.nextLookMillis(), now + millisToOverdue(now));
        }
        if (!filling.isEmpty()) {
            next = Math.min(next, fillingSinceMillis + rules.batchLingerMillis());
        }
        if (!later.isEmpty()) {
            next = Math.min(next, later.element().dueMillis);
        }
        PendingRequest head = ready.peek();
        if (head != null || wantsToOffer && !refusedForRoom) {
            next = Math.min(next, permittedMillis(head == null ? filling.size() + 1 : head.events.size(), now));
        }
        return next == Long.MAX_VALUE ? next : Math.max(0, next - now);
    }

    /** Until the time of the oldest attempt is up, or the wait for a place, if all of it is observed. */
    private long millisToOverdue(long now) {
        long at = inFlight.iterator().next().startedObserved + rules.timeoutMillis();
        if (path == Path.LIVE && !ready.isEmpty()) {
            at = Math.min(at, ready.element().readySince + LONGEST_WAIT_FOR_A_PLACE.toMillis());
        }
        return at - observed.at(now);
    }

    /** When so many events may be posted, as far as time decides that. */
    private long permittedMillis(int events, long now) {
        if (!hasPlace()) {
            return Long.MAX_VALUE;
        }
        return switch (breaker.state()) {
            // What is on its way from before has to end before somebody else may probe.
            case OPEN ->
                now >= breaker.pauseEndsMillis() && inFlight.size() + filling.size() >= Breaker.PROBES
                        ? Long.MAX_VALUE
                        : Math.max(now + 1, breaker.pauseEndsMillis());
            // The probes' own answers wake, or their deadlines.
            case HALF_OPEN -> Long.MAX_VALUE;
            case CLOSED -> limiter == null ? Long.MAX_VALUE : now + limiter.millisUntil(events, now);
        };
    }

    /** All that was taken and of which no outcome was told, with its partition. */
    void unfinished(ObjIntConsumer<Delivery> to) {
        for (Attempt attempt : inFlight) {
            attempt.pending.events.forEach(held -> to.accept(held.delivery, held.partition));
        }
        for (PendingRequest pending : ready) {
            pending.events.forEach(held -> to.accept(held.delivery, held.partition));
        }
        for (PendingRequest pending : later) {
            pending.events.forEach(held -> to.accept(held.delivery, held.partition));
        }
        filling.forEach(held -> to.accept(held.delivery, held.partition));
    }

    private void show() {
        metrics.show(
                breaker.state(),
                inFlight.size(),
                ready.size() + later.size() + (filling.isEmpty() ? 0 : 1),
                bytes + fillingBytes);
    }

    /** Breaks off what is on its way, without an outcome. */
    @Override
    public void close() {
        closed = true;
        for (Attempt attempt : inFlight) {
            attempt.ended = true;
            cancel(attempt);
        }
        sender.close();
    }

    /** Several events as one request. */
    private static final class Batch {

        private static final int ID_BYTES = 16;

        private Batch() {}

        static Request of(List<Delivery> deliveries) {
            int length = 1 + deliveries.size();
            StringBuilder ids = new StringBuilder();
            for (Delivery delivery : deliveries) {
                length += delivery.body().length;
                ids.append(ids.isEmpty() ? "" : ",").append(delivery.eventId());
            }
            ByteBuffer body = ByteBuffer.allocate(length);
            for (Delivery delivery : deliveries) {
                body.put((byte) (body.position() == 0 ? '[' : ',')).put(delivery.body());
            }
            return new Request(
                    "bat_" + hash(ids.toString()), body.put((byte) ']').array());
        }

        private static String hash(String ids) {
            try {
                byte[] hash = MessageDigest.getInstance("SHA-256").digest(ids.getBytes(StandardCharsets.US_ASCII));
                return HexFormat.of().formatHex(hash, 0, ID_BYTES);
            } catch (NoSuchAlgorithmException e) {
                throw new IllegalStateException("Every Java platform has SHA-256", e);
            }
        }
    }
}
