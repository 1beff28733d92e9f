package dev.engagement.api.read;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Who stood where on a leaderboard in the last hour, at some distance: in memory, as no store has it, so that nothing
 * is known of the time before this process. Thread-safe.
 */
final class BoardHistory {

    private static final long KEPT_MILLIS = 3_600_000L + 300_000L;

    private final long distanceMillis;
    private final long toleranceMillis;
    private final NavigableMap<Long, List<String>> boards = new TreeMap<>();

    /**
     * Nothing is known yet.
     *
     * @param distanceMillis from one board that is kept to the next
     * @param toleranceMillis how much older a board may be than the moment that it is taken for
     */
    BoardHistory(long distanceMillis, long toleranceMillis) {
        this.distanceMillis = distanceMillis;
        this.toleranceMillis = toleranceMillis;
    }

    /** Keeps a board, unless it is hardly newer than one that is kept. */
    synchronized void add(RankedBoard board) {
        long at = board.atMillis();
        Map.Entry<Long, List<String>> before = boards.floorEntry(at);
        if (before != null && at - before.getKey() < distanceMillis) {
            return;
        }
        boards.put(at, shared(board.contentIds(), before == null ? List.of() : before.getValue()));
        boards.headMap(boards.lastKey() - KEPT_MILLIS, false).clear();
    }

    /** Most contents stay for long: each id is held once. */
    private static List<String> shared(List<String> contentIds, List<String> before) {
        Map<String, String> held = new HashMap<>();
        before.forEach(id -> held.put(id, id));
        List<String> shared = new ArrayList<>(contentIds.size());
        for (String id : contentIds) {
            shared.add(held.getOrDefault(id, id));
        }
        return List.copyOf(shared);
    }

    /**
     * The contents of the board of that moment, or of shortly before, the first one first; null if that is not known.
     */
    synchronized @Nullable List<String> at(long millis) {
        Map.Entry<Long, List<String>> board = boards.floorEntry(millis);
        return board == null || millis - board.getKey() > toleranceMillis ? null : board.getValue();
    }
}
