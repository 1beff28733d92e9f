package dev.engagement.api.definition;

import com.fasterxml.jackson.databind.JsonNode;
import dev.engagement.api.read.Read;
import graphql.GraphQLContext;
import graphql.Scalars;
import graphql.execution.CoercedVariables;
import graphql.language.IntValue;
import graphql.language.StringValue;
import graphql.language.Value;
import graphql.schema.Coercing;
import graphql.schema.CoercingParseLiteralException;
import graphql.schema.CoercingParseValueException;
import graphql.schema.DataFetcher;
import graphql.schema.DataFetchingEnvironment;
import graphql.schema.FieldCoordinates;
import graphql.schema.GraphQLArgument;
import graphql.schema.GraphQLCodeRegistry;
import graphql.schema.GraphQLEnumType;
import graphql.schema.GraphQLFieldDefinition;
import graphql.schema.GraphQLInputType;
import graphql.schema.GraphQLList;
import graphql.schema.GraphQLNonNull;
import graphql.schema.GraphQLObjectType;
import graphql.schema.GraphQLOutputType;
import graphql.schema.GraphQLScalarType;
import graphql.schema.GraphQLSchema;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * The definition's reads as a schema of GraphQL. Numbers that are larger or more exact than GraphQL's own have scalars
 * of their own, {@code Long} and {@code Decimal}, whose values are written as JSON numbers.
 */
final class GraphQlSchema {

    private static final String QUERY = "Query";

    private static final GraphQLScalarType LONG = scalar("Long", "A whole number of up to 64 bits.");
    private static final GraphQLScalarType DECIMAL = scalar("Decimal", "A number, as exact as its digits.");
    private static final GraphQLScalarType INSTANT =
            scalar("Instant", "A moment: ISO-8601 with its zone, or in arguments milliseconds since the epoch.");
    private static final GraphQLScalarType ANYTHING = scalar("Json", "Any JSON value.");

    private static final DataFetcher<@Nullable Object> MEMBER = GraphQlSchema::member;

    private final Function<String, @Nullable Read> reads;
    private final GraphQLCodeRegistry.Builder code = GraphQLCodeRegistry.newCodeRegistry();

    private GraphQlSchema(Function<String, @Nullable Read> reads) {
        this.reads = reads;
    }

    static GraphQLSchema of(ApiDefinition definition, Function<String, @Nullable Read> reads) {
        return new GraphQlSchema(reads).schema(definition);
    }

    private GraphQLSchema schema(ApiDefinition definition) {
        GraphQLObjectType.Builder query =
                GraphQLObjectType.newObject().name(QUERY).description("The reads of the API.");
        for (Operation operation : definition.reads()) {
            GraphQLFieldDefinition read = read(operation);
            query.field(read);
            code.dataFetcher(FieldCoordinates.coordinates(QUERY, operation.id()), fetcher(operation));
        }
        return GraphQLSchema.newSchema()
                .query(query.build())
                .codeRegistry(code.build())
                .build();
    }

    private GraphQLFieldDefinition read(Operation operation) {
        // Nullable whatever the answer is: a read that fails takes no other with it.
        GraphQLFieldDefinition.Builder field = GraphQLFieldDefinition.newFieldDefinition()
                .name(operation.id())
                .description(operation.summary() + ". " + operation.description())
                .type(object(Names.pascal(operation.id()), operation.answer()));
        for (Parameter parameter : operation.parameters()) {
            GraphQLArgument argument = argument(operation, parameter);
            field.argument(argument);
        }
        return field.build();
    }

    // ---------------------------------------------------------------------------------------------------- arguments

    private static GraphQLArgument argument(Operation operation, Parameter parameter) {
        GraphQLInputType type = inputType(operation, parameter);
        GraphQLArgument.Builder argument = GraphQLArgument.newArgument()
                .name(parameter.name())
                .description(parameter.description())
                .type(parameter.required() ? GraphQLNonNull.nonNull(type) : type);
        String byDefault = parameter.byDefault();
        if (byDefault != null) {
            argument.defaultValueProgrammatic(isInt(parameter) ? (Object) Integer.valueOf(byDefault) : byDefault);
        }
        return argument.build();
    }

    private static GraphQLInputType inputType(Operation operation, Parameter parameter) {
        return switch (parameter.type()) {
            case TEXT -> Scalars.GraphQLString;
            case INTEGER -> isInt(parameter) ? Scalars.GraphQLInt : LONG;
            case INSTANT -> INSTANT;
            case CHOICE -> enumType(operation, parameter);
        };
    }

