package dev.engagement.rowstore;

import org.jspecify.annotations.Nullable;

/** The table that rows become visible in, and the label on it that says whose. Blocking. */
public interface StoreTable {

    /** As messages name it. */
    String name();

    /**
     * Makes the table, or checks the one that is there.
     *
     * @return its label, or null if there is none
     * @throws RowStoreRefusedException if the table does not fit
     */
    CheckpointLineage.@Nullable FencingLabel prepare() throws StoreRequestException, InterruptedException;

    /** Whether there is a row in it. */
    boolean hasRows() throws StoreRequestException, InterruptedException;

    /** What its label is; null if there is no table. */
    @Nullable
    Read read() throws StoreRequestException, InterruptedException;

    /** Labels it, if it is still the one that was read; false if it is not. */
    boolean label(Read read, CheckpointLineage.FencingLabel label) throws StoreRequestException, InterruptedException;

    /**
     * What was read of it.
     *
     * @param version the store's own, by which it tells whether the table has changed since
     * @param label its label, or null if there is none
     */
    record Read(Object version, CheckpointLineage.@Nullable FencingLabel label) {}
}
