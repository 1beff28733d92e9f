package dev.engagement;

import dev.engagement.backfill.ProgressReport;
import dev.engagement.config.Command;
import java.util.function.Consumer;

/** What a word of the command line stands for. */
sealed interface CommandLineCommand permits JobCommand, ClientCommand {

    /**
     * A new object for one start.
     *
     * @param report takes how it goes
     * @param warnings takes what does not refuse the command and should be known
     */
    static CommandLineCommand of(Command command, ProgressReport report, Consumer<String> warnings) {
        return switch (command) {
            case CAPTURE -> new CaptureCommand();
            case STREAM -> new StreamCommand(warnings);
            case REBUILD -> new RebuildCommand(report);
            case BACKFILL -> new BackfillCommand(report);
            case REDRIVE -> new RedriveCommand();
            case AUDIT -> new AuditCommand();
        };
    }
}
