package dev.engagement.capture;

import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeFormatterBuilder;
import java.time.format.SignStyle;
import java.time.temporal.ChronoField;
import java.util.Map;

/**
 * PostgreSQL's text of a time: a {@code timestamptz} in whatever time zone the session has, with an offset of seconds where
 * local mean time has one, and each with the era at its end. The calendar is the proleptic Gregorian one, PostgreSQL's and
 * Java's.
 */
final class SourceTime {

    private static final DateTimeFormatter DATE = withEra(days());
    private static final DateTimeFormatter LOCAL = withEra(seconds());
    private static final DateTimeFormatter ZONED = withEra(seconds().appendOffset("+HH:mm:ss", "Z"));

    private SourceTime() {}

    private static DateTimeFormatterBuilder days() {
        return new DateTimeFormatterBuilder()
                .appendValue(ChronoField.YEAR_OF_ERA, 4, 10, SignStyle.NEVER)
                .appendLiteral('-')
                .appendValue(ChronoField.MONTH_OF_YEAR, 2)
                .appendLiteral('-')
                .appendValue(ChronoField.DAY_OF_MONTH, 2);
    }

    private static DateTimeFormatterBuilder seconds() {
        return days().appendLiteral(' ').append(DateTimeFormatter.ISO_LOCAL_TIME);
    }

    /** By PostgreSQL's name of it, not by a locale's. */
    private static DateTimeFormatter withEra(DateTimeFormatterBuilder builder) {
        return builder.optionalStart()
                .appendText(ChronoField.ERA, Map.of(0L, " BC", 1L, " AD"))
                .optionalEnd()
                .toFormatter();
    }

    /** Whether it is a time, and neither {@code infinity} nor {@code -infinity}. */
    static boolean isFinite(String text) {
        return !text.endsWith("infinity");
    }

    /**
     * A {@code timestamptz}, in UTC.
     *
     * @throws java.time.DateTimeException if it is none
     */
    static OffsetDateTime zoned(String text) {
        return OffsetDateTime.parse(text, ZONED).withOffsetSameInstant(ZoneOffset.UTC);
    }

    /**
     * A {@code timestamp}, taken for one in UTC.
     *
     * @throws java.time.DateTimeException if it is none
     */
    static OffsetDateTime local(String text) {
        return LocalDateTime.parse(text, LOCAL).atOffset(ZoneOffset.UTC);
    }

    /**
     * A {@code date}.
     *
     * @throws java.time.DateTimeException if it is none
     */
    static LocalDate date(String text) {
        return LocalDate.parse(text, DATE);
    }
}
