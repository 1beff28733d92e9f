package dev.engagement.rollup.definition;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** Reads definitions of rollups: those that are shipped, and a user's own on top of them. */
public final class RollupDefinitions {
    private RollupDefinitions() {}

    /** Before the name and the property of everything that is said of a rollup. */
    public static final String PREFIX = "rollup.";

    /** The word in {@code rollups} that stands for all that are shipped. */
    public static final String SHIPPED = "shipped";

    /** No rollup is called so: {@code rollup.postgres.*} says where the tables are. */
    public static final String RESERVED = "postgres";

    /** What may be said of a rollup: the last part of {@code rollup.NAME.PROPERTY}. None has an underscore in its name. */
    public static final List<String> PROPERTIES = List.of(
            DefinitionParser.BY,
            DefinitionParser.WHERE,
            DefinitionParser.WINDOW,
            DefinitionParser.SLIDE,
            DefinitionParser.MEASURES,
            DefinitionParser.TABLE,
            DefinitionParser.RETENTION,
            DefinitionParser.LIVE);

    private static final String NAMES_KEY = "rollups";

    private static final Properties SHIPPED_TEXTS = read("shipped.properties");

    /** The names of those that are shipped, in their order. */
    private static final List<String> SHIPPED_NAMES =
            List.of(SHIPPED_TEXTS.getProperty(NAMES_KEY).split(",", -1));

    /** Those that are shipped, as they are without a word of the user, in their order. */
    public static List<RollupDefinition> shipped() {
        return parse(List.of(SHIPPED), Map.of());
    }

    /** The names of those that are shipped, in their order. */
    public static List<String> shippedNames() {
        return SHIPPED_NAMES;
    }

    /**
     * Reads and checks everything.
     *
     * @param names the rollups that are wanted, in order; {@link #SHIPPED} stands for all that are shipped
     * @param properties texts by {@code NAME.PROPERTY}; of a shipped rollup each overrides one of its own
     * @return the definitions in the order of the names
     * @throws RefusedRollupsException with all that is wrong
     */
    public static List<RollupDefinition> parse(List<String> names, Map<String, String> properties) {
        List<String> problems = new ArrayList<>();
        Set<String> wanted = wanted(names, problems);
        Map<String, Map<String, String>> given = byName(properties, problems);
        List<RollupDefinition> definitions = new ArrayList<>();
        for (String name : wanted) {
            RollupDefinition definition = parse(name, given.getOrDefault(name, Map.of()), problems);
            if (definition != null) {
                definitions.add(definition);
            }
        }
        given.keySet().removeAll(wanted);
        given.forEach((name, texts) -> unwanted(name, texts, names, problems));
        DefinitionRules.together(definitions, problems);
        if (!problems.isEmpty()) {
            throw new RefusedRollupsException(problems);
        }
        return List.copyOf(definitions);
    }

    private static Set<String> wanted(List<String> names, List<String> problems) {
        Set<String> wanted = new LinkedHashSet<>();
        if (names.isEmpty()) {
            problems.add("rollups is empty; name at least one, or 'shipped' for all that are shipped, or leave rollups"
                    + " out of destinations");
        }
        for (String name : names) {
            for (String each : name.equals(SHIPPED) ? SHIPPED_NAMES : List.of(name)) {
                if (!wanted.add(each)) {
                    problems.add("rollups is '" + String.join(",", names) + "' and names '" + each + "' twice"
                            + (names.contains(SHIPPED) && SHIPPED_NAMES.contains(each)
                                    ? ", as 'shipped' stands for it too"
                                    : "")
                            + "; leave one");
                }
            }
        }
        return wanted;
    }

    private static Map<String, Map<String, String>> byName(Map<String, String> properties, List<String> problems) {
        Map<String, Map<String, String>> byName = new TreeMap<>();
        new TreeMap<>(properties).forEach((key, text) -> {
            int dot = key.indexOf('.');
            if (dot < 0) {
                problems.add(PREFIX + key + " is '" + text
                        + "'; a rollup is defined by rollup.NAME.PROPERTY, with "
                        + String.join(", ", PROPERTIES));
                return;
            }
            byName.computeIfAbsent(key.substring(0, dot), name -> new TreeMap<>())
                    .put(key.substring(dot + 1), text.trim());
        });
        return byName;
    }

    private static @Nullable RollupDefinition parse(String name, Map<String, String> given, List<String> problems) {
        int before = problems.size();
        DefinitionRules.name(name, problems);
        if (problems.size() > before) {
            return null;
        }
        Map<String, String> texts = new LinkedHashMap<>();
        if (SHIPPED_NAMES.contains(name)) {
            for (String property : PROPERTIES) {
                String text = SHIPPED_TEXTS.getProperty(DefinitionRules.key(name, property));
                if (text != null) {
                    texts.put(property, text);
                }
            }
        } else if (given.isEmpty()) {
            problems.add(
                    "rollups names '" + name + "', which is not defined; give " + DefinitionRules.key(name, "by") + ", "
                            + DefinitionRules.key(name, "window") + " and " + DefinitionRules.key(name, "measures")
                            + ", or name one that is shipped: " + String.join(", ", SHIPPED_NAMES));
            return null;
        }
        texts.putAll(given);
        return new DefinitionParser(name, texts, problems).parse();
    }

    private static void unwanted(String name, Map<String, String> texts, List<String> names, List<String> problems) {
        String why = name.equals(SHIPPED)
                ? "'" + SHIPPED + "' is no rollup but stands for all that are shipped; name the one that is meant: "
                        + String.join(", ", SHIPPED_NAMES)
                : "rollups is '" + String.join(",", names) + "', which does not name '" + name
                        + "'; add it to rollups, or leave this out";
        texts.forEach((property, text) ->
                problems.add(DefinitionRules.key(name, property) + " is '" + text + "', and " + why));
    }

    private static Properties read(String resource) {
        Properties texts = new Properties();
        try (InputStream in = RollupDefinitions.class.getResourceAsStream(resource)) {
            if (in == null) {
                throw new IllegalStateException("The resource " + resource + " is not beside "
                        + RollupDefinitions.class.getName() + "; the jar is not whole");
            }
            texts.load(in);
        } catch (IOException e) {
            throw new UncheckedIOException("The resource " + resource + " cannot be read", e);
        }
        return texts;
    }
}
