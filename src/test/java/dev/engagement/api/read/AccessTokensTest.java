package dev.engagement.api.read;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.net.URI;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.Signature;
import java.time.Duration;
import java.time.Instant;
import java.util.Base64;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A service account's key file, on a server that exchanges what it signs. */
class AccessTokensTest {

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Instant NOW = Instant.parse("2026-01-08T14:22:10Z");
    private static final String SOME_ROW = "{\"jobComplete\":true,\"totalRows\":\"0\"}";

    private static KeyPair key;

    @TempDir
    private Path folder;

    private final ManualTime clock = new ManualTime(NOW);
    private final BoundedHttp http = new BoundedHttp(Duration.ofMinutes(1), 1_000_000);
    private ScriptedHttp google;
    private Path file;

    @BeforeAll
    static void makeKey() throws Exception {
        KeyPairGenerator generator = KeyPairGenerator.getInstance("RSA");
        generator.initialize(2_048);
        key = generator.generateKeyPair();
    }

    @BeforeEach
    void start() throws IOException {
        google = new ScriptedHttp();
        file = folder.resolve("key.json");
        write(keyFile());
    }

    @AfterEach
    void stop() {
        google.close();
    }

    private ObjectNode keyFile() {
        ObjectNode json = JSON.createObjectNode();
        json.put("type", "service_account")
                .put("client_email", "api@p.iam.gserviceaccount.com")
                .put("private_key_id", "k1")
                .put("token_uri", google.url() + "/token")
                .put(
                        "private_key",
                        "-----BEGIN PRIVATE KEY-----\n"
                                + Base64.getMimeEncoder()
                                        .encodeToString(key.getPrivate().getEncoded())
                                + "\n-----END PRIVATE KEY-----\n");
        return json;
    }

    private void write(ObjectNode json) throws IOException {
        Files.writeString(file, json.toString());
    }

    private AccessTokens tokens() {
        return new AccessTokens(file, http, clock);
    }

    private static long soon() {
        return System.nanoTime() + Duration.ofMinutes(1).toNanos();
    }

    private void gives(String token, int seconds) {
        google.answers(
                200, "{\"access_token\":\"" + token + "\",\"expires_in\":" + seconds + ",\"token_type\":\"Bearer\"}");
    }

    @Test
    void what_the_key_signs_is_exchanged() throws Exception {
        gives("t1", 3_599);

        assertThat(tokens().token(soon())).isEqualTo("t1");

        ScriptedHttp.Asked asked = google.asked.remove();
        assertThat(asked.method() + " " + asked.target()).isEqualTo("POST /token");
        String[] form = URLDecoder.decode(asked.body(), StandardCharsets.UTF_8).split("&assertion=");
        assertThat(form[0]).isEqualTo("grant_type=urn:ietf:params:oauth:grant-type:jwt-bearer");
        String[] parts = form[1].split("\\.");
        assertThat(json(parts[0])).isEqualTo(JSON.readTree("{\"alg\":\"RS256\",\"typ\":\"JWT\",\"kid\":\"k1\"}"));
        JsonNode claims = json(parts[1]);
        assertThat(claims.get("iss").asText()).isEqualTo("api@p.iam.gserviceaccount.com");
        assertThat(claims.get("aud").asText()).isEqualTo(google.url() + "/token");
        assertThat(claims.get("scope").asText()).isEqualTo("https://www.googleapis.com/auth/bigquery.readonly");
        assertThat(claims.get("iat").asLong()).isEqualTo(NOW.getEpochSecond());
        assertThat(claims.get("exp").asLong()).isEqualTo(NOW.getEpochSecond() + 3_600);
        Signature signature = Signature.getInstance("SHA256withRSA");
        signature.initVerify(key.getPublic());
        signature.update((parts[0] + "." + parts[1]).getBytes(StandardCharsets.US_ASCII));
        assertThat(signature.verify(Base64.getUrlDecoder().decode(parts[2]))).isTrue();
    }

