package dev.engagement.capture;

import java.time.Instant;
import java.time.temporal.ChronoUnit;
import org.jspecify.annotations.Nullable;

/**
 * A time in which rows were committed and perhaps not captured, and what is said of how they come all the same.
 *
 * @param from its beginning, null if that is not known
 * @param to its end, as far as it has come
 */
record Gap(@Nullable Instant from, Instant to) {

    /** The command that captures again, as a line. */
    static final String START_AGAIN = "  flink run -d engagement-job.jar capture --capture.start latest\n";

    /** How the range is to be chosen, as the end of a sentence and of the message. */
    static final String RANGE = "let --to reach past that moment. The range is compared with event_ts: let --from reach"
            + " back as far as events come late. Contents that changed in the gap come with the backfill.";

    /** What else there is to do where an outbox is captured. */
    static final String OUTBOX =
            "\nBackfill reads the tables. Without that right start capture with --capture.start initial:"
                    + " it reads what the outbox still holds, and what comes twice counts once.";

    /** In whole seconds, and a second more at both ends, as commit times do not quite follow the order of the log. */
    static Gap between(@Nullable Instant from, Instant to) {
        return new Gap(
                from == null ? null : from.truncatedTo(ChronoUnit.SECONDS).minusSeconds(1),
                to.truncatedTo(ChronoUnit.SECONDS).plusSeconds(1));
    }

    /** Its beginning, in words if that is not known. */
    String beginning() {
        return from == null ? "an unknown time on" : from.toString();
    }

    /** The command that fills it, as a line. */
    String backfill() {
        return "  flink run engagement-job.jar backfill --from " + (from == null ? Instant.EPOCH : from) + " --to " + to
                + "\n";
    }
}
