package dev.engagement.backfill;

import dev.engagement.connection.TimeIndex;
import dev.engagement.event.RollupRow;
import dev.engagement.event.Timestamps;
import dev.engagement.rollup.CellComparison;
import dev.engagement.rollup.CellDifference;
import dev.engagement.rollup.RollupDatabase;
import dev.engagement.rollup.RollupSource;
import dev.engagement.rollup.RollupTables;
import dev.engagement.rollup.RollupUpsert;
import dev.engagement.rollup.RollupVersion;
import dev.engagement.rollup.RollupWindows;
import dev.engagement.rollup.definition.Condition;
import dev.engagement.rollup.definition.KeyPart;
import dev.engagement.rollup.definition.RollupDefinition;
import dev.engagement.source.SourceOptions;
import dev.engagement.source.SourceTables;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Clock;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Cells of rollups computed anew: by SQL over the source, in place of the rows that say something else. For events that came
 * too late for their windows, and for windows that no stream has told of.
 *
 * <p><b>Guarantee.</b> When it ends, each cell of the windows is what SQL says of the source as it was meanwhile, users
 * counted. A row has the generation behind that of the row it replaces, so nothing that a stream may still write of the cell
 * takes its place; twice the same changes nothing, and one that broke off is run again. A row of which the source has no
 * event any more is set to zeros and not deleted, as an older value would come back in its place. Left as they are: rows of
 * windows that begin before the oldest events of the source and have more events than it; what was purged there is history.
 *
 * <p>Windows that the stream still corrects ({@link RollupBackfillOptions#allowedLateness}) are refused, and told from when
 * on they can be computed.
 *
 * <p>No Flink job. In steps of some windows; memory: some rows. Blocking.
 */
public final class RollupBackfill {

    private static final String APPLICATION = "engagement-backfill";

    /** Rows written in one transaction. */
    private static final int BATCH = 1_000;

    private final RollupBackfillOptions options;
    private final Clock clock;
    private final SourceTables source;

    /** @param clock the wall clock */
    public RollupBackfill(RollupBackfillOptions options, Clock clock) {
        this.options = options;
        this.clock = clock;
        this.source = new SourceTables(options.source(), APPLICATION);
    }

    /**
     * What came of it.
     *
     * @param outcome inserted: cells that were replaced or inserted; skipped: those that were right
     * @param refused windows of the range that the stream still corrects
     */
    public record Result(Outcome outcome, long refused) {}

    /**
     * Does it.
     *
     * @throws BackfillException if the source does not answer; to run it again is harmless
     * @throws dev.engagement.rollup.RollupTablesRefusedException if the database with the tables does not take the rows
     */
    public Result run(ProgressReport report) {
        Instant now = clock.instant();
        SourceOptions of = options.source();
        try (Connection connection = source.connect()) {
            RollupSource tables = RollupSource.of(
                    connection,
                    of.quotedEvents(),
                    of.quotedContents(),
                    of.publication(),
                    of.rules().contentRequired(),
                    options.maxClockSkew());
            if (!tables.isIndexed()) {
                tellCost(connection, report);
            }
            SourceTables.begin(connection);
            try (RollupDatabase database = RollupDatabase.connect(options.target(), APPLICATION)) {
                if (!options.dryRun()) {
                    prepareTables();
                }
                CellComparison comparison = new CellComparison(connection, tables, database);
                tellContents(report);
                return run(comparison, database, now, report);
            }
        } catch (SQLException e) {
            throw new BackfillException(source.explain(e, null), e);
        }
    }

    private void tellCost(Connection connection, ProgressReport report) throws SQLException {
        TimeIndex index = source.timeIndex(connection);
        report.line(String.format(
                Locale.ROOT,
                "%s has no index that begins with event_ts, so PostgreSQL reads the whole table, some %,d rows, for each of"
                        + " %d rollups, and sorts the range's on its disk. %s makes it read the range alone",
                options.source().quotedEvents(),
                source.estimatedRows(connection),
                options.definitions().size(),
                index.advice()));
    }

    /** The tables are there, and their numbers mean what is to be written. */
    private void prepareTables() {
        if (RollupTables.prepare(options.target(), options.definitions()).isPresent()) {
            throw new BackfillException(
                    "The tables of the rollups cannot be looked at in PostgreSQL at "
                            + options.target().jdbcUrl() + " now. Nothing was done; try again once it answers",
                    null);
        }
    }

    private void tellContents(ProgressReport report) {
        String names = options.definitions().stream()
                .filter(RollupBackfill::dependsOnContent)
                .map(RollupDefinition::name)
                .collect(Collectors.joining(", "));
        if (!names.isEmpty()) {
            report.line("Events count by their contents as they are now, which " + names
                    + " depend on: where a content's type or length was changed, their cells change too");
        }
    }

    private static boolean dependsOnContent(RollupDefinition rollup) {
        return rollup.by().stream().anyMatch(part -> part.source() == KeyPart.Source.CONTENT_TYPE)
                || rollup.measures().stream().anyMatch(measure -> measure.condition() instanceof Condition.PctAtLeast);
    }

    private Result run(CellComparison comparison, RollupDatabase database, Instant now, ProgressReport report)
            throws SQLException {
        long changed = 0;
        long equal = 0;
        List<RollupWindows> refused = new ArrayList<>();
        for (RollupDefinition rollup : options.definitions()) {
            RollupWindows all = RollupWindows.beginningIn(
                    rollup, options.range().fromMicros(), options.range().toMicros());
            Instant kept = now.minus(rollup.retention());
            RollupWindows wanted = all.notBefore(Timestamps.microsOf(kept));
            if (wanted.count() < all.count()) {
                report.line(rollup.name() + ": windows that begin before " + kept
                        + " are left out, as rows go after rollup." + rollup.name() + ".retention");
            }
            RollupWindows over = wanted.endedBy(Timestamps.microsOf(now.minus(options.allowedLateness())));
            RollupWindows open = wanted.behind(over);
            if (all.isEmpty()) {
                report.line(rollup.name() + ": no window begins in " + options.range());
            }
            if (!over.isEmpty()) {
                Cells cells = new Cells(over, database, report);
                comparison.run(over, new long[0], cells);
                cells.end();
                changed += cells.changed;
                equal += cells.equal;
            }
            if (!open.isEmpty()) {
                refused.add(open);
            }
        }
        refused.forEach(open -> report.line(refusal(open)));
        return new Result(
                new Outcome(options.dryRun() ? 0 : changed, equal),
                refused.stream().mapToLong(RollupWindows::count).sum());
    }

    private String refusal(RollupWindows open) {
        Instant first = Instant.ofEpochMilli(open.fromMillis() + open.rollup().windowMillis())
                .plus(options.allowedLateness());
        Instant last = Instant.ofEpochMilli(open.endMillis()).plus(options.allowedLateness());
        return String.format(
                Locale.ROOT,
                "%s: refused are %,d windows, from %s on: the stream still corrects them, for rollup.allowed-lateness (%s)"
                        + " after their end. They can be computed anew from %s on%s",
                open.rollup().name(),
                open.count(),
                Instant.ofEpochMilli(open.fromMillis()),
                options.allowedLateness(),
                first,
                first.equals(last) ? "" : ", all of them from " + last + " on");
    }

    /** The cells of one rollup, written in batches. */
    private final class Cells implements CellComparison.Each {

        private final RollupDefinition rollup;
        private final RollupWindows windows;
        private final RollupDatabase database;
        private final RollupUpsert upsert;
        private final ProgressReport report;
        private final List<RollupRow> batch = new ArrayList<>();
        private long replaced;
        private long inserted;
        private long emptied;
        private long kept;
        private long equal;
        /** What the table took. */
        private long changed;

        private long oldestEventMicros = Long.MAX_VALUE;

        Cells(RollupWindows windows, RollupDatabase database, ProgressReport report) {
            this.rollup = windows.rollup();
            this.windows = windows;
            this.database = database;
            this.upsert = new RollupUpsert(rollup);
            this.report = report;
        }

        @Override
        public void begins(long oldest) {
            oldestEventMicros = oldest;
        }

        @Override
        public void take(@Nullable RollupRow expected, @Nullable RollupRow found) {
            if (CellDifference.isSame(rollup, expected, found)) {
                equal++;
                return;
            }
            if (found != null && isPurged(expected, found)) {
                kept++;
                return;
            }
            if (expected != null) {
                replaced += found == null ? 0 : 1;
                inserted += found == null ? 1 : 0;
                batch.add(anew(expected, found == null ? 0 : found.version()));
            } else if (found != null) {
                emptied++;
                batch.add(CellDifference.nothing(rollup, found));
            }
            if (batch.size() == BATCH) {
                write();
            }
        }

        private static RollupRow anew(RollupRow expected, long storedVersion) {
            return new RollupRow(
                    expected.rollup(),
                    expected.windowStartMillis(),
                    expected.windowEndMillis(),
                    expected.key(),
                    expected.values(),
                    true,
                    expected.skipped(),
                    RollupVersion.computedAnew(storedVersion, expected.version()),
                    true);
        }

        private boolean isPurged(@Nullable RollupRow expected, RollupRow found) {
            long events = expected == null ? 0 : expected.version();
            return found.windowStartMillis() * 1_000 < oldestEventMicros
                    && RollupVersion.events(found.version()) > events;
        }

        private void write() {
            if (!batch.isEmpty() && !options.dryRun()) {
                int taken = database.replace(upsert, batch);
                changed += taken;
                // Somebody else did the same meanwhile.
                equal += batch.size() - taken;
            }
            batch.clear();
        }

        @Override
        public void told(RollupWindows step) {
            write();
            report.progress(String.format(
                    Locale.ROOT,
                    "%s: windows up to %s of %s, %,d cells, %,d of them changed",
                    rollup.name(),
                    Instant.ofEpochMilli(step.toMillis()),
                    Instant.ofEpochMilli(windows.toMillis()),
                    equal + kept + replaced + inserted + emptied,
                    replaced + inserted + emptied));
        }

        void end() {
            report.line(String.format(
                    Locale.ROOT,
                    options.dryRun()
                            ? "%s: dry run: %,d cells would be replaced, %,d inserted, %,d set to zero as they have no event"
                                    + " any more, and %,d are right; nothing was written"
                            : "%s: %,d cells replaced, %,d inserted, %,d set to zero as they have no event any more, %,d right",
                    rollup.name(),
                    replaced,
                    inserted,
                    emptied,
                    equal));
            if (kept > 0) {
                report.line(String.format(
                        Locale.ROOT,
                        "%s: %,d cells are left as they are: their windows begin before the oldest events of PostgreSQL (%s),"
                                + " which has fewer events of them than the table",
                        rollup.name(),
                        kept,
                        oldestEventMicros == Long.MAX_VALUE ? "it has none" : Timestamps.format(oldestEventMicros)));
            }
        }
    }
}
