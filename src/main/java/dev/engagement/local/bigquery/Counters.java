package dev.engagement.local.bigquery;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;

/** What happened since the start. Thread safe. */
final class Counters {
    final LongAdder rowsAppended = new LongAdder();
    final LongAdder rowsDiscarded = new LongAdder();
    final LongAdder rowsFlushed = new LongAdder();
    final LongAdder rowsRefused = new LongAdder();
    final LongAdder appends = new LongAdder();
    final LongAdder appendsRefused = new LongAdder();
    final LongAdder flushes = new LongAdder();
    final LongAdder flushesRefused = new LongAdder();
    final LongAdder bytes = new LongAdder();
    final LongAdder streamsCreated = new LongAdder();
    final LongAdder queries = new LongAdder();
    final LongAdder bytesProcessed = new LongAdder();
    final AtomicInteger connections = new AtomicInteger();
}
