package dev.engagement.config;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/** Where the stream's events go. */
public enum Destination {
    /** Redis. */
    LIVEVIEW(true),
    /** BigQuery. */
    WAREHOUSE(true),
    /** HTTP. */
    DELIVERY(false);

    private final boolean inThisBuild;

    Destination(boolean inThisBuild) {
        this.inThisBuild = inThisBuild;
    }

    /** The word in {@code destinations}. */
    public String word() {
        return name().toLowerCase(Locale.ROOT);
    }

    boolean inThisBuild() {
        return inThisBuild;
    }

    static List<String> wordsInThisBuild() {
        return Arrays.stream(values())
                .filter(Destination::inThisBuild)
                .map(Destination::word)
                .toList();
    }
}
