package dev.engagement.clickhouse;

import dev.engagement.rowstore.CheckpointLineage;
import dev.engagement.rowstore.RowStoreRefusedException;
import dev.engagement.rowstore.RowVerdict;
import dev.engagement.rowstore.StoreRequestException;
import dev.engagement.rowstore.StoreTable;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * The table, and beside it a small one of labels, whose newest row says which run has shown which checkpoint.
 *
 * <p>Of two who label at once one is the first: each row's version is ClickHouse's deduplication token of its insert, so a
 * second row of a version is dropped, and each looks whose row is there.
 */
final class ClickHouseTable implements StoreTable {

    /** Engines whose parts can be moved in from a staging table, each row once. */
    private static final String ENGINES = "(Replacing)?MergeTree";

    private static final String LABELS = "_checkpoints";

    private final ClickHouseOptions options;
    private final String table;
    private final ClickHouseHttp http;

    /**
     * A table.
     *
     * @param options of which the database and the table's layout are used
     * @param table its full name
     */
    ClickHouseTable(ClickHouseOptions options, String table) {
        this.options = options;
        this.table = table;
        this.http = new ClickHouseHttp(options);
    }

    @FunctionalInterface
    private interface Request<T extends @Nullable Object> {
        T send() throws ClickHouseFailure, InterruptedException;
    }

    private static <T extends @Nullable Object> T asked(String what, Request<T> request)
            throws StoreRequestException, InterruptedException {
        try {
            return request.send();
        } catch (ClickHouseFailure e) {
            throw new StoreRequestException(
                    what + ": " + e.text(), e.verdict(RowVerdict.Operation.OPEN) == RowVerdict.TRANSIENT, e);
        }
    }

    @Override
    public String name() {
        return table;
    }

    @Override
    public CheckpointLineage.@Nullable FencingLabel prepare() throws StoreRequestException, InterruptedException {
        asked("The table cannot be made", () -> {
            http.run("CREATE DATABASE IF NOT EXISTS " + options.database());
            http.run(definition());
            http.run("CREATE TABLE IF NOT EXISTS " + table + LABELS
                    + " (version UInt64, run String, checkpoint UInt64, writer String, at DateTime DEFAULT now())"
                    + " ENGINE = MergeTree ORDER BY version"
                    + " SETTINGS non_replicated_deduplication_window = 10000, fsync_after_insert = 1,"
                    + " fsync_part_directory = 1");
            return null;
        });
        check();
        return newest().label();
    }

    private String definition() {
        ClickHouseOptions.Layout layout = options.layout();
        String columns = ClickHouseColumns.of(options).stream()
                .map(column -> column.name() + " " + column.type())
                .collect(Collectors.joining(", "));
        String expiration = layout.expiration() == null
                ? ""
                : " TTL toDateTime(event_ts) + INTERVAL " + layout.expiration().toHours() + " HOUR";
        return "CREATE TABLE IF NOT EXISTS " + table + " (" + columns + ") ENGINE = ReplacingMergeTree"
                + " PARTITION BY " + layout.partition().expression()
                + " ORDER BY (content_id, toStartOfHour(event_ts), event_id)" + expiration
                + (layout.fsync() ? " SETTINGS fsync_after_insert = 1, fsync_part_directory = 1" : "");
    }

    private void check() throws StoreRequestException, InterruptedException {
        String[] parts = table.split("\\.");
        String where = "database = '" + parts[0] + "' AND ";
        String engine = asked(
                "The table cannot be read",
                () -> http.value("SELECT engine FROM system.tables WHERE " + where + "name = '" + parts[1] + "'"));
        if (!engine.matches(ENGINES)) {
            throw new RowStoreRefusedException("The ClickHouse table " + table + " is of the engine " + engine
                    + "; rows are shown once only in MergeTree and ReplacingMergeTree, as parts are moved into it from a"
                    + " staging table. Give clickhouse.table another name");
        }
        List<List<String>> found = asked(
                "The table's columns cannot be read",
                () -> http.rows("SELECT name, type, default_kind FROM system.columns WHERE " + where + "table = '"
                        + parts[1] + "'"));
        List<ClickHouseColumns.Column> missing = missing(found);
        for (ClickHouseColumns.Column column : missing) {
            asked("The column " + column.name() + " cannot be added", () -> {
                http.run("ALTER TABLE " + table + " ADD COLUMN IF NOT EXISTS " + column.name() + " " + column.type());
                return null;
            });
        }
    }

    /** The columns to be added; refuses what cannot be healed so. */
    private List<ClickHouseColumns.Column> missing(List<List<String>> found) {
        Map<String, String> types = new HashMap<>();
        found.forEach(column -> types.put(column.get(0), column.get(1).replace("\\'", "'")));
        List<ClickHouseColumns.Column> missing = new ArrayList<>();
        List<String> problems = new ArrayList<>();
        for (ClickHouseColumns.Column column : ClickHouseColumns.of(options)) {
            String type = types.get(column.name());
            if (type == null && column.isNullable()) {
                missing.add(column);
            } else if (type == null) {
                problems.add(column.name() + " is missing");
            } else if (!type.equals(column.type())) {
                problems.add(column.name() + " is wanted as " + column.type() + " and found as " + type);
            }
        }
        if (!missing.isEmpty() && !options.addColumns()) {
            missing.forEach(column -> problems.add(
                    column.name() + " " + column.type() + " is missing (--clickhouse.add-columns adds it)"));
        }
        if (!problems.isEmpty()) {
            throw new RowStoreRefusedException("The ClickHouse table " + table + " does not fit: "
                    + String.join("; ", problems) + ". Change it, or give clickhouse.table another name");
        }
        return missing;
    }

    @Override
    public boolean hasRows() throws StoreRequestException, InterruptedException {
        return asked("The table cannot be read", () -> !http.rows("SELECT 1 FROM " + table + " LIMIT 1")
                .isEmpty());
    }

    @Override
    public @Nullable Read read() throws StoreRequestException, InterruptedException {
        return newest();
    }

    private Read newest() throws StoreRequestException, InterruptedException {
        List<List<String>> rows = asked(
                "The labels cannot be read",
                () -> http.rows(
                        "SELECT version, run, checkpoint FROM " + table + LABELS + " ORDER BY version DESC LIMIT 1"));
        if (rows.isEmpty()) {
            return new Read(0L, null);
        }
        List<String> row = rows.get(0);
        return new Read(
                Long.parseLong(row.get(0)), new CheckpointLineage.FencingLabel(row.get(1), Long.parseLong(row.get(2))));
    }

    @Override
    public boolean label(Read read, CheckpointLineage.FencingLabel label)
            throws StoreRequestException, InterruptedException {
        long version = (Long) read.version() + 1;
        String writer = UUID.randomUUID().toString();
        return asked("The table cannot be labelled", () -> {
            http.run("INSERT INTO " + table + LABELS + " (version, run, checkpoint, writer) SETTINGS async_insert = 0,"
                    + " insert_deduplication_token = '" + version + "' VALUES (" + version + ", '" + label.run() + "', "
                    + label.checkpoint() + ", '" + writer + "')");
            return http.value("SELECT writer FROM " + table + LABELS + " WHERE version = " + version)
                    .equals(writer);
        });
    }
}
