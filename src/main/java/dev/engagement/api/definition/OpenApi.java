package dev.engagement.api.definition;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** The definition as an OpenAPI 3.1 document. */
public final class OpenApi {

    /** The cookie in which a browser keeps the token that it logged in with. */
    public static final String SESSION_COOKIE = "engagement_token";

    /** Media type of a problem, RFC 9457. */
    public static final String PROBLEM_TYPE = "application/problem+json";

    private static final String PROBLEM_TYPE_PREFIX = "urn:engagement:problem:";
    private static final String JSON = "application/json";
    private static final String EVENT_STREAM = "text/event-stream";
    private static final String LINES = "application/x-ndjson";

    private static final String READ_TOKEN = "readToken";
    private static final String WRITE_TOKEN = "writeToken";
    private static final String SESSION = "session";

    private static final JsonNodeFactory NODES = JsonNodeFactory.instance;

    /** What may go wrong: status, last part of the problem's type, title, and what to do. */
    private enum Failure {
        INVALID(400, "invalid-parameter", "A parameter cannot be used", "wayOut says what would do."),
        UNAUTHORIZED(401, "unauthorized", "A token is needed", "Send it as Authorization: Bearer, or log in."),
        FORBIDDEN(403, "forbidden", "This is not allowed", "Tokens for reading, writing and metrics differ."),
        NOT_FOUND(404, "not-found", "There is no such thing", "Nothing of that id or name is known here."),
        TOO_LARGE(413, "body-too-large", "The body is too large", "Send it in several requests."),
        UNSUPPORTED(415, "unsupported-media-type", "The media type is not supported", "Send one of those of the body."),
        REFUSED(422, "refused-events", "Events cannot be taken", "errors names lines and fields; nothing was written."),
        TOO_MANY(429, "too-many-requests", "There are too many requests", "Wait as many seconds as Retry-After says."),
        INTERNAL(500, "internal", "Something went wrong here", "Try again; the API's log says what it was."),
        UNAVAILABLE(503, "unavailable", "This cannot be answered now", "Ask again after Retry-After, in seconds.");

        private final int status;
        private final String slug;
        private final String title;
        private final String description;

        Failure(int status, String slug, String title, String description) {
            this.status = status;
            this.slug = slug;
            this.title = title;
            this.description = description;
        }

        String component() {
            return Names.pascal(name().toLowerCase(Locale.ROOT));
        }

        boolean hasRetryAfter() {
            return this == TOO_MANY || this == UNAVAILABLE;
        }
    }

    private final ApiDefinition definition;

    private OpenApi(ApiDefinition definition) {
        this.definition = definition;
    }

    /** The document, anew each time: whoever asks may change it. */
    public static ObjectNode of(ApiDefinition definition) {
        return new OpenApi(definition).document();
    }

    private ObjectNode document() {
        ObjectNode document = NODES.objectNode();
        document.put("openapi", "3.1.0");
        ObjectNode info = document.putObject("info");
        info.put("title", "Engagement");
        info.put("version", "1");
        info.put(
                "description",
                "What the job computes. Every answer says of when it is (as_of), how much time its numbers are about"
                        + " (window) and whether they are exact. Errors are problem documents (RFC 9457) with a way"
                        + " out. Fields are added and never renamed: pass over those that you do not know.");
        document.putArray("servers").addObject().put("url", "/");
        ObjectNode paths = document.putObject("paths");
        for (Operation operation : definition.operations()) {
            for (int i = 0; i < operation.paths().size(); i++) {
                paths.withObjectProperty(operation.paths().get(i)).set(methodOf(operation), operation(operation, i));
            }
        }
        components(document.putObject("components"));
        return document;
    }

    /** A WebSocket begins with a GET, which is all that OpenAPI can say of it. */
    private static String methodOf(Operation operation) {
        return operation.method().equals(Operation.WEB_SOCKET)
                ? "get"
                : operation.method().toLowerCase(Locale.ROOT);
    }

