package dev.engagement.config;

import dev.engagement.options.Nearest;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * The command line behind the command's word: {@code --KEY VALUE}, {@code --KEY=VALUE} and {@code --FLAG}; and keys that say
 * something without a value, too, whose text is empty then.
 */
final class Arguments {

    private final Command command;
    private final String[] args;
    private final List<String> problems;
    private final Map<String, Given> options = new LinkedHashMap<>();

    private Arguments(Command command, String[] args, List<String> problems) {
        this.command = command;
        this.args = args;
        this.problems = problems;
    }

    /** The options that this command takes from the command line; what else stands there is a problem. */
    static Map<String, Given> parse(Command command, String[] args, List<String> problems) {
        Arguments arguments = new Arguments(command, args, problems);
        arguments.parse();
        return arguments.options;
    }

    private void parse() {
        int i = 0;
        while (i < args.length) {
            if (!isOption(args[i])) {
                // Not repeated: it may be the rest of a password with a space in it.
                problems.add(
                        i == 0
                                ? "The first word behind '" + command.word()
                                        + "' does not begin with --; options are --KEY VALUE or --KEY=VALUE."
                                : "There is a stray word behind " + nameOnly(args[i - 1], i - 1)
                                        + "; options are --KEY VALUE or --KEY=VALUE, a value with spaces in quotes.");
                i++;
                while (i < args.length && !isOption(args[i])) {
                    i++;
                }
                continue;
            }
            int equals = args[i].indexOf('=');
            String name = args[i].substring(2, equals < 0 ? args[i].length() : equals);
            Optional<Key<?>> key = Keys.named(name);
            boolean isFlag = key.isPresent() && key.get().kind() == Key.Kind.FLAG;
            String value = equals < 0 ? null : args[i].substring(equals + 1);
            i++;
            if (value == null && !isFlag && i < args.length && !isOption(args[i])) {
                value = args[i++];
            }
            if (key.isEmpty()) {
                problems.add("Unknown option --" + name + Nearest.hint(name, namesOf(command), "--")
                        + (Nearest.to(name, namesOf(command)).isEmpty()
                                ? "; '" + command.word() + " --help' lists all."
                                : ""));
            } else {
                add(key.get(), name, isFlag && value == null ? "true" : value);
            }
        }
    }

    private void add(Key<?> key, String name, @Nullable String value) {
        if (key.isSecret()) {
            problems.add("--" + name + " is a secret, and a command line can be read by everyone on the machine; put it"
                    + " into " + Key.waysOfSecret(name) + ".");
        } else if (!key.commands().contains(command)) {
            problems.add("--" + name + " is no option of '" + command.word() + "' but of " + key.takers()
                    + "; leave it out.");
        } else if (value == null && !Keys.standsAlone(key, command)) {
            problems.add("--" + name + " has no value; it needs one: --" + name + "="
                    + key.type().form() + ".");
        } else if (options.put(name, new Given(value == null ? "" : value, "--" + name)) != null) {
            problems.add("--" + name + " is given twice; leave one.");
        }
    }

    private String nameOnly(String argument, int index) {
        if (isOption(argument)) {
            int equals = argument.indexOf('=');
            return equals < 0 ? argument : argument.substring(0, equals);
        }
        return index > 0 && isOption(args[index - 1]) ? args[index - 1] + " and its value" : "the options";
    }

    private static boolean isOption(String argument) {
        return argument.startsWith("--") && argument.length() > 2;
    }

    private static Set<String> namesOf(Command command) {
        return Keys.ALL.stream()
                .filter(key -> key.commands().contains(command))
                .map(Key::name)
                .collect(Collectors.toCollection(LinkedHashSet::new));
    }
}
