package dev.engagement.redrive;

import dev.engagement.connection.TopicReader;
import dev.engagement.deadletter.DeadLetter;
import dev.engagement.deadletter.Reason;
import dev.engagement.delivery.Delivery;
import dev.engagement.delivery.RetryRecord;
import dev.engagement.event.ContentChange;
import dev.engagement.event.EngagementEvent;
import dev.engagement.event.EventId;
import dev.engagement.event.EventJson;
import dev.engagement.event.Position;
import dev.engagement.ingest.ContentDecoder;
import dev.engagement.ingest.DecodedRecord;
import dev.engagement.ingest.EventDecoders;
import dev.engagement.ingest.EventRules;
import dev.engagement.ingest.RecordKey;
import dev.engagement.source.SourceOptions;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.util.Arrays;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.record.TimestampType;
import org.jspecify.annotations.Nullable;

/**
 * Says where each letter belongs, and what is to be put there.
 *
 * <table>
 * <caption>By reason</caption>
 * <tr><th>reason</th><th>where</th><th>what</th></tr>
 * <tr><td>UNDECODABLE, INVALID</td><td>the topic it came from</td><td>the letter's payload and headers, byte for byte</td>
 *   </tr>
 * <tr><td>UNRESOLVED</td><td>the events topic</td><td>the letter's payload, the event's envelope</td></tr>
 * <tr><td>OVERSIZE of the stream</td><td>the topic it came from</td><td>the payload, if {@code ingest.max-record-bytes} is
 *   large enough by now; else the row of PostgreSQL as an envelope, if that is small enough</td></tr>
 * <tr><td>OVERSIZE and UNDECODABLE of capture</td><td>the topic of its table</td><td>the row of PostgreSQL as an envelope</td></tr>
 * <tr><td>UNDECODABLE of capture, of an outbox</td><td>nowhere</td><td>only who writes the outbox knows what was meant</td></tr>
 * <tr><td>UNDELIVERABLE</td><td>the delivery-retry topic</td><td>the body, with no attempts behind it</td></tr>
 * <tr><td>REJECTED by BigQuery</td><td>the warehouse</td><td>the row</td></tr>
 * <tr><td>REJECTED by ClickHouse</td><td>nowhere</td><td>only BigQuery is asked whether a row is there</td></tr>
 * </table>
 *
 * <p>A letter does not carry its record's key, so the record is looked up where it was read; it counts if its timestamp and
 * its value are the letter's. If Kafka has it no more, an event's key is made of its id. A record of the events topic without
 * either goes back without a key, into its partition. Records get the time at which they are put back: with their old one
 * Kafka's retention might take them before anybody reads them.
 *
 * <p>Of a content the latest record counts. So a letter of the content topic goes back only while its record is there and is
 * the newest of its content: put behind a newer one, it would undo it.
 */
final class RedriveRouter implements AutoCloseable {

    /** Stage of the letters of rows that ClickHouse refused. */
    private static final String CLICKHOUSE = "clickhouse";

    private final RedriveOptions options;
    private final Clock clock;
    /** Single records by their place: what a letter was made of, if Kafka still has it. */
    private final TopicReader originals;

    private final @Nullable SourceRows rows;
    private @Nullable ContentRecords contents;

    private RedriveRouter(RedriveOptions options, Clock clock, TopicReader originals, @Nullable SourceRows rows) {
        this.options = options;
        this.clock = clock;
        this.originals = originals;
        this.rows = rows;
    }

    static RedriveRouter of(RedriveOptions options, Clock clock) {
        // One record is wanted of each fetch; a larger one comes nevertheless.
        TopicReader originals = TopicReader.open(
                options.kafka(), Map.of("max.partition.fetch.bytes", "16384", "max.poll.records", "1"));
        SourceOptions database = options.database();
        SourceRows rows = database == null ? null : new SourceRows(database, options.topics(), clock);
        return new RedriveRouter(options, clock, originals, rows);
    }

