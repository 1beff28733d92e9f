package dev.engagement.bench;

import dev.engagement.connection.PostgresConnection;
import dev.engagement.connection.SecretRef;
import dev.engagement.event.RollupRow;
import dev.engagement.event.types.RollupRowType;
import dev.engagement.local.PostgresServer;
import dev.engagement.pipeline.OperatorIds;
import dev.engagement.rollup.RollupTable;
import dev.engagement.rollup.RollupTables;
import dev.engagement.rollup.definition.RollupDefinition;
import dev.engagement.rollup.sink.RollupStreams;
import java.math.BigDecimal;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.connector.datagen.source.DataGeneratorSource;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;

/**
 * Rows of one rollup into their table, each new at first, then each in a newer version: through the job, beside INSERTs
 * of the same rows over as many plain connections into a table of the same form, in the same run, turn about.
 * PostgreSQL is on the same cores, and a commit is on its disk.
 */
final class TablesCost {

    private static final int CONTENTS = 10_000;
    private static final int EVENTS_OF_A_ROW = 10;
    private static final int ROWS_OF_A_TRANSACTION = 1_000;
    private static final String PLAIN = "plain";
    private static final RollupDefinition DEFINITION =
            RollupBenchmark.audience().get(0);
    private static final RollupTable TABLE = RollupTable.of(DEFINITION);

    private final BenchCluster cluster;
    private final PostgresServer postgres;
    private final PostgresConnection target;
    private final int rows;

    /** Younger than what is removed for its age. */
    private final long firstWindow = System.currentTimeMillis() / DEFINITION.slideMillis() * DEFINITION.slideMillis();

    private record Figures(double rowsPerSecond, double ratio, double cpuMicros) {}

    private TablesCost(BenchCluster cluster, PostgresServer postgres, PostgresConnection target, int rows) {
        this.cluster = cluster;
        this.postgres = postgres;
        this.target = target;
        this.rows = rows;
    }

    static void measure(BenchCluster cluster, Path directory, int events, int rounds) throws Exception {
        PostgresServer.discard(directory.resolve("postgres"));
        try (PostgresServer postgres = PostgresServer.start(directory.resolve("postgres"), 0)) {
            postgres.createDatabase(PostgresServer.ANALYTICS);
            Path password = directory.resolve("postgres.password");
            Files.writeString(password, postgres.password());
            PostgresConnection target = new PostgresConnection(
                    postgres.jdbcUrl(PostgresServer.ANALYTICS),
                    postgres.username(),
                    SecretRef.inFile("rollup.postgres.password", password.toString()));
            RollupTables.prepare(target, List.of(DEFINITION)).ifPresent(warning -> {
                throw new IllegalStateException(warning);
            });
            TablesCost tables = new TablesCost(cluster, postgres, target, Math.max(1, events / EVENTS_OF_A_ROW));
            tables.sql("CREATE TABLE " + PLAIN + " (LIKE " + TABLE.quoted() + " INCLUDING ALL)");
            tables.compare(rounds);
        }
    }

    private void compare(int rounds) throws Exception {
        System.out.printf(
                "%ntables: %,d rows of %s, parallelism %d, no checkpoints; beside INSERTs of many rows over %d plain"
                        + " connections,%n        %,d rows a transaction; CPU of the job is its process, the source"
                        + " included;%n        PostgreSQL is on the same cores%n",
                rows, DEFINITION.table(), BenchCluster.PARALLELISM, BenchCluster.PARALLELISM, ROWS_OF_A_TRANSACTION);
        System.out.printf(
                "%-8s %-8s %14s %12s %8s %12s%n", "round", "what", "plain rows/s", "rows/s", "ratio", "CPU µs/row");
        Map<String, List<Figures>> measured = new LinkedHashMap<>();
        for (int round = 0; round <= rounds; round++) {
            sql("TRUNCATE " + TABLE.quoted() + ", " + PLAIN);
            for (int version = 1; version <= 2; version++) {
                String what = version == 1 ? "insert" : "update";
                sql("CHECKPOINT");
                double plain = rows / plainSeconds(version);
                check(PLAIN, version);
                sql("CHECKPOINT");
                Meter.Reading reading = cluster.run(writing(version));
                check(TABLE.quoted(), version);
                double rate = rows / reading.seconds();
                Figures figures = new Figures(rate, rate / plain, reading.cpuSeconds() * 1e6 / rows);
                System.out.printf(
                        "%-8s %-8s %,14.0f %,12.0f %8.2f %12.1f%n",
                        round == 0 ? "warm-up" : Integer.toString(round),
                        what,
                        plain,
                        figures.rowsPerSecond,
                        figures.ratio,
                        figures.cpuMicros);
                if (round > 0) {
                    measured.computeIfAbsent(what, any -> new ArrayList<>()).add(figures);
                }
            }
        }
        measured.forEach((what, figures) -> System.out.printf(
                "%s: rows/s %s; ratio to plain INSERTs %s; CPU us per row %s%n",
                what,
                new Spread(figures.stream().map(Figures::rowsPerSecond).toList()).text("%,.0f"),
                new Spread(figures.stream().map(Figures::ratio).toList()).text("%.2f"),
                new Spread(figures.stream().map(Figures::cpuMicros).toList()).text("%.1f")));
        System.out.println("each run's rows were in the table, each in its version");
    }

