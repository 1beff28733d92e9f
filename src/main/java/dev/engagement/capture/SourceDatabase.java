package dev.engagement.capture;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * The captured database, over a connection of its own for each call: rare calls, and none that breaks because a
 * connection grew old. Blocking; callable from any thread.
 */
final class SourceDatabase {

    /** Every answer but that of {@link #createSlot} takes milliseconds. */
    private static final int ANSWER_SECONDS = 30;

    private static final String SERVER = """
            SELECT current_setting('server_version_num')::int / 10000, pg_is_in_recovery(), current_setting('wal_level'),
                   current_database(), clock_timestamp(),
                   -- Amazon's servers grant replication by membership instead of by attribute.
                   EXISTS (SELECT FROM pg_roles WHERE rolname = current_user AND (rolsuper OR rolreplication))
                       OR EXISTS (SELECT FROM pg_roles AS granted
                                  WHERE granted.rolname = 'rds_replication' AND pg_has_role(granted.oid, 'member')),
                   p.oid IS NOT NULL, p.puballtables, p.pubviaroot,
                   p.pubinsert AND p.pubupdate AND (p.pubdelete OR NOT ?)
            FROM (SELECT 1) AS one LEFT JOIN pg_publication AS p ON p.pubname = ?""";

    private static final String TABLES = """
            WITH published AS (
                SELECT c.oid, to_jsonb(t) AS entry
                FROM pg_publication_tables AS t
                JOIN pg_namespace AS n ON n.nspname = t.schemaname
                JOIN pg_class AS c ON c.relnamespace = n.oid AND c.relname = t.tablename
                WHERE t.pubname = ?)
            SELECT c.oid::bigint, c.relkind::text,
                   c.relkind = 'r' AND EXISTS (SELECT FROM pg_inherits WHERE inhparent = c.oid),
                   c.relpersistence = 'p',
                   has_table_privilege(c.oid, 'SELECT'),
                   has_table_privilege(c.oid, 'INSERT') AND has_table_privilege(c.oid, 'UPDATE'),
                   row_security_active(c.oid),
                   EXISTS (SELECT FROM pg_index WHERE indisprimary AND indrelid = c.oid),
                   EXISTS (SELECT FROM published WHERE oid = c.oid),
                   EXISTS (SELECT FROM pg_publication_rel AS r JOIN pg_publication AS p ON p.oid = r.prpubid
                           WHERE r.prrelid = c.oid AND p.pubname = ?),
                   c.relkind = 'p' AND EXISTS (SELECT FROM published
                                               WHERE oid IN (SELECT relid FROM pg_partition_tree(c.oid) WHERE isleaf)),
                   listed.entry ->> 'rowfilter',
                   ARRAY(SELECT name FROM unnest(wanted.columns) AS name
                         WHERE NOT EXISTS (SELECT FROM pg_attribute
                                           WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped
                                             AND attname::text = name)),
                   -- Servers before 15 have no lists of columns, and leave out generated ones.
                   ARRAY(SELECT attname::text FROM pg_attribute
                         WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped AND attgenerated = ''
                           AND attname::text = ANY (wanted.columns)
                           AND NOT listed.entry -> 'attnames' @> to_jsonb(attname::text) ORDER BY attnum),
                   ARRAY(SELECT attname::text FROM pg_attribute
                         WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped AND attgenerated <> ''
                           AND attname::text = ANY (wanted.columns)
                           AND NOT (current_setting('server_version_num')::int >= 180000
                                    AND coalesce(listed.entry -> 'attnames' @> to_jsonb(attname::text), false))
                         ORDER BY attnum),
                   ARRAY(SELECT format('%I.%I', n.nspname, l.relname)
                         FROM pg_class AS l JOIN pg_namespace AS n ON n.oid = l.relnamespace
                         WHERE (l.oid = c.oid AND c.relkind = 'r'
                                OR l.oid IN (SELECT relid FROM pg_partition_tree(c.oid) WHERE isleaf))
                           AND (l.relreplident = 'n' OR l.relreplident = 'i' AND NOT EXISTS (
                                SELECT FROM pg_index WHERE indrelid = l.oid AND indisreplident AND indisprimary))
                         ORDER BY 1),
                   ARRAY(SELECT a.attname::text FROM pg_attribute AS a
                         WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
                           AND a.attname::text <> ALL (wanted.columns)
                           AND EXISTS (SELECT FROM pg_attribute AS b
                                       WHERE b.attrelid = c.oid AND b.attnum > 0 AND NOT b.attisdropped
                                         AND lower(b.attname::text) = lower(a.attname::text)
                                         AND (b.attnum < a.attnum OR b.attname::text = ANY (wanted.columns))
                                         AND b.attnum <> a.attnum)
                         ORDER BY a.attnum)
            FROM (VALUES :wanted) AS wanted (place, name, columns)
            -- Not by to_regclass, which sees what has been committed since this statement began: half of a table swap.
            LEFT JOIN pg_class AS c ON c.relname = wanted.name
                AND c.relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = ?)
            LEFT JOIN published AS listed ON listed.oid = c.oid
            ORDER BY wanted.place""";

