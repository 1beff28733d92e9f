package dev.engagement.delivery;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Future;
import java.util.function.Consumer;
import org.apache.hc.client5.http.impl.DefaultConnectionKeepAliveStrategy;
import org.apache.hc.client5.http.nio.AsyncConnectionEndpoint;
import org.apache.hc.core5.http.EntityDetails;
import org.apache.hc.core5.http.Header;
import org.apache.hc.core5.http.HttpException;
import org.apache.hc.core5.http.HttpRequest;
import org.apache.hc.core5.http.HttpResponse;
import org.apache.hc.core5.http.nio.AsyncClientExchangeHandler;
import org.apache.hc.core5.http.nio.CapacityChannel;
import org.apache.hc.core5.http.nio.DataStreamChannel;
import org.apache.hc.core5.http.nio.RequestChannel;
import org.apache.hc.core5.http.protocol.HttpContext;
import org.apache.hc.core5.http.protocol.HttpCoreContext;
import org.apache.hc.core5.util.TimeValue;
import org.jspecify.annotations.Nullable;

/**
 * One request and its answer over one connection. Begun by whoever posts, continued by an I/O thread, and perhaps ended by
 * who cancels it: what they share is guarded by the exchange itself, and nobody is called under that guard.
 */
final class HttpExchange implements AsyncClientExchangeHandler, EntityDetails {

    /** Takes a connection back. */
    interface Connections {

        /** @param keepAlive how long it may lie idle; not positive for as long as it likes */
        void reuse(AsyncConnectionEndpoint connection, TimeValue keepAlive);

        /** Breaks it off. */
        void discard(AsyncConnectionEndpoint connection);
    }

    /** Under which the context of its request names it. */
    private static final String IN_CONTEXT = HttpExchange.class.getName();

    private static final byte[] NOTHING = {};
    private static final TimeValue INDEFINITELY = TimeValue.NEG_ONE_MILLISECOND;
    private final HttpRequest request;
    private final ByteBuffer out;
    private final Consumer<Answer> answered;
    private final Connections connections;
    private final ReceiverSecrets credentials;
    private final int maxBytes;

    private boolean done;
    private boolean sent;
    private @Nullable AsyncConnectionEndpoint connection;
    private @Nullable Future<?> pending;

    /** Known from its own line on, before the rest of the head. */
    private int status;

    private @Nullable String retryAfter;
    private boolean headCutOff;
    private TimeValue keepAlive = INDEFINITELY;
    private byte[] body = NOTHING;
    private int length;

    HttpExchange(
            HttpRequest request,
            byte[] body,
            Consumer<Answer> answered,
            Connections connections,
            ReceiverSecrets credentials,
            int maxBytes) {
        this.request = request;
        this.out = ByteBuffer.wrap(body);
        this.answered = answered;
        this.connections = connections;
        this.credentials = credentials;
        this.maxBytes = maxBytes;
    }

    /** The context of its request, on whatever connection. */
    HttpContext context() {
        HttpCoreContext context = HttpCoreContext.create();
        context.setAttribute(IN_CONTEXT, this);
        return context;
    }

    /** The one whose request has that context; null if it is nobody's. */
    static @Nullable HttpExchange of(HttpContext context) {
        return (HttpExchange) context.getAttribute(IN_CONTEXT);
    }

    // ---- Towards a connection

    /** A connection from the pool is on its way. */
    void leasing(Future<?> lease) {
        unlessDone(lease, false);
    }

    /** The connection is being made. */
    void connecting(Future<?> connect) {
        unlessDone(connect, true);
    }

    private void unlessDone(Future<?> future, boolean leased) {
        synchronized (this) {
            if (!done) {
                // A lease that was served at once is nothing to wait for any more.
                if (leased || connection == null) {
                    pending = future;
                }
                return;
            }
        }
        future.cancel(true);
    }

    /**
     * Here is a connection, not necessarily connected.
     *
     * @return whether it is still wanted; if not, it was given back
     */
    boolean leased(AsyncConnectionEndpoint leased) {
        synchronized (this) {
            if (!done) {
                connection = leased;
                return true;
            }
        }
        connections.discard(leased);
        return false;
    }

    // ---- The request

    @Override
    public void produceRequest(RequestChannel channel, HttpContext context) throws HttpException, IOException {
        channel.sendRequest(request, this, context);
    }

    @Override
    public int available() {
        return out.remaining();
    }

    @Override
    public void produce(DataStreamChannel channel) throws IOException {
        while (out.hasRemaining() && channel.write(out) > 0) {
            // as much as it takes
        }
        if (!out.hasRemaining()) {
            // Before the end goes out: the answer may come while it does.
            synchronized (this) {
                sent = true;
            }
            channel.endStream();
        }
    }

    @Override
    public long getContentLength() {
        return out.capacity();
    }

    @Override
    public String getContentType() {
        return "application/json";
    }

    @Override
    public @Nullable String getContentEncoding() {
        return null;
    }

    @Override
    public boolean isChunked() {
        return false;
    }

