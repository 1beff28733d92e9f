package dev.engagement.api.definition;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class CurlTest {

    private static final String ORIGIN = "http://127.0.0.1:8080";

    @Test
    void a_read_is_an_address() {
        assertThat(line("leaderboard")).isEqualTo("curl 'http://127.0.0.1:8080/leaderboard?by=trending&limit=5'");
    }

    @Test
    void a_stream_is_not_held_back() {
        assertThat(line("live")).isEqualTo("curl -N 'http://127.0.0.1:8080/live?types=click,play'");
        assertThat(line("live-metrics"))
                .startsWith("curl -N --http1.1 -H 'Connection: Upgrade' -H 'Upgrade: websocket'")
                .endsWith("'http://127.0.0.1:8080/live-metrics?types=click,play'");
    }

    @Test
    void a_body_goes_with_its_media_type() {
        assertThat(line("track"))
                .startsWith("curl -X POST -H 'Content-Type: application/json' -H 'Idempotency-Key: ")
                .contains(" -d '{\"content_id\":")
                .endsWith(" 'http://127.0.0.1:8080/track'");
        assertThat(line("graphql")).startsWith("curl -X POST -H 'Content-Type: application/json' -d '{\"query\":");
    }

    @Test
    void nothing_ends_a_word_of_the_shell_before_its_time() {
        Operation operation = ApiDefinition.get().operation("stats");

        assertThat(Curl.of(operation, "http://a';id;'")).isEqualTo("curl 'http://a'\\'';id;'\\''/stats'");
    }

    private static String line(String operation) {
        return Curl.of(ApiDefinition.get().operation(operation), ORIGIN);
    }
}
