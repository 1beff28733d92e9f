package dev.engagement.audit;

import dev.engagement.audit.AuditReport.Finding;
import dev.engagement.audit.AuditReport.Item;
import dev.engagement.event.RollupRow;
import dev.engagement.rollup.CellDifference;
import dev.engagement.rollup.RollupVersion;
import dev.engagement.rollup.RollupWindows;
import dev.engagement.rollup.definition.Condition;
import dev.engagement.rollup.definition.KeyPart;
import dev.engagement.rollup.definition.Measure;
import dev.engagement.rollup.definition.RollupDefinition;
import java.io.IOException;
import java.math.BigDecimal;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.function.BiPredicate;
import org.jspecify.annotations.Nullable;

/**
 * The rows of a rollup's table against SQL over the source, cell by cell. What differs at the first look is looked at again
 * in the windows where it was, and is found if it differs still and no event came to it meanwhile.
 *
 * <p>An event counts in the stream by its content as it was, and here by the content as it is. So a cell is put down to a
 * changed content if its events are all there and only numbers differ that depend on the content: a share of the content's
 * length, or which content type events count for while the types of a window have the same together.
 */
final class RollupCheck implements Check {

    /** Cells that are remembered from the first look to the second; if more differ, none is taken for on its way. */
    private static final int MAX_FOLLOWED = 200_000;

    /** Cells of one window that are held until its totals are known. */
    private static final int MAX_HELD = 100_000;

    private static final String CONTENT_CHANGED_NOTE =
            "all events are there, and count as their contents were when they came; SQL has the contents as they are now";

    private static final String PURGED_NOTE =
            "their windows begin before the oldest events of PostgreSQL, which has fewer events of them than the table";

    private final RollupDefinition rollup;
    private final RollupWindows windows;
    private final Cells cells;
    private final Source source;
    private final int listed;
    private final Repairs repairs;
    private final Duration allowedLateness;
    private final Instant now;

    /** The key's part that is the content type; -1 if none is. */
    private final int contentType;

    private long expected;

    /** What differed at the first look: ids of cells, with how many events SQL saw in them. */
    private final Map<String, Long> suspects = new HashMap<>();

    private final SortedSet<Long> suspectWindows = new TreeSet<>();
    private IdSet events = new IdSet();
    private long oldestEventMicros = Long.MIN_VALUE;
    private Look found = new Look((cell, expected) -> false);

    /**
     * One rollup's.
     *
     * @param windows of that rollup, all of them closed
     * @param allowedLateness how long after their end the stream corrects them
     * @param now by the wall clock
     */
    RollupCheck(
            RollupWindows windows,
            Cells cells,
            Source source,
            int listed,
            Repairs repairs,
            Duration allowedLateness,
            Instant now) {
        this.rollup = windows.rollup();
        this.windows = windows;
        this.cells = cells;
        this.source = source;
        this.listed = listed;
        this.repairs = repairs;
        this.allowedLateness = allowedLateness;
        this.now = now;
        int part = -1;
        for (int i = 0; i < rollup.eventKey().size(); i++) {
            part = rollup.eventKey().get(i).source() == KeyPart.Source.CONTENT_TYPE ? i : part;
        }
        this.contentType = part;
    }

    @Override
    public boolean differs() throws IOException {
        cells.compare(windows, new IdSet(), (wanted, row) -> {
            expected += wanted == null ? 0 : 1;
            if (CellDifference.of(rollup, wanted, row) != null) {
                RollupRow cell = either(wanted, row);
                suspectWindows.add(startOf(cell));
                if (suspects.size() <= MAX_FOLLOWED) {
                    suspects.put(cell.id(), eventsOf(wanted));
                }
            }
        });
        return !suspectWindows.isEmpty();
    }

    private static RollupRow either(@Nullable RollupRow wanted, @Nullable RollupRow row) {
        if (wanted != null) {
            return wanted;
        }
        if (row != null) {
            return row;
        }
        throw new IllegalStateException("A cell is on neither side");
    }

    private static long eventsOf(@Nullable RollupRow row) {
        return row == null ? 0 : RollupVersion.events(row.version());
    }

    /** The window that a cell is in; a row that begins where none does is in the last one that began before. */
    private long startOf(RollupRow cell) {
        return Math.floorDiv(cell.windowStartMillis(), rollup.slideMillis()) * rollup.slideMillis();
    }

    @Override
    public IdSet lookAgain() throws IOException {
        if (suspectWindows.isEmpty()) {
            return new IdSet();
        }
        oldestEventMicros = cells.oldestEventMicros();
        boolean areAllFollowed = suspects.size() <= MAX_FOLLOWED;
        found = look(suspectWindows, new IdSet(), (id, wanted) -> {
            Long before = suspects.get(id);
            return before == null ? !areAllFollowed : before == eventsOf(wanted);
        });
        for (RollupWindows stretch : stretches(rollup, found.windows())) {
            source.ids(new Range(stretch.fromMillis() * 1_000, stretch.endMillis() * 1_000), events::add);
        }
        return events;
    }

