package dev.engagement.delivery;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.ConnectException;
import java.net.NoRouteToHostException;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.net.UnknownHostException;
import java.security.cert.CertificateException;
import java.util.List;
import java.util.Map;
import javax.net.ssl.SSLHandshakeException;
import org.apache.hc.client5.http.ConnectTimeoutException;
import org.apache.hc.client5.http.HttpHostConnectException;
import org.apache.hc.core5.http.ConnectionClosedException;
import org.apache.hc.core5.http.ConnectionRequestTimeoutException;
import org.apache.hc.core5.http.MessageConstraintException;
import org.apache.hc.core5.http.ParseException;
import org.apache.hc.core5.http.ProtocolException;
import org.apache.hc.core5.http.RequestNotExecutedException;
import org.apache.hc.core5.http2.H2ConnectionException;
import org.apache.hc.core5.http2.H2Error;
import org.apache.hc.core5.http2.H2StreamResetException;
import org.apache.hc.core5.reactor.IOReactorShutdownException;
import org.junit.jupiter.api.Test;

class NoAnswerTest {

    @Test
    void every_failure_is_of_a_kind() {
        Map<NoAnswer, List<Exception>> failures = Map.of(
                NoAnswer.HOST_UNKNOWN, List.of(new UnknownHostException("receiver was not looked up yet")),
                NoAnswer.CONNECTION_REFUSED,
                        List.of(
                                new ConnectException("Connection refused"),
                                new HttpHostConnectException("Connect to http://x:1 failed: Connection refused")),
                NoAnswer.HOST_UNREACHABLE,
                        List.of(
                                new NoRouteToHostException("No route to host"),
                                new ConnectException("Network is unreachable")),
                NoAnswer.TLS_FAILED,
                        List.of(
                                new SSLHandshakeException("PKIX path building failed"),
                                new IOException(
                                        new SSLHandshakeException("").initCause(new CertificateException("expired")))),
                NoAnswer.TIMED_OUT,
                        List.of(
                                new SocketTimeoutException("130 SECONDS"),
                                new ConnectTimeoutException("Connect timed out"),
                                new ConnectionRequestTimeoutException("no connection was free")),
                NoAnswer.CONNECTION_CLOSED,
                        List.of(
                                new SocketException("Connection reset"),
                                new ConnectionClosedException("Connection closed by peer"),
                                new RequestNotExecutedException(),
                                new H2StreamResetException(H2Error.REFUSED_STREAM, "Stream reset")),
                NoAnswer.MALFORMED_ANSWER,
                        List.of(
                                new ParseException("Invalid protocol version"),
                                new ProtocolException("Invalid response"),
                                new MessageConstraintException("Maximum line length limit exceeded"),
                                new H2ConnectionException(H2Error.ENHANCE_YOUR_CALM, "Excessive")),
                NoAnswer.CLIENT_FAILED,
                        List.of(
                                new IllegalStateException("Connection pool shut down"),
                                new IOReactorShutdownException("I/O reactor shut down")));

        failures.forEach((kind, all) -> assertThat(all)
                .allSatisfy(failure ->
                        assertThat(NoAnswer.of(failure)).as(failure.toString()).isEqualTo(kind)));
    }

    @Test
    void a_kind_is_found_by_its_text_and_no_other() {
        assertThat(NoAnswer.values()).allSatisfy(kind -> {
            assertThat(NoAnswer.named(kind.text())).isSameAs(kind);
            assertThat(kind.text()).matches("[a-z]+(-[a-z]+)*");
        });
        assertThat(NoAnswer.named("struck-by-lightning")).isNull();
    }
}
