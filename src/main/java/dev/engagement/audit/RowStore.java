package dev.engagement.audit;

import java.io.IOException;
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
     * Rows by id, the copies of an id as one.
     *
     * @param after ids above it only
     * @param limit at most so many; fewer are all that there are
     * @throws IOException if the store does not answer
     */
    List<Row> page(Range range, long after, int limit) throws IOException;

    /**
     * When those events happened, microseconds since the epoch; ids without a row in the range are left out.
     *
     * @throws IOException if the store does not answer
     */
    Map<Long, Long> times(List<Long> ids, Range range) throws IOException;

    /**
     * The ids of a content, whenever they happened, in order.
     *
     * @param after ids above it only
     * @param limit at most so many; fewer are all that there are
     * @throws IOException if the store does not answer
     */
    List<Long> idsOfContent(String contentId, long after, int limit) throws IOException;

    /**
     * The rows of an id.
     *
     * @param id the event's
     * @param eventTsMicros of one of them
     * @param durationMs of one of them
     * @param copies how many there are, at least 1
     */
    record Row(long id, long eventTsMicros, @Nullable Long durationMs, long copies) {}
}
