package dev.engagement.config;

import dev.engagement.connection.SecretRef;
import dev.engagement.rollup.definition.RefusedRollupsException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Merges command line, environment, file and defaults, and collects every problem on the way. */
final class SettingsParser {

    private static final Pattern PLACEHOLDER = Pattern.compile("\\{([a-z.-]+)}");

    private final Command command;
    private final List<String> problems = new ArrayList<>();
    private final Map<String, Given> given = new HashMap<>();

    private SettingsParser(Command command) {
        this.command = command;
    }

    static Settings parse(Command command, String[] args, Map<String, String> environment) {
        return new SettingsParser(command).parse(args, environment);
    }

    private Settings parse(String[] args, Map<String, String> environment) {
        Map<String, Given> arguments = Arguments.parse(command, args, problems);
        boolean mayAskForRollups = Keys.ASKED_ROLLUPS.commands().contains(command);
        // It chooses among the rollups that there are, and does not say which these are.
        Given rollups = mayAskForRollups ? arguments.remove(Keys.ASKED_ROLLUPS.name()) : null;
        Map<String, Given> variables = EnvironmentVariables.parse(environment, problems);
        Given file = arguments.getOrDefault(Keys.CONFIG.name(), variables.get(Keys.CONFIG.name()));
        if (file != null) {
            given.putAll(OptionsFile.parse(file, problems));
        }
        given.putAll(variables);
        given.putAll(arguments);

        Map<Key<?>, Settings.Value> values = new LinkedHashMap<>();
        for (Key<?> key : Keys.ALL) {
            if (key.commands().contains(command) && key.kind() != Key.Kind.NAMESPACE) {
                values.put(key, value(key));
            }
        }
        if (mayAskForRollups) {
            values.put(
                    Keys.ASKED_ROLLUPS,
                    rollups == null ? Settings.Value.of(null, Given.DEFAULT) : parsed(Keys.ASKED_ROLLUPS, rollups));
        }
        Settings settings = new Settings(command, values, kafkaProperties(), rollupProperties());
        // The records' own checks, of those whose options could be read at all.
        parts().forEach(part -> check(part, settings));
        if (!problems.isEmpty()) {
            throw new ConfigurationException(
                    "The configuration of '" + command.word() + "' cannot be used; nothing was started:",
                    problems.stream().distinct().toList());
        }
        return settings;
    }

    private Settings.Value value(Key<?> key) {
        if (key.isSecret()) {
            return secret(key);
        }
        Given from = textOf(key);
        if (from == null) {
            if (key.isRequiredBy(command)) {
                problems.add(key + " is missing; give --" + key
                        + (key.isForOneStart()
                                ? "=" + key.type().form() + "."
                                : ", the environment variable " + key.variable()
                                        + " or a line in the file of --config."));
                return Settings.Value.UNUSABLE;
            }
            return Settings.Value.of(null, Given.DEFAULT);
        }
        return parsed(key, from);
    }

    private Settings.Value parsed(Key<?> key, Given from) {
        try {
            return Settings.Value.of(key.type().parser().parse(from.text()), from.origin());
        } catch (IllegalArgumentException e) {
            if (from.origin().equals(Given.DEFAULT) && madeOfUnusable(key)) {
                return Settings.Value.UNUSABLE;
            }
            problems.add(key + " is " + (key.showsValue() ? "'" + from.text() + "' " : "unusable ") + "("
                    + from.origin() + "); " + e.getMessage() + ".");
            return Settings.Value.UNUSABLE;
        }
    }

    /** Whether a default is unusable only because of another option, which has its own message. */
    private boolean madeOfUnusable(Key<?> key) {
        Matcher placeholder = PLACEHOLDER.matcher(String.valueOf(key.defaultText()));
        while (placeholder.find()) {
            Key<?> part = Keys.named(placeholder.group(1)).orElse(key);
            try {
                part.type().parser().parse(textOf(part.name()));
            } catch (IllegalArgumentException e) {
                return true;
            }
        }
        return false;
    }

    private @Nullable Given byDefault(Key<?> key) {
        String text = key.defaultText();
        if (text == null) {
            return null;
        }
        Matcher placeholder = PLACEHOLDER.matcher(text);
        return new Given(
                placeholder.replaceAll(match -> Matcher.quoteReplacement(
                        match.group(1).equals("command") ? command.word() : textOf(match.group(1)))),
                Given.DEFAULT);
    }

    private @Nullable Given textOf(Key<?> key) {
        Given from = given.get(key.name());
        String absent = Objects.requireNonNullElse(key.defaultText(), "");
        // As the reference file writes them: empty where there is no default, and a template, which means itself.
        boolean noValue = key.defaultText() == null || absent.contains("{");
        boolean asInReference = from != null && noValue && from.text().equals(absent);
        return from == null || asInReference ? byDefault(key) : from;
    }

