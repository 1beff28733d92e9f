package dev.engagement.api.web;

import jakarta.servlet.http.HttpServletRequest;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;
import java.util.concurrent.TimeoutException;
import java.util.function.LongSupplier;
import org.eclipse.jetty.io.EndPoint;
import org.eclipse.jetty.io.IdleTimeout;
import org.eclipse.jetty.server.Request;
import org.jspecify.annotations.Nullable;

/** Reads what was sent, and no more of it and no longer than it may be. */
public final class Bodies {

    private static final int BUFFER_BYTES = 16_384;

    private Bodies() {}

    /**
     * The whole body.
     *
     * @param maxBytes how large it may be, whatever its length is said to be
     * @param timeout how long it may take from here, whether something comes or not
     * @param nanos {@link System#nanoTime}, or a test's own
     * @throws ProblemException if it is larger or slower, or encoded
     * @throws IOException if the client is gone
     */
    public static byte[] read(HttpServletRequest request, int maxBytes, Duration timeout, LongSupplier nanos)
            throws IOException {
        refuseEncoded(request);
        if (request.getContentLengthLong() > maxBytes) {
            throw Problems.bodyTooLarge(maxBytes).exception();
        }
        long begin = nanos.getAsLong();
        long length = Math.max(0, request.getContentLengthLong());
        ByteArrayOutputStream body = new ByteArrayOutputStream((int) Math.min(length, BUFFER_BYTES));
        byte[] buffer = new byte[BUFFER_BYTES];
        EndPoint endPoint = Request.getBaseRequest(request).getHttpChannel().getEndPoint();
        long idleMillis = endPoint.getIdleTimeout();
        InputStream in = request.getInputStream();
        try {
            while (true) {
                waitNoLonger(endPoint, idleMillis, timeout.minusNanos(nanos.getAsLong() - begin));
                int count = in.read(buffer);
                if (count < 0) {
                    return body.toByteArray();
                }
                if (body.size() + count > maxBytes) {
                    throw Problems.bodyTooLarge(maxBytes).exception();
                }
                body.write(buffer, 0, count);
                if (nanos.getAsLong() - begin > timeout.toNanos()) {
                    throw Problems.bodyTooSlow(timeout).exception();
                }
            }
        } catch (IOException e) {
            if (isTimeout(e)) {
                throw Problems.bodyTooSlow(timeout).exception();
            }
            throw e;
        } finally {
            endPoint.setIdleTimeout(idleMillis);
        }
    }

    /** A read ends by the connection's own timer, which therefore may not run for longer than the body has left. */
    private static void waitNoLonger(EndPoint endPoint, long idleMillis, Duration left) {
        if (endPoint instanceof IdleTimeout timer) {
            // The connection may have been idle, or its request may have waited for a thread, until now.
            timer.notIdle();
        }
        long leftMillis = Math.max(1, left.toMillis());
        endPoint.setIdleTimeout(idleMillis <= 0 ? leftMillis : Math.min(idleMillis, leftMillis));
    }

    /** What is compressed may be a thousand times as large as it looks. */
    private static void refuseEncoded(HttpServletRequest request) {
        String encoding = request.getHeader("Content-Encoding");
        if (encoding != null && !encoding.isBlank() && !encoding.equalsIgnoreCase("identity")) {
            throw Problems.unsupportedMediaType(
                            "The body is encoded as " + Problems.shown(encoding), "send it without Content-Encoding")
                    .exception();
        }
    }

    private static boolean isTimeout(IOException failure) {
        @Nullable Throwable cause = failure;
        while (cause != null) {
            if (cause instanceof TimeoutException) {
                return true;
            }
            cause = cause.getCause();
        }
        return false;
    }
}
