package dev.engagement.config;

import dev.engagement.options.Nearest;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/** What a start of the jar does: the first word of its command line. */
public enum Command {
    /** PostgreSQL into Kafka, a job of its own. */
    CAPTURE("copies rows of PostgreSQL into the two Kafka topics, until it is stopped"),
    /** Kafka into the destinations. */
    STREAM("reads the topics, enriches, drops duplicates, feeds the destinations, until it is stopped"),
    /** PostgreSQL into the events topic, beside a stream. */
    BACKFILL(
            "publishes rows of a range that the warehouse lacks, and waits for the stream; --rollups: computes cells anew"),
    /** PostgreSQL into fresh destinations. */
    REBUILD("reads a range of event_ts once more from PostgreSQL and writes it into destinations that are still empty"),
    /** Dead letters back to where they belong. No Flink job: it runs where it is started, and ends. */
    REDRIVE("puts dead letters back where they belong, each once, and ends"),
    /** The stores compared. No Flink job: it runs where it is started, and ends. */
    AUDIT("compares what PostgreSQL holds of a range of event_ts with what every destination holds, and ends");

    static final Set<Command> ALL = Set.copyOf(EnumSet.allOf(Command.class));

    private final String summary;

    Command(String summary) {
        this.summary = summary;
    }

    /** The word on the command line. */
    public String word() {
        return name().toLowerCase(Locale.ROOT);
    }

    String summary() {
        return summary;
    }

    static List<String> words() {
        return Arrays.stream(values()).map(Command::word).toList();
    }

    static Command of(String word) {
        for (Command command : values()) {
            if (command.word().equals(word)) {
                return command;
            }
        }
        throw new ConfigurationException("Unknown command '" + word + "'" + Nearest.hint(word, words(), "")
                + "; the commands are " + String.join(", ", words()) + ". --help explains them.");
    }
}
