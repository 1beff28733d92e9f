package dev.engagement.rollup;

import dev.engagement.rollup.definition.KeyPart;
import dev.engagement.rollup.definition.Measure;
import dev.engagement.rollup.definition.RollupDefinition;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/** The form of a rollup's table in PostgreSQL: its columns and their types. Immutable. */
public final class RollupTable {

    /** The type of a column. */
    public enum Type {
        TIMESTAMP("timestamptz", "timestamp with time zone"),
        TEXT("text", "text"),
        LONG("int8", "bigint"),
        DECIMAL("numeric", "numeric"),
        BOOLEAN("bool", "boolean");

        private final String shortName;
        private final String sql;

        Type(String shortName, String sql) {
            this.shortName = shortName;
            this.sql = sql;
        }

        /** PostgreSQL's own name, by which the driver knows it. */
        public String shortName() {
            return shortName;
        }

        /** The name that the SQL standard has, by which PostgreSQL shows it. */
        public String sql() {
            return sql;
        }
    }

    /** One column. */
    public record Column(String name, Type type) {

        /** As it stands in SQL: a name may be one of SQL's words. */
        public String quoted() {
            return quote(name);
        }
    }

    private final RollupDefinition definition;
    private final List<Column> columns;

    private RollupTable(RollupDefinition definition, List<Column> columns) {
        this.definition = definition;
        this.columns = List.copyOf(columns);
    }

    /** The table of a rollup. */
    public static RollupTable of(RollupDefinition definition) {
        Map<String, Type> types = new HashMap<>();
        types.put(RollupDefinition.WINDOW_START, Type.TIMESTAMP);
        types.put(RollupDefinition.WINDOW_END, Type.TIMESTAMP);
        for (KeyPart part : definition.by()) {
            types.put(part.column(), Type.TEXT);
        }
        for (Measure measure : definition.measures()) {
            types.put(measure.column(), measure.function().isWhole() ? Type.LONG : Type.DECIMAL);
        }
        types.put(RollupDefinition.UNIQUE_USERS_EXACT, Type.BOOLEAN);
        types.put(RollupDefinition.SKIPPED, Type.LONG);
        types.put(RollupDefinition.VERSION, Type.LONG);
        List<Column> columns = new ArrayList<>();
        for (String name : definition.columns()) {
            Type type = types.get(name);
            if (type == null) {
                throw new IllegalArgumentException("The rollup " + definition.name() + " has the column " + name
                        + ", which nothing is written into");
            }
            columns.add(new Column(name, type));
        }
        return new RollupTable(definition, columns);
    }

    /** Without a schema: PostgreSQL looks for it in the role's {@code search_path}. */
    public String name() {
        return definition.table();
    }

    /** As it stands in SQL. */
    public String quoted() {
        return quote(name());
    }

    /** What {@code rollup.NAME.*} calls the rollup. */
    public String rollup() {
        return definition.name();
    }

    /** The columns of its primary key, in order. */
    public List<String> key() {
        return definition.keyColumns();
    }

    /** Every column, in the order of the values of a row; the key's come first. */
    public List<Column> columns() {
        return columns;
    }

    /** The statement that creates it. The index of the primary key finds ranges of time, too. */
    public String create() {
        String lines = columns.stream()
                .map(column -> column.quoted() + " " + column.type().sql() + (mayBeNull(column) ? "" : " NOT NULL"))
                .collect(Collectors.joining(", "));
        return "CREATE TABLE IF NOT EXISTS " + quoted() + " (" + lines + ", PRIMARY KEY ("
                + key().stream().map(RollupTable::quote).collect(Collectors.joining(", ")) + "))";
    }

    /** Whether a row may have nothing in it: the least or the greatest of nothing. */
    boolean mayBeNull(Column column) {
        return definition.measures().stream()
                .filter(measure ->
                        measure.function() == Measure.Function.MIN || measure.function() == Measure.Function.MAX)
                .anyMatch(measure -> measure.column().equals(column.name()));
    }

    /** A name as it stands in SQL. */
    public static String quote(String name) {
        return '"' + name.replace("\"", "\"\"") + '"';
    }

    /** A text as it stands in SQL. */
    static String literal(String text) {
        return "'" + text.replace("'", "''") + "'";
    }
}
