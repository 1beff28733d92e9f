package dev.engagement.api;

import dev.engagement.api.definition.ApiDefinition;
import dev.engagement.api.read.Health;
import dev.engagement.api.read.Read;
import dev.engagement.api.read.UnavailableException;
import dev.engagement.api.track.TrackAnswer;
import dev.engagement.api.track.TrackRefusedException;
import dev.engagement.api.web.LiveSource;
import java.util.List;
import java.util.Map;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Who answers.
 *
 * @param definition what there is to ask
 * @param reads by operation id; an operation without one is answered with 404
 * @param health whether the stores answer
 * @param live who tells changes
 * @param tracker who takes events; null if nobody may send any
 * @param numbers that the parts keep of themselves, for Prometheus
 */
public record ApiParts(
        ApiDefinition definition,
        Map<String, Read> reads,
        Supplier<Health> health,
        LiveSource live,
        @Nullable Tracker tracker,
        List<PartNumber> numbers) {

    public ApiParts {
        reads = Map.copyOf(reads);
        numbers = List.copyOf(numbers);
    }

    /**
     * A number that a part keeps of itself.
     *
     * @param name for Prometheus, with its unit, and {@code _total} if it only grows
     * @param help a sentence without its full stop
     */
    public record PartNumber(String name, String help, LongSupplier value) {}

    /** Takes events; in production {@link dev.engagement.api.track.Track#post}. */
    @FunctionalInterface
    public interface Tracker {

        /** As {@link dev.engagement.api.track.Track#post} says. */
        TrackAnswer post(byte[] body, String contentType, @Nullable String idempotencyKey)
                throws TrackRefusedException, UnavailableException;
    }
}
