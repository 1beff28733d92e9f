package dev.engagement.api.definition;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The document against the definition, each thing looked up in the document as a program would. */
class OpenApiTest {

    private static final ApiDefinition DEFINITION = ApiDefinition.get();
    private static final ObjectNode DOCUMENT = OpenApi.of(DEFINITION);

    static List<Operation> operations() {
        return DEFINITION.operations();
    }

    @Test
    void it_is_openapi_3_1_and_can_be_written() throws Exception {
        assertThat(DOCUMENT.path("openapi").textValue()).isEqualTo("3.1.0");
        assertThat(DOCUMENT.path("info").path("title").textValue()).isNotBlank();
        assertThat(DOCUMENT.path("info").path("version").textValue()).isNotBlank();
        ObjectMapper mapper = new ObjectMapper();
        assertThat(mapper.readTree(mapper.writeValueAsString(DOCUMENT))
                        .path("paths")
                        .size())
                .isEqualTo(DOCUMENT.path("paths").size());
    }

    @Test
    void its_paths_are_those_of_the_definition() {
        Set<String> paths = new TreeSet<>();
        operations().forEach(operation -> paths.addAll(operation.paths()));

        assertThat(names(DOCUMENT.path("paths"))).isEqualTo(paths);
    }

    @Test
    void operation_ids_are_unique() {
        List<String> ids = new ArrayList<>();
        DOCUMENT.path("paths")
                .forEach(path -> path.forEach(
                        operation -> ids.add(operation.path("operationId").asText())));

        assertThat(ids).doesNotHaveDuplicates().contains("realtime", "realtime-2", "realtime-3", "live-metrics");
    }

    @ParameterizedTest
    @MethodSource("operations")
    void parameters_are_those_of_the_definition(Operation operation) {
        for (String path : operation.paths()) {
            List<JsonNode> written = new ArrayList<>();
            node(operation, path).path("parameters").forEach(parameter -> {
                if (!parameter.path("in").asText().equals("header")) {
                    written.add(parameter);
                }
            });

            assertThat(written).hasSameSizeAs(operation.parameters());
            for (int i = 0; i < written.size(); i++) {
                Parameter parameter = operation.parameters().get(i);
                assertThat(written.get(i).path("name").asText()).isEqualTo(parameter.name());
                assertThat(written.get(i).path("in").asText()).isEqualTo(parameter.inPath() ? "path" : "query");
                assertThat(written.get(i).path("required").booleanValue()).isEqualTo(parameter.required());
                assertThat(written.get(i).path("description").asText()).isEqualTo(parameter.description());
                bounds(parameter, written.get(i).path("schema"));
            }
        }
    }

    private static void bounds(Parameter parameter, JsonNode schema) {
        String byDefault = parameter.byDefault();
        assertThat(schema.has("default")).isEqualTo(byDefault != null);
        if (byDefault != null) {
            assertThat(schema.path("default").asText()).isEqualTo(byDefault);
        }
        switch (parameter.type()) {
            case TEXT -> {
                assertThat(schema.path("type").asText()).isEqualTo("string");
                assertThat(schema.path("maxLength").longValue()).isEqualTo(parameter.max());
            }
            case INTEGER -> {
                assertThat(schema.path("type").asText()).isEqualTo("integer");
                assertThat(schema.has("minimum") ? schema.path("minimum").longValue() : null)
                        .isEqualTo(parameter.min());
                assertThat(schema.has("maximum") ? schema.path("maximum").longValue() : null)
                        .isEqualTo(parameter.max());
            }
            case INSTANT -> assertThat(schema.path("oneOf").size()).isEqualTo(2);
            case CHOICE -> {
                List<String> choices = new ArrayList<>();
                schema.path("enum").forEach(choice -> choices.add(choice.asText()));
                assertThat(choices).isEqualTo(parameter.choices());
            }
        }
    }

    @ParameterizedTest
    @MethodSource("operations")
    void answers_have_the_fields_of_the_definition(Operation operation) {
        if (operation.method().equals(Operation.WEB_SOCKET)) {
            assertThat(names(node(operation, operation.path()).path("responses")))
                    .contains("101");
            return;
        }
        JsonNode success = node(operation, operation.path())
                .path("responses")
                .path(operation.writes() ? "202" : "200")
                .path("content");
        String mediaType = operation.id().equals("live") ? "text/event-stream" : "application/json";

        assertThat(names(success)).containsExactly(mediaType);
        same(operation.answer(), resolved(success.path(mediaType).path("schema")));
    }

