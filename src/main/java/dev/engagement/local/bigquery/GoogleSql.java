package dev.engagement.local.bigquery;

import dev.engagement.local.bigquery.SqlNode.Kind;
import java.math.BigDecimal;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeFormatterBuilder;
import java.time.format.DateTimeParseException;
import java.time.temporal.ChronoField;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Says in DuckDB's SQL what a query, a DELETE, or a MERGE that only inserts, says in GoogleSQL: the same clauses under
 * other names, functions, types, literals and tables. Works on tokens, not on meaning: what DuckDB spells alike passes unread, what is known to differ is written
 * anew, and every function or keyword it does not know is refused by name. One use for one query.
 *
 * <p>It does not know types: an expression may be FLOAT64 where BigQuery has NUMERIC (averages and quotients of NUMERIC).
 */
final class GoogleSql {

    /** What names in a query stand for. */
    interface Catalog {
        /**
         * @param path one to three names, the table's last
         * @throws RestException if there is no such table
         */
        Table table(List<String> path);
    }

    /**
     * A value for a parameter.
     *
     * @param value null for NULL
     */
    record Parameter(String type, Optional<String> value) {}

    private static final Set<String> KEYWORDS = Set.of(
            "ALL",
            "AND",
            "AS",
            "ASC",
            "BETWEEN",
            "BY",
            "CASE",
            "CROSS",
            "CUBE",
            "CURRENT",
            "DESC",
            "DISTINCT",
            "ELSE",
            "END",
            "EXCEPT",
            "EXISTS",
            "FALSE",
            "FOLLOWING",
            "FROM",
            "FULL",
            "GROUP",
            "GROUPING",
            "HAVING",
            "IN",
            "INNER",
            "INTERSECT",
            "IS",
            "JOIN",
            "LEFT",
            "LIKE",
            "LIMIT",
            "NOT",
            "NULL",
            "NULLS",
            "ON",
            "OR",
            "ORDER",
            "OUTER",
            "OVER",
            "PARTITION",
            "PRECEDING",
            "QUALIFY",
            "RANGE",
            "RECURSIVE",
            "RIGHT",
            "ROLLUP",
            "ROWS",
            "SELECT",
            "THEN",
            "TRUE",
            "UNBOUNDED",
            "UNION",
            "USING",
            "WHEN",
            "WHERE",
            "WINDOW",
            "WITH");
    /** Keywords that parentheses follow without being a function's. */
    private static final Set<String> BEFORE_PARENTHESES = KEYWORDS;

    private static final Set<String> REFUSED = Set.of(
            "ARRAY",
            "ASSERT_ROWS_MODIFIED",
            "COLLATE",
            "DEFINE",
            "ENUM",
            "ESCAPE",
            "FETCH",
            "FOR",
            "HASH",
            "IGNORE",
            "INTO",
            "LATERAL",
            "LOOKUP",
            "MERGE",
            "NATURAL",
            "PIVOT",
            "PROTO",
            "RESPECT",
            "STRUCT",
            "TABLESAMPLE",
            "TREAT",
            "UNPIVOT",
            "WITHIN");
    private static final Set<String> SET_OPERATIONS = Set.of("UNION", "INTERSECT", "EXCEPT");
    private static final Set<String> AFTER_SELECT_LIST =
            Set.of("FROM", "WHERE", "GROUP", "HAVING", "QUALIFY", "ORDER", "LIMIT", "WINDOW", "UNION", "INTERSECT");
    private static final Set<String> AFTER_FROM =
            Set.of("WHERE", "GROUP", "HAVING", "QUALIFY", "ORDER", "LIMIT", "WINDOW", "UNION", "INTERSECT", "EXCEPT");
    private static final Map<String, String> TYPES = Map.of(
            "INT64", "BIGINT",
            "INTEGER", "BIGINT",
            "FLOAT64", "DOUBLE",
            "NUMERIC", "DECIMAL(38,9)",
            "STRING", "VARCHAR",
            "BOOL", "BOOLEAN",
            "BOOLEAN", "BOOLEAN",
            "TIMESTAMP", "TIMESTAMP",
            "DATE", "DATE",
            "JSON", "JSON");
    private static final DateTimeFormatter TIMESTAMP_LITERAL = new DateTimeFormatterBuilder()
            .appendPattern("yyyy-M-d")
            .optionalStart()
            .appendPattern("[ ]['T']['t']H:m")
            .optionalStart()
            .appendPattern(":s")
            .appendFraction(ChronoField.NANO_OF_SECOND, 0, 9, true)
            .optionalEnd()
            .optionalEnd()
            .optionalStart()
            .appendPattern("[ ]")
            .appendOffset("+HH:mm", "Z")
            .optionalEnd()
            .optionalStart()
            .appendPattern("[ ]")
            .appendOffset("+HH", "z")
            .optionalEnd()
            .optionalStart()
            .appendPattern("[ ]")
            .appendLiteral("UTC")
            .optionalEnd()
            .parseDefaulting(ChronoField.HOUR_OF_DAY, 0)
            .parseDefaulting(ChronoField.MINUTE_OF_HOUR, 0)
            .parseDefaulting(ChronoField.SECOND_OF_MINUTE, 0)
            .toFormatter(Locale.ROOT);

    private final String sql;
    private final Catalog catalog;
    private final Instant now;
    private final Map<String, Parameter> parameters;
    private final List<Parameter> positional;
    private final SqlFunctions functions = new SqlFunctions(this);
    /** Positions of {@code ?}, in order. */
    private final List<Integer> placeholders = new ArrayList<>();

    /** What the statement reads, as far as it was translated. */
    private final List<Scan> scans = new ArrayList<>();

    private Frame frame = new Frame();

    private GoogleSql(
            String sql, Catalog catalog, Instant now, Map<String, Parameter> parameters, List<Parameter> positional) {
        this.sql = sql;
        this.catalog = catalog;
        this.now = now;
        this.parameters = parameters;
        this.positional = positional;
        addPlaceholders(SqlLexer.read(sql));
    }

