package dev.engagement.rollup;

import dev.engagement.connection.PostgresConnection;
import dev.engagement.connection.SecretRef.UnreadableSecretException;
import dev.engagement.rollup.definition.RollupDefinition;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * The tables of the rollups, made ready from the client before a job is submitted: created if they are missing, checked if
 * they are there. A table's comment says what its numbers mean, so that two meanings are never mixed in it.
 */
public final class RollupTables {

    private static final String SESSION = "-c statement_timeout=20s -c lock_timeout=15s";
    private static final Duration TIMEOUT = Duration.ofSeconds(30);

    /** Of PostgreSQL's advisory locks, all of them numbers: two clients at once would create a table twice. */
    private static final long LOCK = 0x726f6c6c757073L;

    private static final String TABLE = """
            SELECT c.oid::regclass::text, c.relkind, obj_description(c.oid, 'pg_class'), pg_has_role(c.relowner, 'USAGE'),
                   ARRAY(SELECT kind FROM unnest(ARRAY['SELECT', 'INSERT', 'UPDATE', 'DELETE']) AS kind
                         WHERE NOT has_table_privilege(c.oid, kind))
            FROM pg_class AS c WHERE c.oid = to_regclass(?)""";

    private static final String COLUMNS = """
            SELECT a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, a.atthasdef OR a.attidentity <> ''
            FROM pg_attribute AS a
            WHERE a.attrelid = to_regclass(?) AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum""";

    private static final String PRIMARY_KEY = """
            SELECT a.attname FROM pg_index AS i
            CROSS JOIN unnest(i.indkey) WITH ORDINALITY AS k (attnum, place)
            JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
            WHERE i.indrelid = to_regclass(?) AND i.indisprimary ORDER BY k.place""";

    private final PostgresConnection target;
    private final Connection connection;
    private final List<String> problems = new ArrayList<>();

    private RollupTables(PostgresConnection target, Connection connection) {
        this.target = target;
        this.connection = connection;
    }

    /**
     * Creates the tables that are missing and checks the others: columns, types, primary key, rights, and whether the numbers
     * in them mean what they are to mean. Blocks for some seconds at most; changes nothing if anything is wrong.
     *
     * @param target a role that may create tables, unless they are all there
     * @return a warning of one line if PostgreSQL, or the secret, cannot be reached from here; the job is to be started all
     *     the same
     * @throws RollupTablesRefusedException with everything that is wrong, and the way out; the message holds no secret
     */
    public static Optional<String> prepare(PostgresConnection target, List<RollupDefinition> definitions) {
        try {
            target.password().read();
        } catch (UnreadableSecretException e) {
            // The file is for the machines where the job runs; that it is not here means nothing.
            return Optional.of(warning(target, String.valueOf(e.getMessage())));
        }
        try (Connection connection = target.open("engagement-rollup-tables", TIMEOUT, Map.of("options", SESSION))) {
            connection.setAutoCommit(false);
            RollupTables tables = new RollupTables(target, connection);
            tables.prepare(definitions);
            if (!tables.problems.isEmpty()) {
                connection.rollback();
                throw new RollupTablesRefusedException(
                        "PostgreSQL at " + target.jdbcUrl() + " cannot hold the rollups as " + target.username()
                                + ":\n- " + String.join("\n- ", tables.problems),
                        null);
            }
            connection.commit();
            return Optional.empty();
        } catch (SQLException e) {
            PostgresVerdict verdict = PostgresVerdict.of(e);
            if (verdict == PostgresVerdict.TRANSIENT || verdict == PostgresVerdict.LOCKED) {
                return Optional.of(warning(target, PostgresAdvice.said(e)));
            }
            throw new RollupTablesRefusedException(PostgresAdvice.text(target, e, null), e);
        }
    }

    private static String warning(PostgresConnection target, String why) {
        return "PostgreSQL at " + target.jdbcUrl()
                + " cannot be asked from here now whether it has the tables of the rollups: " + why
                + ". The job starts all the same, and writes every row once PostgreSQL and the tables are there";
    }

    private void prepare(List<RollupDefinition> definitions) throws SQLException {
        try (PreparedStatement lock = connection.prepareStatement("SELECT pg_advisory_xact_lock(?)")) {
            lock.setLong(1, LOCK);
            lock.execute();
        }
        Map<String, List<RollupDefinition>> byTable = definitions.stream()
                .collect(Collectors.groupingBy(RollupDefinition::table, LinkedHashMap::new, Collectors.toList()));
        for (List<RollupDefinition> sharing : byTable.values()) {
            prepareTable(sharing);
        }
    }

    /** @param sharing the rollups of one table; their columns and keys are the same */
    private void prepareTable(List<RollupDefinition> sharing) throws SQLException {
        RollupTable table = RollupTable.of(sharing.get(0));
        Found found = find(table);
        if (found == null) {
            execute(table.create());
            execute(comment(table, TableMeaning.of(sharing)));
            return;
        }
        int before = problems.size();
        checkForm(table, found);
        if (problems.size() == before) {
            checkMeaning(table, found, sharing);
        }
    }

    /**
     * A table that is there.
     *
     * @param name with its schema if it is not the first of the path
     * @param kind {@code pg_class.relkind}
     * @param isOwned whether the role may change its comment
     * @param missingRights of those that rows and their retention need
     */
    private record Found(
            String name, String kind, @Nullable String comment, boolean isOwned, List<String> missingRights) {}

