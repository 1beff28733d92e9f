package dev.engagement.api.track;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.concurrent.atomic.LongAdder;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Removes keys whose time is over, in steps so small that nobody waits for one. */
final class KeySweep implements Runnable {

    private static final Logger LOG = LoggerFactory.getLogger(KeySweep.class);

    /** Keys of one transaction. */
    static final int STEP = 1_000;

    /** Of one round: what is left is for the next one. */
    private static final int MAX_STEPS = 1_000;

    private final TrackOptions options;
    private final TrackKeys keys;
    private final LongAdder removed = new LongAdder();

    KeySweep(TrackOptions options) {
        this.options = options;
        this.keys = new TrackKeys(options.schema());
    }

    /**
     * One round, on a connection of its own. What fails is for the next one: nothing is wrong as long as keys are too
     * many.
     */
    @Override
    public void run() {
        try {
            round();
        } catch (SQLException e) {
            LOG.warn("Keys whose time is over were not removed from {}: {}", TrackKeys.TABLE, e.getMessage());
        }
    }

    private void round() throws SQLException {
        Connection connection = TrackSession.connect(options);
        try {
            if (!keys.isThere(connection)) {
                return;
            }
            int step = STEP;
            for (int i = 0; i < MAX_STEPS && step == STEP; i++) {
                step = keys.remove(connection, options.keysKeptFor(), STEP);
                connection.commit();
                removed.add(step);
            }
        } finally {
            TrackSession.close(connection);
        }
    }

    /** Keys that were removed, since the start. */
    long removed() {
        return removed.sum();
    }
}
