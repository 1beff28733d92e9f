package dev.engagement.backfill;

import dev.engagement.event.Content;
import dev.engagement.event.ContentChange;
import dev.engagement.ingest.DecodedRecord;
import dev.engagement.ingest.RecordKey;
import dev.engagement.source.ContentRow;
import dev.engagement.source.RowCursor;
import dev.engagement.source.RowDecoder;
import dev.engagement.source.RowJson;
import dev.engagement.source.SourceTables;
import java.io.IOException;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Makes the content topic's last record of each content what the table holds: whoever missed rows may have missed
 * contents, their latest changes or their end, too.
 *
 * <p>Capture may publish a change of the same content at the same time, and of a content the last record counts. So the
 * table is read once more when what was published is safely in the topic, and what is another by then is published again,
 * until nothing is: whatever is committed after that look, capture publishes after it. What needed no record is left to
 * capture alone.
 *
 * <p>A row that the publication's filter hides is neither published nor deleted, if that filter is meant: capture published
 * the delete of one that it saw leave the filter, and what the topic still has of another is what capture's snapshot, or the
 * time before the filter, has put there; events may refer to it.
 *
 * <p>A table without any row deletes nothing: it is more likely the wrong one, or about to be filled, than true. For one
 * thread; holds what the topic says of each content, as every subtask of the stream does.
 */
final class Contents {

    private static final int SHOWN = 5;

    private final SourceTables database;
    private final RowDecoder decoder;
    private final long maxBytes;

    private final DecodedRecord<ContentChange> decoded = new DecodedRecord<>();
    /** What the topic's last record of each says; none of those that it says to be deleted. */
    private final Map<String, Content> said = new HashMap<>();
    /** The last key of each content whose key is not as capture writes it, such as Connect's with a schema. */
    private final Map<String, byte[]> keys = new HashMap<>();
    /** Those that differed, by whether there is such a row. */
    private final Map<String, Boolean> differing = new HashMap<>();

    private final Set<String> refused = new HashSet<>();
    /** Those of the topic whose rows the publication leaves out. */
    private final Set<String> hidden = new HashSet<>();

    private boolean isTableEmpty = true;

    /**
     * Nothing is read yet.
     *
     * @param decoder says what the stream makes of a row
     * @param maxBytes largest envelope that is published
     */
    Contents(SourceTables database, RowDecoder decoder, long maxBytes) {
        this.database = database;
        this.decoder = decoder;
        this.maxBytes = maxBytes;
    }

    /** Looks what differs, and publishes nothing. */
    void compare(Connection connection, StreamGateway stream) throws SQLException, IOException {
        read(stream, database.isContentIdNumber(connection));
        differing.putAll(differing(connection, null, null));
    }

    /**
     * Publishes what differs until nothing that was published does; all of it is safe then.
     *
     * @throws BackfillException if contents change faster than they are looked at, for that long
     */
    void settle(Connection connection, StreamGateway stream, Duration timeout) throws SQLException, IOException {
        long until = System.nanoTime() + timeout.toNanos();
        boolean isNumber = database.isContentIdNumber(connection);
        read(stream, isNumber);
        Publisher publisher = (id, envelope) -> {
            byte[] key = keys.get(id);
            stream.publishContent(key == null ? RecordKey.ofContent(id, isNumber) : key, envelope);
        };
        // What a look finds as it was published after the last one is settled, and not looked at again.
        Map<String, Boolean> changed = null;
        do {
            changed = differing(connection, changed == null ? null : changed.keySet(), publisher);
            differing.putAll(changed);
            var unused = stream.flush();
            if (!changed.isEmpty() && System.nanoTime() - until > 0) {
                throw new BackfillException(
                        changed.size() + " contents, such as "
                                + changed.keySet().iterator().next()
                                + ", were other ones each time they were looked at, within backfill.wait (" + timeout
                                + "). Run it again when they change less often",
                        null);
            }
        } while (!changed.isEmpty());
    }

