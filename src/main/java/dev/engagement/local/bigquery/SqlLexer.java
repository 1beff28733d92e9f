package dev.engagement.local.bigquery;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;

/** Cuts GoogleSQL into tokens, and pairs parentheses and brackets. */
final class SqlLexer {

    private static final List<String> LONG_SYMBOLS = List.of("<=", ">=", "!=", "<>", "||", "<<", ">>", "=>", "|>");
    private static final String SYMBOLS = "+-*/=<>,.;&|^~:{}";

    private record Open(char bracket, int position, List<SqlNode> outside) {}

    private final String sql;
    private int at;

    private SqlLexer(String sql) {
        this.sql = sql;
    }

    /**
     * @throws RestException where it is no GoogleSQL
     */
    static List<SqlNode> read(String sql) {
        return new SqlLexer(sql).all();
    }

    private List<SqlNode> all() {
        Deque<Open> open = new ArrayDeque<>();
        List<SqlNode> nodes = new ArrayList<>();
        while (skipToToken()) {
            char c = sql.charAt(at);
            int position = at;
            if (c == '(' || c == '[') {
                open.push(new Open(c, position, nodes));
                nodes = new ArrayList<>();
                at++;
            } else if (c == ')' || c == ']') {
                if (open.isEmpty() || open.peek().bracket() != (c == ')' ? '(' : '[')) {
                    throw syntax("Unexpected \"" + c + "\"", position);
                }
                Open closed = open.pop();
                SqlNode.Kind kind = c == ')' ? SqlNode.Kind.PARENTHESES : SqlNode.Kind.BRACKETS;
                closed.outside().add(new SqlNode(kind, "", List.copyOf(nodes), closed.position()));
                nodes = closed.outside();
                at++;
            } else {
                nodes.add(token(c, position));
            }
        }
        if (!open.isEmpty()) {
            throw syntax("Expected \"" + (open.peek().bracket() == '(' ? ")" : "]") + "\" but got end of script", at);
        }
        return nodes;
    }

    /** Over white space and comments; false at the end. */
    private boolean skipToToken() {
        while (at < sql.length()) {
            if (Character.isWhitespace(sql.charAt(at))) {
                at++;
            } else if (sql.startsWith("--", at) || sql.charAt(at) == '#') {
                int end = sql.indexOf('\n', at);
                at = end < 0 ? sql.length() : end;
            } else if (sql.startsWith("/*", at)) {
                int end = sql.indexOf("*/", at + 2);
                if (end < 0) {
                    throw syntax("Unclosed comment", at);
                }
                at = end + 2;
            } else {
                return true;
            }
        }
        return false;
    }

    private SqlNode token(char c, int position) {
        if (c == '`') {
            int end = sql.indexOf('`', at + 1);
            if (end < 0) {
                throw syntax("Unclosed identifier literal", position);
            }
            at = end + 1;
            return SqlNode.token(SqlNode.Kind.NAME, sql.substring(position + 1, end), position);
        }
        if (c == '\'' || c == '"') {
            return SqlNode.token(SqlNode.Kind.STRING, string(false), position);
        }
        if ((c == 'r' || c == 'R') && at + 1 < sql.length() && isQuote(sql.charAt(at + 1))) {
            at++;
            return SqlNode.token(SqlNode.Kind.STRING, string(true), position);
        }
        if ((c == 'b' || c == 'B') && at + 1 < sql.length() && isQuote(sql.charAt(at + 1))) {
            throw syntax("The emulator has no BYTES", position);
        }
        if (Character.isLetter(c) || c == '_') {
            return SqlNode.token(SqlNode.Kind.WORD, word(), position);
        }
        boolean fraction = c == '.' && at + 1 < sql.length() && isDigit(sql.charAt(at + 1)) && !endsAName(position);
        if (isDigit(c) || fraction) {
            return SqlNode.token(SqlNode.Kind.NUMBER, number(), position);
        }
        if (c == '?') {
            at++;
            return SqlNode.token(SqlNode.Kind.PARAMETER, "?", position);
        }
        if (c == '@') {
            at++;
            return SqlNode.token(SqlNode.Kind.PARAMETER, word(), position);
        }
        for (String symbol : LONG_SYMBOLS) {
            if (sql.startsWith(symbol, at)) {
                at += symbol.length();
                return SqlNode.token(SqlNode.Kind.SYMBOL, symbol, position);
            }
        }
        if (SYMBOLS.indexOf(c) >= 0) {
            at++;
            return SqlNode.token(SqlNode.Kind.SYMBOL, String.valueOf(c), position);
        }
        throw syntax("Illegal input character \"" + c + "\"", position);
    }

