package dev.engagement.local.clickhouse;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * ClickHouse's HTTP interface over an {@link Engine}, as far as its clients here need it: {@code /ping}, statements in the
 * body or in {@code query}, rows in the body, {@code database}, {@code param_*}, settings, users by header or by basic
 * authentication, errors with their number; and {@code POST /control/faults}.
 */
public final class ClickHouseServer implements AutoCloseable {

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final Pattern INSERT = Pattern.compile("(?is)^(\\s*INSERT\\s+INTO\\s+.*?)\\s+FORMAT\\s+(\\w+)\\s*$");

    /** Parameters of a URL that are no settings. */
    private static final Set<String> OWN = Set.of(
            "query", "database", "user", "password", "default_format", "query_id", "session_id", "wait_end_of_query");

    private static final String PARAMETER = "param_";
    private static final int CONNECTIONS = 8;

    private static final int OK = 200;
    private static final int BAD_REQUEST = 400;
    private static final int FORBIDDEN = 403;
    private static final int NOT_FOUND = 404;
    private static final int FAILED = 500;

    /** ClickHouse's numbers of errors. */
    private static final int UNKNOWN_TABLE = 60;

    private static final int SYNTAX_ERROR = 62;
    private static final int UNKNOWN_DATABASE = 81;
    private static final int AUTHENTICATION_FAILED = 516;

    private final Engine engine;
    private final String username;
    private final String password;
    private final ClickHouseFaults faults = new ClickHouseFaults();
    private final HttpServer http;
    private final ExecutorService threads = Executors.newCachedThreadPool();

    /**
     * Starts it, on the loopback interface.
     *
     * @param library {@code libchdb.so}
     * @param data folder of its data
     * @param port where it listens
     * @param username the only user
     * @param password of that
     */
    public ClickHouseServer(Path library, Path data, int port, String username, String password) throws IOException {
        this.engine = new Engine(library, data, CONNECTIONS);
        this.username = username;
        this.password = password;
        http = HttpServer.create(new InetSocketAddress("127.0.0.1", port), 0);
        http.setExecutor(threads);
        http.createContext("/", this::handle);
        http.start();
    }

    private void handle(HttpExchange exchange) throws IOException {
        try (exchange) {
            switch (exchange.getRequestURI().getPath()) {
                case "/ping" -> answer(exchange, OK, "Ok.\n".getBytes(StandardCharsets.UTF_8));
                case "/control/faults" -> {
                    faults.set(JSON.readTree(exchange.getRequestBody()));
                    answer(exchange, OK, new byte[0]);
                }
                case "/" -> statement(exchange);
                default -> answer(exchange, NOT_FOUND, "There is no handle\n".getBytes(StandardCharsets.UTF_8));
            }
        } catch (InterruptedException e) {
            // The server is stopping.
            Thread.currentThread().interrupt();
        }
    }

    private void statement(HttpExchange exchange) throws IOException, InterruptedException {
        Map<String, String> given = parameters(exchange.getRequestURI().getRawQuery());
        try {
            authenticate(exchange, given);
            byte[] body = exchange.getRequestBody().readAllBytes();
            String query = given.get("query");
            String sql = query == null ? new String(body, StandardCharsets.UTF_8) : query;
            ClickHouseFaults.Fault fault = faults.next(sql);
            if (fault != null && !goesOn(fault)) {
                return;
            }
            byte[] answer = run(sql, given, query == null ? new byte[0] : body);
            if (fault != null && fault.deed() == ClickHouseFaults.Deed.KILL_AFTER) {
                Runtime.getRuntime().halt(1);
            }
            if (fault == null || fault.deed() != ClickHouseFaults.Deed.LOSE_ANSWER) {
                answer(exchange, OK, answer);
            }
        } catch (EngineException e) {
            exchange.getResponseHeaders().set("X-ClickHouse-Exception-Code", Integer.toString(e.code()));
            answer(exchange, status(e.code()), (e.getMessage() + "\n").getBytes(StandardCharsets.UTF_8));
        }
    }

