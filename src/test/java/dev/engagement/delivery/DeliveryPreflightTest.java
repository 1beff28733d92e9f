package dev.engagement.delivery;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.engagement.connection.SecretRef;
import dev.engagement.connection.testing.SelfSigned;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DeliveryPreflightTest {

    @TempDir
    private static Path folder;

    private static SelfSigned certificate;

    @BeforeAll
    static void make() throws Exception {
        certificate = SelfSigned.in(folder);
    }

    @Test
    void nothing_to_look_at_is_fine() {
        assertThat(DeliveryPreflight.check(DeliveryOptions.to(URI.create("https://receiver/x"))))
                .isEmpty();
    }

    @Test
    void a_malformed_secret_is_refused_and_not_shown() throws IOException {
        Path secret = Files.writeString(folder.resolve("malformed"), "hunter2");

        assertThatThrownBy(() -> DeliveryPreflight.check(with(secret, null, null)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("delivery.secret is malformed")
                .hasMessageNotContaining("hunter2");
    }

    @Test
    void a_secret_that_is_elsewhere_is_a_warning() {
        assertThat(DeliveryPreflight.check(with(folder.resolve("elsewhere"), null, null)))
                .hasValueSatisfying(warning -> assertThat(warning)
                        .contains("https://receiver/x", "delivery.secret", "elsewhere", "TaskManager"));
    }

    @Test
    void trust_stores_are_pkcs12_or_pem() throws Exception {
        Path password = Files.writeString(folder.resolve("password"), "letmein");
        Path store = certificate.trustStore("letmein");

        assertThat(DeliveryPreflight.check(with(null, store, password))).isEmpty();
        assertThat(DeliveryPreflight.check(with(null, certificate.certificate(), null)))
                .isEmpty();
    }

    @Test
    void a_trust_store_that_cannot_be_read_is_a_warning_that_says_why() throws Exception {
        Path wrong = Files.writeString(folder.resolve("wrong"), "hunter2");
        Path store = certificate.trustStore("letmein");
        Path rubbish = Files.writeString(folder.resolve("rubbish"), "rubbish");

        for (DeliveryOptions options : List.of(
                with(null, folder.resolve("missing"), null),
                with(null, rubbish, null),
                with(null, store, null),
                with(null, store, wrong))) {
            assertThat(DeliveryPreflight.check(options)).hasValueSatisfying(warning -> assertThat(warning)
                    .contains(
                            "delivery.trust-store is " + options.security().trustStore(),
                            "delivery.trust-store-password")
                    .doesNotContain("hunter2"));
        }
    }

    private static DeliveryOptions with(@Nullable Path secret, @Nullable Path store, @Nullable Path password) {
        DeliveryOptions o = DeliveryOptions.to(URI.create("https://receiver/x"));
        return new DeliveryOptions(
                o.url(),
                new DeliveryOptions.Secrets(file("delivery.secret", secret), SecretRef.none(), SecretRef.none()),
                new DeliveryOptions.Security(
                        store == null ? null : store.toString(),
                        file("delivery.trust-store-password", password),
                        List.of(),
                        false),
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

    private static SecretRef file(String option, @Nullable Path path) {
        return path == null ? SecretRef.none() : SecretRef.inFile(option, path.toString());
    }
}
