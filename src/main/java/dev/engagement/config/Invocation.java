package dev.engagement.config;

import java.util.Arrays;
import java.util.Map;

/** What a whole command line asks for: a command with its settings, or help. */
public sealed interface Invocation {

    /** To show a text, and then nothing more. */
    record Help(String text) implements Invocation {}

    /** To run a command. */
    record Run(Settings settings) implements Invocation {}

    /**
     * Reads and checks everything; starts and connects nothing.
     *
     * @param args what the user typed behind the jar
     * @param environment {@link System#getenv()}
     * @throws ConfigurationException with all that is wrong
     */
    static Invocation parse(String[] args, Map<String, String> environment) {
        boolean help = Arrays.stream(args).anyMatch(arg -> arg.equals("--help") || arg.equals("-h"));
        if (args.length == 0) {
            throw new ConfigurationException("No command is given; it is the first word behind the jar: "
                    + String.join(" or ", Command.words()) + ". --help explains them.");
        }
        if (args[0].equals("help") || (help && args[0].startsWith("-"))) {
            return new Help(HelpText.ofAll());
        }
        if (args[0].startsWith("-")) {
            throw new ConfigurationException("The first word behind the jar is an option; it must be the command: "
                    + String.join(" or ", Command.words()) + ". --help explains them.");
        }
        Command command = Command.of(args[0]);
        if (help) {
            return new Help(HelpText.of(command));
        }
        return new Run(Settings.parse(command, Arrays.copyOfRange(args, 1, args.length), environment));
    }
}
