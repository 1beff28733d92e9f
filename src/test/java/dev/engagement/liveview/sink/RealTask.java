package dev.engagement.liveview.sink;

import java.time.Duration;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.apache.flink.api.common.operators.MailboxExecutor;
import org.apache.flink.api.common.operators.ProcessingTimeService;
import org.apache.flink.util.function.ThrowingRunnable;

/** A task in real time: the test's thread is the task thread, timers and I/O have their own threads. */
final class RealTask implements MailboxExecutor, ProcessingTimeService, AutoCloseable {

    private final LinkedBlockingQueue<ThrowingRunnable<? extends Exception>> mails = new LinkedBlockingQueue<>();
    private final ScheduledExecutorService timers = Executors.newSingleThreadScheduledExecutor();

    /** Of one writer: it has an I/O thread of its own, which ends with it. */
    RedisWriter.Environment environment() {
        ExecutorService io = Executors.newSingleThreadExecutor();
        return new RedisWriter.Environment("redis", this, this, io, io::shutdown, Math::random);
    }

    /** Does what the mailbox holds until the condition holds; an {@link AssertionError} after the limit. */
    void runUntil(Duration limit, BooleanSupplier condition) throws Exception {
        long end = System.nanoTime() + limit.toNanos();
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() > end) {
                throw new AssertionError("Still not so after " + limit);
            }
            ThrowingRunnable<? extends Exception> mail = mails.poll(5, TimeUnit.MILLISECONDS);
            if (mail != null) {
                mail.run();
            }
        }
    }

    /** Does what the mailbox holds for a while. */
    void runFor(Duration time) throws Exception {
        long end = System.nanoTime() + time.toNanos();
        runUntil(time.plusSeconds(1), () -> System.nanoTime() >= end);
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
    public void yield() throws InterruptedException {
        try {
            mails.take().run();
        } catch (RuntimeException | InterruptedException e) {
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
        return System.currentTimeMillis();
    }

    @Override
    public ScheduledFuture<?> registerTimer(long timestamp, ProcessingTimeCallback target) {
        return timers.schedule(
                () -> {
                    mails.add(() -> target.onProcessingTime(timestamp));
                },
                Math.max(0, timestamp - getCurrentProcessingTime()) + 1,
                TimeUnit.MILLISECONDS);
    }

    @Override
    public void close() {
        timers.shutdownNow();
    }
}
