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
 * not) or the ones that BigQuery writes for the nearest double. After BigQuery's {@code PARSE_JSON} in its default mode,
 * {@code exact}, as ZetaSQL has it: it compares with what Grisu2 writes, which is not always the shortest text of a double,
 * so that one ordinary fraction of some hundreds is refused. Written from the definition, without a bound on integers: how
 * fast it is does not matter here.
 */
final class JsonRule {

    static final int MAX_NESTING = 500;

    private static final BigDecimal TWO = BigDecimal.valueOf(2);
    private static final BigInteger MIN_SIGNED = BigInteger.valueOf(Long.MIN_VALUE);
    private static final BigInteger MAX_UNSIGNED = BigInteger.ONE.shiftLeft(64).subtract(BigInteger.ONE);
    /** Of the text of a number, and of its digits behind the point. */
    private static final int MAX_NUMBER_LENGTH = 1_500;

    private static final int MAX_SCALE = 1_074;

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
        BigDecimal value;
        try {
            value = new BigDecimal(number);
        } catch (NumberFormatException e) {
            // An exponent beyond what even BigDecimal has.
            return false;
        }
        return isInteger(number) && isLong(value)
                || number.length() <= MAX_NUMBER_LENGTH && value.scale() <= MAX_SCALE && survivesDouble(value);
    }

    private static boolean isInteger(String number) {
        return number.chars().allMatch(c -> c == '-' || c >= '0' && c <= '9');
    }

    private static boolean isLong(BigDecimal value) {
        BigInteger integer = value.toBigInteger();
        return integer.compareTo(MIN_SIGNED) >= 0 && integer.compareTo(MAX_UNSIGNED) <= 0;
    }

    /** Whether the text of the nearest double is the same number. */
    private static boolean survivesDouble(BigDecimal value) {
        double nearest = value.abs().doubleValue();
        if (Double.isInfinite(nearest) || nearest == 0) {
            return value.signum() == 0;
        }
        return written(nearest).compareTo(value.abs()) == 0;
    }

    /**
     * Grisu2 by its definition: the fewest digits between the middles to the neighbours, of which each is taken to 64 bits
     * times a power of ten of 64 bits and then drawn in by one; of those with so few digits, the nearest.
     */
    static BigDecimal written(double value) {
        int binary = Math.max(Math.getExponent(value), Double.MIN_EXPONENT) - 52;
        BigInteger significand = new BigDecimal(value)
                .multiply(binary < 0 ? TWO.pow(-binary) : BigDecimal.ONE)
                .divide(binary < 0 ? BigDecimal.ONE : TWO.pow(binary))
                .toBigIntegerExact();
        BigInteger two = significand.shiftLeft(1);
        int scale = 64 - two.add(BigInteger.ONE).bitLength();
        boolean lowerIsNearer = significand.bitCount() == 1 && value > Double.MIN_NORMAL;
        BigInteger half = BigInteger.ONE.shiftLeft(scale);
        BigInteger number = two.shiftLeft(scale);
        int exponent = binary - 1 - scale;

        int power = -300;
        while (power < (-61 - exponent) * Math.log10(2)) {
            power += 8;
        }
        BigDecimal ten = BigDecimal.TEN.pow(power, new MathContext(1_000));
        int shift = 63 - floorLog2(ten);
        BigInteger factor = ten.multiply(shift < 0 ? BigDecimal.ONE.divide(TWO.pow(-shift)) : TWO.pow(shift))
                .setScale(0, RoundingMode.HALF_UP)
                .toBigIntegerExact();
        BigInteger max = upper(number.add(half), factor).subtract(BigInteger.ONE);
        BigInteger min = upper(number.subtract(lowerIsNearer ? half.shiftRight(1) : half), factor)
                .add(BigInteger.ONE);
        BigInteger exact = upper(number, factor);
        // All three are to be multiplied by 2^point and divided by 10^power.
        int point = exponent - shift + 64;
        BigDecimal unit = BigDecimal.ONE.divide(TWO.pow(-point));
        BigDecimal high = new BigDecimal(max).multiply(unit);
        BigDecimal low = new BigDecimal(min).multiply(unit);
        BigDecimal wanted = new BigDecimal(exact).multiply(unit);
        // The first digit is taken whatever comes of it.
        int places = high.precision() - high.scale() - 1;
        BigDecimal digits = high.setScale(-places, RoundingMode.DOWN);
        while (digits.compareTo(low) < 0) {
            places--;
            digits = high.setScale(-places, RoundingMode.DOWN);
        }
        BigDecimal step = BigDecimal.ONE.scaleByPowerOfTen(places);
        BigDecimal lower = digits.subtract(step);
        while (digits.compareTo(wanted) > 0
                && lower.compareTo(low) >= 0
                && (lower.compareTo(wanted) > 0 || digits.subtract(wanted).compareTo(wanted.subtract(lower)) > 0)) {
            digits = lower;
            lower = digits.subtract(step);
        }
        return digits.scaleByPowerOfTen(-power);
    }

    private static int floorLog2(BigDecimal value) {
        int estimate = (int) Math.floor((value.precision() - value.scale() - 1) / Math.log10(2));
        while (power(estimate).compareTo(value) > 0) {
            estimate--;
        }
        while (power(estimate + 1).compareTo(value) <= 0) {
            estimate++;
        }
        return estimate;
    }

    private static BigDecimal power(int exponent) {
        return exponent < 0 ? BigDecimal.ONE.divide(TWO.pow(-exponent)) : TWO.pow(exponent);
    }

    /** Of a product of two numbers of 64 bits. */
    private static BigInteger upper(BigInteger one, BigInteger other) {
        return one.multiply(other).add(BigInteger.ONE.shiftLeft(63)).shiftRight(64);
    }
}
