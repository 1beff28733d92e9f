package dev.engagement.ingest;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import dev.engagement.event.ContentChange;
import dev.engagement.event.EngagementEvent;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.LocalDateTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.EdgeCasesMode;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.jspecify.annotations.Nullable;

/**
 * Whatever bytes arrive, a decoder answers with exactly one outcome and never throws; and wherever the rules are clear,
 * it answers what reading the whole tree gives.
 */
class DecoderFuzzProperties {

    /** Large values take their time and hold nothing that the small ones do not. */
    private static final List<DebeziumCase> CASES = DebeziumCase.all().stream()
            .filter(c -> c.value() != null && c.value().length < 20_000)
            .toList();

    private final EventDecoder eventDecoder =
            new EventDecoder(DebeziumCase.EVENTS_TOPIC, DebeziumCase.MAX_RECORD_BYTES, Clock.systemUTC());
    private final ContentDecoder contentDecoder =
            new ContentDecoder(DebeziumCase.CONTENT_TOPIC, DebeziumCase.MAX_RECORD_BYTES, Clock.systemUTC());
    private final DecodedRecord<EngagementEvent> event = new DecodedRecord<>();
    private final DecodedRecord<ContentChange> content = new DecodedRecord<>();

    /** What may happen to bytes on their way. */
    enum Damage {
        FLIP_BIT,
        SET_BYTE,
        DELETE,
        INSERT,
        TRUNCATE,
        DUPLICATE
    }

    /**
     * One damage.
     *
     * @param where position as a fraction of the length, in millionths
     * @param length of what is deleted or duplicated
     * @param bits which bit, or which byte
     */
    record Mutation(Damage damage, int where, int length, byte bits) {

        byte[] apply(byte[] bytes) {
            int at = (int) ((long) bytes.length * where / 1_000_000);
            int end = Math.min(bytes.length, at + length);
            byte[] out = bytes.clone();
            return switch (damage) {
                case FLIP_BIT -> {
                    if (at < out.length) {
                        out[at] ^= (byte) (1 << (bits & 7));
                    }
                    yield out;
                }
                case SET_BYTE -> {
                    if (at < out.length) {
                        out[at] = bits;
                    }
                    yield out;
                }
                case DELETE -> join(bytes, at, new byte[0], end);
                case INSERT -> join(bytes, at, new byte[] {bits}, at);
                case TRUNCATE -> Arrays.copyOf(bytes, at);
                case DUPLICATE -> join(bytes, end, Arrays.copyOfRange(bytes, at, end), end);
            };
        }

        private static byte[] join(byte[] bytes, int head, byte[] middle, int tail) {
            byte[] out = new byte[head + middle.length + bytes.length - tail];
            System.arraycopy(bytes, 0, out, 0, head);
            System.arraycopy(middle, 0, out, head, middle.length);
            System.arraycopy(bytes, tail, out, head + middle.length, bytes.length - tail);
            return out;
        }
    }

    @Provide
    Arbitrary<DebeziumCase> cases() {
        return Arbitraries.of(CASES);
    }

    @Provide
    Arbitrary<List<Mutation>> damages() {
        Arbitrary<Byte> telling = Arbitraries.of(
                        List.of('"', '\\', '{', '}', '[', ']', ',', ':', '0', '9', '-', '.', 'e', 'n', 'u', ' ', '\n'))
                .map(c -> (byte) c.charValue());
        return Combinators.combine(
                        Arbitraries.of(Damage.class),
                        Arbitraries.integers().between(0, 1_000_000).withoutEdgeCases(),
                        Arbitraries.integers().between(1, 60).withoutEdgeCases(),
                        Arbitraries.oneOf(telling, Arbitraries.bytes()))
                .as(Mutation::new)
                .list()
                .ofMinSize(1)
                .ofMaxSize(3);
    }

