package dev.engagement.delivery;

import dev.engagement.connection.RefusedOptionException;
import dev.engagement.connection.SecretRef;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.apache.hc.core5.http.Header;
import org.apache.hc.core5.http.message.BasicHeader;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What is shared with the receiver, as it was last read. A secret that changes in its file is in use after the next {@link
 * #refresh}; any thread may ask meanwhile.
 */
final class ReceiverSecrets {

    private static final Logger LOG = LoggerFactory.getLogger(ReceiverSecrets.class);

    private final DeliveryOptions.Secrets secrets;
    private volatile Live live;
    private String complaint = "";

    /**
     * @throws IllegalStateException if a secret is not where it should be
     * @throws IllegalArgumentException if one is malformed; neither message shows it
     */
    ReceiverSecrets(DeliveryOptions.Secrets secrets) {
        this.secrets = secrets;
        this.live = Live.read(secrets);
    }

    /** Reads what may have changed. What cannot be read now, or cannot be used, leaves everything as it was. */
    synchronized void refresh() {
        try {
            Live read = Live.read(secrets);
            if (!read.texts.equals(live.texts)) {
                live = read;
                LOG.info("Delivery goes on with a secret that was changed");
            }
            complaint = "";
        } catch (IllegalStateException | IllegalArgumentException e) {
            // Nothing is lost: requests go on with the secrets that were good. A file that is being replaced may be
            // missing for a moment; told once, until it is good again.
            String message = String.valueOf(e.getMessage());
            if (!message.equals(complaint)) {
                complaint = message;
                LOG.warn("Delivery goes on with the secrets it has. {}", message);
            }
        }
    }

    /** Signs, if there is a secret to sign with. */
    @Nullable
    WebhookSignature signature() {
        return live.signature;
    }

    /** The header with the token, if there is one. */
    @Nullable
    Header authorization() {
        return live.authorization;
    }

    /** Overwrites the secrets where a receiver has sent them back: what it says goes into dead letters and logs. */
    void mask(byte[] body) {
        for (String text : live.texts) {
            mask(body, text.getBytes(StandardCharsets.UTF_8));
        }
    }

    private static void mask(byte[] body, byte[] secret) {
        for (int at = 0; at <= body.length - secret.length; at++) {
            int same = 0;
            while (same < secret.length && body[at + same] == secret[same]) {
                same++;
            }
            if (same == secret.length && same > 0) {
                Arrays.fill(body, at, at + same, (byte) '*');
            }
        }
    }

    /** Without any of them. */
    @Override
    public String toString() {
        return "Credentials[" + secrets + "]";
    }

    private static final class Live {

        private final @Nullable WebhookSignature signature;
        private final @Nullable Header authorization;
        private final List<String> texts;

        private Live(@Nullable WebhookSignature signature, @Nullable Header authorization, List<String> texts) {
            this.signature = signature;
            this.authorization = authorization;
            this.texts = List.copyOf(texts);
        }

        private static Live read(DeliveryOptions.Secrets secrets) {
            List<String> texts = new ArrayList<>();
            List<byte[]> keys = new ArrayList<>();
            key("delivery.secret", secrets.signing(), keys, texts);
            key("delivery.previous-secret", secrets.previous(), keys, texts);
            String token = secrets.token().read();
            if (token != null) {
                texts.add(token);
            }
            return new Live(
                    keys.isEmpty() ? null : new WebhookSignature(keys),
                    token == null ? null : new Authorization(token),
                    texts);
        }

        private static void key(String option, SecretRef secret, List<byte[]> keys, List<String> texts) {
            String text = secret.read();
            if (text != null) {
                keys.add(WebhookSignature.key(option, text));
                texts.add(text);
            }
        }
    }

    /** Shows itself to nobody but the receiver. */
    private static final class Authorization extends BasicHeader {
        private static final long serialVersionUID = 1L;

        Authorization(String token) {
            super("Authorization", "Bearer " + checked(token), true);
        }

        private static String checked(String token) {
            if (token.isEmpty() || token.chars().anyMatch(c -> c <= ' ' || c > '~')) {
                throw new RefusedOptionException(
                        "The secret delivery.token is malformed: it must be visible ASCII without"
                                + " blanks, on one line, as 'Authorization: Bearer' takes it");
            }
            return token;
        }

        @Override
        public String toString() {
            return "Authorization: Bearer …";
        }
    }
}