    private @Nullable Found find(RollupTable table) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(TABLE)) {
            statement.setString(1, table.quoted());
            try (ResultSet row = statement.executeQuery()) {
                if (!row.next()) {
                    return null;
                }
                return new Found(
                        row.getString(1), row.getString(2), row.getString(3), row.getBoolean(4), List.of((String[])
                                row.getArray(5).getArray()));
            }
        }
    }

    private void checkForm(RollupTable table, Found found) throws SQLException {
        if (!found.kind().equals("r")) {
            problem(table, found.name() + " is no ordinary table, and has to be one");
            return;
        }
        List<RollupTable.Column> missing = new ArrayList<>(table.columns());
        try (PreparedStatement statement = connection.prepareStatement(COLUMNS)) {
            statement.setString(1, table.quoted());
            try (ResultSet row = statement.executeQuery()) {
                while (row.next()) {
                    String name = row.getString(1);
                    Optional<RollupTable.Column> ours = table.columns().stream()
                            .filter(column -> column.name().equals(name))
                            .findFirst();
                    if (ours.isPresent()) {
                        missing.remove(ours.get());
                        checkColumn(table, found, ours.get(), row.getString(2), row.getBoolean(3));
                    } else if (row.getBoolean(3) && !row.getBoolean(4)) {
                        problem(
                                table,
                                "its column " + name
                                        + " is none of the rollup's, must not be null and has no default; give"
                                        + " it one");
                    }
                }
            }
        }
        for (RollupTable.Column column : missing) {
            problem(
                    table,
                    "it has no column " + column.name() + " (" + column.type().sql() + ")");
        }
        List<String> key = primaryKey(table);
        if (!key.equals(table.key())) {
            problem(
                    table,
                    (key.isEmpty() ? "it has no primary key" : "its primary key is " + key) + ", and has to have "
                            + table.key());
        }
        if (!found.missingRights().isEmpty()) {
            problem(
                    table,
                    "the role may not do all that is needed with it; GRANT " + String.join(", ", found.missingRights())
                            + " ON " + found.name() + " TO " + RollupTable.quote(target.username()));
        }
    }

    private void checkColumn(
            RollupTable table, Found found, RollupTable.Column column, String type, boolean isNotNull) {
        if (!type.equals(column.type().sql())) {
            problem(
                    table,
                    "its column " + column.name() + " is " + type + ", and has to be "
                            + column.type().sql());
        }
        if (isNotNull && table.mayBeNull(column)) {
            problem(
                    table,
                    "its column " + column.name()
                            + " must not be null, and the least or greatest of nothing is; ALTER TABLE " + found.name()
                            + " ALTER COLUMN " + column.quoted() + " DROP NOT NULL");
        }
    }

    private List<String> primaryKey(RollupTable table) throws SQLException {
        List<String> key = new ArrayList<>();
        try (PreparedStatement statement = connection.prepareStatement(PRIMARY_KEY)) {
            statement.setString(1, table.quoted());
            try (ResultSet row = statement.executeQuery()) {
                while (row.next()) {
                    key.add(row.getString(1));
                }
            }
        }
        return key;
    }

    private void checkMeaning(RollupTable table, Found found, List<RollupDefinition> sharing) throws SQLException {
        TableMeaning wanted = TableMeaning.of(sharing);
        TableMeaning said = TableMeaning.parse(found.comment());
        if (said == null) {
            if (!isEmpty(table)) {
                problem(
                        table,
                        "it has rows, and no comment that says what they mean; if they are this rollup's, run "
                                + comment(table, wanted));
                return;
            }
            said = TableMeaning.NONE;
        }
        TableMeaning other = said;
        Set<String> conflicts = new HashSet<>();
        for (RollupDefinition definition : sharing) {
            other.conflictWith(definition)
                    .filter(conflicts::add)
                    .ifPresent(conflict -> problems.add("The table "
                            + table.name() + " has numbers of another meaning than rollup." + definition.name()
                            + " gives them ("
                            + conflict + " against " + definition.fingerprint()
                            + "). Two meanings are never mixed: a changed rollup is a new name with a new table; leave rollup."
                            + definition.name()
                            + " as it was and name the changed one otherwise, or drop the table if nobody"
                            + " needs its rows"));
        }
        TableMeaning both = other.plus(wanted);
        if (conflicts.isEmpty() && !both.equals(other)) {
            if (found.isOwned()) {
                execute(comment(table, both));
            } else {
                problem(
                        table,
                        "it has to say what its numbers mean, and the role is not its owner; let that one run "
                                + comment(table, both));
            }
        }
    }

    private boolean isEmpty(RollupTable table) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery("SELECT NOT EXISTS (SELECT FROM " + table.quoted() + ")")) {
            row.next();
            return row.getBoolean(1);
        }
    }

    private static String comment(RollupTable table, TableMeaning meaning) {
        return "COMMENT ON TABLE " + table.quoted() + " IS " + RollupTable.literal(meaning.text());
    }

    private void execute(String sql) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    private void problem(RollupTable table, String what) {
        problems.add("The table " + table.name() + " does not fit rollup." + table.rollup() + ": " + what
                + ". Or name another table in rollup." + table.rollup() + ".table");
    }
}
