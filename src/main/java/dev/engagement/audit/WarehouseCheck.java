package dev.engagement.audit;

import dev.engagement.audit.AuditReport.Finding;
import dev.engagement.deadletter.Reason;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;

/** The warehouse's rows against the source's. */
final class WarehouseCheck implements Check {

    private static final int PAGE = 50_000;

    private static final Set<Reason> REASONS = Evidence.reasons(Reason.REJECTED);

    private final Range range;
    private SortedMap<Long, MinuteTotals> sourceMinutes;
    private final Source source;
    private final RowStore warehouse;
    private final Findings findings;
    private final Repairs repairs;

    private MinuteTotals expected = MinuteTotals.NONE;
    private MinuteTotals actual = MinuteTotals.NONE;
    private List<Range> differing = List.of();
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
        found = RowDifferences.in(differing, source, warehouse, PAGE);
        return !found.isEmpty();
    }

    /** The minutes of both, added up; answers where they differ. */
    private List<Range> compare() throws IOException {
        SortedMap<Long, MinuteTotals> warehouseMinutes = warehouse.minutes(range);
        expected = sourceMinutes.values().stream().reduce(MinuteTotals.NONE, MinuteTotals::plus);
        actual = warehouseMinutes.values().stream().reduce(MinuteTotals.NONE, MinuteTotals::plus);
        return range.of(RowDifferences.minutes(sourceMinutes, warehouseMinutes));
    }

    @Override
    public IdSet lookAgain() throws IOException {
        if (found.isEmpty()) {
            return new IdSet();
        }
        found = RowDifferences.in(differing, source, warehouse, PAGE).and(found);
        // What the source has at another time was neither added nor purged.
        IdSet elsewhere = source.existing(found.extra);
        found.extra.removeAll(elsewhere);
        found.changed.addAll(elsewhere);
        sourceMinutes = source.minutes(range);
        compare();
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
        IdSet purged = new IdSet();
        IdSet extra = new IdSet();
        findings.sortOut(found.extra, ids -> warehouse.times(ids, range), evidence.captured(), purged, extra);

        List<Finding> list = new ArrayList<>();
        findings.add(list, Kind.MISSING, missing, this::sourceTime, null, repairs.missingRows(missing, evidence));
        findings.add(list, Kind.EXTRA, extra, this::warehouseTime, null, repairs.extraRows(extra));
        findings.add(list, Kind.DOUBLED, found.doubled, this::warehouseTime, null, repairs.doubledRows(found.doubled));
        findings.add(
                list,
                Kind.CHANGED,
                found.changed,
                this::sourceTime,
                "event_ts or duration_ms is not the source's; a row that is updated after it was captured stays as it was",
                repairs.changedRows(found.changed));
        findings.addLetters(list, found.missing, REASONS, evidence.letters(), this::sourceTime);
        findings.add(list, Kind.PURGED, purged, this::warehouseTime, null, List.of());
        long absent = found.missing.size();
        return new AuditReport.Destination(
                "warehouse", "events", expected.ids(), expected.ids() - absent, actual.durationMs(), list);
    }

    private IdSet unexplainedMissing(Evidence evidence) {
        return found.missing.where(id -> !evidence.letters().has(REASONS, id));
    }

    private Map<Long, Long> sourceTime(List<Long> ids) throws IOException {
        return source.times(ids, Range.ALWAYS);
    }

    private Map<Long, Long> warehouseTime(List<Long> ids) throws IOException {
        return warehouse.times(ids, range);
    }
}
