package dev.engagement.deploy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** A program that is run to its end, and not waited for without one. */
final class ExternalProgram {

    /**
     * What it came to.
     *
     * @param said on standard output and standard error
     */
    record Ended(int exitCode, String said) {}

    private ExternalProgram() {}

    /**
     * Runs it, without any input.
     *
     * @param what it is called in messages
     * @param limit after which it is killed, with what it started
     * @throws IOException if it cannot be started, or has not ended by then
     */
    static Ended run(String what, List<String> command, Duration limit) throws IOException, InterruptedException {
        // Not through a pipe: what it has left behind might keep that open.
        Path output = Files.createTempFile("deploy", ".out");
        try {
            Process process = new ProcessBuilder(command)
                    .redirectErrorStream(true)
                    .redirectOutput(output.toFile())
                    .redirectInput(
                            ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()))
                    .start();
            try {
                if (!process.waitFor(limit.toMillis(), TimeUnit.MILLISECONDS)) {
                    throw new IOException(
                            what + " has not ended within " + limit.toSeconds() + " s (--timeout), and was killed");
                }
                return new Ended(process.exitValue(), Files.readString(output, StandardCharsets.UTF_8));
            } finally {
                process.descendants().forEach(ProcessHandle::destroyForcibly);
                process.destroyForcibly();
            }
        } finally {
            Files.deleteIfExists(output);
        }
    }
}
