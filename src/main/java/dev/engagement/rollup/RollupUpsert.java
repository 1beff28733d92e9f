package dev.engagement.rollup;

import dev.engagement.event.RollupRow;
import dev.engagement.rollup.RollupTable.Column;
import dev.engagement.rollup.definition.RollupDefinition;
import java.math.BigDecimal;
import java.sql.Array;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * The statement that brings rows of one rollup into its table, however many: an array for each column. A row takes the place
 * of an older version only, so the order of writers, and how often they write, do not matter.
 */
public final class RollupUpsert {

    private final RollupTable table;
    private final RollupDefinition definition;
    private final String sql;

    /** @param definition of the rows' rollup */
    public RollupUpsert(RollupDefinition definition) {
        this.definition = definition;
        this.table = RollupTable.of(definition);
        this.sql = sql(table);
    }

    private static String sql(RollupTable table) {
        List<Column> columns = table.columns();
        String names = columns.stream().map(Column::quoted).collect(Collectors.joining(", "));
        String arrays = columns.stream()
                .map(column -> "?::" + column.type().shortName() + "[]")
                .collect(Collectors.joining(", "));
        String key = table.key().stream().map(RollupTable::quote).collect(Collectors.joining(", "));
        String changes = columns.stream()
                .filter(column -> !table.key().contains(column.name()))
                .map(column -> column.quoted() + " = excluded." + column.quoted())
                .collect(Collectors.joining(", "));
        String version = RollupTable.quote(RollupDefinition.VERSION);
        return "INSERT INTO " + table.quoted() + " AS held (" + names + ") SELECT * FROM unnest(" + arrays
                + ") ON CONFLICT (" + key + ") DO UPDATE SET " + changes + " WHERE excluded." + version + " > held."
                + version;
    }

    /** The table that it writes to. */
    public RollupTable table() {
        return table;
    }

    /** Whether the row has what the statement needs: not if it is of a definition before this one. */
    public boolean fits(RollupRow row) {
        return row.key().size() == definition.eventKey().size()
                && row.values().size() == definition.measures().size();
    }

    /**
     * Executes it.
     *
     * @param rows that {@link #fits fit}
     * @return how many of the rows the table took
     */
    public int execute(Connection connection, List<RollupRow> rows) throws SQLException {
        List<@Nullable String[]> arrays = new ArrayList<>();
        for (int i = 0; i < table.columns().size(); i++) {
            arrays.add(new String[rows.size()]);
        }
        for (int i = 0; i < rows.size(); i++) {
            int column = 0;
            for (String text : texts(rows.get(i))) {
                arrays.get(column++)[i] = text;
            }
        }
        try (PreparedStatement statement = connection.prepareStatement(sql)) {
            for (int column = 0; column < arrays.size(); column++) {
                Array array = connection.createArrayOf(
                        table.columns().get(column).type().shortName(), arrays.get(column));
                statement.setArray(column + 1, array);
            }
            return statement.executeUpdate();
        }
    }

    /** What goes into each column, as PostgreSQL reads it. */
    private List<@Nullable String> texts(RollupRow row) {
        List<@Nullable String> texts = new ArrayList<>(table.columns().size());
        texts.add(Instant.ofEpochMilli(row.windowStartMillis()).toString());
        if (definition.hasWindowSize()) {
            texts.add(definition.windowSizeText());
        }
        texts.addAll(row.key());
        texts.add(Instant.ofEpochMilli(row.windowEndMillis()).toString());
        for (BigDecimal value : row.values()) {
            texts.add(value == null ? null : value.toPlainString());
        }
        if (definition.countsUsers()) {
            texts.add(Boolean.toString(row.exact()));
        }
        texts.add(Long.toString(row.skipped()));
        texts.add(Long.toString(row.version()));
        return texts;
    }
}
