package dev.engagement.warehouse;

import dev.engagement.rowstore.RowStoreRefusedException;
import java.io.IOException;
import java.io.UncheckedIOException;

/** That a rebuild writes into a table of its own. */
public final class FreshWarehouse {

    private FreshWarehouse() {}

    /**
     * Looks at the table, from the client, before a job is submitted.
     *
     * @throws RowStoreRefusedException if a job has written to it
     * @throws UncheckedIOException if BigQuery refuses, or does not answer in time
     */
    public static void require(WarehouseOptions options) {
        try {
            if (!WarehouseIds.of(options).isFresh()) {
                throw new RowStoreRefusedException("The warehouse table " + options.tableName()
                        + " is another job's: it has rows, or the mark of a run. A rebuild writes into a table of its own;"
                        + " give --warehouse.table with a new name, or leave warehouse out of destinations");
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e.getMessage(), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("Interrupted while the warehouse's table was looked at", e);
        }
    }
}