    /** Whether the statement is run. */
    private boolean goesOn(ClickHouseFaults.Fault fault) throws EngineException, InterruptedException {
        switch (fault.deed()) {
            case KILL_BEFORE -> Runtime.getRuntime().halt(1);
            case REFUSE -> throw EngineException.of(fault.code(), "A fault on purpose");
            case SILENCE -> faults.awaitChange();
            default -> {}
        }
        return fault.deed() == ClickHouseFaults.Deed.KILL_AFTER || fault.deed() == ClickHouseFaults.Deed.LOSE_ANSWER;
    }

    private byte[] run(String sql, Map<String, String> given, byte[] rows)
            throws EngineException, IOException, InterruptedException {
        Map<String, String> values = new LinkedHashMap<>();
        Map<String, String> settings = new LinkedHashMap<>();
        given.forEach((name, value) -> {
            if (name.startsWith(PARAMETER)) {
                values.put(name.substring(PARAMETER.length()), value);
            } else if (!OWN.contains(name)) {
                settings.put(name, value);
            }
        });
        if (settings.keySet().stream().anyMatch(name -> !name.matches("\\w+"))) {
            throw EngineException.of(SYNTAX_ERROR, "A setting's name is not one");
        }
        Engine.Session session = new Engine.Session(given.getOrDefault("database", "default"), settings);
        Matcher insert = INSERT.matcher(sql);
        if (insert.matches()) {
            try (InputStream in = new ByteArrayInputStream(rows)) {
                engine.insert(session, insert.group(1), insert.group(2), in);
            }
            return new byte[0];
        }
        return engine.query(
                session,
                sql.getBytes(StandardCharsets.UTF_8),
                values,
                given.getOrDefault("default_format", "TabSeparated"));
    }

    private void authenticate(HttpExchange exchange, Map<String, String> given) throws EngineException {
        String user = exchange.getRequestHeaders().getFirst("X-ClickHouse-User");
        String key = exchange.getRequestHeaders().getFirst("X-ClickHouse-Key");
        String basic = exchange.getRequestHeaders().getFirst("Authorization");
        if (basic != null && basic.startsWith("Basic ")) {
            String[] parts = new String(
                            Base64.getDecoder().decode(basic.substring("Basic ".length())), StandardCharsets.UTF_8)
                    .split(":", 2);
            user = parts[0];
            key = parts.length == 2 ? parts[1] : "";
        }
        String who = or(user, given.getOrDefault("user", "default"));
        if (!who.equals(username)
                || !or(key, given.getOrDefault("password", "")).equals(password)) {
            throw EngineException.of(
                    AUTHENTICATION_FAILED,
                    who + ": Authentication failed: password is incorrect, or there is no user with such name."
                            + " (AUTHENTICATION_FAILED)");
        }
    }

    private static String or(@Nullable String value, String otherwise) {
        return value == null ? otherwise : value;
    }

    private static int status(int code) {
        return switch (code) {
            case UNKNOWN_TABLE, UNKNOWN_DATABASE -> NOT_FOUND;
            case SYNTAX_ERROR -> BAD_REQUEST;
            case AUTHENTICATION_FAILED -> FORBIDDEN;
            default -> FAILED;
        };
    }

    private static Map<String, String> parameters(@Nullable String query) {
        Map<String, String> parameters = new LinkedHashMap<>();
        if (query != null) {
            for (String pair : query.split("&")) {
                String[] parts = pair.split("=", 2);
                parameters.put(
                        URLDecoder.decode(parts[0], StandardCharsets.UTF_8),
                        parts.length == 2 ? URLDecoder.decode(parts[1], StandardCharsets.UTF_8) : "");
            }
        }
        return parameters;
    }

    private static void answer(HttpExchange exchange, int status, byte[] body) throws IOException {
        exchange.sendResponseHeaders(status, body.length == 0 ? -1 : body.length);
        if (body.length > 0) {
            exchange.getResponseBody().write(body);
        }
    }

    /** Where it listens. */
    public int port() {
        return http.getAddress().getPort();
    }

    @Override
    public void close() {
        http.stop(0);
        threads.shutdownNow();
    }
}
