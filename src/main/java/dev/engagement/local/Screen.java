package dev.engagement.local;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** What the terminal shows: pure, from a state to lines of text. */
final class Screen {

    private static final int MIN_WIDTH = 40;
    private static final int MAX_WIDTH = 110;
    private static final int TOP_ON_ONE_LINE = 3;
    private static final int PLACES = 10;
    /** From here on the leaderboards stand side by side; with less, titles would be too short to know. */
    private static final int TWO_COLUMNS_FROM = 76;

    private static final String BY_EVENTS = "LAST 10 MIN, BY EVENTS";
    private static final String BY_ENGAGEMENT = "LAST 10 MIN, BY ENGAGEMENT";
    /** A cell of the terminal filled from the left by eighths. */
    private static final String EIGHTHS = " ▏▎▍▌▋▊▉█";

    private static final String BOLD = "\033[1m";
    private static final String DIM = "\033[2m";
    private static final String RED = "\033[31m";
    private static final String GREEN = "\033[32m";
    private static final String CYAN = "\033[36m";
    private static final String RESET = "\033[0m";

    private Screen() {}

    /**
     * The whole screen.
     *
     * @param width columns; no line is wider
     * @param height rows; there are fewer lines, the leaderboards giving way first
     * @param colour whether escape sequences for colour are wanted
     */
    static List<String> render(ScreenState state, int width, int height, boolean colour) {
        int columns = Math.max(MIN_WIDTH, Math.min(width - 1, MAX_WIDTH));
        List<String> head = new ArrayList<>();
        head.add(spread("Engagement pipeline, local stack", "running " + clock(state.uptime()), columns, BOLD, colour));
        for (ScreenState.Job job : state.jobs()) {
            String line = fit("  " + padded(job.name(), 16) + job.state(), columns);
            head.add(styled(
                    line, job.state().equals("RUNNING") ? GREEN : job.state().contains("FAIL") ? RED : "", colour));
        }
        head.add("");
        head.add(fit(
                figure("events in", number(state.in().total()), rate(state.in().perSecond())), columns));
        head.add(fit(
                figure(
                        "events in Redis",
                        number(state.out().total()),
                        rate(state.out().perSecond())),
                columns));
        head.add(fit(
                figure(
                        "rows in BigQuery",
                        number(state.warehouse().total()),
                        rate(state.warehouse().perSecond())),
                columns));
        ScreenState.Delivery delivery = state.delivery();
        head.add(fit(
                figure(
                        "events delivered",
                        number(delivery.received().total()),
                        rate(delivery.received().perSecond())),
                columns));
        head.add(styled(
                fit(
                        figure("in retry topic", number(delivery.aside()), number(delivery.diverted()) + " diverted")
                                + "  circuit " + circuit(delivery) + ", " + number(delivery.undeliverable()) + " dead",
                        columns),
                delivery.circuit() == null || delivery.circuit() == ScreenState.Circuit.CLOSED ? "" : RED,
                colour));
        head.add(fit(
                figure("commit to Redis", millis(state.p50Millis()) + " p50", millis(state.p99Millis()) + " p99"),
                columns));
        Long letters = state.deadLetters();
        head.add(styled(
                fit(figure("dead letters", number(letters), number(state.duplicates()) + " duplicates"), columns),
                letters != null && letters > 0 ? RED : "",
                colour));
        head.add(fit(figure("leaderboards", millis(state.leaderboards().ageMillis()) + " old", ""), columns));
        head.add("");

        List<String> foot = new ArrayList<>();
        foot.add("");
        for (ScreenState.Place place : state.places()) {
            // Not cut: it is there to be copied, and the terminal wraps it; so it counts as the rows it takes.
            foot.add("  " + padded(place.server(), 12) + place.how());
        }
        for (String note : state.notes()) {
            foot.add(styled(fit("  ! " + plain(note), columns), RED, colour));
        }
        foot.add(styled("  Ctrl-C stops everything.", DIM, colour));

        int rows =
                head.size() + foot.stream().mapToInt(line -> rows(line, width)).sum();
        List<String> lines = new ArrayList<>(head);
        lines.addAll(leaderboards(state.leaderboards(), columns, Math.max(1, height - 1 - rows), colour));
        lines.addAll(foot);
        return lines;
    }

