package dev.engagement;

import dev.engagement.config.Settings;
import dev.engagement.connection.KafkaTopics.Topic;
import dev.engagement.redrive.Redrive;
import dev.engagement.redrive.RedriveException;
import dev.engagement.redrive.RedriveOptions;
import java.io.PrintStream;

/** {@code redrive}: dead letters back to where they belong. */
final class RedriveCommand implements ClientCommand {

    @Override
    public boolean run(Settings settings, PrintStream out, PrintStream err)
            throws RedriveException, InterruptedException {
        CommandTopics.ensureUnlessDryRun(
                settings,
                CommandTopics.with(
                        settings,
                        Topic.ofRedriven(settings.topics().deadLettersRedriven()),
                        Topic.ofDeliveryRetries(settings.topics().deliveryRetry())),
                err);
        RedriveOptions options = settings.redriveOptions();
        Redrive redrive =
                new Redrive(options, options.needsWarehouse() ? settings.warehouseOptions() : null, out::println);
        return redrive.run().couldNot() == 0;
    }
}