    private ObjectNode operation(Operation operation, int alias) {
        ObjectNode node = NODES.objectNode();
        // Ids are unique in a document, though the paths mean the same.
        node.put("operationId", alias == 0 ? operation.id() : operation.id() + "-" + (alias + 1));
        node.putArray("tags").add(tag(operation));
        node.put("summary", operation.summary());
        String alike = alias == 0 ? "" : " The same as " + operation.path() + ".";
        node.put("description", operation.description() + alike);
        ArrayNode parameters = node.putArray("parameters");
        operation.parameters().forEach(parameter -> parameters.add(parameter(operation, parameter)));
        if (operation.id().equals("live")) {
            parameters.add(header("Last-Event-ID", "The same as last_event_id, as browsers send it.", 128));
        }
        if (operation.writes()) {
            parameters.add(header(
                    "Idempotency-Key",
                    "A name of your own for this request: sent again with it, it inserts nothing and is answered"
                            + " alike.",
                    ApiDefinition.MAX_KEY_BYTES));
        }
        Field body = definition.body(operation.id());
        if (body != null) {
            node.set("requestBody", requestBody(operation, body));
        }
        node.set("responses", responses(operation, body != null));
        node.set("security", security(operation));
        return node;
    }

    private static String tag(Operation operation) {
        if (operation.writes()) {
            return "writing";
        }
        return operation.id().startsWith("live") ? "live" : "reading";
    }

    // ----------------------------------------------------------------------------------------------------- requests

    private static ObjectNode parameter(Operation operation, Parameter parameter) {
        ObjectNode node = NODES.objectNode();
        node.put("name", parameter.name());
        node.put("in", parameter.inPath() ? "path" : "query");
        node.put("required", parameter.required());
        node.put("description", parameter.description());
        node.set("schema", schema(parameter));
        String example = exampleOf(operation, parameter);
        if (example != null) {
            node.set("example", value(parameter, example));
        }
        return node;
    }

    private static ObjectNode schema(Parameter parameter) {
        ObjectNode schema = NODES.objectNode();
        switch (parameter.type()) {
            case TEXT -> {
                schema.put("type", "string");
                if (parameter.inPath()) {
                    schema.put("minLength", 1);
                }
                // In characters, of which each has a byte at least.
                schema.put("maxLength", parameter.max());
            }
            case INTEGER -> {
                schema.put("type", "integer").put("format", "int64");
                if (parameter.min() != null) {
                    schema.put("minimum", parameter.min());
                }
                if (parameter.max() != null) {
                    schema.put("maximum", parameter.max());
                }
            }
            case INSTANT -> {
                ArrayNode either = schema.putArray("oneOf");
                either.addObject().put("type", "string").put("format", "date-time");
                either.addObject().put("type", "integer").put("format", "int64");
            }
            case CHOICE -> {
                schema.put("type", "string");
                ArrayNode choices = schema.putArray("enum");
                parameter.choices().forEach(choice -> choices.add(choice));
            }
        }
        if (parameter.byDefault() != null) {
            schema.set("default", value(parameter, parameter.byDefault()));
        }
        return schema;
    }

    private static JsonNode value(Parameter parameter, String text) {
        return parameter.type() == ParameterType.INTEGER
                ? NODES.numberNode(Long.parseLong(text))
                : NODES.textNode(text);
    }

    /** The parameter's value in the operation's example, decoded; null if it does not occur there. */
    private static @Nullable String exampleOf(Operation operation, Parameter parameter) {
        String[] pathAndQuery = operation.example().split("\\?", 2);
        if (parameter.inPath()) {
            List<String> template = Arrays.asList(operation.path().split("/"));
            int at = template.indexOf("{" + parameter.name() + "}");
            return at < 0 ? null : decoded(pathAndQuery[0].split("/")[at]);
        }
        if (pathAndQuery.length == 2) {
            for (String pair : pathAndQuery[1].split("&")) {
                String[] nameAndValue = pair.split("=", 2);
                if (nameAndValue[0].equals(parameter.name()) && nameAndValue.length == 2) {
                    return decoded(nameAndValue[1]);
                }
            }
        }
        return null;
    }

    private static String decoded(String text) {
        return URLDecoder.decode(text, StandardCharsets.UTF_8);
    }

    private static ObjectNode header(String name, String description, int maxLength) {
        ObjectNode node = NODES.objectNode();
        node.put("name", name).put("in", "header").put("required", false).put("description", description);
        node.putObject("schema").put("type", "string").put("maxLength", maxLength);
        return node;
    }

