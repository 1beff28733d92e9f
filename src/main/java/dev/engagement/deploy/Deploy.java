package dev.engagement.deploy;

import dev.engagement.config.ConfigurationException;
import dev.engagement.connection.Pause;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.net.URI;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.apache.flink.configuration.CheckpointingOptions;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.GlobalConfiguration;
import org.apache.flink.core.fs.FileSystem;
import org.apache.flink.core.plugin.PluginUtils;

/**
 * The main of {@code scripts/deploy.sh}, whose help says what its options mean; it runs from the jar that is to be deployed.
 *
 * <p>Exit codes: 0 done, 1 failed, 2 misused, 3 refused and nothing stopped, 4 the old version runs again.
 */
public final class Deploy {

    /** Instead of options: only whether this jar would lose nothing of that state. */
    static final String LOOK = "--look";

    private static final int MISUSED = 2;
    private static final int DEFAULT_KEEP = 5;
    private static final int DEFAULT_TIMEOUT_SECONDS = 180;

    /** What the script says of where it runs, and what takes a value. */
    private static final Set<String> WITH_VALUE =
            Set.of("--rest", "--flink", "--lib", "--records", "--jar", "--allow-drop", "--keep", "--timeout", "--from");

    private static final Set<String> FLAGS = Set.of("--plan", "--fresh");

    private final Map<String, String> options = new LinkedHashMap<>();
    private final Set<String> allowed = new TreeSet<>();
    private final List<String> jobArguments = new ArrayList<>();

    private Deploy() {}

    /** Deploys, or plans. */
    public static void main(String[] args) throws Exception {
        System.exit(run(args));
    }

    private static int run(String[] args) throws IOException, InterruptedException {
        Configuration flink = GlobalConfiguration.loadConfiguration();
        FileSystem.initialize(flink, PluginUtils.createPluginManagerFromRootFolder(flink));
        try {
            if (args.length > 2 && args[0].equals(LOOK)) {
                List<String> job = Arrays.asList(args).subList(2, args.length);
                return new ThisJar(flink, job, Path.of("."), Duration.ZERO).loses(args[1]) ? 1 : 0;
            }
            Deploy deploy = new Deploy();
            deploy.parse(args);
            return deploy.run(flink);
        } catch (ConfigurationException | MisusedException e) {
            System.err.println(e.getMessage());
            return MISUSED;
        } catch (IOException | RuntimeException e) {
            System.err.println("FAILED: " + e.getMessage());
            return 1;
        }
    }

    private int run(Configuration flink) throws IOException, InterruptedException {
        Path lib = Path.of(needed("--lib"));
        long timeoutMillis = 1_000L * number("--timeout", DEFAULT_TIMEOUT_SECONDS);
        ThisJar jar = new ThisJar(flink, jobArguments, lib, Duration.ofMillis(timeoutMillis));
        Pause pause = Pause.real();
        Cluster cluster = new FlinkCluster(
                URI.create(needed("--rest")),
                Path.of(needed("--flink")),
                flink.get(CheckpointingOptions.SAVEPOINT_DIRECTORY),
                flink.get(CheckpointingOptions.CHECKPOINTS_DIRECTORY),
                Duration.ofMillis(timeoutMillis),
                System::currentTimeMillis,
                pause);
        Path records = Files.createDirectories(Path.of(needed("--records")));
        try (RandomAccessFile file =
                        new RandomAccessFile(records.resolve("lock").toFile(), "rw");
                FileLock lock = file.getChannel().tryLock()) {
            if (lock == null) {
                throw new IOException("Another deployment is at work (it holds " + records.resolve("lock") + ")");
            }
            Deployer.DeploymentRequest request = new Deployer.DeploymentRequest(
                    jar.jobName(),
                    Path.of(needed("--jar")),
                    jobArguments,
                    allowed,
                    number("--keep", DEFAULT_KEEP),
                    timeoutMillis,
                    options.containsKey("--plan"),
                    options.containsKey("--fresh"),
                    options.get("--from"));
            return new Deployer(
                            request,
                            cluster,
                            Deployments.of(records, jar.jobName()),
                            jar,
                            System.out,
                            System::currentTimeMillis,
                            pause)
                    .deploy()
                    .exitCode();
        }
    }

    /** Ours are taken out, wherever they stand; the rest is the job's. */
    private void parse(String[] args) {
        for (int i = 0; i < args.length; i++) {
            int equals = args[i].indexOf('=');
            String name = equals < 0 ? args[i] : args[i].substring(0, equals);
            if (FLAGS.contains(args[i])) {
                options.put(name, "");
            } else if (WITH_VALUE.contains(name)) {
                if (equals < 0 && i + 1 == args.length) {
                    throw new MisusedException(name + " needs a value");
                }
                String value = equals < 0 ? args[++i] : args[i].substring(equals + 1);
                if (name.equals("--allow-drop")) {
                    allowed.add(value);
                } else {
                    options.put(name, value);
                }
            } else {
                jobArguments.add(args[i]);
            }
        }
    }

    private String needed(String option) {
        return Optional.ofNullable(options.get(option))
                .orElseThrow(() -> new MisusedException(option + " is missing; scripts/deploy.sh gives it"));
    }

    private int number(String option, int standard) {
        String text = options.getOrDefault(option, Integer.toString(standard));
        if (!text.matches("[1-9]\\d{0,5}")) {
            throw new MisusedException(option + " is '" + text + "'; it must be a whole number above 0");
        }
        return Integer.parseInt(text);
    }

    /** What Flink's classes need of Java 17. */
    static List<String> openedPackages() {
        return List.of(
                "--add-opens=java.base/java.util=ALL-UNNAMED",
                "--add-opens=java.base/java.time=ALL-UNNAMED",
                "--add-opens=java.base/java.lang=ALL-UNNAMED");
    }

    /** An option that cannot be used. */
    private static final class MisusedException extends RuntimeException {
        private static final long serialVersionUID = 1L;

        MisusedException(String message) {
            super(message, null, false, false);
        }
    }
}
