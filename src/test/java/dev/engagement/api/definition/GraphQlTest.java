package dev.engagement.api.definition;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.engagement.api.read.Answer;
import dev.engagement.api.read.NotFoundException;
import dev.engagement.api.read.Read;
import dev.engagement.api.read.UnavailableException;
import graphql.introspection.IntrospectionQuery;
import java.math.BigDecimal;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Over reads that answer the documentation's examples and remember that they were asked. */
class GraphQlTest {

    private static final ApiDefinition DEFINITION = ApiDefinition.get();

    private final List<String> asked = new ArrayList<>();
    private final Map<String, Parameters> parameters = new HashMap<>();
    private final Map<String, Read> reads = new HashMap<>();
    private final GraphQl graphQl = GraphQl.of(DEFINITION, reads::get);

    GraphQlTest() {
        for (Operation operation : DEFINITION.reads()) {
            reads.put(operation.id(), given -> {
                asked.add(operation.id());
                parameters.put(operation.id(), given);
                return new Answer((ObjectNode) Examples.answer(operation.id()), 0);
            });
        }
    }

    static List<Operation> reads() {
        return DEFINITION.reads();
    }

    // ------------------------------------------------------------------------------------------------------ answers

    @ParameterizedTest
    @MethodSource("reads")
    void a_read_answers_the_same_as_without_graphql(Operation operation) {
        String query = "{ " + operation.id() + needed(operation) + selection(operation.answer()) + " }";

        ObjectNode answer = graphQl.execute(query, Map.of(), null);

        assertThat(answer.has("errors")).as(answer.toString()).isFalse();
        assertThat(answer.path("data").path(operation.id())).isEqualTo(Examples.answer(operation.id()));
        assertThat(asked).containsExactly(operation.id());
    }

    @Test
    void arguments_are_the_parameters_with_their_defaults() {
        execute("{ leaderboard { as_of } realtime(event_type: \"click\", limit: 7) { as_of }"
                + " event(id: 9223372036854775807) { event_id }"
                + " history(event_type: \"play\", start_time: 1767862800000, end_time: \"2026-01-08T10:00:00Z\")"
                + " { as_of } }");

        assertThat(parameters.get("leaderboard").text("by")).isEqualTo("events");
        assertThat(parameters.get("leaderboard").integer("limit")).isEqualTo(10);
        assertThat(parameters.get("leaderboard").textOrNull("type")).isNull();
        assertThat(parameters.get("realtime").text("event_type")).isEqualTo("click");
        assertThat(parameters.get("realtime").text("window_size")).isEqualTo("30s");
        assertThat(parameters.get("realtime").integer("limit")).isEqualTo(7);
        assertThat(parameters.get("event").number("id")).isEqualTo(Long.MAX_VALUE);
        assertThat(parameters.get("history").instantOrNull("start_time")).hasToString("2026-01-08T09:00:00Z");
        assertThat(parameters.get("history").instantOrNull("end_time")).hasToString("2026-01-08T10:00:00Z");
    }

    @Test
    void variables_and_names_of_operations_are_understood() {
        ObjectNode request = new ObjectMapper().createObjectNode();
        request.put(
                "query",
                "query A($by: LeaderboardBy, $n: Int) { leaderboard(by: $by, limit: $n) { by } }"
                        + " query B { stats { lag } }");
        request.putObject("variables").put("by", "trending").put("n", 3);
        request.put("operationName", "A");

        ObjectNode answer = graphQl.answer(request);

        assertThat(answer.has("errors")).as(answer.toString()).isFalse();
        assertThat(asked).containsExactly("leaderboard");
        assertThat(parameters.get("leaderboard").text("by")).isEqualTo("trending");
        assertThat(parameters.get("leaderboard").integer("limit")).isEqualTo(3);
    }

    @Test
    void the_documentation_s_own_query_works() {
        JsonNode body = Examples.body("graphql");
        assertThat(body).isNotNull();

        ObjectNode answer = graphQl.answer(body);

        assertThat(answer.has("errors")).as(answer.toString()).isFalse();
        assertThat(answer.at("/data/leaderboard/places/0/title").textValue()).isEqualTo("Winter, told by its birds");
    }

    @Test
    void another_name_changes_the_name_alone() {
        ObjectNode answer = execute("{ board: leaderboard { points: by } }");

        assertThat(answer.at("/data/board/points").textValue()).isEqualTo("trending");
    }

    @Test
    void numbers_keep_all_their_digits() {
        ObjectNode body = (ObjectNode) Examples.answer("realtime");
        ObjectNode window = (ObjectNode) body.at("/entries/0");
        window.put("count", 9_007_199_254_740_993L);
        window.put("total_value", new BigDecimal("12345678901234567890.123456789012345678"));
        reads.put("realtime", given -> new Answer(body, 0));

        JsonNode answered = execute("{ realtime(event_type: \"click\") { entries { count total_value } } }")
                .at("/data/realtime/entries/0");

        assertThat(answered.path("count").longValue()).isEqualTo(9_007_199_254_740_993L);
        assertThat(answered.path("total_value").decimalValue())
                .isEqualByComparingTo("12345678901234567890.123456789012345678");
    }

