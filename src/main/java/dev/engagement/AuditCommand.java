package dev.engagement;

import dev.engagement.audit.Audit;
import dev.engagement.audit.AuditOptions;
import dev.engagement.audit.AuditReport;
import dev.engagement.config.Destination;
import dev.engagement.config.Settings;
import java.io.IOException;
import java.io.PrintStream;
import java.time.Clock;

/** {@code audit}: the stores compared. The report goes to standard output, everything else to the error output. */
final class AuditCommand implements ClientCommand {

    @Override
    public boolean run(Settings settings, PrintStream out, PrintStream err) throws IOException, InterruptedException {
        AuditOptions options = settings.auditOptions();
        if (options.delivery() == null && settings.destinations().contains(Destination.DELIVERY)) {
            err.println("Delivery is not compared: it leaves receipts only with delivery.receipts=true");
        }
        if (options.liveView() == null && settings.destinations().contains(Destination.LIVEVIEW)) {
            err.println("The live view's counts are of all time and not compared; --counts compares them, for which the"
                    + " whole table of events is read");
        }
        if (options.rollups() == null && settings.destinations().contains(Destination.ROLLUPS)) {
            err.println(
                    "Rollups are not compared; --rollups compares them, for which PostgreSQL aggregates the range once"
                            + " for each");
        }
        if (settings.dryRun()) {
            Audit.cost(options, Clock.systemUTC()).forEach(out::println);
            return true;
        }
        AuditReport report = Audit.run(options, Clock.systemUTC(), err::println);
        out.print(settings.json() ? report.asJson(settings.repair()) + "\n" : report.asText(settings.repair()));
        return report.isEqual();
    }
}
