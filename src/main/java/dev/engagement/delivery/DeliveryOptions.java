package dev.engagement.delivery;

import dev.engagement.connection.HostPort;
import dev.engagement.connection.SecretRef;
import java.io.Serializable;
import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Pattern;
import org.apache.flink.configuration.MemorySize;
import org.jspecify.annotations.Nullable;

/**
 * Where events are delivered to, and how. Whatever is wrong with it is told when it is built, on the client.
 *
 * @param url where events are posted to
 * @param secrets what is shared with the receiver, read where it is used
 * @param security whom the sender talks to
 * @param attempts how often and for how long one delivery is tried
 * @param inFlight how much each subtask has on its way, and how much it holds
 * @param batch how many events go into one request
 * @param drainRate events a second that the job takes back from the retry topic, at most, all subtasks together
 * @param retryRetention how long the retry topic keeps what is done with
 * @param includeSnapshot deliver rows that were there before the first capture, too
 * @param receipts write what was delivered to the receipts topic
 * @param success which answers mean that the receiver has it
 * @param maxResponseBytes how much of an answer's body is read
 */
public record DeliveryOptions(
        URI url,
        Secrets secrets,
        Security security,
        Attempts attempts,
        InFlight inFlight,
        Batch batch,
        int drainRate,
        Duration retryRetention,
        boolean includeSnapshot,
        boolean receipts,
        Success success,
        MemorySize maxResponseBytes)
        implements Serializable {

    private static final long serialVersionUID = 1L;

    /** How many events a second are drained unless somebody says otherwise. */
    static final int DEFAULT_DRAIN_RATE = 500;

    /** For people to look at. */
    static final Duration DEFAULT_RETRY_RETENTION = Duration.ofDays(1);

    private static final Duration LONGEST_RETENTION = Duration.ofDays(36_500);

    private static final MemorySize LARGEST_RESPONSE = MemorySize.ofMebiBytes(16);

    /** Names of query parameters that usually hold a secret, which would be in the url's messages. */
    private static final Pattern SECRET_PARAMETER =
            Pattern.compile("(^|&)[^=&]*(key|token|secret|password|signature|auth)[^=&]*=", Pattern.CASE_INSENSITIVE);

    public DeliveryOptions {
        checkUrl(url);
        security.admit(url);
        between("delivery.drain-rate", drainRate, 1, 1_000_000, "a whole number of events a second");
        if (retryRetention.isNegative() || retryRetention.compareTo(LONGEST_RETENTION) > 0) {
            throw new IllegalArgumentException("delivery.retry-retention is " + retryRetention.toMillis()
                    + " ms; it must be 0 to " + LONGEST_RETENTION.toDays() + " days");
        }
        if (maxResponseBytes.getBytes() < 1 || maxResponseBytes.compareTo(LARGEST_RESPONSE) > 0) {
            throw new IllegalArgumentException("delivery.max-response-bytes is " + maxResponseBytes
                    + "; it must be 1 byte to " + LARGEST_RESPONSE + ", as every request on its way may hold as much");
        }
    }

    /** Everything as it is if nobody says otherwise, to that url. */
    public static DeliveryOptions to(URI url) {
        return new DeliveryOptions(
                url,
                Secrets.NONE,
                Security.DEFAULT,
                Attempts.DEFAULT,
                InFlight.DEFAULT,
                Batch.SINGLE,
                DEFAULT_DRAIN_RATE,
                DEFAULT_RETRY_RETENTION,
                false,
                false,
                Success.ANY_2XX,
                MemorySize.parse("64 kb"));
    }

    /** Whether the connection is encrypted. */
    public boolean tls() {
        return "https".equals(url.getScheme());
    }

    /** {@code scheme://host:port/path}, for messages: without a query, which is nobody else's business. */
    public String receiver() {
        return url.getScheme() + "://" + url.getRawAuthority() + url.getRawPath();
    }

    /** With the receiver in place of the url; the secrets are references that do not show what they refer to. */
    @Override
    public String toString() {
        return "DeliveryOptions[" + receiver() + ", " + secrets + ", " + security + ", " + attempts + ", " + inFlight
                + ", "
                + batch + ", drainRate=" + drainRate + ", retryRetention=" + retryRetention + ", includeSnapshot="
                + includeSnapshot + ", receipts=" + receipts
                + ", " + success + ", maxResponseBytes=" + maxResponseBytes + "]";
    }

    private static void checkUrl(URI url) {
        String scheme = url.getScheme();
        HostPort server = HostPort.of(url);
        // The text itself is not repeated: a password may have slipped into it.
        if (!"http".equals(scheme) && !"https".equals(scheme)
                || server == null
                || server.rawUserInfo() != null
                || url.getRawFragment() != null) {
            throw new IllegalArgumentException(
                    "delivery.url is not of the form https://host/path, without user, password"
                            + " and fragment; the receiver's token belongs into the environment (ENGAGEMENT_DELIVERY_TOKEN) or"
                            + " into a file named by delivery.token.secret-file");
        }
        if ("https".equals(scheme)) {
            HostPort.checkCertifiable("delivery.url", url);
        }
        if (server.port() == 0 || server.port() > 65_535) {
            throw new IllegalArgumentException("delivery.url has the port " + server.port() + "; ports are 1 to 65535");
        }
        if (url.getRawQuery() != null
                && SECRET_PARAMETER.matcher(url.getRawQuery()).find()) {
            throw new IllegalArgumentException("delivery.url has a parameter that looks like a secret, and urls are in"
                    + " messages; put it into the environment (ENGAGEMENT_DELIVERY_TOKEN) or into a file named by"
                    + " delivery.token.secret-file, which is sent as 'Authorization: Bearer'");
        }
    }

    /**
     * What is shared with the receiver. Each is read where the requests are sent, and a file again while the job runs.
     *
     * @param signing signs each request; {@link SecretRef#none} for unsigned requests
     * @param previous signs each request as well, while the receiver changes from one secret to the other
     * @param token sent as {@code Authorization: Bearer}
     */
    public record Secrets(SecretRef signing, SecretRef previous, SecretRef token) implements Serializable {

        private static final long serialVersionUID = 1L;

        /** Unsigned requests from nobody in particular. */
        public static final Secrets NONE = new Secrets(SecretRef.none(), SecretRef.none(), SecretRef.none());

        public Secrets {
            if (previous.isPresent() && !signing.isPresent()) {
                throw new IllegalArgumentException("delivery.previous-secret is given and delivery.secret is not; while"
                        + " secrets change, the new one is delivery.secret and the old one delivery.previous-secret");
            }
        }
    }

    /**
     * Whom the sender talks to.
     *
     * @param trustStore file with the certificates to trust instead of Java's own, PKCS12, JKS or PEM; null for Java's
     * @param trustStorePassword that file's password, if it has one
     * @param allowedHosts hosts that may be posted to, {@code *.} before one for all below it; empty for any
     * @param allowPlainHttp post without encryption to other machines, too
     */
    public record Security(
            @Nullable String trustStore,
            SecretRef trustStorePassword,
            List<String> allowedHosts,
            boolean allowPlainHttp)
            implements Serializable {

        private static final long serialVersionUID = 1L;

        private static final Pattern HOST =
                Pattern.compile("(\\*\\.)?[a-z0-9_]([a-z0-9._-]*[a-z0-9_])?|\\[[0-9a-f:.]+]");

        /** Java's own certificates, any host, encrypted. */
        public static final Security DEFAULT = new Security(null, SecretRef.none(), List.of(), false);

        public Security {
            allowedHosts = allowedHosts.stream()
                    .map(host -> host.toLowerCase(Locale.ROOT))
                    .toList();
            for (String host : allowedHosts) {
                if (!HOST.matcher(host).matches()) {
                    throw new IllegalArgumentException(
                            "delivery.allowed-hosts has '" + host + "'; each must be the name or"
                                    + " the address of a host, without scheme and port, or *.example.com for all below one");
                }
            }
            if (trustStorePassword.isPresent() && trustStore == null) {
                throw new IllegalArgumentException("delivery.trust-store-password is given and delivery.trust-store is"
                        + " not; leave the password out, or name the file that it opens");
            }
        }

        private void admit(URI url) {
            String host = HostPort.in(url).host().toLowerCase(Locale.ROOT);
            if (!allowedHosts.isEmpty() && allowedHosts.stream().noneMatch(allowed -> matches(allowed, host))) {
                throw new IllegalArgumentException("delivery.url is at " + host + ", which is not among"
                        + " delivery.allowed-hosts (" + String.join(", ", allowedHosts) + "); add it there, or correct"
                        + " the url");
            }
            if ("http".equals(url.getScheme()) && !allowPlainHttp && !isLoopback(host)) {
                throw new IllegalArgumentException("delivery.url is plain http:// to " + host
                        + ", where everybody on the way reads events and token; use https://, or set"
                        + " delivery.allow-plain-http=true if the network itself is trusted");
            }
        }

        private static boolean matches(String allowed, String host) {
            return allowed.startsWith("*.") ? host.endsWith(allowed.substring(1)) : host.equals(allowed);
        }

        /** By its text alone: what a name server says today may be another machine tomorrow. */
        private static boolean isLoopback(String host) {
            return host.equals("localhost")
                    || host.endsWith(".localhost")
                    || host.equals("[::1]")
                    || host.matches("127(\\.\\d{1,3}){3}");
        }
    }

    /**
     * How one delivery is tried.
     *
     * @param timeout longest time of an attempt, from connecting to the last byte of the answer
     * @param max answered attempts until it becomes a dead letter
     * @param backoffFirst longest wait before the second attempt
     * @param backoffMost longest wait before any attempt
     */
    public record Attempts(Duration timeout, int max, Duration backoffInitial, Duration backoffMax)
            implements Serializable {

        private static final long serialVersionUID = 1L;

        private static final Duration LONGEST = Duration.ofHours(1);

        /** 10 s, 12 attempts, 500 ms to 5 min. */
        public static final Attempts DEFAULT =
                new Attempts(Duration.ofSeconds(10), 12, Duration.ofMillis(500), Duration.ofMinutes(5));

        public Attempts {
            between("delivery.timeout", timeout, Duration.ofMillis(1), LONGEST);
            between("delivery.max-attempts", max, 1, 1_000, "a whole number of answered attempts");
            between("delivery.backoff-initial", backoffInitial, Duration.ofMillis(1), LONGEST);
            between("delivery.backoff-max", backoffMax, Duration.ofMillis(1), Duration.ofDays(1));
            if (backoffMax.compareTo(backoffInitial) < 0) {
                throw new IllegalArgumentException("delivery.backoff-max is " + backoffMax.toMillis()
                        + " ms, less than delivery.backoff-initial (" + backoffInitial.toMillis()
                        + " ms); raise the one or"
                        + " lower the other");
            }
        }
    }

    /**
     * How much each subtask has on its way, and how much it holds; what does not fit in goes aside.
     *
     * @param requests how many requests are on their way, and so how many connections there are
     * @param bytes the size of the bodies that are on their way or wait, for a place or for their next attempt
     */
    public record InFlight(int requests, MemorySize bytes) implements Serializable {

        private static final long serialVersionUID = 1L;

        /** 256 requests, 8 mb. */
        public static final InFlight DEFAULT = new InFlight(256, MemorySize.ofMebiBytes(8));

        public InFlight {
            between("delivery.max-in-flight", requests, 1, 10_000, "a whole number of requests");
            if (bytes.compareTo(MemorySize.ofMebiBytes(1)) < 0) {
                throw new IllegalArgumentException("delivery.max-in-flight-bytes is " + bytes
                        + "; it must be at least 1 mb, as a single event may be as large");
            }
        }
    }

    /**
     * How many events go into one request.
     *
     * @param size at most; 1 posts each event as itself, more posts JSON arrays
     * @param linger longest wait for a batch to fill
     */
    public record Batch(int size, Duration linger) implements Serializable {

        private static final long serialVersionUID = 1L;

        /** Each event by itself. */
        public static final Batch SINGLE = new Batch(1, Duration.ofMillis(50));

        public Batch {
            between("delivery.batch-size", size, 1, 1_000, "a whole number of events");
            between("delivery.batch-linger", linger, Duration.ZERO, Duration.ofMinutes(1));
        }
    }

    /**
     * Which answers mean that the receiver has it.
     *
     * @param statuses the statuses that do
     * @param field a field at the top of the answer's JSON object that has to say so too; null if the status is enough
     * @param values what the field may say, as text: a number, true, false and null as JSON writes them
     */
    public record Success(
            List<StatusRange> statuses, @Nullable String field, Set<String> values) implements Serializable {

        private static final long serialVersionUID = 1L;

        /** Any 2xx, whatever its body says. */
        public static final Success ANY_2XX = new Success(List.of(new StatusRange(200, 299)), null, Set.of());

        public Success {
            statuses = List.copyOf(statuses);
            values = Set.copyOf(values);
            if (statuses.isEmpty()) {
                throw new IllegalArgumentException(
                        "delivery.success-status is empty; without a status that is a success nothing is ever delivered");
            }
            if (field != null && values.isEmpty()) {
                throw new IllegalArgumentException("delivery.success-field is '" + field
                        + "' and delivery.success-values is empty; say what it says when all is well, such as ok");
            }
            if (field == null && !values.isEmpty()) {
                throw new IllegalArgumentException("delivery.success-values is " + values
                        + " and delivery.success-field is empty; name the field that says so");
            }
        }
    }

    /** Statuses from one to another, both included; such as are never tried again. */
    public record StatusRange(int from, int to) implements Serializable {

        private static final long serialVersionUID = 1L;

        public StatusRange {
            if (from > to || from < 200 || to > 499) {
                throw new IllegalArgumentException("delivery.success-status has " + text(from, to)
                        + "; it must be of statuses from 200 to 499, such as 200-299 or 409");
            }
            for (int retried : DeliveryVerdict.RETRIED_BELOW_500) {
                if (from <= retried && retried <= to) {
                    throw new IllegalArgumentException("delivery.success-status has " + text(from, to) + ", and "
                            + retried + " asks to be sent again; leave it out");
                }
            }
        }

        boolean contains(int status) {
            return from <= status && status <= to;
        }

        private static String text(int from, int to) {
            return from == to ? "'" + from + "'" : "'" + from + "-" + to + "'";
        }

        @Override
        public String toString() {
            return from == to ? Integer.toString(from) : from + "-" + to;
        }
    }

    private static void between(String option, int value, int min, int max, String form) {
        if (value < min || value > max) {
            throw new IllegalArgumentException(
                    option + " is " + value + "; it must be " + form + ", " + min + " to " + max);
        }
    }

    private static void between(String option, Duration value, Duration min, Duration max) {
        if (value.compareTo(min) < 0 || value.compareTo(max) > 0) {
            throw new IllegalArgumentException(option + " is " + value.toMillis() + " ms; it must be " + min.toMillis()
                    + " ms to " + max.toMillis() + " ms");
        }
    }
}
