package dev.engagement.warehouse;

import dev.engagement.rowstore.StoreRequestException;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The one table, over BigQuery's REST interface. Blocking; each call is one request. Thread-safe. */
interface TableApi {

    /** The table, or null if there is none. */
    @Nullable
    Table get() throws StoreRequestException, InterruptedException;

    /** Makes the table, and its dataset if that is missing too. */
    void create() throws StoreRequestException, InterruptedException;

    /** Appends columns to the table's schema if it is still the one of {@code etag}; false if it is not. */
    boolean addColumns(Table table, List<Columns.Column> columns) throws StoreRequestException, InterruptedException;

    /** Sets labels, leaving others as they are, if the table is still the one that was read; false if it is not. */
    boolean label(Table table, Map<String, String> labels) throws StoreRequestException, InterruptedException;

    /** Whether there is a row in the table. */
    boolean hasRows() throws StoreRequestException, InterruptedException;

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
}
