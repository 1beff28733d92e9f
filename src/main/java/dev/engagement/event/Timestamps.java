package dev.engagement.event;

import java.nio.charset.StandardCharsets;
import java.time.Instant;

/**
 * ISO-8601 times to and from microseconds since the epoch (1970-01-01T00:00:00Z), within years 1..9999, proleptic
 * Gregorian. Allocation-free reading; thread-safe.
 */
public final class Timestamps {

    /** What {@link #parse} answers for a text that is not a time within years 1..9999; no valid time has this value. */
    public static final long INVALID = Long.MIN_VALUE;

    /** 0001-01-01T00:00:00Z. */
    public static final long MIN_MICROS = -62_135_596_800_000_000L;

    /** 9999-12-31T23:59:59.999999Z. */
    public static final long MAX_MICROS = 253_402_300_799_999_999L;

    /** Length of every formatted time. */
    public static final int FORMATTED_LENGTH = 27;

    private static final long MICROS_PER_SECOND = 1_000_000L;
    private static final long SECONDS_PER_DAY = 86_400L;
    private static final int[] DAYS_OF_MONTH = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

    private Timestamps() {}

    /** {@link #parse(char[], int, int)} of a whole text. */
    public static long parse(String text) {
        char[] chars = text.toCharArray();
        return parse(chars, 0, chars.length);
    }

