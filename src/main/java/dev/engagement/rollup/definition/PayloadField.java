package dev.engagement.rollup.definition;

import java.util.regex.Pattern;

/** How a field at the top of {@code raw_payload} is written in a definition. */
final class PayloadField {
    private PayloadField() {}

    /** The column of events that the fields are in. */
    static final String OBJECT = "raw_payload";

    private static final String PREFIX = OBJECT + ".";

    /** What a field's name must be. */
    static final String FORM = "raw_payload.FIELD, a field at the top of the payload: 1 to 100 characters, without"
            + " white space, quotes and any of . , ; | ( ) = < > \\";

    private static final Pattern NAME = Pattern.compile("[^\\s\\p{Cntrl}.,;|()=<>'\"\\\\]{1,100}");

    static String text(String field) {
        return PREFIX + field;
    }

    /** Whether the text is meant for one. */
    static boolean isMeant(String text) {
        return text.equals(OBJECT) || text.startsWith(PREFIX);
    }

    /**
     * The field that the text names.
     *
     * @throws IllegalArgumentException with what it must be
     */
    static String parse(String text) {
        String field = text.startsWith(PREFIX) ? text.substring(PREFIX.length()) : "";
        if (!NAME.matcher(field).matches()) {
            throw new IllegalArgumentException("'" + text + "' is no field; it must be " + FORM);
        }
        return field;
    }
}
