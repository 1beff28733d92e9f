package dev.engagement.ingest;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URISyntaxException;
import java.net.URL;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Stream;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.record.TimestampType;
import org.jspecify.annotations.Nullable;

/**
 * One case of the corpus under {@code src/test/resources/debezium}: a Kafka record and the outcome it must have. The
 * {@code README.md} there says how a case is written.
 *
 * @param name file name without its ending
 * @param value the Kafka value, or null for a tombstone
 * @param expected the parsed {@code .expected.json}
 */
record DebeziumCase(String name, byte @Nullable [] value, JsonNode expected) {

    static final String EVENTS_TOPIC = "dbserver1.public.engagement_events";
    static final String CONTENT_TOPIC = "dbserver1.public.content";
    static final int MAX_RECORD_BYTES = 1 << 20;

    private static final String EXPECTED = ".expected.json";
    private static final ObjectMapper JSON = new ObjectMapper();

    DebeziumCase {
        Objects.requireNonNull(expected.get("topic"), name + ": topic is missing");
        Objects.requireNonNull(expected.get("outcome"), name + ": outcome is missing");
    }

    /** The folder of the corpus. */
    static Path folder() {
        URL url = Objects.requireNonNull(
                DebeziumCase.class.getResource("/debezium"), "debezium is not on the class path");
        try {
            return Path.of(url.toURI());
        } catch (URISyntaxException e) {
            throw new IllegalStateException(url.toString(), e);
        }
    }

    /** Every case, by name. */
    static List<DebeziumCase> all() {
        try (Stream<Path> files = Files.list(folder())) {
            return files.map(file -> file.getFileName().toString())
                    .filter(file -> file.endsWith(EXPECTED))
                    .map(file -> file.substring(0, file.length() - EXPECTED.length()))
                    .sorted()
                    .map(DebeziumCase::read)
                    .toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static DebeziumCase read(String name) {
        try {
            JsonNode expected = JSON.readTree(Files.readAllBytes(folder().resolve(name + EXPECTED)));
            Path file = folder().resolve(name + ".json");
            byte[] value = Files.exists(file) ? Files.readAllBytes(file) : null;
            return new DebeziumCase(
                    name, value == null ? null : Fill.of(expected, value).into(value), expected);
        } catch (IOException e) {
            throw new UncheckedIOException(name, e);
        }
    }

    boolean onEvents() {
        return topic().equals(EVENTS_TOPIC);
    }

    String topic() {
        String topic = expected.get("topic").textValue();
        return switch (topic) {
            case "events" -> EVENTS_TOPIC;
            case "content" -> CONTENT_TOPIC;
            default -> throw new IllegalArgumentException(name + ": no such topic: " + topic);
        };
    }

    /** {@code accepted}, {@code ignored} or {@code dead-letter}. */
    String outcome() {
        return expected.get("outcome").textValue();
    }

    byte @Nullable [] key() {
        JsonNode key = expected.path("key");
        return key.isTextual() ? key.textValue().getBytes(StandardCharsets.UTF_8) : null;
    }

    /** What a text of {@code expected} says once the generated part of the value is in it. */
    String filled(String text) {
        return value == null ? text : Fill.of(expected, fileBytes()).into(text);
    }

    private byte[] fileBytes() {
        try {
            return Files.readAllBytes(folder().resolve(name + ".json"));
        } catch (IOException e) {
            throw new UncheckedIOException(name, e);
        }
    }

    /** The record as a consumer would hand it over. */
    ConsumerRecord<byte[], byte[]> record(int partition, long offset, long timestampMillis) {
        RecordHeaders headers = new RecordHeaders();
        headers.add("corpus-case", name.getBytes(StandardCharsets.UTF_8));
        headers.add("corpus-empty", null);
        expected.path("headers")
                .properties()
                .forEach(h -> headers.add(h.getKey(), h.getValue().textValue().getBytes(StandardCharsets.UTF_8)));
        return record(topic(), key(), value, headers, partition, offset, timestampMillis);
    }

    /** A record of any key and value; both may be null, as in Kafka. */
    @SuppressWarnings("NullAway") // Kafka's types do not say that key and value may be null.
    static ConsumerRecord<byte[], byte[]> record(
            String topic,
            byte @Nullable [] key,
            byte @Nullable [] value,
            RecordHeaders headers,
            int partition,
            long offset,
            long timestampMillis) {
        return new ConsumerRecord<>(
                topic,
                partition,
                offset,
                timestampMillis,
                TimestampType.CREATE_TIME,
                key == null ? -1 : key.length,
                value == null ? -1 : value.length,
                key,
                value,
                headers,
                Optional.empty());
    }

    @Override
    public String toString() {
        return name;
    }

    /** A value too large to commit: the file holds {@code marker} where {@code fill}, repeated, belongs. */
    private record Fill(String marker, String repeated) {

        static Fill of(JsonNode expected, byte[] template) {
            JsonNode generate = expected.get("generate");
            if (generate == null) {
                return new Fill("", "");
            }
            String marker = generate.get("marker").textValue();
            String fill = generate.get("fill").textValue();
            int times = generate.has("times")
                    ? generate.get("times").intValue()
                    : generate.get("valueBytes").intValue()
                            - (template.length - marker.getBytes(StandardCharsets.UTF_8).length);
            return new Fill(marker, fill.repeat(times));
        }

        byte[] into(byte[] template) {
            return marker.isEmpty()
                    ? template
                    : into(new String(template, StandardCharsets.UTF_8)).getBytes(StandardCharsets.UTF_8);
        }

        String into(String text) {
            return marker.isEmpty() ? text : text.replace(marker, repeated);
        }
    }
}
