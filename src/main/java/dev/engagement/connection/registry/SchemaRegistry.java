package dev.engagement.connection.registry;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.engagement.connection.RegistryConnection;
import dev.engagement.connection.SecretRef.UnreadableSecretException;
import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A schema registry over Confluent's routes, by the JDK's HTTP client. Each call asks anew and blocks for a few seconds at
 * most; who asks keeps the answers. The password is read for each request, so that a changed one needs no restart.
 *
 * <p>For one thread.
 */
public final class SchemaRegistry {

    private static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(2);
    private static final Duration REQUEST_TIMEOUT = Duration.ofSeconds(5);
    private static final String CONTENT_TYPE = "application/vnd.schemaregistry.v1+json";
    private static final int OK = 200;
    private static final int NOT_FOUND = 404;
    private static final int CONFLICT = 409;
    private static final int UNPROCESSABLE = 422;
    private static final int SUBJECT_NOT_FOUND = 40401;
    private static final int VERSION_NOT_FOUND = 40402;
    private static final int SCHEMA_NOT_FOUND = 40403;
    private static final int MAX_BYTES = 8 * 1024 * 1024;
    private static final int MAX_QUOTED = 300;
    /** Deeper than anybody nests files, and an end to a circle. */
    private static final int MAX_REFERENCES = 100;

    private static final ObjectMapper JSON = new ObjectMapper();

    private final RegistryConnection connection;
    private @Nullable HttpClient http;

    public SchemaRegistry(RegistryConnection connection) {
        this.connection = connection;
    }

    /**
     * The schema of an id.
     *
     * @return the schema, or null if the registry answers that it does not know the id
     * @throws RegistryException if it does not answer, or with anything else
     */
    public @Nullable RegisteredSchema schema(long id) throws RegistryException {
        String path = "/schemas/ids/" + id;
        Answer answer = send("GET", path, null);
        if (answer.isNotFound(SCHEMA_NOT_FOUND)) {
            return null;
        }
        JsonNode schema = answer.require("schema");
        Map<String, String> references = new LinkedHashMap<>();
        if (!collect(schema, references, 0)) {
            return null;
        }
        return new RegisteredSchema(
                schema.path("schemaType").asText(RegisteredSchema.AVRO),
                schema.path("schema").asText(),
                references.entrySet().stream()
                        .map(each -> new RegisteredSchema.Reference(each.getKey(), each.getValue()))
                        .toList());
    }

    /** @return false if the registry does not know one of them, so that the schema cannot be had */
    private boolean collect(JsonNode schema, Map<String, String> references, int depth) throws RegistryException {
        for (JsonNode each : schema.path("references")) {
            String name = each.path("name").asText();
            if (references.containsKey(name)) {
                continue;
            }
            if (depth == MAX_REFERENCES || references.size() == MAX_REFERENCES) {
                throw new RegistryException(
                        "The registry at " + connection.url() + " has a schema with more than " + MAX_REFERENCES
                                + " references",
                        null);
            }
            Answer answer = send(
                    "GET",
                    "/subjects/" + encoded(each.path("subject").asText()) + "/versions/"
                            + each.path("version").asInt(),
                    null);
            if (answer.isNotFound(SUBJECT_NOT_FOUND, VERSION_NOT_FOUND)) {
                return false;
            }
            JsonNode referred = answer.require("schema");
            if (!collect(referred, references, depth + 1)) {
                return false;
            }
            references.putIfAbsent(name, referred.path("schema").asText());
        }
        return true;
    }

    /**
     * Registers an Avro schema, or finds it registered.
     *
     * @return its id
     * @throws RegistryException if the registry does not answer, or refuses
     */
    public int register(String subject, String avro) throws RegistryException {
        return send("POST", "/subjects/" + encoded(subject) + "/versions", body(avro))
                .require("id")
                .path("id")
                .asInt();
    }

    /**
     * Finds an Avro schema; registers nothing.
     *
     * @return its id, or null if the registry answers not to have it under that subject
     * @throws RegistryException if the registry does not answer
     */
    public @Nullable Integer find(String subject, String avro) throws RegistryException {
        Answer answer = send("POST", "/subjects/" + encoded(subject), body(avro));
        return answer.isNotFound(SUBJECT_NOT_FOUND, SCHEMA_NOT_FOUND)
                ? null
                : (Integer) answer.require("id").path("id").asInt();
    }

