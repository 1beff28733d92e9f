package dev.engagement.delivery;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.engagement.connection.SecretRef;
import dev.engagement.delivery.DeliveryOptions.Attempts;
import dev.engagement.delivery.DeliveryOptions.Batch;
import dev.engagement.delivery.DeliveryOptions.InFlight;
import dev.engagement.delivery.DeliveryOptions.Secrets;
import dev.engagement.delivery.DeliveryOptions.Security;
import dev.engagement.delivery.DeliveryOptions.StatusRange;
import dev.engagement.delivery.DeliveryOptions.Success;
import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import org.apache.flink.configuration.MemorySize;
import org.apache.flink.util.InstantiationUtil;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class DeliveryOptionsTest {

    @ParameterizedTest
    @ValueSource(
            strings = {
                "http://localhost:8000/events",
                "http://LOCALHOST",
                "http://receiver.localhost/",
                "http://127.0.0.1:8000",
                "http://127.8.9.10/x",
                "http://[::1]:8000/x",
                "https://receiver.example.com",
                "https://10.0.0.1/in?source=us&m=3",
            })
    void loopback_may_be_plain_and_others_are_encrypted(String url) {
        assertThatCode(() -> DeliveryOptions.to(URI.create(url))).doesNotThrowAnyException();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "http://receiver/x",
                "http://10.0.0.1/x",
                "http://0.0.0.0/x",
                "http://localhost.example.com/x",
                "http://127.0.0.1.example.com/x",
                "http://notlocalhost/x",
                "http://[::2]/x"
            })
    void plain_http_elsewhere_is_refused_unless_it_is_allowed(String url) {
        assertThatThrownBy(() -> DeliveryOptions.to(URI.create(url)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContainingAll("delivery.url", URI.create(url).getHost(), "delivery.allow-plain-http=true");
        assertThatCode(() -> with(url, new Security(null, SecretRef.none(), List.of(), true)))
                .doesNotThrowAnyException();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "https://u:hunter2@receiver/x",
                "https://hunter2@receiver/x",
                "https://receiver/x#hunter2",
                "ftp://receiver/hunter2",
                "receiver:8000/hunter2",
                "/hunter2",
                "https:///hunter2",
                "https://receiver/x?api_key=hunter2",
                "https://receiver/x?a=b&Access-Token=hunter2",
                "https://receiver/x?signature=hunter2",
            })
    void urls_with_secrets_or_of_other_forms_are_refused_and_not_shown(String url) {
        assertThatThrownBy(() -> DeliveryOptions.to(URI.create(url)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContainingAll("delivery.url", "delivery.token.secret-file")
                .hasMessageNotContaining("hunter2");
    }

    @ParameterizedTest
    @CsvSource({
        "https://receiver.example.com/x, receiver.example.com, true",
        "https://Receiver.Example.com:8443/x, RECEIVER.example.com, true",
        "https://receiver.example.com/x, *.example.com, true",
        "https://a.b.example.com/x, *.example.com, true",
        "https://10.0.0.1/x, 10.0.0.1, true",
        "'https://[2001:db8::1]/x', '[2001:db8::1]', true",
        "https://example.com/x, *.example.com, false",
        "https://evilexample.com/x, *.example.com, false",
        "https://receiver.example.com.evil.org/x, receiver.example.com, false",
        "https://receiver.example.com/x, example.com, false",
    })
    void only_allowed_hosts_are_delivered_to(String url, String allowed, boolean admitted) {
        Security security = new Security(null, SecretRef.none(), List.of("other", allowed), false);

        if (admitted) {
            assertThatCode(() -> with(url, security)).doesNotThrowAnyException();
        } else {
            assertThatThrownBy(() -> with(url, security))
                    .hasMessageContainingAll(
                            "delivery.allowed-hosts", URI.create(url).getHost());
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"https://receiver", "receiver:8000", "*", "*.", "a b", "", "*receiver", "a.*.b"})
    void what_is_no_host_is_refused(String allowed) {
        assertThatThrownBy(() -> new Security(null, SecretRef.none(), List.of(allowed), false))
                .hasMessageContainingAll("delivery.allowed-hosts", "'" + allowed + "'");
    }

    @Test
    void options_that_need_each_other_come_together() {
        SecretRef some = SecretRef.inFile("delivery.secret", "/run/x");

        assertThatThrownBy(() -> new Secrets(SecretRef.none(), some, SecretRef.none()))
                .hasMessageContainingAll("delivery.previous-secret", "delivery.secret");
        assertThatThrownBy(() -> new Security(null, some, List.of(), false))
                .hasMessageContainingAll("delivery.trust-store-password", "delivery.trust-store is not");
        assertThatThrownBy(() -> new Success(Success.ANY_2XX.statuses(), "status", Set.of()))
                .hasMessageContainingAll("delivery.success-field", "'status'", "delivery.success-values");
        assertThatThrownBy(() -> new Success(Success.ANY_2XX.statuses(), null, Set.of("ok")))
                .hasMessageContainingAll("delivery.success-values", "ok", "delivery.success-field");
        assertThatThrownBy(() -> new Success(List.of(), null, Set.of()))
                .hasMessageContaining("delivery.success-status");
        assertThatThrownBy(() -> new Attempts(Duration.ofSeconds(1), 1, Duration.ofSeconds(2), Duration.ofSeconds(1)))
                .hasMessageContainingAll("delivery.backoff-max is 1000 ms", "delivery.backoff-initial (2000 ms)");
    }

    @Test
    void numbers_stay_within_what_makes_sense() {
        assertThatThrownBy(() -> new Attempts(Duration.ZERO, 1, Duration.ofSeconds(1), Duration.ofSeconds(1)))
                .hasMessageContaining("delivery.timeout is 0 ms");
        assertThatThrownBy(() -> new Attempts(Duration.ofSeconds(1), 0, Duration.ofSeconds(1), Duration.ofSeconds(1)))
                .hasMessageContaining("delivery.max-attempts is 0");
        assertThatThrownBy(() -> new InFlight(0, MemorySize.ofMebiBytes(32)))
                .hasMessageContaining("delivery.max-in-flight is 0");
        assertThatThrownBy(() -> new InFlight(1, MemorySize.parse("1023 kb")))
                .hasMessageContaining("delivery.max-in-flight-bytes is 1023 kb");
        assertThatThrownBy(() -> new Batch(0, Duration.ZERO)).hasMessageContaining("delivery.batch-size is 0");
        assertThatThrownBy(() -> new Batch(2, Duration.ofSeconds(61)))
                .hasMessageContaining("delivery.batch-linger is 61000 ms");
    }

    @ParameterizedTest
    @CsvSource({"199,200", "100,100", "400,500", "500,500", "299,200", "200,429", "408,408", "425,425", "429,429"})
    void statuses_that_ask_for_another_attempt_are_no_success(int from, int to) {
        assertThatThrownBy(() -> new StatusRange(from, to))
                .hasMessageContaining("delivery.success-status has '" + from);
    }

    @Test
    void they_travel_in_the_job_graph() throws Exception {
        DeliveryOptions options = new DeliveryOptions(
                URI.create("https://receiver/x?source=us"),
                Secrets.NONE,
                new Security("/etc/trust.p12", SecretRef.none(), List.of("receiver"), false),
                Attempts.DEFAULT,
                InFlight.DEFAULT,
                new Batch(20, Duration.ZERO),
                7,
                Duration.ofDays(7),
                true,
                true,
                new Success(List.of(new StatusRange(200, 200)), "status", Set.of("ok")),
                MemorySize.parse("1 kb"));

        assertThat(InstantiationUtil.clone(options)).usingRecursiveComparison().isEqualTo(options);
    }

    @Test
    void text_shows_references_only() {
        DeliveryOptions options = new DeliveryOptions(
                URI.create("https://receiver/x?source=us"),
                new Secrets(
                        SecretRef.inEnvironment("delivery.secret", "ENGAGEMENT_DELIVERY_SECRET"),
                        SecretRef.none(),
                        SecretRef.inFile("delivery.token", "/run/token")),
                Security.DEFAULT,
                Attempts.DEFAULT,
                InFlight.DEFAULT,
                Batch.SINGLE,
                500,
                Duration.ofDays(1),
                false,
                false,
                Success.ANY_2XX,
                MemorySize.parse("64 kb"));

        assertThat(options.toString())
                .contains("https://receiver/x,", "secret in $ENGAGEMENT_DELIVERY_SECRET", "secret in /run/token")
                .doesNotContain("source=us");
    }

    private static DeliveryOptions with(String url, Security security) {
        DeliveryOptions o = DeliveryOptions.to(URI.create("http://localhost"));
        return new DeliveryOptions(
                URI.create(url),
                o.secrets(),
                security,
                o.attempts(),
                o.inFlight(),
                o.batch(),
                o.drainRate(),
                o.retryRetention(),
                o.includeSnapshot(),
                o.receipts(),
                o.success(),
                o.maxResponseBytes());
    }
}
