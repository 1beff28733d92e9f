package dev.engagement.delivery;

import dev.engagement.connection.RefusedOptionException;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.util.Base64;
import java.util.List;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * The signature of Standard Webhooks 1.0: HMAC-SHA256 over {@code {id}.{timestamp}.{body}}, written {@code v1,BASE64}; with
 * two live secrets one for each, separated by a space, so that the receiver may know either.
 *
 * <p>A secret is {@code whsec_} and the key in base64. The prefix may be missing, as in the specification's own libraries;
 * what stands without it is base64 all the same. Immutable; any number of threads may sign.
 */
final class WebhookSignature {

    private static final String ALGORITHM = "HmacSHA256";
    private static final String PREFIX = "whsec_";
    private static final String VERSION = "v1,";

    /** Shortest key that the specification allows. */
    private static final int MIN_KEY_BYTES = 24;

    private final List<Mac> keyed;

    /** @param keys one or more, as {@link #key} reads them */
    WebhookSignature(List<byte[]> keys) {
        this.keyed = keys.stream().map(WebhookSignature::keyed).toList();
    }

    /**
     * Reads a secret.
     *
     * @param option whose value it is
     * @throws IllegalArgumentException if it cannot be one; the message names the option and never shows the secret
     */
    static byte[] key(String option, String secret) {
        String text = secret.startsWith(PREFIX) ? secret.substring(PREFIX.length()) : secret;
        byte[] key;
        try {
            key = Base64.getDecoder().decode(text);
        } catch (IllegalArgumentException e) {
            // The exception's own text repeats a piece of it.
            throw malformed(option, "it is not base64");
        }
        if (key.length < MIN_KEY_BYTES) {
            throw malformed(option, "it holds " + key.length + " bytes");
        }
        return key;
    }

    /**
     * What goes into the header {@code webhook-signature}.
     *
     * @param id the header {@code webhook-id}, ASCII
     * @param timestamp the header {@code webhook-timestamp}, seconds since the epoch
     */
    String sign(String id, String timestamp, byte[] body) {
        byte[] head = (id + '.' + timestamp + '.').getBytes(StandardCharsets.US_ASCII);
        if (keyed.size() == 1) {
            return sign(keyed.get(0), head, body);
        }
        StringBuilder all = new StringBuilder();
        for (Mac mac : keyed) {
            all.append(all.isEmpty() ? "" : " ").append(sign(mac, head, body));
        }
        return all.toString();
    }

    private static String sign(Mac keyed, byte[] head, byte[] body) {
        Mac mac;
        try {
            // Cheaper than looking the algorithm up and keying it again.
            mac = (Mac) keyed.clone();
        } catch (CloneNotSupportedException e) {
            throw new IllegalStateException(keyed.getProvider() + " cannot copy " + ALGORITHM, e);
        }
        mac.update(head);
        return VERSION + Base64.getEncoder().encodeToString(mac.doFinal(body));
    }

    private static Mac keyed(byte[] key) {
        try {
            Mac mac = Mac.getInstance(ALGORITHM);
            mac.init(new SecretKeySpec(key, ALGORITHM));
            return mac;
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("This Java has no " + ALGORITHM, e);
        }
    }

    private static RefusedOptionException malformed(String option, String what) {
        return new RefusedOptionException("The secret " + option + " is malformed: " + what + "; it must be " + PREFIX
                + " and base64 of at least " + MIN_KEY_BYTES
                + " bytes, as the receiver of Standard Webhooks has it, such as"
                + " \"" + PREFIX + "$(openssl rand -base64 32)\"");
    }

    /** Without the keys. */
    @Override
    public String toString() {
        return "WebhookSignature[" + keyed.size() + (keyed.size() == 1 ? " key]" : " keys]");
    }
}
