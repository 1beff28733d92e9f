package dev.engagement.liveview;

import static dev.engagement.liveview.RecordedWrites.texts;
import static org.assertj.core.api.Assertions.assertThat;

import dev.engagement.event.RollupJson;
import dev.engagement.event.RollupRow;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

class RollupCellTest {

    private static final LiveViewKeys KEYS = new LiveViewKeys("p:");
    private static final long END = 1_767_882_120_000L;
    private static final long OVER = END + 3_600_000;

    @Test
    void a_window_is_its_json_at_its_end_an_hour_long_and_a_message() {
        RollupRow row = Samples.metric("click", END, 3);

        ScriptedWrite write = written(Samples.cell(row), OVER - 1).only();

        assertThat(write.script()).isEqualTo(LiveViewScript.ROLLUP);
        assertThat(texts(write.keys())).containsExactly("p:metric:click:30s", "p:version:{p:metric:click:30s}");
        assertThat(texts(write.arguments()))
                .containsExactly(
                        "3",
                        Long.toString(END),
                        Long.toString(OVER),
                        "p:metrics_updates",
                        new String(RollupJson.window(row, Samples.METRICS), StandardCharsets.UTF_8));
    }

    @Test
    void a_window_of_another_rollup_stands_under_its_name_and_key() {
        RollupCell cell = Samples.cell(Samples.hourly("video:hd", "web", END, 3));

        assertThat(written(cell, END).only().key()).isEqualTo("p:rollup:hourly:video%3Ahd:web");
    }

    @Test
    void a_window_is_over_an_hour_after_its_end() {
        RollupCell cell = Samples.cell(Samples.metric("click", END, 3));

        assertThat(cell.aliveAt(OVER - 1)).isSameAs(cell);
        assertThat(cell.aliveAt(OVER)).isNull();
        assertThat(written(cell, OVER).writes).isEmpty();
        assertThat(written(cell, OVER).expired).isEqualTo(1);
    }

    @Test
    void each_window_of_each_key_is_a_value_of_its_own() {
        assertThat(Samples.cell(Samples.metric("click", END, 3)).id()).isEqualTo("metric:click:30s@" + END);
        assertThat(Samples.cell(Samples.metric("click", END, 4)).id()).isEqualTo("metric:click:30s@" + END);
        assertThat(Samples.cell(Samples.metric("play", END, 3)).id()).isEqualTo("metric:play:30s@" + END);
        assertThat(Samples.cell(Samples.metric("click", END + 1, 3)).id()).isEqualTo("metric:click:30s@" + (END + 1));
    }

    @Test
    void two_windows_are_equal_if_all_of_them_is() {
        RollupCell cell = Samples.cell(Samples.metric("click", END, 3));

        assertThat(cell)
                .isEqualTo(Samples.cell(Samples.metric("click", END, 3)))
                .hasSameHashCodeAs(Samples.cell(Samples.metric("click", END, 3)))
                .isNotEqualTo(Samples.cell(Samples.metric("click", END, 4)))
                .isNotEqualTo(Samples.cell(Samples.metric("click", END + 1, 3)))
                .isNotEqualTo(Samples.cell(Samples.metric("play", END, 3)))
                .isNotEqualTo(new RollupCell(cell.windows(), END, new byte[] {'{', '}'}, 3))
                .hasToString("RollupCell[metric:click:30s@" + END + ", version 3]");
    }

    @Test
    void a_long_key_counts_towards_the_memory() {
        String large = "x".repeat(100_000);

        assertThat(Samples.cell(Samples.metric(large, END, 3)).estimatedBytes()).isGreaterThan(100_000);
    }

    private static RecordedWrites written(LiveValue value, long nowMillis) {
        return RecordedWrites.of(value, KEYS, LiveValue.ALL_PARTS, nowMillis);
    }
}
