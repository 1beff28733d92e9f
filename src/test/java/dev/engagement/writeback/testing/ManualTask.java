package dev.engagement.writeback.testing;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.Delayed;
import java.util.concurrent.Executor;
import java.util.concurrent.FutureTask;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import org.apache.flink.api.common.operators.MailboxExecutor;
import org.apache.flink.api.common.operators.ProcessingTimeService;
import org.apache.flink.util.function.ThrowingRunnable;

/**
 * A task of one thread, the test's: its mailbox, its clock and its I/O thread do nothing until they are told to.
 *
 * <p>When the task waits in its mailbox and the mailbox is empty, first the I/O thread works, then time passes to the next
 * timer; a wait without either would last for ever and fails.
 */
public final class ManualTask implements MailboxExecutor, ProcessingTimeService {

    private static final int MAX_WAITS = 1_000;

    private record Timer(long millis, long order, ProcessingTimeCallback callback) {}

    private final Deque<ThrowingRunnable<? extends Exception>> mails = new ArrayDeque<>();
    private final Deque<Runnable> io = new ArrayDeque<>();
    private final List<Timer> timers = new ArrayList<>();
    private long now;
    private long order;
    private boolean ioStopped;
    private int waits;

    public ManualTask(long now) {
        this.now = now;
    }

    public Executor io() {
        return io::add;
    }

    public void stopIo() {
        ioStopped = true;
    }

    public boolean isIoStopped() {
        return ioStopped;
    }

    /** The I/O thread does what it was given, and the mailbox what came of it, until both are empty. */
    public void runAll() throws Exception {
        while (!io.isEmpty() || !mails.isEmpty()) {
            runIo();
            runMails();
        }
    }

    public void runIo() {
        while (!io.isEmpty()) {
            io.remove().run();
        }
    }

    public void runMails() throws Exception {
        while (!mails.isEmpty()) {
            mails.remove().run();
        }
    }

    public boolean hasIo() {
        return !io.isEmpty();
    }

    /** Time passes, without the I/O thread working. */
    public void pass(long millis) throws Exception {
        long until = now + millis;
        while (true) {
            Timer next = next();
            if (next == null || next.millis > until) {
                break;
            }
            fire(next);
        }
        now = until;
    }

    /** The clock is set back; what waits goes on waiting for as long as it would have. */
    public void setBack(long millis) {
        now -= millis;
        timers.replaceAll(timer -> new Timer(timer.millis - millis, timer.order, timer.callback));
    }

    private Timer next() {
        return timers.stream()
                .min(Comparator.comparingLong(Timer::millis).thenComparingLong(Timer::order))
                .orElse(null);
    }

    private void fire(Timer timer) throws Exception {
        timers.remove(timer);
        now = Math.max(now, timer.millis);
        timer.callback.onProcessingTime(timer.millis);
    }

    @Override
    public void execute(
            MailOptions options,
            ThrowingRunnable<? extends Exception> command,
            String descriptionFormat,
            Object... descriptionArgs) {
        mails.add(command);
    }

    @Override
    public void yield() {
        if (++waits > MAX_WAITS) {
            throw new AssertionError("The task waited " + MAX_WAITS + " times: what it waits for does not come");
        }
        try {
            while (mails.isEmpty()) {
                if (!io.isEmpty()) {
                    io.remove().run();
                } else {
                    Timer next = next();
                    if (next == null) {
                        throw new AssertionError("The task would wait for ever");
                    }
                    fire(next);
                }
            }
            mails.remove().run();
        } catch (RuntimeException e) {
            throw e;
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }

    @Override
    public boolean tryYield() {
        throw new UnsupportedOperationException();
    }

    @Override
    public boolean shouldInterrupt() {
        return false;
    }

    @Override
    public long getCurrentProcessingTime() {
        return now;
    }

    @Override
    public ScheduledFuture<?> registerTimer(long timestamp, ProcessingTimeCallback target) {
        timers.add(new Timer(timestamp, order++, target));
        return new Registered();
    }

    private static final class Registered extends FutureTask<Void> implements ScheduledFuture<Void> {
        Registered() {
            super(() -> null);
        }

        @Override
        public long getDelay(TimeUnit unit) {
            return 0;
        }

        @Override
        public int compareTo(Delayed other) {
            return 0;
        }
    }
}
