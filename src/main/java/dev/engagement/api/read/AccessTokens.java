package dev.engagement.api.read;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.Signature;
import java.security.spec.PKCS8EncodedKeySpec;
import java.time.Clock;
import java.time.Duration;
import java.util.Base64;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Access tokens of a service account: a JWT that its key file's key signs, exchanged at the file's {@code token_uri}
 * (RFC 7523). Each is used until a minute before it expires. Thread-safe; of several who need a new one, one asks.
 *
 * <p>The file is read for each exchange, so that a key that was replaced is found. No message quotes it.
 */
final class AccessTokens {

    /** Reading is enough. */
    private static final String SCOPE = "https://www.googleapis.com/auth/bigquery.readonly";

    private static final String GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer";
    private static final String SERVICE_ACCOUNT = "service_account";

    /** The longest that Google takes. */
    private static final Duration LIFE_OF_JWT = Duration.ofHours(1);

    private static final Duration BEFORE_IT_EXPIRES = Duration.ofMinutes(1);
    private static final Set<String> THIS_MACHINE = Set.of("127.0.0.1", "localhost", "[::1]");
    private static final Base64.Encoder BASE64 = Base64.getUrlEncoder().withoutPadding();
    private static final ObjectMapper JSON = new ObjectMapper();

    /** The key file cannot be used, or nobody takes it; what is wrong, for the log. */
    static final class CredentialsException extends Exception {
        private static final long serialVersionUID = 1L;

        CredentialsException(String message, @Nullable Throwable cause) {
            super(message, cause);
        }
    }

    private record Token(String text, long usableUntilMillis) {}

    private record Key(String email, @Nullable String id, PrivateKey key, URI tokenUri) {}

    private final Path file;
    private final BoundedHttp http;
    private final Clock clock;

    private @Nullable Token cached;

    /** Reads nothing yet. */
    AccessTokens(Path file, BoundedHttp http, Clock clock) {
        this.file = file;
        this.http = http;
        this.clock = clock;
    }

    /**
     * One that is good for a minute at least, unless it is taken back.
     *
     * @throws CredentialsException if there is none to be had with this file
     * @throws IOException if nobody answers
     */
    synchronized String token(long deadlineNanos) throws CredentialsException, IOException {
        Token token = cached;
        if (token == null || clock.millis() >= token.usableUntilMillis()) {
            token = exchanged(deadlineNanos);
            cached = token;
        }
        return token.text();
    }

    /** Somebody refused it. */
    synchronized void forget(String token) {
        if (cached != null && cached.text().equals(token)) {
            cached = null;
        }
    }

    private Token exchanged(long deadlineNanos) throws CredentialsException, IOException {
        Key key = key();
        long now = clock.millis();
        String form = "grant_type=" + URLEncoder.encode(GRANT, StandardCharsets.UTF_8) + "&assertion="
                + URLEncoder.encode(assertion(key, now), StandardCharsets.UTF_8);
        HttpRequest request = HttpRequest.newBuilder(key.tokenUri())
                .header("Content-Type", "application/x-www-form-urlencoded")
                .header("Accept", "application/json")
                .POST(HttpRequest.BodyPublishers.ofString(form))
                .build();
        HttpResponse<byte[]> response = http.send(request, deadlineNanos);
        int status = response.statusCode();
        if (status >= 500 || status == 429 || status == 408) {
            throw new IOException("the server of tokens answers " + status);
        }
        JsonNode answer = status == 200 ? JSON.readTree(response.body()) : JsonNodeFactory.instance.objectNode();
        String text = answer.path("access_token").asText();
        if (!text.matches("[!-~]{1,16384}")) {
            throw new CredentialsException("The server of tokens answers " + status + " and gives none", null);
        }
        long seconds = answer.path("expires_in").asLong(0);
        return new Token(text, now + seconds * 1_000 - BEFORE_IT_EXPIRES.toMillis());
    }

    private Key key() throws CredentialsException {
        JsonNode json;
        try {
            json = JSON.readTree(Files.readAllBytes(file));
        } catch (IOException e) {
            // The cause's text may quote the file.
            throw new CredentialsException(
                    "warehouse.credentials-file is " + file + ", which is not a readable key file on this machine ("
                            + e.getClass().getSimpleName() + ")",
                    null);
        }
        if (!json.path("type").asText().equals(SERVICE_ACCOUNT)) {
            throw new CredentialsException(
                    "warehouse.credentials-file is " + file + ", which is no key file of a service account; the API"
                            + " takes no other kind",
                    null);
        }
        try {
            byte[] encoded = Base64.getMimeDecoder()
                    .decode(json.path("private_key").asText().replaceAll("-----(BEGIN|END) PRIVATE KEY-----", ""));
            PrivateKey key = KeyFactory.getInstance("RSA").generatePrivate(new PKCS8EncodedKeySpec(encoded));
            URI tokenUri = URI.create(json.path("token_uri").asText());
            String host = tokenUri.getHost();
            boolean isSafe = "https".equals(tokenUri.getScheme())
                    || "http".equals(tokenUri.getScheme()) && host != null && THIS_MACHINE.contains(host);
            String email = json.path("client_email").asText();
            if (host == null || !isSafe || email.isEmpty()) {
                throw new CredentialsException(
                        "warehouse.credentials-file is " + file
                                + ", which has no client_email, or no https:// address as its token_uri",
                        null);
            }
            return new Key(email, json.path("private_key_id").textValue(), key, tokenUri);
        } catch (GeneralSecurityException | IllegalArgumentException e) {
            throw new CredentialsException(
                    "warehouse.credentials-file is " + file + ", whose private_key or token_uri cannot be read ("
                            + e.getClass().getSimpleName() + ")",
                    null);
        }
    }

    private static String assertion(Key key, long nowMillis) throws CredentialsException {
        ObjectNode header = JsonNodeFactory.instance.objectNode();
        header.put("alg", "RS256").put("typ", "JWT");
        if (key.id() != null) {
            header.put("kid", key.id());
        }
        long seconds = nowMillis / 1_000;
        ObjectNode claims = JsonNodeFactory.instance.objectNode();
        claims.put("iss", key.email())
                .put("scope", SCOPE)
                .put("aud", key.tokenUri().toString())
                .put("iat", seconds)
                .put("exp", seconds + LIFE_OF_JWT.toSeconds());
        String signed = encoded(header) + "." + encoded(claims);
        try {
            Signature signature = Signature.getInstance("SHA256withRSA");
            signature.initSign(key.key());
            signature.update(signed.getBytes(StandardCharsets.US_ASCII));
            return signed + "." + BASE64.encodeToString(signature.sign());
        } catch (GeneralSecurityException e) {
            throw new CredentialsException("The key of warehouse.credentials-file signs nothing", e);
        }
    }

    private static String encoded(ObjectNode json) {
        return BASE64.encodeToString(json.toString().getBytes(StandardCharsets.UTF_8));
    }
}
