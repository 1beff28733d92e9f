package dev.engagement;

import dev.engagement.config.ConfigurationException;
import dev.engagement.config.Invocation;
import dev.engagement.config.JobDefaults;
import dev.engagement.config.Settings;
import java.io.PrintStream;
import java.util.Map;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.PipelineOptions;
import org.apache.flink.configuration.StateRecoveryOptions;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;

/**
 * Entry point of {@code flink run engagement-job.jar COMMAND [--config FILE] [--KEY VALUE …]}: reads the command line, hands
 * over to the command, exits. What a command does is in the class of its name.
 */
public final class EngagementJob {

    private EngagementJob() {}

    /** Runs one command. */
    public static void main(String[] args) throws Exception {
        String first = firstClass();
        if (first.equals(EngagementJob.class.getName()) || first.equals("org.apache.flink.client.cli.CliFrontend")) {
            int code = run(args, System.getenv(), System.out, System.err);
            // Flink's program has something to put away when all is well.
            if (code != ExitCode.DONE || first.equals(EngagementJob.class.getName())) {
                System.exit(code);
            }
            return;
        }
        // A JVM that only lends a thread, such as a JobManager that runs an uploaded jar: its user sees an exception
        // alone.
        int code = execute(Invocation.parse(args, System.getenv()), System.out, System.err);
        if (code != ExitCode.DONE) {
            throw new IllegalStateException("The command ended with exit code " + code + "; its output says why");
        }
    }

    /**
     * Runs one command to its end. That of a job is its submission if it is detached.
     *
     * @param args the command and its options
     * @param environment {@link System#getenv()}
     * @param out standard output
     * @param err error output
     * @return exit code: 0 if everything is as it should be, 1 if something is left over or differs or it was given up, 2 if
     *     it was asked wrongly or, of audit, a store did not answer
     */
    public static int run(String[] args, Map<String, String> environment, PrintStream out, PrintStream err) {
        Invocation invocation;
        try {
            invocation = Invocation.parse(args, environment);
        } catch (ConfigurationException e) {
            err.println(e.getMessage());
            return ExitCode.NOT_ANSWERED;
        }
        try {
            return execute(invocation, out, err);
        } catch (Exception e) {
            if (e instanceof InterruptedException) {
                Thread.currentThread().interrupt();
            }
            return ExitCode.of(((Invocation.Run) invocation).settings().command(), e, err);
        }
    }

    private static int execute(Invocation invocation, PrintStream out, PrintStream err) throws Exception {
        if (invocation instanceof Invocation.Help help) {
            out.println(help.text());
            return ExitCode.DONE;
        }
        Settings settings = ((Invocation.Run) invocation).settings();
        CommandLineCommand command = command(settings, out, err);
        if (command instanceof ClientCommand client) {
            return ExitCode.of(client.run(settings, out, err));
        }
        StreamExecutionEnvironment env = StreamExecutionEnvironment.getExecutionEnvironment();
        prepare((JobCommand) command, settings, env);
        var unused = env.execute();
        return ExitCode.DONE;
    }

    /** Whose main this thread began with: whether the JVM was started for this command alone. */
    private static String firstClass() {
        return StackWalker.getInstance()
                .walk(frames -> frames.reduce((inner, outer) -> outer))
                .map(StackWalker.StackFrame::getClassName)
                .orElse("");
    }

    /**
     * Everything that {@link #main} does for a job but the execution: options read and checked, topics and tables made, the
     * job built.
     *
     * @param args the command and its options
     * @param env where the job is built
     * @throws dev.engagement.config.ConfigurationException with all that is wrong with the options, before anything is
     *     connected to
     * @throws IllegalArgumentException if the command is no job
     * @throws dev.engagement.warehouse.RowStoreRefusedException if the warehouse's table does not fit
     * @throws java.io.UncheckedIOException if BigQuery does not answer or refuses
     */
    public static void prepare(String[] args, StreamExecutionEnvironment env) {
        Settings settings = settings(args);
        prepare(job(settings), settings, env);
    }

    static void prepare(JobCommand command, Settings settings, StreamExecutionEnvironment env) {
        command.ready(settings);
        if (env.getConfiguration()
                .getOptional(StateRecoveryOptions.SAVEPOINT_PATH)
                .isEmpty()) {
            command.readyAnew(settings);
        }
        draw(command, settings, env);
    }

    /**
     * The job that {@link #prepare} builds, without a look at any server: nothing is connected to, nothing is made.
     *
     * @throws dev.engagement.config.ConfigurationException with all that is wrong with the options
     * @throws IllegalArgumentException if the command is no job
     */
    public static void draw(String[] args, StreamExecutionEnvironment env) {
        Settings settings = settings(args);
        draw(job(settings), settings, env);
    }

    private static void draw(JobCommand command, Settings settings, StreamExecutionEnvironment env) {
        env.configure(JobDefaults.missingFrom(env.getConfiguration(), settings));
        env.configure(new Configuration().set(PipelineOptions.NAME, settings.jobName()));
        command.draw(settings, env);
    }

    /**
     * What the rollups of a job mean. Its savepoints say so as well, and a name never gets another meaning. Without a
     * look at any server.
     *
     * @return by the uid of the operator that keeps them, the fingerprint of each definition by the rollup's name; empty
     *     if the job has none
     * @throws dev.engagement.config.ConfigurationException with all that is wrong with the options
     * @throws IllegalArgumentException if the command is no job
     */
    public static Map<String, Map<String, String>> rollups(String[] args) {
        Settings settings = settings(args);
        return job(settings).rollups(settings);
    }

    private static Settings settings(String[] args) {
        if (Invocation.parse(args, System.getenv()) instanceof Invocation.Run run) {
            return run.settings();
        }
        throw new IllegalArgumentException("A job is wanted, and help was asked for");
    }

    @SuppressWarnings("SystemConsoleNull") // Java 17 has no other way to ask.
    private static CommandLineCommand command(Settings settings, PrintStream out, PrintStream err) {
        boolean isTerminal = out == System.out && System.console() != null;
        return CommandLineCommand.of(settings.command(), new PrintedReport(out, isTerminal), err::println);
    }

    private static JobCommand job(Settings settings) {
        if (command(settings, System.out, System.err) instanceof JobCommand job) {
            return job;
        }
        throw new IllegalArgumentException(settings.command().word() + " is no job; it runs where it is started");
    }
}
