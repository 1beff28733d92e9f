package dev.engagement.api.definition;

import graphql.ErrorType;
import graphql.GraphQLError;
import graphql.GraphqlErrorBuilder;
import graphql.analysis.FieldComplexityCalculator;
import graphql.analysis.FieldComplexityEnvironment;
import graphql.analysis.MaxQueryComplexityInstrumentation;
import graphql.analysis.MaxQueryDepthInstrumentation;
import graphql.execution.AbortExecutionException;
import graphql.execution.instrumentation.Instrumentation;
import graphql.language.Definition;
import graphql.language.Document;
import graphql.language.Field;
import graphql.language.FragmentDefinition;
import graphql.language.FragmentSpread;
import graphql.language.InlineFragment;
import graphql.language.OperationDefinition;
import graphql.language.Selection;
import graphql.language.SelectionSet;
import graphql.schema.GraphQLTypeUtil;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * How large a query may be.
 *
 * <p>Counted over the whole document, a fragment wherever it is used: fields, fields with another name, and reads. Each
 * fragment is counted once, with saturation, so that what doubles with each level is counted in no time.
 *
 * <p>Its cost: a read costs {@link GraphQl#READ_COST} and its fields 1 each; those of a list as often as the read's
 * {@code limit}, or {@value #USUAL_ENTRIES} times where there is none. Introspection costs 1 a field, as the schema is
 * small.
 */
final class GraphQlLimits {

    private static final int USUAL_ENTRIES = 60;

    /** Far beyond every bound, and far from where sums of them overflow. */
    private static final int CAP = 1_000_000;

    private static final String WAY_OUT = ": ask for less, or in several queries";

    private final Map<String, FragmentDefinition> fragments = new HashMap<>();
    private final Map<String, Size> counted = new HashMap<>();
    private final Set<String> open = new HashSet<>();

    private GraphQlLimits(Document document) {
        for (Definition<?> definition : document.getDefinitions()) {
            if (definition instanceof FragmentDefinition fragment) {
                fragments.put(fragment.getName(), fragment);
            }
        }
    }

    // ------------------------------------------------------------------------------------- before it is looked at

    /** What is too large about a query, or that it is none; null if nothing is wrong. */
    static @Nullable GraphQLError refusal(Document document) {
        GraphQlLimits limits = new GraphQlLimits(document);
        Size size = Size.NOTHING;
        for (Definition<?> definition : document.getDefinitions()) {
            if (definition instanceof OperationDefinition operation) {
                if (operation.getOperation() != OperationDefinition.Operation.QUERY) {
                    return refused("There are queries only, and no " + operation.getOperation()
                            + ": events are sent to /track, changes come from /live");
                }
                size = size.plus(limits.of(operation.getSelectionSet()));
            }
        }
        if (size.reads() > GraphQl.MAX_READS) {
            return tooLarge("reads", size.reads(), GraphQl.MAX_READS);
        }
        if (size.aliases() > GraphQl.MAX_ALIASES) {
            return tooLarge("fields with another name", size.aliases(), GraphQl.MAX_ALIASES);
        }
        if (size.fields() > GraphQl.MAX_FIELDS) {
            return tooLarge("fields", size.fields(), GraphQl.MAX_FIELDS);
        }
        return null;
    }

    /**
     * What a document has of each; its reads are the fields of the topmost level.
     *
     * @param fields all of them
     * @param aliases those with another name
     * @param reads those of the level itself
     */
    private record Size(int fields, int aliases, int reads) {

        static final Size NOTHING = new Size(0, 0, 0);

        Size plus(Size other) {
            return new Size(
                    Math.min(CAP, fields + other.fields),
                    Math.min(CAP, aliases + other.aliases),
                    Math.min(CAP, reads + other.reads));
        }
    }

    private Size of(@Nullable SelectionSet selections) {
        Size size = Size.NOTHING;
        if (selections == null) {
            return size;
        }
        for (Selection<?> selection : selections.getSelections()) {
            if (selection instanceof Field field) {
                Size below = of(field.getSelectionSet());
                int alias = field.getAlias() == null ? 0 : 1;
                size = size.plus(new Size(1, alias, 1)).plus(new Size(below.fields(), below.aliases(), 0));
            } else if (selection instanceof InlineFragment inline) {
                size = size.plus(of(inline.getSelectionSet()));
            } else if (selection instanceof FragmentSpread spread) {
                size = size.plus(ofFragment(spread.getName()));
            }
        }
        return size;
    }

    private Size ofFragment(String name) {
        Size known = counted.get(name);
        if (known != null) {
            return known;
        }
        FragmentDefinition fragment = fragments.get(name);
        if (fragment == null || !open.add(name)) {
            // Not there, or within itself: the validation refuses both.
            return Size.NOTHING;
        }
        Size size = of(fragment.getSelectionSet());
        open.remove(name);
        counted.put(name, size);
        return size;
    }

    private static GraphQLError tooLarge(String what, int size, int max) {
        String shown = size >= CAP ? "more than " + (CAP - 1) : Integer.toString(size);
        return refused("The query asks for " + shown + " " + what + "; a query may ask for " + max + WAY_OUT);
    }

    private static GraphQLError refused(String message) {
        return GraphqlErrorBuilder.newError()
                .message(message)
                .errorType(ErrorType.ExecutionAborted)
                .build();
    }

    // --------------------------------------------------------------------------------------- before it is executed

    static Instrumentation depth() {
        return new MaxQueryDepthInstrumentation(GraphQl.MAX_DEPTH) {
            @Override
            protected AbortExecutionException mkAbortException(int depth, int maxDepth) {
                return new AbortExecutionException(
                        "The query has " + depth + " levels; a query may have " + maxDepth + WAY_OUT);
            }
        };
    }

    static Instrumentation cost() {
        FieldComplexityCalculator calculator = GraphQlLimits::cost;
        return new MaxQueryComplexityInstrumentation(GraphQl.MAX_COST, calculator) {
            @Override
            protected AbortExecutionException mkAbortException(int totalComplexity, int maxComplexity) {
                return new AbortExecutionException(
                        "The query costs " + totalComplexity + "; a query may cost " + maxComplexity + WAY_OUT);
            }
        };
    }

    /** Up to {@link #CAP} for each field, of which there are {@link GraphQl#MAX_FIELDS} at most: no sum overflows. */
    private static int cost(FieldComplexityEnvironment field, int children) {
        FieldComplexityEnvironment read = field;
        while (read.getParentEnvironment() != null) {
            read = read.getParentEnvironment();
        }
        long own = 1;
        long times = 1;
        if (!read.getField().getName().startsWith("__")) {
            own = field.getParentEnvironment() == null ? GraphQl.READ_COST : 1;
            times = isList(field) ? entries(read) : 1;
        }
        // A list of values has no fields to multiply, and is as long.
        return (int) Math.min(CAP, own + times * (times > 1 ? Math.max(1, children) : children));
    }

    private static boolean isList(FieldComplexityEnvironment field) {
        return GraphQLTypeUtil.isList(
                GraphQLTypeUtil.unwrapNonNull(field.getFieldDefinition().getType()));
    }

    /** What the limit says; one that is out of its bounds is refused by the read, and must not make it cheap. */
    private static long entries(FieldComplexityEnvironment read) {
        return read.getArguments().get("limit") instanceof Number limit
                ? Math.max(1, Math.min(ApiDefinition.MAX_HISTORY_ENTRIES, limit.longValue()))
                : USUAL_ENTRIES;
    }
}
