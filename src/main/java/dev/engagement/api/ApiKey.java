package dev.engagement.api;

import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * One option of the API: declared once in {@link ApiKeys}, and from there parsed, explained by {@code --help} and
 * written into the reference file.
 *
 * @param name lower case, words joined by {@code .} and {@code -}
 * @param type how its text is read
 * @param kind where it may stand
 * @param defaultText what it is if nobody says; null if there is none
 * @param description one line for {@code --help}
 * @param explanation what the reference file says of it: unit, bounds, what too low and too high do
 */
record ApiKey<T>(
        String name,
        ApiKeyType<T> type,
        Kind kind,
        @Nullable String defaultText,
        String description,
        String explanation) {

    /** Where an option may stand. */
    enum Kind {
        /** On the command line, in the environment, in the file. */
        VALUE,
        /** On the command line or in the environment: where the file is. */
        FILE,
        /** In the environment only, or by its {@link #SECRET_FILE} companion in a file of its own. */
        SECRET,
        /** Like VALUE, and every name that begins with this key's is one of it. */
        NAMESPACE
    }

    /** Environment variables of ours begin so. */
    static final String VARIABLE_PREFIX = "ENGAGEMENT_";

    /** Behind the name of a secret: the file that it is in. */
    static final String SECRET_FILE = ".secret-file";

    /** The environment variable that gives this option. */
    String variable() {
        return variable(name);
    }

    static String variable(String name) {
        return VARIABLE_PREFIX + name.toUpperCase(Locale.ROOT).replace('.', '_').replace('-', '_');
    }

    boolean isSecret() {
        return kind == Kind.SECRET;
    }

    /** The two places of a secret, as part of a sentence. */
    static String waysOfSecret(String secret) {
        return "the environment variable " + variable(secret) + " or a file named by " + secret + SECRET_FILE;
    }

    @Override
    public String toString() {
        return name;
    }
}