    /**
     * Reads {@code yyyy-MM-dd(T| )HH:mm:ss[.f{1,9}](Z|±HH[:mm[:ss]])}; digits beyond the sixth fraction digit are cut.
     *
     * @return microseconds since the epoch, or {@link #INVALID}: for {@code infinity}, for years outside 1..9999, for days
     *     that do not exist, for a missing zone and for anything else
     */
    public static long parse(char[] text, int start, int length) {
        int end = start + length;
        if (length < 20
                || text[start + 4] != '-'
                || text[start + 7] != '-'
                || (text[start + 10] != 'T' && text[start + 10] != ' ')
                || text[start + 13] != ':'
                || text[start + 16] != ':') {
            return INVALID;
        }
        int year = digits(text, start, 4);
        int month = digits(text, start + 5, 2);
        int day = digits(text, start + 8, 2);
        int hour = digits(text, start + 11, 2);
        int minute = digits(text, start + 14, 2);
        int second = digits(text, start + 17, 2);
        if (year < 1 || month < 1 || month > 12 || day < 1 || day > daysOf(year, month)) {
            return INVALID;
        }
        if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 59) {
            return INVALID;
        }
        int at = start + 19;
        int micros = 0;
        if (text[at] == '.') {
            int first = ++at;
            int scale = 100_000;
            while (at < end && text[at] >= '0' && text[at] <= '9') {
                micros += (text[at] - '0') * scale;
                scale /= 10;
                at++;
            }
            if (at == first || at - first > 9) {
                return INVALID;
            }
        }
        int offset = offsetSeconds(text, at, end);
        if (offset == NO_OFFSET) {
            return INVALID;
        }
        long seconds =
                daysSinceEpoch(year, month, day) * SECONDS_PER_DAY + hour * 3_600L + minute * 60L + second - offset;
        long result = seconds * MICROS_PER_SECOND + micros;
        return isWithinRange(result) ? result : INVALID;
    }

    /**
     * Microseconds since the epoch, cut. Not by {@link java.time.temporal.ChronoUnit#between}, which counts nanoseconds and has
     * only 292 years of them.
     *
     * @throws ArithmeticException if it lies some 292,000 years or more from the epoch
     */
    public static long microsOf(Instant time) {
        return Math.addExact(Math.multiplyExact(time.getEpochSecond(), MICROS_PER_SECOND), time.getNano() / 1_000);
    }

    /** Whether a time lies within years 1..9999. */
    public static boolean isWithinRange(long micros) {
        return micros >= MIN_MICROS && micros <= MAX_MICROS;
    }

    /**
     * Whether a time lies more than so much ahead of another: the one rule of what counts as future-dated. To the
     * microsecond, and without overflow, whatever the other time is.
     *
     * @param micros a time within years 1..9999, microseconds since the epoch
     * @param ofMillis the time that it is measured by, milliseconds since the epoch
     * @param byMillis how far ahead of it is still accepted
     */
    public static boolean isAhead(long micros, long ofMillis, long byMillis) {
        return Math.floorDiv(micros - 1, 1_000) - byMillis >= ofMillis;
    }

    /** {@code yyyy-MM-ddTHH:mm:ss.ffffffZ}. */
    public static String format(long micros) {
        byte[] text = new byte[FORMATTED_LENGTH];
        format(micros, text, 0);
        return new String(text, StandardCharsets.ISO_8859_1);
    }

    /**
     * Writes {@code yyyy-MM-ddTHH:mm:ss.ffffffZ} as {@link #FORMATTED_LENGTH} ASCII bytes.
     *
     * @throws IllegalArgumentException for a time outside years 1..9999
     */
    public static void format(long micros, byte[] target, int at) {
        if (!isWithinRange(micros)) {
            throw new IllegalArgumentException(micros + " microseconds lies outside years 1..9999");
        }
        long seconds = Math.floorDiv(micros, MICROS_PER_SECOND);
        int fraction = (int) Math.floorMod(micros, MICROS_PER_SECOND);
        long days = Math.floorDiv(seconds, SECONDS_PER_DAY);
        int ofDay = (int) Math.floorMod(seconds, SECONDS_PER_DAY);

        // Civil date from a day number: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", civil_from_days.
        long shifted = days + 719_468;
        long era = Math.floorDiv(shifted, 146_097);
        int dayOfEra = (int) (shifted - era * 146_097);
        int yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365;
        int dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100);
        int shiftedMonth = (5 * dayOfYear + 2) / 153;
        int day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1;
        int month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9;
        int year = (int) (yearOfEra + era * 400) + (month <= 2 ? 1 : 0);

        put(target, at, year, 4);
        target[at + 4] = '-';
        put(target, at + 5, month, 2);
        target[at + 7] = '-';
        put(target, at + 8, day, 2);
        target[at + 10] = 'T';
        put(target, at + 11, ofDay / 3_600, 2);
        target[at + 13] = ':';
        put(target, at + 14, ofDay / 60 % 60, 2);
        target[at + 16] = ':';
        put(target, at + 17, ofDay % 60, 2);
        target[at + 19] = '.';
        put(target, at + 20, fraction, 6);
        target[at + 26] = 'Z';
    }

    private static void put(byte[] target, int at, int value, int digits) {
        int rest = value;
        for (int i = at + digits - 1; i >= at; i--) {
            target[i] = (byte) ('0' + rest % 10);
            rest /= 10;
        }
    }

    /** The number, or -1 if one of the characters is not a digit. */
    private static int digits(char[] text, int at, int count) {
        int value = 0;
        for (int i = at; i < at + count; i++) {
            int digit = text[i] - '0';
            if (digit < 0 || digit > 9) {
                return -1;
            }
            value = value * 10 + digit;
        }
        return value;
    }

    private static final int NO_OFFSET = Integer.MIN_VALUE;

    private static int offsetSeconds(char[] text, int at, int end) {
        if (at >= end) {
            return NO_OFFSET;
        }
        char sign = text[at];
        if (sign == 'Z') {
            return at + 1 == end ? 0 : NO_OFFSET;
        }
        if (sign != '+' && sign != '-') {
            return NO_OFFSET;
        }
        int length = end - at;
        if (length != 3 && length != 6 && length != 9) {
            return NO_OFFSET;
        }
        int seconds = 0;
        int unit = 3_600;
        for (int i = at; i < end; i += 3, unit /= 60) {
            int part = digits(text, i + 1, 2);
            if (part < 0 || part > 59 || (i > at && text[i] != ':')) {
                return NO_OFFSET;
            }
            seconds += part * unit;
        }
        if (seconds > 18 * 3_600) {
            return NO_OFFSET;
        }
        return sign == '-' ? -seconds : seconds;
    }

    private static int daysOf(int year, int month) {
        boolean leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        return month == 2 && leap ? 29 : DAYS_OF_MONTH[month - 1];
    }

    /** Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", days_from_civil. */
    private static long daysSinceEpoch(int year, int month, int day) {
        int shiftedYear = month <= 2 ? year - 1 : year;
        int era = Math.floorDiv(shiftedYear, 400);
        int yearOfEra = shiftedYear - era * 400;
        int dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
        int dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear;
        return era * 146_097L + dayOfEra - 719_468;
    }
}
