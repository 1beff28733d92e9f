package dev.engagement.dedupe;

import dev.engagement.event.EngagementEvent;
import org.jspecify.annotations.Nullable;

/**
 * What the latest first arrivals said: for each place an id and a number made of its facts, and a later id of the same place
 * takes it. In the heap only, of bounded size, without objects. Two numbers that differ are of facts that differ, always;
 * facts that differ have one number by chance once in 2^64.
 *
 * <p>Facts are the content, the user, the type, the time, the duration and the device. Not the payload, of which two texts
 * may mean the same.
 */
final class RecentFacts {

    private static final long MULTIPLIER = 0x9E37_79B9_7F4A_7C15L;

    private final long[] ids;
    /** 0 where there is none yet. */
    private final long[] facts;

    private final int mask;

    /** @param events that are remembered at most; rounded up to a power of two */
    RecentFacts(int events) {
        int places = Integer.highestOneBit(Math.max(1, events - 1)) << 1;
        this.ids = new long[places];
        this.facts = new long[places];
        this.mask = places - 1;
    }

    /** Remembers a first arrival. */
    void add(EngagementEvent event) {
        int place = place(event.id());
        ids[place] = event.id();
        facts[place] = of(event);
    }

    /** Whether an event of that id is remembered that said something else; false if none is remembered. */
    boolean contradict(EngagementEvent event) {
        int place = place(event.id());
        return facts[place] != 0 && ids[place] == event.id() && facts[place] != of(event);
    }

    /** Ids of one subtask are of some shards only: mixed, so that they do not share few places. */
    private int place(long id) {
        long mixed = id * MULTIPLIER;
        return (int) (mixed >>> 32) & mask;
    }

    /** Never 0. */
    private static long of(EngagementEvent event) {
        long hash = mix(event.eventTsMicros(), event.durationMs());
        hash = mix(hash, event.contentId());
        hash = mix(hash, event.userId());
        hash = mix(hash, event.eventType());
        hash = mix(hash, event.device());
        return hash == 0 ? 1 : hash;
    }

    private static long mix(long hash, @Nullable String text) {
        if (text == null) {
            return mix(hash, -1L);
        }
        long mixed = mix(hash, text.length());
        for (int i = 0; i < text.length(); i++) {
            mixed = (mixed ^ text.charAt(i)) * MULTIPLIER;
            mixed ^= mixed >>> 29;
        }
        return mixed;
    }

    private static long mix(long hash, long value) {
        long mixed = (hash ^ value) * MULTIPLIER;
        return (mixed ^ mixed >>> 32) * MULTIPLIER;
    }
}
