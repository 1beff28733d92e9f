package dev.engagement.api.track;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TrackOptionsTest {

    private static final TrackOptions USUAL = TrackOptions.of(Samples.options().source());

    @Test
    void the_defaults_are_allowed() {
        assertThat(USUAL.eventTypes()).containsExactly("play", "pause", "finish", "click");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "a b", "events\"; DROP TABLE content; --", "public.events", "1st", "ä"})
    void a_table_is_a_name(String table) {
        assertThatThrownBy(() -> with(table, 1_000, Duration.ofDays(1)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("postgres.events-table is '" + table + "'");
    }

    @Test
    void sizes_and_times_have_bounds() {
        assertThatThrownBy(() -> with("events", 0, Duration.ofDays(1)))
                .hasMessage("track.max-events is 0; it must be from 1 to 100000");
        assertThatThrownBy(() -> with("events", 1, Duration.ZERO))
                .hasMessage("track.keys-kept-for is PT0S; it must be from PT1M to PT8784H");
    }

    private static TrackOptions with(String table, int maxEvents, Duration keysKeptFor) {
        return new TrackOptions(
                USUAL.source(),
                USUAL.schema(),
                table,
                List.of("click"),
                USUAL.maxBodyBytes(),
                USUAL.maxEventBytes(),
                maxEvents,
                USUAL.connections(),
                USUAL.maxWaitingEvents(),
                USUAL.maxGroupEvents(),
                USUAL.timeout(),
                keysKeptFor,
                USUAL.maxAhead());
    }
}
