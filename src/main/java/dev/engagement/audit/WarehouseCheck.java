package dev.engagement.audit;

import dev.engagement.audit.AuditReport.Finding;
import dev.engagement.deadletter.Reason;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.SortedSet;

/** The warehouse's rows against the source's. */
final class WarehouseCheck implements Check {

    /** What BigQuery sorts without a thought; a day with more of them in minutes that differ is read that many times. */
    static final long MAX_ROWS = 20_000_000;

    private static final int BATCH = 10_000;

    private static final Set<Reason> REASONS = Evidence.reasons(Reason.REJECTED);

    private final Range range;
    private final SortedMap<Long, MinuteTotals> sourceMinutes;
    private final Source source;
    private final RowStore warehouse;
    private final Findings findings;
    private final Repairs repairs;

    private MinuteTotals expected = MinuteTotals.NONE;
    private MinuteTotals actual = MinuteTotals.NONE;
    /** Of the minutes that do not differ. */
    private MinuteTotals equal = MinuteTotals.NONE;

    private List<List<Range>> differing = List.of();
    private RowDifferences found = new RowDifferences();

    /** @param sourceMinutes what the source said a moment ago */
    WarehouseCheck(
            Range range,
            SortedMap<Long, MinuteTotals> sourceMinutes,
            Source source,
            RowStore warehouse,
            Findings findings,
            Repairs repairs) {
        this.range = range;
        this.sourceMinutes = sourceMinutes;
        this.source = source;
        this.warehouse = warehouse;
        this.findings = findings;
        this.repairs = repairs;
    }

    @Override
    public boolean differs() throws IOException {
        differing = compare();
        found = RowDifferences.in(differing, source, warehouse);
        return !found.isEmpty();
    }

    /** The minutes of both, added up; answers where they differ. */
    private List<List<Range>> compare() throws IOException {
        SortedMap<Long, MinuteTotals> warehouseMinutes = warehouse.minutes(range);
        expected = sourceMinutes.values().stream().reduce(MinuteTotals.NONE, MinuteTotals::plus);
        actual = warehouseMinutes.values().stream().reduce(MinuteTotals.NONE, MinuteTotals::plus);
        SortedSet<Long> minutes = RowDifferences.minutes(sourceMinutes, warehouseMinutes);
        equal = sourceMinutes.entrySet().stream()
                .filter(minute -> !minutes.contains(minute.getKey()))
                .map(Map.Entry::getValue)
                .reduce(MinuteTotals.NONE, MinuteTotals::plus);
        return RowDifferences.batches(minutes, sourceMinutes, warehouseMinutes, MAX_ROWS).stream()
                .map(range::of)
                .toList();
    }

    @Override
    public IdSet lookAgain() throws IOException {
        if (found.isEmpty()) {
            return new IdSet();
        }
        found = RowDifferences.in(differing, source, warehouse).and(found);
        expected = equal.plus(found.inSource);
        actual = equal.plus(found.inStore);
        // What the source has at another time was neither added nor purged.
        IdSet elsewhere = source.existing(found.extra);
        found.extra.removeAll(elsewhere);
        found.changed.addAll(elsewhere);
        IdSet questions = new IdSet();
        questions.addAll(found.missing);
        questions.addAll(found.extra);
        return questions;
    }

    @Override
    public IdSet unexplained(EventLog.Letters letters, EventLog.Retries retries) {
        IdSet open = found.missing.where(id -> !letters.has(REASONS, id));
        open.addAll(found.extra);
        return open;
    }

    @Override
    public AuditReport.Destination report(Evidence evidence) throws IOException {
        IdSet missing = unexplainedMissing(evidence);
        IdSet conflicting = atAnotherTime(missing.where(evidence.captured().seen()::contains));
        missing.removeAll(conflicting);
        IdSet purged = new IdSet();
        IdSet extra = new IdSet();
        findings.sortOut(found.extra, this::before, evidence.captured(), purged, extra);

        List<Finding> list = new ArrayList<>();
        findings.add(list, Kind.MISSING, missing, this::sourceTime, null, repairs.missingRows(missing, evidence));
        findings.add(
                list,
                Kind.CONFLICT,
                conflicting,
                this::sourceTime,
                "the warehouse has another event under this id, at another time: the source has given it out again, or"
                        + " changed its event_ts",
                repairs.conflictingRows(conflicting));
        findings.add(list, Kind.EXTRA, extra, this::warehouseTime, null, repairs.extraRows(extra));
        findings.add(list, Kind.DOUBLED, found.doubled, this::warehouseTime, null, repairs.doubledRows(found.doubled));
        findings.add(
                list,
                Kind.CHANGED,
                found.changed,
                this::sourceTime,
                "event_ts or duration_ms is not the source's; a row that is updated after it was captured stays as it was,"
                        + " and one under an id that was given out again is a conflict",
                repairs.changedRows(found.changed));
        findings.addLetters(list, found.missing, REASONS, evidence.letters(), this::sourceTime);
        findings.add(list, Kind.PURGED, purged, this::warehouseTime, null, List.of());
        long absent = found.missing.size();
        return new AuditReport.Destination(
                "warehouse", "events", expected.ids(), expected.ids() - absent, actual.durationMs(), list);
    }

    /**
     * Those of the ids that the warehouse has at another time. It reads the ids and times of the whole table, and only if the
     * stream was given rows that do not show: a table is asked once for each batch of ids.
     */
    private IdSet atAnotherTime(IdSet ids) throws IOException {
        IdSet there = new IdSet();
        for (List<Long> batch : ids.batches(BATCH)) {
            warehouse.times(batch, Range.ALWAYS).keySet().forEach(there::add);
        }
        return there;
    }

    private IdSet unexplainedMissing(Evidence evidence) {
        return found.missing.where(id -> !evidence.letters().has(REASONS, id));
    }

    private Map<Long, Long> sourceTime(List<Long> ids) throws IOException {
        return source.times(ids, Range.ALWAYS);
    }

    private Map<Long, Long> warehouseTime(List<Long> ids) throws IOException {
        return warehouse.times(ids, hull());
    }

    private Range hull() {
        List<Range> last = differing.get(differing.size() - 1);
        return new Range(
                differing.get(0).get(0).fromMicros(), last.get(last.size() - 1).toMicros());
    }

    /** Reads once more at most, however many there are. */
    private IdSet before(IdSet ids, long micros) throws IOException {
        Range hull = hull();
        if (micros <= hull.fromMicros()) {
            return new IdSet();
        }
        if (micros >= hull.toMicros()) {
            return ids.where(id -> true);
        }
        IdSet before = new IdSet();
        for (List<Range> batch : differing) {
            List<Range> older = batch.stream()
                    .filter(each -> each.fromMicros() < micros)
                    .map(each -> new Range(each.fromMicros(), Math.min(each.toMicros(), micros)))
                    .toList();
            if (!older.isEmpty()) {
                warehouse.rows(older, row -> {
                    if (ids.contains(row.id())) {
                        before.add(row.id());
                    }
                });
            }
        }
        return before;
    }
}
