package dev.engagement.api;

import dev.engagement.connection.PostgresConnection;
import dev.engagement.connection.SecretRef;
import dev.engagement.options.Nearest;
import dev.engagement.options.PropertiesFile;
import dev.engagement.options.ServiceLinks;
import dev.engagement.rollup.definition.RollupDefinitions;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Every option's value: command line before environment before file before default, with every problem on the way.
 * Holds no secret, only where each is to be found.
 */
final class ApiSettings {

    private static final String CONFIG = "config";

    /** A text, and where it came from. */
    private record Given(String text, String origin) {
        Given {
            text = text.trim();
        }
    }

    private final List<String> problems;
    private final Map<String, Given> given = new HashMap<>();
    private final Map<String, Object> values = new HashMap<>();
    private final Set<String> unusable = new LinkedHashSet<>();

    private ApiSettings(List<String> problems) {
        this.problems = problems;
    }

    /** An option was asked for whose problem is known. Never leaves the room. */
    static final class UnusableException extends RuntimeException {
        private static final long serialVersionUID = 1L;

        UnusableException(ApiKey<?> key) {
            super(key + " cannot be used", null, false, false);
        }
    }

    /**
     * Reads all of them.
     *
     * @param problems gets a sentence for each thing that is wrong
     */
    static ApiSettings read(String[] args, Map<String, String> environment, List<String> problems) {
        ApiSettings settings = new ApiSettings(problems);
        Map<String, Given> arguments = settings.arguments(args);
        Map<String, Given> variables = settings.variables(environment);
        Given file = arguments.getOrDefault(CONFIG, variables.get(CONFIG));
        if (file != null) {
            settings.file(file);
        }
        settings.given.putAll(variables);
        settings.given.putAll(arguments);
        ApiKeys.ALL.forEach(settings::parse);
        return settings;
    }

    // ------------------------------------------------------------------------------------------------------- sources

    private Map<String, Given> arguments(String[] args) {
        Map<String, Given> options = new HashMap<>();
        int i = 0;
        while (i < args.length) {
            String argument = args[i++];
            if (!isOption(argument)) {
                // Not repeated: it may be the rest of a password with a space in it.
                problems.add("There is a word that does not begin with --, where an option is expected; options are"
                        + " --KEY VALUE or --KEY=VALUE, a value with spaces in quotes.");
                continue;
            }
            int equals = argument.indexOf('=');
            String name = argument.substring(2, equals < 0 ? argument.length() : equals);
            String value = equals < 0 ? null : argument.substring(equals + 1);
            if (value == null && i < args.length && !isOption(args[i])) {
                value = args[i++];
            }
            ApiKey<?> key = ApiKeys.named(name).orElse(null);
            if (key == null) {
                problems.add("Unknown option --" + name
                        + (JobsKeys.hasName(name)
                                ? ", which is one of the job and means nothing here; leave it out."
                                : unknown(name, "--")));
            } else if (key.isSecret()) {
                problems.add(
                        "--" + name + " is a secret, and a command line can be read by everyone on the machine; put"
                                + " it into " + ApiKey.waysOfSecret(name) + ".");
            } else if (value == null) {
                problems.add("--" + name + " has no value; it needs one: --" + name + "="
                        + key.type().form() + ".");
            } else if (options.put(name, new Given(value, "--" + name)) != null) {
                problems.add("--" + name + " is given twice; leave one.");
            }
        }
        return options;
    }

    private static boolean isOption(String argument) {
        return argument.startsWith("--") && argument.length() > 2;
    }

    private Map<String, Given> variables(Map<String, String> environment) {
        Map<String, ApiKey<?>> byVariable = new HashMap<>();
        ApiKeys.ALL.forEach(key -> byVariable.put(key.variable(), key));
        Map<String, Given> options = new HashMap<>();
        new TreeMap<>(environment).forEach((variable, text) -> {
            // First: beside a service engagement-api, Kubernetes sets what else would be the port.
            if (!variable.startsWith(ApiKey.VARIABLE_PREFIX) || text.isEmpty() || ServiceLinks.isOne(variable, text)) {
                return;
            }
            String origin = "environment variable " + variable;
            ApiKey<?> key = byVariable.get(variable);
            String ofRollup = rollupProperty(variable);
            if (key != null && key.kind() != ApiKey.Kind.NAMESPACE) {
                // Of a secret it is enough to know that it is there.
                options.put(key.name(), new Given(key.isSecret() ? "set" : text, origin));
            } else if (ofRollup != null) {
                options.put(ofRollup, new Given(text, origin));
            } else if (!JobsKeys.hasVariable(variable)) {
                problems.add("Unknown environment variable " + variable
                        + Nearest.to(variable, byVariable.keySet())
                                .map(near -> "; did you mean " + near + "?")
                                .orElse("; variables that begin with " + ApiKey.VARIABLE_PREFIX
                                        + " are options, --help lists them; unset or rename it."));
            }
        });
        return options;
    }

