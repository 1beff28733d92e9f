package dev.engagement.rollup;

import java.math.BigDecimal;
import org.jspecify.annotations.Nullable;

/**
 * Numbers that a rollup adds up, exactly: at most {@value #INTEGER_DIGITS} digits before the point and
 * {@value #FRACTION_DIGITS} after it, trailing zeros aside. What PostgreSQL finds by {@code abs(n) < 1e20 and
 * scale(trim_scale(n)) <= 18}.
 */
final class PlainDecimal {

    static final int INTEGER_DIGITS = 20;
    static final int FRACTION_DIGITS = 18;

    /** Digits after the point of a number that is kept as a {@code long}. */
    static final int SHORT_SCALE = 6;

    /** {@link #shortOf} of a number that has to be a {@link BigDecimal}. */
    static final long NOT_SHORT = Long.MIN_VALUE;

    /** Up to here a number of {@value #SHORT_SCALE} digits after the point fits into a {@code long}, with much room. */
    private static final int SHORT_INTEGER_DIGITS = 9;

    /** No usable number is longer, unless it is written with more zeros than anybody needs. */
    private static final int MAX_LENGTH = 100;

    private static final BigDecimal LIMIT = BigDecimal.TEN.pow(INTEGER_DIGITS);

    private static final long[] TEN_TO = {1, 10, 100, 1_000, 10_000, 100_000, 1_000_000};

    private PlainDecimal() {}

    /**
     * A number of few digits, times 10^{@value #SHORT_SCALE}.
     *
     * @return {@link #NOT_SHORT} if it has more digits, an exponent, or is no number
     */
    static long shortOf(String text) {
        int at = !text.isEmpty() && text.charAt(0) == '-' ? 1 : 0;
        int first = at;
        long digits = 0;
        while (at < text.length() && isDigit(text.charAt(at))) {
            if (at - first == SHORT_INTEGER_DIGITS) {
                return NOT_SHORT;
            }
            digits = digits * 10 + text.charAt(at) - '0';
            at++;
        }
        if (at == first) {
            return NOT_SHORT;
        }
        int fraction = 0;
        if (at < text.length() && text.charAt(at) == '.') {
            at++;
            int point = at;
            while (at < text.length() && isDigit(text.charAt(at)) && at - point < SHORT_SCALE) {
                digits = digits * 10 + text.charAt(at) - '0';
                at++;
            }
            fraction = at - point;
            if (fraction == 0) {
                return NOT_SHORT;
            }
        }
        if (at != text.length()) {
            return NOT_SHORT;
        }
        long value = digits * TEN_TO[SHORT_SCALE - fraction];
        return first == 1 ? -value : value;
    }

    /** A number as JSON writes one, or null if it is not one that a rollup adds up. */
    static @Nullable BigDecimal ofNumber(String text) {
        if (text.length() > MAX_LENGTH) {
            return null;
        }
        BigDecimal number;
        try {
            number = new BigDecimal(text);
        } catch (NumberFormatException e) {
            return null;
        }
        // Before anything is computed with it: an exponent of a billion would be expanded.
        if (number.signum() == 0) {
            return BigDecimal.ZERO;
        }
        if (number.precision() - (long) number.scale() > INTEGER_DIGITS || number.scale() > MAX_LENGTH) {
            return null;
        }
        BigDecimal shortest = number.stripTrailingZeros();
        return shortest.scale() > FRACTION_DIGITS || shortest.abs().compareTo(LIMIT) >= 0 ? null : shortest;
    }

    /** A number in a string: digits, at most one point between them and a minus sign before them; else null. */
    static @Nullable BigDecimal ofText(String text) {
        return isPlain(text) ? ofNumber(text) : null;
    }

    /** The number that {@link #shortOf} gave. */
    static BigDecimal ofShort(long unscaled) {
        return BigDecimal.valueOf(unscaled, SHORT_SCALE);
    }

    private static boolean isPlain(String text) {
        int at = !text.isEmpty() && text.charAt(0) == '-' ? 1 : 0;
        int digits = 0;
        boolean point = false;
        for (; at < text.length(); at++) {
            char next = text.charAt(at);
            if (isDigit(next)) {
                digits++;
            } else if (next == '.' && !point && digits > 0 && at + 1 < text.length()) {
                point = true;
            } else {
                return false;
            }
        }
        return digits > 0;
    }

    private static boolean isDigit(char c) {
        return c >= '0' && c <= '9';
    }
}
