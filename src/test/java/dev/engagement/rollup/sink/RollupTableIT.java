package dev.engagement.rollup.sink;

import static dev.engagement.rollup.sink.SampleRows.LONGER_METRICS;
import static dev.engagement.rollup.sink.SampleRows.METRICS;
import static dev.engagement.rollup.sink.SampleRows.START;
import static dev.engagement.rollup.sink.SampleRows.VIEWS;
import static dev.engagement.rollup.sink.SampleRows.views;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.engagement.JobCluster;
import dev.engagement.connection.PostgresConnection;
import dev.engagement.connection.SecretRef;
import dev.engagement.event.RollupRow;
import dev.engagement.event.types.EventShards;
import dev.engagement.event.types.RollupRowType;
import dev.engagement.local.FlinkRest;
import dev.engagement.local.FlinkRest.Aggregation;
import dev.engagement.local.PostgresServer;
import dev.engagement.local.testing.SharedServers;
import dev.engagement.rollup.RollupOptions;
import dev.engagement.rollup.RollupTables;
import dev.engagement.writeback.Item;
import dev.engagement.writeback.Link.Outcome;
import dev.engagement.writeback.WriteBackValue;
import dev.engagement.writeback.testing.RecordedMetrics;
import java.math.BigDecimal;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.IntStream;
import org.apache.flink.api.common.JobID;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.api.common.functions.FlatMapFunction;
import org.apache.flink.api.common.functions.MapFunction;
import org.apache.flink.api.common.typeinfo.Types;
import org.apache.flink.api.connector.source.util.ratelimit.RateLimiter;
import org.apache.flink.configuration.CheckpointingOptions;
import org.apache.flink.configuration.Configuration;
import org.apache.flink.configuration.CoreOptions;
import org.apache.flink.configuration.MemorySize;
import org.apache.flink.configuration.PipelineOptions;
import org.apache.flink.configuration.RestartStrategyOptions;
import org.apache.flink.connector.datagen.source.DataGeneratorSource;
import org.apache.flink.core.execution.JobClient;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.util.Collector;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Rows of rollups in a real PostgreSQL, whatever happens to it. */
class RollupTableIT {

    private static final Path DIRECTORY = Path.of("target/it/rollup-table");
    private static final long WHOLE = WriteBackValue.ALL_PARTS;
    private static final int ROWS = 20_000;
    private static final int CONTENTS = 97;
    private static final int TYPES = 7;

    /** Completed while something is wrong: none of them waits for it. */
    private static final int CHECKPOINTS = 10;

    /** So many last for half a minute at least. */
    private static final int MANY_CHECKPOINTS = 600;

    private static final Duration CHECKPOINT_INTERVAL = Duration.ofMillis(50);

    private static final String WRITER = "rollup_writer";

    /** Rows of a table, and what they add up to. */
    private static final String ALL_VIEWS = "SELECT count(*) || ' ' || sum(view_count) FROM views";

    private static final String ALL_METRICS = "SELECT count(*) || ' ' || sum(count) FROM metrics";

    /** Where the rows of jobs begin: they are younger than any retention, as a job removes older ones. */
    private static final long RECENT = System.currentTimeMillis() / VIEWS.windowMillis() * VIEWS.windowMillis()
            - Duration.ofMinutes(10).toMillis();

    /** Rows that the test's job has made; static, since functions are serialized. */
    private static final AtomicLong MADE = new AtomicLong();

    private final RecordedMetrics metrics = new RecordedMetrics();
    private SharedServers servers;
    private PostgresServer server;
    private PostgresConnection target;
    private PostgresLink link;
    private long nanos;

    @BeforeEach
    void lease() throws Exception {
        servers = SharedServers.lease(DIRECTORY);
        server = servers.analytics();
        target = new PostgresConnection(
                server.jdbcUrl(PostgresServer.ANALYTICS),
                server.username(),
                SecretRef.inFile("rollup.postgres.password", servers.postgresPasswordFile()));
        assertThat(RollupTables.prepare(target, SampleRows.ALL)).isEmpty();
        link = link(target, metrics);
    }

