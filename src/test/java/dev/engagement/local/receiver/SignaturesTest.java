package dev.engagement.local.receiver;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.List;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SignaturesTest {

    /** The example of the Standard Webhooks libraries. */
    private static final String SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

    private static final String ID = "msg_p5jXN8AQM9LWM0D4loKWxJek";
    private static final String TIMESTAMP = "1614265330";
    private static final String BODY = "{\"test\": 2432232314}";
    private static final String SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";

    /** Signs with the key in base64. */
    static String sign(String base64, String text) throws Exception {
        Mac mac = Mac.getInstance("HmacSHA256");
        mac.init(new SecretKeySpec(Base64.getDecoder().decode(base64), "HmacSHA256"));
        return "v1," + Base64.getEncoder().encodeToString(mac.doFinal(text.getBytes(StandardCharsets.UTF_8)));
    }

    private static boolean isGood(String signature, String body, long now) {
        Signatures.Check check = new Signatures(List.of("whsec_b3RoZXI=", SECRET + "\n")).of(ID, TIMESTAMP, signature);
        ByteBuffer bytes = ByteBuffer.wrap(body.getBytes(StandardCharsets.UTF_8));
        check.read(bytes.duplicate().limit(5));
        check.read(bytes.position(5));
        return check.isGood(now);
    }

    @Test
    void the_published_example_is_good() {
        assertThat(isGood(SIGNATURE, BODY, 1614265330)).isTrue();
        assertThat(isGood("v1,AAAA v2,x " + SIGNATURE, BODY, 1614265330 + 300)).isTrue();
    }

    @Test
    void an_old_or_a_future_one_is_not() {
        assertThat(isGood(SIGNATURE, BODY, 1614265330 + 301)).isFalse();
        assertThat(isGood(SIGNATURE, BODY, 1614265330 - 301)).isFalse();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "v1,",
                "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OF=",
                "v2,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
                "g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
            })
    void any_other_signature_is_not(String signature) {
        assertThat(isGood(signature, BODY, 1614265330)).isFalse();
    }

    @Test
    void another_body_is_not() {
        assertThat(isGood(SIGNATURE, BODY + " ", 1614265330)).isFalse();
    }

    @Test
    void a_malformed_secret_is_refused_and_not_shown() {
        assertThatThrownBy(() -> new Signatures(List.of("whsec_no base64")))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageNotContaining("no base64")
                .hasMessageContaining("whsec_");
    }

    @Test
    void no_secret_is_no_check() {
        assertThat(new Signatures(List.of()).areChecked()).isFalse();
    }
}
