package dev.engagement.local;

import java.net.URI;
import java.util.List;

/** Where the local stack runs its jobs. Closing it ends the jobs that still run. */
interface JobHost extends AutoCloseable {

    /** Of Flink's REST API and web UI. */
    URI rest();

    /**
     * Starts a job.
     *
     * @param arguments its command and options
     * @return its id
     * @throws ServerException if it cannot be started
     */
    String submit(List<String> arguments);

    /** Flink's name of the job's state, after FAILED with the cause; or that it is unknown, and why. */
    String stateOf(String job) throws InterruptedException;

    /** Cancels the job, if it runs, and waits until it has let go of the servers. */
    void cancel(String job) throws Exception;

    /** Ends at once what would outlive this JVM. */
    void kill();
}
