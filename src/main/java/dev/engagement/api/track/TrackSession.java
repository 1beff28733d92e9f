package dev.engagement.api.track;

import dev.engagement.api.track.TrackKeys.Key;
import dev.engagement.api.track.TrackRefusedException.Refusal;
import dev.engagement.connection.SecretRef.UnreadableSecretException;
import dev.engagement.event.Timestamps;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.postgresql.util.PSQLState;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A connection to the source, and what is known of its tables. Used by one thread. */
final class TrackSession implements AutoCloseable {

    /** By which PostgreSQL's views name it. */
    static final String APPLICATION = "engagement-api-track";

    private static final Logger LOG = LoggerFactory.getLogger(TrackSession.class);

    /**
     * PostgreSQL ends what takes too long, and says so; only of a server that says nothing the connection is given up.
     */
    private static final Duration ANSWER_MARGIN = Duration.ofSeconds(5);

    /** What is answered is on the disk, even where the database is configured not to wait for that. */
    private static final String BE_DURABLE = "SELECT set_config('synchronous_commit', 'on', false)"
            + " WHERE current_setting('synchronous_commit') = 'off'";

    private static final String ALLOCATE =
            "SELECT txid_current(), ARRAY(SELECT nextval(CAST(? AS regclass)) FROM generate_series(1, ?))";

    /** Of an event that is known by its key, in place of its index among the new ones. */
    private static final int KNOWN = -1;

    /**
     * A group that is written and not yet committed.
     *
     * @param outcomes once it is committed
     * @param transaction its number; null if nothing was written
     * @param keys that are there if it is committed, and then only; none if nothing was written
     */
    record Pending(List<Outcome> outcomes, @Nullable Long transaction, SortedMap<Key, TrackKeys.Written> keys) {}

    /** What became of a group whose commit was not answered. */
    enum Fate {
        COMMITTED,
        ABORTED,
        UNDER_WAY
    }

    private record Allocated(long transaction, long[] ids) {}

    private final Connection connection;
    private final EventsTable table;
    private final TrackKeys keys;

    private TrackSession(Connection connection, EventsTable table, TrackKeys keys) {
        this.connection = connection;
        this.table = table;
        this.keys = keys;
    }

    /** Connects; creates the table of keys if it is missing. */
    static TrackSession open(TrackOptions options) throws SQLException {
        Connection connection = connect(options);
        try {
            TrackKeys keys = new TrackKeys(options.schema());
            try (Statement statement = connection.createStatement()) {
                statement.execute(BE_DURABLE);
            }
            keys.createIfMissing(connection);
            EventsTable table =
                    EventsTable.of(connection, "\"" + options.schema() + "\".\"" + options.eventsTable() + "\"");
            connection.commit();
            return new TrackSession(connection, table, keys);
        } catch (SQLException e) {
            close(connection);
            throw e;
        }
    }

    /** A connection that commits when it is told to. */
    static Connection connect(TrackOptions options) throws SQLException {
        long millis = options.timeout().toMillis();
        // Locks of a client that is gone without a word are given back.
        String session = "-c statement_timeout=" + millis + " -c lock_timeout=" + millis / 2
                + " -c idle_in_transaction_session_timeout=" + millis;
        Connection connection;
        try {
            connection = options.source()
                    .open(APPLICATION, options.timeout().plus(ANSWER_MARGIN), Map.of("options", session));
        } catch (UnreadableSecretException e) {
            throw new SQLException(e.getMessage(), PSQLState.INVALID_PASSWORD.getState(), e);
        }
        try {
            // What another transaction has committed while this one waited for it has to be seen.
            connection.setTransactionIsolation(Connection.TRANSACTION_READ_COMMITTED);
            connection.setAutoCommit(false);
            return connection;
        } catch (SQLException e) {
            close(connection);
            throw e;
        }
    }

    EventsTable table() {
        return table;
    }

