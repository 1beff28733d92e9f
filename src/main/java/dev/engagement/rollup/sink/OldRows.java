package dev.engagement.rollup.sink;

import dev.engagement.rollup.PostgresAdvice;
import dev.engagement.rollup.PostgresVerdict;
import dev.engagement.rollup.definition.RollupDefinition;
import dev.engagement.writeback.LogThrottle;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Removes rows that are older than their rollup's retention: every minute, in small steps, so that neither the table's
 * readers nor the rows to be written notice. Used by the I/O thread of one subtask.
 */
final class OldRows {

    private static final Logger LOG = LoggerFactory.getLogger(OldRows.class);

    static final Duration INTERVAL = Duration.ofMinutes(1);

    /** Rows of one step; a step is a transaction of its own. */
    static final int STEP = 1_000;

    private final List<String> rollups;
    private final LogThrottle log = new LogThrottle(Duration.ofHours(1));
    private int next;
    private long dueAt;

    /** @param nowNanos monotonic; the first round begins at once */
    OldRows(List<RollupDefinition> definitions, long nowNanos) {
        this.rollups = definitions.stream().map(RollupDefinition::name).toList();
        this.dueAt = nowNanos;
    }

    /**
     * One step, if one is due.
     *
     * @return how many rows it removed
     * @throws SQLException if the connection is broken; anything else waits for the next round
     */
    int removeSome(RowConnection connection, long nowNanos) throws SQLException {
        if (nowNanos - dueAt < 0) {
            return 0;
        }
        String rollup = rollups.get(next);
        int removed = 0;
        try {
            removed = connection.removeOld(rollup, STEP);
        } catch (SQLException e) {
            if (PostgresVerdict.of(e) == PostgresVerdict.TRANSIENT) {
                throw e;
            }
            if (log.isDue(Duration.ofNanos(nowNanos).toMillis())) {
                LOG.warn("Old rows of the rollup {} cannot be removed, and stay: {}", rollup, PostgresAdvice.said(e));
            }
        }
        if (removed < STEP) {
            next = (next + 1) % rollups.size();
            if (next == 0) {
                dueAt = nowNanos + INTERVAL.toNanos();
            }
        }
        return removed;
    }
}
