package dev.engagement.config;

import java.util.Locale;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * One option: declared once in {@link Keys}, and from there parsed, explained by {@code --help} and compared with the
 * reference file.
 *
 * @param name lower case, words joined by {@code .} and {@code -}
 * @param type how its text is read
 * @param kind where it may stand
 * @param defaultText what it is if nobody says; may name other keys in braces; null if there is none
 * @param required whether somebody has to say
 * @param description one line for {@code --help}
 * @param commands the commands that take it
 * @param explanation what the reference file says of it
 */
public record Key<T>(
        String name,
        Type<T> type,
        Kind kind,
        @Nullable String defaultText,
        boolean required,
        String description,
        Set<Command> commands,
        String explanation) {

    /** Environment variables of ours begin so. */
    static final String VARIABLE_PREFIX = "ENGAGEMENT_";

    private static final String SECRET_FILE = ".secret-file";

    /** Where an option may stand. */
    enum Kind {
        /** On the command line, in the environment, in the file. */
        VALUE,
        /** On the command line only, without a value: it is meant for one start and must not outlive it in a file. */
        FLAG,
        /** Like FLAG, with a value. */
        ARGUMENT,
        /** On the command line or in the environment: where the file is. */
        FILE,
        /** In the environment only, or by its {@link #SECRET_FILE} companion in a file of its own. */
        SECRET,
        /** Like VALUE, and every name that begins with this key's is one of it. */
        NAMESPACE
    }

    static <T> Key<T> of(String name, Type<T> type, String defaultText, Set<Command> commands, String description) {
        return new Key<>(name, type, Kind.VALUE, defaultText, false, description, commands, "");
    }

    static <T> Key<T> required(String name, Type<T> type, Set<Command> commands, String description) {
        return new Key<>(name, type, Kind.VALUE, null, true, description, commands, "");
    }

    static <T> Key<T> optional(String name, Type<T> type, Set<Command> commands, String description) {
        return new Key<>(name, type, Kind.VALUE, null, false, description, commands, "");
    }

    static Key<Boolean> flag(String name, Set<Command> commands, String description) {
        return new Key<>(name, Type.FLAG, Kind.FLAG, "false", false, description, commands, "");
    }

    static <T> Key<T> argument(String name, Type<T> type, boolean required, Set<Command> commands, String description) {
        return new Key<>(name, type, Kind.ARGUMENT, null, required, description, commands, "");
    }

    static Key<String> secret(String name, boolean required, Set<Command> commands, String description) {
        return new Key<>(name, Type.TEXT, Kind.SECRET, null, required, description, commands, "");
    }

    /** Names the file that a secret is in, as another way to give it. */
    static Key<String> fileOf(Key<String> secret) {
        return optional(
                secret.name + SECRET_FILE,
                Type.PATH,
                secret.commands,
                "file with that secret, read on the machine that connects (on Flink, every TaskManager)");
    }

    /** The same with what the reference file says of it. */
    Key<T> explained(String text) {
        return new Key<>(name, type, kind, defaultText, required, description, commands, text);
    }

    /** The environment variable that gives this option. */
    public String variable() {
        return VARIABLE_PREFIX + variablePart(name);
    }

    static String variablePart(String name) {
        return name.toUpperCase(Locale.ROOT).replace('.', '_').replace('-', '_');
    }

    boolean isSecret() {
        return kind == Kind.SECRET;
    }

    /** Whether it is for one start only: it stands on the command line and nowhere else. */
    boolean isForOneStart() {
        return kind == Kind.FLAG || kind == Kind.ARGUMENT;
    }

    /** Whether somebody has to say, for that command: redrive reads the database only for some of the letters. */
    boolean isRequiredBy(Command command) {
        return required && (command != Command.REDRIVE || kind == Kind.ARGUMENT);
    }

    /** The commands that take it, as part of a sentence. */
    String takers() {
        return commands.stream()
                .sorted()
                .map(command -> "'" + command.word() + "'")
                .collect(Collectors.joining(", "));
    }

    /** Whether a message may repeat the text that was given. */
    boolean showsValue() {
        return type.showsValue() && kind != Kind.SECRET && kind != Kind.NAMESPACE;
    }

    /** The two places of a secret, as part of a sentence. */
    static String waysOfSecret(String secret) {
        return "the environment variable " + VARIABLE_PREFIX + variablePart(secret) + " or a file named by " + secret
                + SECRET_FILE;
    }

    @Override
    public String toString() {
        return name;
    }
}
