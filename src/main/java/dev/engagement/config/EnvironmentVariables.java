package dev.engagement.config;

import dev.engagement.options.Nearest;
import dev.engagement.options.ServiceLinks;
import dev.engagement.rollup.definition.RollupDefinitions;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Options in {@code ENGAGEMENT_…} variables. An empty variable counts as not set. */
final class EnvironmentVariables {
    private EnvironmentVariables() {}

    private static final Map<String, Key<?>> BY_VARIABLE = Keys.ALL.stream()
            .filter(key -> !key.isForOneStart() && key.kind() != Key.Kind.NAMESPACE)
            .collect(Collectors.toMap(Key::variable, Function.identity(), (a, b) -> a, LinkedHashMap::new));

    /** Variables of the scripts, which a job that they start inherits, and of the API, which may run beside it. */
    private static final Pattern OF_OTHERS =
            Pattern.compile(Key.VARIABLE_PREFIX + "((LOCAL|CLUSTER|API)_.*|FLINK(_.*)?|DEPLOYMENTS)");

    private static final Map<String, Key<?>> FOR_ONE_START =
            Keys.ALL.stream().filter(Key::isForOneStart).collect(Collectors.toMap(Key::variable, Function.identity()));

    private static final String KAFKA_PROPERTIES = Keys.KAFKA_PROPERTIES.variable();

    private static final String ROLLUP_PROPERTIES = Keys.ROLLUP_PROPERTIES.variable();

    /** All options of all commands in the environment: it is shared by the commands. */
    static Map<String, Given> parse(Map<String, String> environment, List<String> problems) {
        Map<String, Given> options = new LinkedHashMap<>();
        new TreeMap<>(environment).forEach((variable, text) -> {
            if (!variable.startsWith(Key.VARIABLE_PREFIX)
                    || OF_OTHERS.matcher(variable).matches()
                    || text.isEmpty()) {
                return;
            }
            Key<?> key = BY_VARIABLE.get(variable);
            String ofRollup = rollupProperty(variable);
            if (key != null) {
                // Of a secret it is enough to know that it is there.
                String known = key.isSecret() ? "set" : text;
                options.put(key.name(), new Given(known, "environment variable " + variable));
            } else if (variable.startsWith(KAFKA_PROPERTIES) && variable.length() > KAFKA_PROPERTIES.length()) {
                // Names of Kafka's properties have dots and nothing else between their words.
                String property = variable.substring(KAFKA_PROPERTIES.length())
                        .toLowerCase(Locale.ROOT)
                        .replace('_', '.');
                options.put(
                        Keys.KAFKA_PROPERTIES.name() + property, new Given(text, "environment variable " + variable));
            } else if (ofRollup != null) {
                options.put(ofRollup, new Given(text, "environment variable " + variable));
            } else if (FOR_ONE_START.containsKey(variable)) {
                problems.add("The environment variable " + variable + " is set, but " + FOR_ONE_START.get(variable)
                        + " is for one start only; give it on the command line, --" + FOR_ONE_START.get(variable)
                        + ".");
            } else if (!ServiceLinks.isOne(variable, text)) {
                problems.add("Unknown environment variable " + variable
                        + Nearest.hint(variable, BY_VARIABLE.keySet(), "")
                        + (Nearest.to(variable, BY_VARIABLE.keySet()).isEmpty()
                                ? "; variables that begin with " + Key.VARIABLE_PREFIX
                                        + " are options of this job, --help lists them; unset or rename it."
                                : ""));
            }
        });
        return options;
    }

    /** The property of a rollup that the variable means, or null. Rollups' names have underscores, and properties none. */
    private static @Nullable String rollupProperty(String variable) {
        int last = variable.lastIndexOf('_');
        if (!variable.startsWith(ROLLUP_PROPERTIES) || last < ROLLUP_PROPERTIES.length()) {
            return null;
        }
        String rollup = variable.substring(ROLLUP_PROPERTIES.length(), last).toLowerCase(Locale.ROOT);
        String property = variable.substring(last + 1).toLowerCase(Locale.ROOT);
        String name = Keys.ROLLUP_PROPERTIES.name() + rollup + "." + property;
        return RollupDefinitions.PROPERTIES.contains(property) && Keys.isRollupProperty(name) ? name : null;
    }
}
