package dev.engagement.audit;

import java.io.IOException;
import java.util.Collection;
import java.util.Map;
import java.util.function.LongConsumer;

/** What everything is compared with. */
interface Source extends RowStore {

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
