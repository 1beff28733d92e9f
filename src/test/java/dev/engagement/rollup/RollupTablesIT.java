package dev.engagement.rollup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.engagement.connection.PostgresConnection;
import dev.engagement.connection.SecretRef;
import dev.engagement.local.PostgresServer;
import dev.engagement.local.testing.SharedServers;
import dev.engagement.rollup.definition.KeyPart;
import dev.engagement.rollup.definition.KeyPart.Source;
import dev.engagement.rollup.definition.Measure;
import dev.engagement.rollup.definition.Measure.Function;
import dev.engagement.rollup.definition.RollupDefinition;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.assertj.core.api.AbstractThrowableAssert;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** {@link RollupTables} on a real PostgreSQL. */
class RollupTablesIT {

    private static final KeyPart SIZE = new KeyPart("window_size", Source.WINDOW_SIZE, null);
    private static final KeyPart TYPE = new KeyPart("event_type", Source.EVENT_TYPE, null);
    private static final KeyPart CONTENT = new KeyPart("content_id", Source.CONTENT_ID, null);
    private static final Measure COUNT = new Measure("count", Function.COUNT, null, null);
    private static final Measure USERS = new Measure("unique_users", Function.UNIQUE, null, null);
    private static final Measure LEAST = new Measure("min", Function.MIN, "price", null);

    private static final RollupDefinition VIEWS = rollup("views", 120, "views", List.of(CONTENT), COUNT);
    private static final RollupDefinition METRICS =
            rollup("metrics_30s", 30, "metrics", List.of(SIZE, TYPE), COUNT, USERS);
    private static final RollupDefinition LONGER =
            rollup("metrics_1m", 60, "metrics", List.of(SIZE, TYPE), COUNT, USERS);
    private static final RollupDefinition TOTAL = rollup("total", 60, "order", List.of(), COUNT, LEAST);

    private SharedServers servers;
    private PostgresServer server;
    private PostgresConnection target;

    @BeforeEach
    void lease() throws Exception {
        servers = SharedServers.lease(Path.of("target/it/rollup-tables"));
        server = servers.analytics();
        target = as(server.username());
    }

    @AfterEach
    void close() {
        servers.close();
    }

    @Test
    void tables_are_created_once_and_fit_from_then_on() throws Exception {
        assertThat(prepare(VIEWS, METRICS, LONGER, TOTAL)).isEmpty();
        assertThat(prepare(VIEWS, METRICS, LONGER, TOTAL)).isEmpty();

        assertThat(texts("SELECT column_name || ' ' || data_type FROM information_schema.columns"
                        + " WHERE table_name = 'metrics' ORDER BY ordinal_position"))
                .containsExactly(
                        "window_start timestamp with time zone",
                        "window_size text",
                        "event_type text",
                        "window_end timestamp with time zone",
                        "count bigint",
                        "unique_users bigint",
                        "unique_users_exact boolean",
                        "skipped bigint",
                        "version bigint");
        assertThat(texts("SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = 'metrics'::regclass"
                        + " AND contype = 'p'"))
                .containsExactly("PRIMARY KEY (window_start, window_size, event_type)");
        assertThat(texts("SELECT obj_description('metrics'::regclass)").get(0))
                .contains(METRICS.fingerprint())
                .contains(LONGER.fingerprint());
        assertThat(texts("SELECT obj_description('\"order\"'::regclass)").get(0))
                .contains(TOTAL.fingerprint());
    }

    @Test
    void clients_that_start_at_once_do_not_hinder_each_other() throws Exception {
        ExecutorService clients = Executors.newFixedThreadPool(8);
        try {
            List<Callable<List<String>>> each = new ArrayList<>();
            for (int i = 0; i < 8; i++) {
                each.add(() -> prepare(VIEWS, METRICS, LONGER));
            }
            for (Future<List<String>> one : clients.invokeAll(each)) {
                assertThat(one.get()).isEmpty();
            }
        } finally {
            clients.shutdownNow();
        }
    }

