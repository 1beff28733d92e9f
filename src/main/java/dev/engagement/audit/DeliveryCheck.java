package dev.engagement.audit;

import dev.engagement.audit.AuditReport.Finding;
import dev.engagement.deadletter.Reason;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The receipts of delivery against the source's ids. Receipts say no event_ts and cannot be added up by minute, so the ids
 * of the range are held, at some two bits each.
 */
final class DeliveryCheck implements Check {

    private static final Set<Reason> REASONS = Evidence.reasons(Reason.UNDELIVERABLE);

    private final Range range;
    private final Source source;
    private final EventLog log;
    private final boolean includesSnapshot;
    private final Findings findings;
    private final Repairs repairs;

    private final IdSet wanted = new IdSet();
    private final IdSet delivered = new IdSet();
    private IdSet missing = new IdSet();
    /** With a receipt, and between the range's ids, but none of them. */
    private IdSet strange = new IdSet();

    private long lowest = Long.MAX_VALUE;
    private long highest = Long.MIN_VALUE;

    DeliveryCheck(
            Range range, Source source, EventLog log, boolean includesSnapshot, Findings findings, Repairs repairs) {
        this.range = range;
        this.source = source;
        this.log = log;
        this.includesSnapshot = includesSnapshot;
        this.findings = findings;
        this.repairs = repairs;
    }

    @Override
    public boolean differs() throws IOException {
        source.ids(range, id -> {
            wanted.add(id);
            lowest = Math.min(lowest, id);
            highest = Math.max(highest, id);
        });
        // Of these the last word has been read.
        IdSet told = new IdSet();
        log.receipts(range, (id, isThere) -> {
            if (wanted.contains(id)) {
                told.add(id);
                put(delivered, id, isThere);
            } else if (lowest < id && id < highest) {
                told.add(id);
                put(strange, id, isThere);
            }
        });
        missing = wanted.where(id -> !delivered.contains(id));
        if (!missing.where(id -> !told.contains(id)).isEmpty()) {
            // An event that happened later than it was delivered: a clock far ahead.
            log.earlierReceipts((id, isThere) -> {
                if (wanted.contains(id) && !told.contains(id)) {
                    put(delivered, id, isThere);
                }
            });
            missing = wanted.where(id -> !delivered.contains(id));
        }
        // Most of them are of another time.
        strange.removeAll(source.existing(strange));
        return !missing.isEmpty() || !strange.isEmpty();
    }

    @Override
    public IdSet lookAgain() throws IOException {
        log.receipts(range, (id, isThere) -> {
            if (missing.contains(id)) {
                put(delivered, id, isThere);
            }
        });
        missing.removeAll(delivered);
        IdSet still = source.existing(missing);
        // What the source has lost meanwhile is nobody's to deliver.
        IdSet purged = missing.where(id -> !still.contains(id));
        wanted.removeAll(purged);
        missing = still;
        strange.removeAll(source.existing(strange));
        IdSet questions = new IdSet();
        questions.addAll(missing);
        questions.addAll(strange);
        return questions;
    }

    private static void put(IdSet ids, long id, boolean isThere) {
        if (isThere) {
            ids.add(id);
        } else {
            ids.remove(id);
        }
    }

    @Override
    public IdSet unexplained(EventLog.Letters letters, EventLog.Retries retries) {
        IdSet open = missing.where(id -> !isOnItsWay(id, retries) && !letters.has(REASONS, id));
        open.addAll(strange);
        return open;
    }

    private static boolean isOnItsWay(long id, EventLog.Retries retries) {
        return retries.waiting().contains(id) || retries.held().contains(id);
    }

    @Override
    public AuditReport.Destination report(Evidence evidence) throws IOException {
        EventLog.Retries retries = evidence.retries();
        IdSet waiting = missing.where(id -> retries.waiting().contains(id));
        IdSet held = missing.where(id -> retries.held().contains(id) && !waiting.contains(id));
        IdSet dead = missing.where(
                id -> !isOnItsWay(id, retries) && evidence.letters().has(REASONS, id));
        IdSet open = missing.where(id -> !isOnItsWay(id, retries) && !dead.contains(id));
        EventLog.Captured captured = evidence.captured();
        IdSet leftOut =
                open.where(id -> !includesSnapshot && captured.snapshotOnly().contains(id));
        open.removeAll(leftOut);
        IdSet unproven = includesSnapshot ? new IdSet() : olderThanTheTopic(open, captured);
        open.removeAll(unproven);
        IdSet purged = new IdSet();
        IdSet extra = new IdSet();
        // Of these nobody knows when they happened; the range is as near as it gets.
        findings.sortOut(strange, this::asOldAsTheRange, captured, purged, extra);

        List<Finding> list = new ArrayList<>();
        findings.add(list, Kind.MISSING, open, this::sourceTime, null, repairs.missingDeliveries(open, evidence));
        findings.add(
                list,
                Kind.UNPROVEN,
                unproven,
                this::sourceTime,
                "the events topic is younger than they are, so nothing tells whether they are rows of a snapshot, which"
                        + " are not delivered",
                List.of());
        findings.add(list, Kind.EXTRA, extra, ids -> Map.of(), "a receipt without an event", List.of());
        findings.addLetters(list, dead, REASONS, evidence.letters(), this::sourceTime);
        findings.add(list, Kind.WAITING, waiting, this::sourceTime, null, List.of());
        findings.add(list, Kind.HELD, held, this::sourceTime, null, List.of());
        findings.add(
                list,
                Kind.LEFT_OUT,
                leftOut,
                this::sourceTime,
                "rows of a snapshot, as delivery.include-snapshot is false",
                List.of());
        findings.add(list, Kind.PURGED, purged, ids -> Map.of(), null, List.of());
        return new AuditReport.Destination("delivery", "events", wanted.size(), delivered.size(), null, list);
    }

    private IdSet olderThanTheTopic(IdSet ids, EventLog.Captured captured) throws IOException {
        IdSet older = new IdSet();
        for (List<Long> batch : ids.where(id -> !captured.seen().contains(id)).batches(10_000)) {
            source.times(batch, Range.ALWAYS).forEach((id, micros) -> {
                if (!captured.wouldKnow(micros)) {
                    older.add(id);
                }
            });
        }
        return older;
    }

    private IdSet asOldAsTheRange(IdSet ids, long micros) {
        return range.fromMicros() < micros ? ids : new IdSet();
    }

    private Map<Long, Long> sourceTime(List<Long> ids) throws IOException {
        return source.times(ids, Range.ALWAYS);
    }
}