    @Property(tries = 10_000, edgeCases = EdgeCasesMode.NONE)
    void damaged_values_have_one_outcome_and_the_one_that_the_tree_gives(
            @ForAll("cases") DebeziumCase c, @ForAll("damages") List<Mutation> mutations) {
        byte[] value = Objects.requireNonNull(c.value());
        for (Mutation mutation : mutations) {
            value = mutation.apply(value);
        }
        agree(c.onEvents(), c.key(), value);
    }

    @Property(tries = 2_000)
    void damaged_keys_of_tombstones_have_one_outcome_and_the_one_that_the_tree_gives(
            @ForAll("keys") byte[] key, @ForAll("damages") List<Mutation> mutations) {
        byte[] damaged = key;
        for (Mutation mutation : mutations) {
            damaged = mutation.apply(damaged);
        }
        agree(false, damaged, null);
    }

    @Provide
    Arbitrary<byte[]> keys() {
        return Arbitraries.of(DebeziumCase.all().stream()
                .filter(c -> !c.onEvents())
                .map(DebeziumCase::key)
                .filter(Objects::nonNull)
                .toList());
    }

    @Property(tries = 2_000)
    void any_bytes_have_one_outcome(@ForAll boolean events, @ForAll byte[] value) {
        agree(events, null, value);
    }

    @Property(tries = 2_000, edgeCases = EdgeCasesMode.NONE)
    void valid_events_are_read_as_the_tree_reads_them(@ForAll("eventValues") String value) {
        Outcome outcome = agree(true, null, value.getBytes(StandardCharsets.UTF_8));
        assertThat(outcome.kind()).isEqualTo(Outcome.ACCEPTED);
    }

    @Property(tries = 2_000, edgeCases = EdgeCasesMode.NONE)
    void valid_contents_are_read_as_the_tree_reads_them(@ForAll("contentValues") String value) {
        Outcome outcome = agree(false, null, value.getBytes(StandardCharsets.UTF_8));
        assertThat(outcome.kind()).isEqualTo(Outcome.ACCEPTED);
    }

    /** Decodes twice and compares with the tree; returns what the decoder said. */
    private Outcome agree(boolean events, byte @Nullable [] key, byte @Nullable [] value) {
        byte[] kept = value == null ? null : value.clone();
        DecodedRecord<?> decoded = decode(events, key, value);
        Outcome outcome = Outcome.of(decoded);
        if (decoded.kind() == DecodedRecord.Kind.LETTER) {
            assertThat(decoded.letter().payload()).isEqualTo(kept);
            assertThat(decoded.letter().error()).isNotBlank();
        }
        assertThat(value).isEqualTo(kept);
        assertThat(Outcome.of(decode(events, key, value))).isEqualTo(outcome);
        Object rawPayload = outcome.fields().get("raw_payload");
        if (rawPayload != null) {
            assertThat(isOneJsonValue((String) rawPayload)).as("%s", rawPayload).isTrue();
        }

        TreeOracle.Verdict verdict = TreeOracle.judge(events, key, value);
        if (verdict.specified()) {
            List<String> open = verdict.unspecifiedFields();
            Outcome expected = verdict.outcome();
            Outcome actual = outcome.without(open);
            if (!Outcome.DEAD_LETTER.equals(expected.kind()) || expected.eventId() == null) {
                actual = new Outcome(actual.kind(), actual.reason(), expected.eventId(), actual.fields());
            }
            assertThat(actual)
                    .as(() -> value == null ? "tombstone" : new String(value, StandardCharsets.UTF_8))
                    .isEqualTo(expected.without(open));
            if (open.contains("raw_payload") && outcome.fields().containsKey("raw_payload")) {
                assertThat(tree(outcome.fields().get("raw_payload")))
                        .isEqualTo(tree(expected.fields().get("raw_payload")));
            }
        }
        return outcome;
    }

    private DecodedRecord<?> decode(boolean events, byte @Nullable [] key, byte @Nullable [] value) {
        String topic = events ? DebeziumCase.EVENTS_TOPIC : DebeziumCase.CONTENT_TOPIC;
        ConsumerRecord<byte[], byte[]> record = DebeziumCase.record(topic, key, value, new RecordHeaders(), 0, 5, 9);
        if (events) {
            eventDecoder.decode(record, event);
            return event;
        }
        contentDecoder.decode(record, content);
        return content;
    }