    @AfterEach
    void close() {
        link.close();
        servers.close();
    }

    @Test
    void every_column_has_what_the_row_says() throws Exception {
        write(
                SampleRows.metrics(METRICS, "play", 3, "12345678901234567890.123456789012345678"),
                SampleRows.metrics(LONGER_METRICS, "ü'\"\\{},NULL", 2, "-0.5"),
                SampleRows.metrics(LONGER_METRICS, "", 1, "0"),
                SampleRows.extremes(1, null, new BigDecimal("1E+3")));

        assertThat(texts("SELECT m::text FROM metrics AS m ORDER BY window_size, event_type"))
                .containsExactly(
                        "(\"2026-01-08 14:22:00+00\",1m,\"\",\"2026-01-08 14:23:00+00\",1,0,1,t,1,1)",
                        "(\"2026-01-08 14:22:00+00\",1m,\"ü'\"\"\\\\{},NULL\",\"2026-01-08 14:23:00+00\",2,-0.5,1,t,1,2)",
                        "(\"2026-01-08 14:22:00+00\",30s,play,\"2026-01-08 14:22:30+00\",3,"
                                + "12345678901234567890.123456789012345678,1,f,1,3)");
        assertThat(texts("SELECT e::text FROM \"order\" AS e"))
                .containsExactly("(\"2026-01-08 14:22:00+00\",\"2026-01-08 14:23:00+00\",,1000,0,1)");
    }

    @Test
    void an_upsert_moves_forward_only() throws Exception {
        write(views("a", 3), views("b", 1));
        write(views("a", 2), views("b", 1));
        assertThat(counts()).containsExactly("a 3", "b 1");
        assertThat(metrics.count("superseded")).isEqualTo(2);

        write(views("a", 5));
        assertThat(counts()).containsExactly("a 5", "b 1");
        assertThat(metrics.count("rowsWritten")).isEqualTo(3);
    }

    @Test
    void a_zombie_changes_nothing() throws Exception {
        PostgresLink zombie = link(target, new RecordedMetrics());
        assertThat(write(zombie, views("a", 3)).error()).isNull();
        assertThat(write(zombie, SampleRows.extremes(4, BigDecimal.ONE, BigDecimal.TEN))
                        .error())
                .isNull();
        write(views("a", 7), SampleRows.extremes(5, BigDecimal.ZERO, BigDecimal.TEN));

        assertThat(write(zombie, views("a", 4), SampleRows.extremes(5, BigDecimal.ONE, BigDecimal.ONE))
                        .missing())
                .containsOnly(0);
        zombie.close();

        assertThat(counts()).containsExactly("a 7");
        assertThat(texts("SELECT min || ' ' || max FROM (SELECT min, \"select\" AS max FROM \"order\") AS o"))
                .containsExactly("0 10");
    }

    @Test
    void one_bad_row_is_given_up_and_the_others_are_written() throws Exception {
        sql("ALTER TABLE views ADD CONSTRAINT refused CHECK (content_id <> 'c123')");

        Outcome outcome = write(rows(500));

        assertThat(outcome.error()).isNull();
        assertThat(outcome.missing()).containsOnly(0);
        assertThat(texts("SELECT count(*)::text FROM views")).containsExactly("499");
        assertThat(metrics.count("rowsGivenUp")).isOne();
    }

