package dev.engagement.api.web;

import java.time.Duration;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;

/**
 * How often somebody may ask: a quota of requests, which may come at once and comes back evenly within a window (the
 * generic cell rate algorithm). What is kept of each is one number, and of no more than a fixed number of them; beyond
 * that all further ones share a quota, so that a flood of addresses takes no memory. Thread-safe.
 */
public final class RateLimits {

    /**
     * What is said to one request.
     *
     * @param allowed whether it may be answered
     * @param remaining how many more could come at once
     * @param reset until the whole quota is there again
     * @param retryAfter until one may come again; zero if it may
     */
    public record Verdict(boolean allowed, long remaining, Duration reset, Duration retryAfter) {}

    private static final String OTHERS = "";
    private static final Duration SWEEP_EVERY = Duration.ofMillis(100);

    private final String name;
    private final long quota;
    private final Duration window;
    private final int maxKeys;
    private final LongSupplier nanos;
    private final long origin;
    private final long interval;

    /** When the quota of each is whole again, nanoseconds since the origin. */
    private final ConcurrentHashMap<String, Long> wholeAt = new ConcurrentHashMap<>();

    private final AtomicLong sweptAt = new AtomicLong(Long.MIN_VALUE);

    /**
     * A limit.
     *
     * @param name of the policy, in headers
     * @param quota requests that may come at once, at least 1
     * @param window within which the quota comes back
     * @param maxKeys how many are told apart
     * @param nanos {@link System#nanoTime}, or a test's own
     */
    public RateLimits(String name, long quota, Duration window, int maxKeys, LongSupplier nanos) {
        this.name = name;
        this.quota = quota;
        this.window = window;
        this.maxKeys = maxKeys;
        this.nanos = nanos;
        this.origin = nanos.getAsLong();
        this.interval = Math.max(1, window.toNanos() / quota);
    }

    /** One request of somebody. */
    public Verdict take(String key) {
        long now = now();
        long[] newWholeAt = new long[1];
        boolean[] allowed = new boolean[1];
        wholeAt.compute(known(key, now), (each, before) -> {
            long from = before == null ? now : Math.max(before, now);
            allowed[0] = from + interval - now <= quota * interval;
            newWholeAt[0] = allowed[0] ? from + interval : from;
            return newWholeAt[0];
        });
        long used = newWholeAt[0] - now;
        long retryAfter = allowed[0] ? 0 : used + interval - quota * interval;
        return new Verdict(
                allowed[0],
                Math.max(0, (quota * interval - used) / interval),
                Duration.ofNanos(used),
                Duration.ofNanos(retryAfter));
    }

    /** Until somebody who has used up the quota may come again; zero if not. Takes nothing. */
    public Duration exhaustedFor(String key) {
        long now = now();
        Long known = wholeAt.get(known(key, now));
        long missing = known == null ? 0 : known + interval - now - quota * interval;
        return Duration.ofNanos(Math.max(0, missing));
    }

    /** As the RateLimit-Policy header says it. */
    public String policy() {
        return "\"" + name + "\";q=" + quota + ";w=" + Math.max(1, window.toSeconds());
    }

    /** As the RateLimit header says it. */
    public String state(Verdict verdict) {
        return "\"" + name + "\";r=" + verdict.remaining() + ";t=" + seconds(verdict.reset());
    }

    /** Whole seconds, rounded up, as headers have them. */
    static long seconds(Duration time) {
        return time.plusNanos(999_999_999).toSeconds();
    }

    /** How many are told apart now. */
    int keys() {
        return wholeAt.size();
    }

    private long now() {
        return nanos.getAsLong() - origin;
    }

    private String known(String key, long now) {
        if (wholeAt.size() < maxKeys || wholeAt.containsKey(key)) {
            return key;
        }
        long last = sweptAt.get();
        if ((last == Long.MIN_VALUE || now - last >= SWEEP_EVERY.toNanos()) && sweptAt.compareAndSet(last, now)) {
            // Whose quota is whole again is as if nobody had ever seen it.
            wholeAt.values().removeIf(each -> each <= now);
        }
        return wholeAt.size() < maxKeys ? key : OTHERS;
    }
}
