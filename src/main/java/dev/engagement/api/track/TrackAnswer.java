package dev.engagement.api.track;

import java.util.List;

/**
 * What was committed.
 *
 * @param ids of the events, in their order
 * @param repeated whether nothing was inserted, since all of it was there already by the request's key or the events'
 *     own
 */
public record TrackAnswer(List<Long> ids, boolean repeated) {

    public TrackAnswer {
        ids = List.copyOf(ids);
    }
}