    @Test
    void what_no_column_can_hold_is_given_up_too() throws Exception {
        RollupRow tooMany = new RollupRow(
                VIEWS.name(), START, START + 1, List.of("many"), List.of(new BigDecimal("1E+30")), true, 0, 1, true);
        StringBuilder random = new StringBuilder();
        new Random(1).ints(20_000, 'a', 'z' + 1).forEach(c -> random.append((char) c));
        RollupRow tooFar = views("far", Long.MAX_VALUE / 2, 1, true);

        Outcome outcome = write(views("good", 1), tooMany, views("nul \u0000", 1), views(random.toString(), 1), tooFar);

        assertThat(outcome.error()).isNull();
        assertThat(outcome.missing()).containsOnly(0);
        assertThat(metrics.count("rowsGivenUp")).isEqualTo(4);
        assertThat(counts()).containsExactly("good 1");
    }

    @Test
    void a_check_that_refuses_every_row_of_a_table_costs_none_and_other_tables_nothing() throws Exception {
        sql("ALTER TABLE views ADD CONSTRAINT refused CHECK (view_count < 0)");
        RollupRow[] all = Arrays.copyOf(rows(200), 202);
        all[200] = SampleRows.metrics(METRICS, "play", 1, "1");
        all[201] = SampleRows.extremes(1, BigDecimal.ONE, BigDecimal.TEN);

        Outcome outcome = write(all);

        assertThat(outcome.error()).contains("views does not take", "violates check constraint \"refused\"");
        assertThat(missing(outcome)).hasSize(200);
        assertThat(metrics.gauge("refused")).isOne();
        assertThat(metrics.count("rowsWritten")).isEqualTo(2);
        assertThat(texts("SELECT count(*)::text FROM metrics")).containsExactly("1");
        assertThat(texts("SELECT count(*)::text FROM \"order\"")).containsExactly("1");

        sql("ALTER TABLE views DROP CONSTRAINT refused");
        nanos += PostgresLink.SUSPECT_RESTS.toNanos();
        assertThat(missing(write(all))).isEmpty();
        assertThat(texts("SELECT count(*)::text FROM views")).containsExactly("200");
        assertThat(metrics.count("rowsGivenUp")).isZero();
        assertThat(metrics.gauge("refused")).isZero();
    }

    @Test
    void a_right_that_was_taken_away_is_named_with_its_grant_and_other_tables_are_written() throws Exception {
        PostgresLink writer = link(writer(), metrics);
        try {
            assertThat(write(writer, views("a", 1)).error()).isNull();
            sql("REVOKE UPDATE ON views FROM " + WRITER);

            Outcome outcome = write(writer, views("a", 2), SampleRows.metrics(METRICS, "play", 1, "1"));
            assertThat(missing(outcome)).containsExactly(0);
            assertThat(outcome.error())
                    .contains("permission denied for table views")
                    .contains("GRANT SELECT, INSERT, UPDATE, DELETE ON \"views\" TO \"" + WRITER + "\"");
            assertThat(metrics.gauge("refused")).isOne();
            assertThat(metrics.count("rowsGivenUp")).isZero();
            assertThat(texts("SELECT count(*)::text FROM metrics")).containsExactly("1");

            sql("GRANT UPDATE ON views TO " + WRITER);
            nanos += PostgresLink.TABLE_RESTS.toNanos();
            assertThat(write(writer, views("a", 2)).error()).isNull();
            assertThat(counts()).containsExactly("a 2");
            assertThat(metrics.gauge("refused")).isZero();
        } finally {
            writer.close();
            dropWriter();
        }
    }

    @Test
    void a_row_that_somebody_holds_delays_no_other_and_is_written_afterwards() throws Exception {
        write(rows(200));
        try (Connection other = server.connect(PostgresServer.ANALYTICS);
                Statement statement = other.createStatement()) {
            other.setAutoCommit(false);
            statement.execute("UPDATE views SET skipped = 9 WHERE content_id = 'c7'");
            statement.execute("INSERT INTO views VALUES ('2026-01-08 14:22:00+00', 'inserted', now(), 1, 0, 1)");

            RollupRow[] newer = newer(200);
            RollupRow[] all = Arrays.copyOf(newer, 202);
            all[200] = views("inserted", 2);
            all[201] = views("other", 2);
            Outcome outcome = write(all);

            assertThat(missing(outcome)).containsExactly(7, 200);
            assertThat(outcome.error()).contains("somebody else holds");
            assertThat(texts("SELECT count(*)::text FROM views WHERE version = 2"))
                    .containsExactly("200");

            assertThat(write(all).missing()[7]).as("it rests").isEqualTo(WHOLE);
            other.commit();
        }
        nanos += PostgresLink.ROW_RESTS.toNanos();
        assertThat(write(views("c7", 2), views("inserted", 2)).error()).isNull();
        assertThat(texts("SELECT count(*)::text FROM views WHERE version = 2")).containsExactly("202");
    }

