package dev.engagement.api.track;

import dev.engagement.api.read.UnavailableException;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.jspecify.annotations.Nullable;

/** One request on its way, and its answer. */
final class TrackRequest {

    private final List<TrackEvent> events;
    private final @Nullable String key;
    private final @Nullable String fingerprint;
    private final long sinceNanos;
    private final CompletableFuture<TrackAnswer> answer = new CompletableFuture<>();

    /**
     * @param events at least one
     * @param key its {@code Idempotency-Key}, or null
     * @param fingerprint of its body; null if it has no key
     * @param sinceNanos when it came, by the ticker
     */
    TrackRequest(List<TrackEvent> events, @Nullable String key, @Nullable String fingerprint, long sinceNanos) {
        this.events = List.copyOf(events);
        this.key = key;
        this.fingerprint = fingerprint;
        this.sinceNanos = sinceNanos;
    }

    List<TrackEvent> events() {
        return events;
    }

    @Nullable
    String key() {
        return key;
    }

    @Nullable
    String fingerprint() {
        return fingerprint;
    }

    long sinceNanos() {
        return sinceNanos;
    }

    /** Ends it. Only the first end counts. */
    void end(Outcome outcome) {
        if (outcome instanceof Outcome.Answered answered) {
            answer.complete(answered.answer());
        } else if (outcome instanceof Outcome.Refused refused) {
            answer.completeExceptionally(refused.why());
        } else if (outcome instanceof Outcome.Away away) {
            answer.completeExceptionally(away.why());
        }
    }

    /** Ends it, by something that should not happen. Only the first end counts. */
    void fail(Throwable why) {
        answer.completeExceptionally(why);
    }

    /** Waits for the end. */
    TrackAnswer await() throws TrackRefusedException, UnavailableException {
        try {
            return answer.join();
        } catch (CompletionException e) {
            if (e.getCause() instanceof TrackRefusedException refused) {
                throw refused;
            }
            if (e.getCause() instanceof UnavailableException unavailable) {
                throw unavailable;
            }
            throw new IllegalStateException("Events could not be written", e.getCause());
        }
    }
}
