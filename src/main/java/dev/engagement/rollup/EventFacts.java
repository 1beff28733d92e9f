package dev.engagement.rollup;

import dev.engagement.event.EngagementEvent;
import dev.engagement.event.EnrichedEvent;
import org.jspecify.annotations.Nullable;

/**
 * What rollups ask of one event, each thing found once and only if somebody asks. One object for all events, one after the
 * other; not thread-safe.
 */
final class EventFacts {

    private final PayloadFields fields;

    private EnrichedEvent enriched;
    private boolean payloadRead;
    private boolean userHashed;
    private long userHash;

    EventFacts(PayloadFields fields, EnrichedEvent first) {
        this.fields = fields;
        this.enriched = first;
    }

    /** The next event. */
    void set(EnrichedEvent next) {
        enriched = next;
        payloadRead = false;
        userHashed = false;
    }

    @Nullable
    String eventType() {
        return enriched.event().eventType();
    }

    @Nullable
    String contentId() {
        return enriched.event().contentId();
    }

    @Nullable
    String contentType() {
        return enriched.content().contentType();
    }

    @Nullable
    String device() {
        return enriched.event().device();
    }

    PayloadFields payload() {
        if (!payloadRead) {
            fields.read(enriched.event().rawPayload());
            payloadRead = true;
        }
        return fields;
    }

    boolean hasDuration() {
        return enriched.event().hasDuration();
    }

    /** Whether there is a duration and a length to divide it by. */
    boolean hasShare() {
        Integer length = enriched.content().lengthSeconds();
        return enriched.event().hasDuration() && length != null && length > 0;
    }

    /** Milliseconds; of an event that has a duration. */
    int durationMs() {
        return enriched.event().durationMs();
    }

    long lengthSeconds() {
        Integer length = enriched.content().lengthSeconds();
        return length == null ? 0 : length;
    }

    boolean hasUser() {
        return enriched.event().userId() != null;
    }

    long userHash() {
        if (!userHashed) {
            String user = enriched.event().userId();
            userHash = user == null ? 0 : UserSet.hash(user);
            userHashed = true;
        }
        return userHash;
    }

    EngagementEvent event() {
        return enriched.event();
    }
}