    @ParameterizedTest
    @MethodSource("operations")
    void bodies_have_the_fields_of_the_definition(Operation operation) {
        JsonNode body = node(operation, operation.path()).path("requestBody");
        Field defined = DEFINITION.body(operation.id());

        assertThat(body.isMissingNode()).isEqualTo(defined == null);
        if (defined != null) {
            JsonNode schema = body.path("content").path("application/json").path("schema");
            same(defined, resolved(schema.has("oneOf") ? schema.path("oneOf").get(0) : schema));
        }
    }

    private static void same(Field field, JsonNode schema) {
        assertThat(schema.path("description").asText()).isEqualTo(field.description());
        if (field.isAnything()) {
            assertThat(schema.has("type")).isFalse();
            return;
        }
        JsonNode type = schema.path("type");
        assertThat(type.isArray()).as(field.name()).isEqualTo(field.nullable());
        String expected =
                switch (field.type()) {
                    case TEXT, INSTANT -> "string";
                    case INTEGER, MILLIS -> "integer";
                    case DECIMAL -> "number";
                    case BOOLEAN -> "boolean";
                    case OBJECT -> "object";
                    case LIST -> "array";
                };
        assertThat((type.isArray() ? type.get(0) : type).asText()).isEqualTo(expected);
        if (field.type() == FieldType.LIST) {
            same(field.element(), schema.path("items"));
        }
        if (field.isObject()) {
            Set<String> all = new TreeSet<>();
            Set<String> always = new TreeSet<>();
            for (Field member : field.fields()) {
                all.add(member.name());
                if (!member.nullable()) {
                    always.add(member.name());
                }
                same(member, schema.path("properties").path(member.name()));
            }
            assertThat(names(schema.path("properties"))).isEqualTo(all);
            Set<String> required = new TreeSet<>();
            schema.path("required").forEach(name -> required.add(name.asText()));
            assertThat(required).isEqualTo(always);
        }
    }

    @ParameterizedTest
    @MethodSource("operations")
    void problems_of_every_operation_are_there(Operation operation) {
        Set<String> statuses = names(node(operation, operation.path()).path("responses"));

        assertThat(statuses).contains("400", "401", "403", "429", "503");
        assertThat(statuses.contains("404"))
                .isEqualTo(operation.parameters().stream().anyMatch(Parameter::inPath));
        assertThat(statuses.contains("422")).isEqualTo(operation.writes());
        assertThat(statuses.contains("413")).isEqualTo(DEFINITION.body(operation.id()) != null);
    }

    @Test
    void only_who_waits_is_told_how_long() {
        JsonNode responses = DOCUMENT.path("components").path("responses");
        Set<String> told = new TreeSet<>();
        names(responses).forEach(name -> {
            if (responses.path(name).path("headers").has("Retry-After")) {
                told.add(name);
            }
            assertThat(names(responses.path(name).path("content"))).containsExactly("application/problem+json");
        });

        assertThat(told).containsExactly("TooMany", "Unavailable");
    }

    @ParameterizedTest
    @MethodSource("operations")
    void writing_needs_another_token_than_reading(Operation operation) {
        Set<String> schemes = new HashSet<>();
        node(operation, operation.path()).path("security").forEach(scheme -> schemes.addAll(names(scheme)));

        assertThat(schemes).isEqualTo(operation.writes() ? Set.of("writeToken") : Set.of("readToken", "session"));
        assertThat(names(DOCUMENT.path("components").path("securitySchemes"))).containsAll(schemes);
    }

    @Test
    void tracking_takes_a_key_one_event_several_and_lines() {
        JsonNode track = node(DEFINITION.operation("track"), "/track");

        assertThat(track.path("parameters").findValuesAsText("name")).containsExactly("Idempotency-Key");
        assertThat(names(track.path("requestBody").path("content")))
                .containsExactly("application/json", "application/x-ndjson");
    }

    @Test
    void every_reference_leads_somewhere() {
        List<String> references = DOCUMENT.findValuesAsText("$ref");

        assertThat(references).isNotEmpty().allSatisfy(reference -> {
            assertThat(reference).startsWith("#/");
            assertThat(DOCUMENT.at(reference.substring(1)).isMissingNode())
                    .as(reference)
                    .isFalse();
        });
    }

    private static JsonNode node(Operation operation, String path) {
        String method = operation.method().equals(Operation.WEB_SOCKET) ? "GET" : operation.method();
        JsonNode node = DOCUMENT.path("paths").path(path).path(method.toLowerCase(Locale.ROOT));
        assertThat(node.isObject()).as(method + " " + path).isTrue();
        return node;
    }

    private static JsonNode resolved(JsonNode schema) {
        return schema.has("$ref") ? DOCUMENT.at(schema.path("$ref").asText().substring(1)) : schema;
    }

    private static Set<String> names(JsonNode object) {
        Set<String> names = new TreeSet<>();
        object.fieldNames().forEachRemaining(names::add);
        return names;
    }
}
