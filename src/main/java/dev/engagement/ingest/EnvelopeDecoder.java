package dev.engagement.ingest;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonFactoryBuilder;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.core.util.BufferRecycler;
import com.fasterxml.jackson.core.util.JsonRecyclerPools;
import com.fasterxml.jackson.core.util.RecyclerPool;
import dev.engagement.deadletter.DeadLetter;
import dev.engagement.deadletter.Reason;
import dev.engagement.event.EnvelopeJson;
import dev.engagement.event.EventId;
import dev.engagement.event.JsonText;
import dev.engagement.event.Timestamps;
import java.io.IOException;
import java.time.Clock;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.header.Header;
import org.jspecify.annotations.Nullable;

/**
 * Reads a Debezium envelope once, front to back, without a tree: with or without the Connect wrapper
 * ({@code schema}/{@code payload}), fields in any order, unknown fields skipped, the last of a repeated field counts. What
 * a schema registry's clients wrote is read by the same rules, as tokens of JSON; there a record without {@code op} and
 * {@code after} is the row itself, as it is inserted, unless Debezium's {@code __op} or {@code __deleted} says otherwise.
 *
 * <p>A subclass keeps the row's fields as they pass and judges them at the end, because {@code op}, which decides whether
 * they matter, may stand behind them. A field that is wrong is only noted: a bad row in an ignored envelope is ignored.
 *
 * @param <T> what a good record holds
 */
abstract class EnvelopeDecoder<T> implements Decoder<T> {

    /** Stage name in dead letters. */
    static final String STAGE = "decode";

    private final JsonFactory json = factory(new OwnRecycler());

    private static final JsonFactory KEYS = factory(JsonRecyclerPools.defaultPool());

    private static JsonFactory factory(RecyclerPool<BufferRecycler> recyclers) {
        return new JsonFactoryBuilder()
                .recyclerPool(recyclers)
                // The names come from outside: a run of colliding ones must not turn into an exception.
                .disable(JsonFactory.Feature.FAIL_ON_SYMBOL_HASH_OVERFLOW)
                .disable(JsonFactory.Feature.INTERN_FIELD_NAMES)
                .disable(StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION)
                // UTF-8 and nothing else: a guess at UTF-16 would break every byte offset.
                .disable(JsonFactory.Feature.CHARSET_DETECTION)
                // Skipped fields are never converted: the size of the record is limit enough.
                .streamReadConstraints(StreamReadConstraints.builder()
                        .maxNumberLength(Integer.MAX_VALUE)
                        .maxNameLength(Integer.MAX_VALUE)
                        .build())
                .build();
    }

    /** The buffers of the one parser that a decoder has open at a time: nothing to look up, nothing to lock. */
    private static final class OwnRecycler implements RecyclerPool<BufferRecycler> {
        private static final long serialVersionUID = 1L;

        private final transient BufferRecycler recycler = new BufferRecycler();

        @Override
        public BufferRecycler acquirePooled() {
            return recycler;
        }

        @Override
        public void releasePooled(BufferRecycler released) {}
    }

    private static final byte[] NO_BYTES = {};

    /** Fields of the frame that matter, of an envelope and of a row without one. */
    private static final Set<String> FRAME =
            Set.of("op", "after", "before", "source", "ts_ms", "__op", "__deleted", "__source_ts_ms");

    private final String topic;
    private final long maxRecordBytes;
    private final Clock clock;
    private final RecordFormat format;

    /** Of the values and of the keys; null where nothing is asked of a schema registry. */
    private final @Nullable RegisteredValues values;

    private final @Nullable RegisteredValues keys;

    /** Kinds of envelope by their {@code op}. */
    enum Op {
        CREATE,
        READ,
        UPDATE,
        DELETE,
        TRUNCATE,
        MESSAGE
    }

    /** What one envelope said about its frame; the row is the subclass's. */
    private @Nullable Op op;

    private @Nullable String opProblem;
    private boolean hasAfter;
    private boolean hasBefore;
    private long committedAtMillis;

    /** First rule that the row breaks, by field, so that a repeated field can take it back. */
    private int badFields;

    private final String[] problems = new String[32];

    /** Whether texts of this value may hold half of a surrogate pair. */
    private boolean checkTexts;

