package dev.engagement.source;

import dev.engagement.connection.PostgresConnection;
import dev.engagement.connection.PublishedTable;
import dev.engagement.connection.ReadRight;
import dev.engagement.connection.TimeIndex;
import dev.engagement.event.EventId;
import dev.engagement.event.EventIdKind;
import dev.engagement.event.Timestamps;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.sql.Types;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.postgresql.util.PSQLState;

/**
 * Reading the two tables. Each cursor is a read-only transaction that sees the tables at one moment, and holds
 * {@link #FETCH_ROWS} rows at a time whatever the range. Blocking; a connection is for one thread.
 */
public final class SourceTables {

    /** Rows on their way from PostgreSQL: what a reader holds at most. */
    public static final int FETCH_ROWS = 1_000;

    private static final List<String> EVENT_COLUMNS =
            List.of("id", "content_id", "user_id", "event_type", "event_ts", "duration_ms", "device", "raw_payload");
    private static final List<String> CONTENT_COLUMNS =
            List.of("id", "slug", "title", "content_type", "length_seconds", "publish_ts");
    /** Class of SQL states. */
    private static final String DATA_EXCEPTION = "22";

    private static final List<String> NUMBERS = List.of("duration_ms", "length_seconds");

    private final SourceOptions options;
    private final String applicationName;
    private final Duration timeout;
    /** What is read of the two tables; null until the database has been asked. */
    private volatile @Nullable Published published;

    /**
     * What a publication lets through of both, or all there is.
     *
     * @param localTimes columns of times without a zone
     */
    private record Published(PublishedTable events, PublishedTable contents, Set<String> localTimes) {}

    public SourceTables(SourceOptions options, String applicationName) {
        this(options, applicationName, PostgresConnection.ANY_TIME);
    }

    /**
     * As {@link #SourceTables(SourceOptions, String)}.
     *
     * @param timeout how long an answer may take, for who reads single rows
     */
    public SourceTables(SourceOptions options, String applicationName, Duration timeout) {
        this.options = options;
        this.applicationName = applicationName;
        this.timeout = timeout;
    }

    public SourceOptions options() {
        return options;
    }

    /** A connection of its own; the password is read now. */
    public Connection connect() throws SQLException {
        Connection connection = options.postgres()
                // All columns are read as texts, which binary transfer would have to make here again.
                .open(applicationName, timeout, Map.of("binaryTransfer", "false"));
        try (Statement statement = connection.createStatement()) {
            // The driver asked for this JVM's zone.
            statement.execute("SET TIME ZONE 'UTC'");
            statement.execute("SET statement_timeout = 0");
            statement.execute("SET idle_in_transaction_session_timeout = 0");
            if (published == null) {
                published = new Published(
                        published(connection, options.quotedEvents(), EVENT_COLUMNS, "id", "event_ts"),
                        published(connection, options.quotedContents(), CONTENT_COLUMNS, "id"),
                        localTimes(connection));
            }
        } catch (SQLException | RuntimeException e) {
            connection.close();
            throw e;
        }
        return connection;
    }

    /** Times without a zone, which are times in UTC for capture, too: the session's zone makes them that. */
    private Set<String> localTimes(Connection connection) throws SQLException {
        String sql = "SELECT attname FROM pg_attribute WHERE attrelid IN (to_regclass(?), to_regclass(?))"
                + " AND attname IN ('event_ts', 'publish_ts') AND atttypid = 'timestamp'::regtype";
        Set<String> names = new HashSet<>();
        try (PreparedStatement statement = connection.prepareStatement(sql)) {
            statement.setString(1, options.quotedEvents());
            statement.setString(2, options.quotedContents());
            try (ResultSet row = statement.executeQuery()) {
                while (row.next()) {
                    names.add(row.getString(1));
                }
            }
        }
        return names;
    }

