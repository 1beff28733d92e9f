package dev.engagement.event;

import org.jspecify.annotations.Nullable;

/**
 * One row of {@code content}. Immutable.
 *
 * @param id opaque text
 * @param slug unique name in addresses, or null
 * @param title what a reader sees, or null
 * @param contentType any text: the database owns the check
 * @param lengthSeconds playing time in seconds; null where there is none; zero and negative values are kept as they are
 * @param publishTsMicros microseconds since the epoch, or null where the source has none within years 1..9999
 */
public record Content(
        String id,
        @Nullable String slug,
        @Nullable String title,
        @Nullable String contentType,
        @Nullable Integer lengthSeconds,
        @Nullable Long publishTsMicros) {

    /** What an event without a content is enriched with: every column of it is null. Its id is none, as it is empty. */
    public static final Content NONE = new Content("", null, null, null, null, null);
}
