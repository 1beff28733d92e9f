package dev.engagement.local.bigquery;

import dev.engagement.local.bigquery.SqlNode.Kind;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** The functions of GoogleSQL that the emulator knows, each in DuckDB's words. */
final class SqlFunctions {

    /** Called alike, with the same arguments and the same meaning. */
    private static final Set<String> SAME = Set.of(
            "ABS",
            "ANY_VALUE",
            "AVG",
            "CEIL",
            "CEILING",
            "COALESCE",
            "CORR",
            "COUNT",
            "CUME_DIST",
            "DENSE_RANK",
            "ENDS_WITH",
            "EXP",
            "FIRST_VALUE",
            "FLOOR",
            "LAG",
            "LAST_VALUE",
            "LEAD",
            "LENGTH",
            "LN",
            "LOG10",
            "LOWER",
            "LPAD",
            "LTRIM",
            "MAX",
            "MIN",
            "NTH_VALUE",
            "NTILE",
            "NULLIF",
            "PERCENT_RANK",
            "POW",
            "POWER",
            "RANK",
            "REVERSE",
            "ROUND",
            "ROW_NUMBER",
            "RPAD",
            "RTRIM",
            "SIGN",
            "SQRT",
            "STARTS_WITH",
            "STDDEV",
            "STDDEV_POP",
            "STDDEV_SAMP",
            "STRPOS",
            "SUBSTR",
            "SUBSTRING",
            "SUM",
            "TRIM",
            "TRUNC",
            "UPPER",
            "VARIANCE",
            "VAR_POP",
            "VAR_SAMP");

    private static final Map<String, String> RENAMED = Map.ofEntries(
            Map.entry("ARRAY_LENGTH", "len"),
            Map.entry("BIT_COUNT", "bit_count"),
            Map.entry("CHAR_LENGTH", "length"),
            Map.entry("COUNTIF", "count_if"),
            Map.entry("GENERATE_ARRAY", "generate_series"),
            Map.entry("LOGICAL_AND", "bool_and"),
            Map.entry("LOGICAL_OR", "bool_or"),
            Map.entry("MAX_BY", "max_by"),
            Map.entry("MIN_BY", "min_by"),
            Map.entry("MOD", "mod"),
            Map.entry("REGEXP_CONTAINS", "regexp_matches"),
            Map.entry("REPLACE", "replace"),
            Map.entry("SPLIT", "string_split"),
            Map.entry("STRING_AGG", "string_agg"),
            Map.entry("UNIX_MICROS", "epoch_us"));

    private static final Set<String> WRITTEN_ANEW = Set.of(
            "APPROX_COUNT_DISTINCT",
            "APPROX_QUANTILES",
            "ARRAY_AGG",
            "BOOL",
            "CAST",
            "CONCAT",
            "DATE",
            "DATE_ADD",
            "DATE_DIFF",
            "DATE_SUB",
            "DATE_TRUNC",
            "DIV",
            "EXTRACT",
            "FLOAT64",
            "FORMAT_DATE",
            "FORMAT_TIMESTAMP",
            "GENERATE_DATE_ARRAY",
            "GENERATE_TIMESTAMP_ARRAY",
            "GREATEST",
            "IF",
            "IFNULL",
            "INT64",
            "JSON_EXTRACT",
            "JSON_EXTRACT_SCALAR",
            "JSON_QUERY",
            "JSON_TYPE",
            "JSON_VALUE",
            "LEAST",
            "MD5",
            "PARSE_DATE",
            "PARSE_TIMESTAMP",
            "SAFE_CAST",
            "SAFE_DIVIDE",
            "TIMESTAMP",
            "TIMESTAMP_ADD",
            "TIMESTAMP_DIFF",
            "TIMESTAMP_MICROS",
            "TIMESTAMP_MILLIS",
            "TIMESTAMP_SECONDS",
            "TIMESTAMP_SUB",
            "TIMESTAMP_TRUNC",
            "TO_HEX",
            "TO_JSON_STRING",
            "UNIX_MILLIS",
            "UNIX_SECONDS");

