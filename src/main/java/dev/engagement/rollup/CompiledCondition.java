package dev.engagement.rollup;

import dev.engagement.rollup.definition.Condition;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.Set;

/** A condition on single events. */
interface CompiledCondition {

    boolean holds(EventFacts event);

    static CompiledCondition of(Condition condition) {
        if (condition instanceof Condition.EventTypeIn in) {
            Set<String> types = in.types();
            return event -> types.contains(event.eventType());
        }
        if (condition instanceof Condition.PctAtLeast atLeast) {
            return new PctAtLeast(atLeast.percent());
        }
        throw new IllegalArgumentException("Unknown condition " + condition);
    }

    /**
     * By the exact quotient, whatever was rounded for the destinations: {@code duration_ms / 1000 / length_seconds >=
     * percent / 100}. With {@code percent = n / d} that is {@code duration_ms * d >= length_seconds * 10 * n}.
     */
    final class PctAtLeast implements CompiledCondition {
        private final long numerator;
        private final long denominator;

        PctAtLeast(BigDecimal percent) {
            BigDecimal plain = percent.stripTrailingZeros();
            int scale = Math.max(0, plain.scale());
            // Bounded when the definition is read: 0 to 1,000 and at most three digits after the point, so that no
            // product below leaves a long.
            numerator = plain.setScale(scale).unscaledValue().longValueExact();
            denominator = BigInteger.TEN.pow(scale).longValueExact();
        }

        @Override
        public boolean holds(EventFacts event) {
            return event.hasShare() && event.durationMs() * denominator >= event.lengthSeconds() * 10L * numerator;
        }
    }
}
