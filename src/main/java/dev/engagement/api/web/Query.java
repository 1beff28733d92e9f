package dev.engagement.api.web;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The parameters of a query or of a form, each once. */
public final class Query {

    private static final int MAX_LENGTH = 8_192;
    private static final int MAX_PARAMETERS = 32;

    private Query() {}

    /**
     * Reads a query.
     *
     * @param raw as it was sent, without the question mark; null for none
     * @return the values by name, decoded, in their order
     * @throws ProblemException if a name stands twice, if it is malformed, no UTF-8 or too long
     */
    public static Map<String, String> parse(@Nullable String raw) {
        Map<String, String> parameters = new LinkedHashMap<>();
        if (raw == null || raw.isEmpty()) {
            return parameters;
        }
        if (raw.length() > MAX_LENGTH) {
            throw refused("The query has more than " + MAX_LENGTH + " characters", "ask for less");
        }
        for (String part : raw.split("&", -1)) {
            if (part.isEmpty()) {
                continue;
            }
            int equals = part.indexOf('=');
            String name = decoded(equals < 0 ? part : part.substring(0, equals));
            String value = equals < 0 ? "" : decoded(part.substring(equals + 1));
            if (parameters.put(name, value) != null) {
                throw Problems.invalidParameter(
                                "The parameter " + Problems.shown(name) + " is given twice", "leave one")
                        .exception();
            }
            if (parameters.size() > MAX_PARAMETERS) {
                throw refused("The query has more than " + MAX_PARAMETERS + " parameters", "leave some out");
            }
        }
        return parameters;
    }

    private static String decoded(String text) {
        ByteBuffer bytes = ByteBuffer.allocate(text.length());
        int at = 0;
        while (at < text.length()) {
            char c = text.charAt(at++);
            if (c == '%') {
                int value = RequestPath.hexByte(text, at);
                if (value < 0) {
                    throw refused(
                            "The query has a percent sign that is not followed by two hexadecimal digits",
                            "write %25 for a percent sign");
                }
                bytes.put((byte) value);
                at += 2;
            } else if (c > ' ' && c < 0x7f) {
                bytes.put((byte) (c == '+' ? ' ' : c));
            } else {
                throw refused(
                        "The query has a character that has to be percent-encoded",
                        "encode it as UTF-8, such as %C3%BC");
            }
        }
        try {
            return StandardCharsets.UTF_8.newDecoder().decode(bytes.flip()).toString();
        } catch (CharacterCodingException e) {
            throw refused("The query is not UTF-8", "encode it as UTF-8");
        }
    }

    private static ProblemException refused(String detail, String wayOut) {
        return Problems.badRequest(detail, wayOut).exception();
    }
}
