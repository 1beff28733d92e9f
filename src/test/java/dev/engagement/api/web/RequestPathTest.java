package dev.engagement.api.web;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class RequestPathTest {

    @ParameterizedTest
    @CsvSource({
        "/, /",
        "/metrics/realtime, /metrics/realtime",
        "/content/7c9e6679-7425-40de-944b-e07fc1f90ae7, /content/7c9e6679-7425-40de-944b-e07fc1f90ae7",
        "/rollups/w%C3%BCrfel, /rollups/würfel",
        "/rollups/a%20b, /rollups/a b",
        "/%6cive, /live",
        "/rollups/a+b, /rollups/a+b",
        "/static/js/a.b-c_d~e.js, /static/js/a.b-c_d~e.js",
    })
    void what_means_one_thing_is_decoded(String raw, String decoded) {
        assertThat(RequestPath.decoded(raw)).isEqualTo(decoded);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "live",
                "*",
                "//evil.example.com/",
                "/static//index.html",
                "/static/",
                "/live/",
                "/static/../stats",
                "/static/./stats",
                "/..",
                "/%2e%2e/stats",
                "/static/%2e%2E/stats",
                "/static/..%2fstats",
                "/static%2fstats",
                "/static%5cstats",
                "/static\\stats",
                "/live;jsessionid=1",
                "/live%3bx",
                "/live%00",
                "/live%0d%0aX-Evil:%201",
                "/live%7f",
                "/live%25%36%63",
                "/live%",
                "/live%4",
                "/live%zz",
                "/live%１１",
                "/rollups/%ff",
                "/rollups/%c0%ae%c0%ae",
                "/rollups/würfel",
                "/rollups/<script>",
                "/rollups/\"",
                "/rollups/a b",
                "/rollups/{name}",
                "/rollups/a|b",
                "/rollups/a^b",
                "/rollups/a`b"
            })
    void what_can_be_read_in_two_ways_is_refused(String raw) {
        assertThatThrownBy(() -> RequestPath.decoded(raw)).isInstanceOfSatisfying(ProblemException.class, refused -> {
            assertThat(refused.problem().status()).isEqualTo(400);
            assertThat(refused.problem().wayOut()).isNotBlank();
        });
    }

    @Test
    void what_is_too_long_or_not_there_is_refused() {
        assertThatThrownBy(() -> RequestPath.decoded("/" + "a".repeat(2_048))).isInstanceOf(ProblemException.class);
        assertThatThrownBy(() -> RequestPath.decoded(null)).isInstanceOf(ProblemException.class);
        assertThat(RequestPath.decoded("/" + "a".repeat(2_047))).hasSize(2_048);
    }
}
