package dev.engagement.warehouse;

import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The one table, over BigQuery's REST interface. Blocking; each call is one request. Thread-safe. */
interface TableApi {

    /** The table, or null if there is none. */
    @Nullable
    Table get() throws TableException, InterruptedException;

    /** Makes the table, and its dataset if that is missing too. */
    void create() throws TableException, InterruptedException;

    /** Appends columns to the table's schema if it is still the one of {@code etag}; false if it is not. */
    boolean addColumns(Table table, List<Columns.Column> columns) throws TableException, InterruptedException;

    /** Sets labels, leaving others as they are, if the table is still the one that was read; false if it is not. */
    boolean label(Table table, Map<String, String> labels) throws TableException, InterruptedException;

    /** Whether there is a row in the table. */
    boolean hasRows() throws TableException, InterruptedException;

    /**
     * The table as it was read. Immutable.
     *
     * @param etag changes with everything else of it
     * @param fields its columns
     * @param schemaJson its schema as it was sent, to be sent back with additions
     * @param labels its labels
     */
    record Table(String etag, List<Field> fields, String schemaJson, Map<String, String> labels) {

        public Table {
            fields = List.copyOf(fields);
            labels = Map.copyOf(labels);
        }

        /** One column as BigQuery describes it. */
        record Field(String name, String type, String mode) {}
    }

    /** A request was not answered, or not as hoped. */
    final class TableException extends Exception {

        private static final long serialVersionUID = 1L;

        private final boolean passing;
        private final int status;

        /** Whether to repeat it may help. */
        TableException(String message, boolean passing, @Nullable Throwable cause) {
            this(message, passing, 0, cause);
        }

        TableException(String message, boolean passing, int status, @Nullable Throwable cause) {
            super(message, cause);
            this.passing = passing;
            this.status = status;
        }

        /** The HTTP status of the answer; 0 if there was none. */
        int status() {
            return status;
        }

        boolean isPassing() {
            return passing;
        }
    }
}
