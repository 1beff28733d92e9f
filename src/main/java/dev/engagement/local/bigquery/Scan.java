package dev.engagement.local.bigquery;

import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;

/**
 * What a statement reads of a table, and what BigQuery says that it processes for it: the columns that are named, of the
 * partitions that the filter leaves, at the sizes of BigQuery's data types. Clustering and LIMIT save nothing here, and a
 * table that is named twice counts twice.
 *
 * @param columns that are read
 * @param filter of partitions
 */
record Scan(Table table, Set<Column> columns, PartitionFilter filter) {

    /** Years 1 to 9999, which is all that a TIMESTAMP may be. */
    private static final long MIN_MICROS = -62_135_596_800_000_000L;

    private static final long MAX_MICROS = 253_402_300_799_999_999L;
    private static final long MICROS_PER_DAY = 86_400_000_000L;

    /** The same of all columns, as of partitions in which rows are deleted. */
    Scan ofAllColumns() {
        return new Scan(table, Set.copyOf(table.columns()), filter);
    }

    /** Bytes of some. */
    static long bytes(Statement statement, List<Scan> scans) throws SQLException {
        long bytes = 0;
        for (Scan scan : scans) {
            bytes += scan.bytes(statement);
        }
        return bytes;
    }

    private long bytes(Statement statement) throws SQLException {
        if (columns.isEmpty()) {
            return 0;
        }
        String sql = "SELECT (" + columns.stream().map(Scan::size).collect(Collectors.joining(" + "))
                + ")::BIGINT FROM " + Store.quoted(table.id()) + where(statement);
        return number(statement, sql).orElse(0L);
    }

    /** NULL has no size. */
    private static String size(Column column) {
        String name = Store.quoted(column.name());
        return switch (column.type()) {
            case BOOL -> "count(" + name + ")";
            case DATE, FLOAT64, INT64, TIMESTAMP -> "8 * count(" + name + ")";
            case NUMERIC -> "16 * count(" + name + ")";
            case STRING -> "coalesce(sum(2 + strlen(" + name + ")), 0)";
            case JSON -> "coalesce(sum(strlen(" + name + "::VARCHAR)), 0)";
        };
    }

    private String where(Statement statement) throws SQLException {
        if (table.partitioning().isEmpty()) {
            return "";
        }
        Partitioning partitioning = table.partitioning().get();
        List<String> parts = new ArrayList<>();
        // By begin, so that ranges within one partition read it once.
        TreeSet<Long> seen = new TreeSet<>();
        long end = Long.MIN_VALUE;
        for (PartitionFilter.Values values : sorted(statement)) {
            if (values.equals(PartitionFilter.Values.ALL)) {
                return "";
            }
            long first = partition(partitioning, Math.max(values.first(), MIN_MICROS));
            long last = partition(partitioning, Math.min(values.last(), MAX_MICROS));
            first = seen.isEmpty() ? first : Math.max(first, end + 1);
            if (first > last) {
                continue;
            }
            seen.add(first);
            end = last;
            String column = Store.quoted(partitioning.column().name());
            parts.add("(" + column + " >= " + literal(partitioning.beginOf(first)) + " AND " + column + " < "
                    + literal(partitioning.beginOf(last + 1)) + ")");
        }
        return " WHERE " + (parts.isEmpty() ? "false" : String.join(" OR ", parts));
    }

    private List<PartitionFilter.Values> sorted(Statement statement) throws SQLException {
        SQLException[] failed = new SQLException[1];
        List<PartitionFilter.Values> values = new ArrayList<>(filter.values(constant -> {
            try {
                return number(statement, "SELECT epoch_us(CAST((" + constant + ") AS TIMESTAMP))");
            } catch (SQLException e) {
                failed[0] = e;
                return Optional.empty();
            }
        }));
        if (failed[0] != null) {
            throw failed[0];
        }
        values.sort((a, b) -> Long.compare(a.first(), b.first()));
        return values;
    }

    private static long partition(Partitioning partitioning, long micros) {
        return partitioning.partitionOf(
                partitioning.column().type() == ColumnType.DATE ? Math.floorDiv(micros, MICROS_PER_DAY) : micros);
    }

    private static String literal(Instant instant) {
        // As a number, because the end of the last partition is no time that has a text.
        return "make_timestamp(" + Partitioning.micros(instant) + ")";
    }

    private static Optional<Long> number(Statement statement, String sql) throws SQLException {
        try (ResultSet row = statement.executeQuery(sql)) {
            row.next();
            long number = row.getLong(1);
            return row.wasNull() ? Optional.empty() : Optional.of(number);
        }
    }
}
