package dev.engagement.api.web;

import jakarta.servlet.Filter;
import jakarta.servlet.FilterChain;
import jakarta.servlet.ServletException;
import jakarta.servlet.ServletRequest;
import jakarta.servlet.ServletResponse;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Every request passes here first, whoever answers it afterwards: its path means one thing, it comes from where it may,
 * its sender may ask that, and not too often. What is refused is refused before anything was read of it but its head.
 */
public final class Gate implements Filter {

    private static final Logger LOG = LoggerFactory.getLogger(Gate.class);

    /** Request attribute: what answered, for the numbers. */
    private static final String OPERATION = Gate.class.getName() + ".operation";

    private static final Set<String> METHODS = Set.of("GET", "HEAD", "POST");
    private static final String POST = "POST";
    private static final String PROMETHEUS = "/prometheus";
    private static final String HEALTH = "/health/";
    private static final Set<String> PROBES = Set.of(HEALTH + "live", HEALTH + "ready");
    private static final String STATIC = "/static/";
    private static final Set<String> OF_LOGIN =
            Set.of(Login.PATH, Login.LOGOUT_PATH, STATIC + "login.html", "/favicon.ico");

    private static final int MAX_ADDRESSES = 20_000;
    private static final int MAX_WRONG_TOKENS = 10_000;
    private static final int WRONG_TOKENS = 20;
    private static final Duration WRONG_TOKENS_WINDOW = Duration.ofMinutes(1);
    private static final int GROUPS_OF_NETWORK = 4;

    private final WebOptions options;
    private final Tokens tokens;
    private final Set<String> readingPosts;
    private final Prometheus numbers;
    private final LongSupplier nanos;
    private final RateLimits reading;
    private final RateLimits writing;
    private final RateLimits wrongTokens;
    private final Bulkhead reads;
    private final Bulkhead writes;
    private final Bulkhead queries;
    private final Bulkhead logins;

    /** Wrong tokens that were counted, by address and digest; the oldest are forgotten. */
    private final Map<String, Boolean> wrongLately = Collections.synchronizedMap(new LinkedHashMap<String, Boolean>() {
        private static final long serialVersionUID = 1L;

        @Override
        protected boolean removeEldestEntry(Map.Entry<String, Boolean> eldest) {
            return size() > MAX_WRONG_TOKENS;
        }
    });

    /**
     * A gate.
     *
     * @param readingPosts paths whose POST changes nothing
     * @param nanos {@link System#nanoTime}, or a test's own
     */
    public Gate(WebOptions options, Tokens tokens, Set<String> readingPosts, Prometheus numbers, LongSupplier nanos) {
        this.options = options;
        this.tokens = tokens;
        this.readingPosts = Set.copyOf(readingPosts);
        this.numbers = numbers;
        this.nanos = nanos;
        long window = WebOptions.RATE_WINDOW.toSeconds();
        this.reading = new RateLimits(
                "read", options.limits().readRate() * window, WebOptions.RATE_WINDOW, MAX_ADDRESSES, nanos);
        this.writing = new RateLimits(
                "write", options.limits().writeRate() * window, WebOptions.RATE_WINDOW, MAX_ADDRESSES, nanos);
        this.wrongTokens = new RateLimits("token", WRONG_TOKENS, WRONG_TOKENS_WINDOW, MAX_ADDRESSES, nanos);
        this.reads = new Bulkhead("requests that read", options.limits().threads());
        this.writes = new Bulkhead("requests that write", options.limits().threads());
        this.queries = new Bulkhead("queries", options.limits().queries());
        this.logins = new Bulkhead("logins", options.limits().logins());
    }

    /** Tells the numbers what answers a request. */
    public static void answeredBy(HttpServletRequest request, String operation) {
        request.setAttribute(OPERATION, operation);
    }

    @Override
    public void doFilter(ServletRequest plainRequest, ServletResponse plainResponse, FilterChain chain)
            throws IOException, ServletException {
        HttpServletRequest request = (HttpServletRequest) plainRequest;
        HttpServletResponse response = (HttpServletResponse) plainResponse;
        long begin = nanos.getAsLong();
        SecurityHeaders.set(response);
        if (PROBES.contains(request.getRequestURI())) {
            // Whoever asks for many and reads none of the answers must not hold a thread by them.
            response.setHeader("Connection", "close");
            answer(request, response, chain, begin);
            return;
        }
        try (Bulkhead.Place unused = bulkhead(request).enter()) {
            answer(request, response, chain, begin);
        } catch (ProblemException e) {
            numbers.refused(e.problem().slug());
            e.problem().write(response);
        }
    }

