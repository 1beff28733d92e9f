package dev.engagement.delivery;

import static org.assertj.core.api.Assertions.assertThat;

import dev.engagement.connection.SecretRef;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.apache.hc.client5.http.nio.AsyncConnectionEndpoint;
import org.apache.hc.core5.http.Header;
import org.apache.hc.core5.http.HttpException;
import org.apache.hc.core5.http.HttpResponse;
import org.apache.hc.core5.http.MessageConstraintException;
import org.apache.hc.core5.http.message.BasicHttpRequest;
import org.apache.hc.core5.http.message.BasicHttpResponse;
import org.apache.hc.core5.http.nio.AsyncClientExchangeHandler;
import org.apache.hc.core5.http.nio.AsyncPushConsumer;
import org.apache.hc.core5.http.nio.DataStreamChannel;
import org.apache.hc.core5.http.nio.HandlerFactory;
import org.apache.hc.core5.http.protocol.HttpContext;
import org.apache.hc.core5.http.protocol.HttpCoreContext;
import org.apache.hc.core5.io.CloseMode;
import org.apache.hc.core5.util.TimeValue;
import org.apache.hc.core5.util.Timeout;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What becomes of an answer, and of its connection, whatever order things happen in. */
class HttpExchangeTest {

    private static final byte[] BODY = "{\"event_id\":1}".getBytes(StandardCharsets.UTF_8);

    private final List<Answer> answers = new ArrayList<>();
    private final Connections connections = new Connections();
    private final Connection connection = new Connection();
    private final HttpExchange exchange = new HttpExchange(
            new BasicHttpRequest("POST", "/"),
            BODY,
            answers::add,
            connections,
            new ReceiverSecrets(DeliveryOptions.Secrets.NONE),
            8);

    @Test
    void a_whole_answer_to_a_request_that_was_sent_leaves_a_connection_that_is_used_again() throws IOException {
        exchange.leased(connection);
        send();
        head(200, "Keep-Alive", "timeout=5");
        exchange.consume(bytes("{}"));
        assertThat(answers).isEmpty();
        exchange.streamEnd(null);
        exchange.releaseResources();

        assertThat(answered()).hasToString("Answered[200, 2 bytes]");
        assertThat(connections.reused).containsExactly(TimeValue.ofSeconds(5));
        assertThat(connections.discarded).isEmpty();
    }

    @Test
    void an_answer_before_the_request_was_sent_costs_the_connection() {
        exchange.leased(connection);
        head(413);
        exchange.streamEnd(null);

        assertThat(answered().status()).isEqualTo(413);
        assertThat(connections.discarded).containsExactly(connection);
        assertThat(connections.reused).isEmpty();
    }

    @Test
    void a_body_over_the_limit_is_cut_and_costs_the_connection() throws IOException {
        exchange.leased(connection);
        send();
        head(200);
        exchange.consume(bytes("12345"));
        exchange.consume(bytes("6789"));
        exchange.consume(bytes("and more"));
        exchange.failed(new IOException("closed"));

        assertThat(answered().body()).asString().isEqualTo("12345678");
        assertThat(answered().whole()).isFalse();
        assertThat(connections.discarded).containsExactly(connection);
    }

    @Test
    void a_failure_before_the_status_is_no_answer() {
        exchange.leased(connection);
        exchange.failed(new IOException("reset"));
        exchange.releaseResources();

        assertThat(answers).containsExactly(new Answer.Unanswered(NoAnswer.CONNECTION_CLOSED, "IOException: reset"));
        assertThat(connections.discarded).containsExactly(connection);
    }

    @Test
    void a_failure_behind_the_status_is_an_answer() {
        exchange.leased(connection);
        head(400, "Retry-After", "7");
        exchange.failed(new IOException("reset"));

        assertThat(answered().status()).isEqualTo(400);
        assertThat(answered().retryAfter()).isEqualTo("7");
        assertThat(answered().whole()).isFalse();
    }

    @Test
    void a_failure_behind_the_line_of_the_status_is_an_answer() {
        exchange.leased(connection);
        exchange.statusRead(503);
        exchange.retryAfterRead("7");
        exchange.failed(new MessageConstraintException("Maximum line length limit exceeded"));

        assertThat(answered().status()).isEqualTo(503);
        assertThat(answered().retryAfter()).isEqualTo("7");
        assertThat(answered().whole()).isFalse();
        assertThat(connections.discarded).containsExactly(connection);
    }

    @Test
    void giving_up_behind_the_line_of_the_status_tells_it() {
        exchange.leased(connection);
        exchange.statusRead(202);
        exchange.giveUp();
        exchange.statusRead(500);

        assertThat(answered().status()).isEqualTo(202);
    }

    @Test
    void a_head_that_ends_with_its_connection_is_not_whole() throws IOException {
        exchange.leased(connection);
        send();
        exchange.statusRead(200);
        exchange.headCutOff();
        head(200);
        exchange.streamEnd(null);

        assertThat(answered().status()).isEqualTo(200);
        assertThat(answered().whole()).isFalse();
        assertThat(connections.discarded).containsExactly(connection);
    }

