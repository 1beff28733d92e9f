package dev.engagement.local;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Assumptions;

/** Programs of this machine that a test may use if they are there. */
final class Programs {
    private Programs() {}

    /** How a program ended, and all that it said. */
    record Ended(int code, String text) {}

    /** Skips the test, with a message, where a program is not installed. */
    static void need(String program, String debianPackage) {
        Assumptions.assumeTrue(
                ServerProcess.onPath(program).isPresent(),
                program + " is not installed (Debian: apt-get install " + debianPackage + "), so this was not checked");
    }

    /** Runs it to its end, half a minute at most. */
    static Ended run(Path directory, Map<String, String> environment, List<String> command)
            throws IOException, InterruptedException {
        ProcessBuilder builder =
                new ProcessBuilder(command).directory(directory.toFile()).redirectErrorStream(true);
        builder.environment().putAll(environment);
        Process process = builder.start();
        process.getOutputStream().close();
        String text = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        if (!process.waitFor(5, TimeUnit.MINUTES)) {
            process.destroyForcibly();
            throw new IllegalStateException(command + " does not end");
        }
        return new Ended(process.exitValue(), text);
    }
}
