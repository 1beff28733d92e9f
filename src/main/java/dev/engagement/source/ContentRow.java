package dev.engagement.source;

import org.jspecify.annotations.Nullable;

/**
 * One row of the content table, its columns as texts. Immutable.
 *
 * @param id the column's text, whatever its type
 * @param slug any text
 * @param title any text
 * @param contentType any text
 * @param lengthSeconds seconds
 * @param publishTs PostgreSQL's text of the time, in UTC
 */
public record ContentRow(
        String id,
        @Nullable String slug,
        @Nullable String title,
        @Nullable String contentType,
        @Nullable Integer lengthSeconds,
        @Nullable String publishTs)
        implements TableRow {}
