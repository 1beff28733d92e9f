package dev.engagement.warehouse;

import java.math.BigDecimal;
import java.math.BigInteger;
import org.jspecify.annotations.Nullable;

/**
 * What BigQuery's JSON type takes, as its {@code PARSE_JSON} does in the mode {@code exact}: nesting to 500, integers of 64
 * bits, signed or not, and every other number that is the one which BigQuery writes for the nearest 64-bit floating point
 * number ({@link Grisu2}). Thread-safe; allocates next to nothing for what is taken.
 */
final class WarehouseJson {

    /** Deepest nesting that BigQuery takes. */
    static final int MAX_DEPTH = 500;

    /** BigQuery refuses longer ones, whatever they are worth. */
    private static final int MAX_NUMBER_LENGTH = 1_500;

    /** BigQuery compares no more digits behind the point, which are more than any double has. */
    private static final int MAX_FRACTION_DIGITS = 1_074;

    /** Integers of so many digits are within 64 bits. */
    private static final int SAFE_DIGITS = 18;

    /** Of the text of one within 64 bits, with its sign; longer texts take long to read as integers. */
    private static final int LONGEST_INTEGER = 20;

    /** More than {@link Grisu2} ever writes. */
    private static final int TOO_MANY_DIGITS = 18;

    /** An exponent beyond all that is finite or not zero, however many digits stand before it. */
    private static final int ENDLESS = 1_000_000;

    /** Of ten, as doubles hold them exactly. */
    private static final double[] EXACT_POWERS = {
        1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19,
        1e20, 1e21, 1e22
    };

    private static final long EXACT_DIGITS = 1L << 53;

    private static final BigInteger LEAST = BigInteger.valueOf(Long.MIN_VALUE);
    private static final BigInteger MOST = BigInteger.ONE.shiftLeft(64).subtract(BigInteger.ONE);

    private WarehouseJson() {}

    /**
     * A value as it goes to BigQuery.
     *
     * @param json the same object unless it was rounded
     * @param problem why BigQuery refuses it, or null if it takes it
     */
    record Fitted(String json, @Nullable String problem) {}

    /**
     * The value as it goes to BigQuery.
     *
     * @param json one well-formed JSON value
     */
    static Fitted fit(String json, WarehouseOptions.JsonNumbers numbers) {
        String problem = problem(json);
        if (problem == null || numbers == WarehouseOptions.JsonNumbers.EXACT) {
            return new Fitted(json, problem);
        }
        String rounded = rounded(json);
        return new Fitted(rounded, problem(rounded));
    }

    /**
     * Why BigQuery refuses a value.
     *
     * @param json one well-formed JSON value
     * @return the reason and the way out, or null if BigQuery takes it
     */
    static @Nullable String problem(String json) {
        int depth = 0;
        int at = 0;
        int length = json.length();
        while (at < length) {
            char c = json.charAt(at);
            if (c == '"') {
                at = afterString(json, at);
                continue;
            }
            if (c == '{' || c == '[') {
                if (++depth > MAX_DEPTH) {
                    return "raw_payload is nested deeper than " + MAX_DEPTH + ", the most that BigQuery's JSON holds";
                }
            } else if (c == '}' || c == ']') {
                depth--;
            } else if (startsNumber(c)) {
                int end = afterNumber(json, at);
                if (!isHeld(json, at, end)) {
                    return problemOf(json.substring(at, end));
                }
                at = end;
                continue;
            }
            at++;
        }
        return null;
    }

    private static String problemOf(String number) {
        double nearest = Double.parseDouble(number);
        return "raw_payload holds the number " + shortened(number)
                + (Double.isInfinite(nearest)
                        ? ", which is beyond what BigQuery's JSON holds"
                        : ", which BigQuery's JSON would change to " + written(nearest)
                                + "; warehouse.json-numbers=round lets it");
    }

    /**
     * The value with each number that BigQuery would refuse as the one that it would write instead, as its {@code PARSE_JSON}
     * does in the mode {@code round}; what is too large for a double stays.
     *
     * @param json one well-formed JSON value
     */
    static String rounded(String json) {
        StringBuilder rounded = new StringBuilder(json.length() + 16);
        int at = 0;
        int copied = 0;
        while (at < json.length()) {
            char c = json.charAt(at);
            if (c == '"') {
                at = afterString(json, at);
            } else if (startsNumber(c)) {
                int end = afterNumber(json, at);
                if (!isHeld(json, at, end)) {
                    double nearest = Double.parseDouble(json.substring(at, end));
                    if (!Double.isInfinite(nearest)) {
                        rounded.append(json, copied, at).append(written(nearest));
                        copied = end;
                    }
                }
                at = end;
            } else {
                at++;
            }
        }
        return rounded.append(json, copied, json.length()).toString();
    }

