package dev.engagement.api.read;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Flow;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/**
 * Requests whose whole answer comes by a deadline and has at most so many bytes. The timeout of Java's client ends with
 * the headers: a body that drips would hold a thread for ever. Thread-safe.
 */
final class BoundedHttp {

    private final HttpClient http;
    private final int maxBytes;

    /**
     * @param connectTimeout of a new connection
     * @param maxBytes of an answer's body; what is larger fails
     */
    BoundedHttp(Duration connectTimeout, int maxBytes) {
        this.http = HttpClient.newBuilder()
                .version(HttpClient.Version.HTTP_1_1)
                .connectTimeout(connectTimeout)
                .build();
        this.maxBytes = maxBytes;
    }

    /**
     * The answer, whatever its status.
     *
     * @param deadlineNanos by {@link System#nanoTime}
     * @throws IOException if it does not come in time, or not whole
     */
    HttpResponse<byte[]> send(HttpRequest request, long deadlineNanos) throws IOException {
        CompletableFuture<HttpResponse<byte[]>> answer = http.sendAsync(request, headers -> new BoundedBody(maxBytes));
        try {
            return answer.get(Math.max(0, deadlineNanos - System.nanoTime()), TimeUnit.NANOSECONDS);
        } catch (TimeoutException e) {
            throw new IOException("it did not answer in time", e);
        } catch (ExecutionException e) {
            Throwable cause = e.getCause();
            throw new IOException(cause.getClass().getSimpleName() + ": " + cause.getMessage(), cause);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("the wait for it was interrupted", e);
        } finally {
            // Closes the connection of an answer that nobody waits for any more.
            answer.cancel(true);
        }
    }

    /** Keeps the bytes of a body, up to a bound. */
    private static final class BoundedBody implements HttpResponse.BodySubscriber<byte[]> {

        private final int maxBytes;
        private final CompletableFuture<byte[]> whole = new CompletableFuture<>();
        private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        private Flow.@Nullable Subscription subscription;

        BoundedBody(int maxBytes) {
            this.maxBytes = maxBytes;
        }

        @Override
        public CompletionStage<byte[]> getBody() {
            return whole;
        }

        @Override
        public void onSubscribe(Flow.Subscription given) {
            subscription = given;
            given.request(Long.MAX_VALUE);
        }

        @Override
        public void onNext(List<ByteBuffer> parts) {
            for (ByteBuffer part : parts) {
                if (bytes.size() + part.remaining() > maxBytes) {
                    Flow.Subscription given = subscription;
                    if (given != null) {
                        given.cancel();
                    }
                    whole.completeExceptionally(new IOException("its answer has more than " + maxBytes + " bytes"));
                    return;
                }
                byte[] copy = new byte[part.remaining()];
                part.get(copy);
                bytes.write(copy, 0, copy.length);
            }
        }

        @Override
        public void onError(Throwable failure) {
            whole.completeExceptionally(failure);
        }

        @Override
        public void onComplete() {
            whole.complete(bytes.toByteArray());
        }
    }
}
