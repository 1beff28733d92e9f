package dev.engagement.local;

import dev.engagement.event.EventIdKind;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The options of {@code scripts/local.sh}; what they mean is in its help text.
 *
 * @param load how much load
 * @param exit whether to compare and exit once all events are there
 * @param timeout how long the self-check waits without progress
 * @param parallelism of the jobs
 * @param jobs whether to run the jobs at all
 * @param cluster whether on a session cluster of processes of its own
 * @param outbox whether capture reads an outbox instead of the tables
 * @param avro whether the topics are Avro, by a schema registry
 * @param eventIds what the primary keys of events are
 * @param picture where what the screen shows is kept as an SVG, or null
 * @param help whether the help text is all that is wanted
 */
record LocalOptions(
        LoadOptions load,
        boolean exit,
        Duration timeout,
        int parallelism,
        boolean jobs,
        boolean cluster,
        boolean outbox,
        boolean avro,
        EventIdKind eventIds,
        @Nullable Path picture,
        boolean help) {

    /** A command line that cannot be run; the message says why and what would do. */
    static final class UsageException extends Exception {
        private static final long serialVersionUID = 1L;

        UsageException(String message) {
            super(message);
        }
    }

    private static final String SEE_HELP = "; scripts/local.sh --help lists the options";
    private static final int MAX_PARALLELISM = 128;

    /** Reads a command line: {@code --option value} or {@code --option=value}. */
    static LocalOptions parse(List<String> arguments) throws UsageException {
        double rate = 50;
        long events = 0;
        long burst = 0;
        long burstEvery = 0;
        long contents = 200;
        long seed = 1;
        long timeout = 60;
        long parallelism = 2;
        boolean exit = false;
        boolean jobs = true;
        boolean cluster = false;
        boolean outbox = false;
        boolean avro = false;
        EventIdKind eventIds = EventIdKind.LONG;
        Path picture = null;
        boolean help = false;
        int at = 0;
        while (at < arguments.size()) {
            String argument = arguments.get(at++);
            int equals = argument.indexOf('=');
            String option = equals < 0 ? argument : argument.substring(0, equals);
            switch (option) {
                case "--exit", "--no-jobs", "--cluster", "--help", "-h" -> {
                    if (equals >= 0) {
                        throw new UsageException(option + " takes no value, but got '" + argument + "'" + SEE_HELP);
                    }
                    exit |= option.equals("--exit");
                    jobs &= !option.equals("--no-jobs");
                    cluster |= option.equals("--cluster");
                    help |= option.equals("--help") || option.equals("-h");
                }
                case "--rate",
                        "--events",
                        "--burst",
                        "--burst-every",
                        "--contents",
                        "--seed",
                        "--timeout",
                        "--picture",
                        "--source",
                        "--format",
                        "--event-id",
                        "--parallelism" -> {
                    String value;
                    if (equals >= 0) {
                        value = argument.substring(equals + 1);
                    } else if (at < arguments.size()) {
                        value = arguments.get(at++);
                    } else {
                        throw new UsageException(option + " needs a value" + SEE_HELP);
                    }
                    switch (option) {
                        case "--rate" -> rate = decimal(option, value);
                        case "--events" -> events = number(option, value, 0, Long.MAX_VALUE);
                        case "--burst" -> burst = number(option, value, 0, Integer.MAX_VALUE);
                        case "--burst-every" -> burstEvery = number(option, value, 0, 86_400);
                        case "--contents" -> contents = number(option, value, 1, 1_000_000);
                        case "--seed" -> seed = number(option, value, Long.MIN_VALUE, Long.MAX_VALUE);
                        case "--source" -> outbox = isOutbox(value);
                        case "--format" -> avro = isAvro(option, value);
                        case "--event-id" -> eventIds = eventIds(option, value);
                        case "--picture" -> picture = Path.of(value);
                        case "--timeout" -> timeout = number(option, value, 1, 86_400);
                        default -> parallelism = number(option, value, 1, MAX_PARALLELISM);
                    }
                }
                default -> throw new UsageException("Unknown option '" + argument + "'" + SEE_HELP);
            }
        }
        if (exit && events == 0 && !help) {
            throw new UsageException(
                    "--exit needs --events above 0: it exits when so many events have arrived" + SEE_HELP);
        }
        if (exit && !jobs) {
            throw new UsageException("--exit and --no-jobs exclude each other: without jobs nothing ever arrives");
        }
        if (picture != null && !Files.isDirectory(picture.toAbsolutePath().getParent())) {
            throw new UsageException("--picture is " + picture + ", whose folder does not exist" + SEE_HELP);
        }
        try {
            return new LocalOptions(
                    new LoadOptions(seed, (int) contents, rate, events, (int) burst, Duration.ofSeconds(burstEvery)),
                    exit,
                    Duration.ofSeconds(timeout),
                    (int) parallelism,
                    jobs,
                    cluster,
                    outbox,
                    avro,
                    eventIds,
                    picture,
                    help);
        } catch (IllegalArgumentException e) {
            throw new UsageException(e.getMessage() + SEE_HELP);
        }
    }

    private static boolean isOutbox(String source) throws UsageException {
        return switch (source) {
            case "tables" -> false;
            case "outbox" -> true;
            default -> throw new UsageException("--source is '" + source + "'; it can be tables or outbox" + SEE_HELP);
        };
    }

    private static boolean isAvro(String option, String value) throws UsageException {
        if (!value.equals("avro") && !value.equals("json")) {
            throw new UsageException(option + " is '" + value + "'; it needs to be json or avro" + SEE_HELP);
        }
        return value.equals("avro");
    }

    private static EventIdKind eventIds(String option, String value) throws UsageException {
        return switch (value) {
            case "long" -> EventIdKind.LONG;
            case "text" -> EventIdKind.TEXT;
            default -> throw new UsageException(option + " is '" + value + "'; it is long or text" + SEE_HELP);
        };
    }

    private static long number(String option, String value, long min, long max) throws UsageException {
        try {
            long number = Long.parseLong(value);
            if (number >= min && number <= max) {
                return number;
            }
        } catch (NumberFormatException e) {
            throw new UsageException(option + " is '" + value + "', which is not a whole number" + SEE_HELP);
        }
        throw new UsageException(option + " is " + value + "; it needs to be " + min + " to " + max + SEE_HELP);
    }

    private static double decimal(String option, String value) throws UsageException {
        try {
            return Double.parseDouble(value);
        } catch (NumberFormatException e) {
            throw new UsageException(option + " is '" + value + "', which is not a number" + SEE_HELP);
        }
    }
}
