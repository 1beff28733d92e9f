package dev.engagement.api.live;

import java.util.Arrays;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * What a client wants to be told. Leaderboards and heartbeats come whatever it says.
 *
 * @param eventTypes of windows; none: all, and windows that are of no event type
 */
public record LiveFilter(Set<String> eventTypes) {

    /** Everything. */
    public static final LiveFilter ALL = new LiveFilter(Set.of());

    private static final int MAX_TYPES = 64;

    public LiveFilter {
        eventTypes = Set.copyOf(eventTypes);
        if (eventTypes.size() > MAX_TYPES) {
            throw new IllegalArgumentException("types names " + eventTypes.size() + " event types; name " + MAX_TYPES
                    + " at most, or none for all");
        }
    }

    /**
     * As the parameter {@code types} says.
     *
     * @param commaSeparated event types; null or empty for all
     * @throws IllegalArgumentException if there are too many
     */
    public static LiveFilter ofTypes(@Nullable String commaSeparated) {
        if (commaSeparated == null || commaSeparated.isBlank()) {
            return ALL;
        }
        return new LiveFilter(Arrays.stream(commaSeparated.split(","))
                .map(String::strip)
                .filter(type -> !type.isEmpty())
                .collect(Collectors.toSet()));
    }

    /** Whether windows of that event type are wanted; null is that of a window which has none. */
    boolean wants(@Nullable String eventType) {
        return eventTypes.isEmpty() || eventType != null && eventTypes.contains(eventType);
    }
}
