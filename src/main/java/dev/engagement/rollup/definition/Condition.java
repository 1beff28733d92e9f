package dev.engagement.rollup.definition;

import java.io.Serializable;
import java.math.BigDecimal;
import java.util.Set;

/** What an event has to satisfy to be counted by a measure. Immutable. */
public sealed interface Condition extends Serializable {

    /** As it stands between the parentheses of {@code count_if} and {@code unique_if}. */
    String text();

    /**
     * It is one of these event types.
     *
     * @param types at least one, iterated in the order of their characters
     */
    record EventTypeIn(Set<String> types) implements Condition {

        private static final long serialVersionUID = 1L;

        public EventTypeIn {
            if (types.isEmpty()) {
                throw new IllegalArgumentException("A condition of event types has none; it must have at least one");
            }
            types = Filter.sorted(types);
        }

        @Override
        public String text() {
            return "event_type = " + String.join("|", types);
        }
    }

    /**
     * So much of the content was played, by the exact quotient of duration and length, whatever form and scale
     * {@code engagement_pct} has elsewhere. An event without a duration, or of a content without a length, does not
     * satisfy it.
     *
     * @param percent {@link #MIN} to {@link #MAX}, {@link #MAX_SCALE} digits after the point at most; 100 is the whole
     *     content. Kept without zeros at the end of its fraction
     */
    record PctAtLeast(BigDecimal percent) implements Condition {

        private static final long serialVersionUID = 1L;

        /** Less is taken for a ratio, which it is not. */
        static final BigDecimal MIN = BigDecimal.ONE;

        /** With {@link #MAX_SCALE}, what keeps the comparison within a long. */
        static final BigDecimal MAX = BigDecimal.valueOf(1_000);

        static final int MAX_SCALE = 3;

        public PctAtLeast {
            BigDecimal shortest = percent.stripTrailingZeros();
            percent = shortest.scale() < 0 ? shortest.setScale(0) : shortest;
            if (percent.compareTo(MIN) < 0 || percent.compareTo(MAX) > 0 || percent.scale() > MAX_SCALE) {
                throw new IllegalArgumentException("engagement_pct is compared with a percentage: 1 to 1000, at most "
                        + MAX_SCALE + " digits after the point, and 50 is half of the content");
            }
        }

        @Override
        public String text() {
            return "engagement_pct >= " + percent.toPlainString();
        }
    }
}
