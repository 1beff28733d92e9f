package dev.engagement.delivery;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.engagement.connection.SecretRef;
import java.io.IOException;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Objects;
import java.util.Queue;
import org.apache.hc.client5.http.DnsResolver;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is read again while a job runs: secrets, and the receiver's address. */
class ReceiverSecretsTest {

    private static final String FIRST = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    private static final String SECOND = "whsec_ZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXp7";
    private static final String BY_FIRST = "v1,xh4lSzXCbcmJTQJlwSHipf7d0UU5LSWIK88b38/1RM8=";

    @TempDir
    private Path folder;

    private Path secret;
    private Path previous;
    private Path token;

    @BeforeEach
    void write() throws IOException {
        secret = Files.writeString(folder.resolve("secret"), FIRST + "\n");
        previous = folder.resolve("previous");
        token = Files.writeString(folder.resolve("token"), "hunter2");
    }

    @Test
    void a_secret_is_replaced_in_its_file_without_a_restart() throws IOException {
        ReceiverSecrets credentials = credentials();
        assertThat(signature(credentials)).isEqualTo(BY_FIRST);
        assertThat(Objects.requireNonNull(credentials.authorization()).getValue())
                .isEqualTo("Bearer hunter2");

        Files.writeString(secret, SECOND);
        Files.writeString(token, "hunter3");
        assertThat(signature(credentials)).isEqualTo(BY_FIRST);
        credentials.refresh();

        assertThat(signature(credentials)).isNotEqualTo(BY_FIRST);
        assertThat(Objects.requireNonNull(credentials.authorization()).getValue())
                .isEqualTo("Bearer hunter3");
    }

    @Test
    void a_secret_that_is_gone_or_malformed_leaves_the_one_that_was_good() throws IOException {
        ReceiverSecrets credentials = credentials();

        Files.delete(secret);
        credentials.refresh();
        assertThat(signature(credentials)).isEqualTo(BY_FIRST);

        Files.writeString(secret, "whsec_half");
        Files.writeString(token, "hunter3");
        credentials.refresh();
        assertThat(signature(credentials)).isEqualTo(BY_FIRST);
        assertThat(Objects.requireNonNull(credentials.authorization()).getValue())
                .isEqualTo("Bearer hunter2");

        Files.writeString(secret, FIRST);
        credentials.refresh();
        assertThat(Objects.requireNonNull(credentials.authorization()).getValue())
                .isEqualTo("Bearer hunter3");
    }

    @Test
    void without_secrets_nothing_is_signed() {
        ReceiverSecrets credentials = new ReceiverSecrets(DeliveryOptions.Secrets.NONE);

        assertThat(credentials.signature()).isNull();
        assertThat(credentials.authorization()).isNull();
    }

    @Test
    void while_secrets_change_both_sign() throws IOException {
        Files.writeString(previous, SECOND);
        ReceiverSecrets credentials = new ReceiverSecrets(new DeliveryOptions.Secrets(
                SecretRef.inFile("delivery.secret", secret.toString()),
                SecretRef.inFile("delivery.previous-secret", previous.toString()),
                SecretRef.none()));

        assertThat(signature(credentials)).matches("\\Q" + BY_FIRST + "\\E v1,[^ ]{44}");
    }

    @Test
    void missing_and_malformed_secrets_are_named_and_not_shown() throws IOException {
        Files.writeString(token, "hunter2 hunter2");
        assertThatThrownBy(this::credentials)
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("delivery.token is malformed")
                .hasMessageNotContaining("hunter2");

        Files.delete(secret);
        assertThatThrownBy(this::credentials)
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContainingAll("delivery.secret", secret.toString());
    }

    @Test
    void what_a_receiver_sends_back_is_masked() {
        byte[] body = ("{\"got\":\"Bearer hunter2\",\"and\":\"" + FIRST + "\",\"hunter\":\"hunter2")
                .getBytes(StandardCharsets.UTF_8);

        credentials().mask(body);

        assertThat(new String(body, StandardCharsets.UTF_8))
                .isEqualTo("{\"got\":\"Bearer *******\",\"and\":\"" + "*".repeat(FIRST.length())
                        + "\",\"hunter\":\"*******");
    }

    @Test
    void text_shows_no_secret() {
        ReceiverSecrets credentials = credentials();

        assertThat(credentials.toString()).contains(token.toString()).doesNotContain("hunter2", "AAEC");
        assertThat(credentials.authorization()).hasToString("Authorization: Bearer …");
    }

    @Test
    void an_address_that_is_known_stays_when_no_name_server_answers() throws UnknownHostException {
        InetAddress old = InetAddress.getByName("127.0.0.1");
        InetAddress other = InetAddress.getByName("127.0.0.2");
        Names names = new Names();
        ReceiverAddress address = new ReceiverAddress(names, "receiver");
        assertThatThrownBy(() -> address.resolve("receiver"))
                .isInstanceOf(UnknownHostException.class)
                .hasMessage("receiver was not looked up yet");

        address.refresh();
        assertThatThrownBy(() -> address.resolve("receiver"))
                .hasMessage("receiver is not known to any name server here");

        names.answers.add(new InetAddress[] {old});
        address.refresh();
        address.refresh();
        assertThat(address.resolve("receiver")).containsExactly(old);

        names.answers.add(new InetAddress[] {other});
        address.refresh();
        assertThat(address.resolve("receiver")).containsExactly(other);
    }

    private ReceiverSecrets credentials() {
        return new ReceiverSecrets(new DeliveryOptions.Secrets(
                SecretRef.inFile("delivery.secret", secret.toString()),
                SecretRef.none(),
                SecretRef.inFile("delivery.token", token.toString())));
    }

    private static String signature(ReceiverSecrets credentials) {
        return Objects.requireNonNull(credentials.signature()).sign("evt_16", "0", new byte[0]);
    }

    /** Knows what it was told, once each. */
    private static final class Names implements DnsResolver {

        private final Queue<InetAddress[]> answers = new ArrayDeque<>();

        @Override
        public InetAddress[] resolve(String host) throws UnknownHostException {
            InetAddress[] answer = answers.poll();
            if (answer == null) {
                throw new UnknownHostException(host);
            }
            return answer;
        }

        @Override
        public String resolveCanonicalHostname(String host) {
            return host;
        }
    }
}
