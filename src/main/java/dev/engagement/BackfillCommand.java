package dev.engagement;

import dev.engagement.backfill.Backfill;
import dev.engagement.backfill.ProgressReport;
import dev.engagement.backfill.RollupBackfill;
import dev.engagement.config.Destination;
import dev.engagement.config.Settings;
import java.io.PrintStream;
import java.time.Clock;

/**
 * {@code backfill}: rows that the stream never saw into its topic, beside it; or, with {@code --rollups}, cells of rollups
 * computed anew.
 */
final class BackfillCommand implements ClientCommand {

    private final ProgressReport report;

    /** @param report takes how it goes, and the account at its end */
    BackfillCommand(ProgressReport report) {
        this.report = report;
    }

    @Override
    public boolean run(Settings settings, PrintStream out, PrintStream err) throws InterruptedException {
        if (settings.areRollupsAsked()) {
            RollupBackfill.Result result =
                    new RollupBackfill(settings.rollupBackfillOptions(), Clock.systemUTC()).run(report);
            report.line(result.outcome().line());
            return result.refused() == 0;
        }
        CommandTopics.ensureUnlessDryRun(settings, CommandTopics.with(settings), err);
        boolean isWarehouseAsked = settings.destinations().contains(Destination.WAREHOUSE);
        Backfill backfill =
                Backfill.of(settings.backfillOptions(), isWarehouseAsked ? settings.warehouseOptions() : null);
        try {
            report.line(backfill.run(report).line());
            return true;
        } catch (InterruptedException e) {
            err.println("The backfill was interrupted; to run it again is harmless");
            throw e;
        }
    }
}