    private void answer(HttpServletRequest request, HttpServletResponse response, FilterChain chain, long begin)
            throws IOException, ServletException {
        try {
            if (admits(request, response)) {
                chain.doFilter(request, response);
            }
            Object operation = request.getAttribute(OPERATION);
            numbers.answered(
                    operation == null ? "other" : operation.toString(),
                    response.getStatus(),
                    nanos.getAsLong() - begin);
        } catch (ProblemException e) {
            numbers.refused(e.problem().slug());
            e.problem().write(response);
        } catch (RuntimeException | ServletException e) {
            if (response.isCommitted()) {
                // Half of an answer must not look like a whole one: the connection is closed.
                throw e;
            }
            incident(e).write(response);
        }
    }

    /** Those that it may hold a thread with, until its answer is written. */
    private Bulkhead bulkhead(HttpServletRequest request) {
        if (!request.getMethod().equals(POST)) {
            return reads;
        }
        String path;
        try {
            path = RequestPath.decoded(request.getRequestURI());
        } catch (ProblemException e) {
            // It is refused anew, within its place.
            return reads;
        }
        return path.equals(Login.PATH) ? logins : readingPosts.contains(path) ? queries : writes;
    }

    /** What nobody expected, as a problem that tells nothing; the log has all of it. */
    public static Problem incident(Throwable cause) {
        String incident = UUID.randomUUID().toString().substring(0, 8);
        LOG.error("Incident {}: a request could not be answered", incident, cause);
        return Problems.internal(incident);
    }

    /** Whether it is to be answered by others; false if it was answered here. */
    private boolean admits(HttpServletRequest request, HttpServletResponse response) {
        String method = request.getMethod();
        if (!METHODS.contains(method)) {
            throw Problems.methodNotAllowed(method, METHODS).exception();
        }
        String path = RequestPath.decoded(request.getRequestURI());
        if (path.startsWith(HEALTH)) {
            return true;
        }
        checkHost(request);
        checkOrigin(request);
        Right right = rightFor(method, path);
        String address = network(request.getRemoteAddr());
        limit(right == Right.WRITE ? writing : reading, address, response);
        checkSize(request);
        return hasRight(right, path, address, request, response);
    }

    private Right rightFor(String method, String path) {
        if (OF_LOGIN.contains(path) || (path.startsWith(STATIC) && !path.endsWith(".html"))) {
            return Right.NONE;
        }
        if (path.equals(PROMETHEUS)) {
            return Right.METRICS;
        }
        return method.equals(POST) && !readingPosts.contains(path) ? Right.WRITE : Right.READ;
    }

    // ------------------------------------------------------------------------------------------- where it comes from

    /**
     * While no token is needed, the name that it is asked by has to be one of this machine: a page of another site
     * could let its own name lead here, and would then be of the same origin.
     */
    private void checkHost(HttpServletRequest request) {
        String header = request.getHeader("Host");
        boolean isOpen = tokens.isOpen(Right.READ) || tokens.isOpen(Right.WRITE) || tokens.isOpen(Right.METRICS);
        if (header == null || !isOpen) {
            return;
        }
        String host = withoutPort(header);
        if (!WebOptions.isLoopback(host) && !options.allowedHosts().contains(host)) {
            throw Problems.forbidden(
                            "This is " + Problems.shown(host) + " to you, which is none of its names",
                            "ask it by 127.0.0.1 or localhost; or add the name to api.allowed-hosts, or give a token")
                    .exception();
        }
    }

    /** A page of another site may send what changes something, and may open WebSockets; so it is refused here. */
    private void checkOrigin(HttpServletRequest request) {
        boolean isWebSocket = request.getHeader("Sec-WebSocket-Key") != null || request.getHeader("Upgrade") != null;
        if (!request.getMethod().equals(POST) && !isWebSocket) {
            return;
        }
        String origin = request.getHeader("Origin");
        String site = request.getHeader("Sec-Fetch-Site");
        boolean isForeign = origin != null ? !isOwn(origin, request.getHeader("Host")) : "cross-site".equals(site);
        if (isForeign) {
            throw Problems.forbidden(
                            "A page of " + Problems.shown(origin == null ? "another site" : origin)
                                    + " may not send this",
                            "use the page of this server, or add the origin to api.allowed-origins")
                    .exception();
        }
    }

