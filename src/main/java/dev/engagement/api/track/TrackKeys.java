package dev.engagement.api.track;

import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.UUID;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * The table of keys: what was written under them. Each method is part of the transaction that its connection is in.
 *
 * <p>A transaction with an event that neither has a key nor is of a request with one leaves a key of its own, which
 * nobody else can have: by that it is known whether it was committed.
 */
final class TrackKeys {

    /** Its name, in the schema of the events. */
    static final String TABLE = "engagement_track_keys";

    /** Of the lock that whoever creates the table holds: two that create one at the same time fail otherwise. */
    private static final long LOCK = 0x747261636b6b6579L;

    /** Whose key it is. */
    enum Kind {
        EVENT,
        /** Of a transaction. */
        GROUP,
        REQUEST
    }

    /** A key. In this order all transactions write them. */
    record Key(Kind kind, String text) implements Comparable<Key> {

        static Key ofRequest(String text) {
            return new Key(Kind.REQUEST, text);
        }

        /** A new one. */
        static Key ofGroup() {
            return new Key(Kind.GROUP, UUID.randomUUID().toString());
        }

        static Key ofEvent(String text) {
            return new Key(Kind.EVENT, text);
        }

        @Override
        public int compareTo(Key other) {
            int byKind = kind.compareTo(other.kind);
            return byKind != 0 ? byKind : text.compareTo(other.text);
        }
    }

    /**
     * What was written under a key.
     *
     * @param ids of the request's events in their order, or of the event; none of a transaction
     * @param fingerprint of the request's body; null of an event and of a transaction
     */
    record Written(List<Long> ids, @Nullable String fingerprint) {}

    private final String quoted;
    private final String index;
    private final String find;
    private final String insert;
    private final String remove;

    /** @param schema letters, digits and underscores */
    TrackKeys(String schema) {
        this.quoted = "\"" + schema + "\".\"" + TABLE + "\"";
        this.index = "\"" + TABLE + "_made_at\"";
        this.find = "SELECT held.kind, held.key, held.ids, held.fingerprint"
                + " FROM unnest(CAST(? AS text[]), CAST(? AS text[])) AS asked (kind, key) JOIN " + quoted
                + " AS held ON held.kind = asked.kind AND held.key = asked.key";
        this.insert = "INSERT INTO " + quoted + " (kind, key, ids, fingerprint)"
                + " SELECT k.kind, k.key, CAST(k.ids AS bigint[]), k.fingerprint"
                + " FROM unnest(CAST(? AS text[]), CAST(? AS text[]), CAST(? AS text[]), CAST(? AS text[]))"
                + " AS k (kind, key, ids, fingerprint) ON CONFLICT (kind, key) DO NOTHING";
        this.remove = "DELETE FROM " + quoted + " WHERE ctid = ANY (ARRAY(SELECT ctid FROM " + quoted
                + " WHERE made_at < now() - ? * interval '1 second' ORDER BY made_at LIMIT ?"
                + " FOR UPDATE SKIP LOCKED))";
    }

    /**
     * The statements that make the table, for whoever may. The clock is PostgreSQL's, one for all processes of the API.
     */
    List<String> create() {
        return List.of(
                "CREATE TABLE IF NOT EXISTS " + quoted + " (kind TEXT COLLATE \"C\" NOT NULL, key TEXT COLLATE \"C\""
                        + " NOT NULL, ids BIGINT[] NOT NULL, fingerprint TEXT, made_at TIMESTAMPTZ NOT NULL"
                        + " DEFAULT now(), PRIMARY KEY (kind, key))",
                "CREATE INDEX IF NOT EXISTS " + index + " ON " + quoted + " (made_at)");
    }

    boolean isThere(Connection connection) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement("SELECT to_regclass(?) IS NOT NULL")) {
            statement.setString(1, quoted);
            try (ResultSet row = statement.executeQuery()) {
                return row.next() && row.getBoolean(1);
            }
        }
    }

    /** Creates the table unless it is there. */
    void createIfMissing(Connection connection) throws SQLException {
        if (isThere(connection)) {
            // Whoever may not create a table need not.
            return;
        }
        try (Statement statement = connection.createStatement()) {
            statement.execute("SELECT pg_advisory_xact_lock(" + LOCK + ")");
            for (String sql : create()) {
                statement.execute(sql);
            }
        }
    }

    /** What is written under those keys, of those under which anything is. */
    Map<Key, Written> find(Connection connection, Collection<Key> keys) throws SQLException {
        Map<Key, Written> found = new HashMap<>();
        if (keys.isEmpty()) {
            return found;
        }
        try (PreparedStatement statement = connection.prepareStatement(find)) {
            statement.setArray(1, connection.createArrayOf("text", kinds(keys)));
            statement.setArray(2, connection.createArrayOf("text", texts(keys)));
            try (ResultSet row = statement.executeQuery()) {
                while (row.next()) {
                    found.put(
                            new Key(Kind.valueOf(row.getString(1)), row.getString(2)),
                            new Written(List.of((Long[]) row.getArray(3).getArray()), row.getString(4)));
                }
            }
        }
        return found;
    }

    /**
     * Writes keys. Waits for whoever is writing one of them, until that one is committed or rolled back.
     *
     * @return whether all are new; if not, this transaction is to be rolled back, and the others' keys are to be found
     */
    boolean insert(Connection connection, SortedMap<Key, Written> rows) throws SQLException {
        if (rows.isEmpty()) {
            return true;
        }
        List<String> ids = new ArrayList<>(rows.size());
        List<@Nullable String> fingerprints = new ArrayList<>(rows.size());
        for (Written written : rows.values()) {
            ids.add(written.ids().stream().map(String::valueOf).collect(Collectors.joining(",", "{", "}")));
            fingerprints.add(written.fingerprint());
        }
        try (PreparedStatement statement = connection.prepareStatement(insert)) {
            statement.setArray(1, connection.createArrayOf("text", kinds(rows.keySet())));
            statement.setArray(2, connection.createArrayOf("text", texts(rows.keySet())));
            statement.setArray(3, connection.createArrayOf("text", ids.toArray(new String[0])));
            statement.setArray(4, connection.createArrayOf("text", fingerprints.toArray(new String[0])));
            return statement.executeUpdate() == rows.size();
        }
    }

    /**
     * Removes keys.
     *
     * @param keptFor those that are older
     * @return how many were removed
     */
    int remove(Connection connection, Duration keptFor, int atMost) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(remove)) {
            statement.setLong(1, keptFor.toSeconds());
            statement.setInt(2, atMost);
            return statement.executeUpdate();
        }
    }

    private static String[] kinds(Collection<Key> keys) {
        return keys.stream().map(key -> key.kind().name()).toArray(String[]::new);
    }

    private static String[] texts(Collection<Key> keys) {
        return keys.stream().map(Key::text).toArray(String[]::new);
    }
}
