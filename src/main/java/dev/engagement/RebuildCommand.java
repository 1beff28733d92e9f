package dev.engagement;

import dev.engagement.backfill.Backfill;
import dev.engagement.backfill.ProgressReport;
import dev.engagement.backfill.RebuildReport;
import dev.engagement.config.Destination;
import dev.engagement.config.Settings;
import dev.engagement.liveview.sink.FreshLiveView;
import dev.engagement.pipeline.Counted;
import dev.engagement.pipeline.EngagementPipeline;
import dev.engagement.pipeline.Sources;
import dev.engagement.warehouse.FreshWarehouse;
import java.util.Set;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.RestartStrategyOptions;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;

/**
 * {@code rebuild}: PostgreSQL into destinations that no job has written to. Nothing is delivered: it was, or will be by the
 * live job.
 */
final class RebuildCommand implements JobCommand {

    /** In a row, within some minutes. */
    private static final int MAX_ATTEMPTS = 10;

    private final ProgressReport report;
    /** So many are expected; 0 until they have been counted. */
    private long rows;

    /** @param report takes how it goes, and the account at its end */
    RebuildCommand(ProgressReport report) {
        this.report = report;
    }

    @Override
    public void ready(Settings settings) {
        CommandTopics.ensure(settings, CommandTopics.with(settings));
        Set<Destination> destinations = settings.rebuiltDestinations();
        if (destinations.contains(Destination.LIVEVIEW)) {
            FreshLiveView.require(settings.liveViewOptions());
        }
        if (destinations.contains(Destination.WAREHOUSE)) {
            FreshWarehouse.require(settings.warehouseOptions());
            PipelineParts.readyWarehouse(settings);
        }
        rows = Backfill.rows(settings.sourceOptions(), settings.rangeOptions());
    }

    @Override
    public void draw(Settings settings, StreamExecutionEnvironment env) {
        Set<Destination> destinations = settings.rebuiltDestinations();
        boolean intoWarehouse = destinations.contains(Destination.WAREHOUSE);
        if (env.getConfiguration()
                .getOptional(RestartStrategyOptions.RESTART_STRATEGY_EXPONENTIAL_DELAY_ATTEMPTS)
                .isEmpty()) {
            // Somebody waits for its end: what does not pass by itself is to be told, and not tried for ever.
            env.configure(new Configuration()
                    .set(RestartStrategyOptions.RESTART_STRATEGY_EXPONENTIAL_DELAY_ATTEMPTS, MAX_ATTEMPTS));
        }
        EngagementPipeline.wire(
                Sources.ofTables(env, settings.sourceOptions(), settings.rangeOptions(), settings.ingestOptions()),
                PipelineParts.rules(settings),
                Counted.destinations(
                        destinations.contains(Destination.LIVEVIEW) ? PipelineParts.liveView(settings) : null,
                        intoWarehouse ? PipelineParts.warehouse(settings) : null,
                        PipelineParts.deadLetters(settings)));
        env.registerJobListener(new RebuildReport(report, rows, intoWarehouse ? settings.warehouseOptions() : null));
    }
}