    private static final Set<String> TIMESTAMP_PARTS =
            Set.of("MICROSECOND", "MILLISECOND", "SECOND", "MINUTE", "HOUR", "DAY");
    private static final Set<String> DATE_PARTS =
            Set.of("DAY", "WEEK", "ISOWEEK", "MONTH", "QUARTER", "YEAR", "ISOYEAR");

    private static final Map<Character, String> FORMAT_ELEMENTS = Map.ofEntries(
            Map.entry('A', "%A"),
            Map.entry('a', "%a"),
            Map.entry('B', "%B"),
            Map.entry('b', "%b"),
            Map.entry('D', "%m/%d/%y"),
            Map.entry('d', "%d"),
            Map.entry('F', "%Y-%m-%d"),
            Map.entry('H', "%H"),
            Map.entry('I', "%I"),
            Map.entry('j', "%j"),
            Map.entry('M', "%M"),
            Map.entry('m', "%m"),
            Map.entry('p', "%p"),
            Map.entry('R', "%H:%M"),
            Map.entry('S', "%S"),
            Map.entry('T', "%H:%M:%S"),
            Map.entry('Y', "%Y"),
            Map.entry('y', "%y"),
            Map.entry('Z', "UTC"),
            Map.entry('%', "%%"));

    private final GoogleSql sql;

    SqlFunctions(GoogleSql sql) {
        this.sql = sql;
    }

    boolean knows(String upperCase) {
        return SAME.contains(upperCase) || RENAMED.containsKey(upperCase) || WRITTEN_ANEW.contains(upperCase);
    }

    /**
     * @throws RestException if the function is none the emulator knows, or not with these arguments
     */
    String call(SqlNode name, List<SqlNode> inside, GoogleSql.Scope scope) {
        String function = name.upper();
        if (!knows(function)) {
            throw sql.wrong("Function not found in the emulator: " + name.text(), name);
        }
        Call call = new Call(name, inside.isEmpty() ? List.of() : GoogleSql.split(inside), scope);
        if (SAME.contains(function)) {
            return function.toLowerCase(Locale.ROOT) + "(" + call.all() + ")";
        }
        String renamed = RENAMED.get(function);
        if (renamed != null) {
            return renamed + "(" + call.all() + ")";
        }
        return anew(function, call, inside);
    }

    private final class Call {
        private final SqlNode name;
        private final List<List<SqlNode>> arguments;
        private final GoogleSql.Scope scope;

        Call(SqlNode name, List<List<SqlNode>> arguments, GoogleSql.Scope scope) {
            this.name = name;
            this.arguments = arguments;
            this.scope = scope;
        }

        String all() {
            return arguments.stream().map(this::text).collect(Collectors.joining(", "));
        }

        private String text(List<SqlNode> argument) {
            return GoogleSql.isQuery(argument)
                    ? "(" + sql.query(argument, scope.views(), scope.filtered()) + ")"
                    : sql.expression(argument, scope);
        }

        void arity(int min, int max) {
            if (arguments.size() < min || arguments.size() > max) {
                throw sql.wrong(
                        "No matching signature for function " + name.upper() + " with " + arguments.size()
                                + " arguments",
                        name);
            }
        }

        int size() {
            return arguments.size();
        }

        String get(int i) {
            return text(arguments.get(i));
        }

        SqlNode single(int i) {
            if (arguments.get(i).size() != 1) {
                throw sql.refused("Arguments of " + name.upper() + " that are not a plain word or literal", name);
            }
            return arguments.get(i).get(0);
        }

        /** A last argument that names the zone: only UTC will do. */
        void utcAt(int i) {
            if (i < size()) {
                SqlNode zone = single(i);
                if (zone.kind() != Kind.STRING
                        || !Set.of("UTC", "+00", "+00:00", "Z").contains(zone.text())) {
                    throw sql.refused("Time zones other than UTC", zone);
                }
            }
        }

