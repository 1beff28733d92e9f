package dev.engagement.api.definition;

import org.jspecify.annotations.Nullable;

/**
 * What somebody asks cannot be asked like that; the message names the parameter, its value and the way out. All three
 * are of a bounded length and of printable characters, whatever was sent.
 */
public final class InvalidParameterException extends IllegalArgumentException {

    private static final long serialVersionUID = 1L;

    private static final int MAX_SHOWN = 64;

    private final String name;
    private final @Nullable String value;
    private final String wayOut;

    /**
     * @param name of the parameter, as it was sent
     * @param value that it has, as it was sent; null if it is missing
     * @param wayOut what would do, as a request without its full stop: "give a whole number from 1 to 100"
     */
    public InvalidParameterException(String name, @Nullable String value, String wayOut) {
        super(shown(name) + (value == null ? " is missing" : " is '" + shown(value) + "'") + "; " + wayOut);
        this.name = shown(name);
        this.value = value == null ? null : shown(value);
        this.wayOut = wayOut;
    }

    /** Of the parameter. */
    public String name() {
        return name;
    }

    /** Its value, or its beginning; null if it is missing. */
    public @Nullable String value() {
        return value;
    }

    /** What would do. */
    public String wayOut() {
        return wayOut;
    }

    /** As it may stand in a message and in a log: nothing in it begins a new line, and half of a pair has no UTF-8. */
    private static String shown(String text) {
        StringBuilder shown = new StringBuilder();
        int c;
        for (int i = 0; i < text.length() && shown.length() < MAX_SHOWN; i += Character.charCount(c)) {
            c = text.codePointAt(i);
            boolean isPrintable =
                    switch (Character.getType(c)) {
                        case Character.CONTROL,
                                Character.FORMAT,
                                Character.LINE_SEPARATOR,
                                Character.PARAGRAPH_SEPARATOR,
                                Character.SURROGATE,
                                Character.UNASSIGNED -> false;
                        default -> true;
                    };
            shown.appendCodePoint(isPrintable ? c : '?');
        }
        return shown.length() < MAX_SHOWN ? shown.toString() : shown + "…";
    }
}
