package dev.engagement.audit;

import java.io.IOException;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import org.jspecify.annotations.Nullable;

/** A store of one row for each event. Every answer is of the moment when it is given. */
interface RowStore {

    /**
     * The rows of a range by minute since the epoch; minutes without any are left out.
     *
     * @throws IOException if the store does not answer
     */
    SortedMap<Long, MinuteTotals> minutes(Range range) throws IOException;

    /**
     * Rows in the order of their ids, the copies of an id as one. One question, whatever there is.
     *
     * @param ranges which do not overlap
     * @throws IOException if the store does not answer
     */
    void rows(List<Range> ranges, EachRow each) throws IOException;

    /** Takes rows. */
    @FunctionalInterface
    interface EachRow {
        void take(Row row) throws IOException;
    }

    /**
     * When those events happened, microseconds since the epoch; ids without a row in the range are left out.
     *
     * @throws IOException if the store does not answer
     */
    Map<Long, Long> times(List<Long> ids, Range range) throws IOException;

    /**
     * The ids of some contents, whenever they happened, in no order. One question, which reads the store's rows of all
     * times unless it finds them by content.
     *
     * @throws IOException if the store does not answer
     */
    void idsOfContents(Collection<String> contentIds, EachOfContent each) throws IOException;

    /** Takes ids; one may come again. */
    @FunctionalInterface
    interface EachOfContent {
        void take(String contentId, long id);
    }

    /**
     * The rows of an id.
     *
     * @param id the event's
     * @param eventTsMicros of one of them
     * @param durationMs of one of them
     * @param copies how many there are, at least 1
     * @param durations sum over all of them, nulls left out
     */
    record Row(long id, long eventTsMicros, @Nullable Long durationMs, long copies, long durations) {

        /** Of copies that are alike. */
        Row(long id, long eventTsMicros, @Nullable Long durationMs, long copies) {
            this(id, eventTsMicros, durationMs, copies, durationMs == null ? 0 : durationMs * copies);
        }
    }
}
