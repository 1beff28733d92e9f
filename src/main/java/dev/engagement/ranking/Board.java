package dev.engagement.ranking;

import java.util.Arrays;
import java.util.Comparator;
import org.jspecify.annotations.Nullable;

/**
 * The best contents by one score, while scores change.
 *
 * <p>It keeps the contents at or above a threshold of its own making. A changed score joins or leaves at the cost of one
 * comparison; only the few kept are looked at when the best are asked for. Too many kept raise the threshold; too few, and
 * the next question looks at all contents once.
 *
 * <p>Those kept stay as the last question left them, the best in order before the others. Little moves from one slide to
 * the next, so that the next question costs one comparison for each kept, and a step for each place by which one of the
 * best moved; after {@link #STEPS} steps a place it gives up, and selects and sorts as if there had been no order.
 */
abstract class Board {

    /** Kept after the threshold was set, in multiples of the places. */
    private static final int KEPT = 4;

    /** Kept at most. */
    private static final int MAX_KEPT = 8;

    /** Taken to bring the last order up to date, in multiples of the places: less than a selection and a sort cost. */
    private static final int STEPS = 32;

    private final int places;
    private final @Nullable ContentScore[] kept;

    /** Of those kept, side by side: contents are all over the memory. */
    private final long[] scores;

    /** Of those kept, how their ids start: most ties end there. */
    private final long[] idStarts;

    private int size;

    /** Contents that have a score. */
    private int ranked;

    private long thresholdScore;
    private @Nullable String thresholdId;
    private long rebuilds;
    private long sorts;

    private final TopN.Writer leaders = new TopN.Writer();
    private final Comparator<ContentScore> bestFirst = this::compare;

