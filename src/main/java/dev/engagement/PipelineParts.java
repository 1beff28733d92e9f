package dev.engagement;

import dev.engagement.clickhouse.ClickHouse;
import dev.engagement.config.Destination;
import dev.engagement.config.Settings;
import dev.engagement.delivery.DeliveryStreams;
import dev.engagement.liveview.LiveViewRules;
import dev.engagement.pipeline.BigQueryWarehouse;
import dev.engagement.pipeline.ClickHouseWarehouse;
import dev.engagement.pipeline.Destinations;
import dev.engagement.pipeline.HttpDelivery;
import dev.engagement.pipeline.KafkaDeadLetters;
import dev.engagement.pipeline.PostgresRollups;
import dev.engagement.pipeline.RedisLiveView;
import dev.engagement.pipeline.Rules;
import dev.engagement.warehouse.Warehouse;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/** The pipeline's ends and rules, as the options have them. */
final class PipelineParts {

    private PipelineParts() {}

    static Rules rules(Settings settings) {
        return new Rules(
                settings.topics().events(),
                settings.ingestOptions().eventTime(),
                settings.enrichmentOptions(),
                settings.dedupeOptions(),
                settings.rankingOptions());
    }

    static RedisLiveView liveView(Settings settings) {
        return new RedisLiveView(settings.liveViewOptions(), liveViewRules(settings));
    }

    private static LiveViewRules liveViewRules(Settings settings) {
        return new LiveViewRules(settings.rankingOptions().maxClockSkew(), settings.eventCache());
    }

    /** Those among the destinations. */
    static List<Destinations.Warehouse> warehouses(Settings settings) {
        List<Destinations.Warehouse> warehouses = new ArrayList<>();
        if (settings.destinations().contains(Destination.WAREHOUSE)) {
            warehouses.add(warehouse(settings));
        }
        if (settings.destinations().contains(Destination.CLICKHOUSE)) {
            warehouses.add(new ClickHouseWarehouse(
                    settings.clickHouseOptions(), settings.topics().events()));
        }
        return warehouses;
    }

    static BigQueryWarehouse warehouse(Settings settings) {
        return new BigQueryWarehouse(
                settings.warehouseOptions(), settings.topics().events());
    }

    /** The warehouse's table made, or checked if it is there. */
    static void readyWarehouse(Settings settings) {
        ready(() -> Warehouse.prepare(settings.warehouseOptions()));
    }

    /** The same of ClickHouse. */
    static void readyClickHouse(Settings settings) {
        ready(() -> ClickHouse.prepare(settings.clickHouseOptions()));
    }

    @FunctionalInterface
    private interface Preparation {
        void run() throws IOException, InterruptedException;
    }

    private static void ready(Preparation table) {
        try {
            table.run();
        } catch (IOException e) {
            throw new UncheckedIOException(e.getMessage(), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("Interrupted while the warehouse's table was made", e);
        }
    }

    static HttpDelivery delivery(Settings settings) {
        return new HttpDelivery(
                settings.deliveryOptions(),
                settings.kafka(),
                new DeliveryStreams.Topics(
                        settings.topics().events(),
                        settings.topics().deliveryRetry(),
                        settings.topics().deliveryReceipts()),
                settings.ingestOptions().groupId(),
                settings.ingestOptions().acceptGap());
    }

    /** Shown in the live view if that is a destination, too. */
    static PostgresRollups rollups(Settings settings) {
        boolean areShown = settings.destinations().contains(Destination.LIVEVIEW);
        return new PostgresRollups(
                settings.rollupOptions(), areShown ? settings.liveViewOptions() : null, liveViewRules(settings));
    }

    static KafkaDeadLetters deadLetters(Settings settings) {
        return new KafkaDeadLetters(settings.kafka(), settings.deadLetterOptions(build()));
    }

    /** The version in the jar's manifest; classes that never were in a jar have none. */
    private static String build() {
        return Objects.requireNonNullElse(EngagementJob.class.getPackage().getImplementationVersion(), "development");
    }
}