        String part(int i, Set<String> known) {
            SqlNode part = single(i);
            if (part.kind() != Kind.WORD || !known.contains(part.upper())) {
                throw sql.refused(name.upper() + " by " + part.text(), name);
            }
            return part.upper();
        }

        /** {@code INTERVAL n UNIT}, as DuckDB has it. */
        String interval(int i, Set<String> known) {
            List<SqlNode> argument = arguments.get(i);
            if (argument.size() < 3
                    || !argument.get(0).isWord("INTERVAL")
                    || !known.contains(argument.get(argument.size() - 1).upper())) {
                throw sql.refused("Intervals of " + name.upper() + " other than by " + known, name);
            }
            return text(argument);
        }
    }

    private String anew(String function, Call call, List<SqlNode> inside) {
        switch (function) {
            case "APPROX_COUNT_DISTINCT" -> {
                call.arity(1, 1);
                return "count(DISTINCT " + call.get(0) + ")";
            }
            case "APPROX_QUANTILES" -> {
                call.arity(2, 2);
                return quantiles(call);
            }
            case "ARRAY_AGG" -> {
                return arrayAgg(inside, call);
            }
            case "CAST", "SAFE_CAST" -> {
                return cast(function, inside, call);
            }
            case "CONCAT" -> {
                return "(" + IntStream.range(0, call.size()).mapToObj(call::get).collect(Collectors.joining(" || "))
                        + ")";
            }
            case "DATE" -> {
                call.arity(1, 3);
                if (call.size() == 3) {
                    return "make_date(" + call.all() + ")";
                }
                call.utcAt(1);
                return "CAST(" + call.get(0) + " AS DATE)";
            }
            case "TIMESTAMP" -> {
                call.arity(1, 2);
                call.utcAt(1);
                List<SqlNode> argument = call.arguments.get(0);
                return argument.size() == 1 && argument.get(0).kind() == Kind.STRING
                        ? sql.typed("TIMESTAMP", argument.get(0))
                        : "CAST(" + call.get(0) + " AS TIMESTAMP)";
            }
            case "DATE_ADD", "DATE_SUB" -> {
                call.arity(2, 2);
                return "CAST(CAST(" + call.get(0) + " AS DATE)" + (function.equals("DATE_ADD") ? " + " : " - ")
                        + call.interval(1, Set.of("DAY", "WEEK", "MONTH", "QUARTER", "YEAR")) + " AS DATE)";
            }
            case "TIMESTAMP_ADD", "TIMESTAMP_SUB" -> {
                call.arity(2, 2);
                return "(" + call.get(0) + (function.equals("TIMESTAMP_ADD") ? " + " : " - ")
                        + call.interval(1, TIMESTAMP_PARTS) + ")";
            }
            case "DATE_DIFF" -> {
                call.arity(3, 3);
                return "date_diff('" + call.part(2, Set.of("DAY", "MONTH", "QUARTER", "YEAR")) + "', CAST("
                        + call.get(1) + " AS DATE), CAST(" + call.get(0) + " AS DATE))";
            }
            case "TIMESTAMP_DIFF" -> {
                call.arity(3, 3);
                return "date_sub('" + call.part(2, TIMESTAMP_PARTS) + "', " + call.get(1) + ", " + call.get(0) + ")";
            }
            case "TIMESTAMP_TRUNC" -> {
                call.arity(2, 3);
                call.utcAt(2);
                Set<String> parts = new java.util.TreeSet<>(TIMESTAMP_PARTS);
                parts.addAll(DATE_PARTS);
                return "CAST(" + truncated(call.get(0), call.part(1, parts)) + " AS TIMESTAMP)";
            }
            case "DATE_TRUNC" -> {
                call.arity(2, 2);
                return "CAST(" + truncated("CAST(" + call.get(0) + " AS DATE)", call.part(1, DATE_PARTS)) + " AS DATE)";
            }
            case "EXTRACT" -> {
                return extract(inside, call);
            }
            case "FORMAT_TIMESTAMP", "FORMAT_DATE" -> {
                call.arity(2, function.equals("FORMAT_DATE") ? 2 : 3);
                call.utcAt(2);
                return "strftime(" + call.get(1) + ", " + format(call.single(0)) + ")";
            }
            case "PARSE_TIMESTAMP" -> {
                call.arity(2, 3);
                call.utcAt(2);
                return "strptime(" + call.get(1) + ", " + format(call.single(0)) + ")";
            }
            case "PARSE_DATE" -> {
                call.arity(2, 2);
                return "CAST(strptime(" + call.get(1) + ", " + format(call.single(0)) + ") AS DATE)";
            }
            case "GENERATE_TIMESTAMP_ARRAY" -> {
                call.arity(3, 3);
                return "generate_series(" + call.get(0) + ", " + call.get(1) + ", " + call.interval(2, TIMESTAMP_PARTS)
                        + ")";
            }
            case "GENERATE_DATE_ARRAY" -> {
                call.arity(2, 3);
                String step = call.size() == 3
                        ? call.interval(2, Set.of("DAY", "WEEK", "MONTH", "QUARTER", "YEAR"))
                        : "INTERVAL (1) DAY";
                return "list_transform(generate_series(CAST(" + call.get(0) + " AS TIMESTAMP), CAST(" + call.get(1)
                        + " AS TIMESTAMP), " + step + "), lambda d: CAST(d AS DATE))";
            }
            case "GREATEST", "LEAST" -> {
                // NULL if any is, where DuckDB passes over it.
                String anyNull = IntStream.range(0, call.size())
                        .mapToObj(i -> "(" + call.get(i) + ") IS NULL")
                        .collect(Collectors.joining(" OR "));
                return "CASE WHEN " + anyNull + " THEN NULL ELSE " + function.toLowerCase(Locale.ROOT) + "("
                        + call.all() + ") END";
            }
            case "IF" -> {
                call.arity(3, 3);
                return "CASE WHEN " + call.get(0) + " THEN " + call.get(1) + " ELSE " + call.get(2) + " END";
            }
            case "IFNULL" -> {
                call.arity(2, 2);
                return "coalesce(" + call.all() + ")";
            }
            case "DIV" -> {
                call.arity(2, 2);
                return "((" + call.get(0) + ") // (" + call.get(1) + "))";
            }
            case "SAFE_DIVIDE" -> {
                call.arity(2, 2);
                return "((" + call.get(0) + ") / nullif(" + call.get(1) + ", 0))";
            }
            case "INT64" -> {
                call.arity(1, 1);
                return "CAST(" + call.get(0) + " AS BIGINT)";
            }
            case "FLOAT64" -> {
                call.arity(1, 1);
                return "CAST(" + call.get(0) + " AS DOUBLE)";
            }
            case "BOOL" -> {
                call.arity(1, 1);
                return "CAST(" + call.get(0) + " AS BOOLEAN)";
            }
            case "JSON_VALUE", "JSON_EXTRACT_SCALAR" -> {
                call.arity(1, 2);
                String path = path(call);
                return "CASE WHEN json_type(" + call.get(0) + ", " + path
                        + ") IN ('OBJECT', 'ARRAY') THEN NULL ELSE json_extract_string(" + call.get(0) + ", " + path
                        + ") END";
            }
            case "JSON_QUERY", "JSON_EXTRACT" -> {
                call.arity(1, 2);
                return "json_extract(" + call.get(0) + ", " + path(call) + ")";
            }
            case "JSON_TYPE" -> {
                call.arity(1, 1);
                return "CASE json_type(" + call.get(0) + ") WHEN 'OBJECT' THEN 'object' WHEN 'ARRAY' THEN 'array'"
                        + " WHEN 'VARCHAR' THEN 'string' WHEN 'BOOLEAN' THEN 'boolean' WHEN 'NULL' THEN 'null'"
                        + " WHEN 'UBIGINT' THEN 'number' WHEN 'BIGINT' THEN 'number' WHEN 'DOUBLE' THEN 'number' END";
            }
            case "MD5" -> {
                // Of bytes or of text in UTF-8; DuckDB answers the digits.
                call.arity(1, 1);
                return "unhex(md5(" + call.get(0) + "))";
            }
            case "TO_HEX" -> {
                call.arity(1, 1);
                return "lower(hex(" + call.get(0) + "))";
            }
            case "TO_JSON_STRING" -> {
                call.arity(1, 1);
                return "CAST(to_json(" + call.get(0) + ") AS VARCHAR)";
            }
            case "TIMESTAMP_SECONDS" -> {
                return ofEpoch(call, 1_000_000);
            }
            case "TIMESTAMP_MILLIS" -> {
                return ofEpoch(call, 1000);
            }
            case "TIMESTAMP_MICROS" -> {
                return ofEpoch(call, 1);
            }
            case "UNIX_SECONDS" -> {
                return epoch(call, 1_000_000);
            }
            case "UNIX_MILLIS" -> {
                return epoch(call, 1000);
            }
            default -> throw new IllegalStateException("No translation of " + function);
        }
    }

