package dev.engagement.backfill;

import dev.engagement.source.RangeOptions;
import java.io.IOException;
import java.util.function.LongConsumer;

/** Which events a destination has. Thread-safe. */
interface WarehouseLookup {

    /** Gives the ids of events that are there with an event_ts within the range; a repeated one perhaps twice. */
    void idsIn(RangeOptions range, LongConsumer each) throws IOException, InterruptedException;

    /** Bytes that it reads to answer that. */
    long bytesToRead(RangeOptions range) throws IOException, InterruptedException;
}
