package dev.engagement.api;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/** The commented file of every option of the API with its default: what {@link ApiKeys} declare, as text. */
final class ApiReferenceFile {

    /** Its name among the resources. */
    static final String NAME = "engagement-api-reference.properties";

    private static final int COLUMNS = 118;

    private static final String HEADER = """
            # Every option of the API with its default.
            #
            # To use it: copy it, uncomment what you change, and start with --config FILE. UTF-8, KEY=VALUE.
            # Precedence: command line (--KEY VALUE, --KEY=VALUE), environment (ENGAGEMENT_ and the key in capitals, '.' and '-'
            # as '_'), this file, default. It may be the file of the job, too: each takes what is its own.
            #
            # Durations: 250 ms, 30 s, 10 min, 1 h, 1 d or PT30S; a number without unit is refused.
            # Sizes: 512 kb, 1 mb, or bytes; kb and mb are powers of 1024.
            # Lines of the form '#ENGAGEMENT_…=' are given in the environment only, lines of the form '#--…=' on the command line
            # or in the environment.
            """;

    private ApiReferenceFile() {}

    /** The whole file. */
    static String text() {
        StringBuilder text = new StringBuilder(HEADER);
        for (int i = 0; i < ApiKeys.ALL.size(); i++) {
            String section = ApiKeys.sectionAt(i);
            if (section != null) {
                String title = "# ---- " + section + " ";
                text.append("\n\n")
                        .append(title)
                        .append("-".repeat(COLUMNS + 2 - title.length()))
                        .append('\n');
            }
            ApiKey<?> key = ApiKeys.ALL.get(i);
            text.append('\n');
            lines(key.explanation())
                    .forEach(line -> text.append("# ").append(line).append('\n'));
            text.append('#').append(entry(key)).append('=');
            text.append(Objects.requireNonNullElse(key.defaultText(), "")).append('\n');
        }
        return text.toString();
    }

    /** How a key stands in it. */
    static String entry(ApiKey<?> key) {
        return switch (key.kind()) {
            case SECRET -> key.variable();
            case FILE -> "--" + key;
            case NAMESPACE -> key + "*";
            case VALUE -> key.name();
        };
    }

    /** An explanation in lines of the file's width; "Too low" begins a line. */
    private static List<String> lines(String explanation) {
        List<String> lines = new ArrayList<>();
        StringBuilder paragraph = new StringBuilder();
        for (String line : explanation.lines().toList()) {
            if (line.startsWith("Too low:")) {
                wrap(paragraph, lines);
            }
            paragraph.append(paragraph.isEmpty() ? "" : " ").append(line);
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