    private static ObjectNode requestBody(Operation operation, Field body) {
        ObjectNode node = NODES.objectNode();
        node.put("required", true);
        node.put("description", body.description());
        ObjectNode content = node.putObject("content");
        ObjectNode json = content.putObject(JSON);
        ObjectNode one = reference("schemas", bodyName(operation));
        if (operation.writes()) {
            ObjectNode several = NODES.objectNode().put("type", "array").put("minItems", 1);
            several.set("items", one.deepCopy());
            json.putObject("schema").putArray("oneOf").add(one).add(several);
            ObjectNode lines = content.putObject(LINES);
            lines.putObject("schema")
                    .put("type", "string")
                    .put("description", "On each line an object as in " + JSON + ".");
            lines.put("example", Examples.body(operation.id()) + "\n");
        } else {
            json.set("schema", one);
        }
        json.set("example", Examples.body(operation.id()));
        return node;
    }

    private static String bodyName(Operation operation) {
        return Names.pascal(operation.id()) + "Body";
    }

    private static String answerName(Operation operation) {
        return Names.pascal(operation.id()) + "Answer";
    }

    // ------------------------------------------------------------------------------------------------------ answers

    private static ObjectNode responses(Operation operation, boolean hasBody) {
        ObjectNode responses = NODES.objectNode();
        if (operation.method().equals(Operation.WEB_SOCKET)) {
            responses
                    .putObject("101")
                    .put(
                            "description",
                            "A WebSocket, on which every message is a JSON object; a changed window is a "
                                    + answerName(operation) + ".");
        } else {
            ObjectNode success = responses.putObject(operation.writes() ? "202" : "200");
            success.put("description", operation.answer().description());
            success.putObject("headers").set("RateLimit", reference("headers", "RateLimit"));
            ObjectNode content = success.putObject("content");
            if (operation.id().equals("live")) {
                ObjectNode stream = content.putObject(EVENT_STREAM);
                stream.set("schema", reference("schemas", answerName(operation)));
                stream.put(
                        "example",
                        "id: 1719392430000-7\nevent: metric\ndata: " + Examples.answer(operation.id()) + "\n\n");
            } else {
                ObjectNode json = content.putObject(JSON);
                json.set("schema", reference("schemas", answerName(operation)));
                json.set("example", Examples.answer(operation.id()));
            }
        }
        for (Failure failure : Failure.values()) {
            if (mayFail(operation, hasBody, failure)) {
                responses.set(Integer.toString(failure.status), reference("responses", failure.component()));
            }
        }
        return responses;
    }

    private static boolean mayFail(Operation operation, boolean hasBody, Failure failure) {
        return switch (failure) {
            case INVALID, UNAUTHORIZED, FORBIDDEN, TOO_MANY, INTERNAL, UNAVAILABLE -> true;
            case NOT_FOUND -> operation.parameters().stream().anyMatch(Parameter::inPath);
            case TOO_LARGE, UNSUPPORTED -> hasBody;
            case REFUSED -> operation.writes();
        };
    }

    /** Either of them; or none, where the API is on loopback and has no tokens. */
    private static ArrayNode security(Operation operation) {
        ArrayNode security = NODES.arrayNode();
        if (operation.writes()) {
            security.addObject().putArray(WRITE_TOKEN);
        } else {
            security.addObject().putArray(READ_TOKEN);
            security.addObject().putArray(SESSION);
        }
        security.addObject();
        return security;
    }

    // --------------------------------------------------------------------------------------------------- components

