package dev.engagement.local;

import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** What the screen shows as an SVG: the same lines, the same colours, for a page that cannot run a terminal. */
final class ScreenPicture {

    private static final double COLUMN = 8.4;
    private static final int LINE = 19;
    private static final int MARGIN = 18;
    private static final String PLAIN = "#d8dee9";

    /** By the codes that {@link Screen} uses. */
    private static final Map<String, String> STYLES = Map.of(
            "1", "fill=\"#ffffff\" font-weight=\"bold\"",
            "2", "fill=\"#8b949e\"",
            "31", "fill=\"#ff7b72\"",
            "32", "fill=\"#7ee787\"",
            "36", "fill=\"#79c0ff\"");

    private static final Pattern STYLE = Pattern.compile("\033\\[(\\d*)m");

    private ScreenPicture() {}

    /**
     * The picture.
     *
     * @param lines as {@link Screen#render} makes them, with colour
     * @param width columns
     */
    static String of(List<String> lines, int width) {
        int height = 2 * MARGIN + LINE * lines.size();
        StringBuilder svg = new StringBuilder(String.format(
                Locale.ROOT,
                "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%1$.0f\" height=\"%2$d\" viewBox=\"0 0 %1$.0f %2$d\""
                        + " role=\"img\" font-family=\"ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace\""
                        + " font-size=\"14\">%n"
                        + "<title>The terminal of scripts/local.sh while it runs</title>%n"
                        + "<rect width=\"100%%\" height=\"100%%\" rx=\"8\" fill=\"#0d1117\"/>%n",
                width * COLUMN + 2 * MARGIN,
                height));
        for (int i = 0; i < lines.size(); i++) {
            line(svg, lines.get(i), MARGIN + LINE * i + 14);
        }
        return svg.append("</svg>\n").toString();
    }

    private static void line(StringBuilder svg, String line, int y) {
        Matcher style = STYLE.matcher(line);
        String current = "";
        int column = 0;
        int from = 0;
        while (style.find()) {
            column += run(svg, line.substring(from, style.start()), current, column, y);
            current = style.group(1);
            from = style.end();
        }
        int unused = run(svg, line.substring(from), current, column, y);
    }

    /** Text of one colour, as wide as its columns whatever the font; answers how many those are. */
    private static int run(StringBuilder svg, String text, String style, int column, int y) {
        int columns = Screen.columns(text);
        if (!text.isBlank()) {
            svg.append(String.format(
                    Locale.ROOT,
                    "<text x=\"%.1f\" y=\"%d\" textLength=\"%.1f\" lengthAdjust=\"spacingAndGlyphs\""
                            + " xml:space=\"preserve\" %s>%s</text>%n",
                    MARGIN + column * COLUMN,
                    y,
                    columns * COLUMN,
                    STYLES.getOrDefault(style, "fill=\"" + PLAIN + "\""),
                    text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")));
        }
        return columns;
    }
}
