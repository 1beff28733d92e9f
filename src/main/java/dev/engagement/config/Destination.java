package dev.engagement.config;

import java.util.Arrays;
import java.util.Collection;
import java.util.Collections;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/** Where the stream's events go. */
public enum Destination {
    /** Redis. */
    LIVEVIEW,
    /** BigQuery. */
    WAREHOUSE,
    /** HTTP. */
    DELIVERY,
    /** PostgreSQL, aggregated by window. */
    ROLLUPS,
    /** ClickHouse. */
    CLICKHOUSE;

    /** What is meant where nothing is said. */
    static final Set<Destination> DEFAULT =
            Collections.unmodifiableSet(EnumSet.of(LIVEVIEW, WAREHOUSE, DELIVERY, ROLLUPS));

    /** The word in {@code destinations}. */
    public String word() {
        return name().toLowerCase(Locale.ROOT);
    }

    static List<String> words() {
        return words(Arrays.asList(values()));
    }

    static List<String> words(Collection<Destination> destinations) {
        return destinations.stream().map(Destination::word).toList();
    }
}
