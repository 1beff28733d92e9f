package dev.engagement.local.receiver;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import org.apache.hc.core5.http.HttpRequest;
import org.apache.hc.core5.http.HttpStatus;
import org.jspecify.annotations.Nullable;

/** What asks about the receiver, or tells it how to behave. No behaviour strikes it. */
final class ControlExchange extends Exchange {

    private static final int MAX_BYTES = 64 * 1024;

    private final Desk desk;
    private final String path;
    private final String query;
    private final ByteArrayOutputStream body = new ByteArrayOutputStream();
    private @Nullable String method;

    ControlExchange(Desk desk, String path, String query) {
        this.desk = desk;
        this.path = path;
        this.query = query;
    }

    @Override
    void begin(HttpRequest request) {
        method = request.getMethod();
    }

    @Override
    void take(ByteBuffer part) {
        byte[] bytes = new byte[Math.min(part.remaining(), Math.max(0, MAX_BYTES + 1 - body.size()))];
        part.get(bytes);
        body.writeBytes(bytes);
    }

    @Override
    void end() {
        desk.worker().execute(() -> {
            try {
                respond(HttpStatus.SC_OK, answer());
            } catch (Refused e) {
                respond(e.status(), Desk.error(String.valueOf(e.getMessage())));
            } catch (IOException e) {
                respond(HttpStatus.SC_INTERNAL_SERVER_ERROR, Desk.error(String.valueOf(e)));
            }
        });
    }

    private byte[] answer() throws IOException, Refused {
        if (path.equals(Desk.BEHAVIOUR) && "POST".equals(method)) {
            desk.behaviours().set(wanted());
            return Desk.text(desk.behaviours().toJson());
        }
        if (path.equals(Desk.REDIRECTED)) {
            desk.redirected().increment();
        }
        if (!"GET".equals(method)) {
            throw new Refused(
                    HttpStatus.SC_METHOD_NOT_ALLOWED, "Events come by POST; " + method + " " + path + " is not for me");
        }
        return switch (path) {
            case "/stats" -> desk.stats();
            case "/received" -> desk.received(query);
            case "/received/ids" -> desk.eventIds(query);
            case Desk.BEHAVIOUR -> Desk.text(desk.behaviours().toJson());
            default ->
                throw new Refused(
                        HttpStatus.SC_NOT_FOUND,
                        "There is no " + path + "; there are GET /stats, /received, /received/ids and /behaviour");
        };
    }

    private JsonNode wanted() throws Refused {
        if (body.size() > MAX_BYTES) {
            throw new Refused(HttpStatus.SC_REQUEST_TOO_LONG, "A behaviour takes at most " + MAX_BYTES + " bytes");
        }
        try {
            return Desk.MAPPER.readTree(body.toString(StandardCharsets.UTF_8));
        } catch (JsonProcessingException e) {
            throw new Refused(HttpStatus.SC_BAD_REQUEST, "Not JSON: " + e.getOriginalMessage());
        }
    }
}