    /** The value's bytes while it is being read: nested JSON is cut out of them verbatim. */
    private byte[] bytes = NO_BYTES;

    /** @param columns names of the row's fields that the subclass reads */
    EnvelopeDecoder(String topic, long maxRecordBytes, Clock clock, RecordFormat format, Set<String> columns) {
        this.topic = topic;
        this.maxRecordBytes = maxRecordBytes;
        this.clock = clock;
        this.format = format;
        SchemaLookup schemas = format.schemas();
        if (schemas == null) {
            values = null;
            keys = null;
        } else {
            Set<String> wanted = new HashSet<>(columns);
            wanted.addAll(FRAME);
            values = new RegisteredValues(format.wire(), schemas, wanted, json);
            keys = new RegisteredValues(format.wire(), schemas, Set.of("id"), KEYS);
        }
    }

    @Override
    public final void decode(ConsumerRecord<byte[], byte[]> record, DecodedRecord<T> out) {
        byte[] value = record.value();
        if (value == null) {
            tombstone(record, out);
            return;
        }
        if (value.length > maxRecordBytes) {
            reject(
                    record,
                    Reason.OVERSIZE,
                    "the value has " + value.length + " bytes, more than ingest.max-record-bytes (" + maxRecordBytes
                            + ")",
                    null,
                    out);
            return;
        }
        clearEnvelope();
        String problem = WireFormat.isFramed(value) && format.mayBeFramed() ? readFramed(value) : readText(value);
        if (problem != null) {
            undecodable(record, problem, out);
        } else {
            judgeValue(record, out);
        }
    }

    /** Reads the value's object; the parser stands on its first brace and must be left on its last one. */
    void readValue(JsonParser parser) throws IOException {
        readEnvelope(parser, true);
    }

    /** Says what a readable value is. */
    void judgeValue(ConsumerRecord<byte[], byte[]> record, DecodedRecord<T> out) {
        if (opProblem != null) {
            undecodable(record, opProblem, out);
        } else if (op == null) {
            undecodable(record, "the envelope has no op", out);
        } else {
            judge(record, op, out);
        }
    }

    /** @return why it cannot be read, or null */
    private @Nullable String readText(byte[] value) {
        if (format.isFramedOnly()) {
            return "the value does not begin with a schema registry's magic byte; ingest.format is registry, with auto JSON"
                    + " would be read too";
        }
        JsonText.Encoding encoding = JsonText.scan(value);
        if (encoding == JsonText.Encoding.BROKEN) {
            return "the value is not UTF-8";
        }
        checkTexts = encoding == JsonText.Encoding.SURROGATE_ESCAPES;
        bytes = value;
        try (JsonParser parser = json.createParser(value)) {
            if (parser.nextToken() != JsonToken.START_OBJECT) {
                return value.length == 0 ? "the value is empty" : "the value is not a JSON object";
            }
            readValue(parser);
            return parser.nextToken() == null ? null : "something follows the JSON object";
        } catch (JacksonException e) {
            return "not readable as JSON: " + e.getOriginalMessage();
        } catch (IOException | RuntimeException e) {
            // A record must never restart the job, not even one that finds a defect in the parser.
            return "not readable: " + e;
        } finally {
            bytes = NO_BYTES;
        }
    }

    /** @return why it cannot be read, or null */
    private @Nullable String readFramed(byte[] value) {
        RegisteredValues registered = values;
        if (registered == null) {
            long id = format.wire().idOf(value);
            return "the value is of a schema registry" + (id == WireFormat.NO_ID ? "" : ", by the schema of id " + id)
                    + ", and registry.url is not set: set it, and redrive the letter";
        }
        try (JsonParser parser = registered.open(value)) {
            bytes = registered.document();
            checkTexts = bytes.length > 0;
            if (parser.nextToken() != JsonToken.START_OBJECT) {
                return "the value is not a record";
            }
            if (registered.isEnvelope(value)) {
                readEnvelope(parser, true);
            } else {
                readBareRow(parser);
            }
            return parser.nextToken() == null ? null : "something follows the value";
        } catch (UnreadableValueException e) {
            return "the value cannot be read: " + e.getMessage();
        } catch (JacksonException e) {
            return "not readable as JSON: " + e.getOriginalMessage();
        } catch (IOException | RuntimeException e) {
            // As above.
            return "not readable: " + e;
        } finally {
            bytes = NO_BYTES;
        }
    }