    private boolean isOwn(String origin, @Nullable String host) {
        return (host != null
                        && (origin.equalsIgnoreCase("http://" + host) || origin.equalsIgnoreCase("https://" + host)))
                || options.allowedOrigins().contains(origin.toLowerCase(Locale.ROOT));
    }

    private static String withoutPort(String host) {
        int end = host.startsWith("[") ? host.indexOf(']') + 1 : host.indexOf(':');
        return (end > 0 ? host.substring(0, end) : host).toLowerCase(Locale.ROOT);
    }

    /** Who has one address of IPv6 has as many as he likes, so they count as one. */
    static String network(String address) {
        String[] groups = address.replace("[", "").split(":", -1);
        return groups.length <= GROUPS_OF_NETWORK
                ? address
                : String.join(":", Arrays.copyOf(groups, GROUPS_OF_NETWORK));
    }

    // -------------------------------------------------------------------------------------------- how much, how often

    private static void limit(RateLimits limits, String address, HttpServletResponse response) {
        RateLimits.Verdict verdict = limits.take(address);
        response.setHeader("RateLimit-Policy", limits.policy());
        response.setHeader("RateLimit", limits.state(verdict));
        if (!verdict.allowed()) {
            throw Problems.tooManyRequests(verdict.retryAfter()).exception();
        }
    }

    private void checkSize(HttpServletRequest request) {
        if (request.getContentLengthLong() > options.limits().maxBodyBytes()) {
            throw Problems.bodyTooLarge(options.limits().maxBodyBytes()).exception();
        }
    }

    // ------------------------------------------------------------------------------------------------------ who it is

    private boolean hasRight(
            Right right, String path, String address, HttpServletRequest request, HttpServletResponse response) {
        if (tokens.isOpen(right)) {
            return true;
        }
        String token = token(request);
        Tokens.Verdict verdict = tokens.ask(token, right);
        if (verdict == Tokens.Verdict.ALLOWED) {
            if (request.getHeader("Authorization") == null) {
                // The page cannot see its cookie, and offers to forget it.
                response.setHeader("Engagement-Session", "cookie");
            }
            return true;
        }
        if (verdict == Tokens.Verdict.UNKNOWN) {
            refuseGuessing(address, token);
        }
        if (verdict == Tokens.Verdict.OF_OTHERS) {
            throw Problems.forbidden(
                            "That token does not allow " + (right == Right.WRITE ? "to send events" : "this"),
                            "use the token for it: api.token, or api."
                                    + right.name().toLowerCase(Locale.ROOT) + "-token")
                    .exception();
        }
        if (Login.PAGES.contains(path) && accepts(request, "text/html")) {
            Login.redirect(response, Login.PATH + "?next=" + URLEncoder.encode(path, StandardCharsets.UTF_8));
            return false;
        }
        throw Problems.unauthorized(
                        verdict == Tokens.Verdict.MISSING ? "There is no token" : "Nobody here knows that token")
                .exception();
    }

    /**
     * Counts a wrong token. It is asked for wrong ones only: whoever shares an address with one who guesses, as all do
     * behind a proxy, must not be locked out by that. A token is too long to be found at the rate of reading.
     *
     * @throws ProblemException if too many wrong tokens came from there
     */
    void refuseGuessing(String address, @Nullable String token) {
        Duration wait = wrongTokens.exhaustedFor(address);
        if (!wait.isZero()) {
            throw Problems.tooManyRequests(wait).exception();
        }
        countWrongToken(address, token);
    }

    /** The same one again is no further guess: a page whose token was changed goes on asking with the old one. */
    private void countWrongToken(String address, @Nullable String token) {
        if (token == null || wrongLately.put(address + ' ' + Tokens.fingerprint(token), Boolean.TRUE) != null) {
            return;
        }
        RateLimits.Verdict left = wrongTokens.take(address);
        LOG.info("A wrong token came from {}; {} further ones are looked at", address, left.remaining());
    }

    private static @Nullable String token(HttpServletRequest request) {
        String authorization = request.getHeader("Authorization");
        if (authorization == null) {
            return Cookies.token(request);
        }
        String scheme = "Bearer ";
        if (!authorization.regionMatches(true, 0, scheme, 0, scheme.length())) {
            throw Problems.unauthorized("The header Authorization is of another scheme than Bearer")
                    .exception();
        }
        return authorization.substring(scheme.length()).trim();
    }

    static boolean accepts(HttpServletRequest request, String mediaType) {
        String accept = request.getHeader("Accept");
        return accept != null && accept.contains(mediaType);
    }
}