    /**
     * Writes a group, up to the commit.
     *
     * @return null if another transaction has written one of the keys meanwhile: this one is to be rolled back and
     *     begun anew
     */
    @Nullable
    Pending write(List<TrackRequest> group) throws SQLException {
        Map<Key, TrackKeys.Written> known = keys.find(connection, keysOf(group));
        @Nullable Outcome[] outcomes = new Outcome[group.size()];
        for (int i = 0; i < outcomes.length; i++) {
            outcomes[i] = repeated(group.get(i), known);
        }
        refuseUnknownContents(group, known, outcomes);

        Plan plan = new Plan(group, known, outcomes);
        if (plan.isEmpty()) {
            return new Pending(List.of(plan.outcomes(new long[0])), null, new TreeMap<>());
        }
        Allocated allocated = allocate(plan.fresh.size());
        SortedMap<Key, TrackKeys.Written> rows = plan.rows(allocated.ids());
        if (!keys.insert(connection, rows)) {
            return null;
        }
        insert(plan.fresh, allocated.ids());
        return new Pending(List.of(plan.outcomes(allocated.ids())), allocated.transaction(), rows);
    }

    private static Set<Key> keysOf(List<TrackRequest> group) {
        Set<Key> keys = new LinkedHashSet<>();
        for (TrackRequest request : group) {
            if (request.key() != null) {
                keys.add(Key.ofRequest(request.key()));
            }
            for (TrackEvent event : request.events()) {
                if (event.key() != null) {
                    keys.add(Key.ofEvent(event.key()));
                }
            }
        }
        return keys;
    }

    /** What a request is answered with that was here before; null if it was not. */
    private static @Nullable Outcome repeated(TrackRequest request, Map<Key, TrackKeys.Written> known) {
        String key = request.key();
        TrackKeys.Written written = key == null ? null : known.get(Key.ofRequest(key));
        if (written == null) {
            return null;
        }
        if (written.fingerprint() != null && written.fingerprint().equals(request.fingerprint())) {
            return new Outcome.Answered(new TrackAnswer(written.ids(), true));
        }
        return new Outcome.Refused(TrackRefusedException.unprocessable(List.of(new Refusal(
                0,
                "Idempotency-Key",
                "came with another body before",
                "take a new key for another request, and the same body for the same one"))));
    }

    private static boolean isKnown(TrackEvent event, Map<Key, TrackKeys.Written> known) {
        return event.key() != null && known.containsKey(Key.ofEvent(event.key()));
    }

    private void refuseUnknownContents(
            List<TrackRequest> group, Map<Key, TrackKeys.Written> known, @Nullable Outcome[] outcomes)
            throws SQLException {
        Set<String> asked = new HashSet<>();
        for (int i = 0; i < outcomes.length; i++) {
            if (outcomes[i] == null) {
                group.get(i).events().stream()
                        .filter(event -> !isKnown(event, known))
                        .forEach(event -> asked.add(event.contentId()));
            }
        }
        Set<String> missing = missingContents(asked);
        if (missing.isEmpty()) {
            return;
        }
        for (int i = 0; i < outcomes.length; i++) {
            if (outcomes[i] != null) {
                continue;
            }
            List<Refusal> refusals = group.get(i).events().stream()
                    .filter(event -> !isKnown(event, known) && missing.contains(event.contentId()))
                    .limit(EventParser.MAX_REFUSALS)
                    .map(event -> new Refusal(
                            event.line(),
                            "content_id",
                            "is '" + BodyForm.shown(event.contentId()) + "', and there is no such content",
                            "insert the content first, or correct the id"))
                    .toList();
            if (!refusals.isEmpty()) {
                outcomes[i] = new Outcome.Refused(TrackRefusedException.unprocessable(refusals));
            }
        }
    }

    private Set<String> missingContents(Set<String> asked) throws SQLException {
        Set<String> missing = new HashSet<>();
        String sql = table.missingContents();
        if (sql == null || asked.isEmpty()) {
            return missing;
        }
        try (PreparedStatement statement = connection.prepareStatement(sql)) {
            statement.setArray(1, connection.createArrayOf("text", asked.toArray(new String[0])));
            try (ResultSet row = statement.executeQuery()) {
                while (row.next()) {
                    missing.add(row.getString(1));
                }
            }
        }
        return missing;
    }