    /** A row without an envelope, by what Debezium's own flattening may have added to it. */
    private void readBareRow(JsonParser parser) throws IOException {
        hasAfter = true;
        op = Op.CREATE;
        boolean deleted = false;
        for (String name = parser.nextFieldName(); name != null; name = parser.nextFieldName()) {
            JsonToken token = parser.nextToken();
            switch (name) {
                case "__op" -> readOp(parser, token);
                case "__source_ts_ms" -> committedAtMillis = millis(parser, token);
                case "__deleted" ->
                    deleted = token == JsonToken.VALUE_TRUE
                            || token == JsonToken.VALUE_STRING
                                    && parser.getText().equals("true");
                default -> readRowField(name, parser);
            }
        }
        if (deleted) {
            op = Op.DELETE;
        }
    }

    private void clearEnvelope() {
        op = null;
        opProblem = null;
        hasAfter = false;
        hasBefore = false;
        committedAtMillis = 0;
        badFields = 0;
        clearRow();
        clearBefore();
    }

    private void readEnvelope(JsonParser parser, boolean root) throws IOException {
        boolean opSeen = false;
        for (String name = parser.nextFieldName(); name != null; name = parser.nextFieldName()) {
            JsonToken token = parser.nextToken();
            switch (name) {
                case "op" -> {
                    opSeen = true;
                    readOp(parser, token);
                }
                case "after" -> {
                    clearRow();
                    badFields = 0;
                    hasAfter = token == JsonToken.START_OBJECT;
                    if (hasAfter) {
                        for (String field = parser.nextFieldName(); field != null; field = parser.nextFieldName()) {
                            parser.nextToken();
                            readRowField(field, parser);
                        }
                    } else {
                        parser.skipChildren();
                    }
                }
                case "before" -> {
                    clearBefore();
                    hasBefore = token == JsonToken.START_OBJECT;
                    if (hasBefore && readsBefore()) {
                        for (String field = parser.nextFieldName(); field != null; field = parser.nextFieldName()) {
                            parser.nextToken();
                            readBeforeField(field, parser);
                        }
                    } else {
                        parser.skipChildren();
                    }
                }
                case "source" -> readSource(parser, token);
                case "payload" -> {
                    if (root && !opSeen) {
                        clearEnvelope();
                        if (token == JsonToken.START_OBJECT) {
                            readEnvelope(parser, false);
                        } else {
                            parser.skipChildren();
                            opProblem = "the payload is not an object";
                        }
                    } else {
                        parser.skipChildren();
                    }
                }
                default -> parser.skipChildren();
            }
        }
    }

    private void readOp(JsonParser parser, JsonToken token) throws IOException {
        op = null;
        opProblem = null;
        if (token != JsonToken.VALUE_STRING) {
            parser.skipChildren();
            opProblem = "op is not a text";
            return;
        }
        if (parser.getTextLength() == 1) {
            op = switch (parser.getTextCharacters()[parser.getTextOffset()]) {
                case 'c' -> Op.CREATE;
                case 'r' -> Op.READ;
                case 'u' -> Op.UPDATE;
                case 'd' -> Op.DELETE;
                case 't' -> Op.TRUNCATE;
                case 'm' -> Op.MESSAGE;
                default -> null;
            };
        }
        if (op == null) {
            opProblem = "op is '" + bounded(parser.getText()) + "'; known are c, r, u, d, t and m";
        }
    }

    private void readSource(JsonParser parser, JsonToken token) throws IOException {
        committedAtMillis = 0;
        if (token != JsonToken.START_OBJECT) {
            parser.skipChildren();
            return;
        }
        for (String name = parser.nextFieldName(); name != null; name = parser.nextFieldName()) {
            JsonToken value = parser.nextToken();
            if (name.equals("ts_ms")) {
                committedAtMillis = millis(parser, value);
            }
            parser.skipChildren();
        }
    }

    private static long millis(JsonParser parser, JsonToken token) throws IOException {
        return token != JsonToken.VALUE_NUMBER_INT || parser.getNumberType() == JsonParser.NumberType.BIG_INTEGER
                ? 0
                : Math.max(0, parser.getLongValue());
    }

