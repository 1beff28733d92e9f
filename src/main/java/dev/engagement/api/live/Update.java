package dev.engagement.api.live;

import org.jspecify.annotations.Nullable;

/**
 * A change, with its place among all changes. Immutable; the ring and all clients share it.
 *
 * @param sequence from 1
 * @param subject what it is about: of two with one subject the later makes the earlier superfluous
 * @param eventType of the window; null if it has none
 * @param forAll whether no filter holds it back
 * @param message with the id of this place
 */
record Update(long sequence, String subject, @Nullable String eventType, boolean forAll, LiveMessage message) {

    boolean isFor(LiveFilter filter) {
        return forAll || filter.wants(eventType);
    }
}
