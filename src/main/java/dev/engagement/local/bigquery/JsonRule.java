package dev.engagement.local.bigquery;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.MathContext;
import java.math.RoundingMode;
import java.util.Optional;

/**
 * What a column of type JSON holds: one JSON value, nested at most 500 deep, whose numbers are 64-bit integers (signed or
 * not) or come back as the same number from a double. After BigQuery's {@code PARSE_JSON} in its default mode, {@code
 * exact}; where BigQuery itself is stricter by accident of its own arithmetic this is not.
 */
final class JsonRule {

    static final int MAX_NESTING = 500;

    private static final BigInteger MIN_SIGNED = BigInteger.valueOf(Long.MIN_VALUE);
    private static final BigInteger MAX_UNSIGNED = BigInteger.ONE.shiftLeft(64).subtract(BigInteger.ONE);
    /** So many digits any double of ordinary size gives back. */
    private static final int SAFE_DIGITS = 15;

    private static final int MAX_DOUBLE_DIGITS = 17;

    private static final JsonFactory FACTORY = JsonFactory.builder()
            .streamReadConstraints(StreamReadConstraints.builder()
                    .maxNestingDepth(Integer.MAX_VALUE)
                    .maxNumberLength(Integer.MAX_VALUE)
                    .maxStringLength(Integer.MAX_VALUE)
                    .maxNameLength(Integer.MAX_VALUE)
                    .build())
            .build();

    private JsonRule() {}

    /** Why it cannot be held; empty if it can. */
    static Optional<String> violation(String text) {
        try (JsonParser parser = FACTORY.createParser(text)) {
            if (parser.nextToken() == null) {
                return Optional.of("Invalid JSON: the text is empty");
            }
            int depth = 0;
            do {
                JsonToken token = parser.currentToken();
                if (token.isStructStart()) {
                    depth++;
                    if (depth > MAX_NESTING) {
                        return Optional.of("Invalid JSON: nested deeper than " + MAX_NESTING);
                    }
                } else if (token.isStructEnd()) {
                    depth--;
                } else if (token.isNumeric() && !isHeld(parser.getText())) {
                    return Optional.of("Invalid JSON: Input number: " + shortened(parser.getText())
                            + " cannot round-trip through string representation");
                }
            } while (parser.nextToken() != null && depth > 0);
            return parser.currentToken() == null
                    ? Optional.empty()
                    : Optional.of("Invalid JSON: something follows the value");
        } catch (JsonProcessingException e) {
            return Optional.of("Invalid JSON: " + e.getOriginalMessage());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static String shortened(String number) {
        return number.length() <= 100 ? number : number.substring(0, 100) + "…";
    }

    private static boolean isHeld(String number) {
        boolean plain = number.indexOf('e') < 0 && number.indexOf('E') < 0;
        if (plain && number.length() <= SAFE_DIGITS) {
            return true;
        }
        BigDecimal value;
        try {
            value = new BigDecimal(number);
        } catch (NumberFormatException e) {
            // An exponent beyond what even BigDecimal has.
            return false;
        }
        return isInteger(number) && isLong(value) || survivesDouble(value);
    }

    private static boolean isInteger(String number) {
        return number.chars().allMatch(c -> c == '-' || c >= '0' && c <= '9');
    }

    private static boolean isLong(BigDecimal value) {
        BigInteger integer = value.toBigInteger();
        return integer.compareTo(MIN_SIGNED) >= 0 && integer.compareTo(MAX_UNSIGNED) <= 0;
    }

    /** Whether the shortest text of the nearest double is the same number. */
    private static boolean survivesDouble(BigDecimal value) {
        double nearest = value.doubleValue();
        if (Double.isInfinite(nearest) || nearest == 0 && value.signum() != 0) {
            return false;
        }
        BigDecimal exact = new BigDecimal(nearest);
        for (int digits = 1; digits <= MAX_DOUBLE_DIGITS; digits++) {
            BigDecimal shorter = exact.round(new MathContext(digits, RoundingMode.HALF_EVEN));
            if (shorter.doubleValue() == nearest) {
                return shorter.compareTo(value) == 0;
            }
        }
        return false;
    }
}
