package dev.engagement.capture;

import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Where the timelines before the present one were left, as the server's history file has it: a line for each, with its
 * number, the LSN of the switch and a reason, and perhaps comments.
 */
final class TimelineHistory {

    private final Map<Integer, Long> leftAt;

    private TimelineHistory(Map<Integer, Long> leftAt) {
        this.leftAt = leftAt;
    }

    /**
     * Reads the file.
     *
     * @throws IllegalArgumentException if a line is none of a history
     */
    static TimelineHistory parse(String text) {
        Map<Integer, Long> leftAt = new HashMap<>();
        for (String line : text.lines().toList()) {
            String entry = line.strip();
            if (entry.isEmpty() || entry.startsWith("#")) {
                continue;
            }
            String[] parts = entry.split("\\s+", 3);
            try {
                leftAt.put(Integer.parseInt(parts[0]), Lsns.parse(parts.length < 2 ? "" : parts[1]));
            } catch (IllegalArgumentException e) {
                throw new IllegalArgumentException("'" + entry + "' is no line of a timeline's history", e);
            }
        }
        return new TimelineHistory(leftAt);
    }

    /** The LSN at which the present timeline's line left that one; null if it was never on it. */
    @Nullable
    Long leftAt(int timeline) {
        return leftAt.get(timeline);
    }
}
