package dev.engagement.api.web;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/**
 * The path of a request, decoded, if it means one thing to everybody: to the server that finds the handler, to whoever
 * decides who may ask, and to a proxy before both. Every other is refused.
 */
final class RequestPath {

    private static final int MAX_LENGTH = 2_048;
    private static final String UNRESERVED_AND_MORE = "-._~!$&'()*+,=:@";
    private static final int HEX = 16;

    private RequestPath() {}

    /**
     * Decodes a path.
     *
     * @param raw as it was sent, without query
     * @throws ProblemException if it is ambiguous, malformed or too long
     */
    static String decoded(@Nullable String raw) {
        if (raw == null || !raw.startsWith("/") || raw.length() > MAX_LENGTH) {
            throw refused("is no path, or has more than " + MAX_LENGTH + " characters");
        }
        ByteBuffer bytes = ByteBuffer.allocate(raw.length());
        int at = 0;
        while (at < raw.length()) {
            char c = raw.charAt(at++);
            if (c == '%') {
                int value = hexByte(raw, at);
                if (value < 0) {
                    throw refused("has a percent sign that is not followed by two hexadecimal digits");
                }
                if (value < ' ' || value == 0x7f || "/\\;%".indexOf(value) >= 0) {
                    throw refused("hides a slash, a backslash, a semicolon, a percent sign or a control character");
                }
                bytes.put((byte) value);
                at += 2;
            } else if (c == '/' || isPlain(c)) {
                bytes.put((byte) c);
            } else {
                throw refused("has a character that has to be percent-encoded, or that no path may have");
            }
        }
        String decoded = utf8(bytes.flip());
        for (String segment : decoded.substring(1).split("/", -1)) {
            if (segment.equals(".") || segment.equals("..") || (segment.isEmpty() && decoded.length() > 1)) {
                throw refused("has a segment that is empty, '.' or '..'");
            }
        }
        return decoded;
    }

    private static boolean isPlain(char c) {
        return (c >= 'a' && c <= 'z')
                || (c >= 'A' && c <= 'Z')
                || (c >= '0' && c <= '9')
                || UNRESERVED_AND_MORE.indexOf(c) >= 0;
    }

    /** What two hexadecimal digits say; negative if there are none. */
    static int hexByte(String text, int at) {
        if (at + 2 > text.length() || text.charAt(at) > 0x7f || text.charAt(at + 1) > 0x7f) {
            return -1;
        }
        int high = Character.digit(text.charAt(at), HEX);
        int low = Character.digit(text.charAt(at + 1), HEX);
        return high < 0 || low < 0 ? -1 : high * HEX + low;
    }

    private static String utf8(ByteBuffer bytes) {
        try {
            return StandardCharsets.UTF_8.newDecoder().decode(bytes).toString();
        } catch (CharacterCodingException e) {
            throw refused("is not UTF-8");
        }
    }

    private static ProblemException refused(String why) {
        return Problems.badRequest("The path " + why, "send a plain path, such as /metrics/realtime")
                .exception();
    }
}
