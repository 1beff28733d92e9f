package dev.engagement.connection;

import java.io.IOException;
import java.io.Serializable;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * Where a secret is to be found: an environment variable or a file, on the machine that uses it. Serializable; neither
 * its fields nor its text hold the value.
 */
public final class SecretRef implements Serializable {

    private static final long serialVersionUID = 1L;

    private static final SecretRef NONE = new SecretRef("none", null, null);

    private final String option;
    private final @Nullable String environmentVariable;
    private final @Nullable String file;

    private SecretRef(String option, @Nullable String environmentVariable, @Nullable String file) {
        this.option = option;
        this.environmentVariable = environmentVariable;
        this.file = file;
    }

    /** No secret: {@link #read} gives null. */
    public static SecretRef none() {
        return NONE;
    }

    /** The secret of {@code option} is the value of an environment variable. */
    public static SecretRef inEnvironment(String option, String variable) {
        return new SecretRef(option, variable, null);
    }

    /** The secret of {@code option} is the text of a file, one trailing line end left off. */
    public static SecretRef inFile(String option, String path) {
        return new SecretRef(option, null, path);
    }

    /** Whether there is a secret at all. */
    public boolean isPresent() {
        return environmentVariable != null || file != null;
    }

    /**
     * Reads the secret, here and now.
     *
     * @return the secret, or null if this is {@link #none}
     * @throws UnreadableSecretException if it is not where it should be; the message names option and place, never the value
     */
    public @Nullable String read() {
        if (environmentVariable != null) {
            String value = System.getenv(environmentVariable);
            if (value == null || value.isEmpty()) {
                throw new UnreadableSecretException(
                        "The secret " + option + " is expected in the environment variable " + environmentVariable
                                + ", which is not set on this machine; set it there, or use " + option
                                + ".secret-file",
                        null);
            }
            return value;
        }
        if (file != null) {
            try {
                return withoutLineEnd(Files.readString(Path.of(file)));
            } catch (IOException e) {
                throw new UnreadableSecretException(
                        "The secret " + option + " is expected in the file " + file
                                + ", which cannot be read on this machine ("
                                + e.getClass().getSimpleName() + ")",
                        e);
            }
        }
        return null;
    }

    /** A secret is not where it should be. */
    public static final class UnreadableSecretException extends IllegalStateException {
        private static final long serialVersionUID = 1L;

        UnreadableSecretException(String message, @Nullable Throwable cause) {
            super(message, cause);
        }
    }

    private static String withoutLineEnd(String text) {
        int end = text.length();
        if (end > 0 && text.charAt(end - 1) == '\n') {
            end--;
        }
        if (end > 0 && text.charAt(end - 1) == '\r') {
            end--;
        }
        return text.substring(0, end);
    }

    @Override
    public String toString() {
        if (environmentVariable != null) {
            return "secret in $" + environmentVariable;
        }
        return file != null ? "secret in " + file : "no secret";
    }
}
