package dev.engagement.api.web;

import jakarta.servlet.http.HttpServletRequest;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.time.Duration;
import java.util.concurrent.TimeoutException;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/** Reads what was sent, and no more of it and no longer than it may be. */
public final class Bodies {

    private static final int BUFFER_BYTES = 16_384;

    private Bodies() {}

    /**
     * The whole body.
     *
     * @param maxBytes how large it may be, whatever its length is said to be
     * @param timeout how long it may take from here; looked at whenever something came, so that a client that sends
     *     nothing at all is noticed by the connection's idle timeout
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
        InputStream in = request.getInputStream();
        while (true) {
            int count;
            try {
                count = in.read(buffer);
            } catch (IOException e) {
                if (isTimeout(e)) {
                    throw Problems.bodyTooSlow(timeout).exception();
                }
                throw e;
            }
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
