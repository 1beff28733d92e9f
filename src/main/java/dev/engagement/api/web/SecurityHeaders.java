package dev.engagement.api.web;

import jakarta.servlet.http.HttpServletResponse;
import java.util.Map;

/** What every response says to a browser. A page of another site is told nothing: there is no CORS header. */
public final class SecurityHeaders {

    /** Nothing of another host, nothing inline, in nobody's frame. */
    public static final String CONTENT_SECURITY_POLICY =
            "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'";

    private static final Map<String, String> ALL = Map.of(
            "Content-Security-Policy",
            CONTENT_SECURITY_POLICY,
            "X-Content-Type-Options",
            "nosniff",
            "Referrer-Policy",
            "no-referrer",
            // Of browsers that do not know frame-ancestors.
            "X-Frame-Options",
            "DENY",
            "Cross-Origin-Opener-Policy",
            "same-origin",
            "Cross-Origin-Resource-Policy",
            "same-origin",
            "Permissions-Policy",
            "camera=(), geolocation=(), microphone=()",
            // Whoever knows how long an answer holds says so instead.
            "Cache-Control",
            "no-store");

    private SecurityHeaders() {}

    /** Sets all of them. */
    public static void set(HttpServletResponse response) {
        ALL.forEach(response::setHeader);
    }
}