    private Board(int places) {
        this.places = places;
        this.kept = new ContentScore[places * MAX_KEPT];
        this.scores = new long[kept.length];
        this.idStarts = new long[kept.length];
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

    abstract boolean ranks(ContentScore content);

    abstract long score(ContentScore content);

    abstract int placeOf(ContentScore content);

    abstract void place(ContentScore content, int place);

    /** To be called after the sums of a content changed, with whether it ranked before. */
    final void changed(ContentScore content, boolean rankedBefore) {
        boolean ranks = ranks(content);
        if (ranks != rankedBefore) {
            ranked += ranks ? 1 : -1;
        }
        int place = placeOf(content);
        if (ranks && reachesThreshold(content)) {
            if (place == ContentScore.NOWHERE) {
                join(content);
            } else {
                scores[place] = score(content);
            }
        } else if (place != ContentScore.NOWHERE) {
            leave(content, place);
        }
    }

    /**
     * The best, best first: by score descending, then by content id ascending as {@link ContentIds#ORDER} says.
     *
     * @param all every content that may have a score, among nulls
     */
    final TopN best(@Nullable ContentScore[] all) {
        if (size < Math.min(places, ranked)) {
            rebuild(all);
        }
        int count = Math.min(places, size);
        if (!updateOrder(count)) {
            sorts++;
            sort(count);
        }
        for (int i = 0; i < count; i++) {
            ContentScore content = at(i);
            place(content, i);
            leaders.add(content.encodedId, scores[i]);
        }
        return leaders.leaders();
    }

    /** How often all contents were looked at. */
    final long rebuilds() {
        return rebuilds;
    }

    /** How often the last order was of no use. */
    final long sorts() {
        return sorts;
    }

    /**
     * Sorts the best to the front by insertion (Knuth, "The Art of Computer Programming", 5.2.1), without noting the places
     * of these.
     *
     * @return whether that took few steps; if not, nothing is in order
     */
    private boolean updateOrder(int count) {
        int steps = 0;
        for (int i = 1; i < size; i++) {
            ContentScore content = at(i);
            long score = scores[i];
            long idStart = idStarts[i];
            int free = i;
            // Beyond the best the last of them makes room.
            int next = Math.min(i, count) - 1;
            while (next >= 0 && isBefore(content, score, idStart, next)) {
                kept[free] = kept[next];
                scores[free] = scores[next];
                idStarts[free] = idStarts[next];
                free = next;
                next--;
                steps++;
            }
            if (free != i) {
                kept[free] = content;
                scores[free] = score;
                idStarts[free] = idStart;
                place(at(i), i);
                if (steps > STEPS * places) {
                    return false;
                }
            }
        }
        return true;
    }

    private void sort(int count) {
        ContentScore[] ordered = Arrays.copyOf(kept, size, ContentScore[].class);
        if (count < size) {
            Selection.best(ordered, size, count, bestFirst);
        }
        Arrays.sort(ordered, 0, count, bestFirst);
        for (int i = 0; i < size; i++) {
            keep(ordered[i], i);
        }
    }

    private boolean isBefore(ContentScore one, long score, long idStart, int other) {
        if (score != scores[other]) {
            return score > scores[other];
        }
        if (idStart != idStarts[other]) {
            return idStart < idStarts[other];
        }
        return ContentIds.ORDER.compare(one.contentId, at(other).contentId) < 0;
    }

    private ContentScore at(int place) {
        ContentScore content = kept[place];
        if (content == null) {
            throw new IllegalStateException("Nobody is kept at " + place + " of " + size);
        }
        return content;
    }

    private int compare(ContentScore left, ContentScore right) {
        int byScore = Long.compare(score(right), score(left));
        return byScore != 0 ? byScore : ContentIds.ORDER.compare(left.contentId, right.contentId);
    }

    private boolean reachesThreshold(ContentScore content) {
        long score = score(content);
        if (score != thresholdScore) {
            return score > thresholdScore;
        }
        return thresholdId == null || ContentIds.ORDER.compare(content.contentId, thresholdId) <= 0;
    }

    private void join(ContentScore content) {
        if (size == kept.length) {
            raiseThreshold();
            if (!reachesThreshold(content)) {
                return;
            }
        }
        keep(content, size);
        size++;
    }

    private void leave(ContentScore content, int place) {
        size--;
        keep(at(size), place);
        kept[size] = null;
        place(content, ContentScore.NOWHERE);
    }

    private void keep(ContentScore content, int place) {
        kept[place] = content;
        scores[place] = score(content);
        idStarts[place] = ContentIds.start(content.contentId);
        place(content, place);
    }

    private void raiseThreshold() {
        ContentScore[] ordered = Arrays.copyOf(kept, size, ContentScore[].class);
        int keep = places * KEPT;
        Selection.best(ordered, size, keep, bestFirst);
        for (int i = 0; i < keep; i++) {
            keep(ordered[i], i);
        }
        for (int i = keep; i < size; i++) {
            place(ordered[i], ContentScore.NOWHERE);
        }
        Arrays.fill(kept, keep, size, null);
        size = keep;
        thresholdScore = score(ordered[keep - 1]);
        thresholdId = ordered[keep - 1].contentId;
    }

    private void rebuild(@Nullable ContentScore[] all) {
        rebuilds++;
        for (int i = 0; i < size; i++) {
            place(at(i), ContentScore.NOWHERE);
        }
        Arrays.fill(kept, 0, size, null);
        size = 0;
        keepAll();
        for (ContentScore content : all) {
            if (content != null && ranks(content) && reachesThreshold(content)) {
                join(content);
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
        boolean ranks(ContentScore content) {
            return content.events != 0;
        }

        @Override
        long score(ContentScore content) {
            return content.events;
        }

        @Override
        int placeOf(ContentScore content) {
            return content.placeByEvents;
        }

        @Override
        void place(ContentScore content, int place) {
            content.placeByEvents = place;
        }
    }

    private static final class ByEngagement extends Board {

        private ByEngagement(int places) {
            super(places);
        }

        @Override
        boolean ranks(ContentScore content) {
            return content.measured != 0;
        }

        @Override
        long score(ContentScore content) {
            return content.millis;
        }

        @Override
        int placeOf(ContentScore content) {
            return content.placeByEngagement;
        }

        @Override
        void place(ContentScore content, int place) {
            content.placeByEngagement = place;
        }
    }
}
