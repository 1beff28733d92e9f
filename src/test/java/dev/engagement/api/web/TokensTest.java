package dev.engagement.api.web;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.engagement.api.web.Tokens.Verdict;
import dev.engagement.connection.SecretRef;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class TokensTest {

    private static final String ALL = "all-0123456789abcdef";
    private static final String READ = "read-0123456789abcdef";
    private static final String WRITE = "write-0123456789abcdef";
    private static final String METRICS = "metrics-0123456789abcdef";

    @TempDir
    private Path folder;

    @ParameterizedTest
    @EnumSource
    void without_any_everybody_may_do_everything(Right right) {
        Tokens tokens = Tokens.read(TokenRefs.none());

        assertThat(tokens.isOpen(right)).isTrue();
        assertThat(tokens.ask(null, right)).isEqualTo(Verdict.ALLOWED);
        assertThat(tokens.ask("whatever", right)).isEqualTo(Verdict.ALLOWED);
    }

    @ParameterizedTest
    @EnumSource
    void the_one_for_everything_allows_everything_and_no_other_does(Right right) throws IOException {
        Tokens tokens = Tokens.read(new TokenRefs(in("t", ALL), SecretRef.none(), SecretRef.none(), SecretRef.none()));

        assertThat(tokens.ask(ALL, right)).isEqualTo(Verdict.ALLOWED);
        if (right != Right.NONE) {
            assertThat(tokens.isOpen(right)).isFalse();
            assertThat(tokens.ask(null, right)).isEqualTo(Verdict.MISSING);
            assertThat(tokens.ask("", right)).isEqualTo(Verdict.UNKNOWN);
            assertThat(tokens.ask(ALL + "0", right)).isEqualTo(Verdict.UNKNOWN);
            assertThat(tokens.ask(ALL.substring(1), right)).isEqualTo(Verdict.UNKNOWN);
        }
    }

    @Test
    void each_of_those_for_one_thing_allows_that_alone() throws IOException {
        Tokens tokens = Tokens.read(new TokenRefs(SecretRef.none(), in("r", READ), in("w", WRITE), in("m", METRICS)));

        assertThat(tokens.ask(READ, Right.READ)).isEqualTo(Verdict.ALLOWED);
        assertThat(tokens.ask(READ, Right.WRITE)).isEqualTo(Verdict.OF_OTHERS);
        assertThat(tokens.ask(READ, Right.METRICS)).isEqualTo(Verdict.OF_OTHERS);
        assertThat(tokens.ask(WRITE, Right.WRITE)).isEqualTo(Verdict.ALLOWED);
        assertThat(tokens.ask(WRITE, Right.READ)).isEqualTo(Verdict.OF_OTHERS);
        assertThat(tokens.ask(METRICS, Right.METRICS)).isEqualTo(Verdict.ALLOWED);
        assertThat(tokens.ask(METRICS, Right.READ)).isEqualTo(Verdict.OF_OTHERS);
    }

    @Test
    void what_has_no_token_of_its_own_stays_open_beside_what_has() throws IOException {
        Tokens tokens =
                Tokens.read(new TokenRefs(SecretRef.none(), SecretRef.none(), in("w", WRITE), SecretRef.none()));

        assertThat(tokens.isOpen(Right.READ)).isTrue();
        assertThat(tokens.isOpen(Right.WRITE)).isFalse();
    }

    @Test
    void one_text_for_two_things_allows_both() throws IOException {
        Tokens tokens = Tokens.read(new TokenRefs(SecretRef.none(), in("r", READ), in("w", READ), SecretRef.none()));

        assertThat(tokens.ask(READ, Right.READ)).isEqualTo(Verdict.ALLOWED);
        assertThat(tokens.ask(READ, Right.WRITE)).isEqualTo(Verdict.ALLOWED);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "short",
                "0123456789abcde",
                "with a space in it 0123",
                "ümlaut-0123456789abcdef",
                "a\nb-0123456789abcdef"
            })
    void one_that_can_be_guessed_or_cannot_be_sent_is_refused_and_not_repeated(String token) throws IOException {
        TokenRefs refs = new TokenRefs(in("t", token), SecretRef.none(), SecretRef.none(), SecretRef.none());

        assertThatThrownBy(() -> Tokens.read(refs))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("api.token")
                .hasMessageContaining("openssl rand")
                .hasMessageNotContaining(token);
    }

    @Test
    void a_fingerprint_tells_tokens_apart_and_nothing_of_them() {
        assertThat(Tokens.fingerprint(ALL))
                .isNotEqualTo(Tokens.fingerprint(READ))
                .isEqualTo(Tokens.fingerprint(ALL))
                .doesNotContain("0123456789abcdef")
                .hasSize(64);
    }

    private SecretRef in(String name, String token) throws IOException {
        Path file = folder.resolve(name);
        Files.writeString(file, token);
        return SecretRef.inFile("api." + name, file.toString());
    }
}
