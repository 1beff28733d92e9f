package dev.engagement.api.read;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.engagement.api.definition.ApiDefinition;
import dev.engagement.api.definition.InvalidParameterException;
import dev.engagement.api.definition.Parameters;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class WindowCursorTest {

    @Test
    void a_cursor_comes_back_as_it_was_whatever_is_in_the_key() {
        for (List<String> key : List.of(
                List.<String>of(), List.of("video"), List.of("", "a.b"), List.of("Ä:%", "\n", "x'; DROP TABLE y"))) {
            WindowCursor cursor = new WindowCursor(1_767_882_090_000L, key);
            assertThat(cursor.text()).matches("[0-9A-Za-z._-]+");
            assertThat(WindowCursor.parse(cursor.text(), key.size())).isEqualTo(cursor);
        }
        assertThat(new WindowCursor(-5, List.of()).text()).isEqualTo("-5");
    }

    @Test
    void of_the_longest_keys_that_the_job_keeps_it_is_taken_back() throws Exception {
        String longest = "%".repeat(512);
        WindowCursor cursor = new WindowCursor(253_402_300_799_999L, List.of(longest, longest, longest));
        String key = "%25".repeat(512);

        Parameters parameters = Parameters.of(
                ApiDefinition.get().operation("rollup"),
                Map.of("name", "x", "cursor", cursor.text(), "key", key + ":" + key + ":" + key)::get,
                Set.of("cursor", "key"));

        assertThat(WindowCursor.parse(parameters.text("cursor"), 3)).isEqualTo(cursor);
        assertThat(RollupKeyText.parse(parameters.text("key"), List.of("a", "b", "c")))
                .containsOnly(longest);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "x",
                "5",
                "5.YQ.YQ",
                "5.Y",
                "5.Y=",
                "5.AA",
                "5.%00",
                "99999999999999999999.YQ",
                "999999999999999.YQ",
                "5.YQ; DROP TABLE metrics",
                "5.YQ\n"
            })
    void what_is_none_of_ours_is_refused(String text) {
        assertThatThrownBy(() -> WindowCursor.parse(text, 1))
                .isInstanceOf(InvalidParameterException.class)
                .hasMessageContaining("next_cursor");
    }
}
