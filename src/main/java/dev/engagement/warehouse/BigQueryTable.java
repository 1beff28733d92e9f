package dev.engagement.warehouse;

import dev.engagement.rowstore.CheckpointLineage;
import dev.engagement.rowstore.StoreRequestException;
import dev.engagement.rowstore.StoreTable;
import org.jspecify.annotations.Nullable;

/** A table of BigQuery, labelled over REST. */
final class BigQueryTable implements StoreTable {

    private final TableApi api;
    private final WarehouseOptions options;

    BigQueryTable(TableApi api, WarehouseOptions options) {
        this.api = api;
        this.options = options;
    }

    @Override
    public String name() {
        return options.tableName();
    }

    @Override
    public CheckpointLineage.@Nullable FencingLabel prepare() throws StoreRequestException, InterruptedException {
        return LineMarks.on(WarehouseTable.prepare(api, options));
    }

    @Override
    public boolean hasRows() throws StoreRequestException, InterruptedException {
        return api.hasRows();
    }

    @Override
    public @Nullable Read read() throws StoreRequestException, InterruptedException {
        TableApi.Table table = api.get();
        return table == null ? null : new Read(table, LineMarks.on(table));
    }

    @Override
    public boolean label(Read read, CheckpointLineage.FencingLabel label)
            throws StoreRequestException, InterruptedException {
        return api.label((TableApi.Table) read.version(), LineMarks.labels(label));
    }
}