    /** Where a letter belongs. */
    Placement of(DeadLetter letter) throws RedriveException, IOException {
        try {
            return switch (letter.reason()) {
                case UNDECODABLE -> letter.source().partition() < 0 ? ofRow(letter) : asItWas(letter);
                case INVALID, UNRESOLVED -> asItWas(letter);
                case OVERSIZE -> letter.source().partition() < 0 ? ofRow(letter) : oversize(letter);
                case UNDELIVERABLE -> delivery(letter);
                case REJECTED ->
                    letter.stage().equals(CLICKHOUSE)
                            ? new Placement.Nowhere("ClickHouse refused the row; write it there yourself, from the"
                                    + " letter's payload, when what its error says is mended")
                            : row(letter);
                case CONFLICT ->
                    new Placement.Nowhere("the stream knows the id of another event and would drop it again; give the"
                            + " row an id of its own at the source, and capture brings it under that");
            };
        } catch (SourceRows.UnusableRowException e) {
            return new Placement.Nowhere(String.valueOf(e.getMessage()));
        }
    }

    private Placement asItWas(DeadLetter letter) throws RedriveException, IOException {
        String topic = letter.source().topic();
        Set<String> known = Set.of(
                options.topics().events(),
                options.topics().content(),
                options.topics().deliveryRetry());
        if (!known.contains(topic)) {
            return new Placement.Nowhere(
                    "it came from the topic '" + topic + "', which is none of kafka.topics.events ("
                            + options.topics().events() + "), .content ("
                            + options.topics().content()
                            + ") and .delivery-retry (" + options.topics().deliveryRetry() + ")");
        }
        ConsumerRecord<byte[], byte[]> original = original(letter);
        if (letter.payload() == null && original == null) {
            return new Placement.Nowhere(
                    "the letter has no payload, and Kafka no longer has the record at " + place(letter));
        }
        // A letter without a payload is one of a tombstone, or was too large for its topic.
        byte[] value = letter.payload() != null ? letter.payload() : value(original);
        Headers headers = letter.payload() != null ? headers(letter) : headers(original);
        if (topic.equals(options.topics().content())) {
            return content(letter, original, value, headers);
        }
        byte[] key = original == null ? null : original.key();
        if (key == null && original == null) {
            boolean ofEvents = topic.equals(options.topics().events());
            EventId id = letter.eventId() == null && ofEvents ? eventIdIn(letter, value) : letter.eventId();
            if (id != null) {
                key = ofEvents ? RecordKey.ofEvent(id) : id.toString().getBytes(StandardCharsets.US_ASCII);
            }
        }
        return new Placement.InTopic(
                new ProducerRecord<>(topic, key == null ? partition(letter) : null, null, key, value, headers), false);
    }

    private Placement content(
            DeadLetter letter,
            @Nullable ConsumerRecord<byte[], byte[]> original,
            byte @Nullable [] value,
            Headers headers)
            throws RedriveException, IOException {
        if (original == null) {
            return new Placement.Nowhere("Kafka no longer has the content's record at " + place(letter)
                    + ": compaction took it for a newer one, which it would undo, or the topic was made anew");
        }
        String id = RecordKey.identityOf(original.key());
        if (id == null) {
            id = contentIdIn(letter, value);
        }
        if (id != null) {
            ContentRecords.Newest newest = contents().of(id);
            if (newest != null
                    && (newest.partition() != original.partition() || newest.offset() != original.offset())) {
                return new Placement.Nowhere("a newer record of content " + id + " is at "
                        + place(original.topic(), newest.partition(), newest.offset())
                        + "; put behind it, this one would undo it");
            }
        }
        return new Placement.InTopic(
                new ProducerRecord<>(
                        original.topic(),
                        original.key() == null ? partition(letter) : null,
                        null,
                        original.key(),
                        value,
                        headers),
                true);
    }

    /** Of the stream: the whole value is in the letter, or in Kafka. */
    private Placement oversize(DeadLetter letter)
            throws RedriveException, SourceRows.UnusableRowException, IOException {
        ConsumerRecord<byte[], byte[]> original = letter.payload() == null ? original(letter) : null;
        byte[] value = letter.payload() != null ? letter.payload() : value(original);
        if (value == null || value.length <= options.maxRecordBytes().getBytes()) {
            return asItWas(letter);
        }
        if (rows == null) {
            return new Placement.Nowhere(tooLarge("its value", value.length)
                    + "; with postgres.username and its password the row would be read, which may be smaller");
        }
        boolean ofContent = letter.source().topic().equals(options.topics().content());
        ConsumerRecord<byte[], byte[]> keyed = original != null ? original : original(letter);
        String id = keyed == null ? null : RecordKey.idOf(keyed.key());
        if (ofContent) {
            if (keyed == null) {
                return content(letter, null, value, new RecordHeaders());
            }
            id = id != null ? id : contentIdIn(letter, value);
            if (id == null) {
                return new Placement.Nowhere(tooLarge("its value", value.length) + ", and it names no content");
            }
            return contentRow(letter, id, keyed.key(), keyed);
        }
        EventId ofKey = EventId.parse(id, options.eventIds());
        EventId eventId = ofKey != null ? ofKey : eventIdIn(letter, value);
        if (eventId == null) {
            return new Placement.Nowhere(tooLarge("its value", value.length) + ", and it names no event");
        }
        return eventRow(letter, eventId, false);
    }

