package dev.engagement.local.receiver;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;
import org.jspecify.annotations.Nullable;

/**
 * Checks signatures as a receiver of Standard Webhooks 1.0 does: {@code webhook-signature} holds, separated by spaces,
 * {@code v1,} and the base64 of HMAC-SHA256 over {@code {id}.{timestamp}.{body}}; one of them has to be of one of the
 * secrets, and the timestamp within five minutes of now.
 *
 * <p>Thread safe. Shows no secret.
 */
final class Signatures {

    private static final String PREFIX = "whsec_";
    private static final String VERSION = "v1,";
    private static final String ALGORITHM = "HmacSHA256";
    private static final long TOLERANCE_SECONDS = 300;

    private final List<Mac> keyed;

    /**
     * @param secrets {@code whsec_}, which may be missing, and the key in base64. None: nothing is checked
     * @throws IllegalArgumentException if one is malformed; without showing it
     */
    Signatures(List<String> secrets) {
        keyed = secrets.stream().map(Signatures::keyed).toList();
    }

    private static Mac keyed(String secret) {
        String text = secret.strip();
        try {
            byte[] key = Base64.getDecoder().decode(text.startsWith(PREFIX) ? text.substring(PREFIX.length()) : text);
            Mac mac = Mac.getInstance(ALGORITHM);
            mac.init(new SecretKeySpec(key, ALGORITHM));
            return mac;
        } catch (GeneralSecurityException e) {
            throw new IllegalStateException("Every Java has " + ALGORITHM, e);
        } catch (IllegalArgumentException e) {
            // The exception's own text would show a part of it.
            throw new IllegalArgumentException("A secret is malformed: it needs to be " + PREFIX + " and base64");
        }
    }

    /** Cheaper than looking the algorithm up and keying it for each post. */
    private static Mac copyOf(Mac mac) {
        try {
            return (Mac) mac.clone();
        } catch (CloneNotSupportedException e) {
            throw new IllegalStateException(mac.getProvider() + " cannot copy " + ALGORITHM, e);
        }
    }

    /** Whether there is anything to check. */
    boolean areChecked() {
        return !keyed.isEmpty();
    }

    /** The check of one post. */
    Check of(String webhookId, @Nullable String timestamp, @Nullable String signature) {
        return new Check(webhookId, timestamp, signature);
    }

    /** Takes a post's body in parts. Not thread safe. */
    final class Check {

        private final List<Mac> macs = new ArrayList<>();
        private final @Nullable String timestamp;
        private final @Nullable String signature;

        private Check(String webhookId, @Nullable String timestamp, @Nullable String signature) {
            this.timestamp = timestamp;
            this.signature = signature;
            byte[] head = (webhookId + "." + timestamp + ".").getBytes(StandardCharsets.UTF_8);
            for (Mac each : keyed) {
                Mac mac = copyOf(each);
                mac.update(head);
                macs.add(mac);
            }
        }

        /** The buffer is left as it was. */
        void read(ByteBuffer part) {
            for (Mac mac : macs) {
                mac.update(part.duplicate());
            }
        }

        /** Whether the post is who it says it is from; to be asked once. */
        boolean isGood(long nowSeconds) {
            if (timestamp == null || signature == null || !isAbout(nowSeconds)) {
                return false;
            }
            List<byte[]> expected = macs.stream().map(Mac::doFinal).toList();
            for (String each : signature.split(" ")) {
                if (each.startsWith(VERSION) && matches(each.substring(VERSION.length()), expected)) {
                    return true;
                }
            }
            return false;
        }

        private boolean isAbout(long nowSeconds) {
            try {
                return Math.abs(Long.parseLong(String.valueOf(timestamp)) - nowSeconds) <= TOLERANCE_SECONDS;
            } catch (NumberFormatException e) {
                return false;
            }
        }

        private static boolean matches(String base64, List<byte[]> expected) {
            byte[] given = base64.getBytes(StandardCharsets.UTF_8);
            return expected.stream()
                    .anyMatch(each -> MessageDigest.isEqual(Base64.getEncoder().encode(each), given));
        }
    }
}