    private Look look(SortedSet<Long> starts, IdSet without, BiPredicate<String, @Nullable RollupRow> which)
            throws IOException {
        Look look = new Look(which);
        for (RollupWindows stretch : stretches(rollup, starts)) {
            cells.compare(stretch, without, look);
        }
        look.end();
        return look;
    }

    /** Windows by their starts, neighbours together. */
    static List<RollupWindows> stretches(RollupDefinition rollup, SortedSet<Long> starts) {
        List<RollupWindows> stretches = new ArrayList<>();
        long slide = rollup.slideMillis();
        RollupWindows last = null;
        for (long start : starts) {
            if (last != null && last.toMillis() == start) {
                last = new RollupWindows(rollup, last.fromMillis(), start + slide);
                stretches.set(stretches.size() - 1, last);
            } else {
                last = new RollupWindows(rollup, start, start + slide);
                stretches.add(last);
            }
        }
        return stretches;
    }

    /** Letters were looked for; whether an event was captured says nothing of its cells. */
    @Override
    public IdSet unexplained(EventLog.Letters letters, EventLog.Retries retries) {
        return new IdSet();
    }

    @Override
    public AuditReport.Destination report(Evidence evidence) throws IOException {
        IdSet letters = events.where(id -> evidence.letters().has(Evidence.BEFORE_THE_DESTINATIONS, id));
        Look before = found;
        Look last = found;
        if (!letters.isEmpty()) {
            last = look(before.windows(), letters, (id, wanted) -> before.has(id));
        }
        List<Finding> list = new ArrayList<>();
        add(list, last, Kind.MISSING, lateNote());
        add(list, last, Kind.EXTRA, null);
        add(list, last, Kind.MISCOUNTED, lateNote());
        long dead = before.total() - last.total();
        if (dead > 0) {
            List<Item> items = before.itemsWithout(last);
            list.add(new Finding(
                    Kind.DEAD_LETTER,
                    dead,
                    items.subList(0, Math.min(items.size(), listed)),
                    "without the events that are dead letters they are what SQL says",
                    List.of()));
        }
        add(list, last, Kind.CONTENT_CHANGED, CONTENT_CHANGED_NOTE);
        add(list, last, Kind.PURGED, PURGED_NOTE);
        return new AuditReport.Destination(
                "rollups", "cells of " + rollup.name(), expected, Math.max(0, expected - before.wanted), null, list);
    }

    private void add(List<Finding> list, Look look, Kind kind, @Nullable String note) {
        Those those = look.kinds.get(kind);
        if (those != null) {
            list.add(new Finding(
                    kind,
                    those.count,
                    those.named.stream().map(Named::item).toList(),
                    note,
                    kind.isDifference()
                            ? repairs.cells(stretches(rollup, those.windows), allowedLateness, now)
                            : List.of()));
        }
    }

    private String lateNote() {
        return "SQL also counts what came too late for its window (rollup.allowed-lateness is "
                + allowedLateness.toSeconds() + " s)"
                + (cells.knowsCommits()
                        ? ""
                        : ", and what was stamped ahead of its arrival (ranking.max-clock-skew), as PostgreSQL does not"
                                + " keep the times of commits: track_commit_timestamp is off");
    }

    /** A cell that is named. */
    private record Named(String id, Item item) {}

    /** Cells of one kind. */
    private static final class Those {
        private long count;
        private final List<Named> named = new ArrayList<>();
        private final SortedSet<Long> windows = new TreeSet<>();
    }

    /** A cell that differs, until it is known why. */
    private record Held(
            RollupRow cell,
            @Nullable RollupRow wanted,
            @Nullable RollupRow row,
            String difference) {}

    /** What one look at the cells finds, by kind. */
    private final class Look implements Cells.Each {

        private final BiPredicate<String, @Nullable RollupRow> which;
        private final Map<Kind, Those> kinds = new EnumMap<>(Kind.class);
        private final Set<String> ids = new HashSet<>();

        /** Of those that differ the ones that have events by SQL. */
        private long wanted;

        private long window = Long.MIN_VALUE;
        private final List<Held> held = new ArrayList<>();
        private final Map<List<String>, Totals> totals = new HashMap<>();

        /** @param which says of the cells that differ, by id and what SQL has of it, whether it is one to be found */
        Look(BiPredicate<String, @Nullable RollupRow> which) {
            this.which = which;
        }

        @Override
        public void take(@Nullable RollupRow expectedRow, @Nullable RollupRow row) {
            RollupRow cell = either(expectedRow, row);
            if (cell.windowStartMillis() != window) {
                end();
                window = cell.windowStartMillis();
            }
            if (contentType >= 0) {
                totals.computeIfAbsent(others(cell), any -> new Totals(rollup)).add(expectedRow, row);
            }
            String difference = CellDifference.of(rollup, expectedRow, row);
            if (difference != null && which.test(cell.id(), expectedRow)) {
                Held one = new Held(cell, expectedRow, row, difference);
                if (contentType >= 0 && held.size() < MAX_HELD) {
                    held.add(one);
                } else {
                    find(one, kindOf(one, false));
                }
            }
        }