    private Allocated allocate(int count) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(ALLOCATE)) {
            statement.setString(1, table.sequence());
            statement.setInt(2, count);
            try (ResultSet row = statement.executeQuery()) {
                row.next();
                Long[] ids = (Long[]) row.getArray(2).getArray();
                return new Allocated(
                        row.getLong(1),
                        Arrays.stream(ids).mapToLong(Long::longValue).toArray());
            }
        }
    }

    private void insert(List<TrackEvent> events, long[] ids) throws SQLException {
        if (events.isEmpty()) {
            return;
        }
        try (PreparedStatement statement = connection.prepareStatement(table.insert())) {
            statement.setArray(
                    1,
                    connection.createArrayOf(
                            "bigint", Arrays.stream(ids).boxed().toArray(Long[]::new)));
            // In the order of EventsTable.COLUMNS.
            texts(statement, 2, events, TrackEvent::contentId);
            texts(statement, 3, events, TrackEvent::userId);
            texts(statement, 4, events, TrackEvent::eventType);
            texts(statement, 5, events, event -> Timestamps.format(event.eventTsMicros()));
            texts(statement, 6, events, event -> {
                Integer durationMs = event.durationMs();
                return durationMs == null ? null : durationMs.toString();
            });
            texts(statement, 7, events, TrackEvent::device);
            texts(statement, 8, events, TrackEvent::payload);
            statement.executeUpdate();
        }
    }

    private void texts(
            PreparedStatement statement,
            int parameter,
            List<TrackEvent> events,
            Function<TrackEvent, @Nullable String> column)
            throws SQLException {
        @Nullable String[] texts = new String[events.size()];
        for (int i = 0; i < texts.length; i++) {
            texts[i] = column.apply(events.get(i));
        }
        statement.setArray(parameter, connection.createArrayOf("text", texts));
    }

    /**
     * Whether the table takes these events: nothing stays of them, whatever the answer.
     *
     * @return null if it does; otherwise why not
     * @throws SQLException if it is not for the sake of an event that it does not
     */
    @Nullable
    SQLException refusalOf(List<TrackEvent> events) throws SQLException {
        try {
            try (Statement statement = connection.createStatement()) {
                // Some constraints speak only at the end of a transaction otherwise.
                statement.execute("SET CONSTRAINTS ALL IMMEDIATE");
            }
            insert(events, allocate(events.size()).ids());
            return null;
        } catch (SQLException e) {
            if (TrackVerdict.of(e) != TrackVerdict.RECORD) {
                throw e;
            }
            return e;
        } finally {
            connection.rollback();
        }
    }

    void commit() throws SQLException {
        connection.commit();
    }

    void rollback() throws SQLException {
        connection.rollback();
    }

    /**
     * What became of a group, written by whichever connection.
     *
     * <p>The number says no more than whether somebody is still at it. What a crash took with it leaves its number, and
     * its events' ids, to the next one: then the number is said to be committed, and the events are not there. What
     * proves a commit are the keys.
     */
    Fate fateOf(Pending pending) throws SQLException {
        Long transaction = pending.transaction();
        try {
            if (transaction != null && isUnderWay(transaction)) {
                return Fate.UNDER_WAY;
            }
            return keys.find(connection, pending.keys().keySet()).equals(pending.keys())
                    ? Fate.COMMITTED
                    : Fate.ABORTED;
        } finally {
            connection.rollback();
        }
    }

    private boolean isUnderWay(long transaction) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement("SELECT txid_status(?) = 'in progress'")) {
            statement.setLong(1, transaction);
            try (ResultSet row = statement.executeQuery()) {
                // Of one that is too old to be known it is null.
                return row.next() && row.getBoolean(1);
            }
        } catch (SQLException e) {
            if (!PSQLState.INVALID_PARAMETER_VALUE.getState().equals(e.getSQLState())) {
                throw e;
            }
            // A number that is not given out, and was before a crash.
            connection.rollback();
            return false;
        }
    }

    @Override
    public void close() {
        close(connection);
    }

    static void close(Connection connection) {
        try {
            connection.close();
        } catch (SQLException e) {
            // It is of no use any more, and PostgreSQL rolls back what it was at.
            LOG.debug("A connection to PostgreSQL cannot be closed in order", e);
        }
    }

    /** Who of a group is written, and under which ids. */
    private static final class Plan {

        private final List<TrackRequest> group;
        private final Map<Key, TrackKeys.Written> known;
        private final @Nullable Outcome[] outcomes;

        /** What is inserted, in this order. */
        private final List<TrackEvent> fresh = new ArrayList<>();

        /** By an event's own key, its index among the fresh ones. */
        private final Map<String, Integer> claimed = new HashMap<>();

        /**
         * Of each request that is written, and each of its events: its index among the fresh ones, or {@link #KNOWN}.
         */
        private final Map<Integer, int[]> indexes = new HashMap<>();

        /** @param outcomes of those that are not written */
        Plan(List<TrackRequest> group, Map<Key, TrackKeys.Written> known, @Nullable Outcome[] outcomes) {
            this.group = group;
            this.known = known;
            this.outcomes = outcomes;
            for (int i = 0; i < outcomes.length; i++) {
                if (outcomes[i] == null) {
                    indexes.put(i, indexes(group.get(i).events()));
                }
            }
        }

        private int[] indexes(List<TrackEvent> events) {
            int[] own = new int[events.size()];
            for (int i = 0; i < own.length; i++) {
                own[i] = index(events.get(i));
            }
            return own;
        }

        private int index(TrackEvent event) {
            if (isKnown(event, known)) {
                return KNOWN;
            }
            String key = event.key();
            Integer claim = key == null ? null : claimed.get(key);
            if (claim != null) {
                return claim;
            }
            int index = fresh.size();
            fresh.add(event);
            if (key != null) {
                claimed.put(key, index);
            }
            return index;
        }

        /** Whether there is nothing to write, neither an event nor a key. */
        boolean isEmpty() {
            return fresh.isEmpty()
                    && indexes.keySet().stream().allMatch(i -> group.get(i).key() == null);
        }

        private List<Long> ids(int request, long[] allocated) {
            List<TrackEvent> events = group.get(request).events();
            int[] own = indexes.get(request);
            List<Long> ids = new ArrayList<>(own.length);
            for (int i = 0; i < own.length; i++) {
                ids.add(own[i] == KNOWN ? known(events.get(i)) : (Long) allocated[own[i]]);
            }
            return ids;
        }

        private Long known(TrackEvent event) {
            return known.get(Key.ofEvent(String.valueOf(event.key()))).ids().get(0);
        }

        /** The keys that are new, in the order in which they are to be written. */
        TreeMap<Key, TrackKeys.Written> rows(long[] allocated) {
            TreeMap<Key, TrackKeys.Written> rows = new TreeMap<>();
            claimed.forEach(
                    (key, index) -> rows.put(Key.ofEvent(key), new TrackKeys.Written(List.of(allocated[index]), null)));
            for (int request : indexes.keySet()) {
                String key = group.get(request).key();
                if (key != null) {
                    rows.put(
                            Key.ofRequest(key),
                            new TrackKeys.Written(
                                    ids(request, allocated), group.get(request).fingerprint()));
                }
            }
            if (indexes.keySet().stream().anyMatch(this::leavesNoKey)) {
                rows.put(Key.ofGroup(), new TrackKeys.Written(List.of(), null));
            }
            return rows;
        }

        /** Whether an event of a request is written of which no key tells. */
        private boolean leavesNoKey(int request) {
            return group.get(request).key() == null
                    && group.get(request).events().stream().anyMatch(event -> event.key() == null);
        }

        /** What becomes of each request. */
        Outcome[] outcomes(long[] allocated) {
            Outcome[] all = new Outcome[outcomes.length];
            for (int i = 0; i < all.length; i++) {
                Outcome before = outcomes[i];
                all[i] = before != null
                        ? before
                        : new Outcome.Answered(new TrackAnswer(ids(i, allocated), isOfOthers(i)));
            }
            return all;
        }

        /** Whether all events of a request were there before. */
        private boolean isOfOthers(int request) {
            return Arrays.stream(indexes.get(request)).allMatch(index -> index == KNOWN);
        }
    }
}
