package dev.engagement.event;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Random;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;

/** Against Jackson. */
class JsonTextProperties {

    private static final JsonFactory JACKSON = new JsonFactory();

    private static final List<String> PIECES = List.of(
            "{",
            "}",
            "[",
            "]",
            ",",
            ":",
            "\"",
            "\"a\"",
            "\"\\u00e9\"",
            "\"\\n\"",
            "\"\\x\"",
            "\"\\u12\"",
            "0",
            "-0",
            "01",
            "1.5",
            "1.",
            ".5",
            "1e5",
            "1E-3",
            "1e",
            "-",
            "true",
            "false",
            "null",
            "nul",
            " ",
            "\n",
            "\t",
            "\u0001",
            "é",
            "😀",
            "\"😀\"",
            "\\");

    @Provide
    Arbitrary<String> almostJson() {
        return Arbitraries.of(PIECES).list().ofMaxSize(12).map(list -> String.join("", list));
    }

    @Property(tries = 20_000)
    void accepts_exactly_what_jackson_accepts(@ForAll("almostJson") String text) {
        assertThat(JsonText.isOneValue(text)).as(text).isEqualTo(jacksonAccepts(text));
    }

    @Property(tries = 5_000)
    void one_changed_character_is_judged_like_jackson(@ForAll long seed) {
        Random random = new Random(seed);
        StringBuilder text = new StringBuilder(value(random, 0));
        int at = random.nextInt(text.length());
        String with = PIECES.get(random.nextInt(PIECES.size()));
        switch (random.nextInt(3)) {
            case 0 -> text.deleteCharAt(at);
            case 1 -> text.insert(at, with);
            default -> text.replace(at, at + 1, with);
        }
        assertThat(JsonText.isOneValue(text.toString())).as(text.toString()).isEqualTo(jacksonAccepts(text.toString()));
    }

    @Property(tries = 2_000)
    void accepts_generated_values(@ForAll long seed) {
        assertThat(JsonText.isOneValue(value(new Random(seed), 0))).isTrue();
    }

    private static String value(Random random, int depth) {
        return switch (random.nextInt(depth > 4 ? 4 : 6)) {
            case 0 -> "\"t\\\"ä\\u0041\"";
            case 1 -> Integer.toString(random.nextInt());
            case 2 -> "-1.25e+3";
            case 3 -> random.nextBoolean() ? "true" : "null";
            case 4 -> "[ " + value(random, depth + 1) + " ,\n" + value(random, depth + 1) + "]";
            default -> "{\"a\" :" + value(random, depth + 1) + ", \"b\":" + value(random, depth + 1) + " }";
        };
    }

    private static boolean jacksonAccepts(String text) {
        if (!StandardCharsets.UTF_8.newEncoder().canEncode(text)) {
            return false;
        }
        try (JsonParser parser = JACKSON.createParser(text)) {
            if (parser.nextToken() == null) {
                return false;
            }
            // skipChildren alone would not look into texts and numbers.
            int depth = 0;
            do {
                if (parser.currentToken().isStructStart()) {
                    depth++;
                } else if (parser.currentToken().isStructEnd()) {
                    depth--;
                } else {
                    parser.getText();
                }
            } while (depth > 0 && parser.nextToken() != null);
            return depth == 0 && parser.nextToken() == null;
        } catch (IOException e) {
            return false;
        }
    }

    @Property(tries = 20_000)
    void bytes_are_utf8_exactly_where_java_decodes_them(@ForAll("almostUtf8") byte[] bytes) {
        boolean valid;
        try {
            StandardCharsets.UTF_8.newDecoder().decode(java.nio.ByteBuffer.wrap(bytes));
            valid = true;
        } catch (java.nio.charset.CharacterCodingException e) {
            valid = false;
        }
        assertThat(JsonText.scan(bytes) != JsonText.Encoding.BROKEN).isEqualTo(valid);
    }

    @Property(tries = 5_000)
    void an_escaped_surrogate_is_never_overlooked(@ForAll("escapes") String inside) throws IOException {
        String json = "\"" + inside + "\"";
        if (!jacksonAccepts(json)) {
            return;
        }
        String text;
        try (JsonParser parser = JACKSON.createParser(json)) {
            parser.nextToken();
            text = parser.getText();
        }
        if (!JsonText.isWellFormed(text)) {
            assertThat(JsonText.scan(json.getBytes(StandardCharsets.UTF_8)))
                    .isEqualTo(JsonText.Encoding.SURROGATE_ESCAPES);
        }
    }

    @Provide
    Arbitrary<byte[]> almostUtf8() {
        return Arbitraries.of(
                        "abcdefgh",
                        "\\",
                        "\\\\",
                        "é",
                        "€",
                        "😀",
                        "\u0080",
                        "\u00c3",
                        "\u00ed\u00a0\u0080",
                        "\u00f4\u0090\u0080\u0080",
                        "\u00e0\u0080\u0080",
                        "\u00ff",
                        "\u0080",
                        "\u00c0\u0080",
                        "\u00f0\u008f\u00bf\u00bf",
                        "\u00e2\u0082")
                .list()
                .ofMaxSize(6)
                .map(pieces -> {
                    java.io.ByteArrayOutputStream bytes = new java.io.ByteArrayOutputStream();
                    for (String piece : pieces) {
                        boolean raw = piece.chars().allMatch(c -> c < 256) && !piece.equals("é");
                        bytes.writeBytes(piece.getBytes(raw ? StandardCharsets.ISO_8859_1 : StandardCharsets.UTF_8));
                    }
                    return bytes.toByteArray();
                });
    }

    @Provide
    Arbitrary<String> escapes() {
        return Arbitraries.of("a", "abcdefg", "\\\\", "\\\"", "\\ud83d", "\\uDE00", "\\u0041", "u", "ud83d", "é", "\\n")
                .list()
                .ofMaxSize(8)
                .map(list -> String.join("", list));
    }
}
