package dev.engagement;

import dev.engagement.backfill.BackfillException;
import dev.engagement.capture.CaptureSetupException;
import dev.engagement.config.Command;
import dev.engagement.config.ConfigurationException;
import dev.engagement.connection.KafkaTopics.KafkaUnreachableException;
import dev.engagement.connection.RefusedOptionException;
import dev.engagement.connection.SecretRef.UnreadableSecretException;
import dev.engagement.liveview.sink.LiveViewRefusedException;
import dev.engagement.redrive.RedriveException;
import dev.engagement.rollup.RollupTablesRefusedException;
import dev.engagement.rowstore.RowStoreRefusedException;
import dev.engagement.source.UnfitSourceException;
import java.io.IOException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.util.List;
import org.apache.flink.util.ExceptionUtils;

/** What the process ends with, and what it says when it could not do its work. */
final class ExitCode {

    /** Everything is as it should be. */
    static final int DONE = 0;
    /** Something is left over or differs, or it had to be given up. */
    static final int NOT_ALL = 1;
    /** It was asked wrongly; and, of {@code audit}, whose 1 is an answer, it could not be answered. */
    static final int NOT_ANSWERED = 2;

    /** Of these the message says what is wrong and what to do; of others the stack trace is kept. */
    private static final List<Class<? extends Exception>> EXPLAINED = List.of(
            BackfillException.class,
            CaptureSetupException.class,
            ConfigurationException.class,
            IOException.class,
            KafkaUnreachableException.class,
            LiveViewRefusedException.class,
            RedriveException.class,
            RefusedOptionException.class,
            RollupTablesRefusedException.class,
            UncheckedIOException.class,
            UnfitSourceException.class,
            UnreadableSecretException.class,
            RowStoreRefusedException.class);

    private ExitCode() {}

    static int of(boolean everythingIsAsItShouldBe) {
        return everythingIsAsItShouldBe ? DONE : NOT_ALL;
    }

    /** Says why a command could not be done, and answers its exit code. */
    static int of(Command command, Exception failure, PrintStream err) {
        if (EXPLAINED.stream().anyMatch(type -> type.isInstance(failure))) {
            err.println(failure.getMessage());
        } else {
            err.println(ExceptionUtils.stringifyException(failure));
        }
        return failure instanceof ConfigurationException || command == Command.AUDIT ? NOT_ANSWERED : NOT_ALL;
    }
}
