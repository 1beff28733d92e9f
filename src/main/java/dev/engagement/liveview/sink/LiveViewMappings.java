package dev.engagement.liveview.sink;

import dev.engagement.event.EnrichedEvent;
import dev.engagement.liveview.LiveValue;
import dev.engagement.liveview.LiveViewRules;

/** The mappings of the job's streams. */
public final class LiveViewMappings {

    private LiveViewMappings() {}

    /** Each event, as the last one of its content. */
    public static LiveViewMapping<EnrichedEvent> last(LiveViewRules rules) {
        return (enriched, view) -> {
            if (rules.isFutureDated(enriched.event())) {
                view.leaveOutFutureDated();
            } else {
                view.show(new LiveValue.Last(enriched));
            }
        };
    }

    /** Values as they are. */
    public static LiveViewMapping<LiveValue> values() {
        return (value, view) -> view.show(value);
    }
}
