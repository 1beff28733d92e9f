package dev.engagement.local;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.Test;

class LoadProgramTest {

    @Test
    void an_empty_environment_asks_for_fifty_events_a_second_and_no_bursts() {
        LoadOptions load = LoadProgram.options(Map.of("GENERATION_RATE", ""));

        assertThat(load.rate()).isEqualTo(50);
        assertThat(load.burst()).isZero();
        assertThat(load.events()).isZero();
    }

    @Test
    void the_rate_is_by_the_minute() {
        assertThat(LoadProgram.options(Map.of("GENERATION_RATE", "30")).rate()).isEqualTo(0.5);
    }

    @Test
    void bursts_come_beside_the_rate_again_and_again() {
        LoadOptions load = LoadProgram.options(Map.of("BURST_MODE", "TRUE", "BURST_COUNT", "700", "BURST_EVERY", "10"));

        assertThat(load.rate()).isEqualTo(50);
        assertThat(load.burst()).isEqualTo(700);
        assertThat(load.burstEvery()).isEqualTo(Duration.ofSeconds(10));
        assertThat(LoadProgram.options(Map.of("BURST_COUNT", "700")).burst())
                .as("without the mode")
                .isZero();
    }

    @Test
    void a_single_burst_and_nothing_else_has_an_end() {
        LoadOptions load = LoadProgram.options(
                Map.of("GENERATION_RATE", "0", "BURST_MODE", "true", "BURST_COUNT", "700", "BURST_EVERY", "0"));

        assertThat(load.events()).isEqualTo(700);
    }

    @Test
    void what_cannot_be_done_is_refused_by_name_and_value() {
        assertThatThrownBy(() -> LoadProgram.options(Map.of("GENERATION_RATE", "fast")))
                .hasMessage("GENERATION_RATE is 'fast', which is not a whole number; give 0 to 60000000");
        assertThatThrownBy(() -> LoadProgram.options(Map.of("BURST_COUNT", "-1")))
                .hasMessage("BURST_COUNT is -1; it needs to be 0 to 2147483647");
        assertThatThrownBy(() -> LoadProgram.options(Map.of("BURST_MODE", "on")))
                .hasMessage("BURST_MODE is 'on'; give true or false");
    }
}
