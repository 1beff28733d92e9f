package dev.engagement.api.web;

import java.time.Duration;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** The kinds of problems that there are. */
public final class Problems {

    private static final String RETRY_AFTER = "Retry-After";
    private static final String CONNECTION = "Connection";
    private static final String CLOSE = "close";

    private Problems() {}

    /** A request that nobody should send. */
    public static Problem badRequest(String detail, String wayOut) {
        return new Problem("bad-request", 400, "The request is malformed", detail, wayOut);
    }

    /** A parameter that would not do. */
    public static Problem invalidParameter(String detail, String wayOut) {
        return new Problem("invalid-parameter", 400, "A parameter cannot be used", detail, wayOut);
    }

    /** No token, or one that nobody knows. */
    public static Problem unauthorized(String detail) {
        return new Problem(
                        "unauthorized",
                        401,
                        "A token is needed",
                        detail,
                        "send the header Authorization: Bearer TOKEN, or log in at /login with a browser")
                .with("WWW-Authenticate", "Bearer realm=\"engagement\"");
    }

    /** Not for this one. */
    public static Problem forbidden(String detail, String wayOut) {
        return new Problem("forbidden", 403, "This is not allowed", detail, wayOut);
    }

    /** There is no such thing. */
    public static Problem notFound(String detail, String wayOut) {
        return new Problem("not-found", 404, "There is no such thing", detail, wayOut);
    }

    /** There is such a path, and another method. */
    public static Problem methodNotAllowed(String method, Set<String> allowed) {
        String methods = String.join(", ", new TreeSet<>(allowed));
        return new Problem(
                        "method-not-allowed",
                        405,
                        "The method is not allowed here",
                        "This path does not take " + shown(method),
                        "use " + methods)
                .with("Allow", methods);
    }

    /** The body did not come in time. */
    public static Problem bodyTooSlow(Duration limit) {
        return new Problem(
                        "body-too-slow",
                        408,
                        "The body came too slowly",
                        "The body had not come after " + limit.toMillis() + " ms",
                        "send it faster, or in smaller parts")
                .with(CONNECTION, CLOSE);
    }

    /** More than is taken at once. */
    public static Problem bodyTooLarge(long max) {
        return new Problem(
                        "body-too-large",
                        413,
                        "The body is too large",
                        "The body has more than " + max + " bytes",
                        "send it in several requests")
                .with(CONNECTION, CLOSE);
    }

    /** Something else than can be read. */
    public static Problem unsupportedMediaType(String detail, String wayOut) {
        return new Problem("unsupported-media-type", 415, "The media type is not supported", detail, wayOut);
    }

    /** Events that cannot be taken, nothing of them. */
    public static Problem refusedEvents(int status, String detail, String wayOut) {
        return switch (status) {
            case 413 -> new Problem("body-too-large", status, "The body is too large", detail, wayOut);
            case 415 -> unsupportedMediaType(detail, wayOut);
            default -> new Problem("refused-events", status, "Events cannot be taken", detail, wayOut);
        };
    }

    /** A WebSocket, asked for as a document. */
    public static Problem upgradeRequired() {
        return new Problem(
                        "upgrade-required",
                        426,
                        "This is a WebSocket",
                        "The request does not ask for a WebSocket",
                        "open it by a WebSocket client, or take the server-sent events at /live")
                .with("Upgrade", "websocket");
    }

    /** Somebody asks too often. */
    public static Problem tooManyRequests(Duration retryAfter) {
        return new Problem(
                        "too-many-requests",
                        429,
                        "There are too many requests from one address",
                        "The quota of this address is used up",
                        "wait as long as Retry-After says")
                .with(RETRY_AFTER, atLeastASecond(retryAfter));
    }

    /** A store does not answer, or there is no room. */
    public static Problem unavailable(String detail, Duration retryAfter) {
        return unavailable(detail, "try again after Retry-After", retryAfter);
    }

    /** As {@link #unavailable(String, Duration)}, with another way out. */
    public static Problem unavailable(String detail, String wayOut, Duration retryAfter) {
        return new Problem("unavailable", 503, "This cannot be answered now", detail, wayOut)
                .with(RETRY_AFTER, atLeastASecond(retryAfter));
    }

    /** Something that should not happen, whose cause is in the log under that id. */
    public static Problem internal(String incident) {
        return new Problem(
                "internal",
                500,
                "Something went wrong here",
                "The log says what, under the incident " + incident,
                "try again; if it stays, tell whoever runs this");
    }

    /** Whatever else the server says. */
    static Problem ofStatus(int status, @Nullable String reason) {
        String title = reason == null || reason.isBlank() ? "The request was refused" : shown(reason);
        return new Problem("http-" + status, status, title, title, null);
    }

    private static String atLeastASecond(Duration time) {
        return Long.toString(Math.max(1, RateLimits.seconds(time)));
    }

    /** As it may stand in a document: short, and printable ASCII. */
    static String shown(String text) {
        String printable = text.replaceAll("[^\\x20-\\x7e]", "?");
        return printable.length() <= 64 ? printable : printable.substring(0, 64) + "…";
    }
}
