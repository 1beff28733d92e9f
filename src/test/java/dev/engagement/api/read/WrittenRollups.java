package dev.engagement.api.read;

import dev.engagement.event.RollupRow;
import dev.engagement.event.RollupShape;
import dev.engagement.liveview.RollupCell;
import dev.engagement.rollup.definition.KeyPart;
import dev.engagement.rollup.definition.Measure;
import dev.engagement.rollup.definition.RollupDefinition;
import java.math.BigDecimal;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/** The rollups' tables and windows as the job writes them. */
public final class WrittenRollups {

    private WrittenRollups() {}

    /** The table of a rollup, empty. */
    public static void create(Connection connection, RollupDefinition definition) throws SQLException {
        Map<String, String> types = new HashMap<>();
        types.put(RollupDefinition.WINDOW_START, "timestamptz");
        types.put(RollupDefinition.WINDOW_END, "timestamptz");
        definition.by().forEach(part -> types.put(part.column(), "text"));
        definition
                .measures()
                .forEach(measure ->
                        types.put(measure.column(), measure.function().isWhole() ? "bigint" : "numeric"));
        types.put(RollupDefinition.UNIQUE_USERS_EXACT, "boolean");
        types.put(RollupDefinition.SKIPPED, "bigint");
        types.put(RollupDefinition.VERSION, "bigint");
        String columns = definition.columns().stream()
                .map(column -> "\"" + column + "\" " + types.get(column))
                .collect(Collectors.joining(", "));
        String key = definition.keyColumns().stream()
                .map(column -> "\"" + column + "\"")
                .collect(Collectors.joining(", "));
        try (Statement statement = connection.createStatement()) {
            statement.execute(
                    "CREATE TABLE \"" + definition.table() + "\" (" + columns + ", PRIMARY KEY (" + key + "))");
        }
    }

    /** It has no rows again. */
    public static void clear(Connection connection, RollupDefinition definition) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute("TRUNCATE \"" + definition.table() + "\"");
        }
    }

    /** A window's value, of version 1; a value is a number's digits. */
    public static RollupRow row(
            RollupDefinition definition, long startMillis, List<String> key, boolean exact, String... values) {
        return new RollupRow(
                definition.name(),
                startMillis,
                startMillis + definition.windowMillis(),
                key,
                Arrays.stream(values).map(BigDecimal::new).toList(),
                exact,
                0,
                1,
                true);
    }

    /** Writes it into its table. */
    public static void insert(Connection connection, RollupDefinition definition, RollupRow row) throws SQLException {
        List<Object> values = new ArrayList<>();
        values.add(Instant.ofEpochMilli(row.windowStartMillis()).atOffset(ZoneOffset.UTC));
        if (definition.hasWindowSize()) {
            values.add(definition.windowSizeText());
        }
        values.addAll(row.key());
        values.add(Instant.ofEpochMilli(row.windowEndMillis()).atOffset(ZoneOffset.UTC));
        values.addAll(row.values());
        if (definition.countsUsers()) {
            values.add(row.exact());
        }
        values.add(row.skipped());
        values.add(row.version());
        String marks = values.stream().map(value -> "?").collect(Collectors.joining(", "));
        try (PreparedStatement statement =
                connection.prepareStatement("INSERT INTO \"" + definition.table() + "\" VALUES (" + marks + ")")) {
            for (int i = 0; i < values.size(); i++) {
                statement.setObject(i + 1, values.get(i));
            }
            statement.executeUpdate();
        }
    }

    /** What the live view shows of it. */
    public static RollupCell cell(RollupDefinition definition, RollupRow row) {
        RollupShape shape = new RollupShape(
                definition.name(),
                definition.eventKey().stream().map(KeyPart::column).toList(),
                definition.measures().stream().map(Measure::column).toList(),
                definition.hasWindowSize() ? definition.windowSizeText() : null,
                definition.countsUsers(),
                definition.live());
        return RollupCell.of(row, shape, RollupCell.windows(row, shape));
    }
}