    /** Forgets the row's fields. */
    abstract void clearRow();

    /** Takes one field of {@code after}; the parser stands on its value and must be left on that value's end. */
    abstract void readRowField(String name, JsonParser parser) throws IOException;

    /** Whether {@code before} matters at all. */
    boolean readsBefore() {
        return false;
    }

    void clearBefore() {}

    void readBeforeField(String name, JsonParser parser) throws IOException {
        parser.skipChildren();
    }

    /** A record without a value. */
    abstract void tombstone(ConsumerRecord<byte[], byte[]> record, DecodedRecord<T> out);

    /** Says what a readable envelope is. */
    abstract void judge(ConsumerRecord<byte[], byte[]> record, Op envelopeOp, DecodedRecord<T> out);

    final boolean hasAfter() {
        return hasAfter;
    }

    final boolean hasBefore() {
        return hasBefore;
    }

    /** When the source committed the row, milliseconds since the epoch; 0 if it did not say. */
    final long committedAtMillis() {
        return committedAtMillis;
    }

    final void good(int field) {
        badFields &= ~(1 << field);
    }

    final void bad(int field, String problem) {
        badFields |= 1 << field;
        problems[field] = problem;
    }

    /** What is wrong with the row, or null; the first field that is wrong speaks. */
    final @Nullable String problem() {
        return badFields == 0 ? null : problems[Integer.numberOfTrailingZeros(badFields)];
    }

    /** A text, or null; anything else is noted against the field. */
    final @Nullable String text(JsonParser parser, int field, String name) throws IOException {
        JsonToken token = parser.currentToken();
        if (token == JsonToken.VALUE_STRING) {
            return checked(parser.getText(), field, name);
        }
        good(field);
        if (token != JsonToken.VALUE_NULL) {
            notOfType(parser, field, name, "a text");
        }
        return null;
    }

    /** Like {@link #text} for columns with few distinct values, which are shared instead of made anew. */
    final @Nullable String repeatedText(JsonParser parser, int field, String name, TextCache cache) throws IOException {
        if (parser.currentToken() == JsonToken.VALUE_STRING) {
            String known = cache.find(parser.getTextCharacters(), parser.getTextOffset(), parser.getTextLength());
            if (known != null) {
                good(field);
                return known;
            }
            String text = checked(parser.getText(), field, name);
            cache.remember(text);
            return text;
        }
        return text(parser, field, name);
    }

    /** An identifier: a text, or a whole number as its digits, or null. */
    final @Nullable String identifier(JsonParser parser, int field, String name) throws IOException {
        if (parser.currentToken() == JsonToken.VALUE_NUMBER_INT) {
            good(field);
            return parser.getText();
        }
        return text(parser, field, name);
    }

    /** A 32-bit number, or null; anything else is noted against the field. */
    final @Nullable Integer integer(JsonParser parser, int field, String name) throws IOException {
        good(field);
        JsonToken token = parser.currentToken();
        if (token == JsonToken.VALUE_NULL) {
            return null;
        }
        if (token != JsonToken.VALUE_NUMBER_INT || parser.getNumberType() != JsonParser.NumberType.INT) {
            notOfType(parser, field, name, "a whole number of 32 bits");
            return null;
        }
        return parser.getIntValue();
    }

    /** Notes that a field's value has another type than it should, and skips it. */
    final void notOfType(JsonParser parser, int field, String name, String wanted) throws IOException {
        JsonToken token = parser.currentToken();
        String found =
                switch (token) {
                    case START_OBJECT -> "an object";
                    case START_ARRAY -> "an array";
                    default -> "'" + bounded(parser.getText()) + "'";
                };
        parser.skipChildren();
        bad(field, name + " is " + found + "; it must be " + wanted);
    }

    private String checked(String text, int field, String name) {
        if (!checkTexts || JsonText.isWellFormed(text)) {
            good(field);
        } else {
            bad(field, name + " holds half of a surrogate pair, which no text in PostgreSQL can");
        }
        return text;
    }

    /**
     * The JSON of the value that the parser stands on, which it leaves at that value's end: the source text, where there is
     * one.
     */
    final byte[] verbatim(JsonParser parser) throws IOException {
        if (bytes.length == 0) {
            return EnvelopeJson.document(json -> TokenCopy.copy(parser, json));
        }
        return sinceByte((int) parser.currentTokenLocation().getByteOffset(), parser);
    }