    private PublishedTable published(Connection connection, String table, List<String> columns, String... indispensable)
            throws SQLException {
        String publication = options.publication();
        if (publication == null) {
            return WHOLE;
        }
        PublishedTable found = PublishedTable.of(connection, publication, table, columns);
        if (found.filtersPartitions()) {
            throw new UnfitSourceException("The publication " + publication + " filters partitions of " + table
                    + " one by one, and a table is read by one filter. Publish the table by its root:"
                    + " ALTER PUBLICATION … SET (publish_via_partition_root = true)");
        }
        for (String column : indispensable) {
            if (found.lacks(column)) {
                throw new UnfitSourceException(
                        "The column " + column + " of " + table + " does not come through the publication "
                                + publication + " (capture.accept-filtered), and without it there is nothing to"
                                + " read. Add it to the table, or to the publication's list of columns");
            }
        }
        return found;
    }

    private static final PublishedTable WHOLE = new PublishedTable(null, List.of(), List.of(), false);

    private PublishedTable events() {
        Published found = published;
        return found == null ? WHOLE : found.events;
    }

    private PublishedTable contents() {
        Published found = published;
        return found == null ? WHOLE : found.contents;
    }

    private boolean isLocalTime(String column) {
        Published found = published;
        return found != null && found.localTimes.contains(column);
    }

    /** Condition of the events that the publication lets through, behind another one; empty if that is not asked for. */
    public String filter() {
        String filter = events().filter();
        return filter == null ? "" : " AND " + filter;
    }

    /**
     * {@code SELECT} of some columns as texts, or as numbers; NULL for those that do not come through. None keeps its name:
     * ORDER BY would take the text for the column, and sort by it what an index has in order.
     */
    private String select(PublishedTable table, List<String> columns) {
        return columns.stream()
                .map(column -> {
                    boolean isNumber = NUMBERS.contains(column);
                    String value = table.lacks(column) ? "NULL" : column + (isLocalTime(column) ? "::timestamptz" : "");
                    return value + (isNumber && !table.lacks(column) ? "" : isNumber ? "::integer" : "::text")
                            + " AS as_" + column;
                })
                .collect(Collectors.joining(", ", "SELECT ", ""));
    }

    private String selectEvents() {
        return select(events(), EVENT_COLUMNS) + " FROM " + options.quotedEvents();
    }

    /**
     * What is to be read.
     *
     * @param ids all of the range's, and others between them, if they are numbers
     * @param rows how many rows the range has
     */
    public record Extent(IdRange ids, long rows) {}

    /** Begins a transaction that sees the tables as they are now, until it is rolled back. */
    public static void begin(Connection connection) throws SQLException {
        connection.setAutoCommit(false);
        connection.setReadOnly(true);
        connection.setTransactionIsolation(Connection.TRANSACTION_REPEATABLE_READ);
    }

    /** Begins a transaction that sees the tables as the one that exported {@code snapshot} does. */
    public static void begin(Connection connection, String snapshot) throws SQLException {
        begin(connection);
        try (Statement statement = connection.createStatement()) {
            // A name by PostgreSQL itself: hexadecimal digits and dashes.
            statement.execute("SET TRANSACTION SNAPSHOT '" + snapshot.replace("'", "''") + "'");
        }
    }