    private static String ofEpoch(Call call, int micros) {
        call.arity(1, 1);
        return "make_timestamp(CAST((" + call.get(0) + ") * " + micros + " AS BIGINT))";
    }

    /** Rounded down, before the epoch too. */
    private static String epoch(Call call, int micros) {
        call.arity(1, 1);
        String value = "epoch_us(" + call.get(0) + ")";
        return "((" + value + " - ((" + value + " % " + micros + ") + " + micros + ") % " + micros + ") // " + micros
                + ")";
    }

    /** Weeks begin on Sunday, where DuckDB's begin on Monday. */
    private static String truncated(String value, String part) {
        return switch (part) {
            case "WEEK" -> "(date_trunc('week', " + value + " + INTERVAL 1 DAY) - INTERVAL 1 DAY)";
            case "ISOWEEK" -> "date_trunc('week', " + value + ")";
            case "ISOYEAR" -> "date_trunc('week', make_date(isoyear(" + value + "), 1, 4))";
            default -> "date_trunc('" + part.toLowerCase(Locale.ROOT) + "', " + value + ")";
        };
    }

    private String quantiles(Call call) {
        SqlNode number = call.single(1);
        int buckets;
        try {
            buckets = Integer.parseInt(number.text());
        } catch (NumberFormatException e) {
            throw sql.wrong("APPROX_QUANTILES needs a number of buckets", number);
        }
        if (buckets < 1 || buckets > 10_000) {
            throw sql.wrong("APPROX_QUANTILES needs between 1 and 10000 buckets", number);
        }
        String fractions = IntStream.rangeClosed(0, buckets)
                .mapToObj(i -> Double.toString((double) i / buckets))
                .collect(Collectors.joining(", "));
        return "quantile_disc(" + call.get(0) + ", [" + fractions + "])";
    }

