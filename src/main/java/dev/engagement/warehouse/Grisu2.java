package dev.engagement.warehouse;

import java.math.BigInteger;

/**
 * The decimal digits by which BigQuery writes a 64-bit floating point number: those of Grisu2 (F. Loitsch, "Printing
 * Floating-Point Numbers Quickly and Accurately with Integers", 2010) with 64-bit powers of ten, eight decades apart. They
 * always give the number back, and in one case of a thousand they are not the shortest that do: BigQuery compares what it
 * is given with them, so that it refuses a number as ordinary as {@code 0.2002386475503002}. Thread-safe.
 */
final class Grisu2 {

    private static final int MIN_POWER = -300;
    private static final int STEP = 8;
    private static final Power[] POWERS = powers();

    /** How far the last bit of the product of a number and its power is below its point, at most. */
    private static final int ALPHA = -60;

    private static final int FRACTION_BITS = 52;
    private static final int EXPONENT_BIAS = 1_075;
    private static final long HIDDEN_BIT = 1L << FRACTION_BITS;

    private Grisu2() {}

    /**
     * {@code digits * 10^exponent}.
     *
     * @param digits at most 17, positive
     * @param exponent power of ten of the last digit
     */
    record Decimal(long digits, int exponent) {

        /** The same without zeros at the end. */
        Decimal stripped() {
            long digits = this.digits;
            int exponent = this.exponent;
            while (digits != 0 && digits % 10 == 0) {
                digits /= 10;
                exponent++;
            }
            return new Decimal(digits, exponent);
        }
    }

    /** {@code significand * 2^exponent}, which is 10^power to 64 bits. */
    private record Power(long significand, int exponent, int power) {}

    private static Power[] powers() {
        Power[] powers = new Power[79];
        for (int i = 0; i < powers.length; i++) {
            int power = MIN_POWER + STEP * i;
            BigInteger ten = BigInteger.TEN.pow(Math.abs(power));
            // One bit more than is kept, to round by.
            int shift = power >= 0 ? ten.bitLength() - 65 : -ten.bitLength() - 64;
            BigInteger scaled = power >= 0
                    ? shift >= 0 ? ten.shiftRight(shift) : ten.shiftLeft(-shift)
                    : BigInteger.ONE.shiftLeft(-shift).divide(ten);
            int extra = scaled.bitLength() - 64;
            BigInteger rounded = scaled.add(BigInteger.ONE.shiftLeft(extra - 1)).shiftRight(extra);
            powers[i] = new Power(rounded.longValue(), shift + extra, power);
        }
        return powers;
    }

    /**
     * The digits of a number.
     *
     * @param value finite and positive
     */
    static Decimal digits(double value) {
        long bits = Double.doubleToRawLongBits(value);
        int biased = (int) (bits >>> FRACTION_BITS);
        long fraction = bits & (HIDDEN_BIT - 1);
        long f = biased == 0 ? fraction : fraction | HIDDEN_BIT;
        int e = Math.max(biased, 1) - EXPONENT_BIAS;
        // The middles between the number and its neighbours, all with the exponent at which the upper one fills 64
        // bits.
        int shift = Long.numberOfLeadingZeros(2 * f + 1);
        long upper = (2 * f + 1) << shift;
        long number = 2 * f << shift;
        boolean nearerBelow = fraction == 0 && biased > 1;
        long lower = nearerBelow ? (4 * f - 1) << (shift - 1) : (2 * f - 1) << shift;
        int exponent = e - 1 - shift;

        Power power = powerFor(exponent);
        long max = product(upper, power.significand) - 1;
        long min = product(lower, power.significand) + 1;
        long exact = product(number, power.significand);
        return generate(max, max - min, max - exact, exponent + power.exponent + 64, -power.power);
    }

    /** The one by which a number of that exponent gets some 32 to 60 bits behind its point. */
    private static Power powerFor(int exponent) {
        int bits = ALPHA - exponent - 1;
        int min = (int) Math.ceil(bits * Math.log10(2));
        return POWERS[(min - MIN_POWER + STEP - 1) / STEP];
    }

    /** The upper 64 bits of the product of two unsigned numbers, rounded. */
    private static long product(long a, long b) {
        long high = Math.multiplyHigh(a, b) + (a >> 63 & b) + (b >> 63 & a);
        return high + (a * b >>> 63);
    }

    /**
     * The fewest digits that are at most {@code width} below {@code max}, and then nearer to the number itself. All are
     * unsigned, with {@code -exponent} bits behind the point.
     */
    private static Decimal generate(long max, long width, long distance, int exponent, int decimalExponent) {
        long one = 1L << -exponent;
        int whole = (int) (max >>> -exponent);
        long part = max & (one - 1);
        int places = 0;
        long ten = 1;
        while (ten * 10 <= Integer.toUnsignedLong(whole)) {
            ten *= 10;
            places++;
        }
        long rest = Integer.toUnsignedLong(whole);
        long digits = 0;
        while (true) {
            digits = digits * 10 + rest / ten;
            rest %= ten;
            long left = (rest << -exponent) + part;
            if (Long.compareUnsigned(left, width) <= 0) {
                return nearer(digits, left, width, distance, ten << -exponent, decimalExponent + places);
            }
            if (places == 0) {
                break;
            }
            ten /= 10;
            places--;
        }
        do {
            part *= 10;
            width *= 10;
            distance *= 10;
            digits = digits * 10 + (part >>> -exponent);
            part &= one - 1;
            places--;
        } while (Long.compareUnsigned(part, width) > 0);
        return nearer(digits, part, width, distance, one, decimalExponent + places);
    }

    /** Lowers the last digit while that comes nearer to the number and stays above the lower middle. */
    private static Decimal nearer(long digits, long rest, long width, long distance, long unit, int exponent) {
        long last = digits;
        long left = rest;
        while (Long.compareUnsigned(left, distance) < 0
                && Long.compareUnsigned(width - left, unit) >= 0
                && (Long.compareUnsigned(left + unit, distance) < 0
                        || Long.compareUnsigned(distance - left, left + unit - distance) > 0)) {
            last--;
            left += unit;
        }
        return new Decimal(last, exponent);
    }
}
