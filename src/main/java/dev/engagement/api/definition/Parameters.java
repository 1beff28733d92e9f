package dev.engagement.api.definition;

import dev.engagement.event.JsonText;
import dev.engagement.event.Timestamps;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * The parameters of one request, checked against its operation: what is here has its type and keeps its bounds. A
 * default stands where nothing was given, and an optional parameter whose text is empty is not given. Immutable.
 */
public final class Parameters {

    private static final Pattern WHOLE_NUMBER = Pattern.compile("-?[0-9]{1,19}");

    /** More than any way of writing a moment needs. */
    private static final int MAX_INSTANT_CHARS = 40;

    private static final long MICROS_PER_SECOND = 1_000_000L;

    private final Operation operation;

    /** By name: a String, a Long or an Instant. */
    private final Map<String, Object> values;

    private Parameters(Operation operation, Map<String, Object> values) {
        this.operation = operation;
        this.values = Map.copyOf(values);
    }

    /**
     * Checks the parameters of a request.
     *
     * @param raw by name the text of a parameter, decoded; null if it is not given
     * @param given the names of all that is given, so that one that nobody knows is refused rather than passed over
     * @throws InvalidParameterException with the first that would not do
     */
    public static Parameters of(Operation operation, Function<String, @Nullable String> raw, Set<String> given) {
        for (String name : new TreeSet<>(given)) {
            if (operation.parameter(name) == null) {
                throw new InvalidParameterException(name, raw.apply(name), "leave it out: " + known(operation));
            }
        }
        Map<String, Object> values = new HashMap<>();
        for (Parameter parameter : operation.parameters()) {
            String text = raw.apply(parameter.name());
            if (text == null || (text.isEmpty() && !parameter.required())) {
                text = parameter.byDefault();
            }
            if (text != null) {
                values.put(parameter.name(), checked(parameter, text));
            } else if (parameter.required()) {
                throw new InvalidParameterException(parameter.name(), null, "give it, as in " + operation.example());
            }
        }
        return new Parameters(operation, values);
    }

    /**
     * The value as text: an integer in decimal digits, a moment in ISO-8601.
     *
     * @throws IllegalStateException if there is none; a parameter that is required or has a default always has one
     */
    public String text(String name) {
        return present(name, textOrNull(name));
    }

    /** The value as text; null if it is not given. */
    public @Nullable String textOrNull(String name) {
        Object value = value(name);
        return value == null ? null : value.toString();
    }

    /**
     * The value of an integer whose bounds lie within 32 bits.
     *
     * @throws IllegalStateException if there is none
     * @throws ArithmeticException if it is larger
     */
    public int integer(String name) {
        return Math.toIntExact(number(name));
    }

    /**
     * The value of an integer.
     *
     * @throws IllegalStateException if there is none
     */
    public long number(String name) {
        return present(name, (Long) value(name));
    }

    /** The moment, to the microsecond, within years 1..9999; null if it is not given. */
    public @Nullable Instant instantOrNull(String name) {
        return (Instant) value(name);
    }

    private @Nullable Object value(String name) {
        if (operation.parameter(name) == null) {
            throw new IllegalArgumentException("Operation " + operation.id() + " has no parameter " + name);
        }
        return values.get(name);
    }

    private <T> T present(String name, @Nullable T value) {
        if (value == null) {
            throw new IllegalStateException("Parameter " + name + " of " + operation.id()
                    + " is not given and has no default; ask for it or null");
        }
        return value;
    }

    private static String known(Operation operation) {
        return operation.parameters().isEmpty()
                ? operation.path() + " has no parameters"
                : operation.path() + " knows "
                        + operation.parameters().stream().map(Parameter::name).collect(Collectors.joining(", "));
    }

    private static Object checked(Parameter parameter, String text) {
        return switch (parameter.type()) {
            case TEXT -> boundedText(parameter, text);
            case INTEGER -> wholeNumber(parameter, text);
            case INSTANT -> moment(parameter, text);
            case CHOICE -> oneOf(parameter, text);
        };
    }

    private static String boundedText(Parameter parameter, String text) {
        Long max = parameter.max();
        // Elsewhere an empty text is one: events without a type are counted under it.
        if (text.isEmpty() && parameter.inPath()) {
            throw new InvalidParameterException(parameter.name(), text, "give a text that is not empty");
        }
        // The length in characters first: a text of megabytes is not encoded in order to be refused.
        if (max != null && (text.length() > max || text.getBytes(StandardCharsets.UTF_8).length > max)) {
            throw new InvalidParameterException(
                    parameter.name(), text, "give a text of at most " + max + " bytes in UTF-8");
        }
        if (!JsonText.isWellFormed(text) || text.chars().anyMatch(Character::isISOControl)) {
            throw new InvalidParameterException(
                    parameter.name(), text, "give a text without control characters and halves of surrogate pairs");
        }
        return text;
    }

    private static String oneOf(Parameter parameter, String text) {
        if (!parameter.choices().contains(text)) {
            throw new InvalidParameterException(
                    parameter.name(), text, "choose one of " + String.join(", ", parameter.choices()));
        }
        return text;
    }

    private static Long wholeNumber(Parameter parameter, String text) {
        Long number = parsed(text);
        Long min = parameter.min();
        Long max = parameter.max();
        if (number == null || (min != null && number < min) || (max != null && number > max)) {
            throw new InvalidParameterException(parameter.name(), text, "give a whole number" + bounds(min, max));
        }
        return number;
    }

    private static String bounds(@Nullable Long min, @Nullable Long max) {
        if (min != null && max != null) {
            return " from " + min + " to " + max;
        }
        return (min == null ? "" : " from " + min) + (max == null ? " of at most 19 digits" : " up to " + max);
    }

    private static Instant moment(Parameter parameter, String text) {
        Long millis = parsed(text);
        if (millis != null) {
            if (millis >= Timestamps.MIN_MICROS / 1_000 && millis <= Timestamps.MAX_MICROS / 1_000) {
                return Instant.ofEpochMilli(millis);
            }
        } else if (text.length() <= MAX_INSTANT_CHARS) {
            long micros = Timestamps.parse(text);
            if (micros != Timestamps.INVALID) {
                return Instant.ofEpochSecond(
                        Math.floorDiv(micros, MICROS_PER_SECOND), Math.floorMod(micros, MICROS_PER_SECOND) * 1_000L);
            }
        }
        // A plus sign in a query is a space.
        throw new InvalidParameterException(
                parameter.name(),
                text,
                "give a moment like 2026-01-08T09:00:00Z or 2026-01-08T10:00:00%2B01:00, or milliseconds since the"
                        + " epoch, within years 1 to 9999");
    }

    /** The number, or null if it is none or has more than 64 bits. */
    private static @Nullable Long parsed(String text) {
        if (!WHOLE_NUMBER.matcher(text).matches()) {
            return null;
        }
        try {
            return Long.valueOf(text);
        } catch (NumberFormatException e) {
            // Nineteen digits, and beyond what they can say here.
            return null;
        }
    }
}
