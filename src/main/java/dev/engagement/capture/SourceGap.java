package dev.engagement.capture;

import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What is said when the source changed so that rows did not come any more. */
final class SourceGap {

    private SourceGap() {}

    /**
     * The problems, the way on, and how the gap is filled.
     *
     * @param wholeAt when the source was last found whole, null if that is not known
     * @param now the database's time
     */
    static String message(CaptureOptions options, List<String> problems, @Nullable Instant wholeAt, Instant now) {
        // A second more at both ends, as commit times do not quite follow the order of the log.
        Instant from = wholeAt == null
                ? Instant.EPOCH
                : wholeAt.truncatedTo(ChronoUnit.SECONDS).minusSeconds(1);
        Instant to = now.truncatedTo(ChronoUnit.SECONDS).plusSeconds(1);
        return "Capture has stopped for good: PostgreSQL at " + options.jdbcUrl()
                + " is no longer what was captured so far.\n- " + String.join("\n- ", problems)
                + "\nRows committed from " + (wholeAt == null ? "an unknown time on" : from.toString()) + " to " + to
                + " may not have been captured and will not come by themselves.\n"
                + "First mend the above; a table that replaced another is captured from now on, once it is in the"
                + " publication.\n"
                + "Start capture again, without its old state; it goes on at its slot:\n"
                + "  flink run -d engagement-job.jar capture --capture.start latest\n"
                + "Then fill the gap:\n"
                + "  flink run engagement-job.jar backfill --from " + from + " --to " + to + "\n"
                + "The gap grows until capture runs again: let --to reach past that moment. The range is compared with"
                + " event_ts: let --from reach back as far as events come late. Contents that changed in the gap come"
                + " with the backfill.";
    }
}
