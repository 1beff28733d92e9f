package dev.engagement.api.definition;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A parameter of an operation, in its path or in its query. Immutable.
 *
 * @param name as it is written
 * @param inPath whether it is a part of the path, as against the query
 * @param type what its text has to be
 * @param required whether the operation means nothing without it
 * @param byDefault what counts if it is not given, as text; null: nothing does
 * @param choices of {@link ParameterType#CHOICE}; else none
 * @param min of an integer, the least it may be; null: no bound
 * @param max of an integer, the most it may be, null: no bound; of a text its length in bytes of UTF-8, which is
 *     {@value #DEFAULT_TEXT_BYTES} if null is given
 * @param description for people who read it, with the unit
 */
public record Parameter(
        String name,
        boolean inPath,
        ParameterType type,
        boolean required,
        @Nullable String byDefault,
        List<String> choices,
        @Nullable Long min,
        @Nullable Long max,
        String description) {

    /** Longest text of a parameter that says nothing else, bytes of UTF-8. */
    public static final long DEFAULT_TEXT_BYTES = 256;

    public Parameter {
        choices = List.copyOf(choices);
        if (type == ParameterType.TEXT && max == null) {
            max = DEFAULT_TEXT_BYTES;
        }
        if (inPath && !required) {
            throw new IllegalArgumentException("Parameter " + name + " is in the path, hence it is required");
        }
        if (required && byDefault != null) {
            throw new IllegalArgumentException(
                    "Parameter " + name + " is required and has the default " + byDefault + "; drop one of them");
        }
        if ((type == ParameterType.CHOICE) == choices.isEmpty()) {
            throw new IllegalArgumentException(
                    "Parameter " + name + " is of " + type + " and has the choices " + choices);
        }
    }
}