    private final CaptureOptions options;
    private final SourceLines lines;
    private final int answerSeconds;

    SourceDatabase(CaptureOptions options) {
        this(options, ANSWER_SECONDS);
    }

    SourceDatabase(CaptureOptions options, int answerSeconds) {
        this.options = options;
        this.lines = new SourceLines(options);
        this.answerSeconds = answerSeconds;
    }

    /** A look at the slot, with what is needed to describe a gap. */
    record SlotView(@Nullable Slot slot, long currentLsn, Instant databaseTime, String database) {}

    /**
     * A replication slot.
     *
     * @param plugin output plugin
     * @param database database it decodes, null for a physical one
     * @param walStatus {@code reserved}, {@code extended}, {@code unreserved} or {@code lost}
     * @param restartLsn oldest position it still holds, 0 if it holds none
     * @param confirmedLsn up to where its reader confirmed, 0 if nowhere
     */
    record Slot(
            String plugin,
            @Nullable String database,
            @Nullable String walStatus,
            long restartLsn,
            long confirmedLsn) {
        boolean isLost() {
            return "lost".equals(walStatus);
        }
    }

    /** The slot as it is now. */
    SlotView slot() throws SQLException {
        try (Connection connection = connect()) {
            return slot(connection);
        }
    }

    private SlotView slot(Connection connection) throws SQLException {
        String sql = """
                SELECT s.plugin, s.database, s.wal_status,
                       (s.restart_lsn - '0/0')::bigint, (s.confirmed_flush_lsn - '0/0')::bigint,
                       (pg_current_wal_lsn() - '0/0')::bigint, clock_timestamp(), current_database()
                FROM (SELECT 1) AS one LEFT JOIN pg_replication_slots AS s ON s.slot_name = ?""";
        try (PreparedStatement statement = connection.prepareStatement(sql)) {
            statement.setString(1, options.slotName());
            try (ResultSet row = statement.executeQuery()) {
                row.next();
                String plugin = row.getString(1);
                Slot slot = plugin == null
                        ? null
                        : new Slot(plugin, row.getString(2), row.getString(3), row.getLong(4), row.getLong(5));
                return new SlotView(
                        slot,
                        row.getLong(6),
                        row.getObject(7, OffsetDateTime.class).toInstant(),
                        row.getString(8));
            }
        }
    }

    /** Creates the slot; waits until the transactions that run now have ended. */
    void createSlot() throws SQLException {
        try (Connection connection = connect(0);
                PreparedStatement statement =
                        connection.prepareStatement("SELECT pg_create_logical_replication_slot(?, 'pgoutput')")) {
            statement.setString(1, options.slotName());
            statement.execute();
        }
    }

    /**
     * A look at everything that capture depends on.
     *
     * @param slot null if the source is no longer fit, in which case no heartbeat was written either
     * @param source as it is now, the heartbeat included
     */
    record Watched(SourceShape shape, @Nullable SlotView slot, KnownSource source) {}

