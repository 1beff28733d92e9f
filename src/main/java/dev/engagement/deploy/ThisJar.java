package dev.engagement.deploy;

import dev.engagement.EngagementJob;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.PipelineOptions;
import org.apache.flink.runtime.jobgraph.OperatorID;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;

/** The jar that this runs from, which is the one to be deployed: its classes are those that a restore would use. */
final class ThisJar implements Deployer.Jars {

    private final Configuration flink;
    private final String[] arguments;
    private final Path lib;
    private final Duration timeout;
    private final JobShape shape;
    private final String jobName;
    private final StateCatalogue catalogue = StateCatalogue.ofThisBuild();

    /**
     * @param flink Flink's configuration
     * @param arguments the command and its options
     * @param lib Flink's own jars, for a look into an older jar
     * @param timeout for that look
     * @throws dev.engagement.config.ConfigurationException with all that is wrong with the options
     */
    ThisJar(Configuration flink, List<String> arguments, Path lib, Duration timeout) {
        this.flink = flink;
        this.arguments = arguments.toArray(String[]::new);
        this.lib = lib;
        this.timeout = timeout;
        StreamExecutionEnvironment env = new StreamExecutionEnvironment(flink);
        EngagementJob.draw(this.arguments, env);
        this.shape = JobShape.of(env.getStreamGraph(false), EngagementJob.rollups(this.arguments));
        this.jobName = env.getConfiguration().get(PipelineOptions.NAME);
    }

    String jobName() {
        return jobName;
    }

    @Override
    public StateCatalogue catalogue() {
        return catalogue;
    }

    @Override
    public RestorePlan plan(String from, Map<OperatorID, String> knownUids) throws IOException {
        return RestorePlan.compare(SavedState.read(from, classes()), knownUids, shape, catalogue, classes());
    }

    @Override
    public long checkpointOf(String path) throws IOException {
        return SavedState.read(path, classes()).checkpoint();
    }

    @Override
    public void readyServers() {
        EngagementJob.prepare(arguments, new StreamExecutionEnvironment(flink));
    }

    /** By the plan of the other jar itself, in a process with its classes. */
    @Override
    public boolean fits(Path jar, String from, List<String> arguments) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(
                List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString()));
        command.addAll(Deploy.openedPackages());
        command.addAll(List.of("-cp", jar + ":" + lib.resolve("*"), Deploy.class.getName(), Deploy.LOOK, from));
        command.addAll(arguments);
        return ExternalProgram.run("The look into " + jar, command, timeout).exitCode() == 0;
    }

    /** What would become of that state in this jar, when nothing may be lost. */
    boolean loses(String from) throws IOException {
        return !plan(from, catalogue.uids()).losses(Set.of()).isEmpty();
    }

    private static ClassLoader classes() {
        return ThisJar.class.getClassLoader();
    }
}
