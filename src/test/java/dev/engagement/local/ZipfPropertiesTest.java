package dev.engagement.local;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.DoubleRange;
import net.jqwik.api.constraints.IntRange;

/** Against the law as it is written down. */
class ZipfPropertiesTest {

    @Property(tries = 200)
    void ranksHaveTheProbabilityOfTheLaw(
            @ForAll @IntRange(min = 1, max = 300) int n, @ForAll @DoubleRange(min = 0, max = 3) double exponent) {
        Zipf zipf = new Zipf(n, exponent);
        double sum = 0;
        for (int rank = 1; rank <= n; rank++) {
            sum += 1 / Math.pow(rank, exponent);
        }
        for (int rank = 0; rank < n; rank++) {
            assertThat(zipf.probability(rank)).isCloseTo(1 / Math.pow(rank + 1, exponent) / sum, within(1e-9));
        }
    }

    @Property(tries = 500)
    void rankIsTheFirstWhoseCumulatedProbabilityExceedsU(
            @ForAll @IntRange(min = 1, max = 300) int n,
            @ForAll @DoubleRange(min = 0, max = 3) double exponent,
            @ForAll @DoubleRange(min = 0, max = 1, maxIncluded = false) double u) {
        Zipf zipf = new Zipf(n, exponent);
        int rank = zipf.rank(u);
        assertThat(rank).isBetween(0, n - 1);
        double below = 0;
        for (int i = 0; i < rank; i++) {
            below += zipf.probability(i);
        }
        assertThat(u).isBetween(below - 1e-9, below + zipf.probability(rank) + 1e-9);
    }
}
