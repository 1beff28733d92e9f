package dev.engagement.api.web;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.engagement.connection.SecretRef;
import java.time.Duration;
import java.util.Set;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class WebOptionsTest {

    private static final SecretRef A_TOKEN = SecretRef.inEnvironment("api.token", "ENGAGEMENT_API_TOKEN");
    private static final WebOptions.Limits LIMITS =
            new WebOptions.Limits(1, 1, 10, 5, 8, 4_096, 4_096, Duration.ofSeconds(1), Duration.ofSeconds(1));

    @ParameterizedTest
    @ValueSource(strings = {"127.0.0.1", "127.8.9.10", "localhost", "::1", "[::1]"})
    void on_loopback_no_token_is_needed(String address) {
        assertThat(options(address, TokenRefs.none()).address()).isEqualTo(address);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "0.0.0.0",
                "::",
                "192.168.1.7",
                "metrics.example.com",
                "localhost.example.com",
                "127.0.0.1.nip.io",
                "::2"
            })
    void elsewhere_nobody_is_let_in_without(String address) {
        SecretRef none = SecretRef.none();

        assertThatThrownBy(() -> options(address, TokenRefs.none()))
                .hasMessageContaining("api.address is '" + address + "'")
                .hasMessageContaining("ENGAGEMENT_API_TOKEN")
                .hasMessageContaining("127.0.0.1");
        // What is open is open to all, be it only the numbers.
        assertThatThrownBy(() -> options(address, new TokenRefs(none, A_TOKEN, A_TOKEN, none)))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> options(address, new TokenRefs(none, none, A_TOKEN, A_TOKEN)))
                .isInstanceOf(IllegalArgumentException.class);
        assertThat(options(address, new TokenRefs(none, A_TOKEN, A_TOKEN, A_TOKEN))
                        .port())
                .isZero();
        assertThat(options(address, new TokenRefs(A_TOKEN, none, none, none)).port())
                .isZero();
    }

    private static WebOptions options(String address, TokenRefs tokens) {
        return new WebOptions(address, 0, tokens, Set.of(), Set.of(), LIMITS);
    }
}
