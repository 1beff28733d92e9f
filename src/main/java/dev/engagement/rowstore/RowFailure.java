package dev.engagement.rowstore;

import java.util.Collections;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** An answer of a store that is not a success, or none. Each store has its own, and one place that decides what it means. */
public abstract class RowFailure extends Exception {

    private static final long serialVersionUID = 1L;

    private final transient SortedMap<Integer, String> rowErrors;

    /**
     * A failure.
     *
     * @param message what the store said
     * @param rowErrors what is wrong with which rows of the append, counted from 0; empty if nothing is said of rows
     * @param cause one that can be serialized, or null
     */
    protected RowFailure(@Nullable String message, SortedMap<Integer, String> rowErrors, @Nullable Throwable cause) {
        super(message, cause);
        this.rowErrors = Collections.unmodifiableSortedMap(new TreeMap<>(rowErrors));
    }

    /** What it means. */
    public abstract RowVerdict verdict(RowVerdict.Operation operation);

    /** In a line, for people. */
    public abstract String text();

    /** What is wrong with which rows of the append, counted from 0. */
    public final SortedMap<Integer, String> rowErrors() {
        return rowErrors;
    }
}
