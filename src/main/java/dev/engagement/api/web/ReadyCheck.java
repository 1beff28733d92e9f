package dev.engagement.api.web;

import dev.engagement.api.read.Health;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Whether the stores answer. They are asked once a second at most, and by one at a time, however many ask here: this is
 * open to everybody. Whoever comes meanwhile is told what was known last. Thread-safe.
 */
public final class ReadyCheck {

    private static final Duration KEPT_FOR = Duration.ofSeconds(1);

    /** Probes wait for a second, as a rule. */
    private static final Duration MAX_WAIT = Duration.ofMillis(800);

    private static final Health NOT_YET = new Health(false, false, "The stores are being asked for the first time");

    private final Supplier<Health> stores;
    private final LongSupplier nanos;

    // All below is guarded by this.

    private Health last = NOT_YET;
    private long sinceNanos;
    private boolean known;
    private boolean asking;

    /**
     * Not asked yet.
     *
     * @param stores asks them, for as long as their timeouts at the most
     * @param nanos {@link System#nanoTime}, or a test's own
     */
    public ReadyCheck(Supplier<Health> stores, LongSupplier nanos) {
        this.stores = stores;
        this.nanos = nanos;
    }

    /** What the stores say, or said within the last second. */
    public Health health() {
        synchronized (this) {
            if (asking || (known && nanos.getAsLong() - sinceNanos < KEPT_FOR.toNanos())) {
                return last;
            }
            asking = true;
        }
        CompletableFuture<Health> answer = new CompletableFuture<>();
        Thread thread = new Thread(() -> ask(answer), "api-ready");
        thread.setDaemon(true);
        thread.start();
        try {
            return answer.get(MAX_WAIT.toMillis(), TimeUnit.MILLISECONDS);
        } catch (TimeoutException e) {
            return overdue();
        } catch (ExecutionException e) {
            throw new IllegalStateException("The stores cannot be asked", e.getCause());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return overdue();
        }
    }

    private void ask(CompletableFuture<Health> answer) {
        Health said = null;
        try {
            said = stores.get();
        } catch (RuntimeException e) {
            answer.completeExceptionally(e);
        } finally {
            keep(said);
        }
        if (said != null) {
            answer.complete(said);
        }
    }

    private synchronized void keep(@Nullable Health said) {
        asking = false;
        if (said != null) {
            last = said;
            known = true;
            sinceNanos = nanos.getAsLong();
        }
    }

    /** Until they answer, that they do not: what they said before is not so any more. */
    private synchronized Health overdue() {
        if (asking && (!known || HealthAnswers.isReady(last))) {
            last = new Health(false, false, "The stores have not answered within " + MAX_WAIT.toMillis() + " ms");
        }
        return last;
    }
}
