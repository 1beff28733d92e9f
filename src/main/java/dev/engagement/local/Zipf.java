package dev.engagement.local;

import java.util.Arrays;

/**
 * Zipf's law over {@code n} ranks: rank {@code r} (from 0) has a weight of {@code 1 / (r + 1)^exponent}, as the popularity
 * of contents has in life: a few take most of the events.
 */
public final class Zipf {

    private final double[] cumulative;

    /**
     * @param n number of ranks, at least 1
     * @param exponent 0 gives every rank the same weight; above 0, the higher the steeper
     */
    public Zipf(int n, double exponent) {
        if (n < 1 || !(exponent >= 0)) {
            throw new IllegalArgumentException(
                    "n = " + n + ", exponent = " + exponent + "; n needs to be at least 1, the exponent at least 0");
        }
        cumulative = new double[n];
        double sum = 0;
        for (int rank = 0; rank < n; rank++) {
            sum += Math.pow(rank + 1.0, -exponent);
            cumulative[rank] = sum;
        }
        for (int rank = 0; rank < n; rank++) {
            cumulative[rank] /= sum;
        }
        cumulative[n - 1] = 1;
    }

    /** The rank at a uniformly distributed {@code u} of [0, 1). */
    public int rank(double u) {
        int found = Arrays.binarySearch(cumulative, u);
        // At a boundary exactly, u belongs to the next rank.
        return found >= 0 ? found + 1 : -found - 1;
    }

    /** How probable a rank is. */
    double probability(int rank) {
        return rank == 0 ? cumulative[0] : cumulative[rank] - cumulative[rank - 1];
    }
}
