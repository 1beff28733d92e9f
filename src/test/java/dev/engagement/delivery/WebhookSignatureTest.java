package dev.engagement.delivery;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Against vectors that other programs made: Python's hmac, and the first also {@code openssl dgst -mac HMAC}. */
class WebhookSignatureTest {

    private static final String NEW = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    private static final String OLD = "whsec_ZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXp7";
    private static final String LONG = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4vMDEyMzQ1"
            + "Njc4OTo7PD0+P0BBQkNERUZHSElKS0xNTk9QUVJTVFVWV1hZWltcXV5fYGFiYw==";

    private static final String BODY = "{\"event_id\":16,\"title\":\"Zürich – 漢字\",\"raw_payload\":null}";

    @ParameterizedTest
    @CsvSource({
        NEW + ", 'v1,6NqyLyYlZS8lg1FiJWJ6FccUhdUFB4YwTgpCtzBJkDY='",
        OLD + ", 'v1,s3sZAXOmIuzENaegXmtcJ9hD0TkrLS4JZ4MUup0KHL4='",
        LONG + ", 'v1,1fTQPEQp9ALXNdopxxT7funDY3tQzodcdlFG3n5Hntg='",
    })
    void signs_as_others_do(String secret, String signature) {
        assertThat(sign(List.of(secret), "evt_16", "1767881512", BODY)).isEqualTo(signature);
    }

    @Test
    void signs_an_empty_body() {
        assertThat(sign(List.of(NEW), "evt_16", "0", "")).isEqualTo("v1,xh4lSzXCbcmJTQJlwSHipf7d0UU5LSWIK88b38/1RM8=");
    }

    @Test
    void signs_the_example_of_the_specification() {
        assertThat(sign(
                        List.of("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
                        "msg_p5jXN8AQM9LWM0D4loKWxJek",
                        "1614265330",
                        "{\"test\": 2432232314}"))
                .isEqualTo("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    @Test
    void two_live_secrets_give_two_signatures_the_newer_first() {
        assertThat(sign(List.of(NEW, OLD), "evt_16", "1767881512", BODY))
                .isEqualTo("v1,6NqyLyYlZS8lg1FiJWJ6FccUhdUFB4YwTgpCtzBJkDY="
                        + " v1,s3sZAXOmIuzENaegXmtcJ9hD0TkrLS4JZ4MUup0KHL4=");
    }

    @Test
    void signing_leaves_nothing_behind() {
        WebhookSignature signature = new WebhookSignature(List.of(WebhookSignature.key("delivery.secret", NEW)));
        byte[] body = BODY.getBytes(StandardCharsets.UTF_8);

        String first = signature.sign("evt_16", "1767881512", body);
        signature.sign("evt_17", "1767881513", body);

        assertThat(signature.sign("evt_16", "1767881512", body)).isEqualTo(first);
    }

    @Test
    void prefix_and_padding_may_be_missing() {
        byte[] key = WebhookSignature.key("delivery.secret", NEW);

        assertThat(key).hasSize(32).startsWith(0, 1, 2);
        assertThat(WebhookSignature.key("delivery.secret", NEW.substring("whsec_".length())))
                .isEqualTo(key);
        assertThat(WebhookSignature.key("delivery.secret", NEW.replace("=", "")))
                .isEqualTo(key);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "hunter2",
                "whsec_hunter2hunter2hunter2hunter2!",
                "whsec_",
                "",
                "whsec_hunter2hunter2hunter2hunter",
                " whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
                "whsk_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
                "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n",
                "whsec_-_ECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
            })
    void malformed_secrets_are_refused_and_not_shown(String secret) {
        assertThatThrownBy(() -> WebhookSignature.key("delivery.previous-secret", secret))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContainingAll("delivery.previous-secret is malformed", "openssl rand -base64 32")
                .hasMessageNotContainingAny("hunter2", "AAEC", "ECAw")
                .hasNoCause();
    }

    @Test
    void text_shows_no_key() {
        assertThat(new WebhookSignature(List.of(new byte[24], new byte[24]))).hasToString("WebhookSignature[2 keys]");
    }

    private static String sign(List<String> secrets, String id, String timestamp, String body) {
        List<byte[]> keys = secrets.stream()
                .map(secret -> WebhookSignature.key("delivery.secret", secret))
                .toList();
        return new WebhookSignature(keys).sign(id, timestamp, body.getBytes(StandardCharsets.UTF_8));
    }
}
