package dev.engagement.rowstore;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.Delayed;
import java.util.concurrent.FutureTask;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.apache.flink.api.common.operators.MailboxExecutor;
import org.apache.flink.api.common.operators.ProcessingTimeService;
import org.apache.flink.util.function.ThrowingRunnable;

/**
 * A task of one thread, the test's. Where it waits in its mailbox and the mailbox is empty, first the world does a step;
 * if that has none to do, time passes to the next timer; a wait without either would last for ever and fails.
 */
final class ManualTask implements MailboxExecutor, ProcessingTimeService {

    private static final int MAX_WAITS = 100_000;

    private record Timer(long millis, long order, ProcessingTimeCallback callback) {}

    private final Deque<ThrowingRunnable<? extends Exception>> mails = new ArrayDeque<>();
    private final List<Timer> timers = new ArrayList<>();
    private final BooleanSupplier world;
    private long now;
    private long order;
    private int waits;

    ManualTask(long now, BooleanSupplier world) {
        this.now = now;
        this.world = world;
    }

    /** All that happens without time passing. */
    void settle() throws Exception {
        do {
            while (!mails.isEmpty()) {
                mails.remove().run();
            }
        } while (world.getAsBoolean() || !mails.isEmpty());
    }

    /** Time passes, and what happens in it. */
    void pass(long millis) throws Exception {
        long until = now + millis;
        settle();
        for (Timer next = next(); next != null && next.millis <= until; next = next()) {
            fire(next);
            settle();
        }
        now = until;
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
                if (!world.getAsBoolean()) {
                    Timer next = next();
                    if (next == null) {
                        throw new AssertionError("The task would wait for ever");
                    }
                    fire(next);
                    return;
                }
            }
            mails.remove().run();
        } catch (RuntimeException e) {
            throw e;
        } catch (Exception e) {
            throw new IllegalStateException(e);
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
