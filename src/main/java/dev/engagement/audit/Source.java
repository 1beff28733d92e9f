package dev.engagement.audit;

import dev.engagement.event.EventIdKind;
import dev.engagement.event.EventIdNumbers;
import java.io.Closeable;
import java.io.IOException;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.function.LongConsumer;
import org.jspecify.annotations.Nullable;

/** What everything is compared with. */
interface Source extends RowStore {

    /**
     * Rows in the order of their ids, for who reads another store beside.
     *
     * @param ranges which do not overlap
     * @throws IOException if the store does not answer
     */
    Rows open(List<Range> ranges) throws IOException;

    @Override
    default void rows(List<Range> ranges, EachRow each) throws IOException {
        try (Rows rows = open(ranges)) {
            for (Row row = rows.next(); row != null; row = rows.next()) {
                each.take(row);
            }
        }
    }

    /** Rows one after the other. */
    interface Rows extends Closeable {
        /**
         * The next one; null behind the last.
         *
         * @throws IOException if the store does not answer
         */
        @Nullable
        Row next() throws IOException;
    }

    /** What the ids of events are, and which number stands for each: ids are numbers in all that is compared. */
    default EventIdNumbers numbers() {
        return new EventIdNumbers(EventIdKind.LONG);
    }

    /** What a reader of the report should know of what is compared, a sentence each. */
    default List<String> notes() {
        return List.of();
    }

    /**
     * Every id of a range, in no order.
     *
     * @throws IOException if the store does not answer
     */
    void ids(Range range, LongConsumer each) throws IOException;

    /**
     * Those of the ids that have a row, whenever it happened.
     *
     * @throws IOException if the store does not answer
     */
    IdSet existing(IdSet ids) throws IOException;

    /**
     * How many events each content has; contents without any are left out.
     *
     * @throws IOException if the store does not answer
     */
    Map<String, Long> eventsByContent() throws IOException;

    /**
     * The same of some contents.
     *
     * @throws IOException if the store does not answer
     */
    Map<String, Long> eventsByContent(Collection<String> contentIds) throws IOException;
}
