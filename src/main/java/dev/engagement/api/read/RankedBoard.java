package dev.engagement.api.read;

import java.math.BigDecimal;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A leaderboard at one moment. Immutable.
 *
 * @param atMillis until when its numbers reach, milliseconds since the epoch
 * @param places the first one first
 */
record RankedBoard(long atMillis, List<Ranked> places) {

    RankedBoard {
        places = List.copyOf(places);
    }

    /**
     * A content in its place.
     *
     * @param score what it is ranked by
     * @param usual what is usual for it, of the board that goes by that; else null
     */
    record Ranked(
            String contentId, BigDecimal score, @Nullable BigDecimal usual) {}

    /** The contents, the first one first. */
    List<String> contentIds() {
        return places.stream().map(Ranked::contentId).toList();
    }
}
