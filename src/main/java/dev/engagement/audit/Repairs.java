package dev.engagement.audit;

import dev.engagement.deadletter.Reason;
import dev.engagement.event.EventId;
import dev.engagement.event.EventIdKind;
import dev.engagement.event.Timestamps;
import dev.engagement.liveview.LiveViewKeys;
import dev.engagement.liveview.LiveViewOptions;
import dev.engagement.rollup.RollupWindows;
import dev.engagement.warehouse.WarehouseOptions;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * The commands that mend what differs, as somebody would type them. What has no command is a line that begins with
 * {@code #}.
 */
final class Repairs {

    private static final String JOB = "flink run engagement-job.jar ";

    /** Beyond so many stretches one command for all of them is shorter, and skips what is there. */
    private static final int MAX_RANGES = 20;

    private static final String NO_REBUILD =
            "; ids are texts, of which there is no rebuild: put these rows there by a statement of your own";

    private static final int BATCH = 10_000;
    private static final int MAX_EVENT_IDS = 20;

    private final Range range;
    private final Source source;
    private final @Nullable WarehouseOptions warehouse;
    private final @Nullable LiveViewOptions liveView;
    private final int listed;

    Repairs(
            Range range,
            Source source,
            @Nullable WarehouseOptions warehouse,
            @Nullable LiveViewOptions liveView,
            int listed) {
        this.range = range;
        this.source = source;
        this.warehouse = warehouse;
        this.liveView = liveView;
        this.listed = listed;
    }

    /**
     * Rows that the warehouse lacks. Those that were never captured are backfilled. For those that the stream was given a
     * backfill does nothing, as their ids are known; they are made anew in a table of their own and merged.
     */
    List<String> missingRows(IdSet missing, Evidence evidence) throws IOException {
        List<String> commands = new ArrayList<>();
        for (Range each : ranges(missing.where(id -> !evidence.captured().seen().contains(id)))) {
            commands.add(JOB + "backfill" + of(each));
        }
        IdSet known = missing.where(id -> evidence.captured().seen().contains(id));
        if (!known.isEmpty() && warehouse != null) {
            commands.add("# the stream has been given these: they come by themselves if it is behind or stopped. If not"
                    + (areIdsTexts() ? NO_REBUILD : ":"));
            if (areIdsTexts()) {
                return commands;
            }
            String mended = warehouse.table() + "_mended";
            for (Range each : ranges(known)) {
                commands.add(JOB + "rebuild" + of(each) + " --destinations warehouse --warehouse.table " + mended);
                commands.add(bq("MERGE " + table() + " AS t USING " + table(mended)
                        + " AS m ON t.event_id = m.event_id AND " + within("t.event_ts", each)
                        + " WHEN NOT MATCHED THEN INSERT ROW"));
                commands.add(bq("DROP TABLE " + table(mended)));
            }
        }
        return commands;
    }

    /** Events that were not delivered. */
    List<String> missingDeliveries(IdSet missing, Evidence evidence) throws IOException {
        List<String> commands = new ArrayList<>();
        for (Range each : ranges(missing.where(id -> !evidence.captured().seen().contains(id)))) {
            commands.add(JOB + "backfill" + of(each) + " # delivered only if the stream has delivery.include-snapshot");
        }
        if (!missing.where(id -> evidence.captured().seen().contains(id)).isEmpty()) {
            commands.add(
                    "# the stream has been given these: they come by themselves if it is behind or stopped. If not,"
                            + " ask the receiver for evt_ID: without a letter nothing sends them again");
        }
        return commands;
    }

    List<String> extraRows(IdSet extra) {
        return extra.isEmpty() ? List.of() : statement(extra, ids -> "DELETE FROM " + table() + " WHERE " + these(ids));
    }

    /** Keeps one of each. */
    List<String> doubledRows(IdSet doubled) {
        return statement(
                doubled,
                ids -> "CREATE TEMP TABLE kept AS SELECT * FROM " + table() + " WHERE " + these(ids)
                        + " QUALIFY ROW_NUMBER() OVER (PARTITION BY event_id) = 1; BEGIN TRANSACTION; DELETE FROM "
                        + table() + " WHERE " + these(ids) + "; INSERT INTO " + table()
                        + " SELECT * FROM kept; COMMIT TRANSACTION");
    }

    /** The source as it is now is what a rebuild makes. */
    List<String> changedRows(IdSet changed) throws IOException {
        List<String> commands = new ArrayList<>();
        if (!changed.isEmpty() && warehouse != null) {
            if (areIdsTexts()) {
                return List.of("# changed at the source after they were captured" + NO_REBUILD);
            }
            String mended = warehouse.table() + "_mended";
            for (Range each : ranges(changed)) {
                commands.add(JOB + "rebuild" + of(each) + " --destinations warehouse --warehouse.table " + mended);
            }
            commands.addAll(statement(
                    changed,
                    ids -> "UPDATE " + table() + " AS t SET event_ts = m.event_ts, duration_ms = m.duration_ms,"
                            + " engagement_seconds = m.engagement_seconds, engagement_pct = m.engagement_pct FROM "
                            + table(mended) + " AS m WHERE t.event_id = m.event_id AND " + these("t.", ids)));
        }
        return commands;
    }

    /** Rows that need an id of their own: capture brings them under it, as if they had been inserted now. */
    List<String> conflictingRows(IdSet ids) {
        if (ids.isEmpty()) {
            return List.of();
        }
        List<Long> first = ids.first(Math.max(listed, 1));
        List<String> commands = new ArrayList<>();
        if (first.size() < ids.size()) {
            commands.add("# the first " + first.size() + " of " + ids.size() + "; audit.listed-ids names more");
        }
        commands.add(
                "# in PostgreSQL, once its sequence is above every id that a destination has: give these rows ids of"
                        + " their own, and capture brings them: UPDATE engagement_events SET id = DEFAULT WHERE id IN ("
                        + first.stream().map(String::valueOf).collect(Collectors.joining(", ")) + ")");
        return commands;
    }

    /** Puts letters back. */
    List<String> letters(Reason reason, IdSet ids) {
        if (ids.isEmpty()) {
            return List.of();
        }
        if (reason == Reason.CONFLICT) {
            return conflictingRows(ids);
        }
        if (ids.size() > MAX_EVENT_IDS) {
            return List.of(JOB + "redrive --reason " + reason.name());
        }
        return ids.first(MAX_EVENT_IDS).stream()
                .map(id -> JOB + "redrive --reason " + reason.name() + " --event-id "
                        + source.numbers().id(id))
                .toList();
    }

    /** Sets a count; one that grows meanwhile is taken away, as the content's next event brings it back. */
    String count(String contentId, long min, long max) {
        LiveViewOptions options = liveView;
        if (options == null) {
            return "";
        }
        String key = quoted(new LiveViewKeys(options.keyPrefix()).count(contentId));
        String cli = "redis-cli -u " + options.url() + " ";
        return min == max && min > 0 ? cli + "SET " + key + " " + min : cli + "DEL " + key;
    }

    /** The count lacks what the warehouse lacks. */
    String countOfMissing(String contentId) {
        return "# " + contentId + " lacks the events that are missing in the warehouse: a backfill mends both";
    }

    /**
     * Cells of a rollup, computed anew from the source. Not before the stream is done with them.
     *
     * @param stretches windows of one rollup, in order
     * @param allowedLateness how long after their end the stream corrects windows
     */
    List<String> cells(List<RollupWindows> stretches, Duration allowedLateness, Instant now) {
        List<RollupWindows> few = stretches;
        if (stretches.size() > MAX_RANGES) {
            RollupWindows first = stretches.get(0);
            few = List.of(new RollupWindows(
                    first.rollup(),
                    first.fromMillis(),
                    stretches.get(stretches.size() - 1).toMillis()));
        }
        List<String> commands = new ArrayList<>();
        for (RollupWindows each : few) {
            Instant possible = Instant.ofEpochMilli(each.endMillis()).plus(allowedLateness);
            commands.add(JOB + "backfill --rollups " + each.rollup().name()
                    + of(new Range(each.fromMillis() * 1_000, each.toMillis() * 1_000))
                    + (possible.isAfter(now)
                            ? " # from " + possible + " on: until then the stream corrects these windows itself"
                            : ""));
        }
        return commands;
    }

    /** The minutes of those events, as few stretches of the range. */
    private List<Range> ranges(IdSet ids) throws IOException {
        SortedSet<Long> minutes = new TreeSet<>();
        for (List<Long> batch : ids.batches(BATCH)) {
            source.times(batch, range).values().forEach(micros -> minutes.add(Range.minuteOf(micros)));
        }
        List<Range> ranges = range.of(minutes);
        return ranges.size() <= MAX_RANGES
                ? ranges
                : List.of(new Range(
                        ranges.get(0).fromMicros(),
                        ranges.get(ranges.size() - 1).toMicros()));
    }

    private static String of(Range range) {
        return " --from " + range.from() + " --to " + range.to();
    }

    /** What is said of ids in SQL. */
    @FunctionalInterface
    private interface OfIds {
        String sql(String ids);
    }

    private List<String> statement(IdSet ids, OfIds statement) {
        if (ids.isEmpty()) {
            return List.of();
        }
        List<Long> first = ids.first(Math.max(listed, 1));
        List<String> commands = new ArrayList<>();
        if (first.size() < ids.size()) {
            commands.add("# the first " + first.size() + " of " + ids.size() + "; audit.listed-ids names more");
        }
        commands.add(bq(statement.sql(first.stream().map(this::literal).collect(Collectors.joining(", ")))));
        return commands;
    }

    private String literal(Long id) {
        EventId of = source.numbers().id(id);
        return of.text() == null ? of.toString() : '"' + of.text() + '"';
    }

    private boolean areIdsTexts() {
        return source.numbers().kind() == EventIdKind.TEXT;
    }

    private String these(String ids) {
        return these("", ids);
    }

    private String these(String alias, String ids) {
        return alias + "event_id IN (" + ids + ") AND " + within(alias + "event_ts", range);
    }

    private static String within(String column, Range range) {
        return column + " >= TIMESTAMP \"" + Timestamps.format(range.fromMicros()) + "\" AND " + column
                + " < TIMESTAMP \"" + Timestamps.format(range.toMicros()) + "\"";
    }

    private String table() {
        return warehouse == null ? "" : table(warehouse.table());
    }

    private String table(String name) {
        return warehouse == null ? "" : "`" + warehouse.project() + "." + warehouse.dataset() + "." + name + "`";
    }

    /** In single quotes, which hold back-quotes; the statements have none of their own. */
    private static String bq(String sql) {
        return "bq query --nouse_legacy_sql '" + sql + "'";
    }

    private static String quoted(String argument) {
        return "'" + argument.replace("'", "'\\''") + "'";
    }
}
