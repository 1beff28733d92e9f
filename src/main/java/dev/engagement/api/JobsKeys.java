package dev.engagement.api;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashSet;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The options of the job, by its own reference file: both programs may be given one file and one environment, and what
 * is the other's is no slip of the fingers.
 */
final class JobsKeys {

    private static final String RESOURCE = "engagement-reference.properties";
    private static final Pattern KEY = Pattern.compile("#([a-z][a-z0-9.-]*)(\\*?)=.*");
    private static final Pattern VARIABLE = Pattern.compile("#(" + ApiKey.VARIABLE_PREFIX + "[A-Z0-9_]+)=.*");

    /** What scripts of the local stack and of clusters read. */
    private static final Pattern OF_SCRIPTS =
            Pattern.compile(ApiKey.VARIABLE_PREFIX + "((LOCAL|CLUSTER)_.*|FLINK(_.*)?|DEPLOYMENTS)");

    private static final Set<String> NAMES = new LinkedHashSet<>();
    private static final Set<String> PREFIXES = new LinkedHashSet<>();
    private static final Set<String> VARIABLES = new LinkedHashSet<>();

    static {
        read();
    }

    private JobsKeys() {}

    private static void read() {
        try (InputStream file = JobsKeys.class.getClassLoader().getResourceAsStream(RESOURCE)) {
            if (file == null) {
                throw new IllegalStateException("The resource " + RESOURCE + " is missing; the jar is not whole");
            }
            BufferedReader lines = new BufferedReader(new InputStreamReader(file, StandardCharsets.UTF_8));
            lines.lines().forEach(line -> {
                Matcher key = KEY.matcher(line);
                Matcher variable = VARIABLE.matcher(line);
                if (key.matches()) {
                    (key.group(2).isEmpty() ? NAMES : PREFIXES).add(key.group(1));
                } else if (variable.matches()) {
                    VARIABLES.add(variable.group(1));
                }
            });
        } catch (IOException e) {
            throw new UncheckedIOException("The resource " + RESOURCE + " cannot be read", e);
        }
    }

    /** Their names, but those that only begin something. */
    static Set<String> names() {
        return Set.copyOf(NAMES);
    }

    /** Whether the job has an option of that name. */
    static boolean hasName(String name) {
        return NAMES.contains(name) || PREFIXES.stream().anyMatch(name::startsWith);
    }

    /** Whether a variable is the job's, or of a script that starts it. */
    static boolean hasVariable(String variable) {
        return VARIABLES.contains(variable)
                || variable.equals(ApiKey.variable("config"))
                || OF_SCRIPTS.matcher(variable).matches()
                || NAMES.stream().map(ApiKey::variable).anyMatch(variable::equals)
                || PREFIXES.stream().map(ApiKey::variable).anyMatch(variable::startsWith);
    }
}