    private void addPlaceholders(List<SqlNode> nodes) {
        for (SqlNode node : nodes) {
            if (node.kind() == Kind.PARAMETER && node.text().equals("?")) {
                placeholders.add(node.position());
            }
            addPlaceholders(node.inside());
        }
    }

    /**
     * @param now what CURRENT_TIMESTAMP is
     * @throws RestException if it is no query, or none the emulator can answer
     */
    static String toDuckDb(String sql, Catalog catalog, Instant now) {
        return toDuckDb(sql, catalog, now, Map.of(), List.of());
    }

    static String toDuckDb(
            String sql, Catalog catalog, Instant now, Map<String, Parameter> parameters, List<Parameter> positional) {
        return translate(sql, catalog, now, parameters, positional).duckDb();
    }

    /** A statement in DuckDB's SQL, and what it reads. */
    record Translation(String duckDb, List<Scan> scans) {}

    static Translation translate(
            String sql, Catalog catalog, Instant now, Map<String, Parameter> parameters, List<Parameter> positional) {
        List<SqlNode> nodes = new ArrayList<>(SqlLexer.read(sql));
        if (!nodes.isEmpty() && nodes.get(nodes.size() - 1).isSymbol(";")) {
            nodes.remove(nodes.size() - 1);
        }
        GoogleSql translation = new GoogleSql(sql, catalog, now, parameters, positional);
        if (nodes.isEmpty()) {
            throw RestException.invalidQuery("Syntax error: Unexpected end of script at [1:1]");
        }
        if (!isQuery(nodes)) {
            throw translation.refused(
                    "Statements that start with " + nodes.get(0).upper(), nodes.get(0));
        }
        String duckDb = translation.query(nodes, Set.of(), Set.of());
        return new Translation(duckDb, translation.scans);
    }

    /** A MERGE in DuckDB's SQL, the table that it changes, and what it reads. */
    record Merge(Table table, String duckDb, List<Scan> scans) {}

    /** Whether it is a DELETE, right or wrong. */
    static boolean isDelete(String sql) {
        List<SqlNode> nodes = SqlLexer.read(sql);
        return !nodes.isEmpty() && nodes.get(0).isWord("DELETE");
    }

    /**
     * {@code DELETE [FROM] table [[AS] alias] WHERE condition}.
     *
     * @param now what CURRENT_TIMESTAMP is
     * @throws RestException if it is none
     */
    static Translation deleteToDuckDb(
            String sql, Catalog catalog, Instant now, Map<String, Parameter> parameters, List<Parameter> positional) {
        List<SqlNode> nodes = new ArrayList<>(SqlLexer.read(sql));
        if (nodes.get(nodes.size() - 1).isSymbol(";")) {
            nodes.remove(nodes.size() - 1);
        }
        return new GoogleSql(sql, catalog, now, parameters, positional).delete(nodes);
    }

    private Translation delete(List<SqlNode> nodes) {
        int i = at(nodes, 1, "FROM") ? 2 : 1;
        if (i >= nodes.size()) {
            throw RestException.invalidQuery("Syntax error: Unexpected end of statement");
        }
        int where = i;
        while (where < nodes.size() && !nodes.get(where).isWord("WHERE")) {
            where++;
        }
        if (where == nodes.size()) {
            throw wrong("DELETE must have a WHERE clause", nodes.get(0));
        }
        List<SqlNode> condition = nodes.subList(where + 1, nodes.size());
        Set<String> filters = new HashSet<>();
        condition.forEach(node -> addNames(node, filters));
        Scope scope = new Scope(Set.of(), filters);
        Writer out = new Writer();
        out.add("DELETE FROM");
        int alias = table(nodes, i, out, scope);
        out.add(expression(nodes.subList(alias, where), scope)).add("WHERE").add(expression(condition, scope));
        scan(nodes, condition);
        // What is referenced, and all of the partitions that are written anew.
        Table target = frame.sources.get(0).table();
        List<Scan> both = new ArrayList<>(scans);
        scans.stream()
                .filter(scan -> scan.table() == target)
                .findFirst()
                .ifPresent(scan -> both.add(scan.ofAllColumns()));
        return new Translation(out.toString(), both);
    }

    /** Whether it is a MERGE, right or wrong. */
    static boolean isMerge(String sql) {
        List<SqlNode> nodes = SqlLexer.read(sql);
        return !nodes.isEmpty() && nodes.get(0).isWord("MERGE");
    }

    /**
     * A MERGE with nothing but {@code WHEN NOT MATCHED THEN INSERT (…) VALUES (…)} or {@code … INSERT ROW}.
     *
     * @param now what CURRENT_TIMESTAMP is
     * @throws RestException if it is none, or does anything else
     */
    static Merge mergeToDuckDb(
            String sql, Catalog catalog, Instant now, Map<String, Parameter> parameters, List<Parameter> positional) {
        List<SqlNode> nodes = new ArrayList<>(SqlLexer.read(sql));
        if (nodes.get(nodes.size() - 1).isSymbol(";")) {
            nodes.remove(nodes.size() - 1);
        }
        return new GoogleSql(sql, catalog, now, parameters, positional).merge(nodes);
    }

