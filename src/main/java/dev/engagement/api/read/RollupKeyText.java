package dev.engagement.api.read;

import dev.engagement.api.definition.InvalidParameterException;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The key of a rollup as one text: its parts with a colon between them, in which a colon and a percent sign are written
 * as in a URL. Whatever else is written so is understood too.
 */
final class RollupKeyText {

    private static final String NAME = "key";

    private RollupKeyText() {}

    /**
     * The parts.
     *
     * @param columns of the key, in order: at least one
     * @throws InvalidParameterException if it is no key of as many parts
     */
    static List<String> parse(String text, List<String> columns) {
        String[] texts = text.split(":", -1);
        if (texts.length != columns.size()) {
            throw new InvalidParameterException(
                    NAME,
                    text,
                    "give " + String.join(":", columns) + ", a colon in one of them as %3A and a percent sign as %25");
        }
        List<String> parts = new ArrayList<>();
        for (String each : texts) {
            String part = decoded(each);
            // Neither PostgreSQL nor the job's JSON has a text with it.
            if (part == null || part.indexOf('\0') >= 0) {
                throw new InvalidParameterException(
                        NAME, text, "write a percent sign as %25: two hexadecimal digits of UTF-8 stand behind one");
            }
            parts.add(part);
        }
        return List.copyOf(parts);
    }

    private static @Nullable String decoded(String text) {
        if (text.indexOf('%') < 0) {
            return text;
        }
        byte[] given = text.getBytes(StandardCharsets.UTF_8);
        ByteArrayOutputStream bytes = new ByteArrayOutputStream(given.length);
        for (int i = 0; i < given.length; i++) {
            if (given[i] != '%') {
                bytes.write(given[i]);
                continue;
            }
            if (i + 2 >= given.length || !HexFormat.isHexDigit(given[i + 1]) || !HexFormat.isHexDigit(given[i + 2])) {
                return null;
            }
            bytes.write(HexFormat.fromHexDigit(given[i + 1]) << 4 | HexFormat.fromHexDigit(given[i + 2]));
            i += 2;
        }
        try {
            return StandardCharsets.UTF_8
                    .newDecoder()
                    .decode(ByteBuffer.wrap(bytes.toByteArray()))
                    .toString();
        } catch (CharacterCodingException e) {
            // The caller says what would do.
            return null;
        }
    }
}
