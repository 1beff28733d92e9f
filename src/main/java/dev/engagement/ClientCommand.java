package dev.engagement;

import dev.engagement.config.Settings;
import java.io.PrintStream;

/** A command that is a client of the stores, and no Flink job: it runs where it is started, and has ended when it returns. */
non-sealed interface ClientCommand extends CommandLineCommand {

    /**
     * Does it; blocking.
     *
     * @param out takes what was asked for
     * @param err takes what is to be known besides
     * @return whether everything is as it should be
     * @throws Exception if it could not be done; {@link ExitCode} says which ones are explained by their message
     */
    boolean run(Settings settings, PrintStream out, PrintStream err) throws Exception;
}