    /** Whether its values fit GraphQL's own type, which has 32 bits. */
    private static boolean isInt(Parameter parameter) {
        Long min = parameter.min();
        Long max = parameter.max();
        return parameter.type() == ParameterType.INTEGER
                && min != null
                && max != null
                && min >= Integer.MIN_VALUE
                && max <= Integer.MAX_VALUE;
    }

    private static GraphQLEnumType enumType(Operation operation, Parameter parameter) {
        GraphQLEnumType.Builder type = GraphQLEnumType.newEnum()
                .name(Names.pascal(operation.id()) + Names.pascal(parameter.name()))
                .description(parameter.description());
        for (String choice : parameter.choices()) {
            type.value(choice, choice);
        }
        return type.build();
    }

    // ------------------------------------------------------------------------------------------------------ answers

    private GraphQLObjectType object(String name, Field object) {
        GraphQLObjectType.Builder type =
                GraphQLObjectType.newObject().name(name).description(object.description());
        for (Field field : object.fields()) {
            GraphQLOutputType held = outputType(name + Names.pascal(field.name()), field);
            GraphQLFieldDefinition member = GraphQLFieldDefinition.newFieldDefinition()
                    .name(field.name())
                    .description(field.description())
                    .type(field.nullable() ? held : GraphQLNonNull.nonNull(held))
                    .build();
            type.field(member);
            code.dataFetcher(FieldCoordinates.coordinates(name, field.name()), MEMBER);
        }
        return type.build();
    }

    /** @param name of the type, should it need one of its own */
    private GraphQLOutputType outputType(String name, Field field) {
        return switch (field.type()) {
            case TEXT -> Scalars.GraphQLString;
            case INTEGER, MILLIS -> LONG;
            case DECIMAL -> DECIMAL;
            case BOOLEAN -> Scalars.GraphQLBoolean;
            case INSTANT -> INSTANT;
            case OBJECT -> field.isAnything() ? ANYTHING : object(name, field);
            case LIST -> GraphQLList.list(GraphQLNonNull.nonNull(outputType(name, field.element())));
        };
    }

    private DataFetcher<@Nullable Object> fetcher(Operation operation) {
        return environment -> {
            Map<String, String> given = new HashMap<>();
            environment.getArguments().forEach((name, value) -> {
                if (value != null) {
                    given.put(name, value.toString());
                }
            });
            Parameters parameters = Parameters.of(operation, given::get, given.keySet());
            Read read = reads.apply(operation.id());
            if (read == null) {
                throw new IllegalStateException("Nobody answers " + operation.id() + "; give a Read for it");
            }
            return read.answer(parameters).body();
        };
    }

    /** A member of an answer, by the field's own name whatever its alias. */
    private static @Nullable Object member(DataFetchingEnvironment environment) {
        JsonNode object = environment.getSource();
        return object == null ? null : value(object.get(environment.getField().getName()));
    }

    private static @Nullable Object value(@Nullable JsonNode node) {
        if (node == null || node.isNull() || node.isMissingNode()) {
            return null;
        }
        if (node.isTextual()) {
            return node.textValue();
        }
        if (node.isBoolean()) {
            return node.booleanValue();
        }
        if (node.isArray()) {
            List<@Nullable Object> values = new ArrayList<>(node.size());
            node.forEach(element -> values.add(value(element)));
            return values;
        }
        return node;
    }

    // ------------------------------------------------------------------------------------------------------ scalars

    private static GraphQLScalarType scalar(String name, String description) {
        return GraphQLScalarType.newScalar()
                .name(name)
                .description(description)
                .coercing(new AsItIs(name))
                .build();
    }

    /** Out: the value itself. In: the text of a string or a whole number, which the parameter's own check reads. */
    private static final class AsItIs implements Coercing<Object, Object> {

        private final String name;

        AsItIs(String name) {
            this.name = name;
        }

        @Override
        public Object serialize(Object dataFetcherResult, GraphQLContext context, Locale locale) {
            return dataFetcherResult;
        }

        @Override
        public Object parseValue(Object input, GraphQLContext context, Locale locale) {
            if (input instanceof String || input instanceof Number) {
                return input.toString();
            }
            throw new CoercingParseValueException(
                    name + " is given as " + input.getClass().getSimpleName() + "; give a string or a whole number");
        }

        @Override
        public Object parseLiteral(Value<?> input, CoercedVariables variables, GraphQLContext context, Locale locale) {
            if (input instanceof StringValue text) {
                return text.getValue();
            }
            if (input instanceof IntValue number) {
                return number.getValue().toString();
            }
            throw new CoercingParseLiteralException(
                    name + " is given as " + input.getClass().getSimpleName() + "; give a string or a whole number");
        }
    }
}