    private boolean endsAName(int position) {
        if (position == 0) {
            return false;
        }
        char before = sql.charAt(position - 1);
        return Character.isLetterOrDigit(before) || before == '_' || before == '`';
    }

    private static boolean isQuote(char c) {
        return c == '\'' || c == '"';
    }

    private static boolean isDigit(char c) {
        return c >= '0' && c <= '9';
    }

    private String word() {
        int begin = at;
        while (at < sql.length() && (Character.isLetterOrDigit(sql.charAt(at)) || sql.charAt(at) == '_')) {
            at++;
        }
        if (begin == at) {
            throw syntax("Expected a name", at);
        }
        return sql.substring(begin, at);
    }

    private String number() {
        int begin = at;
        if (sql.startsWith("0x", at) || sql.startsWith("0X", at)) {
            at += 2;
            while (at < sql.length() && Character.digit(sql.charAt(at), 16) >= 0) {
                at++;
            }
            return Long.toString(Long.parseUnsignedLong(sql.substring(begin + 2, at), 16));
        }
        boolean exponent = false;
        while (at < sql.length()) {
            char c = sql.charAt(at);
            boolean sign = (c == '+' || c == '-') && exponent && "eE".indexOf(sql.charAt(at - 1)) >= 0;
            if (isDigit(c) || c == '.' && !exponent || sign) {
                at++;
            } else if ((c == 'e' || c == 'E') && !exponent) {
                exponent = true;
                at++;
            } else {
                break;
            }
        }
        return sql.substring(begin, at);
    }

    private String string(boolean raw) {
        int begin = at;
        String one = sql.substring(at, at + 1);
        String quote = sql.startsWith(one.repeat(3), at) ? one.repeat(3) : one;
        at += quote.length();
        StringBuilder value = new StringBuilder();
        while (!sql.startsWith(quote, at)) {
            if (at >= sql.length() || quote.length() == 1 && sql.charAt(at) == '\n') {
                throw syntax("Unclosed string literal", begin);
            }
            char c = sql.charAt(at++);
            if (c != '\\') {
                value.append(c);
            } else if (raw) {
                value.append(c);
                if (at < sql.length()) {
                    value.append(sql.charAt(at++));
                }
            } else {
                escape(value);
            }
        }
        at += quote.length();
        return value.toString();
    }

    private void escape(StringBuilder into) {
        int begin = at - 1;
        char c = at < sql.length() ? sql.charAt(at++) : ' ';
        switch (c) {
            case 'n' -> into.append('\n');
            case 't' -> into.append('\t');
            case 'r' -> into.append('\r');
            case 'b' -> into.append('\b');
            case 'f' -> into.append('\f');
            case 'a' -> into.append('\u0007');
            case 'v' -> into.append('\u000b');
            case '\\', '\'', '"', '`', '?' -> into.append(c);
            case 'x', 'X' -> into.appendCodePoint(code(2, 16, begin));
            case 'u' -> into.appendCodePoint(code(4, 16, begin));
            case 'U' -> into.appendCodePoint(code(8, 16, begin));
            case '0', '1', '2', '3' -> {
                at--;
                into.appendCodePoint(code(3, 8, begin));
            }
            default -> throw syntax("Illegal escape sequence: \\" + c, begin);
        }
    }

    private int code(int digits, int radix, int begin) {
        try {
            int code = Integer.parseInt(sql.substring(at, Math.min(sql.length(), at + digits)), radix);
            if (!Character.isValidCodePoint(code)) {
                throw syntax("Illegal escape sequence", begin);
            }
            at += digits;
            return code;
        } catch (NumberFormatException e) {
            throw syntax("Illegal escape sequence", begin);
        }
    }

    private RestException syntax(String what, int position) {
        return RestException.invalidQuery("Syntax error: " + what + " at " + place(sql, position));
    }

    /** As BigQuery's messages say it: {@code [line:column]}. */
    static String place(String sql, int position) {
        String before = sql.substring(0, Math.min(position, sql.length()));
        int line = (int) before.chars().filter(c -> c == '\n').count() + 1;
        return "[" + line + ":" + (before.length() - before.lastIndexOf('\n')) + "]";
    }
}