    /** The source text from a byte on to the end of the value that the parser stands on, at which it is left. */
    final byte[] sinceByte(int from, JsonParser parser) throws IOException {
        parser.skipChildren();
        // A text is read lazily.
        parser.finishToken();
        int to = (int) parser.currentLocation().getByteOffset();
        return Arrays.copyOfRange(bytes, from, to);
    }

    final void undecodable(ConsumerRecord<byte[], byte[]> record, String error, DecodedRecord<T> out) {
        reject(record, Reason.UNDECODABLE, error, null, out);
    }

    final void reject(
            ConsumerRecord<byte[], byte[]> record,
            Reason reason,
            String error,
            @Nullable EventId eventId,
            DecodedRecord<T> out) {
        List<DeadLetter.Header> headers = new ArrayList<>();
        for (Header header : record.headers()) {
            headers.add(new DeadLetter.Header(header.key(), header.value()));
        }
        out.reject(DeadLetter.of(
                reason,
                STAGE,
                error,
                clock.millis(),
                new DeadLetter.Source(topic, record.partition(), record.offset(), record.timestamp()),
                eventId,
                record.value(),
                headers));
    }

    /** The time that the parser stands on, microseconds since the epoch; {@link Timestamps#INVALID} if it is none. */
    static long time(JsonParser parser) throws IOException {
        return switch (parser.currentToken()) {
            case VALUE_STRING ->
                Timestamps.parse(parser.getTextCharacters(), parser.getTextOffset(), parser.getTextLength());
            // Only of what is not JSON: a moment by its type.
            case VALUE_EMBEDDED_OBJECT -> parser.getLongValue();
            default -> Timestamps.INVALID;
        };
    }

    /** The one field of a record's key, in the format that its value might have, as text; null if there is none. */
    final @Nullable String idOfKey(ConsumerRecord<byte[], byte[]> record) {
        byte[] key = record.key();
        return key != null && keys != null && WireFormat.isFramed(key) && format.mayBeFramed()
                ? idOfKey(key, keys)
                : idOfKey(key);
    }

    /** As {@link #idOfKey(byte[])}, of a framed key. */
    static @Nullable String idOfKey(byte[] key, RegisteredValues keys) {
        try (JsonParser parser = keys.open(key)) {
            return idOfWholeKey(parser);
        } catch (IOException | RuntimeException e) {
            // As below.
            return null;
        }
    }

    /** The one field of a key, {@code {"id":…}} with or without the Connect wrapper, as text; null if there is none. */
    static @Nullable String idOfKey(byte @Nullable [] key) {
        if (key == null) {
            return null;
        }
        try (JsonParser parser = KEYS.createParser(key)) {
            return JsonText.scan(key) == JsonText.Encoding.BROKEN ? null : idOfWholeKey(parser);
        } catch (IOException | RuntimeException e) {
            // No id can be had from it: the caller makes a dead letter of the record.
            return null;
        }
    }

    private static @Nullable String idOfWholeKey(JsonParser parser) throws IOException {
        if (parser.nextToken() != JsonToken.START_OBJECT) {
            return null;
        }
        String id = idOfKey(parser, true);
        return id != null && parser.nextToken() == null && JsonText.isWellFormed(id) ? id : null;
    }

    private static @Nullable String idOfKey(JsonParser parser, boolean root) throws IOException {
        String id = null;
        for (String name = parser.nextFieldName(); name != null; name = parser.nextFieldName()) {
            JsonToken token = parser.nextToken();
            if (name.equals("id")) {
                boolean usable = token == JsonToken.VALUE_STRING || token == JsonToken.VALUE_NUMBER_INT;
                id = usable ? parser.getText() : null;
                parser.skipChildren();
            } else if (name.equals("payload") && root && token == JsonToken.START_OBJECT) {
                String wrapped = idOfKey(parser, false);
                id = wrapped == null ? id : wrapped;
            } else {
                parser.skipChildren();
            }
        }
        return id;
    }

    static String bounded(String value) {
        return value.length() <= 100 ? value : value.substring(0, 99) + '…';
    }
}