    /** Of capture: the letter only says which row it is. */
    private Placement ofRow(DeadLetter letter) throws RedriveException, SourceRows.UnusableRowException, IOException {
        if (letter.payload() != null) {
            return new Placement.Nowhere(
                    "it is of a row of the outbox " + letter.source().topic()
                            + ", whose payload it holds; write that into the outbox once more, as its error says it should be");
        }
        SourceOptions database = options.database();
        if (database == null) {
            return new Placement.Nowhere(
                    "it refers to a row of " + letter.source().topic()
                            + ", which is read with postgres.url, postgres.username and its password; give them");
        }
        String table = letter.source().topic();
        if (table.equals(database.schema() + '.' + database.eventsTable())) {
            EventId id = letter.eventId();
            return id == null
                    ? new Placement.Nowhere("it does not name its row")
                    // The snapshot's rows have no log sequence number.
                    : eventRow(letter, id, letter.source().offset() == 0);
        }
        if (table.equals(database.schema() + '.' + database.contentTable())) {
            byte[] key = letter.headers().stream()
                    .filter(header -> header.key().equals(DeadLetter.ROW_KEY))
                    .findFirst()
                    .flatMap(header -> Optional.ofNullable(header.value()))
                    .orElse(null);
            String id = RecordKey.idOf(key);
            return id == null || key == null
                    ? new Placement.Nowhere("it does not name its row; it is of an older build")
                    : contentRow(letter, id, key, null);
        }
        return new Placement.Nowhere("it refers to a row of " + table + ", which is neither " + database.schema() + '.'
                + database.eventsTable() + " nor " + database.schema() + '.' + database.contentTable());
    }

    private Placement eventRow(DeadLetter letter, EventId id, boolean snapshot)
            throws RedriveException, SourceRows.UnusableRowException, IOException {
        byte[] envelope = EventJson.envelope(
                rows().event(id, snapshot, Math.max(0, letter.source().timestampMillis())));
        if (envelope.length > options.maxRecordBytes().getBytes()) {
            return new Placement.Nowhere(tooLarge("its row", envelope.length));
        }
        return new Placement.InTopic(
                new ProducerRecord<>(options.topics().events(), RecordKey.ofEvent(id), envelope), false);
    }

    private Placement contentRow(
            DeadLetter letter, String id, byte @Nullable [] key, @Nullable ConsumerRecord<byte[], byte[]> original)
            throws RedriveException, SourceRows.UnusableRowException, IOException {
        byte[] envelope = EventJson.envelope(rows().content(id));
        if (envelope.length > options.maxRecordBytes().getBytes()) {
            return new Placement.Nowhere(tooLarge("its row", envelope.length));
        }
        ContentRecords.Newest newest = contents().of(id);
        boolean superseded = newest != null
                && (original == null
                        ? newest.timestampMillis() > letter.failedAtMillis()
                        : newest.partition() != original.partition() || newest.offset() != original.offset());
        if (superseded) {
            return new Placement.Nowhere(
                    "the content topic has a newer record of content " + id + ", which says what its row says");
        }
        return new Placement.InTopic(new ProducerRecord<>(options.topics().content(), key, envelope), true);
    }

    private Placement delivery(DeadLetter letter) {
        EventId id = letter.eventId();
        byte[] body = letter.payload();
        if (id == null || body == null) {
            return new Placement.Nowhere("the letter has no " + (id == null ? "event id" : "payload"));
        }
        DeadLetter.Source source = letter.source();
        return new Placement.InTopic(
                RetryRecord.of(
                        options.topics().deliveryRetry(),
                        new Delivery(
                                id,
                                body,
                                0,
                                new Position(source.partition(), source.offset(), source.timestampMillis()),
                                clock.millis(),
                                0,
                                0)),
                false);
    }

    private static Placement row(DeadLetter letter) {
        EventId id = letter.eventId();
        byte[] json = letter.payload();
        return id == null || json == null
                ? new Placement.Nowhere("the letter has no " + (id == null ? "event id" : "payload"))
                : new Placement.InTable(id, json);
    }