    private void read(StreamGateway stream, boolean isNumber) throws IOException {
        stream.contents((change, key) -> {
            if (change instanceof ContentChange.Put put) {
                String id = put.content().id();
                if (key != null && !Arrays.equals(key, RecordKey.ofContent(id, isNumber))) {
                    keys.put(id, key);
                }
                said.put(id, put.unchanged().fill(put.content(), said.get(id)));
            } else if (change instanceof ContentChange.Delete delete) {
                said.remove(delete.contentId());
            }
        });
    }

    @FunctionalInterface
    private interface Publisher {
        void publish(String id, byte @Nullable [] envelope);
    }

    /**
     * One look at the table.
     *
     * @param open those to look at; null for all
     * @return those of which it is not what was said last, by whether there is such a row
     */
    private Map<String, Boolean> differing(
            Connection connection, @Nullable Set<String> open, @Nullable Publisher publisher) throws SQLException {
        Map<String, Boolean> found = new HashMap<>();
        Set<String> gone = new HashSet<>(said.keySet());
        if (open != null) {
            gone.retainAll(open);
        }
        SourceTables.begin(connection);
        try (RowCursor<SourceTables.FoundContent> rows = database.foundContents(connection)) {
            for (SourceTables.FoundContent one = rows.next(); one != null; one = rows.next()) {
                isTableEmpty = false;
                ContentRow row = one.row();
                String id = row.id();
                gone.remove(id);
                if (!one.isPublished()) {
                    if (said.containsKey(id)) {
                        hidden.add(id);
                    }
                    continue;
                }
                if (open != null && !open.contains(id)) {
                    continue;
                }
                decoder.decode(row, 0, decoded);
                Content content = decoded.kind() == DecodedRecord.Kind.VALUE
                        ? ((ContentChange.Put) decoded.value()).content()
                        : null;
                if (content != null && content.equals(said.get(id))) {
                    continue;
                }
                byte[] envelope = RowJson.envelope(row);
                if (content == null || envelope.length > maxBytes) {
                    refused.add(id);
                    continue;
                }
                said.put(id, content);
                found.put(id, true);
                if (publisher != null) {
                    publisher.publish(id, envelope);
                }
            }
        }
        if (!isTableEmpty) {
            for (String id : gone) {
                said.remove(id);
                found.put(id, false);
                if (publisher != null) {
                    publisher.publish(id, null);
                }
            }
        }
        return found;
    }

    /** What became of what differed. */
    enum Fate {
        /** They were published. */
        PUBLISHED("%s contents were published to %s, whose last record of each was not what the table holds%s"),
        /** Nothing is to be. */
        DRY_RUN("%s contents would be published to %s, whose last record of each is not what the table holds%s"),
        /** What a standby holds may be older than what capture has published. */
        STANDBY(
                "%s contents are not what %s says last%s, and are left alone: postgres.url is a standby, which may be behind"
                        + " capture. The primary's address brings them");

        private final String line;

        Fate(String line) {
            this.line = line;
        }
    }

    /** Says what differed, if anything did. */
    void tell(ProgressReport report, String topic, Fate fate) {
        if (!differing.isEmpty()) {
            long deleted =
                    differing.values().stream().filter(isThere -> !isThere).count();
            report.line(String.format(
                    fate.line,
                    String.format("%,d", differing.size()),
                    topic,
                    deleted == 0 ? "" : String.format(" (%,d of them are deleted there)", deleted)));
        }
        if (isTableEmpty && !said.isEmpty()) {
            report.line(String.format(
                    "The content table is empty, but %s holds %,d contents: none was deleted. Check postgres.url and"
                            + " postgres.content-table",
                    topic, said.size()));
        }
        if (!hidden.isEmpty()) {
            report.line(String.format(
                    "%,d contents of %s are left as they are there, as the publication leaves out their rows (%s)",
                    hidden.size(), topic, shown(hidden)));
        }
        if (!refused.isEmpty()) {
            report.line(String.format(
                    "%,d contents are larger than the stream or capture would take, and are left out (%s)",
                    refused.size(), shown(refused)));
        }
    }

    private static String shown(Set<String> ids) {
        return ids.stream().sorted().limit(SHOWN).collect(Collectors.joining(", "));
    }
}