    private String textOf(String name) {
        Given from = textOf(Keys.named(name).orElseThrow());
        return from == null ? "" : from.text();
    }

    private Settings.Value secret(Key<?> key) {
        Given variable = given.get(key.name());
        Given file = textOf(Keys.named(key.name() + ".secret-file").orElseThrow());
        if (variable != null && file != null) {
            problems.add(key + " is given twice, by the " + variable.origin() + " and by " + key + ".secret-file ("
                    + file.origin() + "); leave one.");
            return Settings.Value.UNUSABLE;
        }
        if (variable == null && file == null && key.isRequiredBy(command)) {
            problems.add(key + " is missing; put it into " + Key.waysOfSecret(key.name()) + ".");
            return Settings.Value.UNUSABLE;
        }
        if (variable != null) {
            return Settings.Value.of(SecretRef.inEnvironment(key.name(), key.variable()), variable.origin());
        }
        return file != null
                ? Settings.Value.of(SecretRef.inFile(key.name(), file.text()), file.origin())
                : Settings.Value.of(SecretRef.none(), Given.DEFAULT);
    }

    private Map<String, String> kafkaProperties() {
        Map<String, Given> properties = new TreeMap<>();
        given.forEach((name, value) -> {
            if (Keys.isKafkaProperty(name)) {
                properties.put(name, value);
            }
        });
        return KafkaProperties.check(properties, problems);
    }

    /** Their texts by {@code NAME.PROPERTY}; what they mean is checked where rollups are wanted. */
    private Map<String, String> rollupProperties() {
        Map<String, String> properties = new TreeMap<>();
        given.forEach((name, value) -> {
            if (Keys.isRollupProperty(name)) {
                properties.put(name.substring(Keys.ROLLUP_PROPERTIES.name().length()), value.text());
            }
        });
        return properties;
    }

    private void check(Consumer<Settings> part, Settings settings) {
        try {
            part.accept(settings);
        } catch (Settings.UnusableException e) {
            // Its message is among the problems already.
            return;
        } catch (RefusedRollupsException e) {
            e.problems().forEach(problem -> problems.add(problem + "."));
        } catch (IllegalArgumentException e) {
            problems.add(e.getMessage() + ".");
        }
    }

    /** What is built out of the values, so that its own checks run before anything is submitted. */
    private List<Consumer<Settings>> parts() {
        return switch (command) {
            case CAPTURE ->
                List.of(Settings::kafka, Settings::topics, Settings::distinctTables, Settings::captureOptions);
            case STREAM -> {
                List<Consumer<Settings>> parts = new ArrayList<>(stages());
                parts.add(settings -> {
                    if (settings.destinations().contains(Destination.DELIVERY)) {
                        settings.deliveryOptions();
                    }
                });
                parts.add(settings -> {
                    if (settings.destinations().contains(Destination.CLICKHOUSE)) {
                        settings.clickHouseOptions();
                    }
                });
                parts.add(ofRollups(Settings::rollupDefinitions));
                parts.add(ofRollups(Settings::rollupOptions));
                yield parts;
            }
            case BACKFILL ->
                List.of(
                        Settings::kafka,
                        Settings::topics,
                        settings -> settings.rangeOptions().requirePast(Instant.now()),
                        settings -> {
                            if (settings.areRollupsAsked()) {
                                settings.rollupBackfillOptions();
                            } else {
                                settings.backfillOptions();
                                warehouse(settings);
                            }
                        });
            case REBUILD -> {
                List<Consumer<Settings>> parts = new ArrayList<>(stages());
                parts.add(settings -> settings.rangeOptions().requirePast(Instant.now()));
                parts.add(Settings::sourceOptions);
                parts.add(Settings::rebuiltDestinations);
                yield parts;
            }
            case REDRIVE ->
                List.of(Settings::kafka, Settings::topics, Settings::redriveOptions, settings -> {
                    if (settings.redriveOptions().needsWarehouse()) {
                        settings.warehouseOptions();
                    }
                });
            case AUDIT -> List.of(Settings::kafka, Settings::topics, Settings::auditOptions);
        };
    }

    private static List<Consumer<Settings>> stages() {
        return List.of(
                Settings::kafka,
                Settings::topics,
                Settings::ingestOptions,
                Settings::enrichmentOptions,
                Settings::dedupeOptions,
                Settings::rankingOptions,
                settings -> {
                    if (settings.destinations().contains(Destination.LIVEVIEW)) {
                        settings.liveViewOptions();
                    }
                },
                SettingsParser::warehouse);
    }

    private static Consumer<Settings> ofRollups(Consumer<Settings> part) {
        return settings -> {
            if (settings.destinations().contains(Destination.ROLLUPS)) {
                part.accept(settings);
            }
        };
    }

    private static void warehouse(Settings settings) {
        if (settings.destinations().contains(Destination.WAREHOUSE)) {
            settings.warehouseOptions();
        }
    }
}
