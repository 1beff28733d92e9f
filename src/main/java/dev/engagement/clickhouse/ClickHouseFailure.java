package dev.engagement.clickhouse;

import dev.engagement.rowstore.RowFailure;
import dev.engagement.rowstore.RowVerdict;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** An answer of ClickHouse that is not a success, or none. Immutable. */
final class ClickHouseFailure extends RowFailure {

    private static final long serialVersionUID = 1L;

    /** ClickHouse's numbers begin at 1. */
    static final int NO_ANSWER = 0;

    private final int code;

    private ClickHouseFailure(
            int code, String message, SortedMap<Integer, String> rowErrors, @Nullable Throwable cause) {
        super(message, rowErrors, cause);
        this.code = code;
    }

    /** ClickHouse answered with one of its errors. */
    static ClickHouseFailure answered(int code, String message) {
        return new ClickHouseFailure(code, message, new TreeMap<>(), null);
    }

    /** Nothing was answered. */
    static ClickHouseFailure unanswered(String message, @Nullable Throwable cause) {
        return new ClickHouseFailure(NO_ANSWER, message, new TreeMap<>(), cause);
    }

    /** Rows of an insert are wrong, counted from 0. */
    static ClickHouseFailure ofRows(SortedMap<Integer, String> errors) {
        return new ClickHouseFailure(ClickHouseVerdict.INCORRECT_DATA, "rows are wrong", errors, null);
    }

    /** ClickHouse's number of the error; {@link #NO_ANSWER} if there was none. */
    int code() {
        return code;
    }

    @Override
    public RowVerdict verdict(RowVerdict.Operation operation) {
        return rowErrors().isEmpty() ? ClickHouseVerdict.of(operation, code) : RowVerdict.RECORD;
    }

    @Override
    public String text() {
        return code == NO_ANSWER ? String.valueOf(getMessage()) : "code " + code + ": " + getMessage();
    }
}
