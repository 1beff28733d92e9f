package dev.engagement.writeback;

import java.io.Serializable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/** Makes the thread of a subtask that speaks with the store. */
@FunctionalInterface
public interface IoThreads extends Serializable {

    /** Runs one task after the other. */
    ExecutorService of(String threadName);

    /** A thread that ends with the JVM at the latest. */
    static ExecutorService daemon(String threadName) {
        return Executors.newSingleThreadExecutor(runnable -> {
            Thread created = new Thread(runnable, threadName);
            created.setDaemon(true);
            return created;
        });
    }
}