    private Merge merge(List<SqlNode> nodes) {
        int i = at(nodes, 1, "INTO") ? 2 : 1;
        int using = indexOf(nodes, "USING", i);
        int on = indexOf(nodes, "ON", using);
        int when = indexOf(nodes, "WHEN", on);
        List<SqlNode> condition = nodes.subList(on + 1, when);
        Set<String> filters = new HashSet<>();
        condition.forEach(node -> addNames(node, filters));
        Scope scope = new Scope(Set.of(), filters);
        Table[] target = new Table[1];
        Catalog all = catalog;
        GoogleSql ofTarget = new GoogleSql(
                sql,
                path -> {
                    target[0] = all.table(path);
                    return target[0];
                },
                now,
                parameters,
                positional);
        Writer out = new Writer();
        out.add("MERGE INTO");
        int alias = ofTarget.table(nodes, i, out, scope);
        frame.sources.addAll(ofTarget.frame.sources);
        out.add(expression(nodes.subList(alias, using), scope)).add("USING");
        SqlNode source = nodes.get(using + 1);
        int sourceAlias = using + 2;
        if (source.kind() == Kind.PARENTHESES && isQuery(source.inside())) {
            out.add("(" + query(source.inside(), Set.of(), Set.of()) + ")");
        } else {
            sourceAlias = table(nodes, using + 1, out, scope);
        }
        out.add(expression(nodes.subList(sourceAlias, on), scope));
        out.add("ON (" + expression(condition, scope) + ")");
        List<SqlNode> clause = nodes.subList(when, nodes.size());
        int then = at(clause, 3, "BY") && at(clause, 4, "TARGET") ? 5 : 3;
        boolean insertsOnly = at(clause, 1, "NOT")
                && at(clause, 2, "MATCHED")
                && at(clause, then, "THEN")
                && at(clause, then + 1, "INSERT");
        if (insertsOnly && at(clause, then + 2, "ROW") && clause.size() == then + 3) {
            out.add("WHEN NOT MATCHED THEN INSERT");
            scan(nodes.subList(0, when), condition);
            if (frame.sources.size() > 1) {
                scans.add(scans.remove(scans.size() - 1).ofAllColumns());
            }
            return new Merge(target[0], out.toString(), scans);
        }
        boolean inserts = insertsOnly
                && clause.size() == then + 5
                && clause.get(then + 2).kind() == Kind.PARENTHESES
                && at(clause, then + 3, "VALUES")
                && clause.get(then + 4).kind() == Kind.PARENTHESES;
        if (!inserts) {
            throw refused(
                    "MERGE statements other than WHEN NOT MATCHED THEN INSERT (…) VALUES (…) or INSERT ROW",
                    nodes.get(when));
        }
        List<SqlNode> columns = clause.get(then + 2).inside();
        List<SqlNode> values = clause.get(then + 4).inside();
        if (split(columns).size() != split(values).size()) {
            throw wrong("Inserted row has wrong column count", clause.get(then + 4));
        }
        List<SqlNode> reading = new ArrayList<>(nodes.subList(0, when));
        reading.addAll(values);
        scan(reading, condition);
        out.add("WHEN NOT MATCHED THEN INSERT (" + expression(columns, scope) + ") VALUES (" + expression(values, scope)
                + ")");
        return new Merge(target[0], out.toString(), scans);
    }

    private int indexOf(List<SqlNode> nodes, String word, int from) {
        for (int i = from; i < nodes.size(); i++) {
            if (nodes.get(i).isWord(word)) {
                return i;
            }
        }
        throw wrong("Syntax error: Expected keyword " + word, nodes.get(nodes.size() - 1));
    }

    static boolean isQuery(List<SqlNode> nodes) {
        return !nodes.isEmpty()
                && (nodes.get(0).isWord("SELECT")
                        || nodes.get(0).isWord("WITH")
                        || nodes.get(0).kind() == Kind.PARENTHESES
                                && isQuery(nodes.get(0).inside()));
    }

    RestException refused(String what, SqlNode where) {
        return RestException.invalidQuery(
                what + " are not supported by the emulator at " + SqlLexer.place(sql, where.position()));
    }

    RestException wrong(String message, SqlNode where) {
        return RestException.invalidQuery(message + " at " + SqlLexer.place(sql, where.position()));
    }

    /**
     * A query: branches between set operations, each with its own FROM.
     *
     * @param views names of WITH clauses in force, in lower case
     * @param filtered columns that a query around it filters by, in lower case
     */
    String query(List<SqlNode> nodes, Set<String> views, Set<String> filtered) {
        Writer out = new Writer();
        Set<String> known = new HashSet<>(views);
        int i = 0;
        if (nodes.get(0).isWord("WITH")) {
            i = with(nodes, out, known, filtered);
        }
        while (i < nodes.size()) {
            int end = endOfBranch(nodes, i);
            branch(nodes.subList(i, end), out, known, filtered);
            i = end;
            if (i < nodes.size()) {
                i = setOperation(nodes, i, out);
            }
        }
        return out.toString();
    }

    /** Writes the WITH clause; answers where it ends. */
    private int with(List<SqlNode> nodes, Writer out, Set<String> known, Set<String> filtered) {
        out.add("WITH");
        int i = 1;
        if (at(nodes, i, "RECURSIVE")) {
            out.add("RECURSIVE");
            known.add(nodes.get(2).text().toLowerCase(Locale.ROOT));
            i++;
        }
        while (true) {
            if (i + 2 >= nodes.size()
                    || !nodes.get(i).isName()
                    || !nodes.get(i + 1).isWord("AS")
                    || nodes.get(i + 2).kind() != Kind.PARENTHESES) {
                throw wrong("Syntax error: a WITH clause needs a name, AS and a query in parentheses", nodes.get(0));
            }
            String name = nodes.get(i).text();
            out.add(Store.quoted(name)).add("AS");
            out.add("(" + query(nodes.get(i + 2).inside(), known, filtered) + ")");
            known.add(name.toLowerCase(Locale.ROOT));
            i += 3;
            if (i >= nodes.size() || !nodes.get(i).isSymbol(",")) {
                return i;
            }
            out.add(",");
            i++;
        }
    }

    private static boolean at(List<SqlNode> nodes, int i, String word) {
        return i < nodes.size() && nodes.get(i).isWord(word);
    }