    private static JsonNode json(String part) throws IOException {
        return JSON.readTree(Base64.getUrlDecoder().decode(part));
    }

    @Test
    void a_token_is_used_until_a_minute_before_it_expires() throws Exception {
        gives("t1", 3_600);
        gives("t2", 3_600);
        AccessTokens tokens = tokens();
        tokens.token(soon());
        clock.advance(Duration.ofSeconds(3_539));
        assertThat(tokens.token(soon())).isEqualTo("t1");

        clock.advance(Duration.ofSeconds(1));

        assertThat(tokens.token(soon())).isEqualTo("t2");
        assertThat(google.asked).hasSize(2);
    }

    @Test
    void a_token_that_the_warehouse_refuses_is_not_used_again() throws Exception {
        gives("t1", 3_600);
        google.answers(401, "{}");
        WarehouseReadOptions options = new WarehouseReadOptions(
                "p", "d", "t", URI.create(google.url()), file.toString(), Duration.ofMinutes(1), 1);
        AccessTokens tokens = tokens();
        WarehouseRow row = new WarehouseRow(options, http, tokens);
        assertThatThrownBy(() -> row.find(7, null)).isInstanceOf(UnavailableException.class);
        gives("t2", 3_600);
        google.answers(200, SOME_ROW);

        // A row of its own, which has heard of no refusal.
        assertThat(new WarehouseRow(options, http, tokens).find(7, null)).isNull();

        assertThat(google.asked.stream().map(ScriptedHttp.Asked::authorization))
                .containsExactly("null", "Bearer t1", "null", "Bearer t2");
    }

    @ParameterizedTest
    @CsvSource({
        "type, authorized_user, no key file of a service account",
        "type, external_account, no key file of a service account",
        "private_key, c2VjcmV0LXdvcmQ=, private_key or token_uri cannot be read",
        "token_uri, http://example.com/secret-word, or no https:// address",
        "client_email, '', has no client_email",
    })
    void a_file_that_cannot_be_used_is_named_and_not_quoted(String field, String value, String saying)
            throws Exception {
        write(keyFile().put(field, value));

        assertThatThrownBy(() -> tokens().token(soon()))
                .isInstanceOf(AccessTokens.CredentialsException.class)
                .hasMessageContaining("warehouse.credentials-file")
                .hasMessageContaining(saying)
                .hasMessageNotContaining("secret-word")
                .hasMessageNotContaining("c2VjcmV0");

        assertThat(google.asked).isEmpty();
    }

    @Test
    void a_file_that_is_not_there_says_so_to_whoever_runs_it_and_not_to_who_asks() throws Exception {
        Files.delete(file);
        WarehouseReadOptions options = new WarehouseReadOptions(
                "p", "d", "t", URI.create(google.url()), file.toString(), Duration.ofMinutes(1), 1);

        assertThatThrownBy(() -> new WarehouseRow(options, http, tokens()).find(7, null))
                .isInstanceOfSatisfying(UnavailableException.class, refusal -> assertThat(refusal.saying())
                        .contains("warehouse.credentials-file")
                        .doesNotContain("key.json"));
    }

    @Test
    void a_server_that_refuses_the_key_is_told_from_one_that_is_away() {
        google.answers(400, "{\"error\":\"invalid_grant\"}")
                .answers(503, "")
                .answers(200, "{}")
                .answers(200, "{\"access_token\":\"two words\\r\\nX: y\"}");

        assertThatThrownBy(() -> tokens().token(soon())).isInstanceOf(AccessTokens.CredentialsException.class);
        assertThatThrownBy(() -> tokens().token(soon())).isInstanceOf(IOException.class);
        assertThatThrownBy(() -> tokens().token(soon())).isInstanceOf(AccessTokens.CredentialsException.class);
        assertThatThrownBy(() -> tokens().token(soon())).isInstanceOf(AccessTokens.CredentialsException.class);
    }
}