    private String arrayAgg(List<SqlNode> inside, Call call) {
        List<SqlNode> nodes = new ArrayList<>(inside);
        String limit = "";
        boolean ignoresNulls = false;
        if (nodes.size() > 2 && nodes.get(nodes.size() - 2).isWord("LIMIT")) {
            limit = "[:" + nodes.get(nodes.size() - 1).text() + "]";
            nodes = nodes.subList(0, nodes.size() - 2);
        }
        for (int i = 0; i + 1 < nodes.size(); i++) {
            if (nodes.get(i).isWord("IGNORE") && nodes.get(i + 1).isWord("NULLS")) {
                ignoresNulls = true;
                nodes = new ArrayList<>(nodes);
                nodes.remove(i + 1);
                nodes.remove(i);
            }
        }
        String list = "list(" + sql.expression(nodes, call.scope) + ")";
        if (ignoresNulls) {
            list = "list_filter(" + list + ", lambda x: x IS NOT NULL)";
        }
        return limit.isEmpty() ? list : "(" + list + ")" + limit;
    }

    private String cast(String function, List<SqlNode> inside, Call call) {
        int as = inside.size() - 2;
        if (as < 1 || !inside.get(as).isWord("AS")) {
            throw sql.wrong("Syntax error: " + function + " needs a value, AS and a type of one word", call.name);
        }
        return (function.equals("CAST") ? "CAST(" : "TRY_CAST(") + sql.expression(inside.subList(0, as), call.scope)
                + " AS " + sql.type(inside.get(as + 1)) + ")";
    }

