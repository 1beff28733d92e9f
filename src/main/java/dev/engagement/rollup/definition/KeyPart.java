package dev.engagement.rollup.definition;

import java.io.Serializable;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * One part of a rollup's key. An event that has no such value counts under the empty string. Immutable.
 *
 * @param column in the rollup's table
 * @param source where the value comes from
 * @param field the field at the top of {@code raw_payload}, of {@link Source#PAYLOAD} alone; else null
 */
public record KeyPart(
        String column, Source source, @Nullable String field) implements Serializable {

    private static final long serialVersionUID = 1L;

    /** Where the value of a key's part comes from. */
    public enum Source {
        /** What happened. */
        EVENT_TYPE,
        /** The content it happened with. */
        CONTENT_ID,
        /** The kind of that content. */
        CONTENT_TYPE,
        /** The device it happened on. */
        DEVICE,
        /** A field at the top of the event's payload. */
        PAYLOAD,
        /** The length of the rollup's windows: the same for all its cells, so that rollups can share a table. */
        WINDOW_SIZE;

        /** The word in {@code by}; of {@link #PAYLOAD} a field stands behind it. */
        String word() {
            return this == PAYLOAD ? PayloadField.OBJECT : name().toLowerCase(Locale.ROOT);
        }
    }

    public KeyPart {
        if ((source == Source.PAYLOAD) != (field != null)) {
            throw new IllegalArgumentException("The key's part '" + column + "' is of " + source + " and its field is "
                    + field + "; a field is of " + Source.PAYLOAD + " alone");
        }
        if (source == Source.WINDOW_SIZE && !column.equals(RollupDefinition.WINDOW_SIZE)) {
            throw new IllegalArgumentException("The key's part '" + column + "' is the window's size; its column is "
                    + RollupDefinition.WINDOW_SIZE);
        }
    }

    /** As it stands in {@code by}. */
    public String text() {
        String from = field == null ? source.word() : PayloadField.text(field);
        return column.equals(field == null ? from : field) ? from : column + "=" + from;
    }
}
