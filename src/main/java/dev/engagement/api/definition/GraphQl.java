package dev.engagement.api.definition;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.engagement.api.read.Read;
import graphql.ExecutionInput;
import graphql.GraphQL;
import graphql.GraphQLError;
import graphql.execution.instrumentation.ChainedInstrumentation;
import graphql.language.Document;
import graphql.parser.InvalidSyntaxException;
import graphql.parser.Parser;
import graphql.parser.ParserEnvironment;
import graphql.parser.ParserOptions;
import java.util.Locale;
import java.util.Map;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The reads of the definition in GraphQL. Each read is a field of {@code Query}, its parameters are arguments, and what
 * it answers is what the read itself answers, number for number. Introspection is on.
 *
 * <p>A query is refused before any read is asked if it is larger than the bounds below. Reads are asked one after the
 * other on the calling thread. Errors carry a message, a place and a classification, and nothing of the program's
 * inside. Thread-safe.
 */
public final class GraphQl {

    /**
     * Most levels of fields in each other. The answers have no more than three; the rest is for introspection, whose
     * queries follow a type's wrappers that far down.
     */
    public static final int MAX_DEPTH = 15;

    /** Most that a query may cost; see {@link GraphQlLimits}. */
    public static final int MAX_COST = 10_000;

    /** What a read costs before the first of its fields. */
    public static final int READ_COST = 100;

    /** Most reads of one query. */
    public static final int MAX_READS = 10;

    /** Most fields of one query that have another name. */
    public static final int MAX_ALIASES = 20;

    /** Most fields of one query, those of fragments wherever they are used. Introspection asks for some 250. */
    static final int MAX_FIELDS = 500;

    /** Most words, names and brackets of a query. */
    private static final int MAX_TOKENS = 2_000;

    /** Most blanks and comments of a query. */
    private static final int MAX_BLANKS = 20_000;

    /** Most rules of the grammar in each other, some three to a level. */
    private static final int MAX_RULE_DEPTH = 200;

    private static final ParserOptions PARSING = ParserOptions.newParserOptions()
            .captureIgnoredChars(false)
            .captureLineComments(false)
            .captureSourceLocation(true)
            .maxTokens(MAX_TOKENS)
            .maxWhitespaceTokens(MAX_BLANKS)
            .maxRuleDepth(MAX_RULE_DEPTH)
            .build();

    /** Where graphql-java looks for the options of its own parser. */
    private static final Map<Object, Object> CONTEXT = Map.of(ParserOptions.class, PARSING);

    private static final ObjectMapper MAPPER = new ObjectMapper();
    private static final JsonNodeFactory NODES = JsonNodeFactory.instance;

    private final GraphQL engine;

    private GraphQl(GraphQL engine) {
        this.engine = engine;
    }

    /**
     * The schema of a definition, and who answers it.
     *
     * @param reads by operation id; null for a read that this installation does not have
     */
    public static GraphQl of(ApiDefinition definition, Function<String, @Nullable Read> reads) {
        GraphQL engine = GraphQL.newGraphQL(GraphQlSchema.of(definition, reads))
                .instrumentation(new ChainedInstrumentation(GraphQlLimits.depth(), GraphQlLimits.cost()))
                .defaultDataFetcherExceptionHandler(new GraphQlErrors())
                .build();
        return new GraphQl(engine);
    }

    /**
     * Answers a request, which is an object with {@code query}, {@code variables} and {@code operationName}.
     *
     * @return an object with {@code data}, {@code errors} or both
     * @throws InvalidParameterException if it is no such object; a query that is wrong is answered with errors instead
     */
    public ObjectNode answer(JsonNode request) {
        JsonNode query = request.get("query");
        if (query == null || !query.isTextual()) {
            throw new InvalidParameterException(
                    "query",
                    query == null ? null : query.toString(),
                    "send a JSON object with the query as a text, as in " + Examples.body("graphql"));
        }
        return execute(query.textValue(), variables(request), operationName(request));
    }

    /**
     * Answers a query.
     *
     * @param variables the values of its variables
     * @param operationName which of its operations; null if it has one
     * @return an object with {@code data}, {@code errors} or both
     */
    public ObjectNode execute(String query, Map<String, Object> variables, @Nullable String operationName) {
        GraphQLError refusal = refusal(query);
        if (refusal != null) {
            ObjectNode refused = NODES.objectNode();
            refused.putArray("errors").add(tree(refusal.toSpecification()));
            return refused;
        }
        ExecutionInput.Builder input = ExecutionInput.newExecutionInput()
                .query(query)
                .variables(variables)
                .graphQLContext(CONTEXT)
                .locale(Locale.ENGLISH);
        if (operationName != null) {
            input.operationName(operationName);
        }
        return (ObjectNode) tree(engine.execute(input.build()).toSpecification());
    }

    /**
     * What is wrong with a query before anybody looks at it closely. By its text alone, since its depth and cost are
     * computed over every place where a fragment is used, and those can double with each level.
     */
    private static @Nullable GraphQLError refusal(String query) {
        Document document;
        try {
            document = Parser.parse(ParserEnvironment.newParserEnvironment()
                    .document(query)
                    .parserOptions(PARSING)
                    .locale(Locale.ENGLISH)
                    .build());
        } catch (InvalidSyntaxException e) {
            // The answer of whoever sent it.
            return e.toInvalidSyntaxError();
        }
        return GraphQlLimits.refusal(document);
    }

    private static Map<String, Object> variables(JsonNode request) {
        JsonNode variables = request.get("variables");
        if (variables == null || variables.isNull()) {
            return Map.of();
        }
        if (!variables.isObject()) {
            throw new InvalidParameterException(
                    "variables", variables.toString(), "give an object with a value for each variable");
        }
        return MAPPER.convertValue(variables, new TypeReference<Map<String, Object>>() {});
    }

    private static @Nullable String operationName(JsonNode request) {
        JsonNode name = request.get("operationName");
        if (name == null || name.isNull()) {
            return null;
        }
        if (!name.isTextual()) {
            throw new InvalidParameterException("operationName", name.toString(), "give a text, or leave it out");
        }
        return name.textValue();
    }

    /** Numbers of the answers are nodes already, and stay as they are: to the last digit. */
    private static JsonNode tree(@Nullable Object value) {
        if (value instanceof JsonNode node) {
            return node;
        }
        if (value instanceof Map<?, ?> map) {
            ObjectNode object = NODES.objectNode();
            map.forEach((name, member) -> object.set(String.valueOf(name), tree(member)));
            return object;
        }
        if (value instanceof Iterable<?> values) {
            ArrayNode array = NODES.arrayNode();
            values.forEach(element -> array.add(tree(element)));
            return array;
        }
        return MAPPER.valueToTree(value);
    }
}
