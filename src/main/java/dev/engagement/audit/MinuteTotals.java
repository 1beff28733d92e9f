package dev.engagement.audit;

import java.math.BigInteger;

/**
 * What one store says of one minute of event time.
 *
 * @param rows how many
 * @param ids how many distinct ids
 * @param durationMs sum of duration_ms over all rows, nulls left out
 * @param fingerprint of the distinct ids, see {@link Fingerprint}
 */
record MinuteTotals(long rows, long ids, long durationMs, BigInteger fingerprint) {

    static final MinuteTotals NONE = new MinuteTotals(0, 0, 0, BigInteger.ZERO);

    MinuteTotals plus(MinuteTotals other) {
        return new MinuteTotals(
                rows + other.rows,
                ids + other.ids,
                Math.addExact(durationMs, other.durationMs),
                fingerprint.add(other.fingerprint));
    }
}
