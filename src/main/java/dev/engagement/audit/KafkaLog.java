package dev.engagement.audit;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import dev.engagement.audit.AuditOptions.Delivery;
import dev.engagement.connection.TopicReader;
import dev.engagement.connection.TopicReader.Each;
import dev.engagement.deadletter.DeadLetter;
import dev.engagement.deadletter.DeadLetterJson;
import dev.engagement.deadletter.Reason;
import dev.engagement.event.EventId;
import dev.engagement.event.EventIdKind;
import dev.engagement.event.EventIdNumbers;
import dev.engagement.event.Integers;
import dev.engagement.ingest.RecordKey;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;

/** The topics, by one reader. */
final class KafkaLog implements EventLog, AutoCloseable {

    private static final JsonFactory JSON = new JsonFactory();

    /** How far an event's record may stand before its event_ts: clocks go wrong. */
    private static final long AHEAD_MILLIS = Duration.ofDays(1).toMillis();

    /** Longer than the longest chain of attempts that a drain makes: what it has read and not answered since is lost. */
    private static final long HELD_AT_MOST_MILLIS = Duration.ofDays(1).toMillis();

    /** Letters that name no event are looked up one by one. */
    private static final int MAX_LOOKED_UP = 10_000;

    private final AuditOptions options;
    private final TopicReader reader;
    private final Clock clock;
    private final EventIdNumbers numbers;
    private final Map<TopicPartition, Long> receiptsRead = new HashMap<>();
    /** Where reading them began. */
    private final Map<TopicPartition, Long> receiptsBegun = new HashMap<>();

    KafkaLog(AuditOptions options, Clock clock, EventIdNumbers numbers) {
        this.numbers = numbers;
        this.options = options;
        this.reader = TopicReader.open(options.kafka(), Map.of("max.poll.records", "5000"));
        this.clock = clock;
    }

    // ------------------------------------------------------------------------------------------------ dead letters

    @Override
    public Letters letters(IdSet ids) throws IOException {
        Letters letters = Letters.none();
        Map<TopicPartition, Map<Long, Reason>> withoutId = new HashMap<>();
        int[] toLookUp = {0};
        read(options.deadLettersTopic(), Map.of(), record -> {
            DeadLetter letter = head(record.value());
            if (letter == null) {
                return;
            }
            EventId eventId = letter.eventId();
            DeadLetter.Source source = letter.source();
            if (eventId != null) {
                OptionalLong number = numbers.find(eventId);
                if (number.isPresent() && ids.contains(number.getAsLong())) {
                    letters.add(letter.reason(), number.getAsLong());
                }
            } else if (options.eventsTopic().equals(source.topic()) && toLookUp[0] < MAX_LOOKED_UP) {
                toLookUp[0]++;
                withoutId
                        .computeIfAbsent(new TopicPartition(source.topic(), source.partition()), any -> new HashMap<>())
                        .put(source.offset(), letter.reason());
            }
        });
        // What could not be decoded has its id in the record's key all the same.
        for (Map.Entry<TopicPartition, Map<Long, Reason>> each : withoutId.entrySet()) {
            for (Map.Entry<Long, Reason> letter : each.getValue().entrySet()) {
                OptionalLong id = idAt(each.getKey(), letter.getKey());
                if (id.isPresent() && ids.contains(id.getAsLong())) {
                    letters.add(letter.getValue(), id.getAsLong());
                }
            }
        }
        return letters;
    }

    private OptionalLong idAt(TopicPartition partition, long offset) throws IOException {
        ConsumerRecord<byte[], byte[]> record = reader.at(partition.topic(), partition.partition(), offset);
        return record == null ? OptionalLong.empty() : idOf(record.key());
    }

    /** Null for what is no letter, or one of a later version: it explains nothing. */
    private static @Nullable DeadLetter head(byte @Nullable [] value) {
        try {
            return value == null ? null : DeadLetterJson.readHead(value);
        } catch (DeadLetterJson.UnreadableLetterException e) {
            return null;
        }
    }

    // ------------------------------------------------------------------------------------------------ captured rows

    @Override
    public Captured captured(IdSet ids, Range range) throws IOException {
        IdSet seen = new IdSet();
        IdSet inserted = new IdSet();
        Start start = start(options.eventsTopic(), millisBefore(range));
        Map<TopicPartition, Long> first = new HashMap<>();
        read(options.eventsTopic(), start.offsets, record -> {
            first.putIfAbsent(new TopicPartition(record.topic(), record.partition()), record.timestamp());
            OptionalLong id = idOf(record.key());
            if (id.isPresent() && ids.contains(id.getAsLong())) {
                seen.add(id.getAsLong());
                if ("c".equals(operation(record.value()))) {
                    inserted.add(id.getAsLong());
                }
            }
        });
        long reachesBackTo = Long.MIN_VALUE;
        for (TopicPartition cut : start.cut) {
            reachesBackTo = Math.max(reachesBackTo, first.getOrDefault(cut, clock.millis()) * 1_000);
        }
        return new Captured(seen, snapshots(seen, inserted), reachesBackTo);
    }

    private static IdSet snapshots(IdSet seen, IdSet inserted) {
        return seen.where(id -> !inserted.contains(id));
    }