    @Test
    void what_a_failure_quotes_of_our_secrets_is_masked(@TempDir Path folder) throws IOException {
        Path token = Files.writeString(folder.resolve("token"), "hunter2");
        HttpExchange secret = new HttpExchange(
                new BasicHttpRequest("POST", "/"),
                BODY,
                answers::add,
                connections,
                new ReceiverSecrets(new DeliveryOptions.Secrets(
                        SecretRef.none(), SecretRef.none(), SecretRef.inFile("delivery.token", token.toString()))),
                8);
        secret.failed(new HttpException("Not a status line: Authorization: Bearer hunter2"));

        assertThat(answers)
                .containsExactly(new Answer.Unanswered(
                        NoAnswer.MALFORMED_ANSWER, "HttpException: Not a status line: Authorization: Bearer *******"));
    }

    @Test
    void the_reason_of_a_failure_is_bounded() {
        exchange.failed(new IOException("x".repeat(10_000)));

        assertThat(((Answer.Unanswered) answers.get(0)).why()).hasSize(301).endsWith("x…");
    }

    @Test
    void giving_up_before_the_status_is_silent() {
        exchange.leased(connection);
        exchange.giveUp();
        exchange.failed(new IOException("closed"));
        head(200);
        exchange.streamEnd(null);
        exchange.releaseResources();
        exchange.giveUp();

        assertThat(answers).isEmpty();
        assertThat(connections.discarded).containsExactly(connection);
    }

    @Test
    void giving_up_behind_the_status_tells_it() {
        exchange.leased(connection);
        head(202);
        exchange.giveUp();
        exchange.giveUp();

        assertThat(answered().status()).isEqualTo(202);
        assertThat(answered().whole()).isFalse();
        assertThat(connections.discarded).containsExactly(connection);
    }

    @Test
    void giving_up_while_waiting_for_a_connection_stops_the_wait() {
        CompletableFuture<Void> lease = new CompletableFuture<>();
        exchange.leasing(lease);
        exchange.giveUp();

        assertThat(lease).isCancelled();
        assertThat(exchange.leased(connection)).isFalse();
        assertThat(connections.discarded).containsExactly(connection);
        assertThat(answers).isEmpty();
    }

    @Test
    void giving_up_while_connecting_stops_that() {
        CompletableFuture<Void> connect = new CompletableFuture<>();
        CompletableFuture<Void> lease = new CompletableFuture<>();
        exchange.leased(connection);
        exchange.connecting(connect);
        exchange.leasing(lease);
        exchange.giveUp();

        assertThat(connect).isCancelled();
        assertThat(lease).isNotCancelled();
    }

    @Test
    void what_begins_after_giving_up_is_stopped() {
        CompletableFuture<Void> lease = new CompletableFuture<>();
        CompletableFuture<Void> connect = new CompletableFuture<>();
        exchange.giveUp();
        exchange.leasing(lease);
        exchange.connecting(connect);

        assertThat(lease).isCancelled();
        assertThat(connect).isCancelled();
    }

    private void send() throws IOException {
        exchange.produce(new Channel());
    }

    private void head(int status, String... header) {
        HttpResponse response = new BasicHttpResponse(status);
        if (header.length > 0) {
            response.addHeader(header[0], header[1]);
        }
        exchange.consumeResponse(response, exchange, HttpCoreContext.create());
    }

    private Answer.Answered answered() {
        assertThat(answers).singleElement().isInstanceOf(Answer.Answered.class);
        return (Answer.Answered) answers.get(0);
    }

    private static ByteBuffer bytes(String text) {
        return ByteBuffer.wrap(text.getBytes(StandardCharsets.US_ASCII));
    }

    /** Records what comes back. */
    private static final class Connections implements HttpExchange.Connections {

        private final List<TimeValue> reused = new ArrayList<>();
        private final List<AsyncConnectionEndpoint> discarded = new ArrayList<>();

        @Override
        public void reuse(AsyncConnectionEndpoint connection, TimeValue keepAlive) {
            reused.add(keepAlive);
        }

        @Override
        public void discard(AsyncConnectionEndpoint connection) {
            discarded.add(connection);
        }
    }

    /** Takes everything, a few bytes at a time. */
    private static final class Channel implements DataStreamChannel {

        @Override
        public void requestOutput() {}

        @Override
        public int write(ByteBuffer source) {
            int taken = Math.min(3, source.remaining());
            source.position(source.position() + taken);
            return taken;
        }

        @Override
        public void endStream() {}

        @Override
        public void endStream(List<? extends Header> trailers) {}
    }

    /** Stands for one. */
    private static final class Connection extends AsyncConnectionEndpoint {

        @Override
        public void execute(
                String id,
                AsyncClientExchangeHandler handler,
                @Nullable HandlerFactory<AsyncPushConsumer> pushes,
                HttpContext context) {
            throw new UnsupportedOperationException();
        }

        @Override
        public boolean isConnected() {
            return true;
        }

        @Override
        public void setSocketTimeout(Timeout timeout) {}

        @Override
        public void close(CloseMode mode) {}
    }
}