    private static boolean isOneJsonValue(String text) {
        try {
            return !TreeOracle.JSON.readTree(text).isMissingNode();
        } catch (JsonProcessingException e) {
            return false;
        }
    }

    private static @Nullable JsonNode tree(@Nullable Object text) {
        try {
            return text == null ? null : TreeOracle.JSON.readTree((String) text);
        } catch (JsonProcessingException e) {
            throw new AssertionError(text.toString(), e);
        }
    }

    // ---- valid envelopes, as JSON text

    @Provide
    Arbitrary<String> eventValues() {
        return Arbitraries.randomValue(random -> new Writer(random).event());
    }

    @Provide
    Arbitrary<String> contentValues() {
        return Arbitraries.randomValue(random -> new Writer(random).content());
    }

    /** Writes valid envelopes: any field order, any white space, unknown fields, any way to escape a text. */
    private static final class Writer {

        private static final long FIRST_SECOND = LocalDateTime.of(1, 1, 2, 0, 0).toEpochSecond(ZoneOffset.UTC);
        private static final long LAST_SECOND =
                LocalDateTime.of(9999, 12, 30, 23, 59, 59).toEpochSecond(ZoneOffset.UTC);
        private static final List<String> UNKNOWN_NAMES =
                List.of("x", "ID", "op_", "après", "📺", "idx", "opp", "afte", "", "content", "a\"b\\");
        private static final List<String> UNKNOWN_VALUES = List.of(
                "null",
                "true",
                "-0.5E-7",
                "[]",
                "{}",
                "[1,{\"id\":2,\"op\":\"d\"}]",
                "{\"after\":{\"id\":3},\"payload\":{}}",
                "\"\\\"}\"");

        private final Random random;

        Writer(Random random) {
            this.random = random;
        }

        String event() {
            Map<String, String> row = new LinkedHashMap<>();
            row.put("id", number());
            row.put("content_id", id());
            row.put("event_ts", time());
            maybe(row, "user_id", this::id);
            maybe(row, "event_type", this::text);
            maybe(row, "duration_ms", () -> String.valueOf(random.nextInt(Integer.MAX_VALUE)));
            maybe(row, "device", this::text);
            maybe(row, "raw_payload", this::payload);
            return envelope(row, oneOf("c", "r"));
        }

        String content() {
            Map<String, String> row = new LinkedHashMap<>();
            String id = id();
            row.put("id", id.equals("\"\"") ? number() : id);
            maybe(row, "slug", this::text);
            maybe(row, "title", () -> random.nextInt(8) == 0 ? "\"__debezium_unavailable_value\"" : text());
            maybe(row, "content_type", this::text);
            maybe(row, "length_seconds", () -> String.valueOf(random.nextInt()));
            maybe(row, "publish_ts", () -> random.nextInt(8) == 0 ? text() : time());
            return envelope(row, oneOf("c", "r", "u"));
        }

        private String envelope(Map<String, String> row, String op) {
            Map<String, String> source = new LinkedHashMap<>();
            maybe(source, "ts_ms", () -> String.valueOf(random.nextInt() & 0x7fffffffL));
            maybe(source, "lsn", this::number);
            maybe(source, "schema", () -> "\"public\"");
            Map<String, String> fields = new LinkedHashMap<>();
            fields.put("after", object(row));
            fields.put("op", quoted(op));
            maybe(fields, "before", () -> object(new LinkedHashMap<>(row)));
            maybe(fields, "source", () -> object(source));
            maybe(fields, "ts_ms", this::number);
            maybe(fields, "transaction", () -> "{\"id\":\"7:7\",\"total_order\":1}");
            String bare = object(fields);
            if (random.nextBoolean()) {
                return bare;
            }
            Map<String, String> wrapper = new LinkedHashMap<>();
            wrapper.put("payload", bare);
            wrapper.put("schema", oneOf("null", "{}", "{\"type\":\"struct\",\"fields\":[{\"field\":\"op\"}]}"));
            return object(wrapper);
        }

