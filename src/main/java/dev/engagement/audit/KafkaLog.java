package dev.engagement.audit;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import dev.engagement.audit.AuditOptions.Delivery;
import dev.engagement.connection.KafkaConnection;
import dev.engagement.deadletter.DeadLetter;
import dev.engagement.deadletter.DeadLetterJson;
import dev.engagement.deadletter.Reason;
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
import java.util.Properties;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.consumer.OffsetAndTimestamp;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.jspecify.annotations.Nullable;

/** The topics, by one consumer without a group, which connects when it is first asked. */
final class KafkaLog implements EventLog, AutoCloseable {

    private static final JsonFactory JSON = new JsonFactory();
    private static final Duration POLL = Duration.ofMillis(200);
    private static final Duration PATIENCE = Duration.ofSeconds(30);

    /** How far an event's record may stand before its event_ts: clocks go wrong. */
    private static final long AHEAD_MILLIS = Duration.ofDays(1).toMillis();

    /** Longer than the longest chain of attempts that a drain makes: what it has read and not answered since is lost. */
    private static final long HELD_AT_MOST_MILLIS = Duration.ofDays(1).toMillis();

    /** Letters that name no event are looked up one by one. */
    private static final int MOST_LOOKED_UP = 10_000;

    private final AuditOptions options;
    private final KafkaConnection kafka;
    private final Clock clock;
    private final Map<TopicPartition, Long> receiptsRead = new HashMap<>();
    /** Where reading them began. */
    private final Map<TopicPartition, Long> receiptsBegun = new HashMap<>();

    private @Nullable KafkaConsumer<byte[], byte[]> connected;