    /** A finite number as BigQuery writes it; with another form of the exponent, which is the same to it. */
    private static String written(double value) {
        if (value == 0) {
            return 1 / value < 0 ? "-0.0" : "0.0";
        }
        Grisu2.Decimal decimal = Grisu2.digits(Math.abs(value)).stripped();
        return (value < 0 ? "-" : "") + new BigDecimal(BigInteger.valueOf(decimal.digits()), -decimal.exponent());
    }

    private static boolean isHeld(String json, int start, int end) {
        boolean negative = json.charAt(start) == '-';
        long digits = 0;
        int significant = 0;
        // Zeros that only count if another digit follows.
        int zeros = 0;
        int fraction = -1;
        int at = negative ? start + 1 : start;
        for (; at < end; at++) {
            char c = json.charAt(at);
            if (c == '.') {
                fraction = 0;
                continue;
            }
            if (c < '0' || c > '9') {
                break;
            }
            fraction += fraction < 0 ? 0 : 1;
            if (c == '0') {
                zeros += significant == 0 ? 0 : 1;
                continue;
            }
            significant += zeros + 1;
            if (significant < TOO_MANY_DIGITS) {
                for (; zeros > 0; zeros--) {
                    digits *= 10;
                }
                digits = digits * 10 + (c - '0');
            }
            zeros = 0;
        }
        boolean integer = fraction < 0 && at == end;
        if (integer && end - start <= SAFE_DIGITS) {
            return true;
        }
        if (integer && end - start <= LONGEST_INTEGER) {
            BigInteger value = new BigInteger(json.substring(start, end));
            if (value.compareTo(LEAST) >= 0 && value.compareTo(MOST) <= 0) {
                return true;
            }
        }
        int written = exponent(json, at, end);
        int exponent = written - Math.max(fraction, 0) + zeros;
        if (end - start > MAX_NUMBER_LENGTH || Math.max(fraction, 0) - written > MAX_FRACTION_DIGITS) {
            return false;
        }
        if (significant == 0) {
            return true;
        }
        if (significant >= TOO_MANY_DIGITS) {
            return false;
        }
        double nearest;
        if (digits <= EXACT_DIGITS && Math.abs(exponent) < EXACT_POWERS.length) {
            // One operation on two exact numbers, so that the result is the nearest one.
            nearest = exponent < 0 ? digits / EXACT_POWERS[-exponent] : digits * EXACT_POWERS[exponent];
        } else {
            nearest = Math.abs(Double.parseDouble(json.substring(start, end)));
        }
        if (nearest == 0 || Double.isInfinite(nearest)) {
            return false;
        }
        Grisu2.Decimal given = Grisu2.digits(nearest).stripped();
        return given.digits() == digits && given.exponent() == exponent;
    }

    /** What stands behind the e; 0 without one. */
    private static int exponent(String json, int start, int end) {
        if (start == end) {
            return 0;
        }
        int exponent = 0;
        boolean negative = false;
        for (int at = start + 1; at < end; at++) {
            char c = json.charAt(at);
            if (c == '-') {
                negative = true;
            } else if (c != '+') {
                exponent = Math.min(ENDLESS, exponent * 10 + (c - '0'));
            }
        }
        return negative ? -exponent : exponent;
    }

    private static boolean startsNumber(char c) {
        return c == '-' || c >= '0' && c <= '9';
    }

    private static int afterString(String json, int quote) {
        int at = quote + 1;
        while (json.charAt(at) != '"') {
            at += json.charAt(at) == '\\' ? 2 : 1;
        }
        return at + 1;
    }

    private static int afterNumber(String json, int start) {
        int at = start + 1;
        while (at < json.length()) {
            char c = json.charAt(at);
            if ((c < '0' || c > '9') && c != '.' && c != '-' && c != '+' && (c | 0x20) != 'e') {
                break;
            }
            at++;
        }
        return at;
    }

    private static String shortened(String number) {
        return number.length() <= 60 ? number : number.substring(0, 60) + "…";
    }
}