    /**
     * Looks whether the source is still what it has to be, and if it is writes the heartbeat row.
     *
     * @param known what the source was at the last look
     * @param positioned whether a reader has the stream's position, and so judges another timeline
     * @throws SourceWentBackException if it went back since
     */
    Watched watch(TableIds captured, KnownSource known, boolean positioned) throws SQLException {
        try (Connection connection = connect()) {
            SourceShape shape = shape(connection);
            if (!shape.losses(options, captured).isEmpty()) {
                return new Watched(shape, null, known);
            }
            // Before the row is written, which would cover up what it tells.
            LineContinuity.requireSame(options, known, lines.look(connection), positioned);
            SlotView slot = beat(connection, FORWARD);
            return new Watched(shape, slot, look(connection));
        }
    }

    /** What the source is now, without a word written. */
    KnownSource look() throws SQLException {
        try (Connection connection = connect()) {
            return look(connection);
        }
    }

    private KnownSource look(Connection connection) throws SQLException {
        KnownSource seen = lines.look(connection);
        return new KnownSource(seen.line(), seen.flushedLsn(), seen.beatAt(), lines.greatestId(connection), seen.at());
    }

    /** Never back, whatever the clock does: a row that is older is one of a source that went back. */
    private static final String FORWARD = "greatest(excluded.beat_at, h.beat_at + interval '1 microsecond')";

    /** Left as it is for the heartbeat, which tells by it. */
    private static final String AS_IT_IS = "h.beat_at";

    /**
     * Writes the heartbeat row as it is: a change in the publication, which moves the slot on though nothing else does.
     *
     * @return a look at the slot
     */
    SlotView touch() throws SQLException {
        try (Connection connection = connect()) {
            return beat(connection, AS_IT_IS);
        }
    }

