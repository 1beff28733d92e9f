package dev.engagement.connection.registry;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.engagement.connection.RegistryConnection;
import dev.engagement.connection.SecretRef;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.jspecify.annotations.Nullable;

/** A schema registry with Confluent's routes on the JDK's own server: it does what it is told, and keeps what it was asked. */
final class SmallRegistry implements AutoCloseable {

    private static final ObjectMapper JSON = new ObjectMapper();

    private final HttpServer server;
    private final List<ObjectNode> schemas = new ArrayList<>();
    final List<String> requests = new CopyOnWriteArrayList<>();

    /** Answered instead of what was asked for, if it is not 0. */
    volatile int status;

    volatile String body = "";
    volatile @Nullable String authorization;

    SmallRegistry() throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/", this::answer);
        server.start();
    }

    RegistryConnection connection() {
        return new RegistryConnection(url(), null, SecretRef.none());
    }

    URI url() {
        return URI.create("http://127.0.0.1:" + server.getAddress().getPort() + "/base");
    }

    /** @return its id */
    synchronized int add(String type, String text, Object... referencesNameSubject) {
        ObjectNode schema = JSON.createObjectNode();
        if (!type.equals(RegisteredSchema.AVRO)) {
            schema.put("schemaType", type);
        }
        schema.put("schema", text);
        for (int i = 0; i < referencesNameSubject.length; i += 2) {
            schema.withArray("references")
                    .addObject()
                    .put("name", (String) referencesNameSubject[i])
                    .put("subject", (String) referencesNameSubject[i + 1])
                    .put("version", 1);
        }
        schemas.add(schema);
        return schemas.size();
    }

    private synchronized void answer(HttpExchange exchange) throws IOException {
        String path = exchange.getRequestURI().getPath();
        requests.add(exchange.getRequestMethod() + ' ' + path);
        authorization = exchange.getRequestHeaders().getFirst("Authorization");
        JsonNode asked = JSON.readTree(exchange.getRequestBody().readAllBytes());
        if (status != 0) {
            send(exchange, status, body);
        } else if (path.startsWith("/base/schemas/ids/")) {
            int id = Integer.parseInt(path.substring("/base/schemas/ids/".length()));
            sendSchema(exchange, id, 40403);
        } else if (path.matches("/base/subjects/[0-9]+/versions/1")) {
            // The tests' subjects are ids.
            sendSchema(exchange, Integer.parseInt(path.split("/")[3]), 40401);
        } else if (path.endsWith("/versions")) {
            send(
                    exchange,
                    200,
                    "{\"id\":" + add(RegisteredSchema.AVRO, asked.path("schema").asText()) + "}");
        } else {
            int id = 0;
            for (int i = 0; i < schemas.size(); i++) {
                id = schemas.get(i).path("schema").equals(asked.path("schema")) ? i + 1 : id;
            }
            send(exchange, id == 0 ? 404 : 200, id == 0 ? "{\"error_code\":40403}" : "{\"id\":" + id + "}");
        }
    }

    private void sendSchema(HttpExchange exchange, int id, int code) throws IOException {
        if (id < 1 || id > schemas.size()) {
            send(exchange, 404, "{\"error_code\":" + code + ",\"message\":\"not found\"}");
        } else {
            send(exchange, 200, schemas.get(id - 1).toString());
        }
    }

    private static void send(HttpExchange exchange, int status, String text) throws IOException {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        exchange.sendResponseHeaders(status, bytes.length == 0 ? -1 : bytes.length);
        exchange.getResponseBody().write(bytes);
        exchange.close();
    }

    @Override
    public void close() {
        server.stop(0);
    }
}
