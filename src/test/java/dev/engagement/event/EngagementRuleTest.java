package dev.engagement.event;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.engagement.event.EngagementRule.NullRule;
import dev.engagement.event.EngagementRule.PctMode;
import org.junit.jupiter.api.Test;

class EngagementRuleTest {

    @Test
    void the_contracts_examples() {
        assertThat(EngagementRule.DEFAULT.engagement(7_000, 300).secondsText()).isEqualTo("7.0");
        assertThat(EngagementRule.DEFAULT.engagement(1_234, 300).secondsText()).isEqualTo("1.234");
        assertThat(EngagementRule.DEFAULT.engagement(7_000, 300).pctText()).isEqualTo("0.02");
        assertThat(EngagementRule.DEFAULT.engagement(9_000, 120).pctText()).isEqualTo("0.08");
        assertThat(new EngagementRule(PctMode.PERCENT, 2, NullRule.INDEPENDENT)
                        .engagement(7_000, 300)
                        .pctText())
                .isEqualTo("2.33");
    }

    @Test
    void more_than_the_whole_is_not_clamped() {
        assertThat(EngagementRule.DEFAULT.engagement(360_000, 120).pctText()).isEqualTo("3.00");
    }

    @Test
    void nulls_when_independent() {
        assertThat(EngagementRule.DEFAULT
                        .engagement(EngagementEvent.NO_DURATION, 120)
                        .hasSeconds())
                .isFalse();
        assertThat(EngagementRule.DEFAULT
                        .engagement(EngagementEvent.NO_DURATION, 120)
                        .hasPct())
                .isFalse();
        for (Integer length : new Integer[] {null, 0, -5}) {
            assertThat(EngagementRule.DEFAULT.engagement(1_000, length).hasSeconds())
                    .isTrue();
            assertThat(EngagementRule.DEFAULT.engagement(1_000, length).hasPct())
                    .isFalse();
        }
    }

    @Test
    void nulls_when_either() {
        EngagementRule either = new EngagementRule(PctMode.RATIO, 2, NullRule.EITHER);
        assertThat(either.engagement(1_000, null).hasSeconds()).isFalse();
        assertThat(either.engagement(1_000, 0).hasSeconds())
                .as("zero is a length, if a useless one")
                .isTrue();
        assertThat(either.engagement(EngagementEvent.NO_DURATION, 10).hasPct()).isFalse();
    }

    @Test
    void zero_is_a_value() {
        assertThat(EngagementRule.DEFAULT.engagement(0, 120).secondsText()).isEqualTo("0.0");
        assertThat(EngagementRule.DEFAULT.engagement(0, 120).pctText()).isEqualTo("0.00");
        assertThat(new EngagementRule(PctMode.RATIO, 0, NullRule.INDEPENDENT)
                        .engagement(0, 120)
                        .pctText())
                .isEqualTo("0");
    }

    @Test
    void a_scale_out_of_range_is_refused_by_name() {
        assertThatThrownBy(() -> new EngagementRule(PctMode.RATIO, 10, NullRule.INDEPENDENT))
                .hasMessageContaining("enrichment.pct-scale")
                .hasMessageContaining("10");
    }
}