    private static int endOfBranch(List<SqlNode> nodes, int from) {
        for (int i = from; i < nodes.size(); i++) {
            boolean afterStar = i > 0 && nodes.get(i - 1).isSymbol("*");
            if (nodes.get(i).kind() == Kind.WORD
                    && SET_OPERATIONS.contains(nodes.get(i).upper())
                    && !afterStar) {
                return i;
            }
            // SELECT * EXCEPT DISTINCT …: the star was the whole list.
            if (nodes.get(i).isWord("EXCEPT") && afterStar && at(nodes, i + 1, "DISTINCT")) {
                return i;
            }
        }
        return nodes.size();
    }

    private int setOperation(List<SqlNode> nodes, int i, Writer out) {
        String operation = nodes.get(i).upper();
        if (at(nodes, i + 1, "ALL") && operation.equals("UNION")) {
            out.add("UNION ALL");
        } else if (at(nodes, i + 1, "DISTINCT")) {
            out.add(operation);
        } else {
            throw wrong("Syntax error: Expected keyword ALL or keyword DISTINCT after " + operation, nodes.get(i));
        }
        return i + 2;
    }

    /** One SELECT, with what follows it; or a query in parentheses, with what follows that. */
    private void branch(List<SqlNode> nodes, Writer out, Set<String> views, Set<String> outerFilters) {
        Frame outer = frame;
        frame = new Frame();
        Set<String> filtered = new HashSet<>(outerFilters);
        filtered.addAll(filtersOf(nodes));
        int i = 0;
        if (at(nodes, 0, "SELECT")) {
            i = selectList(nodes, out, views, filtered);
        } else if (!nodes.isEmpty() && nodes.get(0).kind() == Kind.PARENTHESES) {
            out.add("(" + query(nodes.get(0).inside(), views, filtered) + ")");
            i = 1;
        }
        if (at(nodes, i, "FROM")) {
            i = from(nodes, i, out, views, filtered);
        }
        out.add(expression(nodes.subList(i, nodes.size()), new Scope(views, filtered)));
        scan(nodes, conditionOf(nodes));
        outer.names.addAll(frame.names);
        frame = outer;
    }

    /** The tables of one SELECT, and the names in it. */
    private static final class Frame {
        private final List<Source> sources = new ArrayList<>();
        /** Names in SELECTs within this one that are none of their own tables' columns. */
        private final List<Name> names = new ArrayList<>();
    }

    /** A table, and the name by which this SELECT calls it. */
    private record Source(Table table, String alias) {}

    /** @param qualifier before the point, or empty */
    private record Name(String qualifier, String name) {}

    /** The WHERE of this SELECT; empty if it has none. */
    private static List<SqlNode> conditionOf(List<SqlNode> nodes) {
        int begin = nodes.size();
        for (int i = 0; i < nodes.size(); i++) {
            if (nodes.get(i).isWord("WHERE") && !isAfterDot(nodes, i)) {
                begin = i + 1;
            } else if (begin <= i
                    && nodes.get(i).kind() == Kind.WORD
                    && AFTER_FROM.contains(nodes.get(i).upper())) {
                return nodes.subList(begin, i);
            }
        }
        return nodes.subList(begin, nodes.size());
    }

    /** Notes what the tables of this frame are read for. */
    private void scan(List<SqlNode> nodes, List<SqlNode> condition) {
        List<Name> names = new ArrayList<>(frame.names);
        frame.names.clear();
        addNames(nodes, names);
        List<Set<Column>> read = new ArrayList<>();
        frame.sources.forEach(source -> read.add(new LinkedHashSet<>()));
        for (Name name : names) {
            boolean qualified =
                    frame.sources.stream().anyMatch(source -> source.alias().equalsIgnoreCase(name.qualifier()));
            String column = qualified || name.qualifier().isEmpty() ? name.name() : name.qualifier();
            boolean known = false;
            for (int i = 0; i < frame.sources.size(); i++) {
                Source source = frame.sources.get(i);
                if (qualified && !source.alias().equalsIgnoreCase(name.qualifier())) {
                    continue;
                }
                for (Column each : source.table().columns()) {
                    if (each.name().equalsIgnoreCase(column)) {
                        read.get(i).add(each);
                        known = true;
                    }
                }
            }
            if (!known) {
                // Perhaps a column of a table around this SELECT.
                frame.names.add(name);
            }
        }
        addStars(nodes, read);
        for (int i = 0; i < frame.sources.size(); i++) {
            Source source = frame.sources.get(i);
            scans.add(new Scan(source.table(), read.get(i), filter(source, condition)));
        }
    }

    private static void addNames(List<SqlNode> nodes, List<Name> names) {
        for (int i = 0; i < nodes.size(); i++) {
            SqlNode node = nodes.get(i);
            boolean called = i + 1 < nodes.size() && nodes.get(i + 1).kind() == Kind.PARENTHESES;
            boolean named = i > 0 && nodes.get(i - 1).isWord("AS");
            boolean first = i + 1 >= nodes.size() || !nodes.get(i + 1).isSymbol(".");
            if (node.isName() && !named && first && !(called && node.kind() == Kind.WORD)) {
                names.add(new Name(
                        isAfterDot(nodes, i) && i > 1 ? nodes.get(i - 2).text() : "", node.text()));
            }
            if (!isQuery(node.inside())) {
                addNames(node.inside(), names);
            }
        }
    }

