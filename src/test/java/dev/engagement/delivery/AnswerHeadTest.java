package dev.engagement.delivery;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.channels.ReadableByteChannel;
import java.nio.channels.WritableByteChannel;
import java.util.ArrayList;
import java.util.List;
import org.apache.hc.client5.http.nio.AsyncConnectionEndpoint;
import org.apache.hc.core5.http.HttpResponse;
import org.apache.hc.core5.http.config.Http1Config;
import org.apache.hc.core5.http.message.BasicHeader;
import org.apache.hc.core5.http.message.BasicHttpRequest;
import org.apache.hc.core5.http.nio.NHttpMessageParser;
import org.apache.hc.core5.http.nio.SessionInputBuffer;
import org.apache.hc.core5.util.CharArrayBuffer;
import org.apache.hc.core5.util.TimeValue;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** What is known of an answer whose head has come so far and no further. */
class AnswerHeadTest {

    private static final String INFORMATIONAL = "HTTP/1.1 102 Wait\r\nRetry-After: 99\r\n\r\n";
    private static final String STATUS = "HTTP/1.1 503 No\r\n";
    private static final String MORE = "Retry-Afters: 8\r\nX-Retry-After: 9\r\n";
    private static final String RETRY_AFTER = "RETRY-after:  7 \r\n";
    private static final String REST = "X-More: and more\r\n\r\n";
    private static final String ALL = INFORMATIONAL + STATUS + MORE + RETRY_AFTER + REST;

    private final List<Answer> answers = new ArrayList<>();
    private final AnswerHead head = new AnswerHead();

    @Test
    void a_head_that_breaks_off_anywhere_has_told_what_had_come() throws Exception {
        for (int cut = 0; cut <= ALL.length(); cut++) {
            HttpExchange exchange = begin();
            NHttpMessageParser<HttpResponse> parser = head.parser(Http1Config.DEFAULT);
            Text text = new Text();
            // In two pieces, wherever the first one ends.
            for (int middle : new int[] {cut / 2, cut}) {
                text.come(ALL.substring(0, middle));
                while (parser.parse(text, false) != null) {
                    parser.reset();
                }
            }
            answers.clear();
            exchange.giveUp();

            if (cut < (INFORMATIONAL + STATUS).length()) {
                assertThat(answers).as("after %d characters", cut).isEmpty();
            } else {
                String after = cut < ALL.indexOf(REST) ? null : "7";
                assertThat(answers)
                        .as("after %d characters", cut)
                        .singleElement()
                        .isInstanceOfSatisfying(Answer.Answered.class, answer -> {
                            assertThat(answer.status()).isEqualTo(503);
                            assertThat(answer.retryAfter()).isEqualTo(after);
                        });
            }
        }
    }

    @Test
    void a_head_of_http_2_tells_its_status_before_it_is_looked_at() {
        HttpExchange exchange = begin();
        head.onHeaderInput(null, 1, List.of(new BasicHeader(":status", "103"), new BasicHeader("retry-after", "99")));
        head.onHeaderInput(
                null,
                1,
                List.of(
                        new BasicHeader(":status", "429"),
                        new BasicHeader("Forbidden-Upper-Case", "x"),
                        new BasicHeader("retry-after", "7")));
        // Trailers.
        head.onHeaderInput(null, 1, List.of(new BasicHeader("retry-after", "8")));
        exchange.giveUp();

        assertThat(answers).singleElement().isInstanceOfSatisfying(Answer.Answered.class, answer -> {
            assertThat(answer.status()).isEqualTo(429);
            assertThat(answer.retryAfter()).isEqualTo("7");
        });
    }

    @Test
    void a_status_of_http_2_that_is_none_is_none() {
        for (String status : new String[] {"", "20", "2000", "two", "-20"}) {
            HttpExchange exchange = begin();
            head.onHeaderInput(null, 1, List.of(new BasicHeader(":status", status)));
            exchange.giveUp();
        }

        assertThat(answers).isEmpty();
    }

    private HttpExchange begin() {
        HttpExchange exchange = new HttpExchange(
                new BasicHttpRequest("POST", "/"),
                new byte[0],
                answers::add,
                new HttpExchange.Connections() {
                    @Override
                    public void reuse(AsyncConnectionEndpoint connection, TimeValue keepAlive) {}

                    @Override
                    public void discard(AsyncConnectionEndpoint connection) {}
                },
                new ReceiverSecrets(DeliveryOptions.Secrets.NONE),
                8);
        head.begin(exchange.context());
        return exchange;
    }

    /** What has come of a text. */
    private static final class Text implements SessionInputBuffer {

        private String come = "";
        private int at;

        void come(String more) {
            come = more;
        }

        @Override
        public boolean readLine(CharArrayBuffer line, boolean endOfStream) {
            int end = come.indexOf("\r\n", at);
            if (end < 0) {
                return false;
            }
            line.append(come.substring(at, end));
            at = end + 2;
            return true;
        }

        @Override
        public boolean hasData() {
            return at < come.length();
        }

        @Override
        public int length() {
            return come.length() - at;
        }

        @Override
        public int fill(ReadableByteChannel source) {
            throw new UnsupportedOperationException();
        }

        @Override
        public int read() {
            throw new UnsupportedOperationException();
        }

        @Override
        public int read(ByteBuffer target, int max) {
            throw new UnsupportedOperationException();
        }

        @Override
        public int read(ByteBuffer target) {
            throw new UnsupportedOperationException();
        }

        @Override
        public int read(@Nullable WritableByteChannel target, int max) {
            throw new UnsupportedOperationException();
        }

        @Override
        public int read(@Nullable WritableByteChannel target) {
            throw new UnsupportedOperationException();
        }
    }
}
