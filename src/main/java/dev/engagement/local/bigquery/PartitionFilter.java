package dev.engagement.local.bigquery;

import dev.engagement.local.bigquery.SqlNode.Kind;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;

/**
 * What a condition says of the column that a table is partitioned by, as far as BigQuery leaves out partitions for it: the
 * column alone against constants and parameters, joined by AND and OR. Whatever else stands there leaves all partitions.
 */
sealed interface PartitionFilter {

    /** All partitions. */
    record Any() implements PartitionFilter {}

    /** Those that all of these leave. */
    record And(List<PartitionFilter> parts) implements PartitionFilter {}

    /** Those that any of these leaves. */
    record Or(List<PartitionFilter> parts) implements PartitionFilter {}

    /**
     * Those that may have values of that kind.
     *
     * @param operator {@code =}, {@code <}, {@code <=}, {@code >} or {@code >=}
     * @param duckDb a constant in DuckDB's SQL
     */
    record Bound(String operator, String duckDb) implements PartitionFilter {}

    /** What the condition's words mean. */
    interface Meaning {
        boolean isColumn(List<SqlNode> nodes);

        /** In DuckDB's SQL; empty if it is no constant. */
        Optional<String> constant(List<SqlNode> nodes);
    }

    /** Of a condition, which may be empty. */
    static PartitionFilter of(List<SqlNode> nodes, Meaning meaning) {
        if (nodes.size() == 1 && nodes.get(0).kind() == Kind.PARENTHESES) {
            return of(nodes.get(0).inside(), meaning);
        }
        List<List<SqlNode>> either = cut(nodes, "OR");
        if (either.size() > 1) {
            return new Or(either.stream().map(part -> of(part, meaning)).toList());
        }
        List<List<SqlNode>> all = cut(nodes, "AND");
        if (all.size() > 1) {
            return new And(all.stream().map(part -> of(part, meaning)).toList());
        }
        return comparison(nodes, meaning);
    }

    /** The AND of a BETWEEN joins no conditions. */
    private static List<List<SqlNode>> cut(List<SqlNode> nodes, String word) {
        List<List<SqlNode>> parts = new ArrayList<>();
        int begin = 0;
        boolean between = false;
        for (int i = 0; i < nodes.size(); i++) {
            if (nodes.get(i).isWord("BETWEEN")) {
                between = true;
            } else if (nodes.get(i).isWord("AND") && between) {
                between = false;
            } else if (nodes.get(i).isWord(word)) {
                parts.add(nodes.subList(begin, i));
                begin = i + 1;
            }
        }
        parts.add(nodes.subList(begin, nodes.size()));
        return parts;
    }

    private static PartitionFilter comparison(List<SqlNode> nodes, Meaning meaning) {
        for (int i = 1; i < nodes.size() - 1; i++) {
            SqlNode node = nodes.get(i);
            List<SqlNode> left = nodes.subList(0, i);
            List<SqlNode> right = nodes.subList(i + 1, nodes.size());
            if (node.kind() == Kind.SYMBOL && List.of("=", "<", "<=", ">", ">=").contains(node.text())) {
                return meaning.isColumn(left)
                        ? bound(node.text(), right, meaning)
                        : meaning.isColumn(right) ? bound(turned(node.text()), left, meaning) : new Any();
            }
            if (node.isWord("BETWEEN") && meaning.isColumn(left)) {
                for (int and = 1; and < right.size(); and++) {
                    if (right.get(and).isWord("AND")) {
                        return new And(List.of(
                                bound(">=", right.subList(0, and), meaning),
                                bound("<=", right.subList(and + 1, right.size()), meaning)));
                    }
                }
            }
            if (node.isWord("IN")
                    && meaning.isColumn(left)
                    && right.size() == 1
                    && right.get(0).kind() == Kind.PARENTHESES
                    && !GoogleSql.isQuery(right.get(0).inside())) {
                return new Or(GoogleSql.split(right.get(0).inside()).stream()
                        .map(value -> bound("=", value, meaning))
                        .toList());
            }
        }
        return new Any();
    }

    private static String turned(String operator) {
        return switch (operator) {
            case "<" -> ">";
            case "<=" -> ">=";
            case ">" -> "<";
            case ">=" -> "<=";
            default -> operator;
        };
    }

    private static PartitionFilter bound(String operator, List<SqlNode> value, Meaning meaning) {
        Optional<String> constant = meaning.constant(value);
        return constant.isPresent() ? new Bound(operator, constant.get()) : new Any();
    }

    /**
     * Values from {@code first} to {@code last}, both within.
     *
     * @param first microseconds since the epoch
     * @param last microseconds since the epoch
     */
    record Values(long first, long last) {

        static final Values ALL = new Values(Long.MIN_VALUE, Long.MAX_VALUE);
    }

    /**
     * The values that it leaves; none if it leaves none.
     *
     * @param value microseconds since the epoch of a constant, or empty if it is NULL
     */
    default List<Values> values(Function<String, Optional<Long>> value) {
        if (this instanceof Or or) {
            return or.parts().stream()
                    .flatMap(part -> part.values(value).stream())
                    .toList();
        }
        if (this instanceof And and) {
            List<Values> left = List.of(Values.ALL);
            for (PartitionFilter part : and.parts()) {
                left = common(left, part.values(value));
            }
            return left;
        }
        if (this instanceof Bound bound) {
            Optional<Long> constant = value.apply(bound.duckDb());
            if (constant.isEmpty()) {
                return List.of();
            }
            long at = constant.get();
            return List.of(
                    switch (bound.operator()) {
                        case "<" -> new Values(Long.MIN_VALUE, at - 1);
                        case "<=" -> new Values(Long.MIN_VALUE, at);
                        case ">" -> new Values(at + 1, Long.MAX_VALUE);
                        case ">=" -> new Values(at, Long.MAX_VALUE);
                        default -> new Values(at, at);
                    });
        }
        return List.of(Values.ALL);
    }

    private static List<Values> common(List<Values> some, List<Values> others) {
        List<Values> common = new ArrayList<>();
        for (Values one : some) {
            for (Values other : others) {
                long first = Math.max(one.first(), other.first());
                long last = Math.min(one.last(), other.last());
                if (first <= last) {
                    common.add(new Values(first, last));
                }
            }
        }
        return common;
    }
}