    /** {@code *} and {@code alias.*} in the list of a SELECT. */
    private void addStars(List<SqlNode> nodes, List<Set<Column>> read) {
        if (!at(nodes, 0, "SELECT")) {
            return;
        }
        int end = 1;
        while (end < nodes.size() && !at(nodes, end, "FROM")) {
            end++;
        }
        int begin = at(nodes, 1, "DISTINCT") || at(nodes, 1, "ALL") ? 2 : 1;
        List<SqlNode> behind = nodes.subList(end, nodes.size());
        for (List<SqlNode> item : split(nodes.subList(Math.min(begin, end), end))) {
            boolean all = !item.isEmpty() && item.get(0).isSymbol("*");
            boolean some =
                    item.size() > 2 && item.get(1).isSymbol(".") && item.get(2).isSymbol("*");
            if (!all && !some) {
                continue;
            }
            int after = all ? 1 : 3;
            List<Name> left = new ArrayList<>();
            if (at(item, after, "EXCEPT") && after + 1 < item.size()) {
                addNames(item.get(after + 1).inside(), left);
            }
            for (int i = 0; i < frame.sources.size(); i++) {
                Source source = frame.sources.get(i);
                if (all || source.alias().equalsIgnoreCase(item.get(0).text())) {
                    // What EXCEPT names is read if something else names it, too; here it seems so.
                    read.get(i).removeIf(column -> isIn(left, column) && !isNamedIn(behind, column));
                    source.table().columns().stream()
                            .filter(column -> !isIn(left, column))
                            .forEach(read.get(i)::add);
                }
            }
        }
    }

    private static boolean isIn(List<Name> names, Column column) {
        return names.stream().anyMatch(name -> name.name().equalsIgnoreCase(column.name()));
    }

    private static boolean isNamedIn(List<SqlNode> nodes, Column column) {
        List<Name> names = new ArrayList<>();
        addNames(nodes, names);
        return isIn(names, column);
    }

    private PartitionFilter filter(Source source, List<SqlNode> condition) {
        if (source.table().partitioning().isEmpty()) {
            return new PartitionFilter.Any();
        }
        String column = source.table().partitioning().get().column().name();
        return PartitionFilter.of(condition, new PartitionFilter.Meaning() {
            @Override
            public boolean isColumn(List<SqlNode> nodes) {
                SqlNode last = nodes.isEmpty() ? null : nodes.get(nodes.size() - 1);
                return last != null
                        && last.isName()
                        && last.text().equalsIgnoreCase(column)
                        && (nodes.size() == 1
                                || nodes.size() == 3
                                        && nodes.get(1).isSymbol(".")
                                        && nodes.get(0).text().equalsIgnoreCase(source.alias()));
            }

            @Override
            public Optional<String> constant(List<SqlNode> nodes) {
                return isConstant(nodes)
                        ? Optional.of(expression(nodes, new Scope(Set.of(), Set.of())))
                        : Optional.empty();
            }
        });
    }

    /** Literals, parameters, and functions of them. */
    private static boolean isConstant(List<SqlNode> nodes) {
        for (int i = 0; i < nodes.size(); i++) {
            SqlNode node = nodes.get(i);
            boolean followed = i + 1 < nodes.size()
                    && (nodes.get(i + 1).kind() == Kind.PARENTHESES
                            || nodes.get(i + 1).kind() == Kind.STRING);
            boolean constant =
                    switch (node.kind()) {
                        case NAME -> false;
                        case WORD ->
                            followed
                                    || isUnit(node)
                                    || TYPES.containsKey(node.upper())
                                    || Set.of("INTERVAL", "AS", "NULL", "CURRENT_TIMESTAMP", "CURRENT_DATE")
                                            .contains(node.upper());
                        default -> node.inside().isEmpty() || !isQuery(node.inside()) && isConstant(node.inside());
                    };
            if (!constant) {
                return false;
            }
        }
        return !nodes.isEmpty();
    }

    /** All names in the WHERE of this SELECT. */
    private static Set<String> filtersOf(List<SqlNode> nodes) {
        Set<String> names = new HashSet<>();
        boolean where = false;
        for (SqlNode node : nodes) {
            if (node.kind() == Kind.WORD && AFTER_FROM.contains(node.upper())) {
                where = node.isWord("WHERE");
            } else if (where) {
                addNames(node, names);
            }
        }
        return names;
    }

    private static void addNames(SqlNode node, Set<String> names) {
        if (node.isName()) {
            names.add(node.text().toLowerCase(Locale.ROOT));
        }
        if (!isQuery(node.inside())) {
            node.inside().forEach(inner -> addNames(inner, names));
        }
    }

    private int selectList(List<SqlNode> nodes, Writer out, Set<String> views, Set<String> filtered) {
        out.add("SELECT");
        int i = 1;
        if (at(nodes, i, "DISTINCT")) {
            out.add("DISTINCT");
            i++;
        } else if (at(nodes, i, "ALL")) {
            i++;
        }
        if (at(nodes, i, "AS")) {
            throw refused("SELECT AS STRUCT and SELECT AS VALUE", nodes.get(i));
        }
        int end = i;
        while (end < nodes.size()
                && !(nodes.get(end).kind() == Kind.WORD
                        && AFTER_SELECT_LIST.contains(nodes.get(end).upper())
                        && !isAfterDot(nodes, end))) {
            end++;
        }
        int unnamed = 0;
        boolean first = true;
        List<List<SqlNode>> items = split(nodes.subList(i, end));
        for (int item = 0; item < items.size(); item++) {
            List<SqlNode> parts = items.get(item);
            if (parts.isEmpty()) {
                // A comma may follow the last one.
                if (item == items.size() - 1 && item > 0) {
                    continue;
                }
                throw wrong("Syntax error: Unexpected end of the SELECT list", nodes.get(0));
            }
            if (!first) {
                out.add(",");
            }
            first = false;
            out.add(expression(parts, new Scope(views, filtered)));
            if (!isNamed(parts)) {
                out.add("AS \"f" + unnamed++ + "_\"");
            }
        }
        return end;
    }

    private static boolean isAfterDot(List<SqlNode> nodes, int i) {
        return i > 0 && nodes.get(i - 1).isSymbol(".");
    }

