package dev.engagement.event;

import java.util.OptionalLong;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Integers that stand somewhere as text, such as ids in the keys and headers of records. Thread-safe. */
public final class Integers {

    private static final Pattern DIGITS = Pattern.compile("-?[0-9]{1,19}");

    private Integers() {}

    /** The number that a text is, in plain decimal digits; empty if it is none of 64 bits. */
    public static OptionalLong parse(@Nullable String text) {
        if (text == null || !DIGITS.matcher(text).matches()) {
            return OptionalLong.empty();
        }
        try {
            return OptionalLong.of(Long.parseLong(text));
        } catch (NumberFormatException tooLarge) {
            return OptionalLong.empty();
        }
    }
}
