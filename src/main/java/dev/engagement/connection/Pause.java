package dev.engagement.connection;

import java.io.Serializable;
import java.time.Duration;

/**
 * Lets time pass, for who has nothing else to do: a command of the client between two looks at a server. Whoever waits is
 * given one, so that its test need not wait.
 *
 * <p>Not for the task thread, which would hold up checkpoints; there a timer is set. The one exception is the warehouse's
 * committer, to which Flink gives no later. Serializable because it travels in the job's graph for that committer.
 */
@FunctionalInterface
public interface Pause extends Serializable {

    /**
     * Returns when that time has passed, not before.
     *
     * @param time rounded up to milliseconds; at once if it is zero or negative
     * @throws InterruptedException if the thread is interrupted, before or meanwhile
     */
    void of(Duration time) throws InterruptedException;

    /** The thread sleeps. */
    static Pause real() {
        return RealPause.INSTANCE;
    }
}
