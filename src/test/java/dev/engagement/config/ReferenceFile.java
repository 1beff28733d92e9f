package dev.engagement.config;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/** The commented file of every option with its default: what {@link Keys} declare, as text. */
final class ReferenceFile {

    /** Its name among the resources. */
    static final String NAME = "engagement-reference.properties";

    private static final int COLUMNS = 118;

    private static final String HEADER = """
            # Every option of the engagement pipeline with its default.
            #
            # To use it: copy it, uncomment what you change, and start with --config FILE. UTF-8, KEY=VALUE.
            # Precedence: command line (--KEY VALUE, --KEY=VALUE), environment (ENGAGEMENT_ and the key in capitals, '.' and '-'
            # as '_'), this file, default. The commands may share one file: each takes what is its own.
            #
            # Durations: 250 ms, 30 s, 10 min, 1 h, 1 d or PT30S; a number without unit is refused.
            # Sizes: 512 kb, 1 mb, or bytes; kb and mb are powers of 1024.
            # Braces in a default stand for another key's value: they are explained here and mean nothing in a value of yours.
            # Lines of the form '#ENGAGEMENT_…=' are given in the environment only, lines of the form '#--…=' on the command line
            # only.
            """;

    private ReferenceFile() {}

    /** The whole file. */
    static String text() {
        StringBuilder text = new StringBuilder(HEADER);
        for (int i = 0; i < Keys.ALL.size(); i++) {
            String section = Keys.sectionAt(i);
            if (section != null) {
                String title = "# ---- " + section + " ";
                text.append("\n\n")
                        .append(title)
                        .append("-".repeat(COLUMNS + 2 - title.length()))
                        .append('\n');
            }
            Key<?> key = Keys.ALL.get(i);
            text.append('\n');
            lines(key.explanation())
                    .forEach(line -> text.append("# ").append(line).append('\n'));
            text.append('#').append(entry(key)).append('=');
            text.append(Objects.requireNonNullElse(key.defaultText(), "")).append('\n');
        }
        return text.toString();
    }

    /** How a key stands in it. */
    static String entry(Key<?> key) {
        return switch (key.kind()) {
            case SECRET -> key.variable();
            case FLAG, ARGUMENT, FILE -> "--" + key;
            case NAMESPACE -> key + "*";
            case VALUE -> key.name();
        };
    }

    /** An explanation in lines of the file's width; what is indented stays as it is, "Too low" begins a line. */
    private static List<String> lines(String explanation) {
        List<String> lines = new ArrayList<>();
        StringBuilder paragraph = new StringBuilder();
        for (String line : explanation.lines().toList()) {
            boolean isVerbatim = line.startsWith("  ");
            if (isVerbatim || line.startsWith("Too low:")) {
                wrap(paragraph, lines);
            }
            if (isVerbatim) {
                lines.add(line);
            } else {
                paragraph.append(paragraph.isEmpty() ? "" : " ").append(line);
            }
        }
        wrap(paragraph, lines);
        return lines;
    }

    private static void wrap(StringBuilder paragraph, List<String> lines) {
        StringBuilder line = new StringBuilder();
        for (String word : paragraph.toString().split(" ")) {
            if (!line.isEmpty() && line.length() + 1 + word.length() > COLUMNS) {
                lines.add(line.toString());
                line.setLength(0);
            }
            line.append(line.isEmpty() ? "" : " ").append(word);
        }
        if (!line.isEmpty()) {
            lines.add(line.toString());
        }
        paragraph.setLength(0);
    }
}
