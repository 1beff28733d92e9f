package dev.engagement.warehouse;

import dev.engagement.rowstore.RowStoreRefusedException;
import dev.engagement.rowstore.StoreRequestException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The table as the job needs it: made if missing, checked if there. On the client before the job is submitted, and again by
 * each writer before it writes.
 */
final class WarehouseTable {

    /** BigQuery's two names of the same types. */
    private static final Map<String, String> SAME = Map.of("INT64", "INTEGER", "FLOAT64", "FLOAT", "BOOL", "BOOLEAN");

    private static final int ATTEMPTS = 10;

    private WarehouseTable() {}

    /**
     * Sees to the table.
     *
     * @return the table, which has all columns
     * @throws RowStoreRefusedException if it does not fit, with column, wanted and found type
     */
    static TableApi.Table prepare(TableApi api, WarehouseOptions options)
            throws StoreRequestException, InterruptedException {
        for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
            TableApi.Table table = api.get();
            if (table == null) {
                api.create();
                continue;
            }
            List<Columns.Column> missing = missing(table, options);
            if (missing.isEmpty()) {
                return table;
            }
            // If somebody changed the table meanwhile it is read again.
            boolean unused = api.addColumns(table, missing);
        }
        throw new StoreRequestException(
                "The warehouse table " + options.tableName() + " is not as it was made, " + ATTEMPTS + " times",
                true,
                null);
    }

    /** The columns to be added; refuses what cannot be healed so. */
    static List<Columns.Column> missing(TableApi.Table table, WarehouseOptions options) {
        Map<String, TableApi.Table.Field> found = new HashMap<>();
        table.fields().forEach(field -> found.put(field.name().toLowerCase(Locale.ROOT), field));
        List<Columns.Column> missing = new ArrayList<>();
        List<String> problems = new ArrayList<>();
        for (Columns.Column column : Columns.of(options.eventIds())) {
            TableApi.Table.Field field = found.remove(column.name());
            if (field == null) {
                if (column.required()) {
                    problems.add(column.name() + " is missing and cannot be added, as it is REQUIRED");
                } else {
                    missing.add(column);
                }
            } else {
                String problem = problem(column, field);
                if (problem != null) {
                    problems.add(problem);
                }
            }
        }
        for (TableApi.Table.Field other : found.values()) {
            if (other.mode().equals("REQUIRED")) {
                problems.add(other.name() + " is REQUIRED in the table and unknown to the job");
            }
        }
        if (!problems.isEmpty()) {
            throw new RowStoreRefusedException("The warehouse table " + options.tableName() + " does not fit: "
                    + String.join("; ", problems) + ". Change the table, or choose another warehouse.table");
        }
        if (!missing.isEmpty() && !options.addColumns()) {
            throw new RowStoreRefusedException("The warehouse table " + options.tableName() + " lacks the columns "
                    + missing.stream()
                            .map(column -> column.name() + " " + column.type().name())
                            .toList()
                    + ". Say --warehouse.add-columns true to have them added, or add them as NULLABLE");
        }
        return missing;
    }

    private static @Nullable String problem(Columns.Column column, TableApi.Table.Field field) {
        String found = field.type().toUpperCase(Locale.ROOT);
        if (!column.type().inRest().equals(SAME.getOrDefault(found, found))) {
            return column.name() + " is wanted as " + column.type().name() + " and found as " + field.type();
        }
        if (field.mode().equals("REPEATED")) {
            return column.name() + " is wanted as one " + column.type().name() + " and found as REPEATED";
        }
        if (field.mode().equals("REQUIRED") && !column.required()) {
            return column.name() + " is wanted as NULLABLE and found as REQUIRED";
        }
        return null;
    }
}
