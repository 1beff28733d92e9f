package dev.engagement.local;

import dev.engagement.local.DestinationCheck.Comparison;
import java.util.ArrayList;
import java.util.List;

/** What the self-check found, as a table: both sides of every comparison, and what differs by name. */
public final class SelfCheck {

    private static final int MAX_DIFFERING_SHOWN = 10;

    private SelfCheck() {}

    /** Whether everything agrees. */
    public static boolean isPassed(List<Comparison> comparisons) {
        return comparisons.stream().allMatch(Comparison::isEqual);
    }

    /**
     * The table's lines.
     *
     * @param expected heading of what should be
     * @param destination heading of what is
     */
    public static List<String> table(String expected, String destination, List<Comparison> comparisons) {
        List<String[]> cells = new ArrayList<>();
        cells.add(new String[] {"compared", expected, destination, ""});
        for (Comparison each : comparisons) {
            cells.add(
                    new String[] {each.what(), each.source(), each.destination(), each.isEqual() ? "equal" : "DIFFERENT"
                    });
        }
        int[] widths = new int[3];
        for (String[] row : cells) {
            for (int i = 0; i < widths.length; i++) {
                widths[i] = Math.max(widths[i], Screen.columns(row[i]));
            }
        }
        List<String> lines = new ArrayList<>();
        for (int i = 0; i < cells.size(); i++) {
            String[] row = cells.get(i);
            lines.add(("  " + left(row[0], widths[0]) + "  " + right(row[1], widths[1]) + "  "
                            + right(row[2], widths[2]) + "  " + row[3])
                    .stripTrailing());
            if (i > 0) {
                List<String> differing = comparisons.get(i - 1).differing();
                differing.stream().limit(MAX_DIFFERING_SHOWN).forEach(each -> lines.add("      " + Screen.plain(each)));
                if (differing.size() > MAX_DIFFERING_SHOWN) {
                    lines.add("      … and " + (differing.size() - MAX_DIFFERING_SHOWN) + " more");
                }
            }
        }
        return lines;
    }

    private static String left(String text, int width) {
        return text + " ".repeat(width - Screen.columns(text));
    }

    private static String right(String text, int width) {
        return " ".repeat(width - Screen.columns(text)) + text;
    }
}
