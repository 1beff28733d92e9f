package dev.engagement.delivery;

import java.time.Duration;

/**
 * The time in which somebody looked for answers, by which a receiver is judged: who did not look cannot say that nothing
 * came. Each look lets it pass for {@link #LONGEST_UNSEEN} at most; from then on it stands still until the next. So while
 * the JVM stands still, or the task's thread gets no turn, the receiver is not slow.
 *
 * <p>Arithmetic only: it has no clock, and is told what one shows that never goes back. Confined to one thread.
 */
final class ObservedTime {

    /** How often to look, so that all of the time counts. */
    static final Duration LOOK_EVERY = Duration.ofMillis(100);

    /** What counts after a look: a look that comes a little late is none that was left out. */
    static final Duration LONGEST_UNSEEN = LOOK_EVERY.multipliedBy(2);

    private long lookedMillis;
    private long passedMillis;

    /** Begins with 0, and with a look. */
    ObservedTime(long nowMillis) {
        lookedMillis = nowMillis;
    }

    /** Somebody looks: all answers that have come by now are taken in. */
    void look(long nowMillis) {
        passedMillis = at(nowMillis);
        lookedMillis = Math.max(lookedMillis, nowMillis);
    }

    /** Milliseconds that have passed by then, if nobody looks in between; at a time before the last look, those up to it. */
    long at(long nowMillis) {
        return passedMillis + Math.min(Math.max(0, nowMillis - lookedMillis), LONGEST_UNSEEN.toMillis());
    }

    /** When to look again at the latest, by the clock of {@link #look}. */
    long nextLookMillis() {
        return lookedMillis + LOOK_EVERY.toMillis();
    }
}
