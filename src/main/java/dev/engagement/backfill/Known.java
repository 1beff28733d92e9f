package dev.engagement.backfill;

import java.io.IOException;
import java.util.function.LongConsumer;

/** Which events a destination has. Thread-safe. */
@FunctionalInterface
interface Known {

    /** Gives the ids of {@code ids} that are there with an event_ts within the range; a repeated one perhaps twice. */
    void idsOf(IdRange ids, RangeOptions range, LongConsumer each) throws IOException, InterruptedException;
}