    @Test
    void a_table_that_is_missing_is_named_with_the_way_out_and_written_once_it_is_there() throws Exception {
        sql("DROP TABLE views");

        Outcome outcome = write(views("a", 1), SampleRows.metrics(METRICS, "play", 1, "1"));
        assertThat(missing(outcome)).containsExactly(0);
        assertThat(outcome.error())
                .contains("\"views\" does not exist")
                .contains("CREATE TABLE IF NOT EXISTS \"views\"");
        assertThat(metrics.gauge("refused")).isOne();
        assertThat(texts("SELECT count(*)::text FROM metrics")).containsExactly("1");

        assertThat(RollupTables.prepare(target, SampleRows.ALL)).isEmpty();
        nanos += PostgresLink.TABLE_RESTS.toNanos();
        assertThat(write(views("a", 1)).error()).isNull();
        assertThat(counts()).containsExactly("a 1");
        assertThat(metrics.gauge("refused")).isZero();
    }

    @Test
    void a_column_that_is_missing_makes_rows_wait_and_loses_none() throws Exception {
        sql("ALTER TABLE views RENAME COLUMN view_count TO counted");
        assertThat(missing(write(views("a", 1)))).containsExactly(0);
        assertThat(metrics.count("rowsGivenUp")).isZero();

        sql("ALTER TABLE views RENAME COLUMN counted TO view_count");
        nanos += PostgresLink.TABLE_RESTS.toNanos();
        assertThat(write(views("a", 1)).error()).isNull();
    }

    @Test
    void a_database_that_may_only_be_read_is_waited_for() throws Exception {
        sql("ALTER DATABASE analytics SET default_transaction_read_only = on");
        Outcome outcome = write(views("a", 1));
        assertThat(outcome.refused()).isFalse();
        assertThat(missing(outcome)).containsExactly(0);

        // From beside it, as nothing can be changed from within.
        servers.sql("ALTER DATABASE analytics RESET default_transaction_read_only");
        assertThat(write(views("a", 1)).error()).isNull();
        assertThat(counts()).containsExactly("a 1");
    }

    @Test
    void a_password_that_is_put_right_is_found_without_a_restart() throws Exception {
        Path file = DIRECTORY.resolve("secret");
        Files.writeString(file, "wrong");
        PostgresLink other = link(
                new PostgresConnection(
                        target.jdbcUrl(),
                        target.username(),
                        SecretRef.inFile("rollup.postgres.password", file.toString())),
                new RecordedMetrics());
        Outcome outcome = write(other, views("a", 1));
        assertThat(outcome.refused()).isTrue();
        assertThat(outcome.error())
                .contains("rollup.postgres.password.secret-file")
                .doesNotContain(server.password());

        Files.writeString(file, server.password());
        assertThat(write(other, views("a", 1)).error()).isNull();
        other.close();
    }

