package dev.engagement;

import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;

/** Entry point of {@code flink run engagement-job.jar COMMAND [--config FILE] [--KEY VALUE …]}. */
public final class EngagementJob {
    private EngagementJob() {}

    /** Runs one command. */
    public static void main(String[] args) throws Exception {
        StreamExecutionEnvironment env = StreamExecutionEnvironment.getExecutionEnvironment();
        prepare(args, env);
        env.execute();
    }

    /**
     * Everything that {@link #main} does but the execution: options parsed and checked, topics created, the job built.
     *
     * @param args the command and its options
     * @param env where the job is built
     */
    public static void prepare(String[] args, StreamExecutionEnvironment env) {
        throw new UnsupportedOperationException("not yet wired");
    }
}