    /**
     * Where to begin.
     *
     * @param offsets of each partition
     * @param cut partitions that once had more than is read of them
     */
    private record Start(Map<TopicPartition, Long> offsets, List<TopicPartition> cut) {}

    private Start start(String topic, long fromMillis) throws IOException {
        require(topic);
        Map<TopicPartition, Long> offsets = reader.since(topic, fromMillis);
        List<TopicPartition> cut = new ArrayList<>();
        reader.beginnings(topic).forEach((partition, first) -> {
            // Not only if it is that one: more may have expired since the offset was asked for.
            if (first > 0 && first >= offsets.getOrDefault(partition, 0L)) {
                cut.add(partition);
            }
        });
        return new Start(offsets, cut);
    }

    private OptionalLong idOf(byte @Nullable [] key) {
        return find(RecordKey.idOf(key));
    }

    /** Of a text that is no id as well: the source may have it, and a letter then says so. */
    private OptionalLong find(@Nullable String id) {
        return numbers.kind() == EventIdKind.TEXT && id != null ? numbers.find(EventId.of(id)) : Integers.parse(id);
    }

    /** {@code op} of an envelope, with or without the Connect wrapper; null if there is none to be read. */
    private static @Nullable String operation(byte @Nullable [] value) {
        if (value == null) {
            return null;
        }
        try (JsonParser parser = JSON.createParser(value)) {
            return parser.nextToken() == JsonToken.START_OBJECT ? operation(parser) : null;
        } catch (IOException e) {
            // It became an UNDECODABLE letter; here it says that the row was captured, and no more.
            return null;
        }
    }

    private static @Nullable String operation(JsonParser parser) throws IOException {
        for (String name = parser.nextFieldName(); name != null; name = parser.nextFieldName()) {
            JsonToken token = parser.nextToken();
            if (name.equals("op")) {
                return parser.getText();
            }
            if (name.equals("payload") && token == JsonToken.START_OBJECT) {
                return operation(parser);
            }
            parser.skipChildren();
        }
        return null;
    }

    // ------------------------------------------------------------------------------------------------ delivery

    @Override
    public void receipts(Range range, Receipts each) throws IOException {
        String topic = delivery().receiptsTopic();
        if (receiptsRead.isEmpty()) {
            receiptsBegun.putAll(start(topic, millisBefore(range)).offsets);
            receiptsRead.putAll(receiptsBegun);
        }
        receiptsRead.putAll(read(topic, receiptsRead, Map.of(), record -> receipt(record, each)));
    }

    @Override
    public void earlierReceipts(Receipts each) throws IOException {
        var unused = read(delivery().receiptsTopic(), Map.of(), receiptsBegun, record -> receipt(record, each));
    }

    private void receipt(ConsumerRecord<byte[], byte[]> record, Receipts each) {
        OptionalLong id = textId(record.key());
        if (id.isPresent()) {
            each.take(id.getAsLong(), record.value() != null);
        }
    }

    private static long millisBefore(Range range) {
        return Math.max(0, Math.floorDiv(range.fromMicros(), 1_000L) - AHEAD_MILLIS);
    }

    @Override
    public Retries retries(IdSet ids) throws IOException {
        Delivery delivery = delivery();
        Map<TopicPartition, Long> committed = reader.committed(delivery.drainGroup());
        IdSet waiting = new IdSet();
        IdSet held = new IdSet();
        long since = clock.millis() - HELD_AT_MOST_MILLIS;
        read(delivery.retryTopic(), Map.of(), record -> {
            OptionalLong id = textId(record.key());
            if (id.isPresent() && ids.contains(id.getAsLong())) {
                long read = committed.getOrDefault(new TopicPartition(record.topic(), record.partition()), 0L);
                if (record.offset() >= read) {
                    waiting.add(id.getAsLong());
                } else if (record.timestamp() >= since) {
                    held.add(id.getAsLong());
                }
            }
        });
        return new Retries(waiting, held);
    }

    private Delivery delivery() {
        Delivery delivery = options.delivery();
        if (delivery == null) {
            throw new IllegalStateException("Delivery is not compared");
        }
        return delivery;
    }

    private OptionalLong textId(byte @Nullable [] key) {
        return find(key == null ? null : new String(key, StandardCharsets.US_ASCII));
    }

    // ------------------------------------------------------------------------------------------------ reading

    private Map<TopicPartition, Long> read(String topic, Map<TopicPartition, Long> from, Each<RuntimeException> each)
            throws IOException {
        return read(topic, from, Map.of(), each);
    }

    private Map<TopicPartition, Long> read(
            String topic, Map<TopicPartition, Long> from, Map<TopicPartition, Long> to, Each<RuntimeException> each)
            throws IOException {
        require(topic);
        return reader.read(topic, from, to, each);
    }

    private void require(String topic) throws IOException {
        if (reader.partitions(topic).isEmpty()) {
            throw new IOException("Kafka at " + options.kafka().bootstrapServers() + " has no topic " + topic
                    + "; check kafka.bootstrap-servers and the names of the topics");
        }
    }

    @Override
    public void close() {
        reader.close();
    }
}