    @Test
    void introspection_tells_of_every_read() {
        ObjectNode answer = execute(IntrospectionQuery.INTROSPECTION_QUERY);

        assertThat(answer.has("errors")).as(answer.toString()).isFalse();
        TreeSet<String> types = new TreeSet<>();
        answer.at("/data/__schema/types")
                .forEach(type -> types.add(type.path("name").asText()));
        assertThat(types).contains("Query", "Realtime", "RealtimeEntries", "LeaderboardBy", "Long", "Decimal");
        assertThat(answer.at("/data/__schema/mutationType").isNull()).isTrue();
    }

    // ------------------------------------------------------------------------------------------------------ errors

    @Test
    void a_read_that_fails_takes_no_other_with_it_and_tells_nothing_of_the_inside() {
        reads.put("rollups", given -> {
            throw new IllegalStateException("jdbc:postgresql://db/rollups?password=secret");
        });

        ObjectNode answer = execute("{ rollups { as_of } stats { lag } }");

        assertThat(answer.at("/data/rollups").isNull()).isTrue();
        assertThat(answer.at("/data/stats/lag").longValue()).isEqualTo(12);
        assertThat(answer.path("errors")).hasSize(1);
        assertThat(classification(answer)).isEqualTo("Internal");
        assertThat(answer.toString()).doesNotContain("secret", "jdbc", "Exception", "at dev.", ".java");
    }

    @Test
    void what_is_not_there_what_is_away_and_what_would_not_do_are_told_apart() {
        reads.put("content", given -> {
            throw new NotFoundException("There is no content x", "ask for another");
        });
        reads.put("stats", given -> {
            throw new UnavailableException("Redis", Duration.ofSeconds(3));
        });

        ObjectNode nothing = execute("{ content(id: \"x\") { as_of } }");
        ObjectNode away = execute("{ stats { as_of } }");
        ObjectNode invalid = execute("{ leaderboard(limit: 101) { as_of } }");

        assertThat(classification(nothing)).isEqualTo("NotFound");
        assertThat(message(nothing)).isEqualTo("There is no content x");
        assertThat(classification(away)).isEqualTo("Unavailable");
        assertThat(message(away)).isEqualTo("Redis does not answer now; ask again in 3 s");
        assertThat(classification(invalid)).isEqualTo("InvalidParameter");
        assertThat(message(invalid)).isEqualTo("limit is '101'; give a whole number from 1 to 100");
        assertThat(asked).isEmpty();
    }

