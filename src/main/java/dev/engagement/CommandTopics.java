package dev.engagement;

import dev.engagement.config.Settings;
import dev.engagement.connection.KafkaTopics;
import dev.engagement.connection.KafkaTopics.Topic;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.List;

/** The topics that a command needs, made where they are missing. */
final class CommandTopics {

    private CommandTopics() {}

    /** Events, contents, dead letters, which every command needs that reads or writes Kafka, and some more. */
    static List<Topic> with(Settings settings, Topic... more) {
        List<Topic> topics = new ArrayList<>(List.of(
                Topic.ofEvents(settings.topics().events()),
                Topic.ofContent(settings.topics().content()),
                Topic.ofDeadLetters(settings.topics().deadLetters())));
        topics.addAll(List.of(more));
        return topics;
    }

    static void ensure(Settings settings, List<Topic> topics) {
        KafkaTopics.ensure(settings.kafka(), settings.replicationFactor(), topics);
    }

    /** A dry run makes nothing, and says what it takes for empty. */
    static void ensureUnlessDryRun(Settings settings, List<Topic> topics, PrintStream err) {
        if (!settings.dryRun()) {
            ensure(settings, topics);
            return;
        }
        for (Topic missing : KafkaTopics.missing(settings.kafka(), topics)) {
            err.println("Kafka at " + settings.kafka().bootstrapServers() + " has no topic " + missing.name()
                    + "; a dry run makes none, and takes it for empty");
        }
    }
}
