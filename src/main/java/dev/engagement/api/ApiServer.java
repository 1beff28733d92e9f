package dev.engagement.api;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.engagement.api.definition.ApiDefinition;
import dev.engagement.api.definition.DocsPage;
import dev.engagement.api.definition.GraphQl;
import dev.engagement.api.definition.InvalidParameterException;
import dev.engagement.api.definition.OpenApi;
import dev.engagement.api.definition.Operation;
import dev.engagement.api.definition.Parameter;
import dev.engagement.api.definition.Parameters;
import dev.engagement.api.read.Answer;
import dev.engagement.api.read.Health;
import dev.engagement.api.read.NotFoundException;
import dev.engagement.api.read.Read;
import dev.engagement.api.read.UnavailableException;
import dev.engagement.api.track.TrackAnswer;
import dev.engagement.api.track.TrackRefusedException;
import dev.engagement.api.web.Bodies;
import dev.engagement.api.web.Connections;
import dev.engagement.api.web.ErrorPages;
import dev.engagement.api.web.Gate;
import dev.engagement.api.web.HealthAnswers;
import dev.engagement.api.web.LiveSeats;
import dev.engagement.api.web.LiveServlet;
import dev.engagement.api.web.LiveSockets;
import dev.engagement.api.web.Login;
import dev.engagement.api.web.Problem;
import dev.engagement.api.web.ProblemException;
import dev.engagement.api.web.Problems;
import dev.engagement.api.web.Prometheus;
import dev.engagement.api.web.Query;
import dev.engagement.api.web.ReadyCheck;
import dev.engagement.api.web.StaticFiles;
import dev.engagement.api.web.Tokens;
import dev.engagement.api.web.WebOptions;
import io.javalin.Javalin;
import io.javalin.http.Context;
import io.javalin.http.Handler;
import io.javalin.http.HttpResponseException;
import jakarta.servlet.DispatcherType;
import jakarta.servlet.http.HttpServletRequest;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import java.util.regex.Pattern;
import org.eclipse.jetty.http.UriCompliance;
import org.eclipse.jetty.server.ConnectionLimit;
import org.eclipse.jetty.server.HttpConfiguration;
import org.eclipse.jetty.server.HttpConnectionFactory;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.eclipse.jetty.servlet.FilterHolder;
import org.eclipse.jetty.servlet.ServletHolder;
import org.eclipse.jetty.util.thread.QueuedThreadPool;
import org.jspecify.annotations.Nullable;

/**
 * The HTTP server: every operation of the definition on its paths, the documents made of the definition, the page.
 * Whoever answers is given; the caller closes those, after the server.
 *
 * <pre>{@code
 * try (ApiServer server = ApiServer.start(options, parts)) {
 *     … server.address();
 * }
 * }</pre>
 */
public final class ApiServer implements AutoCloseable {

    /** The server could not be started; the message says why, and what to do. */
    public static final class StartException extends RuntimeException {
        private static final long serialVersionUID = 1L;

        StartException(String message, Throwable cause) {
            super(message, cause);
        }
    }

    private static final String PAGE = "dev/engagement/api/page";
    private static final String GET = "GET";
    private static final String POST = "POST";
    private static final String JSON_TYPE = "application/json";
    private static final String GRAPHQL = "graphql";

    private static final int MIN_THREADS = 8;
    private static final int THREAD_IDLE_MILLIS = 60_000;
    private static final int ACCEPT_QUEUE = 1_024;
    private static final int MAX_QUERY_BYTES = 65_536;
    private static final Duration STOP_TIMEOUT = Duration.ofSeconds(5);
    private static final Duration OVERDUE_INTERVAL = Duration.ofMillis(500);

    /** What may stand in the header Host: it is shown in the documentation. */
    private static final Pattern HOST = Pattern.compile("[A-Za-z0-9.:\\[\\]_-]{1,255}");

