package dev.engagement.local;

import java.nio.file.Path;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * A server in a process of its own, with a folder of its own: started, killed, stopped, and started again on the same port
 * and on what its folder holds.
 */
public abstract class RestartableServer implements AutoCloseable {

    private final String stopSignal;
    private final Duration stopTimeout;
    private @Nullable ServerProcess process;

    /**
     * A server that has not been launched yet.
     *
     * @param stopSignal asks it to stop in order, a signal's name without SIG
     * @param stopTimeout after which it is killed
     */
    RestartableServer(String stopSignal, Duration stopTimeout) {
        this.stopSignal = stopSignal;
        this.stopTimeout = stopTimeout;
    }

    /** Starts the process; returns when it answers. */
    abstract ServerProcess startProcess();

    /** Starts it for the first time. */
    final void launch() {
        process = startProcess();
    }

    final ServerProcess process() {
        ServerProcess started = process;
        if (started == null) {
            throw new IllegalStateException("It has not been launched");
        }
        return started;
    }

    /**
     * Kills what a killed JVM left running in that folder.
     *
     * @param name what the server is called
     * @return whether there was something
     */
    static boolean sweep(String name, Path directory) {
        return ServerProcess.sweep(name, directory.toAbsolutePath().normalize());
    }

    /** As {@link #sweep}, and deletes the folder with what is in it. */
    static void discard(String name, Path directory) {
        sweep(name, directory);
        Folders.deleteRecursively(directory.toAbsolutePath().normalize());
    }

    /** The process id, of the last start. */
    public final long pid() {
        return process().pid();
    }

    /** Whether its process runs. */
    public final boolean isAlive() {
        return process().isAlive();
    }

    /** SIGKILL, to everything that it started too: a crash. */
    public final void kill() {
        process().kill();
    }

    /** Stops in order; what it keeps stays on disk. */
    public void stop() {
        process().stop(stopSignal, stopTimeout);
    }

    /** Starts it again, after {@link #kill} or {@link #stop}; a running one is stopped first. */
    public final void restart() {
        stop();
        launch();
    }

    @Override
    public final void close() {
        stop();
    }
}