    /** Whether BigQuery would give the column a name that is in the query. */
    private static boolean isNamed(List<SqlNode> item) {
        SqlNode last = item.get(item.size() - 1);
        if (item.stream().anyMatch(node -> node.isWord("AS")) || last.isSymbol("*")) {
            return true;
        }
        if (item.stream().anyMatch(node -> node.isWord("EXCEPT") || node.isWord("REPLACE"))
                && item.stream().anyMatch(node -> node.isSymbol("*"))) {
            return true;
        }
        if (!last.isName() || last.kind() == Kind.WORD && KEYWORDS.contains(last.upper())) {
            return false;
        }
        if (item.size() == 1) {
            return !last.isWord("CURRENT_TIMESTAMP") && !last.isWord("CURRENT_DATE");
        }
        SqlNode before = item.get(item.size() - 2);
        if (before.isSymbol(".")) {
            return item.stream().allMatch(node -> node.isName() || node.isSymbol("."));
        }
        boolean operand = before.kind() != Kind.SYMBOL
                && !(before.kind() == Kind.WORD
                        && KEYWORDS.contains(before.upper())
                        && !Set.of("END", "NULL", "TRUE", "FALSE").contains(before.upper()));
        // In INTERVAL 1 DAY the last word is a unit.
        return operand && item.stream().noneMatch(node -> node.isWord("INTERVAL"));
    }

    /** Writes the FROM clause; answers where it ends. */
    private int from(List<SqlNode> nodes, int begin, Writer out, Set<String> views, Set<String> filtered) {
        int end = begin + 1;
        while (end < nodes.size()
                && !(nodes.get(end).kind() == Kind.WORD
                        && AFTER_FROM.contains(nodes.get(end).upper())
                        && !isAfterDot(nodes, end))) {
            end++;
        }
        out.add("FROM");
        sources(nodes.subList(begin + 1, end), out, new Scope(views, filtered));
        return end;
    }

    private void sources(List<SqlNode> nodes, Writer out, Scope scope) {
        boolean expected = true;
        int i = 0;
        while (i < nodes.size()) {
            SqlNode node = nodes.get(i);
            if (expected && node.kind() == Kind.PARENTHESES) {
                if (isQuery(node.inside())) {
                    out.add("(" + query(node.inside(), scope.views(), scope.filtered()) + ")");
                } else {
                    Writer joined = new Writer();
                    sources(node.inside(), joined, scope);
                    out.add("(" + joined + ")");
                }
                expected = false;
                i++;
            } else if (expected && node.isWord("UNNEST")) {
                i = unnest(nodes, i, out, scope);
                expected = false;
            } else if (expected && node.isName()) {
                i = table(nodes, i, out, scope);
                expected = false;
            } else if (expected) {
                throw wrong("Syntax error: Expected a table", node);
            } else if (node.isWord("JOIN") || node.isSymbol(",")) {
                out.add(node.upper());
                expected = true;
                i++;
            } else {
                int end = i + 1;
                while (end < nodes.size()
                        && !nodes.get(end).isWord("JOIN")
                        && !nodes.get(end).isSymbol(",")) {
                    end++;
                }
                out.add(expression(nodes.subList(i, end), scope));
                i = end;
            }
        }
        if (expected) {
            throw RestException.invalidQuery("Syntax error: Unexpected end of the FROM clause");
        }
    }

    private int unnest(List<SqlNode> nodes, int begin, Writer out, Scope scope) {
        if (begin + 1 >= nodes.size() || nodes.get(begin + 1).kind() != Kind.PARENTHESES) {
            throw wrong("Syntax error: Expected \"(\" after UNNEST", nodes.get(begin));
        }
        int i = begin + 2;
        String alias = "f0_";
        if (at(nodes, i, "AS")) {
            i++;
        }
        if (i < nodes.size()
                && nodes.get(i).isName()
                && !KEYWORDS.contains(nodes.get(i).upper())) {
            alias = nodes.get(i).text();
            i++;
        }
        if (at(nodes, i, "WITH")) {
            throw refused("UNNEST … WITH OFFSET", nodes.get(i));
        }
        String array = expression(nodes.get(begin + 1).inside(), scope);
        out.add("(SELECT unnest(" + array + ") AS " + Store.quoted(alias) + ")");
        return i;
    }

    /** A table's name, of one to three parts, in backticks or not; answers what follows. */
    private int table(List<SqlNode> nodes, int begin, Writer out, Scope scope) {
        List<String> path = new ArrayList<>();
        StringBuilder part = new StringBuilder();
        int i = begin;
        while (true) {
            SqlNode name = nodes.get(i);
            if (name.kind() == Kind.NAME) {
                path.addAll(List.of(name.text().split("\\.", -1)));
                i++;
            } else {
                part.setLength(0);
                part.append(name.text());
                i++;
                // A project's name may have hyphens, without backticks too.
                while (i + 1 < nodes.size() && nodes.get(i).isSymbol("-")) {
                    part.append('-').append(nodes.get(i + 1).text());
                    i += 2;
                }
                path.add(part.toString());
            }
            if (i + 1 >= nodes.size() || !nodes.get(i).isSymbol(".")) {
                break;
            }
            i++;
        }
        if (path.size() == 1 && scope.views().contains(path.get(0).toLowerCase(Locale.ROOT))) {
            out.add(Store.quoted(path.get(0)));
            return i;
        }
        if (path.stream().anyMatch(name -> name.equalsIgnoreCase("INFORMATION_SCHEMA"))) {
            throw refused("Queries of INFORMATION_SCHEMA", nodes.get(begin));
        }
        Table table = catalog.table(path);
        checkFilter(table, scope);
        out.add(Store.quoted(table.id()));
        int alias = at(nodes, i, "AS") ? i + 1 : i;
        boolean named = alias < nodes.size()
                && nodes.get(alias).isName()
                && !KEYWORDS.contains(nodes.get(alias).upper());
        frame.sources.add(new Source(table, named ? nodes.get(alias).text() : path.get(path.size() - 1)));
        return i;
    }

