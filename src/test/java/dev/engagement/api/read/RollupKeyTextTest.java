package dev.engagement.api.read;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.engagement.api.definition.InvalidParameterException;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RollupKeyTextTest {

    private static final List<String> COLUMNS = List.of("content_type", "device");

    @Test
    void parts_stand_between_colons_and_are_decoded() {
        assertThat(RollupKeyText.parse("video:web", COLUMNS)).containsExactly("video", "web");
        assertThat(RollupKeyText.parse(":", COLUMNS)).containsExactly("", "");
        assertThat(RollupKeyText.parse("a%3ab%25:%C3%84 +", COLUMNS)).containsExactly("a:b%", "Ä +");
    }

    @ParameterizedTest
    @ValueSource(strings = {"video", "a:b:c", "a:%", "a:%3", "a:%zz", "a:%C3", "a:%00", "%+1:b"})
    void what_is_no_key_of_as_many_parts_is_refused(String text) {
        assertThatThrownBy(() -> RollupKeyText.parse(text, COLUMNS)).isInstanceOf(InvalidParameterException.class);
    }
}