        /** The last window is complete. */
        void end() {
            for (Held one : held) {
                Totals ofTypes = totals.get(others(one.cell));
                find(one, kindOf(one, ofTypes != null && ofTypes.areEqual()));
            }
            held.clear();
            totals.clear();
        }

        /** The key without its content type. */
        private List<String> others(RollupRow cell) {
            List<String> key = new ArrayList<>(cell.key());
            key.set(contentType, "");
            return key;
        }

        private Kind kindOf(Held one, boolean areTypesEqual) {
            // An event that counts for another type is one too many here, or one too few.
            boolean isMoved = areTypesEqual && eventsOf(one.wanted) != eventsOf(one.row);
            if (isMoved || isOfLength(one.wanted, one.row)) {
                return Kind.CONTENT_CHANGED;
            }
            boolean isOld = one.cell.windowStartMillis() * 1_000 < oldestEventMicros;
            if (isOld && eventsOf(one.row) > eventsOf(one.wanted)) {
                return Kind.PURGED;
            }
            return one.wanted == null ? Kind.EXTRA : one.row == null ? Kind.MISSING : Kind.MISCOUNTED;
        }

        private void find(Held one, Kind kind) {
            Those those = kinds.computeIfAbsent(kind, any -> new Those());
            those.count++;
            those.windows.add(startOf(one.cell));
            wanted += one.wanted == null ? 0 : 1;
            if (ids.size() <= MAX_FOLLOWED) {
                ids.add(one.cell.id());
            }
            if (those.named.size() < listed) {
                String name = Instant.ofEpochMilli(one.cell.windowStartMillis()) + " "
                        + (one.cell.key().isEmpty() ? "(total)" : String.join("/", one.cell.key()));
                those.named.add(new Named(one.cell.id(), new Item(name, one.difference)));
            }
        }

        long total() {
            return kinds.values().stream().mapToLong(those -> those.count).sum();
        }

        boolean has(String id) {
            return ids.size() > MAX_FOLLOWED || ids.contains(id);
        }

        SortedSet<Long> windows() {
            SortedSet<Long> all = new TreeSet<>();
            kinds.values().forEach(those -> all.addAll(those.windows));
            return all;
        }

        /** What is named here and was not found by the other. */
        List<Item> itemsWithout(Look other) {
            return kinds.values().stream()
                    .flatMap(those -> those.named.stream())
                    .filter(named -> !other.ids.contains(named.id))
                    .map(Named::item)
                    .toList();
        }
    }

    /** Whether nothing differs but numbers that depend on the content's length. */
    private boolean isOfLength(@Nullable RollupRow wanted, @Nullable RollupRow row) {
        if (wanted == null || row == null) {
            return false;
        }
        List<@Nullable BigDecimal> values = new ArrayList<>(wanted.values());
        boolean isAny = false;
        for (int i = 0; i < values.size(); i++) {
            if (rollup.measures().get(i).condition() instanceof Condition.PctAtLeast) {
                values.set(i, row.values().get(i));
                isAny = true;
            }
        }
        return isAny
                && CellDifference.of(
                                rollup,
                                new RollupRow(
                                        wanted.rollup(),
                                        wanted.windowStartMillis(),
                                        wanted.windowEndMillis(),
                                        wanted.key(),
                                        values,
                                        wanted.exact(),
                                        wanted.skipped(),
                                        wanted.version(),
                                        wanted.closed()),
                                row)
                        == null;
    }

    /** What the content types of a window have together, of all numbers that add up. */
    private static final class Totals {

        private final RollupDefinition rollup;
        private final BigDecimal[] differences;
        private long events;
        private long skipped;

        Totals(RollupDefinition rollup) {
            this.rollup = rollup;
            this.differences = new BigDecimal[rollup.measures().size()];
        }

        void add(@Nullable RollupRow wanted, @Nullable RollupRow row) {
            add(wanted, 1);
            add(row, -1);
        }

        private void add(@Nullable RollupRow row, int sign) {
            if (row == null) {
                return;
            }
            events += sign * eventsOf(row);
            skipped += sign * row.skipped();
            for (int i = 0; i < differences.length; i++) {
                BigDecimal value = row.values().get(i);
                if (value != null && addsUp(rollup.measures().get(i))) {
                    BigDecimal before = differences[i] == null ? BigDecimal.ZERO : differences[i];
                    differences[i] = sign > 0 ? before.add(value) : before.subtract(value);
                }
            }
        }

        private static boolean addsUp(Measure measure) {
            return switch (measure.function()) {
                case COUNT, SUM, SUM_SECONDS -> true;
                case COUNT_IF -> measure.condition() instanceof Condition.EventTypeIn;
                case MIN, MAX, UNIQUE, UNIQUE_IF -> false;
            };
        }

        boolean areEqual() {
            for (BigDecimal difference : differences) {
                if (difference != null && difference.signum() != 0) {
                    return false;
                }
            }
            return events == 0 && skipped == 0;
        }
    }
}