    @Test
    void rows_older_than_their_retention_go_and_no_others() throws Exception {
        String insert = "INSERT INTO metrics SELECT now() - age * interval '1 hour', size, 'c' || age, now(), 1, 1, 1,"
                + " true, 0, 1 FROM generate_series(0, 2500) AS age, unnest(ARRAY['30s', '1m', '5m']) AS size";
        sql(insert);
        OldRows old = new OldRows(List.of(METRICS, LONGER_METRICS), nanos);
        PostgresLink removing = new PostgresLink(
                target,
                SampleRows.ALL,
                JdbcRows.connector(target, SampleRows.ALL),
                old,
                () -> nanos,
                new RollupWriterMetrics(metrics));
        try (Connection reader = server.connect(PostgresServer.ANALYTICS);
                Statement statement = reader.createStatement()) {
            reader.setAutoCommit(false);
            statement.execute("SELECT FROM metrics WHERE window_size = '30s' AND event_type = 'c2000' FOR UPDATE");
            for (int i = 0; i < 10; i++) {
                write(removing);
            }
        }
        removing.close();

        assertThat(texts("SELECT window_size || ' ' || count(*) FROM metrics GROUP BY window_size ORDER BY 1"))
                .containsExactly("1m 24", "30s 25", "5m 2501");
        assertThat(metrics.count("rowsRemoved")).isEqualTo(2 * 2_477 - 1);
    }

    @Test
    void a_server_that_is_killed_gets_everything_when_it_is_back() throws Exception {
        try (PostgresServer own = PostgresServer.start(DIRECTORY.resolve("own"), 0)) {
            own.createDatabase(PostgresServer.ANALYTICS);
            Path secret = DIRECTORY.resolve("own.password").toAbsolutePath();
            Files.writeString(secret, own.password());
            PostgresConnection there = new PostgresConnection(
                    own.jdbcUrl(PostgresServer.ANALYTICS),
                    own.username(),
                    SecretRef.inFile("rollup.postgres.password", secret.toString()));
            assertThat(RollupTables.prepare(there, SampleRows.ALL)).isEmpty();
            own.kill();
            MADE.set(0);
            JobClient job = job(there);
            await().until(() -> MADE.get() == ROWS);
            own.restart();
            job.getJobExecutionResult().get();

            try (Connection connection = own.connect(PostgresServer.ANALYTICS);
                    Statement statement = connection.createStatement();
                    ResultSet row = statement.executeQuery(
                            "SELECT count(*), sum(view_count), bool_and(view_count = version) FROM views")) {
                row.next();
                assertThat(row.getLong(1)).isEqualTo(CONTENTS);
                assertThat(row.getLong(2)).isEqualTo(ROWS);
                assertThat(row.getBoolean(3)).isTrue();
            }
        }
    }

    // ------------------------------------------------------------------------------------ a job, and what is wrong

    @Test
    void a_job_goes_on_while_the_database_may_only_be_read() throws Exception {
        goesOn(
                target,
                // From beside it, as nothing can be changed from within.
                () -> servers.sql("ALTER DATABASE analytics SET default_transaction_read_only = on"),
                (cluster, job) -> {
                    assertThat(texts("SELECT count(*)::text FROM views")).containsExactly("0");
                    assertThat(metric(cluster, job, "refused")).isZero();
                },
                () -> servers.sql("ALTER DATABASE analytics RESET default_transaction_read_only"));
    }

    @Test
    void a_job_goes_on_while_the_disk_is_full() throws Exception {
        sql("CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
                + " RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = '53100';"
                + " END $$");
        goesOn(
                target,
                () -> sql("CREATE TRIGGER full_disk BEFORE INSERT ON views FOR EACH ROW EXECUTE FUNCTION full_disk()"),
                (cluster, job) -> {
                    assertThat(texts("SELECT count(*)::text FROM views")).containsExactly("0");
                    assertThat(metric(cluster, job, "refused"))
                            .as("who looks after it knows")
                            .isZero();
                },
                () -> sql("DROP TRIGGER full_disk ON views"));
    }

    /** What only a person puts right, and how. */
    enum Refusal {
        RIGHT_REVOKED("REVOKE INSERT ON views FROM " + WRITER, "GRANT INSERT ON views TO " + WRITER),
        COLUMN_GONE(
                "ALTER TABLE views RENAME COLUMN view_count TO counted",
                "ALTER TABLE views RENAME COLUMN counted TO view_count"),
        TABLE_GONE("ALTER TABLE views RENAME TO elsewhere", "ALTER TABLE elsewhere RENAME TO views");