    private static final ObjectMapper JSON = new ObjectMapper().enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);

    private record Route(String method, Pattern path) {}

    private final WebOptions options;
    private final ApiParts parts;
    private final LongSupplier nanos;
    private final Prometheus numbers = new Prometheus();
    private final StaticFiles page = new StaticFiles(PAGE);
    private final List<Route> routes = new ArrayList<>();
    private final Tokens tokens;
    private final Gate gate;
    private final Login login;
    private final ReadyCheck readyCheck;
    private final Connections connections;
    private final LiveSeats seats;
    private final LiveServlet liveServlet;
    private final LiveSockets liveSockets;
    private final Javalin app;
    private final ScheduledExecutorService overdue = Executors.newSingleThreadScheduledExecutor(task -> {
        Thread thread = new Thread(task, "api-overdue");
        thread.setDaemon(true);
        return thread;
    });

    private @Nullable ServerConnector connector;

    private ApiServer(WebOptions options, ApiParts parts, LongSupplier nanos) {
        ApiDefinition definition = parts.definition();
        this.options = options;
        this.parts = parts;
        this.nanos = nanos;
        this.tokens = Tokens.read(options.tokens());
        this.gate = new Gate(
                options, tokens, Set.copyOf(definition.operation(GRAPHQL).paths()), numbers, nanos);
        this.login = new Login(tokens, gate, nanos);
        this.readyCheck = new ReadyCheck(parts.health(), nanos);
        WebOptions.Limits limits = options.limits();
        this.connections = new Connections(limits.maxConnectionsOfAddress(), limits.idleTimeout(), nanos);
        this.seats = new LiveSeats(options.limits().maxLiveClients());
        this.liveServlet = new LiveServlet(definition.operation("live"), parts.live(), seats);
        this.liveSockets = new LiveSockets(definition.operation("live-metrics"), parts.live(), seats, nanos);
        this.app = Javalin.create(config -> {
            config.showJavalinBanner = false;
            // A path has one form: whoever decides who may ask sees what the router sees.
            config.router.ignoreTrailingSlashes = false;
            config.jetty.threadPool = new QueuedThreadPool(limits.allThreads(), MIN_THREADS, THREAD_IDLE_MILLIS);
            config.jetty.addConnector((server, unused) -> listeningTo(server));
            config.jetty.modifyServer(server -> {
                server.addBean(new ConnectionLimit(options.limits().maxConnections(), server));
                server.setErrorHandler(new ErrorPages(numbers));
            });
            config.jetty.modifyServletContextHandler(context -> {
                FilterHolder filter = new FilterHolder(gate);
                filter.setAsyncSupported(true);
                context.addFilter(filter, "/*", EnumSet.of(DispatcherType.REQUEST));
                ServletHolder live = new ServletHolder(liveServlet);
                live.setAsyncSupported(true);
                definition.operation("live").paths().forEach(path -> context.addServlet(live, path));
                context.setErrorHandler(new ErrorPages(numbers));
            });
        });
        addRoutes();
        supplyNumbers();
    }

    /**
     * Starts a server.
     *
     * @throws StartException if it cannot listen there
     * @throws dev.engagement.connection.SecretRef.UnreadableSecretException if a token is not where it should be
     * @throws IllegalArgumentException if a token cannot be used
     */
    public static ApiServer start(WebOptions options, ApiParts parts) {
        return start(options, parts, System::nanoTime);
    }

    /** As {@link #start(WebOptions, ApiParts)}, with another idea of how time passes. */
    static ApiServer start(WebOptions options, ApiParts parts, LongSupplier nanos) {
        ApiServer server = new ApiServer(options, parts, nanos);
        try {
            server.app.start();
            long every = OVERDUE_INTERVAL.toMillis();
            var unused = server.overdue.scheduleWithFixedDelay(
                    server.connections::endOverdue, every, every, TimeUnit.MILLISECONDS);
            // Not before: a server that could not start would fail anew at waiting for requests that it never had.
            server.app.jettyServer().server().setStopTimeout(STOP_TIMEOUT.toMillis());
        } catch (Exception e) {
            server.overdue.shutdownNow();
            // Kotlin declares none: an IOException comes as it is.
            throw new StartException(
                    "The API cannot listen on " + options.address() + ":" + options.port() + " ("
                            + rootCause(e).getMessage()
                            + "); is something else there? Give another port by --api.port, 0 for a free one",
                    e);
        }
        return server;
    }

    /** The port that it listens on. */
    public int port() {
        ServerConnector listening = connector;
        return listening == null ? options.port() : listening.getLocalPort();
    }

    /** Where it is reached from this machine: {@code http://host:port}. */
    public URI address() {
        String host = options.address().replaceAll("[\\[\\]]", "");
        boolean isAny = host.equals("0.0.0.0") || host.equals("::");
        return URI.create(
                "http://" + (isAny ? "127.0.0.1" : host.contains(":") ? "[" + host + "]" : host) + ":" + port());
    }

    /** Takes no further requests, and lets those that are here be answered, for some seconds. */
    @Override
    public void close() {
        overdue.shutdownNow();
        app.stop();
    }

    private ServerConnector listeningTo(Server server) {
        HttpConfiguration http = new HttpConfiguration();
        http.setSendServerVersion(false);
        http.setRequestHeaderSize(options.limits().maxHeaderBytes());
        // Refuses what can be read in two ways, such as an encoded slash; the gate refuses some more.
        http.setUriCompliance(UriCompliance.DEFAULT);
        // By default it waits for the first byte of a body, and so would whoever is refused for its length. Of those
        // that are not, no more hold a thread than the gate lets in.
        http.setDelayDispatchUntilContent(false);
        ServerConnector listening = new ServerConnector(server, 1, 1, new HttpConnectionFactory(http));
        listening.setHost(options.address().replaceAll("[\\[\\]]", ""));
        listening.setPort(options.port());
        listening.setIdleTimeout(options.limits().idleTimeout().toMillis());
        listening.setAcceptQueueSize(ACCEPT_QUEUE);
        listening.addBean(connections);
        connector = listening;
        return listening;
    }

    // -------------------------------------------------------------------------------------------------------- routes

    private void addRoutes() {
        for (Operation operation : parts.definition().operations()) {
            switch (operation.id()) {
                case "live" -> operation.paths().forEach(path -> routes.add(new Route(GET, pattern(path))));
                case "live-metrics" -> operation.paths().forEach(path -> socket(operation, path));
                case "track" -> route(operation, this::track);
                case GRAPHQL -> route(operation, graphQl());
                default -> route(operation, reading(operation, parts.reads().get(operation.id())));
            }
        }
        byte[] openApi = json(OpenApi.of(parts.definition()));
        route(GET, "/openapi.json", "openapi", context -> answer(context, JSON_TYPE, openApi));
        route(GET, "/docs", "docs", context -> answer(context, "text/html; charset=utf-8", docs(context)));
        route(
                GET,
                DocsPage.STYLE_PATH,
                "docs",
                context -> answer(
                        context, "text/css; charset=utf-8", DocsPage.style().getBytes(StandardCharsets.UTF_8)));
        route(GET, "/", "page", context -> serve(context, "index.html"));
        route(GET, "/wall", "page", context -> serve(context, "wall.html"));
        route(GET, "/static/<path>", "static", context -> serve(context, context.pathParam("path")));
        route(GET, Login.PATH, "login", context -> serve(context, "login.html"));
        route(POST, Login.PATH, "login", context -> login.logIn(context.req(), context.res()));
        route(POST, Login.LOGOUT_PATH, "login", context -> Login.logOut(context.req(), context.res()));
        route(GET, "/health/live", "health", context -> answer(context, JSON_TYPE, json(HealthAnswers.live())));
        route(GET, "/health/ready", "health", this::ready);
        route(
                GET,
                "/prometheus",
                "prometheus",
                context -> answer(context, Prometheus.MEDIA_TYPE, numbers.text().getBytes(StandardCharsets.UTF_8)));
        app.exception(HttpResponseException.class, (refusal, context) -> refuse(context, unmatched(refusal, context)));
        app.exception(Exception.class, (failure, context) -> refuse(context, Gate.incident(failure)));
    }

    private void route(Operation operation, Handler handler) {
        operation.paths().forEach(path -> route(operation.method(), path, operation.id(), handler));
    }

    private void route(String method, String path, String name, Handler handler) {
        Handler guarded = guarded(name, handler);
        switch (method) {
            case GET -> {
                app.get(path, guarded);
                // Its head has to be that of the same answer; without a handler the server makes one up.
                app.head(path, guarded);
            }
            case POST -> app.post(path, guarded);
            default -> throw new IllegalArgumentException("There is no way to answer " + method + " " + path);
        }
        routes.add(new Route(method, pattern(path)));
    }

    private void socket(Operation operation, String path) {
        route(GET, path, operation.id(), context -> {
            throw Problems.upgradeRequired().exception();
        });
        app.ws(path, socket -> {
            socket.onConnect(context -> liveSockets.connected(context.session, context.queryString()));
            socket.onMessage(context -> liveSockets.heard(context.session));
            socket.onBinaryMessage(context -> liveSockets.heard(context.session));
            socket.onError(context -> liveSockets.ended(context.session));
            socket.onClose(context -> liveSockets.ended(context.session));
        });
    }

    /** Why nobody answers: there is no such path, or another method of it. */
    private Problem unmatched(HttpResponseException refusal, Context context) {
        if (refusal.getStatus() != 404 && refusal.getStatus() != 405) {
            return Problems.badRequest("The request was refused with status " + refusal.getStatus(), "see /docs");
        }
        String path = context.req().getRequestURI();
        Set<String> allowed = new HashSet<>();
        for (Route route : routes) {
            if (route.path().matcher(path).matches()) {
                allowed.add(route.method());
            }
        }
        String method = context.req().getMethod();
        return allowed.isEmpty() || allowed.contains(method)
                ? Problems.notFound("There is nothing at this path", "see /docs for what there is")
                : Problems.methodNotAllowed(method, allowed);
    }

    private static Pattern pattern(String path) {
        StringBuilder regex = new StringBuilder();
        for (String part : path.split("(?=[{<])|(?<=[}>])", -1)) {
            if (part.startsWith("{")) {
                regex.append("[^/]+");
            } else if (part.startsWith("<")) {
                regex.append(".+");
            } else {
                regex.append(Pattern.quote(part));
            }
        }
        return Pattern.compile(regex.toString());
    }

    /** Every handler within this: what it throws becomes a problem. */
    private static Handler guarded(String name, Handler handler) {
        return context -> {
            Gate.answeredBy(context.req(), name);
            try {
                handler.handle(context);
            } catch (ProblemException e) {
                refuse(context, e.problem());
            } catch (InvalidParameterException e) {
                refuse(context, Problems.invalidParameter(String.valueOf(e.getMessage()), e.wayOut()));
            } catch (NotFoundException e) {
                refuse(context, Problems.notFound(String.valueOf(e.getMessage()), e.wayOut()));
            } catch (UnavailableException e) {
                refuse(context, Problems.unavailable(e.saying(), e.retryAfter()));
            } catch (TrackRefusedException e) {
                refuse(context, refused(e));
            }
        };
    }

    // ------------------------------------------------------------------------------------------------------- answers

    private static Handler reading(Operation operation, @Nullable Read read) {
        Set<String> inPath = new HashSet<>();
        operation.parameters().stream()
                .filter(Parameter::inPath)
                .map(Parameter::name)
                .forEach(inPath::add);
        return context -> {
            if (read == null) {
                throw Problems.notFound(
                                "This server does not know the answers of " + operation.path(),
                                "ask whoever runs it to configure the store")
                        .exception();
            }
            Map<String, String> query = Query.parse(context.req().getQueryString());
            for (String name : inPath) {
                if (query.containsKey(name)) {
                    throw new InvalidParameterException(name, query.get(name), "leave it out: it stands in the path");
                }
            }
            Answer answer = read.answer(Parameters.of(
                    operation,
                    name -> inPath.contains(name) ? context.pathParam(name) : query.get(name),
                    query.keySet()));
            if (answer.maxAgeSeconds() > 0) {
                context.res().setHeader("Cache-Control", "private, max-age=" + answer.maxAgeSeconds());
            }
            answer(context, JSON_TYPE, json(answer.body()));
        };
    }

    private void track(Context context) throws IOException, TrackRefusedException {
        ApiParts.Tracker tracker = parts.tracker();
        if (tracker == null) {
            throw Problems.notFound(
                            "This server takes no events",
                            "ask whoever runs it to give it a role for the source database, postgres.username")
                    .exception();
        }
        HttpServletRequest request = context.req();
        refuseQuery(request);
        String type = request.getContentType();
        String key = request.getHeader("Idempotency-Key");
        if (type == null) {
            throw Problems.unsupportedMediaType(
                            "There is no Content-Type", "send application/json or application/x-ndjson")
                    .exception();
        }
        byte[] body = body(request, options.limits().maxBodyBytes());
        TrackAnswer answer;
        try {
            answer = tracker.post(body, type, key);
        } catch (UnavailableException e) {
            // Of a commit whose answer was lost nobody knows, so nothing is promised here but what a key promises.
            throw Problems.unavailable(
                            e.store() + " does not answer now, or there is no room. If it was a commit whose answer was"
                                    + " lost, nobody knows whether the events are there",
                            "send it again after Retry-After, with the same Idempotency-Key: it is then written once",
                            e.retryAfter())
                    .exception();
        }
        ObjectNode document = JsonNodeFactory.instance.objectNode();
        ArrayNode ids = document.putArray("ids");
        answer.ids().forEach(id -> ids.add(id.longValue()));
        document.put("repeated", answer.repeated());
        context.status(202);
        answer(context, JSON_TYPE, json(document));
    }

    private static Problem refused(TrackRefusedException refusal) {
        ArrayNode errors = JsonNodeFactory.instance.arrayNode();
        for (TrackRefusedException.Refusal each : refusal.refusals()) {
            errors.addObject()
                    .put("line", each.line())
                    .put("field", each.field())
                    .put("what", each.what())
                    .put("wayOut", each.wayOut());
        }
        TrackRefusedException.Refusal first = refusal.refusals().get(0);
        return Problems.refusedEvents(
                        refusal.status(),
                        String.valueOf(refusal.getMessage()) + ". Nothing was written",
                        first.wayOut())
                .with(errors);
    }

    private Handler graphQl() {
        GraphQl graphQl = GraphQl.of(parts.definition(), parts.reads()::get);
        return context -> {
            HttpServletRequest request = context.req();
            refuseQuery(request);
            String type = String.valueOf(request.getContentType()).toLowerCase(Locale.ROOT);
            if (!type.split(";", 2)[0].trim().equals(JSON_TYPE)) {
                throw Problems.unsupportedMediaType("The query is not JSON", "send it as " + JSON_TYPE)
                        .exception();
            }
            JsonNode query;
            try {
                query = JSON.readTree(body(request, MAX_QUERY_BYTES));
            } catch (JsonProcessingException e) {
                // What was sent is not repeated.
                throw Problems.badRequest("The body is not JSON", "send {\"query\": \"…\"}")
                        .exception();
            }
            answer(context, JSON_TYPE, json(graphQl.answer(query)));
        };
    }

    private void ready(Context context) {
        Health health = readyCheck.health();
        if (!HealthAnswers.isReady(health)) {
            context.status(503);
        }
        answer(context, JSON_TYPE, json(HealthAnswers.ready(health)));
    }

    private byte[] docs(Context context) {
        String host = context.req().getHeader("Host");
        String origin = host != null && HOST.matcher(host).matches()
                ? "http://" + host
                : address().toString();
        return DocsPage.of(parts.definition(), origin).getBytes(StandardCharsets.UTF_8);
    }

    private void serve(Context context, String file) throws IOException {
        page.serve(file, context.req(), context.res());
    }

    private byte[] body(HttpServletRequest request, int maxBytes) throws IOException {
        return Bodies.read(request, maxBytes, options.limits().bodyTimeout(), nanos);
    }

    private static void refuseQuery(HttpServletRequest request) {
        Map<String, String> query = Query.parse(request.getQueryString());
        if (!query.isEmpty()) {
            String name = query.keySet().iterator().next();
            throw new InvalidParameterException(name, query.get(name), "leave it out: what is sent stands in the body");
        }
    }

    private static void answer(Context context, String mediaType, byte[] document) {
        context.contentType(mediaType);
        context.result(document);
    }

    private static void refuse(Context context, Problem problem) {
        context.status(problem.status());
        problem.headers().forEach(context.res()::setHeader);
        context.res().setHeader("Cache-Control", "no-store");
        answer(context, Problem.MEDIA_TYPE, problem.json());
    }

    private static byte[] json(JsonNode document) {
        try {
            return JSON.writeValueAsBytes(document);
        } catch (JsonProcessingException e) {
            throw new UncheckedIOException("An answer cannot be written as JSON", e);
        }
    }

    private void supplyNumbers() {
        parts.numbers().forEach(each -> numbers.supply(each.name(), each.help(), each.value()));
        numbers.supply("engagement_api_live_clients", "Clients that are told changes", seats::taken);
        numbers.supply(
                "engagement_api_heap_bytes",
                "Heap in use, bytes",
                () -> Runtime.getRuntime().totalMemory() - Runtime.getRuntime().freeMemory());
        numbers.supply("engagement_api_threads", "Threads of the process", () -> ManagementFactory.getThreadMXBean()
                .getThreadCount());
        numbers.supply(
                "engagement_api_uptime_seconds",
                "Time since the process began, seconds",
                () -> ManagementFactory.getRuntimeMXBean().getUptime() / 1_000);
    }

    private static Throwable rootCause(Throwable failure) {
        Throwable cause = failure;
        while (cause.getCause() != null && cause.getCause() != cause) {
            cause = cause.getCause();
        }
        return cause;
    }
}