    /** Name by which other transactions can see what this one does, as long as it lasts. */
    public static String exportSnapshot(Connection connection) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery("SELECT pg_export_snapshot()")) {
            row.next();
            return row.getString(1);
        }
    }

    /** Ids and number of the range's rows: one pass over its rows, over an index of event_ts if there is one. */
    public Extent extent(Connection connection, RangeOptions range, @Nullable String contentId) throws SQLException {
        String ids = isText() ? "0, 0" : "min(id), max(id)";
        String sql = "SELECT " + ids + ", count(*) FROM " + options.quotedEvents() + where(false, contentId);
        try (PreparedStatement statement = connection.prepareStatement(sql)) {
            bind(statement, 1, range, contentId);
            try (ResultSet row = statement.executeQuery()) {
                row.next();
                long rows = row.getLong(3);
                return new Extent(rows == 0 ? IdRange.EMPTY : new IdRange(row.getLong(1), row.getLong(2)), rows);
            }
        }
    }

    /**
     * What is left of a range from its first id on that there is: whoever goes through ids in steps is not to walk where
     * none are. One look into the primary key.
     */
    public IdRange fromNextId(Connection connection, IdRange ids) throws SQLException {
        if (ids.isEmpty()) {
            return ids;
        }
        String sql = "SELECT id FROM " + options.quotedEvents() + " WHERE id >= ? AND id <= ? ORDER BY id LIMIT 1";
        try (PreparedStatement statement = connection.prepareStatement(sql)) {
            statement.setLong(1, ids.first());
            statement.setLong(2, ids.last());
            try (ResultSet row = statement.executeQuery()) {
                return row.next() ? new IdRange(row.getLong(1), ids.last()) : IdRange.EMPTY;
            }
        }
    }

    /** One event; null if there is none, or the publication does not let it through. */
    public @Nullable EventRow event(Connection connection, EventId id) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(selectEvents() + " WHERE id = ?" + filter())) {
            bind(statement, 1, id);
            try (ResultSet row = statement.executeQuery()) {
                return row.next() ? event(row) : null;
            }
        } catch (SQLException e) {
            // What is no value of the column's type is no event's id.
            if (id.kind() == EventIdKind.TEXT && String.valueOf(e.getSQLState()).startsWith(DATA_EXCEPTION)) {
                return null;
            }
            throw e;
        }
    }

    private static void bind(PreparedStatement statement, int at, EventId id) throws SQLException {
        if (id.text() == null) {
            statement.setLong(at, id.number());
        } else {
            // Without a type of its own it is of the column's.
            statement.setObject(at, id.text(), Types.OTHER);
        }
    }

    private boolean isText() {
        return options.rules().ids() == EventIdKind.TEXT;
    }

    /** By what rows of one time are in order: texts by their bytes, as everywhere. */
    private String orderedId() {
        return isText() ? "id::text COLLATE \"C\"" : "id";
    }

    /**
     * One content; null if there is none, or the publication does not let it through.
     *
     * @param id its primary key as text
     */
    public @Nullable ContentRow content(Connection connection, String id) throws SQLException {
        String filter = contents().filter();
        String sql = select(contents(), CONTENT_COLUMNS) + " FROM " + options.quotedContents() + " WHERE id = ?"
                + (filter == null ? "" : " AND " + filter);
        try (PreparedStatement statement = connection.prepareStatement(sql)) {
            // Without a type of its own it is of the column's.
            statement.setObject(1, id, Types.OTHER);
            try (ResultSet row = statement.executeQuery()) {
                return row.next() ? content(row) : null;
            }
        } catch (SQLException e) {
            // What is no value of the column's type is no content's id.
            if (String.valueOf(e.getSQLState()).startsWith(DATA_EXCEPTION)) {
                return null;
            }
            throw e;
        }
    }

    /** The range's events of some ids, in their order; the connection is in a transaction. */
    public RowCursor<EventRow> events(
            Connection connection, IdRange ids, RangeOptions range, @Nullable String contentId) throws SQLException {
        String sql = selectEvents() + where(true, contentId) + " ORDER BY id";
        PreparedStatement statement = connection.prepareStatement(sql);
        try {
            statement.setLong(1, ids.first());
            statement.setLong(2, ids.last());
            bind(statement, 3, range, contentId);
            return RowCursor.open(statement, FETCH_ROWS, this::event);
        } catch (SQLException | RuntimeException e) {
            statement.close();
            throw e;
        }
    }

    /**
     * Where reading by time stands: behind this row.
     *
     * @param eventTs PostgreSQL's text of the time
     * @param id of the rows of that time the last one that was read
     */
    public record Position(String eventTs, EventId id) {}

    /**
     * The range's events in the order of event_ts, and of those of one time by id; the connection is in a transaction.
     *
     * @param after behind this one only, or null to begin with the first
     * @param limit at most so many, or null for all
     */
    public RowCursor<EventRow> eventsByTime(
            Connection connection,
            RangeOptions range,
            @Nullable Position after,
            @Nullable Integer limit,
            @Nullable String contentId)
            throws SQLException {
        String sql = eventsByTime(after != null, limit, contentId);
        PreparedStatement statement = connection.prepareStatement(sql);
        try {
            bind(statement, 1, range, contentId);
            if (after != null) {
                // Also as the begin, where an index of the time alone is entered.
                statement.setString(1, after.eventTs());
                int at = contentId == null ? 3 : 4;
                statement.setString(at, after.eventTs());
                if (isText()) {
                    statement.setString(at + 1, after.id().toString());
                } else {
                    statement.setLong(at + 1, after.id().number());
                }
            }
            return RowCursor.open(statement, FETCH_ROWS, this::event);
        } catch (SQLException | RuntimeException e) {
            statement.close();
            throw e;
        }
    }

    /** The statement of that. */
    public String eventsByTime(boolean isAfter, @Nullable Integer limit, @Nullable String contentId) {
        return selectEvents() + where(false, contentId)
                + (isAfter ? " AND (event_ts, " + orderedId() + ") > (?::timestamptz, ?)" : "") + " ORDER BY event_ts, "
                + orderedId() + (limit == null ? "" : " LIMIT " + limit);
    }

    /** When the first of the range's events happened, microseconds since the epoch; null if there is none. */
    @Nullable
    public Long firstTime(Connection connection, RangeOptions range, @Nullable String contentId) throws SQLException {
        String sql = "SELECT (extract(epoch FROM event_ts) * 1000000)::bigint FROM " + options.quotedEvents()
                + where(false, contentId) + " ORDER BY event_ts LIMIT 1";
        try (PreparedStatement statement = connection.prepareStatement(sql)) {
            bind(statement, 1, range, contentId);
            try (ResultSet row = statement.executeQuery()) {
                return row.next() ? (Long) row.getLong(1) : null;
            }
        }
    }

    /** By what the events of a range are found. */
    public TimeIndex timeIndex(Connection connection) throws SQLException {
        return TimeIndex.of(connection, options.quotedEvents());
    }

    /** How many rows the table of events has, as the planner guesses. */
    public long estimatedRows(Connection connection) throws SQLException {
        String sql = "SELECT greatest(sum(c.reltuples), 0)::bigint FROM pg_partition_tree(?::regclass) AS p"
                + " JOIN pg_class AS c ON c.oid = p.relid WHERE p.isleaf";
        String whole = "SELECT greatest(reltuples, 0)::bigint FROM pg_class WHERE oid = ?::regclass";
        return Math.max(estimate(connection, sql), estimate(connection, whole));
    }

    private long estimate(Connection connection, String sql) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(sql)) {
            statement.setString(1, options.quotedEvents());
            try (ResultSet row = statement.executeQuery()) {
                row.next();
                return row.getLong(1);
            }
        }
    }

    /** All contents that the publication lets through; the connection is in a transaction. */
    public RowCursor<ContentRow> contents(Connection connection) throws SQLException {
        String filter = contents().filter();
        return contents(connection, "", filter == null ? "" : " WHERE " + filter, SourceTables::content);
    }

    /**
     * A row of the content table.
     *
     * @param isPublished whether the publication lets it through
     */
    public record FoundContent(ContentRow row, boolean isPublished) {}

    /** All contents, also those that the publication does not let through; the connection is in a transaction. */
    public RowCursor<FoundContent> foundContents(Connection connection) throws SQLException {
        String filter = contents().filter();
        int column = CONTENT_COLUMNS.size() + 1;
        return contents(
                connection,
                filter == null ? ", true" : ", " + filter + " IS TRUE",
                "",
                row -> new FoundContent(content(row), row.getBoolean(column)));
    }

    private <T> RowCursor<T> contents(Connection connection, String more, String where, RowCursor.Mapper<T> mapper)
            throws SQLException {
        PreparedStatement statement = connection.prepareStatement(
                select(contents(), CONTENT_COLUMNS) + more + " FROM " + options.quotedContents() + where);
        try {
            return RowCursor.open(statement, FETCH_ROWS, mapper);
        } catch (SQLException | RuntimeException e) {
            statement.close();
            throw e;
        }
    }

    /** Whether it may be behind what capture reads. */
    public static boolean isStandby(Connection connection) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery("SELECT pg_is_in_recovery()")) {
            row.next();
            return row.getBoolean(1);
        }
    }

    /** Whether the contents' keys in the topic are numbers. */
    public boolean isContentIdNumber(Connection connection) throws SQLException {
        String sql = "SELECT atttypid IN ('smallint'::regtype, 'integer'::regtype, 'bigint'::regtype)"
                + " FROM pg_attribute WHERE attrelid = ?::regclass AND attname = 'id'";
        try (PreparedStatement statement = connection.prepareStatement(sql)) {
            statement.setString(1, options.quotedContents());
            try (ResultSet row = statement.executeQuery()) {
                return row.next() && row.getBoolean(1);
            }
        }
    }

    private String where(boolean ofIds, @Nullable String contentId) {
        return " WHERE " + (ofIds ? "id >= ? AND id <= ? AND " : "")
                + "event_ts >= ?::timestamptz AND event_ts < ?::timestamptz"
                + (contentId == null ? "" : " AND content_id = ?") + filter();
    }

    private static void bind(PreparedStatement statement, int at, RangeOptions range, @Nullable String contentId)
            throws SQLException {
        statement.setString(at, Timestamps.format(range.fromMicros()));
        statement.setString(at + 1, Timestamps.format(range.toMicros()));
        if (contentId != null) {
            // Without a type of its own it is of the column's.
            statement.setObject(at + 2, contentId, Types.OTHER);
        }
    }

    private EventRow event(ResultSet row) throws SQLException {
        Integer duration = number(row, 6);
        String textId = isText() ? row.getString(1) : null;
        return new EventRow(
                textId == null ? row.getLong(1) : EventId.hash(textId),
                textId,
                row.getString(2),
                row.getString(3),
                row.getString(4),
                row.getString(5),
                duration,
                row.getString(7),
                row.getString(8));
    }

    private static ContentRow content(ResultSet row) throws SQLException {
        Integer length = number(row, 5);
        return new ContentRow(
                row.getString(1), row.getString(2), row.getString(3), row.getString(4), length, row.getString(6));
    }

    /** At once, as the driver remembers of the last column alone whether it was null. */
    private static @Nullable Integer number(ResultSet row, int column) throws SQLException {
        int number = row.getInt(column);
        return number == 0 && row.wasNull() ? null : (Integer) number;
    }

    /** Whether the exported snapshot is gone, with the transaction that exported it. */
    public static boolean isSnapshotGone(SQLException e) {
        return List.of(PSQLState.INVALID_PARAMETER_VALUE.getState(), PSQLState.UNDEFINED_OBJECT.getState(), "22023")
                .contains(String.valueOf(e.getSQLState()));
    }

    /** What went wrong, for a person: names the address and the way out, never the password. */
    public String explain(SQLException e, @Nullable String contentId) {
        String state = String.valueOf(e.getSQLState());
        if (contentId != null && state.startsWith("22")) {
            return "content-id is '" + contentId + "', which is no value of the column content_id (" + firstLine(e)
                    + ")";
        }
        if (ReadRight.isMissing(e)) {
            return ReadRight.message(options.postgres(), options.quotedEvents() + ", " + options.quotedContents(), e);
        }
        if (state.equals(PSQLState.UNDEFINED_TABLE.getState()) || state.startsWith("42")) {
            return "The tables " + options.quotedEvents() + " and " + options.quotedContents() + " cannot be read at "
                    + options.postgres().jdbcUrl() + " as " + options.postgres().username() + " (" + firstLine(e)
                    + "). Check postgres.schema, postgres.events-table, postgres.content-table and the role's SELECT";
        }
        return "PostgreSQL at " + options.postgres().jdbcUrl() + " cannot be read as "
                + options.postgres().username() + " ("
                + options.postgres().password() + "): " + firstLine(e)
                + ". Check postgres.url, postgres.username and the password";
    }

    private static String firstLine(SQLException e) {
        return String.valueOf(e.getMessage()).lines().findFirst().orElse("").replaceFirst("\\.$", "");
    }
}
