package dev.engagement.capture;

import java.util.List;
import java.util.Set;

/** The two tables that are captured. The order is part of the serialized form of {@link Captured}. */
enum CapturedTable implements ReadColumns {
    EVENTS("id", "content_id", "user_id", "event_type", "event_ts", "duration_ms", "device", "raw_payload"),
    CONTENT("id", "slug", "title", "content_type", "length_seconds", "publish_ts");

    /** Numbers, times and the keys, whose form in JSON depends on their type. */
    private static final Set<String> TYPED = Set.of("id", "event_ts", "duration_ms", "length_seconds", "publish_ts");

    private final List<String> columns;

    CapturedTable(String... columns) {
        this.columns = List.of(columns);
    }

    /** The columns that somebody uses. */
    @Override
    public List<String> columns() {
        return columns;
    }

    @Override
    public boolean isText(String column) {
        return columns.contains(column) && !TYPED.contains(column);
    }
}
