package dev.engagement.faults;

import java.io.IOException;
import java.io.Reader;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The session cluster of {@code scripts/cluster.sh}, used as an operator uses it: by the scripts and the real command line. */
final class SessionCluster implements AutoCloseable {

    private static final Duration LIMIT = Duration.ofMinutes(10);
    /** How long the script itself waits: a machine may be slow. */
    private static final String CLUSTER_SECONDS = "540";

    /** A deployment itself gives up three times at most, each after three minutes: savepoint, checkpoint, the way back. */
    private static final Duration DEPLOYMENT_LIMIT = Duration.ofMinutes(20);

    /**
     * Of every JVM that the scripts start: these are started anew all the time and never run long enough for what the
     * second compiler makes, which takes the processors from all others meanwhile. The first one alone has little room for
     * its code unless told.
     */
    private static final String JVM_OPTIONS = "-XX:TieredStopAtLevel=1 -XX:ReservedCodeCacheSize=240m";

    private static final Pattern JOB_ID = Pattern.compile("JobID ([0-9a-f]{32})");
    private static final Pattern SAVEPOINT = Pattern.compile("Path: (file:.+)");

    private final Path directory;

    private SessionCluster(Path directory) {
        this.directory = directory;
    }

    /**
     * Starts an empty cluster; what an earlier run left in that folder is ended first.
     *
     * @param directory of the cluster's files
     * @param settings of Flink
     */
    static SessionCluster start(Path directory, int taskManagers, Map<String, String> settings) throws Exception {
        Files.createDirectories(directory);
        SessionCluster cluster = new SessionCluster(directory.toAbsolutePath());
        cluster.script("stop");
        List<String> arguments = new ArrayList<>(List.of("start", Integer.toString(taskManagers)));
        settings.forEach((key, value) -> arguments.add("-D" + key + "=" + value));
        cluster.script(arguments.toArray(String[]::new));
        return cluster;
    }

    /** @param role a file of the cluster's {@code pids} folder */
    long pid(String role) throws IOException {
        return Long.parseLong(
                Files.readString(directory.resolve("pids").resolve(role)).strip());
    }

    /** Of a killed one; the job manager when it leads. */
    String startAgain(String... what) throws Exception {
        return script(what);
    }

    URI rest() throws IOException {
        Properties endpoints = new Properties();
        try (Reader reader = Files.newBufferedReader(directory.resolve("endpoints.properties"))) {
            endpoints.load(reader);
        }
        return URI.create(endpoints.getProperty("flink.rest"));
    }

    /** {@code flink run -d}; answers the job's id. */
    String run(String... arguments) throws Exception {
        List<String> all = new ArrayList<>(List.of("run", "-d"));
        all.addAll(List.of(arguments));
        return find(JOB_ID, flink(all.toArray(String[]::new)).orFail());
    }

    /** {@code flink stop}; answers the savepoint. */
    String stop(String job) throws Exception {
        return find(
                SAVEPOINT,
                flink("stop", "--savepointPath", directory.resolve("savepoints").toString(), job)
                        .orFail());
    }

    /** Any command of Flink's command line. */
    Shell.Outcome flink(String... arguments) throws Exception {
        return shell("scripts/flink.sh", LIMIT, arguments);
    }

    /**
     * {@code scripts/deploy.sh}; waits for its end, whatever that is.
     *
     * @param arguments the command first
     */
    Shell.Outcome deploy(List<String> arguments) throws Exception {
        return shell("scripts/deploy.sh", DEPLOYMENT_LIMIT, arguments.toArray(String[]::new));
    }

    @Override
    public void close() throws Exception {
        script("stop");
    }

    private String script(String... arguments) throws Exception {
        return shell("scripts/cluster.sh", LIMIT, arguments).orFail().output();
    }

    private Shell.Outcome shell(String script, Duration limit, String... arguments)
            throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(script));
        command.addAll(List.of(arguments));
        Path log = directory.resolve(Path.of(script).getFileName() + "." + arguments[0] + ".out");
        return Shell.run(
                command,
                Map.of(
                        "ENGAGEMENT_CLUSTER_DIR",
                        directory.toString(),
                        "ENGAGEMENT_CLUSTER_TIMEOUT",
                        CLUSTER_SECONDS,
                        "JDK_JAVA_OPTIONS",
                        JVM_OPTIONS),
                log,
                limit);
    }

    private static String find(Pattern pattern, Shell.Outcome outcome) {
        Matcher matcher = pattern.matcher(outcome.output());
        if (!matcher.find()) {
            throw new IllegalStateException(
                    String.join(" ", outcome.command()) + " said nothing like " + pattern + ":\n" + outcome.output());
        }
        return matcher.group(1);
    }
}