    private static void checkFilter(Table table, Scope scope) {
        if (!table.isFilterRequired()) {
            return;
        }
        String column = table.partitioning().orElseThrow().column().name();
        if (!scope.filtered().contains(column.toLowerCase(Locale.ROOT))) {
            throw RestException.invalidQuery("Cannot query over table '"
                    + table.id().dataset() + "." + table.id().table() + "' without a filter over column(s) '" + column
                    + "' that can be used for partition elimination");
        }
    }

    /** Where an expression stands. */
    record Scope(Set<String> views, Set<String> filtered) {}

    /** Anything but tables: expressions, and the clauses made of them. */
    String expression(List<SqlNode> nodes, Scope scope) {
        Writer out = new Writer();
        int i = 0;
        while (i < nodes.size()) {
            i = next(nodes, i, out, scope);
        }
        return out.toString();
    }

    private int next(List<SqlNode> nodes, int i, Writer out, Scope scope) {
        SqlNode node = nodes.get(i);
        return switch (node.kind()) {
            case STRING -> {
                out.add(literal(node.text()));
                yield i + 1;
            }
            case NUMBER -> {
                out.add(node.text());
                yield i + 1;
            }
            case PARAMETER -> {
                out.add(parameter(node));
                yield i + 1;
            }
            case NAME -> name(nodes, i, out);
            case PARENTHESES -> {
                out.add(
                        isQuery(node.inside())
                                ? "(" + query(node.inside(), scope.views(), scope.filtered()) + ")"
                                : "(" + expression(node.inside(), scope) + ")");
                yield i + 1;
            }
            case BRACKETS -> {
                brackets(nodes, i, out, scope);
                yield i + 1;
            }
            case SYMBOL -> {
                symbol(node, out);
                yield i + 1;
            }
            case WORD -> word(nodes, i, out, scope);
        };
    }

    private void symbol(SqlNode node, Writer out) {
        if (Set.of(";", "|>", "=>", ":", "{", "}").contains(node.text())) {
            throw wrong("Syntax error: Unexpected \"" + node.text() + "\"", node);
        }
        out.add(node.text());
    }

    private int name(List<SqlNode> nodes, int i, Writer out) {
        out.add(Store.quoted(nodes.get(i).text()));
        return i + 1;
    }

    private int word(List<SqlNode> nodes, int i, Writer out, Scope scope) {
        SqlNode node = nodes.get(i);
        String word = node.upper();
        if (isAfterDot(nodes, i)) {
            return name(nodes, i, out);
        }
        boolean called = i + 1 < nodes.size() && nodes.get(i + 1).kind() == Kind.PARENTHESES;
        boolean literal = i + 1 < nodes.size() && nodes.get(i + 1).kind() == Kind.STRING;
        if (literal && Set.of("TIMESTAMP", "DATE", "NUMERIC", "JSON").contains(word)) {
            out.add(typed(word, nodes.get(i + 1)));
            return i + 2;
        }
        if (word.equals("SAFE") && i + 2 < nodes.size() && nodes.get(i + 1).isSymbol(".")) {
            throw refused("Functions with the prefix SAFE.", node);
        }
        switch (word) {
            case "INTERVAL" -> {
                return interval(nodes, i, out, scope);
            }
            case "EXCEPT", "REPLACE" -> {
                if (called && i > 0 && nodes.get(i - 1).isSymbol("*")) {
                    out.add((word.equals("EXCEPT") ? "EXCLUDE" : "REPLACE") + " ("
                            + expression(nodes.get(i + 1).inside(), scope) + ")");
                    return i + 2;
                }
            }
            case "IN" -> {
                if (at(nodes, i + 1, "UNNEST")) {
                    out.add("IN (SELECT unnest(" + expression(nodes.get(i + 2).inside(), scope) + "))");
                    return i + 3;
                }
            }
            case "FIRST", "LAST" -> {
                if (i > 0 && nodes.get(i - 1).isWord("NULLS")) {
                    out.add(word);
                    return i + 1;
                }
            }
            case "ROW" -> {
                if (i > 0 && nodes.get(i - 1).isWord("CURRENT")) {
                    out.add(word);
                    return i + 1;
                }
            }
            case "OFFSET" -> {
                if (i > 1 && nodes.get(i - 2).isWord("LIMIT")) {
                    out.add(word);
                    return i + 1;
                }
            }
            case "SETS" -> {
                if (i > 0 && nodes.get(i - 1).isWord("GROUPING")) {
                    out.add(word);
                    return i + 1;
                }
            }
            case "CURRENT_TIMESTAMP", "CURRENT_DATE" -> {
                out.add(current(word));
                return called ? i + 2 : i + 1;
            }
            default -> {}
        }
        if (REFUSED.contains(word) && !(called && functions.knows(word))) {
            throw refused("Queries with " + word, node);
        }
        if (called && !BEFORE_PARENTHESES.contains(word)) {
            out.add(functions.call(node, nodes.get(i + 1).inside(), scope));
            return i + 2;
        }
        if (KEYWORDS.contains(word)) {
            out.add(word);
            return i + 1;
        }
        return name(nodes, i, out);
    }

    private void brackets(List<SqlNode> nodes, int i, Writer out, Scope scope) {
        List<SqlNode> inside = nodes.get(i).inside();
        boolean array = i == 0
                || nodes.get(i - 1).kind() == Kind.SYMBOL
                || nodes.get(i - 1).kind() == Kind.WORD
                        && KEYWORDS.contains(nodes.get(i - 1).upper());
        if (array) {
            out.add("[" + expression(inside, scope) + "]");
            return;
        }
        if (inside.size() == 2 && inside.get(1).kind() == Kind.PARENTHESES) {
            String index = expression(inside.get(1).inside(), scope);
            switch (inside.get(0).upper()) {
                case "OFFSET", "SAFE_OFFSET" -> out.attach("[(" + index + ") + 1]");
                case "ORDINAL", "SAFE_ORDINAL" -> out.attach("[" + index + "]");
                default ->
                    throw wrong("Syntax error: Unexpected \"" + inside.get(0).text() + "\"", inside.get(0));
            }
            return;
        }
        throw refused("Subscripts other than OFFSET and ORDINAL", nodes.get(i));
    }

