package dev.engagement.rollup.definition;

import java.time.DateTimeException;
import java.time.Duration;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Durations as texts, in the forms of all options. */
final class Durations {
    private Durations() {}

    private static final Duration LONGEST = Duration.ofDays(36_500);

    private static final Pattern NUMBER_AND_UNIT = Pattern.compile("([0-9]{1,10})\\s*([a-z]+)");

    private static final String FORM = "it must be a duration such as 30 s, 10 min, 1 h, 1 d or PT30S";

    private static final long SECOND = 1_000;
    private static final long MINUTE = 60 * SECOND;
    private static final long HOUR = 60 * MINUTE;
    private static final long DAY = 24 * HOUR;

    private static final Map<String, Long> MILLIS = Map.ofEntries(
            Map.entry("ms", 1L),
            Map.entry("s", SECOND),
            Map.entry("sec", SECOND),
            Map.entry("second", SECOND),
            Map.entry("seconds", SECOND),
            Map.entry("m", MINUTE),
            Map.entry("min", MINUTE),
            Map.entry("minute", MINUTE),
            Map.entry("minutes", MINUTE),
            Map.entry("h", HOUR),
            Map.entry("hour", HOUR),
            Map.entry("hours", HOUR),
            Map.entry("d", DAY),
            Map.entry("day", DAY),
            Map.entry("days", DAY));

    /**
     * A number and its unit, or ISO 8601.
     *
     * @return whole milliseconds
     * @throws IllegalArgumentException with what it must be
     */
    static Duration parse(String text) {
        Duration duration = text.matches("[Pp].*") ? iso(text) : numberAndUnit(text);
        if (duration.isNegative()
                || duration.compareTo(LONGEST) > 0
                || !Duration.ofMillis(duration.toMillis()).equals(duration)) {
            throw new IllegalArgumentException(FORM + ", in whole milliseconds, 0 s to " + LONGEST.toDays() + " d");
        }
        return duration;
    }

    private static Duration iso(String text) {
        try {
            return Duration.parse(text);
        } catch (DateTimeException e) {
            throw new IllegalArgumentException(FORM, e);
        }
    }

    private static Duration numberAndUnit(String text) {
        if (text.matches("[0-9]+")) {
            throw new IllegalArgumentException("it has no unit; " + FORM);
        }
        Matcher matcher = NUMBER_AND_UNIT.matcher(text.toLowerCase(Locale.ROOT));
        Long unit = matcher.matches() ? MILLIS.get(matcher.group(2)) : null;
        if (unit == null) {
            throw new IllegalArgumentException(FORM);
        }
        return Duration.ofMillis(Math.multiplyExact(Long.parseLong(matcher.group(1)), unit));
    }

    /** In the largest unit that divides it: {@code 30s}, {@code 2m}, {@code 1h}, {@code 1d}. */
    static String compact(long millis) {
        if (millis % SECOND != 0) {
            return millis + "ms";
        }
        if (millis == 0 || millis % MINUTE != 0) {
            return millis / SECOND + "s";
        }
        if (millis % HOUR != 0) {
            return millis / MINUTE + "m";
        }
        return millis % DAY != 0 ? millis / HOUR + "h" : millis / DAY + "d";
    }

    /** The same with a space, as options are written: {@code 30 s}, {@code 2 min}. */
    static String words(long millis) {
        String text = compact(millis);
        int unit = text.replaceFirst("[a-z]+$", "").length();
        return text.substring(0, unit) + " " + (text.endsWith("m") ? "min" : text.substring(unit));
    }
}
