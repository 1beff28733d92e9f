package dev.engagement.bench;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The API as it is run: a process of its own, with both of the JVM's compilers, unlike that of the local stack. */
final class ApiProgram implements AutoCloseable {

    private static final String MAIN = "dev.engagement.api.EngagementApi";
    private static final Pattern ADDRESS = Pattern.compile("The page is at (http://127\\.0\\.0\\.1:\\d+)/ .*");

    private final Process process;
    private final URI address;

    private ApiProgram(Process process, URI address) {
        this.process = process;
        this.address = address;
    }

    /**
     * Starts it on a free port, with limits that do not bite: all load comes from one address.
     *
     * @param options of its stores: {@code --KEY}, {@code VALUE}, and so on
     */
    static ApiProgram start(Path directory, List<String> options) throws IOException {
        Files.createDirectories(directory);
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx512m",
                "-cp",
                System.getProperty("java.class.path"),
                MAIN,
                "--api.port",
                "0",
                "--api.read-rate",
                "1000000",
                "--api.write-rate",
                "1000000"));
        command.addAll(options);
        ProcessBuilder builder = new ProcessBuilder(command)
                .redirectError(directory.resolve("err").toFile());
        // What the machine's user has set for his own is not part of this.
        builder.environment().keySet().removeIf(name -> name.startsWith("ENGAGEMENT_"));
        Process process = builder.start();
        // Its only line: nobody has to read on.
        BufferedReader out =
                new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8));
        Matcher line = ADDRESS.matcher(String.valueOf(out.readLine()));
        if (!line.matches()) {
            process.destroyForcibly();
            throw new IOException("The API did not start: " + Files.readString(directory.resolve("err")));
        }
        return new ApiProgram(process, URI.create(line.group(1)));
    }

    int port() {
        return address.getPort();
    }

    /** CPU time of all its threads so far. */
    Duration cpu() {
        return process.info().totalCpuDuration().orElseThrow();
    }

    /** Memory that it has of the machine's, bytes: heap, code, threads, buffers. */
    long residentBytes() throws IOException {
        for (String line : Files.readAllLines(Path.of("/proc", Long.toString(process.pid()), "status"))) {
            if (line.startsWith("VmRSS:")) {
                return Long.parseLong(line.replaceAll("\\D", "")) * 1_024;
            }
        }
        throw new IOException("The system does not say what memory " + process.pid() + " has");
    }

    @Override
    public void close() {
        process.destroy();
        try {
            if (!process.waitFor(30, TimeUnit.SECONDS)) {
                process.destroyForcibly();
            }
        } catch (InterruptedException e) {
            process.destroyForcibly();
            Thread.currentThread().interrupt();
        }
    }
}
