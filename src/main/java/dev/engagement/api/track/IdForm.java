package dev.engagement.api.track;

import dev.engagement.event.Integers;
import dev.engagement.event.JsonText;
import java.util.Set;
import java.util.regex.Pattern;

/** What ids of contents or users are in an installation. */
enum IdForm {
    UUID("give a UUID, as in 7c9e6679-7425-40de-944b-e07fc1f90ae7"),
    INTEGER("give a whole number of 64 bits"),
    TEXT("give a text of 1 to 256 characters, without control characters");

    private static final int MAX_CHARS = 256;

    private static final Pattern UUID_DIGITS =
            Pattern.compile("[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}");

    private static final Set<String> INTEGERS = Set.of("smallint", "integer", "bigint");

    private final String wayOut;

    IdForm(String wayOut) {
        this.wayOut = wayOut;
    }

    /** That of a column, by its type's name in PostgreSQL. */
    static IdForm ofColumn(String type) {
        if (type.equals("uuid")) {
            return UUID;
        }
        return INTEGERS.contains(type) ? INTEGER : TEXT;
    }

    /** What would do. */
    String wayOut() {
        return wayOut;
    }

    boolean accepts(String text) {
        return switch (this) {
            case UUID -> UUID_DIGITS.matcher(text).matches();
            case INTEGER -> Integers.parse(text).isPresent();
            case TEXT ->
                !text.isEmpty()
                        && text.length() <= MAX_CHARS
                        && text.chars().noneMatch(Character::isISOControl)
                        && JsonText.isWellFormed(text);
        };
    }
}
