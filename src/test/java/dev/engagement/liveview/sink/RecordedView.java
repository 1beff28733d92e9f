package dev.engagement.liveview.sink;

import dev.engagement.event.EnrichedEvent;
import dev.engagement.liveview.LiveValue;
import dev.engagement.writeback.Place;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A view that holds what it is given to show, takes down what changed, and whose clock is set by hand. */
final class RecordedView implements LiveViewMapping.View {

    record Shown(LiveValue value, long parts) {}

    final List<Shown> shown = new ArrayList<>();
    final List<EnrichedEvent> cached = new ArrayList<>();
    long now;
    int futureDated;
    long expired;
    private final Map<String, Held> places = new HashMap<>();

    RecordedView(long now) {
        this.now = now;
    }

    /** What is held of an id, or null. */
    @Nullable
    LiveValue held(String id) {
        return place(id).value;
    }

    @Override
    public Held place(String id) {
        return places.computeIfAbsent(id, Held::new);
    }

    @Override
    public void show(Place<LiveValue> place, LiveValue value, long changedParts) {
        Held held = (Held) place;
        if (!held.id.equals(value.id())) {
            throw new AssertionError(value + " does not belong to the place of " + held.id);
        }
        held.value = value;
        shown.add(new Shown(value, changedParts));
    }

    @Override
    public void cache(EnrichedEvent enriched) {
        cached.add(enriched);
    }

    @Override
    public long nowMillis() {
        return now;
    }

    @Override
    public void leaveOutFutureDated() {
        futureDated++;
    }

    @Override
    public void leaveOutExpired(long events) {
        expired += events;
    }

    static final class Held implements Place<LiveValue> {
        private final String id;

        @Nullable
        private LiveValue value;

        private Held(String id) {
            this.id = id;
        }

        @Override
        public @Nullable LiveValue value() {
            return value;
        }
    }
}