    KafkaLog(AuditOptions options, Clock clock) {
        this.options = options;
        this.kafka = options.kafka();
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
            Long eventId = letter.eventId();
            DeadLetter.Source source = letter.source();
            if (eventId != null) {
                if (ids.contains(eventId)) {
                    letters.add(letter.reason(), eventId);
                }
            } else if (options.eventsTopic().equals(source.topic()) && toLookUp[0] < MOST_LOOKED_UP) {
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
        return asking(partition.topic(), () -> {
            KafkaConsumer<byte[], byte[]> consumer = consumer();
            consumer.assign(List.of(partition));
            if (consumer.beginningOffsets(List.of(partition)).get(partition) > offset
                    || consumer.endOffsets(List.of(partition)).get(partition) <= offset) {
                return OptionalLong.empty();
            }
            consumer.seek(partition, offset);
            long until = System.nanoTime() + PATIENCE.toNanos();
            while (consumer.position(partition) <= offset && System.nanoTime() < until) {
                for (ConsumerRecord<byte[], byte[]> record : consumer.poll(POLL)) {
                    return record.offset() == offset ? idOf(record.key()) : OptionalLong.empty();
                }
            }
            return OptionalLong.empty();
        });
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
        return asking(topic, () -> {
            KafkaConsumer<byte[], byte[]> consumer = consumer();
            List<TopicPartition> partitions = partitions(topic);
            Map<TopicPartition, Long> times = new HashMap<>();
            partitions.forEach(partition -> times.put(partition, fromMillis));
            Map<TopicPartition, Long> beginnings = consumer.beginningOffsets(partitions);
            Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
            Map<TopicPartition, OffsetAndTimestamp> at = consumer.offsetsForTimes(times);
            Map<TopicPartition, Long> offsets = new HashMap<>();
            List<TopicPartition> cut = new ArrayList<>();
            for (TopicPartition partition : partitions) {
                OffsetAndTimestamp found = at.get(partition);
                long offset = found == null ? ends.get(partition) : found.offset();
                offsets.put(partition, offset);
                if (offset == beginnings.get(partition) && offset > 0) {
                    cut.add(partition);
                }
            }
            return new Start(offsets, cut);
        });
    }

    private static OptionalLong idOf(byte @Nullable [] key) {
        return Integers.parse(RecordKey.idOf(key));
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

    private static void receipt(ConsumerRecord<byte[], byte[]> record, Receipts each) {
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
        Map<TopicPartition, Long> committed = committed(delivery.drainGroup());
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

    private static OptionalLong textId(byte @Nullable [] key) {
        return Integers.parse(key == null ? null : new String(key, StandardCharsets.US_ASCII));
    }

    private Map<TopicPartition, Long> committed(String group) throws IOException {
        Properties properties = kafka.clientProperties();
        try (Admin admin = Admin.create(properties)) {
            Map<TopicPartition, OffsetAndMetadata> offsets = admin.listConsumerGroupOffsets(group)
                    .partitionsToOffsetAndMetadata()
                    .get(PATIENCE.toMillis(), TimeUnit.MILLISECONDS);
            Map<TopicPartition, Long> committed = new HashMap<>();
            offsets.forEach((partition, offset) -> {
                if (offset != null) {
                    committed.put(partition, offset.offset());
                }
            });
            return committed;
        } catch (ExecutionException | TimeoutException | KafkaException e) {
            throw unreachable("the offsets of the group " + group, e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw unreachable("the offsets of the group " + group, e);
        }
    }

    // ------------------------------------------------------------------------------------------------ reading

    /** Takes a record. */
    @FunctionalInterface
    private interface Each {
        void take(ConsumerRecord<byte[], byte[]> record);
    }

    /** Asks Kafka. */
    @FunctionalInterface
    private interface Question<T> {
        T ask() throws IOException;
    }

    /**
     * Reads to the end that the topic has now.
     *
     * @param from where to begin, by partition; those that are not in it from their beginning
     * @return where it ended
     */
    private Map<TopicPartition, Long> read(String topic, Map<TopicPartition, Long> from, Each each) throws IOException {
        return read(topic, from, Map.of(), each);
    }

    /** @param to where to end, by partition; those that are not in it at their end */
    private Map<TopicPartition, Long> read(
            String topic, Map<TopicPartition, Long> from, Map<TopicPartition, Long> to, Each each) throws IOException {
        return asking(topic, () -> {
            KafkaConsumer<byte[], byte[]> consumer = consumer();
            List<TopicPartition> partitions = partitions(topic);
            consumer.assign(partitions);
            Map<TopicPartition, Long> ends = new HashMap<>(consumer.endOffsets(partitions));
            ends.putAll(to);
            Map<TopicPartition, Long> beginnings = consumer.beginningOffsets(partitions);
            for (TopicPartition partition : partitions) {
                consumer.seek(partition, Math.max(from.getOrDefault(partition, 0L), beginnings.get(partition)));
            }
            List<TopicPartition> open = partitions;
            long until = System.nanoTime() + PATIENCE.toNanos();
            while (true) {
                open = open.stream()
                        .filter(partition -> consumer.position(partition) < ends.get(partition))
                        .toList();
                if (open.isEmpty()) {
                    return ends;
                }
                consumer.pause(partitions);
                consumer.resume(open);
                for (ConsumerRecord<byte[], byte[]> record : consumer.poll(POLL)) {
                    if (record.offset() < ends.get(new TopicPartition(record.topic(), record.partition()))) {
                        each.take(record);
                    }
                    until = System.nanoTime() + PATIENCE.toNanos();
                }
                if (System.nanoTime() > until) {
                    throw new IOException("Kafka at " + kafka.bootstrapServers() + " sends no more of " + topic
                            + " and has not reached its end");
                }
            }
        });
    }

    private List<TopicPartition> partitions(String topic) throws IOException {
        List<TopicPartition> partitions = consumer().partitionsFor(topic, PATIENCE).stream()
                .map(partition -> new TopicPartition(topic, partition.partition()))
                .toList();
        if (partitions.isEmpty()) {
            throw new IOException("Kafka at " + kafka.bootstrapServers() + " has no topic " + topic
                    + "; check kafka.bootstrap-servers and the names of the topics");
        }
        return partitions;
    }

    private KafkaConsumer<byte[], byte[]> consumer() {
        KafkaConsumer<byte[], byte[]> consumer = connected;
        if (consumer == null) {
            Properties properties = kafka.clientProperties();
            properties.setProperty("isolation.level", "read_committed");
            properties.setProperty("enable.auto.commit", "false");
            properties.setProperty("auto.offset.reset", "earliest");
            properties.setProperty("allow.auto.create.topics", "false");
            properties.setProperty("default.api.timeout.ms", Long.toString(PATIENCE.toMillis()));
            properties.setProperty("max.poll.records", "5000");
            consumer = new KafkaConsumer<>(properties, new ByteArrayDeserializer(), new ByteArrayDeserializer());
            connected = consumer;
        }
        return consumer;
    }

    private <T> T asking(String topic, Question<T> question) throws IOException {
        try {
            return question.ask();
        } catch (KafkaException e) {
            throw unreachable("the topic " + topic, e);
        }
    }

    private IOException unreachable(String what, Exception e) {
        Throwable cause = e instanceof ExecutionException && e.getCause() != null ? e.getCause() : e;
        return new IOException(
                "Kafka at " + kafka.bootstrapServers() + " does not answer what " + what + " holds ("
                        + cause.getClass().getSimpleName() + ": " + cause.getMessage()
                        + "). Check kafka.bootstrap-servers, and that this client may read it",
                cause);
    }

    @Override
    public void close() {
        if (connected != null) {
            connected.close(Duration.ofSeconds(5));
        }
    }
}
