package dev.engagement.ingest;

import dev.engagement.event.EventIdKind;
import java.io.Serializable;

/**
 * What an installation decides about its events; what breaks it is INVALID.
 *
 * @param ids what the ids of events are
 * @param contentRequired whether an event must have a {@code content_id}
 */
public record EventRules(EventIdKind ids, boolean contentRequired) implements Serializable {

    private static final long serialVersionUID = 1L;

    /** Ids are numbers, and each event has a content. */
    public static final EventRules DEFAULT = new EventRules(EventIdKind.LONG, true);
}
