package dev.engagement.local.receiver;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.apache.hc.core5.http.ContentType;
import org.apache.hc.core5.http.EntityDetails;
import org.apache.hc.core5.http.Header;
import org.apache.hc.core5.http.HttpException;
import org.apache.hc.core5.http.HttpRequest;
import org.apache.hc.core5.http.HttpResponse;
import org.apache.hc.core5.http.impl.BasicEntityDetails;
import org.apache.hc.core5.http.message.BasicHttpResponse;
import org.apache.hc.core5.http.nio.AsyncServerExchangeHandler;
import org.apache.hc.core5.http.nio.CapacityChannel;
import org.apache.hc.core5.http.nio.DataStreamChannel;
import org.apache.hc.core5.http.nio.ResponseChannel;
import org.apache.hc.core5.http.protocol.HttpContext;
import org.jspecify.annotations.Nullable;

/**
 * A request and its answer. The request is read to its end whatever is in it, so that its connection can be used again.
 *
 * <p>The I/O thread calls it; an answer may be sent from another thread, once.
 */
abstract class Exchange implements AsyncServerExchangeHandler {

    private static final byte[] ENDLESS_PIECE = " ".repeat(8192).getBytes(StandardCharsets.US_ASCII);

    private @Nullable ResponseChannel channel;
    private @Nullable HttpContext context;
    private volatile @Nullable ByteBuffer answer;
    private volatile boolean endless;
    private volatile boolean gone;

    /** Looks at the head. */
    abstract void begin(HttpRequest request);

    /** Takes a part of the body; leaves nothing of it unread. */
    abstract void take(ByteBuffer part);

    /** Answers, now or later, or never. */
    abstract void end();

    @Override
    public final void handleRequest(
            HttpRequest request, @Nullable EntityDetails entity, ResponseChannel responses, HttpContext httpContext) {
        channel = responses;
        context = httpContext;
        begin(request);
        if (entity == null) {
            end();
        }
    }

    @Override
    public final void updateCapacity(CapacityChannel capacity) throws IOException {
        capacity.update(Integer.MAX_VALUE);
    }

    @Override
    public final void consume(ByteBuffer part) {
        take(part);
        part.position(part.limit());
    }

    @Override
    public final void streamEnd(@Nullable List<? extends Header> trailers) {
        end();
    }

    /** Sends the answer; nothing happens if nobody waits for it any more. */
    final void respond(int status, byte[] body, String... headers) {
        respond(status, body, false, headers);
    }

    /** Sends an answer that begins with these bytes and never ends. */
    final void respondEndlessly(int status, byte[] body, String... headers) {
        respond(status, body, true, headers);
    }

    private void respond(int status, byte[] body, boolean withoutEnd, String... headers) {
        ResponseChannel responses = channel;
        if (gone || responses == null) {
            return;
        }
        endless = withoutEnd;
        answer = ByteBuffer.wrap(body);
        HttpResponse response = new BasicHttpResponse(status);
        for (int i = 0; i < headers.length; i += 2) {
            response.setHeader(headers[i], headers[i + 1]);
        }
        try {
            responses.sendResponse(
                    response,
                    new BasicEntityDetails(withoutEnd ? -1 : body.length, ContentType.APPLICATION_JSON),
                    context);
        } catch (IOException | HttpException e) {
            // The connection has ended meanwhile; the sender will try again.
            gone = true;
        }
    }

    @Override
    public final int available() {
        ByteBuffer rest = answer;
        return endless ? Integer.MAX_VALUE : rest == null ? 0 : Math.max(1, rest.remaining());
    }

    @Override
    public final void produce(DataStreamChannel data) throws IOException {
        ByteBuffer rest = answer;
        if (rest == null) {
            return;
        }
        if (rest.hasRemaining()) {
            data.write(rest);
        }
        if (rest.hasRemaining()) {
            data.requestOutput();
        } else if (endless) {
            // A piece a turn: others are answered in between.
            answer = ByteBuffer.wrap(ENDLESS_PIECE);
            data.requestOutput();
        } else {
            answer = null;
            data.endStream();
        }
    }

    @Override
    public final void failed(Exception e) {
        gone = true;
    }

    @Override
    public final void releaseResources() {
        gone = true;
    }
}