    @Override
    public Set<String> getTrailerNames() {
        return Set.of();
    }

    // ---- The answer

    /** Its status, before the rest of its head. */
    void statusRead(int read) {
        synchronized (this) {
            if (!done) {
                status = read;
            }
        }
    }

    /** Its {@code Retry-After}, before the rest of its head. */
    void retryAfterRead(String read) {
        synchronized (this) {
            if (!done) {
                retryAfter = read;
            }
        }
    }

    /** Its head ended with the connection, so that nobody knows of a body. */
    void headCutOff() {
        synchronized (this) {
            headCutOff = true;
        }
    }

    @Override
    public void consumeInformation(HttpResponse response, HttpContext context) {
        // Not an answer yet.
    }

    @Override
    public void consumeResponse(HttpResponse response, @Nullable EntityDetails entity, HttpContext context) {
        Header after = response.getFirstHeader("Retry-After");
        TimeValue idle = response.containsHeader("Keep-Alive")
                ? DefaultConnectionKeepAliveStrategy.INSTANCE.getKeepAliveDuration(response, context)
                : INDEFINITELY;
        synchronized (this) {
            status = response.getCode();
            retryAfter = after == null ? null : after.getValue();
            keepAlive = idle;
        }
        if (entity == null) {
            finish(true);
        }
    }

    @Override
    public void updateCapacity(CapacityChannel channel) throws IOException {
        channel.update(Integer.MAX_VALUE);
    }

    @Override
    public void consume(ByteBuffer in) {
        synchronized (this) {
            if (done) {
                in.position(in.limit());
                return;
            }
            int taken = Math.min(in.remaining(), maxBytes - length);
            if (length + taken > body.length) {
                byte[] grown = new byte[Math.min(maxBytes, Math.max(length + taken, 2 * body.length))];
                System.arraycopy(body, 0, grown, 0, length);
                body = grown;
            }
            in.get(body, length, taken);
            length += taken;
            if (!in.hasRemaining()) {
                return;
            }
            in.position(in.limit());
        }
        finish(false);
    }

    @Override
    public void streamEnd(@Nullable List<? extends Header> trailers) {
        finish(true);
    }

    /** All of the answer that is wanted is there. */
    private void finish(boolean whole) {
        Answer answer;
        AsyncConnectionEndpoint used;
        boolean reusable;
        TimeValue idle;
        synchronized (this) {
            if (done) {
                return;
            }
            answer = answer(whole && !headCutOff);
            used = end();
            reusable = whole && sent && !headCutOff;
            idle = keepAlive;
        }
        // First the connection: who hears of the answer may post the next request at once.
        if (used != null && reusable) {
            connections.reuse(used, idle);
        } else if (used != null) {
            connections.discard(used);
        }
        answered.accept(answer);
    }

    // ---- No answer, or not all of it

    @Override
    public void failed(Exception cause) {
        broken(NoAnswer.of(cause), why(cause));
    }

    /** Told by the client when it shuts a connection down. */
    @Override
    public void cancel() {
        broken(NoAnswer.CONNECTION_CLOSED, "the connection was shut down");
    }

    @Override
    public void releaseResources() {
        broken(NoAnswer.CONNECTION_CLOSED, "the connection was given up");
    }

    private void broken(NoAnswer kind, String why) {
        Answer answer;
        AsyncConnectionEndpoint used;
        synchronized (this) {
            if (done) {
                return;
            }
            // A receiver that has said its status has answered, whatever becomes of the rest.
            answer = status != 0 ? answer(false) : Answer.Unanswered.of(kind, masked(why));
            used = end();
        }
        if (used != null) {
            connections.discard(used);
        }
        answered.accept(answer);
    }

    /** By the caller of the sender. */
    void giveUp() {
        Answer answer;
        AsyncConnectionEndpoint used;
        Future<?> stop;
        synchronized (this) {
            if (done) {
                return;
            }
            answer = status != 0 ? answer(false) : null;
            stop = pending;
            used = end();
        }
        if (stop != null) {
            stop.cancel(true);
        }
        if (used != null) {
            connections.discard(used);
        }
        if (answer != null) {
            answered.accept(answer);
        }
    }

    private Answer answer(boolean whole) {
        byte[] said = length == body.length ? body : Arrays.copyOf(body, length);
        credentials.mask(said);
        return new Answer.Answered(status, retryAfter, said, whole);
    }

    private @Nullable AsyncConnectionEndpoint end() {
        done = true;
        pending = null;
        AsyncConnectionEndpoint used = connection;
        connection = null;
        return used;
    }

    /** A malformed answer is quoted, and may repeat what it was sent. */
    private String masked(String why) {
        byte[] bytes = why.getBytes(StandardCharsets.UTF_8);
        credentials.mask(bytes);
        return new String(bytes, StandardCharsets.UTF_8);
    }

    private static String why(Exception cause) {
        String message = cause.getMessage();
        return cause.getClass().getSimpleName() + (message == null ? "" : ": " + message);
    }
}
