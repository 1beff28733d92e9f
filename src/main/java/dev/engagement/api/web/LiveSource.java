package dev.engagement.api.web;

import dev.engagement.api.live.LiveClient;
import dev.engagement.api.live.LiveFilter;
import dev.engagement.api.live.LiveSink;
import org.jspecify.annotations.Nullable;

/** Who tells changes; in production {@link dev.engagement.api.live.LiveHub#join}. */
@FunctionalInterface
public interface LiveSource {

    /** As {@link dev.engagement.api.live.LiveHub#join} says. */
    LiveClient join(LiveFilter filter, @Nullable String lastEventId, LiveSink sink);
}
