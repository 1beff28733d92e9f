package dev.engagement.api.definition;

import com.fasterxml.jackson.databind.JsonNode;

/** A request as a line for a shell. */
public final class Curl {

    /** RFC 6455's own example of a key: any 16 bytes would do. */
    private static final String WEB_SOCKET_KEY = "dGhlIHNhbXBsZSBub25jZQ==";

    private Curl() {}

    /**
     * The operation's example. It runs as it stands, but for ids that are made up.
     *
     * @param origin such as {@code http://127.0.0.1:8080}, without a slash at its end
     */
    public static String of(Operation operation, String origin) {
        String address = quoted(origin + operation.example());
        JsonNode body = Examples.body(operation.id());
        if (operation.method().equals(Operation.WEB_SOCKET)) {
            return "curl -N --http1.1 -H 'Connection: Upgrade' -H 'Upgrade: websocket' -H 'Sec-WebSocket-Version: 13'"
                    + " -H " + quoted("Sec-WebSocket-Key: " + WEB_SOCKET_KEY) + " " + address;
        }
        if (body != null) {
            String key = operation.writes() ? " -H 'Idempotency-Key: 2024-06-26-000123'" : "";
            return "curl -X " + operation.method() + " -H 'Content-Type: application/json'" + key + " -d "
                    + quoted(body.toString()) + " " + address;
        }
        return operation.id().equals("live") ? "curl -N " + address : "curl " + address;
    }

    /** One word of a POSIX shell, whatever is in it. */
    private static String quoted(String text) {
        return "'" + text.replace("'", "'\\''") + "'";
    }
}
