package dev.engagement.local;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A Flink session cluster of real processes, by {@code scripts/cluster.sh}, and Flink's command line to it, by
 * {@code scripts/flink.sh}. Its processes are no children of this JVM: they outlive it unless {@link #close} is called,
 * and the next {@link #start} in the same folder ends them.
 *
 * <p>Roles name its processes: {@value #JOB_MANAGER}, {@value #ZOOKEEPER}, {@code taskmanager-1} and so on. Not thread
 * safe, but for {@link #kill} and what only reads.
 */
public final class SessionCluster implements AutoCloseable {

    public static final String JOB_MANAGER = "jobmanager";
    public static final String ZOOKEEPER = "zookeeper";

    /** Where the scripts are; the working directory's {@code scripts} if not set. */
    static final String SCRIPTS_PROPERTY = "engagement.local.scripts";

    private static final Pattern SUBMITTED = Pattern.compile("Job has been submitted with JobID ([0-9a-f]{32})");
    private static final Pattern SAVEPOINT = Pattern.compile("Savepoint completed\\. Path: (.+)");
    /** Longer than the script's own timeout, which says more about what went wrong. */
    private static final Duration LIMIT = Duration.ofMinutes(3);

    private final Path directory;
    private final URI rest;

    private SessionCluster(Path directory, URI rest) {
        this.directory = directory;
        this.rest = rest;
    }

    /**
     * Starts a new cluster without jobs and waits until its task managers have registered. A cluster that still runs in
     * that folder is ended before; checkpoints and savepoints in it stay.
     *
     * @param directory of this cluster alone
     * @param slots of each task manager
     * @param configuration Flink's; wins over what the script sets
     * @throws ServerException if it does not start; with the end of its logs
     */
    public static SessionCluster start(Path directory, int taskManagers, int slots, Map<String, String> configuration) {
        Path absolute = Folders.create(directory.toAbsolutePath().normalize());
        sweep(absolute);
        List<String> command = new ArrayList<>(List.of("start", Integer.toString(taskManagers)));
        command.add("-Dtaskmanager.numberOfTaskSlots=" + slots);
        configuration.forEach((key, value) -> command.add("-D" + key + "=" + value));
        script(absolute, "cluster.sh", command);
        return new SessionCluster(absolute, URI.create(endpoint(absolute, "flink.rest")));
    }

    /**
     * Ends a cluster that an earlier JVM left in that folder.
     *
     * @return whether there was one
     */
    static boolean sweep(Path directory) {
        if (!Files.exists(directory.resolve("pids"))) {
            return false;
        }
        script(directory.toAbsolutePath(), "cluster.sh", List.of("stop"));
        return true;
    }

    /** The folder, absolute: {@code checkpoints}, {@code savepoints} and {@code log} are in it. */
    public Path directory() {
        return directory;
    }

    /** Where the job manager's REST API and web UI listen; the same after a restart. */
    public URI rest() {
        return rest;
    }

    /** Where a process of the cluster shows its metrics to Prometheus, now. */
    public URI prometheus(String role) {
        return URI.create(endpoint(directory, "prometheus." + role));
    }

    /** {@code target/engagement-job.jar} of the checkout that the scripts belong to. */
    public static Path jobJar() {
        return scripts().resolveSibling("target").resolve("engagement-job.jar");
    }

    /**
     * Runs Flink's command line.
     *
     * @return what it wrote
     * @throws ServerException if its exit code is not 0; with what it wrote
     */
    public String flink(String... arguments) {
        return script(directory, "flink.sh", List.of(arguments));
    }

    /**
     * {@code flink run -d} of the job jar.
     *
     * @param options of {@code flink run}, such as {@code -s} and {@code -p}
     * @param arguments of the job: its command and options
     * @return the job's id; the job may still be starting
     */
    public String run(List<String> options, List<String> arguments) {
        List<String> command = new ArrayList<>(List.of("run", "-d"));
        command.addAll(options);
        command.add(jobJar().toString());
        command.addAll(arguments);
        return found(SUBMITTED, script(directory, "flink.sh", command));
    }

    /**
     * {@code flink stop}.
     *
     * @return the savepoint's path, for {@code -s}
     */
    public String stopWithSavepoint(String job) {
        return found(
                SAVEPOINT, flink("stop", "--savepointPath", Folders.forFlink(directory.resolve("savepoints")), job));
    }

    /** The roles that the cluster has had since it was started, living or not. */
    public List<String> roles() {
        Path pids = directory.resolve("pids");
        if (!Files.exists(pids)) {
            return List.of();
        }
        try (Stream<Path> files = Files.list(pids)) {
            return files.map(file -> file.getFileName().toString()).sorted().toList();
        } catch (IOException e) {
            throw new ServerException("The folder " + pids + " cannot be listed", e);
        }
    }

    /** The pid of a process as it was last started; it may be dead by now. */
    public long pid(String role) {
        return Long.parseLong(
                Folders.read(directory.resolve("pids").resolve(role)).strip());
    }

    /** SIGKILL; returns when the process is gone. */
    public void kill(String role) {
        ProcessHandle.of(pid(role)).ifPresent(process -> {
            boolean requested = process.destroyForcibly();
            assert requested || !process.isAlive() : role;
            process.onExit().orTimeout(LIMIT.toSeconds(), TimeUnit.SECONDS).join();
        });
    }

    /** SIGKILL to all of it, without a word: for a JVM that must end at once. */
    void killAll() {
        roles().forEach(this::kill);
    }

    /** Brings a killed job manager back, which resumes the jobs; returns when it answers. */
    public void startJobManager() {
        script(directory, "cluster.sh", List.of("start-jobmanager"));
    }

    /** Brings a killed task manager back, or adds one; does not wait until it has registered. */
    public void startTaskManager(int number) {
        script(directory, "cluster.sh", List.of("start-taskmanager", Integer.toString(number)));
    }

    /** Brings a killed ZooKeeper back, with what it knew. */
    public void startZooKeeper() {
        script(directory, "cluster.sh", List.of("start-zookeeper"));
    }

    /** Ends all processes, jobs included, whatever state they are in. */
    @Override
    public void close() {
        script(directory, "cluster.sh", List.of("stop"));
    }

    private static String endpoint(Path directory, String key) {
        Properties endpoints = new Properties();
        try (var reader = Files.newBufferedReader(directory.resolve("endpoints.properties"))) {
            endpoints.load(reader);
        } catch (IOException e) {
            throw new ServerException("The cluster's endpoints.properties cannot be read; does it run?", e);
        }
        return Optional.ofNullable(endpoints.getProperty(key))
                .orElseThrow(() -> new ServerException("The cluster in " + directory + " has no " + key));
    }

    private static String found(Pattern pattern, String output) {
        Matcher matcher = pattern.matcher(output);
        if (!matcher.find()) {
            throw new ServerException("Flink's command line answers without '" + pattern + "':\n" + output);
        }
        return matcher.group(1);
    }

    private static Path scripts() {
        return Path.of(System.getProperty(SCRIPTS_PROPERTY, "scripts")).toAbsolutePath();
    }

    private static String script(Path directory, String name, List<String> arguments) {
        List<String> command = new ArrayList<>();
        // Ctrl-C in the terminal reaches this JVM, which ends the cluster in order, and not a script at work.
        ServerProcess.onPath("setsid").ifPresent(setsid -> command.addAll(List.of(setsid.toString(), "--wait")));
        command.add(scripts().resolve(name).toString());
        command.addAll(arguments);
        String what = name + " " + String.join(" ", arguments);
        @Nullable Path output = null;
        try {
            output = Files.createTempFile(Folders.create(directory), name, ".out");
            ProcessBuilder builder = new ProcessBuilder(command)
                    .redirectErrorStream(true)
                    .redirectOutput(output.toFile())
                    .redirectInput(
                            ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()));
            builder.environment().put("ENGAGEMENT_CLUSTER_DIR", directory.toString());
            builder.environment().put("JAVA_HOME", System.getProperty("java.home"));
            Process process = builder.start();
            if (!process.waitFor(LIMIT.toMillis(), TimeUnit.MILLISECONDS)) {
                process.descendants().forEach(ProcessHandle::destroyForcibly);
                process.destroyForcibly();
                throw new ServerException(
                        what + " did not end within " + LIMIT.toSeconds() + " s" + ServerProcess.logTail(output));
            }
            String text = Files.readString(output);
            if (process.exitValue() != 0) {
                throw new ServerException(what + " ended with exit code " + process.exitValue() + ":\n" + text);
            }
            return text;
        } catch (IOException e) {
            throw new ServerException(what + " could not be run", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new ServerException("Interrupted during " + what, e);
        } finally {
            delete(output);
        }
    }

    private static void delete(@Nullable Path file) {
        try {
            if (file != null) {
                Files.deleteIfExists(file);
            }
        } catch (IOException e) {
            throw new ServerException("The file " + file + " cannot be deleted", e);
        }
    }
}