    private void components(ObjectNode components) {
        ObjectNode schemas = components.putObject("schemas");
        for (Operation operation : definition.operations()) {
            schemas.set(answerName(operation), schema(operation.answer()));
            Field body = definition.body(operation.id());
            if (body != null) {
                schemas.set(bodyName(operation), schema(body));
            }
        }
        schemas.set("Problem", problemSchema());
        ObjectNode responses = components.putObject("responses");
        for (Failure failure : Failure.values()) {
            responses.set(failure.component(), response(failure));
        }
        ObjectNode headers = components.putObject("headers");
        headers.putObject("RateLimit")
                .put("description", "What is left of the limit, and in how many seconds it is whole again.")
                .putObject("schema")
                .put("type", "string");
        headers.putObject("RetryAfter")
                .put("description", "In how many seconds to ask again.")
                .putObject("schema")
                .put("type", "integer")
                .put("minimum", 0);
        ObjectNode schemes = components.putObject("securitySchemes");
        bearer(schemes, READ_TOKEN, "The token for reading.");
        bearer(schemes, WRITE_TOKEN, "The token for writing.");
        schemes.putObject(SESSION)
                .put("type", "apiKey")
                .put("in", "cookie")
                .put("name", SESSION_COOKIE)
                .put("description", "What the page keeps after logging in: HttpOnly, SameSite.");
    }

    private static void bearer(ObjectNode schemes, String name, String description) {
        schemes.putObject(name).put("type", "http").put("scheme", "bearer").put("description", description);
    }

    private static ObjectNode response(Failure failure) {
        ObjectNode response = NODES.objectNode();
        response.put("description", failure.title + ". " + failure.description);
        if (failure.hasRetryAfter()) {
            response.putObject("headers").set("Retry-After", reference("headers", "RetryAfter"));
        }
        ObjectNode content = response.putObject("content").putObject(PROBLEM_TYPE);
        content.set("schema", reference("schemas", "Problem"));
        content.putObject("example")
                .put("type", PROBLEM_TYPE_PREFIX + failure.slug)
                .put("title", failure.title)
                .put("status", failure.status)
                .put("detail", failure == Failure.INVALID ? "limit is '0'" : failure.title)
                .put("wayOut", failure == Failure.INVALID ? "give a whole number from 1 to 100" : failure.description);
        return response;
    }

    private static ObjectNode problemSchema() {
        return schema(Fields.object(
                "",
                "What is wrong, as RFC 9457 has it.",
                Fields.text("type", "What kind of problem: " + PROBLEM_TYPE_PREFIX + " and a word that stays."),
                Fields.text("title", "The kind in words."),
                Fields.integer("status", "The status of HTTP."),
                Fields.nullable(Fields.text("detail", "What is wrong with this request.")),
                Fields.nullable(Fields.text("wayOut", "What to do about it.")),
                Fields.nullable(Fields.list(
                        "errors",
                        "Of events that cannot be taken: what is wrong with each.",
                        Fields.integer("line", "From 1, of an array which of its events; 0: the body as a whole."),
                        Fields.text("field", "The field's name; body: the line or the body as a whole."),
                        Fields.text("what", "What is wrong with it."),
                        Fields.text("wayOut", "What to do about it.")))));
    }

    /** The JSON Schema of a field. What it does not name may be there too. */
    private static ObjectNode schema(Field field) {
        ObjectNode schema = NODES.objectNode();
        schema.put("description", field.description());
        switch (field.type()) {
            case TEXT -> type(schema, "string", field);
            case INTEGER, MILLIS -> type(schema, "integer", field).put("format", "int64");
            case DECIMAL -> type(schema, "number", field);
            case BOOLEAN -> type(schema, "boolean", field);
            case INSTANT -> type(schema, "string", field).put("format", "date-time");
            case OBJECT -> {
                if (field.isObject()) {
                    type(schema, "object", field);
                    members(schema, field.fields());
                }
            }
            case LIST -> type(schema, "array", field).set("items", schema(field.element()));
        }
        return schema;
    }

    private static ObjectNode type(ObjectNode schema, String type, Field field) {
        if (field.nullable()) {
            schema.putArray("type").add(type).add("null");
        } else {
            schema.put("type", type);
        }
        return schema;
    }

    private static void members(ObjectNode schema, List<Field> fields) {
        ObjectNode properties = schema.putObject("properties");
        ArrayNode required = NODES.arrayNode();
        for (Field field : fields) {
            properties.set(field.name(), schema(field));
            if (!field.nullable()) {
                required.add(field.name());
            }
        }
        if (!required.isEmpty()) {
            schema.set("required", required);
        }
    }

    private static ObjectNode reference(String kind, String name) {
        return NODES.objectNode().put("$ref", "#/components/" + kind + "/" + name);
    }
}
