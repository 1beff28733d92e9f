package dev.engagement.api.web;

import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.LongSupplier;

/** Takes the token that a person gives, which the browser then keeps in a cookie that no script can read. */
public final class Login {

    /** Of the page with the form, and where the form is sent. */
    public static final String PATH = "/login";

    /** Forgets the token. */
    public static final String LOGOUT_PATH = "/logout";

    /** Where a browser is led to the form from, and back to: an address of a stranger is not followed. */
    static final Set<String> PAGES = Set.of("/", "/wall", "/docs", "/static/index.html", "/static/wall.html");

    private static final int MAX_BODY_BYTES = 4_096;
    private static final Duration BODY_TIMEOUT = Duration.ofSeconds(5);
    private static final String FORM = "application/x-www-form-urlencoded";

    private final Tokens tokens;
    private final Gate gate;
    private final LongSupplier nanos;

    /**
     * A login.
     *
     * @param gate counts wrong tokens here as everywhere
     * @param nanos {@link System#nanoTime}, or a test's own
     */
    public Login(Tokens tokens, Gate gate, LongSupplier nanos) {
        this.tokens = tokens;
        this.gate = gate;
        this.nanos = nanos;
    }

    /**
     * What the form sends: {@code token}, and perhaps {@code next}, the page to go on to. A script gets 204.
     *
     * @throws ProblemException if it is no form, if the token does not allow reading, or too many wrong ones came from
     *     there
     */
    public void logIn(HttpServletRequest request, HttpServletResponse response) throws IOException {
        String type = request.getContentType();
        if (type == null || !type.toLowerCase(Locale.ROOT).startsWith(FORM)) {
            throw Problems.unsupportedMediaType("The login is no form", "send token=… as " + FORM)
                    .exception();
        }
        Map<String, String> form = Query.parse(
                new String(Bodies.read(request, MAX_BODY_BYTES, BODY_TIMEOUT, nanos), StandardCharsets.UTF_8));
        String token = form.getOrDefault("token", "").trim();
        Tokens.Verdict verdict = tokens.ask(token, Right.READ);
        if (verdict == Tokens.Verdict.UNKNOWN) {
            gate.refuseGuessing(Gate.network(request.getRemoteAddr()), token);
        }
        if (verdict != Tokens.Verdict.ALLOWED) {
            throw Problems.unauthorized("Nobody here knows that token, or it is not for reading")
                    .exception();
        }
        String origin = request.getHeader("Origin");
        response.addHeader("Set-Cookie", Cookies.keeping(token, origin != null && origin.startsWith("https://")));
        String next = form.getOrDefault("next", "/");
        answer(request, response, PAGES.contains(next) ? next : "/");
    }

    /** Lets the browser forget the token. */
    public static void logOut(HttpServletRequest request, HttpServletResponse response) {
        response.addHeader("Set-Cookie", Cookies.forgetting());
        answer(request, response, PATH);
    }

    private static void answer(HttpServletRequest request, HttpServletResponse response, String path) {
        if (Gate.accepts(request, "text/html")) {
            redirect(response, path);
        } else {
            response.setStatus(HttpServletResponse.SC_NO_CONTENT);
        }
    }

    static void redirect(HttpServletResponse response, String path) {
        response.setStatus(HttpServletResponse.SC_SEE_OTHER);
        response.setHeader("Location", path);
    }
}