    @Test
    void a_read_that_nobody_answers_is_an_error_of_its_own() {
        reads.remove("event");

        assertThat(classification(execute("{ event(id: 1) { event_id } }"))).isEqualTo("Internal");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "{",
                "{ nothing }",
                "{ realtime { as_of } }",
                "{ leaderboard(by: 5) { as_of } }",
                "{ leaderboard(by: nothing) { as_of } }",
                "{ event(id: 1.5) { event_id } }",
                "{ stats }",
                "mutation { track }",
                "query A { stats { lag } } mutation B { track }",
                "subscription { live }",
                "{ ...a } fragment a on Query { ...b } fragment b on Query { ...a }",
                "{ ...missing }",
            })
    void a_query_that_is_wrong_asks_nobody(String query) {
        ObjectNode answer = execute(query);

        assertThat(answer.path("errors")).isNotEmpty();
        assertThat(answer.path("errors").get(0).path("message").asText()).isNotBlank();
        assertThat(asked).isEmpty();
    }

    @Test
    void what_is_no_request_is_refused_with_an_example() throws Exception {
        ObjectMapper mapper = new ObjectMapper();
        for (String text : List.of("{}", "[]", "5", "{\"query\":5}", "[{\"query\":\"{ stats { lag } }\"}]")) {
            JsonNode request = mapper.readTree(text);
            assertThatThrownBy(() -> graphQl.answer(request))
                    .as(text)
                    .isInstanceOf(InvalidParameterException.class)
                    .hasMessageStartingWith("query is ")
                    .hasMessageContaining("leaderboard");
        }
        JsonNode variables = mapper.readTree("{\"query\":\"{ stats { lag } }\",\"variables\":[1]}");
        assertThatThrownBy(() -> graphQl.answer(variables)).hasMessageContaining("variables");
    }

    // ------------------------------------------------------------------------------------------------------- bombs

    @Test
    void a_deep_query_is_refused() {
        String query = "{ __schema { types { name " + "ofType { ".repeat(20) + "name" + " }".repeat(20) + " } } }";

        assertThat(message(execute(query))).contains("levels").contains(Integer.toString(GraphQl.MAX_DEPTH));
    }

    @Test
    void a_query_too_deep_to_be_read_is_refused() {
        String query = "{ a ".repeat(5_000) + "}".repeat(5_000);

        assertThat(execute(query).path("errors")).hasSize(1);
    }

    @Test
    void many_aliases_are_refused() {
        String query = "{ stats { " + aliases("as_of", GraphQl.MAX_ALIASES + 1) + " } }";

        assertThat(message(execute(query))).contains("fields with another name");
        assertThat(asked).isEmpty();
    }

    @Test
    void as_many_aliases_as_allowed_are_answered() {
        ObjectNode answer = execute("{ stats { " + aliases("as_of", GraphQl.MAX_ALIASES) + " } }");

        assertThat(answer.has("errors")).as(answer.toString()).isFalse();
        assertThat(answer.at("/data/stats")).hasSize(GraphQl.MAX_ALIASES);
    }

    @Test
    void many_reads_are_refused() {
        String read = " { as_of }";
        String query = IntStream.rangeClosed(0, GraphQl.MAX_READS)
                .mapToObj(i -> "a" + i + ": stats" + read)
                .collect(Collectors.joining(" ", "{ ", " }"));

        assertThat(message(execute(query))).contains("reads");
        assertThat(asked).isEmpty();
    }

    @Test
    void aliases_in_fragments_count_wherever_they_are_used() {
        String uses = IntStream.range(0, 8).mapToObj(i -> "...four").collect(Collectors.joining(" "));

        ObjectNode answer =
                execute("{ stats { " + uses + " } } fragment four on Stats { " + aliases("as_of", 4) + " }");

        assertThat(message(answer)).contains("32 fields with another name");
    }

    @Test
    void fragments_that_double_with_each_level_are_refused_before_they_are_unfolded() {
        StringBuilder query = new StringBuilder("{ ...f0 }");
        for (int i = 0; i < 60; i++) {
            String next = " ...f" + (i + 1);
            query.append(" fragment f")
                    .append(i)
                    .append(" on Query {")
                    .append(next)
                    .append(next)
                    .append(" }");
        }
        query.append(" fragment f60 on Query { stats { as_of } }");

        assertThat(message(execute(query.toString()))).contains("more than 999999 reads");
        assertThat(asked).isEmpty();
    }

    @Test
    void a_cost_that_hides_in_a_variable_is_refused() {
        String entries = " { entries { window_start count total_value unique_users } }";
        String query = "query Q($n: Int) { a: history(event_type: \"x\", limit: $n)" + entries
                + " b: history(event_type: \"y\", limit: $n)" + entries
                + " c: history(event_type: \"z\", limit: $n)" + entries + " }";

        assertThat(message(graphQl.execute(query, Map.of("n", 1_000), null))).contains("costs 12303");
        assertThat(asked).isEmpty();

        ObjectNode cheap = graphQl.execute(query, Map.of("n", 100), null);

        assertThat(cheap.has("errors")).as(cheap.toString()).isFalse();
        assertThat(asked).containsExactly("history", "history", "history");
    }

    @Test
    void a_limit_beyond_all_bounds_does_not_make_a_query_cheap() {
        String entries = " { entries { window_start count total_value unique_users } }";

        for (int limit : new int[] {Integer.MIN_VALUE, -1, 0, Integer.MAX_VALUE}) {
            ObjectNode answer = execute("{ history(event_type: \"x\", limit: " + limit + ")" + entries + " }");
            assertThat(classification(answer)).isEqualTo("InvalidParameter");
        }
        assertThat(asked).isEmpty();
    }

    @Test
    void introspection_is_not_a_way_round_the_bounds() {
        String query = "{ __schema { types { fields { type { fields { type { fields { name } } } } } } } }";

        assertThat(message(execute(query))).contains("good faith");
    }

    // ----------------------------------------------------------------------------------------------------- the query

    private ObjectNode execute(String query) {
        return graphQl.execute(query, Map.of(), null);
    }

    private static String message(JsonNode answer) {
        return answer.at("/errors/0/message").asText();
    }

    private static String classification(JsonNode answer) {
        return answer.at("/errors/0/extensions/classification").asText();
    }

    private static String aliases(String field, int count) {
        return IntStream.range(0, count).mapToObj(i -> "a" + i + ": " + field).collect(Collectors.joining(" "));
    }

    /** The arguments without which a read means nothing. */
    private static String needed(Operation operation) {
        List<String> arguments = operation.parameters().stream()
                .filter(Parameter::required)
                .map(parameter ->
                        parameter.name() + ": " + (parameter.type() == ParameterType.INTEGER ? "4711" : "\"x\""))
                .toList();
        return arguments.isEmpty() ? "" : "(" + String.join(", ", arguments) + ")";
    }

    /** All that there is. */
    private static String selection(Field field) {
        return field.fields().stream()
                .map(member -> member.name() + below(member))
                .collect(Collectors.joining(" ", " { ", " }"));
    }

    private static String below(Field member) {
        if (member.type() == FieldType.LIST) {
            return member.element().isObject() ? selection(member.element()) : "";
        }
        return member.isObject() ? selection(member) : "";
    }
}
