package dev.engagement.warehouse;

import java.math.BigDecimal;
import java.math.BigInteger;
import org.jspecify.annotations.Nullable;

/**
 * What BigQuery's JSON type cannot hold unchanged: nesting deeper than 500, integers beyond 64 bits, and other numbers that
 * a 64-bit floating point number does not give back. Thread-safe; allocates nothing for usual values.
 */
final class WarehouseJson {

    /** Deepest nesting that BigQuery takes. */
    static final int MAX_DEPTH = 500;

    /** Every decimal number of so many digits comes back from a double unchanged. */
    private static final int SAFE_DIGITS = 15;

    private static final int MAX_DIGITS = 800;

    private static final BigInteger LEAST = BigInteger.valueOf(Long.MIN_VALUE);
    private static final BigInteger MOST = BigInteger.ONE.shiftLeft(64).subtract(BigInteger.ONE);

    private WarehouseJson() {}

    /**
     * Why BigQuery cannot hold a value.
     *
     * @param json one well-formed JSON value
     * @return the reason, or null if it can hold it
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
            } else if (c == '-' || c >= '0' && c <= '9') {
                int end = afterNumber(json, at);
                if ((end - at > SAFE_DIGITS || hasExponent(json, at, end)) && !isHeld(json.substring(at, end))) {
                    return "raw_payload holds the number " + shortened(json.substring(at, end))
                            + ", which BigQuery's JSON would change";
                }
                at = end;
                continue;
            }
            at++;
        }
        return null;
    }

    private static boolean hasExponent(String json, int start, int end) {
        for (int i = start; i < end; i++) {
            if ((json.charAt(i) | 0x20) == 'e') {
                return true;
            }
        }
        return false;
    }

    private static boolean isHeld(String number) {
        if (number.length() > MAX_DIGITS) {
            // Longer than any double's shortest text, and slow to compare.
            return false;
        }
        double nearest = Double.parseDouble(number);
        if (Double.isInfinite(nearest)) {
            return false;
        }
        if (nearest == 0) {
            // Without BigDecimal, which a large exponent makes slow.
            return isZero(number);
        }
        BigDecimal exact = new BigDecimal(number);
        boolean integer = number.chars().allMatch(c -> c == '-' || c >= '0' && c <= '9');
        if (integer) {
            BigInteger value = exact.toBigIntegerExact();
            return value.compareTo(LEAST) >= 0 && value.compareTo(MOST) <= 0;
        }
        return new BigDecimal(Double.toString(nearest)).compareTo(exact) == 0;
    }

    private static boolean isZero(String number) {
        for (int i = 0; i < number.length() && (number.charAt(i) | 0x20) != 'e'; i++) {
            if (number.charAt(i) >= '1' && number.charAt(i) <= '9') {
                return false;
            }
        }
        return true;
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