    private static String body(String avro) {
        ObjectNode body = JSON.createObjectNode();
        body.put("schema", avro);
        return body.toString();
    }

    private static String encoded(String text) {
        return URLEncoder.encode(text, StandardCharsets.UTF_8).replace("+", "%20");
    }

    private Answer send(String method, String path, @Nullable String body) throws RegistryException {
        String what = method + ' ' + connection.url() + path;
        HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(connection.url() + path))
                .timeout(REQUEST_TIMEOUT)
                .header("Accept", CONTENT_TYPE + ", application/json")
                .method(
                        method,
                        body == null ? HttpRequest.BodyPublishers.noBody() : HttpRequest.BodyPublishers.ofString(body));
        if (body != null) {
            request.header("Content-Type", CONTENT_TYPE);
        }
        try {
            authenticate(request);
            HttpResponse<InputStream> response =
                    client().send(request.build(), HttpResponse.BodyHandlers.ofInputStream());
            try (InputStream in = response.body()) {
                byte[] bytes = in.readNBytes(MAX_BYTES + 1);
                if (bytes.length > MAX_BYTES) {
                    throw new RegistryException(what + " answers more than " + MAX_BYTES + " bytes", null);
                }
                return new Answer(what, response.statusCode(), new String(bytes, StandardCharsets.UTF_8));
            }
        } catch (RegistryException e) {
            throw e;
        } catch (IOException e) {
            throw new RegistryException(
                    what + " is not answered (" + e.getClass().getSimpleName() + ": " + e.getMessage()
                            + "). Check that the registry runs, and registry.url",
                    e);
        } catch (UnreadableSecretException e) {
            throw new RegistryException(String.valueOf(e.getMessage()), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new RegistryException(what + " was interrupted", e);
        }
    }

    private void authenticate(HttpRequest.Builder request) {
        String username = connection.username();
        if (username != null) {
            String pair = username + ':' + connection.password().read();
            request.header(
                    "Authorization",
                    "Basic " + Base64.getEncoder().encodeToString(pair.getBytes(StandardCharsets.UTF_8)));
        }
    }

    private HttpClient client() {
        HttpClient made = http;
        if (made == null) {
            made = HttpClient.newBuilder()
                    .version(HttpClient.Version.HTTP_1_1)
                    .connectTimeout(CONNECT_TIMEOUT)
                    .build();
            http = made;
        }
        return made;
    }

    /** What a registry said. */
    private record Answer(String what, int status, String body) {

        /** Whether it is the registry that does not know it: a 404 of anybody else, such as a proxy, says nothing. */
        boolean isNotFound(int... codes) {
            if (status != NOT_FOUND) {
                return false;
            }
            try {
                int code = JSON.readTree(body).path("error_code").asInt();
                for (int each : codes) {
                    if (code == each) {
                        return true;
                    }
                }
                return false;
            } catch (JsonProcessingException e) {
                return false;
            }
        }

        /** The answer's JSON, which has that field. */
        JsonNode require(String field) throws RegistryException {
            if (status != OK) {
                String wayOut =
                        switch (status) {
                            case 401, 403 -> ". Check registry.username and its password";
                            case NOT_FOUND ->
                                ", which is no answer of a registry about a schema. Check the path in registry.url";
                            case CONFLICT, UNPROCESSABLE ->
                                ". The registry refuses the schema: it does not fit those that are registered there";
                            default -> "";
                        };
                throw new RegistryException(what + " is answered by " + status + ' ' + quoted() + wayOut, null);
            }
            try {
                JsonNode json = JSON.readTree(body);
                if (json.hasNonNull(field)) {
                    return json;
                }
            } catch (JsonProcessingException e) {
                throw new RegistryException(what + " is answered by what is not JSON: " + quoted(), e);
            }
            throw new RegistryException(what + " is answered without '" + field + "': " + quoted(), null);
        }

        private String quoted() {
            String line = body.replaceAll("\\s+", " ").strip();
            return line.length() <= MAX_QUOTED ? line : line.substring(0, MAX_QUOTED) + '…';
        }
    }
}