    /** Without checkpoints, as the end would wait for the last one. */
    private StreamExecutionEnvironment writing(long version) {
        StreamExecutionEnvironment env = cluster.environmentWithoutCheckpoints();
        long first = firstWindow;
        DataGeneratorSource<RollupRow> source =
                new DataGeneratorSource<>(number -> row(number, first, version), rows, RollupRowType.ROW);
        RollupStreams.tables(
                env.fromSource(source, WatermarkStrategy.noWatermarks(), "rows"),
                RollupBenchmark.options(List.of(DEFINITION), target),
                OperatorIds.ROLLUP_TABLES);
        return env;
    }

    /** All contents of a window, then those of the next. */
    private static RollupRow row(long number, long firstWindow, long version) {
        int content = (int) (number % CONTENTS);
        long start = firstWindow + number / CONTENTS * DEFINITION.slideMillis();
        return new RollupRow(
                DEFINITION.name(),
                start,
                start + DEFINITION.windowMillis(),
                List.of(BenchEnvelopes.contentId(content)),
                List.of(BigDecimal.valueOf(version), BigDecimal.valueOf(12_345L * (content + version), 3)),
                true,
                0,
                version,
                true);
    }

    private double plainSeconds(long version) {
        long start = System.nanoTime();
        List<CompletableFuture<Void>> parts = IntStream.range(0, BenchCluster.PARALLELISM)
                .mapToObj(part -> CompletableFuture.runAsync(() -> insertPlainly(part, version)))
                .toList();
        parts.forEach(CompletableFuture::join);
        return (System.nanoTime() - start) / 1e9;
    }

    /** The driver makes statements of many rows out of these. */
    private void insertPlainly(int part, long version) {
        long from = (long) rows * part / BenchCluster.PARALLELISM;
        long to = (long) rows * (part + 1) / BenchCluster.PARALLELISM;
        String insert = "INSERT INTO " + PLAIN + " VALUES (?, ?, ?, ?, ?, ?, ?, ?)";
        try (Connection connection = postgres.connect(PostgresServer.ANALYTICS);
                PreparedStatement statement =
                        connection.prepareStatement(version == 1 ? insert : insert + onConflict())) {
            connection.setAutoCommit(false);
            for (long number = from; number < to; number++) {
                RollupRow row = row(number, firstWindow, version);
                statement.setObject(1, time(row.windowStartMillis()));
                statement.setString(2, row.key().get(0));
                statement.setObject(3, time(row.windowEndMillis()));
                statement.setLong(4, version);
                statement.setBigDecimal(5, row.values().get(1));
                statement.setBoolean(6, row.exact());
                statement.setLong(7, row.skipped());
                statement.setLong(8, row.version());
                statement.addBatch();
                if ((number - from + 1) % ROWS_OF_A_TRANSACTION == 0 || number + 1 == to) {
                    statement.executeBatch();
                    connection.commit();
                }
            }
        } catch (SQLException e) {
            throw new CompletionException(e);
        }
    }

    private static String onConflict() {
        String changes = TABLE.columns().stream()
                .filter(column -> !TABLE.key().contains(column.name()))
                .map(column -> column.quoted() + " = excluded." + column.quoted())
                .collect(Collectors.joining(", "));
        return " ON CONFLICT (" + String.join(", ", TABLE.key()) + ") DO UPDATE SET " + changes;
    }

    private static OffsetDateTime time(long millis) {
        return Instant.ofEpochMilli(millis).atOffset(ZoneOffset.UTC);
    }

    private void check(String table, long version) throws SQLException {
        String count = "SELECT count(*) FROM " + table + " WHERE version = " + version;
        try (Connection connection = postgres.connect(PostgresServer.ANALYTICS);
                Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(count)) {
            row.next();
            if (row.getLong(1) != rows) {
                throw new IllegalStateException("Of " + rows + " rows " + row.getLong(1) + " are in " + table);
            }
        }
    }

    private void sql(String text) throws SQLException {
        try (Connection connection = postgres.connect(PostgresServer.ANALYTICS);
                Statement statement = connection.createStatement()) {
            statement.execute(text);
        }
    }
}