    private String tooLarge(String what, int bytes) {
        return what + " has " + bytes + " bytes, still above ingest.max-record-bytes ("
                + options.maxRecordBytes().getBytes() + "); raise it for stream and for redrive";
    }

    /** The record that a letter was made of, if it is still there. */
    private @Nullable ConsumerRecord<byte[], byte[]> original(DeadLetter letter) throws RedriveException, IOException {
        DeadLetter.Source source = letter.source();
        ConsumerRecord<byte[], byte[]> record = originals.at(source.topic(), source.partition(), source.offset());
        // Another one may stand there: of a topic that was made anew.
        boolean same = record != null
                && record.timestamp() == source.timestampMillis()
                && (letter.payload() == null
                        || letter.reason() == Reason.UNRESOLVED
                        || Arrays.equals(letter.payload(), record.value()));
        return same ? record : null;
    }

    private @Nullable Integer partition(DeadLetter letter) throws IOException {
        int partition = letter.source().partition();
        String topic = letter.source().topic();
        return originals.partitions(topic).contains(new TopicPartition(topic, partition)) ? (Integer) partition : null;
    }

    private @Nullable EventId eventIdIn(DeadLetter letter, byte @Nullable [] value) {
        DecodedRecord<EngagementEvent> decoded = new DecodedRecord<>();
        // It is the id that is wanted, whatever the event has for a content.
        EventRules rules = new EventRules(options.eventIds(), false);
        EventDecoders.of(options.format(), letter.source().topic(), Long.MAX_VALUE, rules, clock)
                .decode(record(letter, value), decoded);
        return switch (decoded.kind()) {
            case VALUE -> decoded.value().eventId();
            case LETTER -> decoded.letter().eventId();
            case IGNORED, READ_TO_END -> null;
        };
    }

    private @Nullable String contentIdIn(DeadLetter letter, byte @Nullable [] value) {
        DecodedRecord<ContentChange> decoded = new DecodedRecord<>();
        new ContentDecoder(letter.source().topic(), Long.MAX_VALUE, clock).decode(record(letter, value), decoded);
        if (decoded.kind() != DecodedRecord.Kind.VALUE) {
            return null;
        }
        ContentChange change = decoded.value();
        return change instanceof ContentChange.Put put
                ? put.content().id()
                : change instanceof ContentChange.Delete delete ? delete.contentId() : null;
    }

    private static ConsumerRecord<byte[], byte[]> record(DeadLetter letter, byte @Nullable [] value) {
        DeadLetter.Source source = letter.source();
        return new ConsumerRecord<>(
                source.topic(),
                Math.max(0, source.partition()),
                Math.max(0, source.offset()),
                source.timestampMillis(),
                TimestampType.CREATE_TIME,
                ConsumerRecord.NULL_SIZE,
                ConsumerRecord.NULL_SIZE,
                null,
                value,
                new RecordHeaders(),
                Optional.empty());
    }

    private SourceRows rows() {
        SourceRows source = rows;
        if (source == null) {
            throw new IllegalStateException("Rows are read only where there is a database");
        }
        return source;
    }

    private ContentRecords contents() {
        ContentRecords open = contents;
        if (open == null) {
            open = new ContentRecords(options.kafka(), options.topics().content());
            contents = open;
        }
        return open;
    }

    private static byte @Nullable [] value(@Nullable ConsumerRecord<byte[], byte[]> record) {
        return record == null ? null : record.value();
    }

    private static Headers headers(DeadLetter letter) {
        Headers headers = new RecordHeaders();
        letter.headers().forEach(header -> headers.add(header.key(), header.value()));
        return headers;
    }

    private static Headers headers(@Nullable ConsumerRecord<byte[], byte[]> record) {
        Headers headers = new RecordHeaders();
        if (record != null) {
            for (Header header : record.headers()) {
                headers.add(header);
            }
        }
        return headers;
    }

    private static String place(DeadLetter letter) {
        DeadLetter.Source source = letter.source();
        return place(source.topic(), source.partition(), source.offset());
    }

    private static String place(String topic, int partition, long offset) {
        return topic + " partition " + partition + " offset " + offset;
    }

    @Override
    public void close() throws RedriveException {
        originals.close();
        if (contents != null) {
            contents.close();
        }
        if (rows != null) {
            rows.close();
        }
    }
}
