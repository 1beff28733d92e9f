package dev.engagement.redrive;

import dev.engagement.deadletter.Reason;
import java.util.EnumMap;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/** What was found and what became of it, by reason. */
final class RedriveReport {

    private enum Column {
        FOUND,
        ALREADY,
        PUT_BACK,
        COULD_NOT
    }

    private final Map<Reason, Map<Column, Long>> counts = new EnumMap<>(Reason.class);
    private long unreadable;
    private long cameBack;
    private long leftForLater;

    RedriveReport(Set<Reason> reasons) {
        reasons.forEach(reason -> counts.put(reason, new EnumMap<>(Column.class)));
    }

    void found(Reason reason) {
        count(reason, Column.FOUND);
    }

    void already(Reason reason) {
        count(reason, Column.ALREADY);
    }

    void putBack(Reason reason) {
        count(reason, Column.PUT_BACK);
    }

    void couldNot(Reason reason) {
        count(reason, Column.COULD_NOT);
    }

    void unreadable() {
        unreadable++;
    }

    /** A letter of a record that an earlier redrive put back. */
    void cameBack() {
        cameBack++;
    }

    /** Beyond the limit. */
    void leftForLater(long letters) {
        leftForLater += letters;
    }

    private void count(Reason reason, Column column) {
        counts.computeIfAbsent(reason, any -> new EnumMap<>(Column.class)).merge(column, 1L, Long::sum);
    }

    private long of(Column column) {
        return counts.values().stream()
                .mapToLong(row -> row.getOrDefault(column, 0L))
                .sum();
    }

    long putBack() {
        return of(Column.PUT_BACK);
    }

    /** With what could not even be read. */
    long couldNot() {
        return of(Column.COULD_NOT) + unreadable;
    }

    /** The table, with what is to be said of it. */
    String text(boolean dryRun) {
        StringBuilder text = new StringBuilder();
        line(text, "reason", "found", "already redriven", dryRun ? "would be put back" : "put back", "could not");
        counts.forEach((reason, row) -> line(
                text,
                reason.name(),
                number(row, Column.FOUND),
                number(row, Column.ALREADY),
                number(row, Column.PUT_BACK),
                number(row, Column.COULD_NOT)));
        if (unreadable > 0) {
            line(text, "no letter", Long.toString(unreadable), "", "", Long.toString(unreadable));
        }
        if (cameBack > 0) {
            text.append(String.format(
                    Locale.ROOT,
                    "%,d of them were put back before and have failed again, as new letters: their cause is not gone.%n",
                    cameBack));
        }
        if (leftForLater > 0) {
            text.append(String.format(
                    Locale.ROOT, "%,d more are left for another start, because of --limit.%n", leftForLater));
        }
        return text.toString().stripTrailing();
    }

    private static String number(Map<Column, Long> row, Column column) {
        return String.format(Locale.ROOT, "%,d", row.getOrDefault(column, 0L));
    }

    private static void line(StringBuilder text, String reason, String found, String already, String back, String not) {
        text.append(String.format(Locale.ROOT, "%-14s %11s %17s %18s %11s%n", reason, found, already, back, not));
    }
}