    /** At most {@code height} lines, at least one. */
    private static List<String> leaderboards(
            ScreenState.Leaderboards leaderboards, int columns, int height, boolean colour) {
        List<ScreenState.Ranked> events = leaderboards.byEvents();
        List<ScreenState.Ranked> engagement = leaderboards.byEngagement();
        List<String> lines = new ArrayList<>();
        if (columns >= TWO_COLUMNS_FROM) {
            int half = (columns - 4) / 2;
            List<String> left = leaderboard(BY_EVENTS, "", events, half, height, CYAN, colour);
            List<String> right = leaderboard(BY_ENGAGEMENT, " s", engagement, half, height, GREEN, colour);
            for (int i = 0; i < Math.max(left.size(), right.size()); i++) {
                String start = i < left.size() ? left.get(i) : " ".repeat(half);
                lines.add(("  " + start + (i < right.size() ? "  " + right.get(i) : "")).stripTrailing());
            }
            return lines;
        }
        // The second gets what the first leaves, and half at least.
        int first = Math.max((height + 1) / 2, height - 1 - Math.max(1, Math.min(PLACES, engagement.size())));
        leaderboard(BY_EVENTS, "", events, columns - 2, first, CYAN, colour)
                .forEach(line -> lines.add(("  " + line).stripTrailing()));
        leaderboard(BY_ENGAGEMENT, " s", engagement, columns - 2, height - lines.size(), GREEN, colour)
                .forEach(line -> lines.add(("  " + line).stripTrailing()));
        return lines;
    }

    /** A heading and the places, each line as wide as it may be, and no more than {@code height} of them. */
    private static List<String> leaderboard(
            String heading,
            String unit,
            List<ScreenState.Ranked> places,
            int width,
            int height,
            String style,
            boolean colour) {
        List<String> lines = new ArrayList<>();
        lines.add(styled(filled(heading, width), DIM, colour));
        if (places.isEmpty()) {
            lines.add(styled(filled("nothing yet", width), DIM, colour));
        }
        int scoreWidth = places.stream()
                .mapToInt(place -> score(place, unit).length())
                .max()
                .orElse(0);
        int barWidth = width / 8;
        int titleWidth = Math.max(1, width - 4 - scoreWidth - barWidth - 2);
        double max =
                places.stream().mapToDouble(ScreenState.Ranked::score).max().orElse(0);
        for (int i = 0; i < Math.min(PLACES, places.size()); i++) {
            ScreenState.Ranked place = places.get(i);
            String score = score(place, unit);
            lines.add(String.format(Locale.ROOT, "%2d  ", i + 1)
                    + filled(plain(place.title()), titleWidth)
                    + " ".repeat(1 + scoreWidth - score.length()) + score + " "
                    + styled(bar(place.score(), max, barWidth), style, colour));
        }
        return lines.subList(0, Math.max(0, Math.min(height, lines.size())));
    }

    private static String score(ScreenState.Ranked place, String unit) {
        return String.format(Locale.ROOT, "%,.0f", place.score()) + unit;
    }

    /** As long as its part of the most; a score above zero always shows. */
    private static String bar(double score, double max, int width) {
        int full = EIGHTHS.length() - 1;
        int eighths = score <= 0 ? 0 : (int) Math.max(1, Math.round(score / max * width * full));
        String bar = EIGHTHS.substring(full).repeat(eighths / full)
                + (eighths % full == 0 ? "" : EIGHTHS.substring(eighths % full, eighths % full + 1));
        return bar + " ".repeat(width - bar.length());
    }

    private static String filled(String text, int width) {
        String start = fit(text, width);
        return start + " ".repeat(width - columns(start));
    }

    /** The figures on one line, for a log file or a pipe. */
    static String line(ScreenState state) {
        String top = state.leaderboards().byEvents().stream()
                .limit(TOP_ON_ONE_LINE)
                .map(each -> "\"" + plain(each.title()) + "\" " + score(each, ""))
                .collect(Collectors.joining(", "));
        String jobs = state.jobs().stream()
                .filter(job -> !job.state().equals("RUNNING"))
                .map(job -> "  " + job.name() + " " + job.state())
                .collect(Collectors.joining());
        String notes = state.notes().stream().map(note -> "  ! " + plain(note)).collect(Collectors.joining());
        return clock(state.uptime()) + "  in " + number(state.in().total()) + " ("
                + rate(state.in().perSecond())
                + ")  in Redis " + number(state.out().total()) + " ("
                + rate(state.out().perSecond())
                + ")  in BigQuery " + number(state.warehouse().total()) + " ("
                + rate(state.warehouse().perSecond())
                + ")  delivered " + number(state.delivery().received().total()) + " ("
                + rate(state.delivery().received().perSecond())
                + ")  in retry topic " + number(state.delivery().aside())
                + "  diverted " + number(state.delivery().diverted())
                + "  undeliverable " + number(state.delivery().undeliverable())
                + "  circuit " + circuit(state.delivery())
                + "  dead letters " + number(state.deadLetters())
                + "  duplicates " + number(state.duplicates())
                + "  commit to Redis p50 " + millis(state.p50Millis()) + " p99 " + millis(state.p99Millis())
                + (top.isEmpty() ? "" : "  top " + top)
                + jobs
                + notes;
    }

