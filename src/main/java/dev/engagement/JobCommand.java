package dev.engagement;

import dev.engagement.config.Settings;
import java.util.Map;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;

/** A command that is a Flink job: its client makes it ready and draws it, and a cluster runs it. One object for one start. */
non-sealed interface JobCommand extends CommandLineCommand {

    /** Makes topics and tables that are missing, and asks everything that would refuse the job; on the client, blocking. */
    void ready(Settings settings);

    /**
     * Asks what would refuse a job that begins without state, behind {@link #ready}; on the client, blocking.
     *
     * @throws RuntimeException with why, and the way out
     */
    default void readyAnew(Settings settings) {}

    /** Builds the job, without a look at any server. */
    void draw(Settings settings, StreamExecutionEnvironment env);

    /** The rollups of the job, as {@link EngagementJob#rollups} answers them, without a look at any server. */
    default Map<String, Map<String, String>> rollups(Settings settings) {
        return Map.of();
    }
}