        private final String breaking;
        private final String repair;

        Refusal(String breaking, String repair) {
            this.breaking = breaking;
            this.repair = repair;
        }
    }

    @ParameterizedTest
    @EnumSource
    void a_job_goes_on_while_a_table_is_refused_and_fills_the_others(Refusal refusal) throws Exception {
        PostgresConnection writer = writer();
        try {
            goesOn(
                    writer,
                    () -> sql(refusal.breaking),
                    (cluster, job) -> {
                        await().untilAsserted(
                                        () -> assertThat(texts(ALL_METRICS)).containsExactly(TYPES + " " + ROWS));
                        await().untilAsserted(() ->
                                assertThat(metric(cluster, job, "refused")).isPositive());
                    },
                    () -> sql(refusal.repair));
        } finally {
            dropWriter();
        }
    }

    @Test
    void a_job_goes_on_while_somebody_holds_a_row() throws Exception {
        goesOnWhileSomebodyHoldsARow(CHECKPOINTS);
    }

    @Test
    @Tag("faults")
    void a_job_goes_on_while_somebody_holds_a_row_for_half_a_minute() throws Exception {
        goesOnWhileSomebodyHoldsARow(MANY_CHECKPOINTS);
    }

    private void goesOnWhileSomebodyHoldsARow(int checkpoints) throws Exception {
        sql("INSERT INTO views VALUES (to_timestamp(" + RECENT / 1_000 + "), 'c7', now(), 0, 0, 0)");
        int held = (ROWS - 1 - 7) / CONTENTS + 1;
        try (Connection other = server.connect(PostgresServer.ANALYTICS);
                Statement statement = other.createStatement()) {
            other.setAutoCommit(false);
            goesOn(
                    target,
                    () -> statement.execute("SELECT FROM views WHERE content_id = 'c7' FOR UPDATE"),
                    (cluster, job) -> {
                        await().untilAsserted(() ->
                                assertThat(texts(ALL_VIEWS)).containsExactly(CONTENTS + " " + (ROWS - held)));
                        await().untilAsserted(
                                        () -> assertThat(texts(ALL_METRICS)).containsExactly(TYPES + " " + ROWS));
                        for (int i = 0; i < checkpoints; i++) {
                            cluster.awaitCheckpoint(job);
                        }
                        assertThat(texts("SELECT version::text FROM views WHERE content_id = 'c7'"))
                                .containsExactly("0");
                    },
                    other::commit);
        }
    }

    private interface Work {
        void run() throws Exception;
    }

    private interface Look {
        void at(JobCluster cluster, JobID job) throws Exception;
    }

    /**
     * A job of which every row comes while something is wrong: it completes its checkpoints meanwhile, gives up nothing,
     * and has written everything once that is put right, without a restart.
     *
     * @param as whom it connects
     * @param meanwhile once all rows have come, and checkpoints with them
     */
    private void goesOn(PostgresConnection as, Work breaking, Look meanwhile, Work repair) throws Exception {
        MADE.set(0);
        breaking.run();
        try (JobCluster cluster = JobCluster.shared(DIRECTORY, "hashmap")) {
            JobID job = cluster.run(heldJob(as));
            await().until(() -> MADE.get() == ROWS);
            for (int i = 0; i < CHECKPOINTS; i++) {
                cluster.awaitCheckpoint(job);
            }
            meanwhile.at(cluster, job);
            repair.run();

            await().untilAsserted(() -> assertThat(texts(ALL_VIEWS)).containsExactly(CONTENTS + " " + ROWS));
            await().untilAsserted(() -> assertThat(texts(ALL_METRICS)).containsExactly(TYPES + " " + ROWS));
            assertThat(texts("SELECT bool_and(view_count = version)::text FROM views"))
                    .containsExactly("true");
            assertThat(cluster.status(job).isTerminalState()).isFalse();
            assertThat(cluster.restarts(job)).isZero();
            assertThat(metric(cluster, job, "rowsGivenUp")).isZero();
            await().untilAsserted(
                            () -> assertThat(metric(cluster, job, "refused")).isZero());
        }
    }

