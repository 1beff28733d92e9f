package dev.engagement;

import dev.engagement.config.Destination;
import dev.engagement.config.Settings;
import dev.engagement.connection.KafkaTopics.Topic;
import dev.engagement.delivery.DeliveryPreflight;
import dev.engagement.liveview.sink.LiveViewPreflight;
import dev.engagement.pipeline.Destinations;
import dev.engagement.pipeline.EngagementPipeline;
import dev.engagement.pipeline.OperatorIds;
import dev.engagement.pipeline.Sources;
import dev.engagement.rollup.RollupTables;
import dev.engagement.rollup.definition.RollupDefinition;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;

/** {@code stream}: Kafka into the destinations. */
final class StreamCommand implements JobCommand {

    private final Consumer<String> warnings;

    /** @param warnings takes what does not refuse the job and should be known */
    StreamCommand(Consumer<String> warnings) {
        this.warnings = warnings;
    }

    @Override
    public void ready(Settings settings) {
        Set<Destination> destinations = settings.destinations();
        settings.rollupsLeftOut().ifPresent(warnings);
        CommandTopics.ensure(settings, topics(settings));
        if (destinations.contains(Destination.LIVEVIEW)) {
            LiveViewPreflight.check(settings.liveViewOptions(), destinations.contains(Destination.ROLLUPS))
                    .ifPresent(warnings);
        }
        if (destinations.contains(Destination.WAREHOUSE)) {
            PipelineParts.readyWarehouse(settings);
        }
        if (destinations.contains(Destination.CLICKHOUSE)) {
            PipelineParts.readyClickHouse(settings);
        }
        if (destinations.contains(Destination.DELIVERY)) {
            DeliveryPreflight.check(settings.deliveryOptions()).ifPresent(warnings);
        }
        if (destinations.contains(Destination.ROLLUPS)) {
            RollupTables.prepare(settings.rollupTarget(), settings.rollupDefinitions())
                    .ifPresent(warnings);
        }
    }

    private static List<Topic> topics(Settings settings) {
        List<Topic> topics = CommandTopics.with(settings);
        if (settings.destinations().contains(Destination.DELIVERY)) {
            topics.add(Topic.ofDeliveryRetries(settings.topics().deliveryRetry()));
            if (settings.deliveryOptions().receipts()) {
                topics.add(Topic.ofDeliveryReceipts(settings.topics().deliveryReceipts()));
            }
        }
        return topics;
    }

    @Override
    public void draw(Settings settings, StreamExecutionEnvironment env) {
        Set<Destination> destinations = settings.destinations();
        EngagementPipeline.wire(
                Sources.ofTopics(env, settings.ingestOptions()),
                PipelineParts.rules(settings),
                new Destinations(
                        destinations.contains(Destination.LIVEVIEW) ? PipelineParts.liveView(settings) : null,
                        PipelineParts.warehouses(settings),
                        destinations.contains(Destination.DELIVERY) ? PipelineParts.delivery(settings) : null,
                        destinations.contains(Destination.ROLLUPS) ? PipelineParts.rollups(settings) : null,
                        PipelineParts.deadLetters(settings)));
    }

    @Override
    public Map<String, Map<String, String>> rollups(Settings settings) {
        if (!settings.destinations().contains(Destination.ROLLUPS)) {
            return Map.of();
        }
        Map<String, String> fingerprints = settings.rollupDefinitions().stream()
                .collect(Collectors.toMap(RollupDefinition::name, RollupDefinition::fingerprint));
        return Map.of(OperatorIds.ROLLUPS.cells(), fingerprints);
    }
}
