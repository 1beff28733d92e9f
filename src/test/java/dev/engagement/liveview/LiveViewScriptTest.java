package dev.engagement.liveview;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class LiveViewScriptTest {

    @ParameterizedTest
    @EnumSource
    void a_script_is_found_by_its_id(LiveViewScript script) {
        assertThat(LiveViewScript.of(script.id())).isSameAs(script);
        assertThat(script.sha1()).matches("[0-9a-f]{40}");
    }

    @Test
    void an_unknown_id_names_the_way_out() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> LiveViewScript.of("last-9"))
                .withMessageContaining("last-9")
                .withMessageContaining("newer");
    }
}