    @Test
    void a_definition_that_has_changed_is_refused_and_nothing_is_created_beside_it() throws Exception {
        prepare(VIEWS);
        RollupDefinition changed = rollup("views", 60, "views", List.of(CONTENT), COUNT);

        assertRefused(changed, METRICS)
                .hasMessageContaining("The table views has numbers of another meaning")
                .hasMessageContaining("rollup.views")
                .hasMessageContaining("a changed rollup is a new name with a new table");
        assertThat(texts("SELECT relname FROM pg_class WHERE relname = 'metrics'"))
                .isEmpty();
        assertThat(prepare(VIEWS)).as("as it was").isEmpty();
        assertThat(prepare(rollup("views_1m", 60, "views_1m", List.of(CONTENT), COUNT)))
                .isEmpty();
    }

    @Test
    void another_size_of_window_joins_a_table_and_a_changed_one_does_not() throws Exception {
        prepare(METRICS);
        assertThat(prepare(METRICS, LONGER)).isEmpty();
        assertThat(prepare(LONGER)).isEmpty();

        RollupDefinition otherSlide = new RollupDefinition(
                "metrics_30s",
                List.of(SIZE, TYPE),
                null,
                30_000,
                10_000,
                List.of(COUNT, USERS),
                "metrics",
                Duration.ofDays(30),
                true);
        assertRefused(otherSlide).hasMessageContaining("another meaning");
    }

    @Test
    void what_does_not_fit_is_named_column_by_column() throws Exception {
        sql(
                "CREATE TABLE metrics (window_start timestamp NOT NULL, window_size text NOT NULL, event_type text NOT NULL,"
                        + " window_end timestamptz NOT NULL, count numeric(10, 2) NOT NULL, unique_users bigint NOT NULL,"
                        + " skipped bigint NOT NULL, version bigint NOT NULL, note text NOT NULL, free text,"
                        + " PRIMARY KEY (window_size, window_start))");
        sql("CREATE TABLE \"order\" (window_start timestamptz PRIMARY KEY, window_end timestamptz, count bigint,"
                + " min numeric NOT NULL, skipped bigint, version bigint)");
        sql("CREATE VIEW views AS SELECT 1 AS one");

        assertRefused(METRICS, TOTAL, VIEWS)
                .hasMessageContaining(
                        "its column window_start is timestamp without time zone, and has to be timestamp with time zone")
                .hasMessageContaining("its column count is numeric(10,2), and has to be bigint")
                .hasMessageContaining("it has no column unique_users_exact (boolean)")
                .hasMessageContaining("its column note is none of the rollup's")
                .hasMessageContaining("its primary key is [window_size, window_start], and has to have"
                        + " [window_start, window_size, event_type]")
                .hasMessageContaining("ALTER COLUMN \"min\" DROP NOT NULL")
                .hasMessageContaining("views is no ordinary table")
                .hasMessageContaining("rollup.metrics_30s.table")
                .message()
                .doesNotContain("column free")
                .doesNotContain(server.password());
    }

    @Test
    void rows_of_unknown_meaning_are_refused_and_an_empty_table_is_adopted() throws Exception {
        sql(RollupTable.of(VIEWS).create());
        sql("INSERT INTO views VALUES (now(), 'a', now(), 1, 0, 1)");

        assertRefused(VIEWS)
                .hasMessageContaining("no comment that says what they mean")
                .hasMessageContaining("COMMENT ON TABLE \"views\" IS '");

        sql("DELETE FROM views");
        assertThat(prepare(VIEWS)).isEmpty();
        sql("INSERT INTO views VALUES (now(), 'a', now(), 1, 0, 1)");
        assertThat(prepare(VIEWS)).isEmpty();
    }