    private SlotView beat(Connection connection, String beatAt) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute("INSERT INTO " + quoted(options.heartbeatTable())
                    + " AS h (id, beat_at) VALUES (1, clock_timestamp())"
                    + " ON CONFLICT (id) DO UPDATE SET beat_at = " + beatAt);
            return slot(connection);
        }
    }

    /**
     * What keeps capture from working here, each with what to do about it; empty if nothing does.
     *
     * @param firstStart whether a slot that is already there must be fit to start from; a restart judges its slot by
     *     the position it wants to continue at
     */
    Fitness fitness(boolean firstStart) throws SQLException {
        try (Connection connection = connect()) {
            SourceShape shape = shape(connection);
            List<String> problems = new ArrayList<>(shape.problems(options));
            OutboxOptions outbox = options.outbox();
            if (outbox != null) {
                problems.addAll(OutboxFitness.problems(connection, options, outbox, firstStart));
            }
            if (firstStart && problems.isEmpty()) {
                slotFitness(connection, problems);
            }
            return new Fitness(shape, problems);
        }
    }

    /** A look at the source, and all that is wrong with it. */
    record Fitness(SourceShape shape, List<String> problems) {}

    private SourceShape shape(Connection connection) throws SQLException {
        List<String> names = options.capturedTables();
        String wanted = IntStream.rangeClosed(1, names.size() + 1)
                .mapToObj(place -> "(" + place + ", ?::text, ?::text[])")
                .collect(Collectors.joining(", "));
        try (PreparedStatement server = connection.prepareStatement(SERVER);
                PreparedStatement tables = connection.prepareStatement(TABLES.replace(":wanted", wanted))) {
            // Of an outbox no delete counts.
            server.setBoolean(1, options.outbox() == null);
            server.setString(2, options.publication());
            tables.setString(1, options.publication());
            tables.setString(2, options.publication());
            int at = 3;
            for (String name : names) {
                tables.setString(at++, name);
                tables.setString(at++, array(options.columnsOf(name).columns()));
            }
            tables.setString(at++, options.heartbeatTable());
            tables.setString(at++, array(List.of()));
            tables.setString(at, options.schema());
            try (ResultSet row = server.executeQuery();
                    ResultSet found = tables.executeQuery()) {
                row.next();
                List<SourceShape.Table> captured = new ArrayList<>();
                for (String name : names) {
                    captured.add(table(found, name));
                }
                return new SourceShape(
                        row.getInt(1),
                        row.getBoolean(2),
                        row.getString(3),
                        row.getString(4),
                        row.getBoolean(6),
                        row.getObject(5, OffsetDateTime.class).toInstant(),
                        row.getBoolean(7)
                                ? new SourceShape.Publication(row.getBoolean(8), row.getBoolean(9), row.getBoolean(10))
                                : null,
                        captured,
                        table(found, options.heartbeatTable()));
            }
        }
    }

    private static SourceShape.Table table(ResultSet found, String name) throws SQLException {
        found.next();
        String kind = found.getString(2);
        return new SourceShape.Table(
                name,
                found.getLong(1),
                kind == null ? "" : kind,
                found.getBoolean(3),
                found.getBoolean(4),
                found.getBoolean(5),
                found.getBoolean(6),
                found.getBoolean(7),
                found.getBoolean(8),
                found.getBoolean(9),
                found.getBoolean(10),
                found.getBoolean(11),
                found.getString(12),
                names(found, 13),
                names(found, 14),
                names(found, 15),
                names(found, 16),
                names(found, 17));
    }

    /** A text array of plain names. */
    private static String array(List<String> names) {
        return '{' + String.join(",", names) + '}';
    }

    private static List<String> names(ResultSet row, int column) throws SQLException {
        return List.of((String[]) row.getArray(column).getArray());
    }

    private void slotFitness(Connection connection, List<String> problems) throws SQLException {
        SlotView view = slot(connection);
        Slot slot = view.slot();
        if (slot == null) {
            if (!flag(
                    connection,
                    "SELECT (SELECT count(*) FROM pg_replication_slots) < current_setting('max_replication_slots')::int")) {
                problems.add("No replication slot is free for " + options.slotName()
                        + "; drop one (SELECT slot_name, active FROM pg_replication_slots) or raise"
                        + " max_replication_slots");
            }
        } else if (!"pgoutput".equals(slot.plugin()) || !view.database().equals(slot.database())) {
            problems.add("The replication slot " + options.slotName() + " decodes database " + slot.database()
                    + " with " + slot.plugin() + "; capture needs " + view.database()
                    + " with pgoutput. Choose another postgres.slot-name, or drop it: "
                    + dropSlot(options.slotName()));
        } else if (slot.isLost()) {
            problems.add("The replication slot " + options.slotName()
                    + " is lost: PostgreSQL removed the write-ahead log it had to hold. Drop it, capture creates a"
                    + " new one: " + dropSlot(options.slotName()));
        }
    }

    static String dropSlot(String slotName) {
        return "SELECT pg_drop_replication_slot('" + slotName + "')";
    }

    private String quoted(String table) {
        return SourceShape.quote(options.schema()) + '.' + SourceShape.quote(table);
    }

    private static boolean flag(Connection connection, String sql, String... arguments) throws SQLException {
        return "t".equals(text(connection, sql, arguments));
    }

    private static @Nullable String text(Connection connection, String sql, String... arguments) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(sql)) {
            for (int i = 0; i < arguments.length; i++) {
                statement.setString(i + 1, arguments[i]);
            }
            try (ResultSet row = statement.executeQuery()) {
                return row.next() ? row.getString(1) : null;
            }
        }
    }

    /** A connection of which every answer comes soon, or it fails. */
    Connection connect() throws SQLException {
        return connect(answerSeconds);
    }

    /**
     * Connects.
     *
     * @param seconds that an answer may take; 0 for any time
     */
    private Connection connect(int seconds) throws SQLException {
        // A server that is gone without a word must not hold up the coordinator, nor a heartbeat that nobody misses.
        return options.postgres().open("engagement-capture", Duration.ofSeconds(seconds));
    }
}