    private String extract(List<SqlNode> inside, Call call) {
        if (inside.size() < 3 || !inside.get(1).isWord("FROM")) {
            throw sql.wrong("Syntax error: EXTRACT needs a part, FROM and a value", call.name);
        }
        int end = inside.size();
        if (end > 6 && inside.get(end - 4).isWord("AT") && inside.get(end - 1).kind() == Kind.STRING) {
            if (!inside.get(end - 1).text().equals("UTC")) {
                throw sql.refused("Time zones other than UTC", inside.get(end - 1));
            }
            end -= 4;
        }
        String value = sql.expression(inside.subList(2, end), call.scope);
        return switch (inside.get(0).upper()) {
            case "MICROSECOND" -> "(extract('microsecond' FROM " + value + ") % 1000000)";
            case "MILLISECOND" -> "(extract('millisecond' FROM " + value + ") % 1000)";
            case "SECOND" -> "extract('second' FROM " + value + ")";
            case "MINUTE" -> "extract('minute' FROM " + value + ")";
            case "HOUR" -> "extract('hour' FROM " + value + ")";
            case "DAYOFWEEK" -> "(extract('dayofweek' FROM " + value + ") + 1)";
            case "DAY" -> "extract('day' FROM " + value + ")";
            case "DAYOFYEAR" -> "extract('dayofyear' FROM " + value + ")";
            case "ISOWEEK" -> "extract('week' FROM " + value + ")";
            case "MONTH" -> "extract('month' FROM " + value + ")";
            case "QUARTER" -> "extract('quarter' FROM " + value + ")";
            case "YEAR" -> "extract('year' FROM " + value + ")";
            case "ISOYEAR" -> "extract('isoyear' FROM " + value + ")";
            case "DATE" -> "CAST(" + value + " AS DATE)";
            default -> throw sql.refused("EXTRACT of " + inside.get(0).text(), inside.get(0));
        };
    }

    private String path(Call call) {
        if (call.size() < 2) {
            return "'$'";
        }
        SqlNode path = call.single(1);
        if (path.kind() != Kind.STRING || !path.text().startsWith("$")) {
            throw sql.wrong("JSONPath must be a string literal that starts with '$'", call.name);
        }
        return GoogleSql.literal(path.text());
    }

    private String format(SqlNode format) {
        if (format.kind() != Kind.STRING) {
            throw sql.refused("Formats that are not a literal", format);
        }
        String text = format.text();
        StringBuilder out = new StringBuilder();
        for (int i = 0; i < text.length(); i++) {
            char c = text.charAt(i);
            if (c != '%' || i + 1 == text.length()) {
                out.append(c);
                continue;
            }
            if (text.startsWith("%E6S", i)) {
                out.append("%S.%f");
                i += 3;
            } else if (text.startsWith("%E3S", i)) {
                out.append("%S.%g");
                i += 3;
            } else if (text.startsWith("%Ez", i)) {
                out.append("+00:00");
                i += 2;
            } else {
                String element = FORMAT_ELEMENTS.get(text.charAt(i + 1));
                if (element == null) {
                    throw sql.refused("The format element %" + text.charAt(i + 1), format);
                }
                out.append(element);
                i++;
            }
        }
        return GoogleSql.literal(out.toString());
    }
}
