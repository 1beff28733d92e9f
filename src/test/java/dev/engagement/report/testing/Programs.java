package dev.engagement.report.testing;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;

/** Programs of this machine that a test may use if they are there. */
public final class Programs {
    private Programs() {}

    /** How a program ended, and all that it said. */
    public record Ended(int code, String text) {}

    /**
     * Skips the test where a program is not installed. The end of the build tells what was not shown.
     *
     * @param toShow what the test shows: a clause that follows "that"
     */
    public static void need(String program, String debianPackage, String toShow) {
        Assumptions.assumeTrue(isInstalled(program), () -> new MissingProgram(program, debianPackage, toShow).text());
    }

    /** As {@link #need(String, String, String)}, of a program that has to be in that one place. */
    public static void need(Path program, String debianPackage, String toShow) {
        Assumptions.assumeTrue(
                Files.isExecutable(program),
                () -> new MissingProgram(program.toString(), debianPackage, toShow).text());
    }

    private static boolean isInstalled(String program) {
        return Stream.of(System.getenv("PATH").split(File.pathSeparator))
                .anyMatch(folder -> Files.isExecutable(Path.of(folder, program)));
    }

    /** Runs it to its end, five minutes at most. */
    public static Ended run(Path directory, Map<String, String> environment, List<String> command)
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
