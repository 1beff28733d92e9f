package dev.engagement.delivery;

import io.github.resilience4j.circuitbreaker.CircuitBreaker;
import io.github.resilience4j.circuitbreaker.CircuitBreakerConfig;
import io.github.resilience4j.circuitbreaker.CircuitBreakerConfig.SlidingWindowType;
import java.time.Clock;
import java.time.Duration;
import java.util.concurrent.TimeUnit;

/**
 * Whether the receiver is worth asking. Its scope is one subtask of one path: each finds out for itself, and a few that
 * have found out late do no harm.
 *
 * <p>It opens when half of the last attempts failed, {@value #MIN_ATTEMPTS} to {@value #WINDOW} of them: attempts without
 * an answer and answers that ask for a retry fail; a final answer comes from a receiver that works, and so does a slow one:
 * how slow is too slow, {@code delivery.timeout} alone says. It stays open for a second, twice as long after each time
 * that the probes failed, a minute at most. Then {@value #PROBES} probes decide.
 *
 * <p>Confined to one thread; time passes only by the given clock, and nothing happens by itself: who wants to attempt
 * asks.
 */
final class Breaker {

    /** Attempts that are looked at. */
    static final int WINDOW = 100;

    /** Fewer say nothing. */
    static final int MIN_ATTEMPTS = 20;

    /** Attempts while half open. */
    static final int PROBES = 5;

    static final Duration FIRST_PAUSE = Duration.ofSeconds(1);
    static final Duration LONGEST_PAUSE = Duration.ofSeconds(60);

    /** No call is slow. Unless told, the library counts those beyond a minute, and opens for them. */
    private static final Duration NEVER_SLOW = Duration.ofNanos(Long.MAX_VALUE);

    private static final int MAX_DOUBLINGS = 16;

    /** What the circuit does, with the number that metrics show. */
    enum State {
        CLOSED(0),
        HALF_OPEN(1),
        OPEN(2);

        final int number;

        State(int number) {
            this.number = number;
        }
    }

    private final Clock clock;
    private final CircuitBreaker breaker;
    private long epoch;
    private long pauseEndsMillis;

    /**
     * A closed breaker.
     *
     * @param closedAgain called when the probes have succeeded
     */
    Breaker(Clock clock, Runnable closedAgain) {
        this.clock = clock;
        breaker = CircuitBreaker.of(
                "receiver",
                CircuitBreakerConfig.custom()
                        .clock(clock)
                        .currentTimestampFunction(Clock::millis, TimeUnit.MILLISECONDS)
                        .slidingWindowType(SlidingWindowType.COUNT_BASED)
                        .slidingWindowSize(WINDOW)
                        .minimumNumberOfCalls(MIN_ATTEMPTS)
                        .failureRateThreshold(50)
                        .slowCallDurationThreshold(NEVER_SLOW)
                        .waitIntervalFunctionInOpenState(this::pauseMillis)
                        .permittedNumberOfCallsInHalfOpenState(PROBES)
                        .automaticTransitionFromOpenToHalfOpenEnabled(false)
                        .writableStackTraceEnabled(false)
                        .build());
        breaker.getEventPublisher().onStateTransition(transition -> {
            epoch++;
            if (transition.getStateTransition().getToState() == CircuitBreaker.State.CLOSED) {
                closedAgain.run();
            }
        });
    }

    /** Called once for each time that it opens. */
    private long pauseMillis(int opened) {
        long pause = Math.min(
                LONGEST_PAUSE.toMillis(), FIRST_PAUSE.toMillis() << Math.min(Math.max(opened, 1) - 1, MAX_DOUBLINGS));
        pauseEndsMillis = clock.millis() + pause;
        return pause;
    }

    State state() {
        return switch (breaker.getState()) {
            case OPEN, FORCED_OPEN -> State.OPEN;
            case HALF_OPEN -> State.HALF_OPEN;
            case CLOSED, DISABLED, METRICS_ONLY -> State.CLOSED;
        };
    }

    boolean isClosed() {
        return state() == State.CLOSED;
    }

    /** Whether a permission may be had: not while the pause lasts. */
    boolean mayBeAsked() {
        return state() != State.OPEN || clock.millis() >= pauseEndsMillis;
    }

    /** When the pause ends, in epoch milliseconds; of an open breaker. */
    long pauseEndsMillis() {
        return pauseEndsMillis;
    }

    /**
     * Asks for an attempt, which is then to be reported with the {@link #epoch} that follows.
     *
     * @return whether it is permitted
     */
    boolean permits() {
        return breaker.tryAcquirePermission();
    }

    /** Changes with each change of state: what was permitted before says nothing of the probes. */
    long epoch() {
        return epoch;
    }

    /** An attempt had an answer that the receiver wants to stand by. */
    void succeeded(long permittedIn, long tookMillis) {
        if (permittedIn == epoch) {
            breaker.onSuccess(tookMillis, TimeUnit.MILLISECONDS);
        }
    }

    /** An attempt had no answer, or one that asks for another attempt. */
    void failed(long permittedIn, long tookMillis) {
        if (permittedIn == epoch) {
            breaker.onError(tookMillis, TimeUnit.MILLISECONDS, new AttemptFailedException());
        }
    }

    /** The breaker counts failures and looks into none. */
    private static final class AttemptFailedException extends Exception {
        private static final long serialVersionUID = 1L;

        AttemptFailedException() {
            super(null, null, false, false);
        }
    }
}
