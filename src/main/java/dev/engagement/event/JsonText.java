package dev.engagement.event;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/**
 * Checks on text that is embedded verbatim into JSON. Thread-safe, allocation-free but for deep nesting.
 *
 * <p>Every event's {@code raw_payload} passes here: a second parser per event would cost as much as the first.
 */
public final class JsonText {

    /** Deepest nesting that is accepted, as in Jackson's own limit. */
    public static final int MAX_DEPTH = 1_000;

    private static final VarHandle LONGS = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.nativeOrder());

    /** Set in every byte that is no ASCII. */
    private static final long NOT_ASCII = 0x8080808080808080L;

    private static final long ONES = 0x0101010101010101L;
    private static final long BACKSLASHES = '\\' * ONES;

    private JsonText() {}

    /**
     * Whether a text is well-formed UTF-16: a lone surrogate has no UTF-8 form, so it could not be written back
     * unchanged.
     */
    public static boolean isWellFormed(String text) {
        for (int i = 0; i < text.length(); i++) {
            if (Character.isSurrogate(text.charAt(i))) {
                if (!isPair(text, i)) {
                    return false;
                }
                i++;
            }
        }
        return true;
    }

    /** What {@link #scan} finds. */
    public enum Encoding {
        /** Not well-formed UTF-8. */
        BROKEN,
        /** UTF-8 in which no JSON escape can make half of a surrogate pair. */
        CLEAN,
        /** UTF-8 with escapes of surrogates: the texts in it must be checked one by one, by {@link #isWellFormed}. */
        SURROGATE_ESCAPES
    }

    /**
     * Whether bytes are well-formed UTF-8 (no overlong forms, no surrogates, nothing beyond U+10FFFF), and whether a JSON
     * escape in them begins like that of a surrogate. One pass, eight bytes at a time where there are neither backslashes
     * nor other than ASCII.
     */
    public static Encoding scan(byte[] bytes) {
        Encoding found = Encoding.CLEAN;
        int at = 0;
        int length = bytes.length;
        while (at < length) {
            if (length - at >= 8) {
                long eight = (long) LONGS.get(bytes, at);
                long differing = eight ^ BACKSLASHES;
                // Mycroft's test for a zero byte: exact on whether there is one.
                if (((eight | (differing - ONES) & ~differing) & NOT_ASCII) == 0) {
                    at += 8;
                    continue;
                }
            }
            int lead = bytes[at++];
            if (lead >= 0) {
                if (lead == '\\') {
                    if (at + 1 < length && bytes[at] == 'u' && (bytes[at + 1] | 0x20) == 'd') {
                        found = Encoding.SURROGATE_ESCAPES;
                    }
                    // The escaped character, which may itself be a backslash.
                    at += at < length && bytes[at] >= 0 ? 1 : 0;
                }
                continue;
            }
            int more = lead >= (byte) 0xF0 ? 3 : lead >= (byte) 0xE0 ? 2 : 1;
            if (lead < (byte) 0xC2 || lead > (byte) 0xF4 || at + more > length) {
                return Encoding.BROKEN;
            }
            int second = bytes[at] & 0xFF;
            int min = lead == (byte) 0xE0 ? 0xA0 : lead == (byte) 0xF0 ? 0x90 : 0x80;
            int max = lead == (byte) 0xED ? 0x9F : lead == (byte) 0xF4 ? 0x8F : 0xBF;
            if (second < min || second > max) {
                return Encoding.BROKEN;
            }
            for (int i = 1; i < more; i++) {
                if ((bytes[at + i] & 0xC0) != 0x80) {
                    return Encoding.BROKEN;
                }
            }
            at += more;
        }
        return found;
    }

    /** Whether a text is exactly one JSON value (RFC 8259), well-formed, nested at most {@link #MAX_DEPTH} deep. */
    public static boolean isOneValue(String text) {
        long[] objects = null; // one bit a level: set where the level is an object
        long shallow = 0; // the first 64 levels, so that usual payloads allocate nothing
        int depth = 0;
        int at = space(text, 0);
        while (true) {
            // A value starts here.
            if (at >= text.length()) {
                return false;
            }
            char c = text.charAt(at);
            if (c == '{' || c == '[') {
                if (++depth > MAX_DEPTH) {
                    return false;
                }
                boolean object = c == '{';
                if (depth <= 64) {
                    shallow = object ? shallow | 1L << (depth - 1) : shallow & ~(1L << (depth - 1));
                } else {
                    objects = objects == null ? new long[(MAX_DEPTH >> 6) + 1] : objects;
                    int bit = depth - 1;
                    objects[bit >> 6] =
                            object ? objects[bit >> 6] | 1L << (bit & 63) : objects[bit >> 6] & ~(1L << (bit & 63));
                }
                at = space(text, at + 1);
                if (at < text.length() && text.charAt(at) == (object ? '}' : ']')) {
                    at++;
                    depth--;
                } else {
                    if (object && (at = name(text, at)) < 0) {
                        return false;
                    }
                    continue;
                }
            } else {
                at = scalar(text, at, c);
                if (at < 0) {
                    return false;
                }
            }
            // A value ended here: close what it closes, or go on to the next one.
            while (true) {
                at = space(text, at);
                if (depth == 0) {
                    return at == text.length();
                }
                if (at >= text.length()) {
                    return false;
                }
                int bit = depth - 1;
                boolean object = ((bit < 64 || objects == null ? shallow : objects[bit >> 6]) >> (bit & 63) & 1) != 0;
                char next = text.charAt(at);
                if (next == (object ? '}' : ']')) {
                    depth--;
                    at++;
                    continue;
                }
                if (next != ',') {
                    return false;
                }
                at = space(text, at + 1);
                if (object && (at = name(text, at)) < 0) {
                    return false;
                }
                break;
            }
        }
    }

    /** Past a name and its colon, or -1. */
    private static int name(String text, int at) {
        if (at >= text.length() || text.charAt(at) != '"') {
            return -1;
        }
        int end = string(text, at);
        if (end < 0) {
            return -1;
        }
        end = space(text, end);
        return end < text.length() && text.charAt(end) == ':' ? space(text, end + 1) : -1;
    }

    private static int scalar(String text, int at, char c) {
        return switch (c) {
            case '"' -> string(text, at);
            case 't' -> text.startsWith("true", at) ? at + 4 : -1;
            case 'f' -> text.startsWith("false", at) ? at + 5 : -1;
            case 'n' -> text.startsWith("null", at) ? at + 4 : -1;
            default -> number(text, at);
        };
    }

    private static int string(String text, int quote) {
        int length = text.length();
        for (int i = quote + 1; i < length; i++) {
            char c = text.charAt(i);
            if (c == '"') {
                return i + 1;
            }
            if (c < ' ') {
                return -1;
            }
            if (c == '\\') {
                if (++i >= length) {
                    return -1;
                }
                char escaped = text.charAt(i);
                if (escaped == 'u') {
                    for (int end = i + 4; i < end; ) {
                        if (++i >= length || Character.digit(text.charAt(i), 16) < 0 || text.charAt(i) > 'f') {
                            return -1;
                        }
                    }
                } else if ("\"\\/bfnrt".indexOf(escaped) < 0) {
                    return -1;
                }
            } else if (Character.isSurrogate(c)) {
                if (!isPair(text, i)) {
                    return -1;
                }
                i++;
            }
        }
        return -1;
    }

    private static int number(String text, int start) {
        int at = start;
        if (at < text.length() && text.charAt(at) == '-') {
            at++;
        }
        int integer = at;
        at = digits(text, at);
        if (at == integer || (text.charAt(integer) == '0' && at > integer + 1)) {
            return -1;
        }
        if (at < text.length() && text.charAt(at) == '.') {
            int fraction = at + 1;
            at = digits(text, fraction);
            if (at == fraction) {
                return -1;
            }
        }
        if (at < text.length() && (text.charAt(at) == 'e' || text.charAt(at) == 'E')) {
            at++;
            if (at < text.length() && (text.charAt(at) == '+' || text.charAt(at) == '-')) {
                at++;
            }
            int exponent = at;
            at = digits(text, exponent);
            if (at == exponent) {
                return -1;
            }
        }
        return at;
    }

    private static int digits(String text, int at) {
        int i = at;
        while (i < text.length() && text.charAt(i) >= '0' && text.charAt(i) <= '9') {
            i++;
        }
        return i;
    }

    private static int space(String text, int at) {
        int i = at;
        while (i < text.length()) {
            char c = text.charAt(i);
            if (c != ' ' && c != '\t' && c != '\n' && c != '\r') {
                break;
            }
            i++;
        }
        return i;
    }

    private static boolean isPair(String text, int at) {
        return Character.isHighSurrogate(text.charAt(at))
                && at + 1 < text.length()
                && Character.isLowSurrogate(text.charAt(at + 1));
    }
}
