package dev.engagement.api.read;

import dev.engagement.api.definition.InvalidParameterException;
import dev.engagement.event.JsonText;
import dev.engagement.event.Timestamps;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.regex.Pattern;

/**
 * The last of the windows that were answered: where the next answer begins. Immutable.
 *
 * @param startMillis its first moment, milliseconds since the epoch
 * @param key the parts of its key, where windows of several keys are asked for; else none
 */
record WindowCursor(long startMillis, List<String> key) {

    private static final String NAME = "cursor";

    /** The start, and each part behind a point. */
    private static final Pattern FORM = Pattern.compile("-?[0-9]{1,15}(\\.[A-Za-z0-9_-]*){0,3}");

    WindowCursor {
        key = List.copyOf(key);
    }

    /** As a client gives it back. */
    String text() {
        StringBuilder text = new StringBuilder().append(startMillis);
        for (String part : key) {
            text.append('.')
                    .append(Base64.getUrlEncoder()
                            .withoutPadding()
                            .encodeToString(part.getBytes(StandardCharsets.UTF_8)));
        }
        return text.toString();
    }

    /**
     * The cursor that a client gives back.
     *
     * @param parts how many parts of a key it has
     * @throws InvalidParameterException if it is none of such an answer
     */
    static WindowCursor parse(String text, int parts) {
        String[] texts = text.split("\\.", -1);
        if (!FORM.matcher(text).matches() || texts.length != parts + 1) {
            throw invalid(text);
        }
        long start = Long.parseLong(texts[0]);
        if (start < Timestamps.MIN_MICROS / 1_000 || start > Timestamps.MAX_MICROS / 1_000) {
            throw invalid(text);
        }
        List<String> key = new ArrayList<>();
        for (int i = 1; i < texts.length; i++) {
            key.add(part(texts[i], text));
        }
        return new WindowCursor(start, key);
    }

    private static String part(String encoded, String text) {
        try {
            String part = new String(Base64.getUrlDecoder().decode(encoded), StandardCharsets.UTF_8);
            if (part.indexOf('\0') < 0 && JsonText.isWellFormed(part)) {
                return part;
            }
        } catch (IllegalArgumentException e) {
            // Said below: it is none of ours.
        }
        throw invalid(text);
    }

    private static InvalidParameterException invalid(String text) {
        return new InvalidParameterException(
                NAME, text, "give next_cursor of an answer to the same parameters, or leave it out");
    }
}
