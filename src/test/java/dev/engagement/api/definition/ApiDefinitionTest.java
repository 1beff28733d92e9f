package dev.engagement.api.definition;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import dev.engagement.api.definition.testing.AnswerShape;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class ApiDefinitionTest {

    private static final ApiDefinition DEFINITION = ApiDefinition.get();

    static List<Operation> operations() {
        return DEFINITION.operations();
    }

    @Test
    void operations_are_these() {
        assertThat(operations())
                .extracting(Operation::id)
                .containsExactly(
                        "realtime",
                        "history",
                        "leaderboard",
                        "content",
                        "rollups",
                        "rollup",
                        "event",
                        "stats",
                        "track",
                        "live",
                        "live-metrics",
                        "graphql");
        assertThat(DEFINITION.reads())
                .extracting(Operation::id)
                .containsExactly(
                        "realtime", "history", "leaderboard", "content", "rollups", "rollup", "event", "stats");
        assertThat(operations())
                .filteredOn(Operation::writes)
                .extracting(Operation::id)
                .containsExactly("track");
    }

    @Test
    void paths_are_these_and_each_is_there_once() {
        List<String> paths = new ArrayList<>();
        operations()
                .forEach(operation -> operation.paths().forEach(path -> paths.add(operation.method() + " " + path)));

        assertThat(paths)
                .containsExactly(
                        "GET /metrics/realtime",
                        "GET /metrics",
                        "GET /metrics/metrics",
                        "GET /metrics/history",
                        "GET /leaderboard",
                        "GET /content/{id}",
                        "GET /rollups",
                        "GET /rollups/{name}",
                        "GET /events/{id}",
                        "GET /stats",
                        "POST /track",
                        "GET /live",
                        "WS /live-metrics",
                        "POST /graphql");
    }

    @Test
    void realtime_takes_these_parameters() {
        Operation realtime = DEFINITION.operation("realtime");

        assertThat(realtime.parameters())
                .extracting(Parameter::name)
                .containsExactly("event_type", "window_size", "limit");
        Parameter limit = realtime.parameter("limit");
        assertThat(limit).isNotNull();
        assertThat(limit.type()).isEqualTo(ParameterType.INTEGER);
        assertThat(limit.min()).isEqualTo(1);
        assertThat(limit.max()).isEqualTo(100);
        assertThat(limit.byDefault()).isEqualTo("10");
    }

    @Test
    void an_operation_that_is_not_there_is_named() {
        assertThatThrownBy(() -> DEFINITION.operation("nothing"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("nothing")
                .hasMessageContaining("realtime");
    }

    @ParameterizedTest
    @MethodSource("operations")
    void every_answer_says_when_how_long_and_how_exact(Operation operation) {
        if (!DEFINITION.reads().contains(operation)) {
            return;
        }

        assertThat(operation.answer().fields()).extracting(Field::name).contains("as_of", "window", "exact", "error");
    }

    @ParameterizedTest
    @MethodSource("operations")
    void every_path_parameter_is_a_parameter(Operation operation) {
        for (String path : operation.paths()) {
            for (Parameter parameter : operation.parameters()) {
                assertThat(path.contains("{" + parameter.name() + "}"))
                        .as(path + " has " + parameter.name())
                        .isEqualTo(parameter.inPath());
            }
            assertThat(path.chars().filter(c -> c == '{').count())
                    .isEqualTo(operation.parameters().stream()
                            .filter(Parameter::inPath)
                            .count());
        }
    }

    @ParameterizedTest
    @MethodSource("operations")
    void what_is_needed_is_enough_and_every_default_is_within_its_bounds(Operation operation) {
        Map<String, String> needed = exampleParameters(operation);
        needed.keySet().removeIf(name -> {
            Parameter parameter = operation.parameter(name);
            return parameter != null && !parameter.required();
        });

        assertThatCode(() -> Parameters.of(operation, needed::get, needed.keySet()))
                .doesNotThrowAnyException();
    }

    @ParameterizedTest
    @MethodSource("operations")
    void every_example_is_a_request_that_works(Operation operation) {
        Map<String, String> given = exampleParameters(operation);

        assertThatCode(() -> Parameters.of(operation, given::get, given.keySet()))
                .doesNotThrowAnyException();
    }

    @ParameterizedTest
    @MethodSource("operations")
    void every_example_answer_has_every_field_and_no_other(Operation operation) {
        JsonNode example = Examples.answer(operation.id());

        assertThat(AnswerShape.differences(operation.answer(), example)).isEmpty();
        assertThat(operation.answer().fields())
                .allSatisfy(field ->
                        assertThat(example.has(field.name())).as(field.name()).isTrue());
    }

    @ParameterizedTest
    @MethodSource("operations")
    void every_example_body_has_every_field_and_no_other(Operation operation) {
        Field body = DEFINITION.body(operation.id());
        JsonNode example = Examples.body(operation.id());

        assertThat(example == null).isEqualTo(body == null);
        assertThat(operation.method().equals("POST")).isEqualTo(body != null);
        if (body != null && example != null) {
            assertThat(AnswerShape.differences(body, example)).isEmpty();
        }
    }

    @ParameterizedTest
    @MethodSource("operations")
    void everything_is_described_in_sentences(Operation operation) {
        assertThat(operation.summary()).isNotBlank();
        assertThat(operation.description()).endsWith(".");
        operation.parameters().forEach(parameter -> assertThat(parameter.description())
                .as(parameter.name())
                .endsWith("."));
        described(operation.answer());
    }

    private static void described(Field field) {
        assertThat(field.description()).as(field.name()).isNotBlank().endsWith(".");
        field.fields().forEach(ApiDefinitionTest::described);
    }

    /** The parameters of the operation's example, of its path and of its query. */
    static Map<String, String> exampleParameters(Operation operation) {
        String[] pathAndQuery = operation.example().split("\\?", 2);
        Map<String, String> values = new HashMap<>();
        String[] template = operation.path().split("/");
        String[] path = pathAndQuery[0].split("/");
        assertThat(path).hasSameSizeAs(template);
        for (int i = 0; i < path.length; i++) {
            if (template[i].startsWith("{")) {
                values.put(template[i].substring(1, template[i].length() - 1), decoded(path[i]));
            } else {
                assertThat(path[i]).isEqualTo(template[i]);
            }
        }
        if (pathAndQuery.length == 2) {
            for (String pair : pathAndQuery[1].split("&")) {
                String[] nameAndValue = pair.split("=", 2);
                values.put(nameAndValue[0], decoded(nameAndValue[1]));
            }
        }
        return values;
    }

    private static String decoded(String text) {
        return URLDecoder.decode(text, StandardCharsets.UTF_8);
    }
}
