package dev.engagement.backfill;

import dev.engagement.connection.PostgresConnection;
import dev.engagement.rollup.definition.RollupDefinition;
import dev.engagement.source.RangeOptions;
import dev.engagement.source.SourceOptions;
import java.time.Duration;
import java.util.List;

/**
 * Which cells of rollups are to be computed anew.
 *
 * @param source the tables of events and contents
 * @param range windows that begin in it
 * @param definitions of which rollups
 * @param target the database with their tables, by a role that may write to these
 * @param allowedLateness how long after its end the stream corrects a window, which is not to be computed here until then
 * @param maxClockSkew how far ahead of its arrival an event may be stamped to be in a window
 * @param dryRun write nothing
 */
public record RollupBackfillOptions(
        SourceOptions source,
        RangeOptions range,
        List<RollupDefinition> definitions,
        PostgresConnection target,
        Duration allowedLateness,
        Duration maxClockSkew,
        boolean dryRun) {

    public RollupBackfillOptions {
        definitions = List.copyOf(definitions);
    }
}