    /** 0 as long as nobody reports it. */
    private static double metric(JobCluster cluster, JobID job, String name) throws Exception {
        return new FlinkRest(cluster.rest())
                .metrics(job.toHexString(), Map.of(name, Aggregation.SUM))
                .getOrDefault(name, 0.0);
    }

    /**
     * Each row says how many of its content, or of its type, there have been. When all have come the source is not at its
     * end: that would wait for PostgreSQL, and has no checkpoints any more.
     */
    private static StreamExecutionEnvironment heldJob(PostgresConnection to) {
        Configuration configuration = new Configuration();
        configuration.set(CheckpointingOptions.CHECKPOINTING_INTERVAL, CHECKPOINT_INTERVAL);
        configuration.set(
                CheckpointingOptions.CHECKPOINTS_DIRECTORY,
                "file://" + DIRECTORY.resolve("checkpoints").toAbsolutePath());
        configuration.set(CoreOptions.DEFAULT_PARALLELISM, 2);
        configuration.set(PipelineOptions.GENERIC_TYPES, false);
        configuration.set(PipelineOptions.AUTO_GENERATE_UIDS, false);
        configuration.set(PipelineOptions.OBJECT_REUSE, true);
        configuration.set(RestartStrategyOptions.RESTART_STRATEGY, "none");
        StreamExecutionEnvironment env = new StreamExecutionEnvironment(configuration);
        env.setMaxParallelism(EventShards.SHARDS);
        RollupStreams.tables(
                env.fromSource(
                                new DataGeneratorSource<>(
                                        number -> number, 2L * ROWS, readers -> new Held(ROWS + ROWS / 2), Types.LONG),
                                WatermarkStrategy.noWatermarks(),
                                "numbers")
                        .uid("numbers")
                        .setParallelism(1)
                        .rebalance()
                        .flatMap(new RowsOfBoth())
                        .returns(RollupRowType.ROW)
                        .uid("rows"),
                options(to),
                "tables");
        return env;
    }

    /** Lets about so many numbers come, and then none. Of one reader, on its thread. */
    private static final class Held implements RateLimiter {

        private long left;

        Held(long left) {
            this.left = left;
        }

        @Override
        public CompletionStage<Void> acquire() {
            left--;
            return left >= 0 ? CompletableFuture.completedFuture(null) : new CompletableFuture<>();
        }
    }

    private static final class RowsOfBoth implements FlatMapFunction<Long, RollupRow> {
        private static final long serialVersionUID = 1L;

        @Override
        public void flatMap(Long number, Collector<RollupRow> out) {
            if (number < ROWS) {
                out.collect(views("c" + number % CONTENTS, RECENT, number / CONTENTS + 1, true));
                long count = number / TYPES + 1;
                out.collect(new RollupRow(
                        METRICS.name(),
                        RECENT,
                        RECENT + METRICS.windowMillis(),
                        List.of("e" + number % TYPES),
                        List.of(BigDecimal.valueOf(count), BigDecimal.ONE, BigDecimal.ONE),
                        true,
                        0,
                        count,
                        true));
                MADE.incrementAndGet();
            }
        }
    }

    /** A role of its own that may do what it needs with the tables, and no more. */
    private PostgresConnection writer() throws SQLException {
        sql("DROP ROLE IF EXISTS " + WRITER);
        sql("CREATE ROLE " + WRITER + " LOGIN PASSWORD '" + server.password() + "'");
        sql("GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO " + WRITER);
        return new PostgresConnection(target.jdbcUrl(), WRITER, target.password());
    }

