package dev.engagement.config;

import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.function.Function;
import java.util.stream.Collectors;

/** What {@code --help} shows, made of {@link Keys}. */
final class HelpText {
    private HelpText() {}

    private static final String USAGE = "flink run -d engagement-job.jar ";

    /** The commands, then every key. */
    static String ofAll() {
        String commands = Arrays.stream(Command.values())
                .map(command -> "  " + pad(command.word(), 10) + command.summary() + "\n")
                .collect(Collectors.joining());
        return "Usage: " + USAGE + "COMMAND [--config FILE] [--KEY VALUE …]\n\nCommands\n" + commands
                + "\nCOMMAND --help lists what one command takes.\n\n" + keys(Keys.ALL, true) + END;
    }

    /** One command and its keys. */
    static String of(Command command) {
        return "Usage: " + USAGE + command.word() + " [--config FILE] [--KEY VALUE …]\n\n" + command.word() + " "
                + command.summary() + ".\n\n"
                + keys(
                                Keys.ALL.stream()
                                        .filter(key -> key.commands().contains(command))
                                        .toList(),
                                false)
                        .replace("{command}", command.word())
                + END;
    }

    private static final String END = """

            Precedence: command line, environment, file of --config, default.
            In the environment a key is ENGAGEMENT_ and its name in capitals, '.' and '-' as '_': checkpoint.interval is
            ENGAGEMENT_CHECKPOINT_INTERVAL. In the file a key stands as it is here, without the --.
            Durations: 250 ms, 30 s, 10 min, 1 h, 1 d, PT30S. Sizes: 512 kb, 1 mb, 1048576 (bytes).
            Each key at length: engagement-reference.properties, in the jar.
            """;

    private static String keys(List<Key<?>> keys, boolean withCommands) {
        int name = width(keys, HelpText::name);
        int form = width(keys, key -> key.type().form());
        StringBuilder text = new StringBuilder("Keys (unit or words, [default])\n");
        for (Key<?> key : keys) {
            String line = "  " + pad(name(key), name + 2) + pad(key.type().form(), form + 2) + "["
                    + standsIfNotGiven(key) + "]";
            text.append(line.stripTrailing()).append('\n').append("      ").append(key.description());
            if (withCommands && key.commands().size() < Command.values().length) {
                text.append(" (")
                        .append(key.commands().stream()
                                .sorted()
                                .map(Command::word)
                                .collect(Collectors.joining(", ")))
                        .append(" only)");
            }
            text.append('\n');
        }
        return text.toString();
    }

    private static String name(Key<?> key) {
        return switch (key.kind()) {
            case SECRET -> key.variable();
            case NAMESPACE -> "--" + key + "*";
            case VALUE, FLAG, ARGUMENT, FILE -> "--" + key;
        };
    }

    private static String standsIfNotGiven(Key<?> key) {
        if (key.isSecret()) {
            return (key.required() ? "required" : "none") + "; environment, or --" + key + ".secret-file";
        }
        if (key.kind() == Key.Kind.FLAG) {
            return "no; command line only";
        }
        if (key.kind() == Key.Kind.ARGUMENT) {
            return (key.required() ? "required" : "none") + "; command line only";
        }
        if (key.required()) {
            return "required";
        }
        String text = key.defaultText();
        return text == null ? "none" : text.isEmpty() ? "empty" : text;
    }

    private static int width(List<Key<?>> keys, Function<Key<?>, String> column) {
        return keys.stream()
                .map(column)
                .map(String::length)
                .max(Comparator.naturalOrder())
                .orElse(0);
    }

    private static String pad(String text, int width) {
        return text + " ".repeat(Math.max(1, width - text.length()));
    }
}
