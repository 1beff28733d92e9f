package dev.engagement.delivery;

import java.io.IOException;
import java.net.ConnectException;
import java.net.NoRouteToHostException;
import java.net.SocketTimeoutException;
import java.net.UnknownHostException;
import java.nio.charset.CharacterCodingException;
import java.util.Locale;
import java.util.concurrent.TimeoutException;
import javax.net.ssl.SSLException;
import org.apache.hc.core5.http.ConnectionRequestTimeoutException;
import org.apache.hc.core5.http.HttpException;
import org.apache.hc.core5.http.MessageConstraintException;
import org.apache.hc.core5.http2.H2ConnectionException;
import org.apache.hc.core5.http2.H2StreamResetException;
import org.jspecify.annotations.Nullable;

/**
 * Why an attempt counts as unanswered. A closed set: metrics, log, retry records and state name them.
 *
 * <table>
 * <caption>How an exchange ends, and what it counts as</caption>
 * <tr><th>before its status was read</th><th>counts as</th></tr>
 * <tr><td>no name server knows the host, or none has answered yet</td><td>{@link #HOST_UNKNOWN}</td></tr>
 * <tr><td>the connection is refused</td><td>{@link #CONNECTION_REFUSED}</td></tr>
 * <tr><td>no route to the address</td><td>{@link #HOST_UNREACHABLE}</td></tr>
 * <tr><td>the TLS handshake or a TLS record fails: certificate, name, version, alert</td><td>{@link #TLS_FAILED}</td></tr>
 * <tr><td>{@code delivery.timeout} has passed: waiting for a connection, connecting, sending, or waiting for the status</td>
 *   <td>{@link #TIMED_OUT}</td></tr>
 * <tr><td>a reset, an end of the stream, a reset stream or GOAWAY of HTTP/2; after informational answers (1xx), too</td>
 *   <td>{@link #CONNECTION_CLOSED}</td></tr>
 * <tr><td>something that is no status line; a status below 100 or above 999; a frame of HTTP/2 that breaks its rules; a
 *   head of HTTP/2 of more than 256 KiB, whose status is inside of what is compressed</td>
 *   <td>{@link #MALFORMED_ANSWER}</td></tr>
 * <tr><td>an error of this client, or its end</td><td>{@link #CLIENT_FAILED}</td></tr>
 * <tr><th>after its status was read</th><th></th></tr>
 * <tr><td>a header too long, too many of them, or one that is malformed; a Content-Length that is no number, a
 *   Transfer-Encoding that is not known, a chunk that is malformed, trailers that are; a head or a body broken off by an end, a
 *   reset or {@code delivery.timeout}; a body longer than is read</td><td>that status, with what had come of
 *   {@code Retry-After} and the body</td></tr>
 * <tr><td>any of these, of a status that is a success only if the body says so, and it has not yet</td>
 *   <td>{@link #ANSWER_CUT_OFF}</td></tr>
 * </table>
 */
enum NoAnswer {
    HOST_UNKNOWN("The host's name is not known"),
    CONNECTION_REFUSED("The host refuses the connection: nobody listens there"),
    HOST_UNREACHABLE("No network leads to the host"),
    TLS_FAILED("No encrypted connection came about"),
    TIMED_OUT("There was no answer in time"),
    CONNECTION_CLOSED("The connection was closed before a status came"),
    MALFORMED_ANSWER("What came is no answer of HTTP"),
    ANSWER_CUT_OFF("The answer ended before its body said whether all is well"),
    CLIENT_FAILED("The request was given up on this side");

    private final String sentence;
    private final String text;

    NoAnswer(String sentence) {
        this.sentence = sentence;
        text = name().toLowerCase(Locale.ROOT).replace('_', '-');
    }

    /** Its name in metrics, log and retry records, such as {@code connection-refused}. */
    String text() {
        return text;
    }

    /** What it means, without a full stop. */
    String sentence() {
        return sentence;
    }

    /** The one of that {@link #text}; null for one that this build does not know. */
    static @Nullable NoAnswer named(String text) {
        for (NoAnswer each : values()) {
            if (each.text.equals(text)) {
                return each;
            }
        }
        return null;
    }

    /** What a failure of the client library says, before a status was read. */
    static NoAnswer of(Throwable failure) {
        for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
            NoAnswer kind = ofOne(cause);
            if (kind != null) {
                return kind;
            }
        }
        return failure instanceof IOException ? CONNECTION_CLOSED : CLIENT_FAILED;
    }

    private static @Nullable NoAnswer ofOne(Throwable cause) {
        if (cause instanceof UnknownHostException) {
            return HOST_UNKNOWN;
        }
        if (cause instanceof SSLException) {
            return TLS_FAILED;
        }
        if (cause instanceof SocketTimeoutException
                || cause instanceof ConnectionRequestTimeoutException
                || cause instanceof TimeoutException) {
            return TIMED_OUT;
        }
        if (cause instanceof NoRouteToHostException) {
            return HOST_UNREACHABLE;
        }
        if (cause instanceof ConnectException) {
            // Java has one class for both.
            String message = cause.getMessage();
            return message != null && message.contains("nreachable") ? HOST_UNREACHABLE : CONNECTION_REFUSED;
        }
        if (cause instanceof H2StreamResetException) {
            return CONNECTION_CLOSED;
        }
        if (cause instanceof HttpException
                || cause instanceof MessageConstraintException
                || cause instanceof H2ConnectionException
                || cause instanceof CharacterCodingException) {
            return MALFORMED_ANSWER;
        }
        return null;
    }
}