    private void dropWriter() throws SQLException {
        sql("DROP OWNED BY " + WRITER);
        sql("DROP ROLE " + WRITER);
    }

    /** Each row says how many of its content there have been. */
    private static JobClient job(PostgresConnection target) throws Exception {
        Configuration configuration = new Configuration();
        configuration.set(PipelineOptions.GENERIC_TYPES, false);
        configuration.set(PipelineOptions.AUTO_GENERATE_UIDS, false);
        configuration.set(PipelineOptions.OBJECT_REUSE, true);
        StreamExecutionEnvironment env = StreamExecutionEnvironment.createLocalEnvironment(2, configuration);
        env.setMaxParallelism(EventShards.SHARDS);
        env.enableCheckpointing(50);
        RollupStreams.tables(
                env.fromSequence(0, ROWS - 1)
                        .uid("numbers")
                        .map(new Rows())
                        .returns(RollupRowType.ROW)
                        .uid("rows"),
                options(target),
                "tables");
        return env.executeAsync();
    }

    private static RollupOptions options(PostgresConnection target) {
        return new RollupOptions(
                SampleRows.ALL,
                Duration.ofSeconds(5),
                Duration.ofHours(1),
                false,
                target,
                MemorySize.ofMebiBytes(1),
                Duration.ofMinutes(1),
                Duration.ofSeconds(5));
    }

    private static final class Rows implements MapFunction<Long, RollupRow> {
        private static final long serialVersionUID = 1L;

        @Override
        public RollupRow map(Long number) {
            MADE.incrementAndGet();
            return views("c" + number % CONTENTS, RECENT, number / CONTENTS + 1, true);
        }
    }

    private PostgresLink link(PostgresConnection to, RecordedMetrics registered) {
        return new PostgresLink(
                to,
                SampleRows.ALL,
                JdbcRows.connector(to, SampleRows.ALL),
                null,
                () -> nanos,
                new RollupWriterMetrics(registered));
    }

    private Outcome write(RollupRow... rows) {
        return write(link, rows);
    }

    private static Outcome write(PostgresLink link, RollupRow... rows) {
        List<Item<PendingRow>> items = Arrays.stream(rows)
                .map(row -> new Item<>(new PendingRow(row), WHOLE))
                .toList();
        PostgresLink.Attempt attempt = link.attempt(items, 0);
        attempt.send();
        return attempt.outcome(0);
    }

    private static List<Integer> missing(Outcome outcome) {
        return IntStream.range(0, outcome.missing().length)
                .filter(i -> outcome.missing()[i] != 0)
                .boxed()
                .toList();
    }

    private static RollupRow[] rows(int number) {
        return IntStream.range(0, number).mapToObj(i -> views("c" + i, 1)).toArray(RollupRow[]::new);
    }

    private static RollupRow[] newer(int number) {
        return IntStream.range(0, number).mapToObj(i -> views("c" + i, 2)).toArray(RollupRow[]::new);
    }

    private List<String> counts() throws SQLException {
        return texts("SELECT content_id || ' ' || view_count FROM views ORDER BY 1");
    }

    private void sql(String statement) throws SQLException {
        try (Connection connection = server.connect(PostgresServer.ANALYTICS);
                Statement execute = connection.createStatement()) {
            execute.execute(statement);
        }
    }

    /** The driver tells PostgreSQL the time zone of this JVM. */
    private static Statement inUtc(Connection connection) throws SQLException {
        Statement statement = connection.createStatement();
        statement.execute("SET timezone TO 'UTC'");
        return statement;
    }

    private List<String> texts(String query) throws SQLException {
        List<String> texts = new ArrayList<>();
        try (Connection connection = server.connect(PostgresServer.ANALYTICS);
                Statement statement = inUtc(connection);
                ResultSet row = statement.executeQuery(query)) {
            while (row.next()) {
                texts.add(row.getString(1));
            }
        }
        return texts;
    }
}