    private int interval(List<SqlNode> nodes, int i, Writer out, Scope scope) {
        int unit = i + 1;
        while (unit < nodes.size() && !isUnit(nodes.get(unit))) {
            unit++;
        }
        if (unit == i + 1 || unit >= nodes.size()) {
            throw wrong("Syntax error: an INTERVAL needs a number and a unit", nodes.get(i));
        }
        out.add("INTERVAL (" + expression(nodes.subList(i + 1, unit), scope) + ") "
                + nodes.get(unit).upper());
        return unit + 1;
    }

    private static boolean isUnit(SqlNode node) {
        return node.kind() == Kind.WORD
                && Set.of(
                                "MICROSECOND",
                                "MILLISECOND",
                                "SECOND",
                                "MINUTE",
                                "HOUR",
                                "DAY",
                                "WEEK",
                                "MONTH",
                                "QUARTER",
                                "YEAR")
                        .contains(node.upper());
    }

    private String current(String word) {
        return word.equals("CURRENT_DATE") ? "DATE '" + LocalDate.ofInstant(now, ZoneOffset.UTC) + "'" : timestamp(now);
    }

    /** A literal of TIMESTAMP, DATE, NUMERIC or JSON. */
    String typed(String type, SqlNode text) {
        return switch (type) {
            case "TIMESTAMP" -> timestamp(parseTimestamp(text));
            case "DATE" -> {
                try {
                    yield "DATE '" + LocalDate.parse(text.text(), DateTimeFormatter.ofPattern("yyyy-M-d", Locale.ROOT))
                            + "'";
                } catch (DateTimeParseException e) {
                    throw wrong("Could not cast literal \"" + text.text() + "\" to type DATE", text);
                }
            }
            case "NUMERIC" -> {
                try {
                    yield "CAST(" + new BigDecimal(text.text()).toPlainString() + " AS DECIMAL(38,9))";
                } catch (NumberFormatException e) {
                    throw wrong("Invalid NUMERIC literal: \"" + text.text() + "\"", text);
                }
            }
            default -> {
                Optional<String> violation = JsonRule.violation(text.text());
                if (violation.isPresent()) {
                    throw wrong(violation.get(), text);
                }
                yield "CAST(" + literal(text.text()) + " AS JSON)";
            }
        };
    }

    private Instant parseTimestamp(SqlNode text) {
        try {
            var parsed = TIMESTAMP_LITERAL.parseBest(text.text().strip(), OffsetDateTime::from, LocalDateTime::from);
            return parsed instanceof OffsetDateTime zoned
                    ? zoned.toInstant()
                    : ((LocalDateTime) parsed).toInstant(ZoneOffset.UTC);
        } catch (DateTimeParseException e) {
            throw wrong("Could not cast literal \"" + text.text() + "\" to type TIMESTAMP", text);
        }
    }

    private static String timestamp(Instant instant) {
        return "TIMESTAMP '"
                + DateTimeFormatter.ofPattern("yyyy-MM-dd HH:mm:ss.SSSSSS", Locale.ROOT)
                        .format(instant.atOffset(ZoneOffset.UTC))
                + "'";
    }

    static String literal(String text) {
        return "'" + text.replace("'", "''") + "'";
    }

    private String parameter(SqlNode node) {
        Parameter parameter;
        if (node.text().equals("?")) {
            int index = placeholders.indexOf(node.position());
            if (index >= positional.size()) {
                throw wrong("Query parameter number " + (index + 1) + " is not defined", node);
            }
            parameter = positional.get(index);
        } else {
            Parameter named = parameters.get(node.text().toLowerCase(Locale.ROOT));
            if (named == null) {
                throw wrong("Query parameter '" + node.text() + "' not found", node);
            }
            parameter = named;
        }
        String type = type(SqlNode.token(Kind.WORD, parameter.type(), node.position()));
        if (parameter.value().isEmpty()) {
            return "CAST(NULL AS " + type + ")";
        }
        String value = parameter.value().get();
        SqlNode text = SqlNode.token(Kind.STRING, value, node.position());
        return switch (parameter.type().toUpperCase(Locale.ROOT)) {
            case "TIMESTAMP", "DATE", "NUMERIC", "JSON" ->
                typed(parameter.type().toUpperCase(Locale.ROOT), text);
            default -> "CAST(" + literal(value) + " AS " + type + ")";
        };
    }

    /**
     * DuckDB's name of a type.
     *
     * @throws RestException if the emulator has no such type
     */
    String type(SqlNode name) {
        String type = TYPES.get(name.upper());
        if (type == null) {
            throw refused("Values of type " + name.text(), name);
        }
        return type;
    }

    /** Cut at commas. */
    static List<List<SqlNode>> split(List<SqlNode> nodes) {
        List<List<SqlNode>> parts = new ArrayList<>();
        int begin = 0;
        for (int i = 0; i <= nodes.size(); i++) {
            if (i == nodes.size() || nodes.get(i).isSymbol(",")) {
                parts.add(nodes.subList(begin, i));
                begin = i + 1;
            }
        }
        return parts;
    }

    /** Puts one blank between what needs one. */
    private static final class Writer {
        private final StringBuilder text = new StringBuilder();

        Writer add(String part) {
            if (part.isEmpty()) {
                return this;
            }
            boolean joined =
                    text.length() == 0 || part.equals(".") || part.equals(",") || text.charAt(text.length() - 1) == '.';
            if (!joined) {
                text.append(' ');
            }
            text.append(part);
            return this;
        }

        void attach(String part) {
            text.append(part);
        }

        @Override
        public String toString() {
            return text.toString();
        }
    }
}
