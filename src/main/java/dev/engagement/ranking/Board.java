package dev.engagement.ranking;

import dev.engagement.event.Standings;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The best contents by one score, while scores change.
 *
 * <p>It keeps the contents at or above a threshold of its own making, without order among them. A changed score joins or
 * leaves at the cost of one comparison; only the few kept are looked at when the best are asked for. Too many kept raise
 * the threshold; too few, and the next question looks at all contents once.
 */
abstract class Board {

    /** Kept after the threshold was set, in multiples of the places. */
    private static final int KEPT = 4;

    /** Kept at most. */
    private static final int MOST_KEPT = 8;

    private final int places;
    private final @Nullable Contender[] kept;
    private int size;

    /** Contents that have a score. */
    private int ranked;

    private long thresholdScore;
    private @Nullable String thresholdId;
    private long rebuilds;

    private final Comparator<Contender> bestFirst = this::compare;

    private Board(int places) {
        this.places = places;
        this.kept = new Contender[places * MOST_KEPT];
        keepAll();
    }

    /** By number of events. */
    static Board byEvents(int places) {
        return new ByEvents(places);
    }

    /** By milliseconds of engagement; contents without any event that has a duration are not ranked. */
    static Board byEngagement(int places) {
        return new ByEngagement(places);
    }

    abstract boolean ranks(Contender contender);

    abstract long score(Contender contender);

    abstract int placeOf(Contender contender);

    abstract void place(Contender contender, int place);

    /** To be called after the sums of a content changed, with whether it ranked before. */
    final void changed(Contender contender, boolean rankedBefore) {
        boolean ranks = ranks(contender);
        if (ranks != rankedBefore) {
            ranked += ranks ? 1 : -1;
        }
        int place = placeOf(contender);
        if (ranks && reachesThreshold(contender)) {
            if (place == Contender.NOWHERE) {
                join(contender);
            }
        } else if (place != Contender.NOWHERE) {
            leave(contender, place);
        }
    }

    /**
     * The best, best first: by score descending, then by content id ascending as {@link ContentIds#ORDER} says.
     *
     * @param all every content that may have a score, among nulls
     */
    final List<Standings.Place> best(@Nullable Contender[] all) {
        if (size < Math.min(places, ranked)) {
            rebuild(all);
        }
        Contender[] best = Arrays.copyOf(kept, size, Contender[].class);
        int count = Math.min(places, size);
        if (count < size) {
            Selection.best(best, size, count, bestFirst);
        }
        Arrays.sort(best, 0, count, bestFirst);
        List<Standings.Place> standings = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            standings.add(new Standings.Place(best[i].contentId, score(best[i])));
        }
        return standings;
    }

    /** How often all contents were looked at. */
    final long rebuilds() {
        return rebuilds;
    }

    private int compare(Contender left, Contender right) {
        int byScore = Long.compare(score(right), score(left));
        return byScore != 0 ? byScore : ContentIds.ORDER.compare(left.contentId, right.contentId);
    }

    private boolean reachesThreshold(Contender contender) {
        long score = score(contender);
        if (score != thresholdScore) {
            return score > thresholdScore;
        }
        return thresholdId == null || ContentIds.ORDER.compare(contender.contentId, thresholdId) <= 0;
    }

    private void join(Contender contender) {
        if (size == kept.length) {
            raiseThreshold();
            if (!reachesThreshold(contender)) {
                return;
            }
        }
        kept[size] = contender;
        place(contender, size);
        size++;
    }

    private void leave(Contender contender, int place) {
        size--;
        Contender last = kept[size];
        kept[place] = last;
        kept[size] = null;
        if (last != null) {
            place(last, place);
        }
        place(contender, Contender.NOWHERE);
    }

    private void raiseThreshold() {
        Contender[] ordered = Arrays.copyOf(kept, size, Contender[].class);
        int keep = places * KEPT;
        Selection.best(ordered, size, keep, bestFirst);
        for (int i = 0; i < size; i++) {
            kept[i] = i < keep ? ordered[i] : null;
            place(ordered[i], i < keep ? i : Contender.NOWHERE);
        }
        size = keep;
        thresholdScore = score(ordered[keep - 1]);
        thresholdId = ordered[keep - 1].contentId;
    }

    private void rebuild(@Nullable Contender[] all) {
        rebuilds++;
        for (int i = 0; i < size; i++) {
            Contender one = kept[i];
            if (one != null) {
                place(one, Contender.NOWHERE);
            }
            kept[i] = null;
        }
        size = 0;
        keepAll();
        for (Contender contender : all) {
            if (contender != null && ranks(contender) && reachesThreshold(contender)) {
                join(contender);
            }
        }
    }

    private void keepAll() {
        thresholdScore = Long.MIN_VALUE;
        thresholdId = null;
    }

    private static final class ByEvents extends Board {

        private ByEvents(int places) {
            super(places);
        }

        @Override
        boolean ranks(Contender contender) {
            return contender.events != 0;
        }

        @Override
        long score(Contender contender) {
            return contender.events;
        }

        @Override
        int placeOf(Contender contender) {
            return contender.placeByEvents;
        }

        @Override
        void place(Contender contender, int place) {
            contender.placeByEvents = place;
        }
    }

    private static final class ByEngagement extends Board {

        private ByEngagement(int places) {
            super(places);
        }

        @Override
        boolean ranks(Contender contender) {
            return contender.measured != 0;
        }

        @Override
        long score(Contender contender) {
            return contender.millis;
        }

        @Override
        int placeOf(Contender contender) {
            return contender.placeByEngagement;
        }

        @Override
        void place(Contender contender, int place) {
            contender.placeByEngagement = place;
        }
    }
}
