package dev.engagement.backfill;

import dev.engagement.backfill.SourceDatabase.ContentIdType;
import dev.engagement.ingest.RecordKey;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * The contents that published rows refer to, published ahead of them: whoever missed the rows may have missed these, too,
 * or their latest changes.
 *
 * <p>Capture may publish a change of the same content at the same time, and of a content the last record counts. So each
 * is looked at once more when it is safely in the topic, and published again if it is another by then, until the last
 * record of ours is what the table holds: whatever is committed after that look, capture publishes after it.
 *
 * <p>Thread-safe, but for {@link #settle}. Holds the id of every such content.
 */
final class Contents {

    private static final int BATCH = 1_000;

    /** Of a content that is not there, or whose row is larger than capture would publish. */
    private static final int NOTHING = 0;

    private final SourceDatabase database;
    private final long mostBytes;
    /** What was published last, as a hash of the envelope. */
    private final Map<String, Integer> published = new ConcurrentHashMap<>();

    private @Nullable ContentIdType idType;

    /**
     * None yet.
     *
     * @param mostBytes largest envelope that is published
     */
    Contents(SourceDatabase database, long mostBytes) {
        this.database = database;
        this.mostBytes = mostBytes;
    }

    /** Publishes that content, unless it was. */
    void ensure(Connection connection, String id, Stream stream) throws SQLException {
        if (published.containsKey(id)) {
            return;
        }
        // One reader at a time: what is remembered as the last is what was published last.
        synchronized (this) {
            if (!published.containsKey(id)) {
                List<ContentRow> rows = database.contents(connection, List.of(id), idType(connection));
                byte[] envelope = rows.isEmpty() ? null : envelope(rows.get(0));
                if (envelope != null) {
                    stream.publishContent(key(connection, id), envelope);
                }
                published.put(id, hash(envelope));
            }
        }
    }

    private byte[] key(Connection connection, String id) throws SQLException {
        return RecordKey.ofContent(id, idType(connection).isNumber());
    }

    private ContentIdType idType(Connection connection) throws SQLException {
        ContentIdType type = idType;
        if (type == null) {
            type = database.contentIdType(connection);
            idType = type;
        }
        return type;
    }

    /** How many were published. */
    long count() {
        return published.values().stream().filter(hash -> hash != NOTHING).count();
    }

    /**
     * Until what was published last of each content is what the table holds. All that was published is safe.
     *
     * @param connection without a transaction: each statement sees the table as it is
     */
    void settle(Connection connection, Stream stream) throws SQLException {
        List<String> open = new ArrayList<>(published.keySet());
        while (!open.isEmpty()) {
            List<String> changed = new ArrayList<>();
            for (int from = 0; from < open.size(); from += BATCH) {
                List<String> ids = open.subList(from, Math.min(from + BATCH, open.size()));
                Map<String, ContentRow> rows = new HashMap<>();
                database.contents(connection, ids, idType(connection)).forEach(row -> rows.put(row.id(), row));
                for (String id : ids) {
                    ContentRow row = rows.get(id);
                    byte[] envelope = row == null ? null : envelope(row);
                    boolean isTooLarge = row != null && envelope == null;
                    if (!isTooLarge && published.getOrDefault(id, NOTHING) != hash(envelope)) {
                        stream.publishContent(key(connection, id), envelope);
                        published.put(id, hash(envelope));
                        changed.add(id);
                    }
                }
            }
            var unused = stream.flush();
            open = changed;
        }
    }

    private byte @Nullable [] envelope(ContentRow row) {
        byte[] envelope = RowJson.envelope(row);
        return envelope.length > mostBytes ? null : envelope;
    }

    private static int hash(byte @Nullable [] envelope) {
        return envelope == null ? NOTHING : Math.max(1, Arrays.hashCode(envelope) & Integer.MAX_VALUE);
    }
}
