package dev.engagement.event;

import static org.assertj.core.api.Assertions.assertThat;

import dev.engagement.event.EngagementRule.NullRule;
import dev.engagement.event.EngagementRule.PctMode;
import java.math.BigDecimal;
import java.math.RoundingMode;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;

/** Against BigDecimal. */
class EngagementRuleProperties {

    @Property(tries = 5_000)
    void the_share_is_exact_and_rounded_once(
            @ForAll @IntRange(max = Integer.MAX_VALUE) int durationMs,
            @ForAll @IntRange(min = 1, max = Integer.MAX_VALUE) int length,
            @ForAll PctMode mode,
            @ForAll @IntRange(max = 9) int scale) {
        Engagement engagement = new EngagementRule(mode, scale, NullRule.INDEPENDENT).engagement(durationMs, length);

        BigDecimal expected = BigDecimal.valueOf(durationMs)
                .multiply(BigDecimal.valueOf(mode == PctMode.PERCENT ? 100 : 1))
                .divide(BigDecimal.valueOf(1_000).multiply(BigDecimal.valueOf(length)), scale, RoundingMode.HALF_UP);
        assertThat(engagement.pctText()).isEqualTo(expected.toPlainString());
    }

    @Property
    void half_goes_up(@ForAll @IntRange(min = 0, max = 100_000) int hundredths) {
        // (2n + 1) / 200 lies exactly between two hundredths.
        Engagement engagement = EngagementRule.DEFAULT.engagement((2 * hundredths + 1) * 5, 1);

        assertThat(new BigDecimal(engagement.pctText())).isEqualByComparingTo(BigDecimal.valueOf(hundredths + 1, 2));
    }

    @Property
    void seconds_are_the_shortest_exact_decimal(@ForAll @IntRange(max = Integer.MAX_VALUE) int durationMs) {
        String text = EngagementRule.DEFAULT.engagement(durationMs, null).secondsText();

        assertThat(new BigDecimal(text)).isEqualByComparingTo(BigDecimal.valueOf(durationMs, 3));
        BigDecimal stripped = BigDecimal.valueOf(durationMs, 3).stripTrailingZeros();
        assertThat(text)
                .isEqualTo(stripped.setScale(Math.max(1, stripped.scale())).toPlainString());
    }
}
