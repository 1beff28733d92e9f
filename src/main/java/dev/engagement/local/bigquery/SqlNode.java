package dev.engagement.local.bigquery;

import java.util.List;
import java.util.Locale;

/**
 * A token of GoogleSQL, or a pair of parentheses or brackets with what stands in it.
 *
 * @param text of a word as written, of a string its value, of a quoted name its inside
 * @param position in the query, from 0
 */
record SqlNode(Kind kind, String text, List<SqlNode> inside, int position) {

    enum Kind {
        /** A keyword, or a name without backticks. */
        WORD,
        /** In backticks. */
        NAME,
        STRING,
        NUMBER,
        SYMBOL,
        /** {@code @name} or {@code ?}. */
        PARAMETER,
        PARENTHESES,
        BRACKETS
    }

    static SqlNode token(Kind kind, String text, int position) {
        return new SqlNode(kind, text, List.of(), position);
    }

    boolean isWord(String upperCase) {
        return kind == Kind.WORD && text.equalsIgnoreCase(upperCase);
    }

    boolean isSymbol(String symbol) {
        return kind == Kind.SYMBOL && text.equals(symbol);
    }

    boolean isName() {
        return kind == Kind.WORD || kind == Kind.NAME;
    }

    String upper() {
        return text.toUpperCase(Locale.ROOT);
    }
}
