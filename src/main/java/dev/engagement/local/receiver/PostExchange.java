package dev.engagement.local.receiver;

import dev.engagement.event.EventId;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import org.apache.hc.core5.http.Header;
import org.apache.hc.core5.http.HttpRequest;
import org.apache.hc.core5.http.HttpStatus;
import org.apache.hc.core5.io.CloseMode;
import org.apache.hc.core5.reactor.IOSession;
import org.jspecify.annotations.Nullable;

/** A post of an event or of a batch. */
final class PostExchange extends Exchange {

    /** The most bytes of a post. */
    static final long MAX_BYTES = 64L << 20;

    private static final int LONGEST_ID = 256;
    private static final byte[] TAKEN = "{\"status\":\"ok\"}".getBytes(StandardCharsets.US_ASCII);
    private static final byte[] NOT_TAKEN =
            "{\"status\":\"error\",\"error\":\"told to behave like this\"}".getBytes(StandardCharsets.US_ASCII);

    private final Desk desk;
    private final @Nullable IOSession session;
    private final String path;
    private final PostBody body = new PostBody();
    private @Nullable String webhookId;
    private Signatures.@Nullable Check signature;
    private @Nullable Refused refused;
    private long bytes;

    /** @param session that the post comes by */
    PostExchange(Desk desk, @Nullable IOSession session, String path) {
        this.desk = desk;
        this.session = session;
        this.path = path;
    }

    @Override
    void begin(HttpRequest request) {
        webhookId = value(request, "webhook-id");
        if (path.equals(Desk.REDIRECTED)) {
            desk.redirected().increment();
        }
        if (webhookId == null) {
            refused = bad("A post needs a header webhook-id");
        } else if (webhookId.isEmpty()
                || webhookId.length() > LONGEST_ID
                || webhookId.chars().anyMatch(c -> c <= ' ' || c > '~')) {
            refused = bad("A webhook-id needs to be 1 to " + LONGEST_ID + " printable characters without spaces");
        } else {
            String key = value(request, "Idempotency-Key");
            if (key != null && !key.equals(webhookId)) {
                refused = bad("Idempotency-Key and webhook-id need to be the same");
            }
            if (desk.signatures().areChecked()) {
                signature = desk.signatures()
                        .of(webhookId, value(request, "webhook-timestamp"), value(request, "webhook-signature"));
            }
        }
    }

    private static @Nullable String value(HttpRequest request, String name) {
        Header header = request.getFirstHeader(name);
        return header == null ? null : header.getValue();
    }

    private static Refused bad(String message) {
        return new Refused(HttpStatus.SC_BAD_REQUEST, message);
    }

    @Override
    void take(ByteBuffer part) {
        bytes += part.remaining();
        if (bytes > MAX_BYTES && refused == null) {
            refused = new Refused(HttpStatus.SC_REQUEST_TOO_LONG, "A post takes at most " + MAX_BYTES + " bytes");
        }
        if (refused != null) {
            return;
        }
        if (signature != null) {
            signature.read(part);
        }
        try {
            body.read(part);
        } catch (Refused e) {
            refused = e;
        }
    }

    @Override
    void end() {
        long now = System.currentTimeMillis();
        Behaviour behaviour = desk.behaviours().next();
        if (!behaviour.records()) {
            // It does not get as far as looking at the post.
            desk.failed().increment();
            behave(behaviour);
            return;
        }
        try {
            List<EventId> ids = ids(now);
            desk.arrivals().record(now, String.valueOf(webhookId), ids);
            behave(behaviour);
        } catch (Refused e) {
            (e.status() == HttpStatus.SC_UNAUTHORIZED ? desk.badSignatures() : desk.malformed()).increment();
            respond(e.status(), Desk.error(String.valueOf(e.getMessage())));
        } catch (IOException e) {
            desk.failed().increment();
            respond(HttpStatus.SC_SERVICE_UNAVAILABLE, Desk.error("The post cannot be recorded: " + e.getMessage()));
        }
    }

    private List<EventId> ids(long now) throws Refused {
        if (refused != null) {
            throw refused;
        }
        if (signature != null && !signature.isGood(now / 1000)) {
            throw new Refused(HttpStatus.SC_UNAUTHORIZED, "The signature is not good");
        }
        return body.end();
    }

    private void behave(Behaviour behaviour) {
        if (behaviour.mode() == Behaviour.Mode.HANG) {
            return;
        }
        if (behaviour.delayMillis() == 0) {
            answer(behaviour);
            return;
        }
        try {
            var unused =
                    desk.worker().schedule(() -> answer(behaviour), behaviour.delayMillis(), TimeUnit.MILLISECONDS);
        } catch (RejectedExecutionException e) {
            // The receiver stops, and the connection with it.
            reset();
        }
    }

    private void answer(Behaviour behaviour) {
        switch (behaviour.mode()) {
            case OK, SLOW -> respond(behaviour.status(), TAKEN, headers(behaviour));
            case FAIL, REJECT, ERROR_BODY -> respond(behaviour.status(), NOT_TAKEN, headers(behaviour));
            case REDIRECT -> respond(behaviour.status(), NOT_TAKEN, "Location", Desk.REDIRECTED);
            case ENDLESS -> respondEndlessly(behaviour.status(), TAKEN, headers(behaviour));
            case RESET, LOSE -> reset();
            case HANG -> throw new IllegalStateException("What hangs does not answer");
        }
    }

    private static String[] headers(Behaviour behaviour) {
        String retryAfter = behaviour.retryAfter();
        return retryAfter == null ? new String[0] : new String[] {"Retry-After", retryAfter};
    }

    /** The connection's, with all that is on its way over it. */
    private void reset() {
        if (session != null) {
            session.close(CloseMode.IMMEDIATE);
        }
    }
}
