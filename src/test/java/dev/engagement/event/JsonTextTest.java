package dev.engagement.event;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class JsonTextTest {

    @Test
    void nesting_is_accepted_to_its_limit() {
        for (int depth : new int[] {1, 63, 64, 65, 128, JsonText.MAX_DEPTH}) {
            assertThat(JsonText.isOneValue("[".repeat(depth) + "]".repeat(depth)))
                    .as("depth " + depth)
                    .isTrue();
            assertThat(JsonText.isOneValue("{\"a\":".repeat(depth) + "1" + "}".repeat(depth)))
                    .isTrue();
            assertThat(JsonText.isOneValue("[{\"a\":".repeat(depth / 2) + "1" + "}]".repeat(depth / 2)))
                    .isTrue();
            assertThat(JsonText.isOneValue("[".repeat(depth) + "]".repeat(depth - 1) + "}"))
                    .isFalse();
        }
        assertThat(JsonText.isOneValue("[".repeat(JsonText.MAX_DEPTH + 1) + "]".repeat(JsonText.MAX_DEPTH + 1)))
                .isFalse();
    }

    @Test
    void half_a_surrogate_pair_is_not_well_formed() {
        assertThat(JsonText.isWellFormed("a😀b")).isTrue();
        assertThat(JsonText.isWellFormed("a\ud83d")).isFalse();
        assertThat(JsonText.isWellFormed("\ude00b")).isFalse();
        assertThat(JsonText.isOneValue("\"\ud83d\"")).isFalse();
        assertThat(JsonText.isOneValue("\"\\ud83d\""))
                .as("an escape is plain characters")
                .isTrue();
    }
}
