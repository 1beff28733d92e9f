package dev.engagement.liveview;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import java.util.Arrays;
import org.junit.jupiter.api.Test;

class WriteOutcomeTest {

    @Test
    void every_answer_of_a_script_is_an_outcome_of_its_own() {
        assertThat(WriteOutcome.of(1)).isEqualTo(WriteOutcome.WRITTEN);
        assertThat(WriteOutcome.of(0)).isEqualTo(WriteOutcome.SUPERSEDED);
        assertThat(WriteOutcome.of(-1)).isEqualTo(WriteOutcome.EXPIRED);
        assertThat(WriteOutcome.of(2)).isEqualTo(WriteOutcome.REPLACED_UNREADABLE);
        assertThat(WriteOutcome.of(3)).isEqualTo(WriteOutcome.UNANNOUNCED);
        assertThat(Arrays.asList(WriteOutcome.values())).hasSize(5);
        assertThatIllegalArgumentException()
                .isThrownBy(() -> WriteOutcome.of(4))
                .withMessageContaining("answers 4");
    }
}
