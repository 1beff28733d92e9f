package dev.engagement.rollup;

import dev.engagement.connection.PostgresConnection;
import dev.engagement.event.RollupShape;
import dev.engagement.rollup.definition.KeyPart;
import dev.engagement.rollup.definition.Measure;
import dev.engagement.rollup.definition.RollupDefinition;
import java.io.Serializable;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.apache.flink.configuration.MemorySize;

/**
 * Which rollups there are, how soon they show and where they are kept.
 *
 * @param definitions {@code rollups} and {@code rollup.NAME.*}: at least one, each of a name of its own
 * @param refresh {@code rollup.refresh}: how often the value of a window that is still open is shown anew
 * @param allowedLateness {@code rollup.allowed-lateness}: how long after its end, in event time, an event still corrects a
 *     window; what is needed for that stays in state
 * @param early {@code rollup.early}: whether values of open windows are written to PostgreSQL, too
 * @param target {@code rollup.postgres.*}: the database with the tables
 * @param maxPending {@code rollup.max-pending}: rows that each writer holds while PostgreSQL is away
 * @param maxClockSkew {@code ranking.max-clock-skew}: how far ahead of its own Kafka timestamp an event may be stamped to
 *     enter a window
 * @param maxOutOfOrderness {@code ranking.max-out-of-orderness}: how far the watermark stays behind the newest event
 */
public record RollupOptions(
        List<RollupDefinition> definitions,
        Duration refresh,
        Duration allowedLateness,
        boolean early,
        PostgresConnection target,
        MemorySize maxPending,
        Duration maxClockSkew,
        Duration maxOutOfOrderness)
        implements Serializable {

    private static final long serialVersionUID = 1L;

    private static final Duration SHORTEST_REFRESH = Duration.ofMillis(100);
    private static final Duration LONGEST_REFRESH = Duration.ofMinutes(10);
    private static final Duration MOST_LATENESS = Duration.ofDays(7);
    private static final MemorySize LEAST_PENDING = MemorySize.ofMebiBytes(1);

    public RollupOptions {
        definitions = List.copyOf(definitions);
        if (definitions.isEmpty()) {
            throw new IllegalArgumentException(
                    "rollups is empty; name at least one, or leave rollups out of destinations");
        }
        Set<String> names = new HashSet<>();
        for (RollupDefinition definition : definitions) {
            if (!names.add(definition.name())) {
                throw new IllegalArgumentException("rollups names '" + definition.name() + "' twice; leave one");
            }
        }
        if (refresh.compareTo(SHORTEST_REFRESH) < 0 || refresh.compareTo(LONGEST_REFRESH) > 0) {
            throw new IllegalArgumentException("rollup.refresh is " + refresh
                    + "; it must be 100 ms to 10 min: every key with new events is written as often");
        }
        if (allowedLateness.isNegative() || allowedLateness.compareTo(MOST_LATENESS) > 0) {
            throw new IllegalArgumentException("rollup.allowed-lateness is " + allowedLateness
                    + "; it must be 0 s to 7 d: windows stay in state for that long after their end");
        }
        for (RollupDefinition definition : definitions) {
            Duration correctable = allowedLateness.plusMillis(definition.windowMillis());
            if (definition.retention().compareTo(correctable) < 0) {
                throw new IllegalArgumentException("rollup." + definition.name() + ".retention is "
                        + definition.retention() + ", and with a window of " + definition.windowSizeText()
                        + " and rollup.allowed-lateness " + allowedLateness
                        + " late events correct rows for longer; it must be at least " + correctable
                        + ", or a row that was removed comes back");
            }
        }
        if (maxPending.compareTo(LEAST_PENDING) < 0) {
            throw new IllegalArgumentException("rollup.max-pending is " + maxPending + "; it must be at least 1 mb");
        }
        if (maxClockSkew.isNegative()) {
            throw new IllegalArgumentException(
                    "ranking.max-clock-skew is " + maxClockSkew + "; it must not be negative");
        }
        if (maxOutOfOrderness.isNegative()) {
            throw new IllegalArgumentException(
                    "ranking.max-out-of-orderness is " + maxOutOfOrderness + "; it must not be negative");
        }
    }

    /** What the rows of the rollups hold, in the order of the definitions. */
    public List<RollupShape> shapes() {
        return definitions.stream().map(RollupOptions::shape).toList();
    }

    private static RollupShape shape(RollupDefinition definition) {
        return new RollupShape(
                definition.name(),
                definition.eventKey().stream().map(KeyPart::column).toList(),
                definition.measures().stream().map(Measure::column).toList(),
                definition.hasWindowSize() ? definition.windowSizeText() : null,
                definition.countsUsers(),
                definition.live());
    }
}
