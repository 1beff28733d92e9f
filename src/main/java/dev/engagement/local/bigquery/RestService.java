package dev.engagement.local.bigquery;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpHandler;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.format.DateTimeParseException;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** {@code /bigquery/v2}, as far as the emulator has it, and {@code /emulator}, which BigQuery has not. */
final class RestService implements HttpHandler {

    private static final Logger LOG = LoggerFactory.getLogger(RestService.class);

    private final BigQueryEmulator emulator;
    private final Tables tables;
    private final WriteStreams streams;
    private final Queries queries;
    private final Store store;

    RestService(BigQueryEmulator emulator, Tables tables, WriteStreams streams, Queries queries, Store store) {
        this.emulator = emulator;
        this.tables = tables;
        this.streams = streams;
        this.queries = queries;
        this.store = store;
    }

    @Override
    public void handle(HttpExchange exchange) throws IOException {
        try (exchange) {
            String body = new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8);
            int status = 200;
            @Nullable ObjectNode answer;
            try {
                answer = answer(exchange, body);
                if (answer == null) {
                    status = 204;
                }
            } catch (RestException e) {
                status = e.status();
                answer = error(e);
            } catch (InterruptedException e) {
                // The emulator is stopping.
                return;
            } catch (RuntimeException e) {
                LOG.error("{} {} failed", exchange.getRequestMethod(), exchange.getRequestURI(), e);
                status = 500;
                answer = error(new RestException(500, "internalError", String.valueOf(e)));
            }
            send(exchange, status, answer);
        }
    }

    private static void send(HttpExchange exchange, int status, @Nullable ObjectNode answer) throws IOException {
        if (answer == null) {
            exchange.sendResponseHeaders(status, -1);
            return;
        }
        if (answer.hasNonNull("etag")) {
            exchange.getResponseHeaders().set("ETag", answer.get("etag").asText());
        }
        byte[] bytes = (answer + "\n").getBytes(StandardCharsets.UTF_8);
        exchange.getResponseHeaders().set("Content-Type", "application/json; charset=UTF-8");
        exchange.sendResponseHeaders(status, bytes.length);
        exchange.getResponseBody().write(bytes);
    }

    private static ObjectNode error(RestException e) {
        String message = String.valueOf(e.getMessage());
        ObjectNode answer = Json.object();
        ObjectNode error = answer.putObject("error");
        error.put("code", e.status()).put("message", message);
        error.putArray("errors")
                .addObject()
                .put("message", message)
                .put("domain", "global")
                .put("reason", e.reason());
        error.put(
                "status",
                switch (e.status()) {
                    case 400 -> "INVALID_ARGUMENT";
                    case 404 -> "NOT_FOUND";
                    case 409 -> "ALREADY_EXISTS";
                    case 412 -> "FAILED_PRECONDITION";
                    case 501 -> "UNIMPLEMENTED";
                    case 503 -> "UNAVAILABLE";
                    default -> "INTERNAL";
                });
        return answer;
    }

    /** Null for an answer without a body. */
    private @Nullable ObjectNode answer(HttpExchange exchange, String body) throws InterruptedException {
        String method = Optional.ofNullable(exchange.getRequestHeaders().getFirst("X-HTTP-Method-Override"))
                .orElse(exchange.getRequestMethod())
                .toUpperCase(Locale.ROOT);
        List<String> path = List.of(
                exchange.getRequestURI().getPath().replaceAll("^/+|/+$", "").split("/"));
        if (path.get(0).equals("emulator") && path.size() == 2) {
            return own(method, path.get(1), body);
        }
        if (path.size() < 4
                || !path.get(0).equals("bigquery")
                || !path.get(1).equals("v2")
                || !path.get(2).equals("projects")) {
            throw unknown(method, exchange);
        }
        if (emulator.faults().isBlackHole()) {
            emulator.faults().awaitBlackHoleEnd();
            throw new RestException(503, "backendError", "A fault of the emulator: the black hole ended");
        }
        String project = path.get(3);
        // Words and names take turns: datasets, a name, tables, a name, …
        String route = method + " "
                + IntStream.range(4, path.size())
                        .mapToObj(i -> i % 2 == 0 ? path.get(i) : "*")
                        .collect(Collectors.joining("/"));
        return switch (route) {
            case "POST queries" -> queries.answer(project, Json.parse(body));
            case "POST jobs" -> queries.dryRun(project, Json.parse(body));
            case "POST datasets" -> {
                String dataset = Json.parse(body)
                        .path("datasetReference")
                        .path("datasetId")
                        .asText();
                tables.createDataset(project, dataset);
                yield dataset(project, dataset);
            }
            case "GET datasets/*" -> {
                tables.checkDataset(project, path.get(5));
                yield dataset(project, path.get(5));
            }
            case "POST datasets/*/tables" -> {
                JsonNode wanted = Json.parse(body);
                TableId id = new TableId(
                        project,
                        path.get(5),
                        wanted.path("tableReference").path("tableId").asText());
                yield tables.create(id, wanted).toRest(0);
            }
            case "GET datasets/*/tables/*" -> table(new TableId(project, path.get(5), path.get(7)));
            case "GET datasets/*/tables/*/data" ->
                queries.list(
                        tables.get(new TableId(project, path.get(5), path.get(7))),
                        parameter(exchange, "startIndex", 0),
                        parameter(exchange, "maxResults", Long.MAX_VALUE));
            case "PATCH datasets/*/tables/*" -> {
                TableId id = new TableId(project, path.get(5), path.get(7));
                Optional<String> etag =
                        Optional.ofNullable(exchange.getRequestHeaders().getFirst("If-Match"));
                yield tables.patch(id, Json.parse(body), etag).toRest(store.count(id));
            }
            case "DELETE datasets/*/tables/*" -> {
                TableId id = new TableId(project, path.get(5), path.get(7));
                tables.drop(id);
                streams.removeOf(id);
                yield null;
            }
            default -> throw unknown(method, exchange);
        };
    }

    private static long parameter(HttpExchange exchange, String name, long otherwise) {
        String query = Optional.ofNullable(exchange.getRequestURI().getQuery()).orElse("");
        for (String parameter : query.split("&")) {
            if (parameter.startsWith(name + "=")) {
                try {
                    return Long.parseUnsignedLong(parameter.substring(name.length() + 1));
                } catch (NumberFormatException e) {
                    throw new RestException(400, "invalid", "Invalid value of " + name + " in " + query);
                }
            }
        }
        return otherwise;
    }

    private static RestException unknown(String method, HttpExchange exchange) {
        return new RestException(
                501,
                "notImplemented",
                "The emulator does not answer " + method + " "
                        + exchange.getRequestURI().getPath());
    }

    private ObjectNode table(TableId id) {
        tables.expire();
        return tables.get(id).toRest(store.count(id));
    }

    private static ObjectNode dataset(String project, String dataset) {
        ObjectNode answer = Json.object();
        answer.put("kind", "bigquery#dataset")
                .put("id", project + ":" + dataset)
                .put("location", "US");
        answer.putObject("datasetReference").put("projectId", project).put("datasetId", dataset);
        return answer;
    }

    private ObjectNode own(String method, String what, String body) {
        return switch (method + " " + what) {
            case "GET stats" -> stats();
            case "GET faults" -> emulator.faults().toJson();
            case "POST faults" -> {
                emulator.faults().apply(Json.parse(body));
                yield emulator.faults().toJson();
            }
            case "GET clock" -> clock();
            case "POST clock" -> {
                advance(Json.parse(body));
                yield clock();
            }
            default -> throw RestException.notFound("There is no " + method + " /emulator/" + what);
        };
    }

    private void advance(JsonNode body) {
        try {
            emulator.clock().advance(Duration.parse(body.path("advance").asText()));
        } catch (DateTimeParseException | IllegalArgumentException e) {
            RestException refusal = RestException.invalid("The clock needs a duration, such as {\"advance\": \"P8D\"}");
            refusal.initCause(e);
            throw refusal;
        }
    }

    private ObjectNode clock() {
        return Json.object().put("now", emulator.clock().instant().toString());
    }

    private ObjectNode stats() {
        EmulatorStats stats = emulator.stats();
        return Json.object()
                .put("rowsAppended", stats.rowsAppended())
                .put("rowsDiscarded", stats.rowsDiscarded())
                .put("rowsFlushed", stats.rowsFlushed())
                .put("rowsRefused", stats.rowsRefused())
                .put("appends", stats.appends())
                .put("appendsRefused", stats.appendsRefused())
                .put("flushes", stats.flushes())
                .put("flushesRefused", stats.flushesRefused())
                .put("bytes", stats.bytes())
                .put("streamsCreated", stats.streamsCreated())
                .put("queries", stats.queries())
                .put("bytesProcessed", stats.bytesProcessed())
                .put("streams", stats.streams())
                .put("connections", stats.connections());
    }
}
