package dev.engagement.options.testing;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** A file of options, each commented out and explained, as it is written from top to bottom. */
public final class CommentedOptions {

    private static final int COLUMNS = 118;

    private final StringBuilder text;

    /** @param header what the file begins with, in lines of its width */
    public CommentedOptions(String header) {
        text = new StringBuilder(header);
    }

    /** Begins a section. */
    public void section(String name) {
        String title = "# ---- " + name + " ";
        text.append("\n\n")
                .append(title)
                .append("-".repeat(COLUMNS + 2 - title.length()))
                .append('\n');
    }

    /**
     * Adds an option.
     *
     * @param entry how it is given
     * @param byDefault its default, or null if it has none
     * @param explanation what is indented stays as it is, "Too low" begins a line
     */
    public void option(String entry, @Nullable String byDefault, String explanation) {
        text.append('\n');
        lines(explanation).forEach(line -> text.append("# ").append(line).append('\n'));
        text.append('#').append(entry).append('=');
        text.append(Objects.requireNonNullElse(byDefault, "")).append('\n');
    }

    /** The file as it is now. */
    public String text() {
        return text.toString();
    }

    /** In lines of the file's width. */
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
