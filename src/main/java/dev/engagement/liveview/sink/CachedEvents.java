package dev.engagement.liveview.sink;

import dev.engagement.event.EnrichedEvent;
import dev.engagement.liveview.LiveValue;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import org.apache.flink.metrics.Counter;

/**
 * Events that wait for the event cache. Best effort: whatever does not fit, or is not taken by Redis at the first attempt,
 * is left out and counted; nothing of it is in any checkpoint. Used by the task thread.
 */
final class CachedEvents {

    private final ArrayDeque<EnrichedEvent> waiting = new ArrayDeque<>();
    private final long maxBytes;
    private final Counter leftOut;
    private long bytes;

    CachedEvents(long maxBytes, Counter leftOut) {
        this.maxBytes = maxBytes;
        this.leftOut = leftOut;
    }

    /** Takes an event; the oldest that waits makes room for it. */
    void add(EnrichedEvent event) {
        waiting.add(event);
        bytes += estimate(event);
        while (bytes > maxBytes) {
            bytes -= estimate(waiting.remove());
            leftOut.inc();
        }
    }

    /** The oldest events, as many as that at most. */
    List<EnrichedEvent> take(int atMost) {
        List<EnrichedEvent> taken = new ArrayList<>(Math.min(atMost, waiting.size()));
        while (taken.size() < atMost && !waiting.isEmpty()) {
            EnrichedEvent event = waiting.remove();
            bytes -= estimate(event);
            taken.add(event);
        }
        return taken;
    }

    /** Some were taken and did not reach Redis. */
    void lost(int events) {
        leftOut.inc(events);
    }

    boolean isEmpty() {
        return waiting.isEmpty();
    }

    private static int estimate(EnrichedEvent event) {
        return new LiveValue.Last(event).estimatedBytes();
    }
}
