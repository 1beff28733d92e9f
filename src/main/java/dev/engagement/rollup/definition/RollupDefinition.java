package dev.engagement.rollup.definition;

import java.io.Serializable;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * One rollup: numbers about the events of a window of event time, by a key, kept in a table with their history. Windows
 * begin at whole multiples of the slide since the epoch. Immutable.
 *
 * @param name among the rollups of a job
 * @param by the parts of the key; {@link KeyPart.Source#WINDOW_SIZE}, if it is one, is the first, whatever was given; none:
 *     one total
 * @param where which events it is about; null for all
 * @param windowMillis length of a window, milliseconds; whole seconds, 1 s to 1 d
 * @param slideMillis from the start of a window to the start of the next, milliseconds; whole seconds, and a window is a
 *     multiple of it
 * @param measures its numbers, at least one, in the order of the table's columns
 * @param table of PostgreSQL, without a schema
 * @param retention how long its rows are kept after the start of their window
 * @param live whether Redis shows it
 */
public record RollupDefinition(
        String name,
        List<KeyPart> by,
        @Nullable Filter where,
        long windowMillis,
        long slideMillis,
        List<Measure> measures,
        String table,
        Duration retention,
        boolean live)
        implements Serializable {

    private static final long serialVersionUID = 1L;

    /** Column with a window's first moment. */
    public static final String WINDOW_START = "window_start";

    /** Column with the first moment behind a window. */
    public static final String WINDOW_END = "window_end";

    /** Column with {@link #windowSizeText}, and the word in {@code by} that asks for it. */
    public static final String WINDOW_SIZE = "window_size";

    /** Column that says whether every number of users in the row is a count, as against an estimate. */
    public static final String UNIQUE_USERS_EXACT = "unique_users_exact";

    /** Column with the number of events that a measure could not use. */
    public static final String SKIPPED = "skipped";

    /** Column with the version that the row has: a row is replaced by one with a higher version only. */
    public static final String VERSION = "version";

    /** @throws RefusedRollupsException with all that makes no sense */
    public RollupDefinition {
        by = sizeFirst(by);
        where = where == null || where.isOfAll() ? null : where;
        measures = List.copyOf(measures);
        List<String> problems = new ArrayList<>();
        DefinitionRules.name(name, problems);
        DefinitionRules.key(name, by, problems);
        DefinitionRules.windows(name, windowMillis, slideMillis, problems);
        DefinitionRules.measures(name, measures, problems);
        DefinitionRules.columns(name, by, measures, problems);
        DefinitionRules.table(name, table, problems);
        DefinitionRules.retention(name, retention, windowMillis, problems);
        if (!problems.isEmpty()) {
            throw new RefusedRollupsException(problems);
        }
    }

    private static List<KeyPart> sizeFirst(List<KeyPart> by) {
        List<KeyPart> sorted = new ArrayList<>();
        by.stream().filter(part -> part.source() == KeyPart.Source.WINDOW_SIZE).forEach(sorted::add);
        by.stream().filter(part -> part.source() != KeyPart.Source.WINDOW_SIZE).forEach(sorted::add);
        return List.copyOf(sorted);
    }

    /** Length of a window in the largest unit that divides it, such as {@code 30s}, {@code 2m}, {@code 1h}, {@code 1d}. */
    public String windowSizeText() {
        return Durations.compact(windowMillis);
    }

    /** Length of the panes that windows are made of, milliseconds: the greatest common divisor of window and slide. */
    public long paneMillis() {
        long pane = windowMillis;
        long rest = slideMillis;
        while (rest != 0) {
            long next = pane % rest;
            pane = rest;
            rest = next;
        }
        return pane;
    }

    /** Whether the window's size is part of the table's key. */
    public boolean hasWindowSize() {
        return by.stream().anyMatch(part -> part.source() == KeyPart.Source.WINDOW_SIZE);
    }

    /** The parts of the key that differ from event to event: all but the window's size. */
    public List<KeyPart> eventKey() {
        return by.stream()
                .filter(part -> part.source() != KeyPart.Source.WINDOW_SIZE)
                .toList();
    }

    /** The measures that count users, in order. */
    public List<Measure> uniqueMeasures() {
        return measures.stream()
                .filter(measure -> measure.function().countsUsers())
                .toList();
    }

    /** Whether a measure counts users, and so may be an estimate. */
    public boolean countsUsers() {
        return measures.stream().anyMatch(measure -> measure.function().countsUsers());
    }

    /**
     * Whether its key's columns are exactly {@code window_size} and {@code event_type}: Redis shows it as
     * {@code metric:{event_type}:{window_size}}, and every other as {@code rollup:{name}:{key}}.
     */
    public boolean isMetric() {
        return by.stream().map(KeyPart::column).toList().equals(List.of(WINDOW_SIZE, "event_type"));
    }

    /** The columns of the table's primary key: the window's start, its size if asked for, then the key. */
    public List<String> keyColumns() {
        List<String> columns = new ArrayList<>();
        columns.add(WINDOW_START);
        by.forEach(part -> columns.add(part.column()));
        return List.copyOf(columns);
    }

    /** All columns of the table: the key's, the window's end, the measures, and what says how good they are. */
    public List<String> columns() {
        List<String> columns = new ArrayList<>(keyColumns());
        columns.add(WINDOW_END);
        measures.forEach(measure -> columns.add(measure.column()));
        if (countsUsers()) {
            columns.add(UNIQUE_USERS_EXACT);
        }
        columns.add(SKIPPED);
        columns.add(VERSION);
        return List.copyOf(columns);
    }

    /**
     * Everything that gives its numbers a meaning: two definitions of one fingerprint compute the same. Not the table, the
     * retention and whether it is live. It is kept in savepoints, and its form never changes.
     */
    public String fingerprint() {
        return meaning() + ";window=" + windowSizeText() + ";slide=" + Durations.compact(slideMillis);
    }

    /** The fingerprint without the times. */
    String meaning() {
        return "by=" + by.stream().map(KeyPart::text).collect(Collectors.joining(",")) + ";where="
                + (where == null ? "" : where.text()) + ";measures="
                + measures.stream().map(Measure::text).collect(Collectors.joining(","));
    }
}
