package dev.engagement.faults;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** Commands as an operator types them. */
final class Shell {

    private Shell() {}

    /** What a command said, both streams, and how it ended. */
    record Outcome(List<String> command, int exit, String output) {

        /** The same if it succeeded. */
        Outcome orFail() {
            if (exit != 0) {
                throw new IllegalStateException(
                        String.join(" ", command) + " ended with exit code " + exit + ":\n" + output);
            }
            return this;
        }
    }

    /**
     * Runs a command to its end.
     *
     * @param log where its output goes, for this method and for who looks afterwards; overwritten
     * @param environment added to this JVM's
     */
    static Outcome run(List<String> command, Map<String, String> environment, Path log, Duration limit)
            throws IOException, InterruptedException {
        // Into a file and not a pipe: what the command leaves running would hold a pipe open.
        ProcessBuilder builder = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(log.toFile())
                .redirectInput(ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()));
        builder.environment().putAll(environment);
        Process process = builder.start();
        if (!process.waitFor(limit.toMillis(), TimeUnit.MILLISECONDS)) {
            process.descendants().forEach(ProcessHandle::destroyForcibly);
            process.destroyForcibly().waitFor();
            throw new IllegalStateException(String.join(" ", command) + " did not end within " + limit.toSeconds()
                    + " s:\n" + Files.readString(log));
        }
        return new Outcome(command, process.exitValue(), Files.readString(log));
    }
}
