package dev.engagement.api.read;

import org.jspecify.annotations.Nullable;

/**
 * Whether the stores answer.
 *
 * @param redis whether Redis does
 * @param postgres whether every database of PostgreSQL that is configured does; true if none is
 * @param why what is wrong, for people, with neither address nor secret; null if nothing is
 */
public record Health(
        boolean redis, boolean postgres, @Nullable String why) {}
