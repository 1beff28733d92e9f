package dev.engagement.config;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/** Where the stream's events go. */
public enum Destination {
    /** Redis. */
    LIVEVIEW,
    /** BigQuery. */
    WAREHOUSE,
    /** HTTP. */
    DELIVERY,
    /** PostgreSQL, aggregated by window. */
    ROLLUPS;

    /** The word in {@code destinations}. */
    public String word() {
        return name().toLowerCase(Locale.ROOT);
    }

    static List<String> words() {
        return Arrays.stream(values()).map(Destination::word).toList();
    }
}
