package dev.engagement.capture;

import java.util.List;

/** The two tables that are captured. The order is part of the serialized form of {@link Captured}. */
enum CapturedTable {
    EVENTS("id", "content_id", "user_id", "event_type", "event_ts", "duration_ms", "device", "raw_payload"),
    CONTENT("id", "slug", "title", "content_type", "length_seconds", "publish_ts");

    private final List<String> columns;

    CapturedTable(String... columns) {
        this.columns = List.of(columns);
    }

    /** The columns that somebody uses; no other is read. */
    List<String> columns() {
        return columns;
    }
}
