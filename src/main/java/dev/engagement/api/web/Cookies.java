package dev.engagement.api.web;

import jakarta.servlet.http.Cookie;
import jakarta.servlet.http.HttpServletRequest;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Base64;
import org.jspecify.annotations.Nullable;

/** The token in a browser: out of reach of its scripts, and not sent along with what other sites ask for. */
final class Cookies {

    static final String NAME = "engagement_token";

    private static final Duration MAX_AGE = Duration.ofDays(30);
    private static final String ATTRIBUTES = "; Path=/; HttpOnly; SameSite=Strict";

    private Cookies() {}

    /**
     * The value of Set-Cookie that keeps a token.
     *
     * @param secure whether the browser came by TLS, if only as far as to a proxy
     */
    static String keeping(String token, boolean secure) {
        String value = Base64.getUrlEncoder().withoutPadding().encodeToString(token.getBytes(StandardCharsets.UTF_8));
        return NAME + "=" + value + "; Max-Age=" + MAX_AGE.toSeconds() + ATTRIBUTES + (secure ? "; Secure" : "");
    }

    /** The value of Set-Cookie that forgets it. */
    static String forgetting() {
        return NAME + "=; Max-Age=0" + ATTRIBUTES;
    }

    /** The token of a request, or null if it has none. */
    static @Nullable String token(HttpServletRequest request) {
        Cookie[] cookies = request.getCookies();
        if (cookies == null) {
            return null;
        }
        for (Cookie cookie : cookies) {
            if (cookie.getName().equals(NAME) && !cookie.getValue().isEmpty()) {
                try {
                    return new String(Base64.getUrlDecoder().decode(cookie.getValue()), StandardCharsets.UTF_8);
                } catch (IllegalArgumentException e) {
                    // What nobody here wrote is no token, and asks for one.
                    return null;
                }
            }
        }
        return null;
    }
}
