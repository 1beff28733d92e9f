package dev.engagement.delivery;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ReadableByteChannel;
import java.nio.channels.WritableByteChannel;
import java.util.List;
import org.apache.hc.core5.http.Header;
import org.apache.hc.core5.http.HttpConnection;
import org.apache.hc.core5.http.HttpException;
import org.apache.hc.core5.http.HttpResponse;
import org.apache.hc.core5.http.ProtocolException;
import org.apache.hc.core5.http.config.Http1Config;
import org.apache.hc.core5.http.impl.nio.DefaultHttpResponseFactory;
import org.apache.hc.core5.http.impl.nio.DefaultHttpResponseParser;
import org.apache.hc.core5.http.message.LazyLaxLineParser;
import org.apache.hc.core5.http.nio.NHttpMessageParser;
import org.apache.hc.core5.http.nio.SessionInputBuffer;
import org.apache.hc.core5.http.protocol.HttpContext;
import org.apache.hc.core5.http2.frame.RawFrame;
import org.apache.hc.core5.http2.impl.nio.H2StreamListener;
import org.apache.hc.core5.util.CharArrayBuffer;
import org.jspecify.annotations.Nullable;

/**
 * Sees the head of an answer while it is read, and tells its exchange the status, and {@code Retry-After}, as soon as they
 * are there: they count, whatever breaks behind them. The client library tells of a head only once it has all of it.
 *
 * <p>Of one connection, which carries one request at a time, and confined to the thread that serves it.
 */
final class AnswerHead implements H2StreamListener {

    private static final String RETRY_AFTER = "retry-after";
    private static final int FIRST_FINAL = 200;
    private static final int LAST = 999;

    /** Whose answer is awaited; none once its head is read, so that an idle connection keeps no request. */
    private @Nullable HttpExchange awaited;

    /** A request goes out. */
    void begin(HttpContext context) {
        awaited = HttpExchange.of(context);
    }

    private void status(int status) {
        HttpExchange exchange = awaited;
        if (exchange != null && status >= FIRST_FINAL && status <= LAST) {
            exchange.statusRead(status);
        }
    }

    private void retryAfter(String value) {
        HttpExchange exchange = awaited;
        if (exchange != null) {
            exchange.retryAfterRead(value);
        }
    }

    /** Reads the heads of HTTP/1.1. */
    NHttpMessageParser<HttpResponse> parser(Http1Config limits) {
        return new Parser(limits);
    }

    private final class Parser extends DefaultHttpResponseParser<HttpResponse> {

        private final Lines lines = new Lines();

        Parser(Http1Config limits) {
            super(limits, LazyLaxLineParser.INSTANCE, DefaultHttpResponseFactory.INSTANCE);
        }

        @Override
        protected HttpResponse createMessage(CharArrayBuffer line) throws HttpException {
            HttpResponse response = super.createMessage(line);
            if (response.getCode() > LAST) {
                throw new ProtocolException("A status has three digits, and this is " + response.getCode());
            }
            lines.isFinal = response.getCode() >= FIRST_FINAL;
            status(response.getCode());
            return response;
        }

        @Override
        public HttpResponse parse(SessionInputBuffer buffer, boolean endOfStream) throws IOException, HttpException {
            lines.buffer = buffer;
            try {
                HttpResponse response = super.parse(lines, endOfStream);
                if (response != null && lines.isFinal) {
                    if (awaited != null && !lines.ended) {
                        // The library takes the end of the connection for the end of the head.
                        awaited.headCutOff();
                    }
                    awaited = null;
                }
                return response;
            } finally {
                lines.buffer = null;
            }
        }

        @Override
        public void reset() {
            super.reset();
            lines.isFinal = false;
        }
    }

    /** The buffer that is read, with a look at each line of a head. */
    private final class Lines implements SessionInputBuffer {

        private @Nullable SessionInputBuffer buffer;
        /** Whether the head is that of an answer, and not of an informational one. */
        private boolean isFinal;
        /** Whether the line that was read last is the empty one that ends a head. */
        private boolean ended;

        private SessionInputBuffer buffer() {
            SessionInputBuffer read = buffer;
            if (read == null) {
                throw new IllegalStateException("Nothing is read");
            }
            return read;
        }

        @Override
        public boolean readLine(CharArrayBuffer line, boolean endOfStream) throws IOException {
            boolean complete = buffer().readLine(line, endOfStream);
            if (complete) {
                ended = line.isEmpty();
                if (isFinal) {
                    look(line);
                }
            }
            return complete;
        }

        private void look(CharArrayBuffer line) {
            int colon = RETRY_AFTER.length();
            if (line.length() <= colon || line.charAt(colon) != ':') {
                return;
            }
            for (int at = 0; at < colon; at++) {
                if (Character.toLowerCase(line.charAt(at)) != RETRY_AFTER.charAt(at)) {
                    return;
                }
            }
            retryAfter(line.substringTrimmed(colon + 1, line.length()));
        }

        @Override
        public boolean hasData() {
            return buffer().hasData();
        }

        @Override
        public int length() {
            return buffer().length();
        }

        @Override
        public int fill(ReadableByteChannel source) throws IOException {
            return buffer().fill(source);
        }

        @Override
        public int read() {
            return buffer().read();
        }

        @Override
        public int read(ByteBuffer target, int max) {
            return buffer().read(target, max);
        }

        @Override
        public int read(ByteBuffer target) {
            return buffer().read(target);
        }

        @Override
        public int read(WritableByteChannel target, int max) throws IOException {
            return buffer().read(target, max);
        }

        @Override
        public int read(WritableByteChannel target) throws IOException {
            return buffer().read(target);
        }
    }

    // ---- HTTP/2, whose heads are there as a whole or not at all

    @Override
    public void onHeaderInput(HttpConnection connection, int streamId, List<? extends Header> headers) {
        int status = 0;
        for (Header header : headers) {
            if (header.getName().equals(":status")) {
                status = numberOf(header.getValue());
                status(status);
            } else if (status >= FIRST_FINAL && header.getName().equals(RETRY_AFTER)) {
                retryAfter(header.getValue());
            }
        }
        if (status >= FIRST_FINAL) {
            awaited = null;
        }
    }

    /** 0 for what is not of three digits. */
    private static int numberOf(@Nullable String status) {
        return status != null && status.length() == 3 && status.chars().allMatch(c -> c >= '0' && c <= '9')
                ? Integer.parseInt(status)
                : 0;
    }

    @Override
    public void onHeaderOutput(HttpConnection connection, int streamId, List<? extends Header> headers) {}

    @Override
    public void onFrameInput(HttpConnection connection, int streamId, RawFrame frame) {}

    @Override
    public void onFrameOutput(HttpConnection connection, int streamId, RawFrame frame) {}

    @Override
    public void onInputFlowControl(HttpConnection connection, int streamId, int delta, int actualSize) {}

    @Override
    public void onOutputFlowControl(HttpConnection connection, int streamId, int delta, int actualSize) {}
}
