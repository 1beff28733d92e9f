package dev.engagement.faults;

import dev.engagement.local.ContentRow;
import dev.engagement.local.LoadGenerator;
import dev.engagement.local.LoadOptions;
import dev.engagement.local.PostgresServer;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;

/**
 * Events at a given rate, again as soon as PostgreSQL is back after a failure: what the applications do that write the
 * source. What PostgreSQL holds in the end is the truth, so nothing is written twice to make up for a failed commit.
 */
final class Load implements AutoCloseable {

    private static final long SUPERVISION_MILLIS = 200;

    private final PostgresServer postgres;
    private final ScheduledExecutorService supervisor = Executors.newSingleThreadScheduledExecutor(task -> {
        Thread thread = new Thread(task, "load-supervisor");
        thread.setDaemon(true);
        return thread;
    });
    private LoadGenerator generator;
    private boolean wanted = true;
    private long runningSince = System.nanoTime();
    private long runNanos;

    private Load(PostgresServer postgres, LoadGenerator generator) {
        this.postgres = postgres;
        this.generator = generator;
    }

    /** @param rate events a second */
    static Load start(PostgresServer postgres, long seed, int contents, double rate) throws SQLException {
        LoadOptions options = new LoadOptions(seed, contents, rate, 0, 0, Duration.ZERO);
        Load load = new Load(postgres, LoadGenerator.start(options, postgres.connect(), Clock.systemUTC()));
        var supervision = load.supervisor.scheduleWithFixedDelay(
                load::supervise, SUPERVISION_MILLIS, SUPERVISION_MILLIS, TimeUnit.MILLISECONDS);
        assert !supervision.isDone();
        return load;
    }

    /** Returns when the last transaction has ended. */
    synchronized void pause() {
        if (wanted) {
            wanted = false;
            runNanos += System.nanoTime() - runningSince;
            generator.close();
        }
    }

    synchronized void resume() {
        if (!wanted) {
            wanted = true;
            runningSince = System.nanoTime();
            goOn();
        }
    }

    /** Events committed so far, as far as the writer knows. */
    synchronized long created() {
        return generator.created();
    }

    /** Events a second while it was meant to run, PostgreSQL's outages included. */
    synchronized double rate() {
        long nanos = runNanos + (wanted ? System.nanoTime() - runningSince : 0);
        return generator.created() / (nanos / 1e9);
    }

    synchronized List<ContentRow> versions(UUID content) {
        return generator.versions(content);
    }

    private synchronized void supervise() {
        if (wanted && generator.failure() != null) {
            generator.close();
            goOn();
        }
    }

    private void goOn() {
        try {
            Connection connection = postgres.connect();
            try {
                generator = generator.continued(connection);
            } catch (SQLException e) {
                connection.close();
                throw e;
            }
        } catch (SQLException notYet) {
            // The generator that failed stays, and with it the reason to try again.
            if (generator.failure() == null) {
                throw new IllegalStateException("The load cannot go on: PostgreSQL refuses", notYet);
            }
        }
    }

    @Override
    public void close() {
        supervisor.shutdownNow();
        pause();
    }
}
