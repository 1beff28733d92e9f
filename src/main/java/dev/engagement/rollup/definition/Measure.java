package dev.engagement.rollup.definition;

import java.io.Serializable;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * One number that a rollup keeps of the events in a window. Immutable.
 *
 * @param column in the rollup's table
 * @param function what is computed
 * @param field the field at the top of {@code raw_payload}, of functions that {@link Function#takesField take one}; else null
 * @param condition which events are counted, of functions that {@link Function#takesCondition take one}; else null
 */
public record Measure(
        String column,
        Function function,
        @Nullable String field,
        @Nullable Condition condition) implements Serializable {

    private static final long serialVersionUID = 1L;

    /** What is computed of the events in a window. */
    public enum Function {
        /** Events. */
        COUNT,
        /** Events that satisfy a condition. */
        COUNT_IF,
        /** Exact sum of {@code duration_ms / 1000}; events without a duration add nothing. */
        SUM_SECONDS,
        /** Exact sum of a field. */
        SUM,
        /** Least value of a field; null of none. */
        MIN,
        /** Greatest value of a field; null of none. */
        MAX,
        /** Distinct users. */
        UNIQUE,
        /** Distinct users of the events that satisfy a condition. */
        UNIQUE_IF;

        /** The word in {@code measures}. */
        String word() {
            return name().toLowerCase(Locale.ROOT);
        }

        /** Whether it is of a field of {@code raw_payload}. */
        public boolean takesField() {
            return this == SUM || this == MIN || this == MAX;
        }

        /** Whether it is of the events that satisfy a condition. */
        public boolean takesCondition() {
            return this == COUNT_IF || this == UNIQUE_IF;
        }

        /** Whether it counts distinct users, beyond some of which it is an estimate. */
        public boolean countsUsers() {
            return this == UNIQUE || this == UNIQUE_IF;
        }

        /** Whether its values are whole numbers that fit into a long; else decimals of any size. */
        public boolean isWhole() {
            return this == COUNT || this == COUNT_IF || countsUsers();
        }
    }

    public Measure {
        if (function.takesField() != (field != null)) {
            throw new IllegalArgumentException("The measure '" + column + "' is " + function + " and its field is "
                    + field + "; a field is of SUM, MIN and MAX alone");
        }
        if (function.takesCondition() != (condition != null)) {
            throw new IllegalArgumentException("The measure '" + column + "' is " + function + " and its condition is "
                    + condition + "; a condition is of COUNT_IF and UNIQUE_IF alone");
        }
    }

    /** As it stands in {@code measures}, its column named in any case. */
    public String text() {
        String argument = field != null
                ? PayloadField.text(field)
                : condition != null ? condition.text() : function == Function.UNIQUE ? DefinitionParser.USER : "";
        return column + "=" + function.word() + (argument.isEmpty() ? "" : "(" + argument + ")");
    }
}