    /** How many rows of a terminal a line takes. */
    static int rows(String line, int width) {
        return Math.max(1, (columns(line.replaceAll("\033\\[[0-9;]*m", "")) + width - 1) / Math.max(1, width));
    }

    /** How many columns a text takes: East Asian characters and emoji take two. */
    static int columns(String text) {
        return text.codePoints().map(Screen::columns).sum();
    }

    private static int columns(int codePoint) {
        int type = Character.getType(codePoint);
        if (type == Character.NON_SPACING_MARK || type == Character.ENCLOSING_MARK || type == Character.FORMAT) {
            return 0;
        }
        boolean wide = (codePoint >= 0x1100 && codePoint <= 0x115f)
                || (codePoint >= 0x2e80 && codePoint <= 0xa4cf)
                || (codePoint >= 0xac00 && codePoint <= 0xd7a3)
                || (codePoint >= 0xf900 && codePoint <= 0xfaff)
                || (codePoint >= 0xfe30 && codePoint <= 0xfe6f)
                || (codePoint >= 0xff00 && codePoint <= 0xff60)
                || (codePoint >= 0x1f300 && codePoint <= 0x1faff)
                || (codePoint >= 0x20000 && codePoint <= 0x3fffd);
        return wide ? 2 : 1;
    }

    /** The text, cut with an ellipsis if it is wider. */
    static String fit(String text, int width) {
        if (columns(text) <= width) {
            return text;
        }
        StringBuilder cut = new StringBuilder();
        int used = 0;
        for (int codePoint : text.codePoints().toArray()) {
            used += columns(codePoint);
            if (used > width - 1) {
                break;
            }
            cut.appendCodePoint(codePoint);
        }
        return cut.append('…').toString();
    }

    /** Without anything that a terminal would take for a command: titles come from the database. */
    static String plain(String text) {
        return text.codePoints()
                .map(codePoint -> Character.isISOControl(codePoint) ? ' ' : codePoint)
                .collect(StringBuilder::new, StringBuilder::appendCodePoint, StringBuilder::append)
                .toString();
    }

    private static String spread(String left, String right, int width, String style, boolean colour) {
        String start = fit(left, width - columns(right) - 1);
        return styled(start + " ".repeat(width - columns(start) - columns(right)) + right, style, colour);
    }

    private static String styled(String text, String style, boolean colour) {
        return colour && !style.isEmpty() ? style + text + RESET : text;
    }

    private static String figure(String what, String value, String more) {
        return "  " + padded(what, 17) + " ".repeat(Math.max(0, 13 - value.length())) + value
                + (more.isEmpty() ? "" : " ".repeat(Math.max(1, 14 - more.length())) + more);
    }

    private static String padded(String text, int width) {
        return text + " ".repeat(Math.max(1, width - text.length()));
    }

    private static String circuit(ScreenState.Delivery delivery) {
        ScreenState.Circuit circuit = delivery.circuit();
        return circuit == null ? "-" : circuit.text();
    }

    private static String number(@Nullable Long value) {
        return value == null ? "-" : String.format(Locale.ROOT, "%,d", value);
    }

    private static String rate(@Nullable Double perSecond) {
        return perSecond == null ? "-/s" : String.format(Locale.ROOT, "%,.0f/s", perSecond);
    }

    private static String millis(@Nullable Double millis) {
        return millis == null ? "-" : String.format(Locale.ROOT, "%,.0f ms", millis);
    }

    private static String clock(Duration time) {
        return String.format(Locale.ROOT, "%02d:%02d:%02d", time.toHours(), time.toMinutesPart(), time.toSecondsPart());
    }
}