        private void maybe(Map<String, String> fields, String name, Supplier<String> value) {
            switch (random.nextInt(8)) {
                case 0 -> {}
                case 1 -> fields.put(name, "null");
                default -> fields.put(name, value.get());
            }
        }

        private String object(Map<String, String> fields) {
            for (int i = random.nextInt(3); i > 0; i--) {
                fields.put(oneOf(UNKNOWN_NAMES), oneOf(UNKNOWN_VALUES));
            }
            List<String> names = new ArrayList<>(fields.keySet());
            Collections.shuffle(names, random);
            String space = oneOf("", "", " ", "\r\n\t");
            return names.stream()
                    .map(name -> quoted(name) + space + ':' + space + fields.get(name))
                    .collect(Collectors.joining(space + ',' + space, '{' + space, space + '}'));
        }

        private String number() {
            return String.valueOf(random.nextLong() >> random.nextInt(64));
        }

        private String id() {
            return random.nextInt(3) == 0 ? number() : text();
        }

        private String text() {
            StringBuilder text = new StringBuilder();
            int kind = random.nextInt(4);
            for (int i = random.nextInt(random.nextInt(10) == 0 ? 400 : 20); i > 0; i--) {
                int c =
                        switch (kind) {
                            case 0 -> ' ' + random.nextInt(95);
                            case 1 -> random.nextInt(0x250);
                            case 2 -> random.nextInt(0xD800);
                            default -> 0x10000 + random.nextInt(0x100000);
                        };
                text.appendCodePoint(c);
            }
            return quoted(text.toString());
        }

        /** A text in JSON: plain, or with every character escaped. */
        private String quoted(String text) {
            if (random.nextInt(6) > 0) {
                return JsonNodeFactory.instance.textNode(text).toString();
            }
            StringBuilder escaped = new StringBuilder("\"");
            text.chars().forEach(c -> escaped.append(String.format("\\u%04x", c)));
            return escaped.append('"').toString();
        }

        private String time() {
            long range = LAST_SECOND - FIRST_SECOND;
            LocalDateTime time =
                    LocalDateTime.ofEpochSecond(FIRST_SECOND + (long) (random.nextDouble() * range), 0, ZoneOffset.UTC);
            StringBuilder text = new StringBuilder(String.format(
                    "\"%04d-%02d-%02dT%02d:%02d:%02d",
                    time.getYear(),
                    time.getMonthValue(),
                    time.getDayOfMonth(),
                    time.getHour(),
                    time.getMinute(),
                    time.getSecond()));
            int digits = random.nextInt(10);
            if (digits > 0) {
                text.append('.');
            }
            for (int i = 0; i < digits; i++) {
                text.append(random.nextInt(10));
            }
            String offset = oneOf("+", "-") + String.format("%02d:", random.nextInt(16)) + oneOf("00", "30", "45");
            return text.append(random.nextBoolean() ? "Z" : offset).append('"').toString();
        }

        /** A JSON text within a text, or an object or array as a transform would expand it. */
        private String payload() {
            String array = "[" + scalar() + ", " + scalar() + "]";
            Map<String, String> fields = new LinkedHashMap<>();
            maybe(fields, "v", this::scalar);
            maybe(fields, "w", () -> array);
            String object = object(fields);
            return switch (random.nextInt(5)) {
                case 0 -> array;
                case 1 -> object;
                case 2 -> quoted(array);
                case 3 -> quoted(scalar());
                default -> quoted(object);
            };
        }

        private String scalar() {
            return switch (random.nextInt(4)) {
                case 0 -> text();
                case 1 -> number();
                case 2 -> String.valueOf(random.nextGaussian());
                default -> oneOf("null", "true", "false", "0", "-1.50e+3");
            };
        }

        private String oneOf(String... choices) {
            return choices[random.nextInt(choices.length)];
        }

        private String oneOf(List<String> choices) {
            return choices.get(random.nextInt(choices.size()));
        }
    }
}