    @Test
    void missing_rights_are_named_with_their_grant() throws Exception {
        prepare(VIEWS);
        sql("DROP ROLE IF EXISTS writer");
        sql("CREATE ROLE writer LOGIN PASSWORD '" + server.password() + "'");
        sql("GRANT SELECT, INSERT ON views TO writer");
        try {
            assertThatThrownBy(() -> RollupTables.prepare(as("writer"), List.of(VIEWS)))
                    .isInstanceOf(RollupTablesRefusedException.class)
                    .hasMessageContaining("GRANT UPDATE, DELETE ON views TO \"writer\"");
            assertThatThrownBy(() -> RollupTables.prepare(as("writer"), List.of(METRICS)))
                    .isInstanceOf(RollupTablesRefusedException.class)
                    .hasMessageContaining("permission denied for schema public");
            sql("GRANT UPDATE, DELETE ON views TO writer");
            assertThat(RollupTables.prepare(as("writer"), List.of(VIEWS))).isEmpty();
        } finally {
            sql("DROP OWNED BY writer");
            sql("DROP ROLE writer");
        }
    }

    @Test
    void a_wrong_password_and_a_missing_database_are_refused() throws Exception {
        PostgresConnection elsewhere =
                new PostgresConnection(server.jdbcUrl("nowhere"), server.username(), target.password());
        assertThatThrownBy(() -> RollupTables.prepare(elsewhere, List.of(VIEWS)))
                .isInstanceOf(RollupTablesRefusedException.class)
                .hasMessageContaining("create the database, or correct rollup.postgres.url");
        assertThatThrownBy(() -> RollupTables.prepare(as("nobody"), List.of(VIEWS)))
                .isInstanceOf(RollupTablesRefusedException.class)
                .hasMessageContaining("check rollup.postgres.username")
                .message()
                .doesNotContain(server.password());
    }

    @Test
    void what_cannot_be_reached_from_here_is_a_warning() {
        PostgresConnection nobodyListens =
                new PostgresConnection("jdbc:postgresql://127.0.0.1:1/analytics", server.username(), target.password());
        assertThat(RollupTables.prepare(nobodyListens, List.of(VIEWS)).orElseThrow())
                .contains("127.0.0.1:1")
                .contains("The job starts all the same")
                .doesNotContain("\n");
        PostgresConnection secretElsewhere = new PostgresConnection(
                server.jdbcUrl(PostgresServer.ANALYTICS),
                server.username(),
                SecretRef.inFile("rollup.postgres.password", "/nowhere/secret"));
        assertThat(RollupTables.prepare(secretElsewhere, List.of(VIEWS)).orElseThrow())
                .contains("/nowhere/secret");
    }

    private List<String> prepare(RollupDefinition... definitions) {
        return RollupTables.prepare(target, List.of(definitions)).stream().toList();
    }

    private AbstractThrowableAssert<?, ? extends Throwable> assertRefused(RollupDefinition... definitions) {
        return assertThatThrownBy(() -> prepare(definitions)).isInstanceOf(RollupTablesRefusedException.class);
    }

    private PostgresConnection as(String role) throws Exception {
        return new PostgresConnection(
                server.jdbcUrl(PostgresServer.ANALYTICS),
                role,
                SecretRef.inFile("rollup.postgres.password", servers.postgresPasswordFile()));
    }

    private void sql(String statement) throws SQLException {
        try (Connection connection = server.connect(PostgresServer.ANALYTICS);
                Statement execute = connection.createStatement()) {
            execute.execute(statement);
        }
    }

    private List<String> texts(String query) throws SQLException {
        List<String> texts = new ArrayList<>();
        try (Connection connection = server.connect(PostgresServer.ANALYTICS);
                Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(query)) {
            while (row.next()) {
                texts.add(row.getString(1));
            }
        }
        return texts;
    }

    private static RollupDefinition rollup(
            String name, int seconds, String table, List<KeyPart> by, Measure... measures) {
        return new RollupDefinition(
                name,
                by,
                null,
                seconds * 1_000L,
                seconds * 1_000L,
                List.of(measures),
                table,
                Duration.ofDays(30),
                true);
    }
}