    /**
     * The property of a rollup that the variable means, or null. Rollups' names have underscores, and properties none.
     */
    private static @Nullable String rollupProperty(String variable) {
        String prefix = ApiKeys.ROLLUP_PROPERTIES.variable();
        int last = variable.lastIndexOf('_');
        if (!variable.startsWith(prefix) || last < prefix.length()) {
            return null;
        }
        String name = RollupDefinitions.PREFIX
                + variable.substring(prefix.length(), last).toLowerCase(Locale.ROOT) + "."
                + variable.substring(last + 1).toLowerCase(Locale.ROOT);
        return ApiKeys.isRollupProperty(name) ? name : null;
    }

    private void file(Given path) {
        PropertiesFile.read(path.text(), path.origin(), problems).forEach((name, text) -> {
            ApiKey<?> key = ApiKeys.named(name)
                    .filter(each -> each.kind() != ApiKey.Kind.FILE)
                    .orElse(null);
            if (key != null && key.isSecret()) {
                problems.add(name + " stands in " + path.text() + ", but is a secret; put it into "
                        + ApiKey.waysOfSecret(name) + ".");
            } else if (key != null) {
                given.put(name, new Given(text, path.text()));
            } else if (!JobsKeys.hasName(name)) {
                problems.add("Unknown key '" + name + "' in " + path.text() + unknown(name, ""));
            }
        });
    }

    private static String unknown(String name, String prefix) {
        Set<String> known = new LinkedHashSet<>();
        ApiKeys.ALL.stream()
                .filter(key -> key.kind() != ApiKey.Kind.NAMESPACE)
                .map(ApiKey::name)
                .forEach(known::add);
        if (prefix.isEmpty()) {
            known.addAll(JobsKeys.names());
        }
        return Nearest.to(name, known)
                .map(near -> "; did you mean " + prefix + near + "?")
                .orElse("; --help lists all.");
    }

    // -------------------------------------------------------------------------------------------------------- values

    private void parse(ApiKey<?> key) {
        if (key.kind() == ApiKey.Kind.NAMESPACE) {
            return;
        }
        Given from = given.get(key.name());
        // As the reference file writes it where there is no default.
        boolean isNothing = from == null || (from.text().isEmpty() && key.defaultText() == null);
        if (key.isSecret()) {
            secret(key, isNothing ? null : from);
            return;
        }
        String text = isNothing ? key.defaultText() : from.text();
        if (text == null) {
            return;
        }
        try {
            values.put(key.name(), key.type().parser().parse(text));
        } catch (IllegalArgumentException e) {
            unusable.add(key.name());
            problems.add(key + " is " + (key.type().showsValue() ? "'" + text + "' " : "unusable ") + "("
                    + (from == null ? "default" : from.origin()) + "); " + e.getMessage() + ".");
        }
    }

    private void secret(ApiKey<?> key, @Nullable Given variable) {
        Given file = given.get(key.name() + ApiKey.SECRET_FILE);
        boolean hasFile = file != null && !file.text().isEmpty();
        if (variable != null && hasFile) {
            unusable.add(key.name());
            problems.add(key + " is given twice, by the " + variable.origin() + " and by " + key + ApiKey.SECRET_FILE
                    + " (" + file.origin() + "); leave one.");
        } else if (variable != null) {
            values.put(key.name(), SecretRef.inEnvironment(key.name(), key.variable()));
        } else {
            values.put(key.name(), hasFile ? SecretRef.inFile(key.name(), file.text()) : SecretRef.none());
        }
    }

    /** The value; null if there is none. */
    // A key's type parsed the value.
    @SuppressWarnings("unchecked")
    <T> @Nullable T find(ApiKey<T> key) {
        if (unusable.contains(key.name())) {
            throw new UnusableException(key);
        }
        return (T) values.get(key.name());
    }

    /** The value of an option that has a default. */
    <T> T get(ApiKey<T> key) {
        T value = find(key);
        if (value == null) {
            throw new IllegalStateException(key + " has no value; ask find() for it");
        }
        return value;
    }

    SecretRef secret(ApiKey<String> key) {
        if (unusable.contains(key.name())) {
            throw new UnusableException(key);
        }
        Object reference = values.get(key.name());
        return reference == null ? SecretRef.none() : (SecretRef) reference;
    }

    /** A database, if somebody says by which role. */
    @Nullable
    PostgresConnection database(ApiKey<String> url, ApiKey<String> username, ApiKey<String> password) {
        String role = find(username);
        return role == null ? null : new PostgresConnection(get(url), role, secret(password));
    }

    /** What is said of rollups, by {@code NAME.PROPERTY}. */
    Map<String, String> rollupProperties() {
        Map<String, String> properties = new TreeMap<>();
        given.forEach((name, value) -> {
            if (ApiKeys.isRollupProperty(name)) {
                properties.put(name.substring(RollupDefinitions.PREFIX.length()), value.text());
            }
        });
        return properties;
    }
}
