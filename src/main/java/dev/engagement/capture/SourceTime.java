package dev.engagement.capture;

import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeFormatterBuilder;
import java.time.format.SignStyle;
import java.time.temporal.ChronoField;
import java.util.Map;

/**
 * PostgreSQL's text of a {@code timestamptz}: in whatever time zone the session has, with an offset of seconds where local
 * mean time has one, and with the era at its end. The calendar is the proleptic Gregorian one, PostgreSQL's and Java's.
 */
final class SourceTime {

    private static final DateTimeFormatter TEXT = new DateTimeFormatterBuilder()
            .appendValue(ChronoField.YEAR_OF_ERA, 4, 10, SignStyle.NEVER)
            .appendLiteral('-')
            .appendValue(ChronoField.MONTH_OF_YEAR, 2)
            .appendLiteral('-')
            .appendValue(ChronoField.DAY_OF_MONTH, 2)
            .appendLiteral(' ')
            .append(DateTimeFormatter.ISO_LOCAL_TIME)
            .appendOffset("+HH:mm:ss", "Z")
            .optionalStart()
            // Not by a locale's name of it.
            .appendText(ChronoField.ERA, Map.of(0L, " BC", 1L, " AD"))
            .optionalEnd()
            .toFormatter();

    private SourceTime() {}

    /** Whether it is a time, and neither {@code infinity} nor {@code -infinity}. */
    static boolean isFinite(String text) {
        return !text.endsWith("infinity");
    }

    /**
     * The time, in UTC.
     *
     * @throws java.time.DateTimeException if it is none
     */
    static OffsetDateTime parse(String text) {
        return OffsetDateTime.parse(text, TEXT).withOffsetSameInstant(ZoneOffset.UTC);
    }
}
