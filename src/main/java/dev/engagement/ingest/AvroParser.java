package dev.engagement.ingest;

import com.fasterxml.jackson.core.Base64Variant;
import com.fasterxml.jackson.core.JsonLocation;
import com.fasterxml.jackson.core.JsonStreamContext;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.ObjectCodec;
import com.fasterxml.jackson.core.Version;
import com.fasterxml.jackson.core.base.ParserMinimalBase;
import dev.engagement.event.Timestamps;
import java.io.IOException;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Base64;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * Avro's bytes as the tokens of JSON, so that what is true of a row in JSON is true of it in Avro by the same code. Fields
 * that nobody wants are skipped as bytes; a text becomes one only when it is asked for.
 *
 * <p>A record and a map are an object, an enum, bytes (as base64) and a UUID a text, a decimal a number, and a time is
 * {@link JsonToken#VALUE_EMBEDDED_OBJECT} with its microseconds since the epoch as {@link #getLongValue}. Behind the value
 * nothing may follow.
 *
 * <p>One for all values that a thread reads: {@link #read} begins the next.
 */
final class AvroParser extends ParserMinimalBase {

    /** As deep as JSON may be nested. */
    private static final int MAX_DEPTH = 1_000;

    private static final byte[] NO_BYTES = {};
    private static final char[] NULL = {'n', 'u', 'l', 'l'};
    private static final int MAX_VARINT_SHIFT = 63;

    /** Thousands of digits; what would be in more takes too long to be written out. */
    private static final int MAX_DECIMAL_BYTES = 1_024;

    private byte[] bytes = NO_BYTES;
    private int at;
    private int end;

    /** How many items may still come: an item takes a byte, so that more are a lie. */
    private int itemsLeft;

    /** What stands next, or null at a name or at an end. */
    private @Nullable AvroType next;

    private @Nullable AvroType value;

    /** What is open: its type, and of a record the next field, of the others how many items are left of the block. */
    private AvroType[] open = new AvroType[16];

    private long[] progress = new long[16];
    private int depth;

    private @Nullable String name;

    private int textFrom;
    private int textLength;
    private long number;
    private double real;
    private @Nullable String text;
    private @Nullable BigDecimal decimal;
    private char[] chars = new char[64];
    private int charCount;

    AvroParser() {
        super(0);
    }

    /** Begins with a value of a type, which stands from an index of the bytes to their end. */
    void read(AvroType type, byte[] source, int from) {
        bytes = source;
        at = from;
        end = source.length;
        itemsLeft = end - from;
        next = type;
        value = null;
        depth = 0;
        name = null;
        _currToken = null;
    }

    @Override
    public @Nullable JsonToken nextToken() throws IOException {
        AvroType due = next;
        if (due != null) {
            next = null;
            return _currToken = begin(due);
        }
        if (depth == 0) {
            if (at != end) {
                throw new UnreadableValueException((end - at) + " bytes follow the value");
            }
            return _currToken = null;
        }
        AvroType type = open[depth - 1];
        return _currToken = switch (type.kind) {
            case RECORD -> nextField(type);
            case ARRAY -> hasNextItem() ? begin(type.types[0]) : pop(JsonToken.END_ARRAY);
            default -> {
                if (!hasNextItem()) {
                    yield pop(JsonToken.END_OBJECT);
                }
                readText();
                name = decodedText();
                next = type.types[0];
                yield JsonToken.FIELD_NAME;
            }
        };
    }

    private JsonToken nextField(AvroType record) throws IOException {
        int field = (int) progress[depth - 1];
        while (field < record.types.length && !record.wanted[field]) {
            skip(record.types[field++], depth);
        }
        if (field == record.types.length) {
            return pop(JsonToken.END_OBJECT);
        }
        progress[depth - 1] = field + 1;
        name = record.names[field];
        next = record.types[field];
        return JsonToken.FIELD_NAME;
    }

    private JsonToken pop(JsonToken token) {
        depth--;
        return token;
    }

    private JsonToken push(AvroType type, JsonToken token) throws IOException {
        if (depth == MAX_DEPTH) {
            throw tooDeep();
        }
        if (depth == open.length) {
            open = Arrays.copyOf(open, 2 * depth);
            progress = Arrays.copyOf(progress, 2 * depth);
        }
        open[depth] = type;
        progress[depth++] = 0;
        return token;
    }

    private static UnreadableValueException tooDeep() {
        return new UnreadableValueException("it is nested more than " + MAX_DEPTH + " deep");
    }

    /** Reads what a token has to show, or opens what has more tokens. */
    private JsonToken begin(AvroType declared) throws IOException {
        AvroType type = declared;
        while (type.kind == AvroType.Kind.UNION) {
            type = branch(type);
        }
        value = type;
        text = null;
        charCount = -1;
        switch (type.kind) {
            case NULL -> {
                return JsonToken.VALUE_NULL;
            }
            case BOOLEAN -> {
                return readBoolean() ? JsonToken.VALUE_TRUE : JsonToken.VALUE_FALSE;
            }
            case INT -> {
                number = readInt();
                return JsonToken.VALUE_NUMBER_INT;
            }
            case LONG -> {
                number = readLong();
                return JsonToken.VALUE_NUMBER_INT;
            }
            case TIME -> {
                number = readLong();
                return JsonToken.VALUE_EMBEDDED_OBJECT;
            }
            case FLOAT -> {
                float single = Float.intBitsToFloat((int) littleEndian(Float.BYTES));
                real = single;
                text = Float.toString(single);
                return JsonToken.VALUE_NUMBER_FLOAT;
            }
            case DOUBLE -> {
                real = Double.longBitsToDouble(littleEndian(Double.BYTES));
                return JsonToken.VALUE_NUMBER_FLOAT;
            }
            case TEXT -> {
                readText();
                return JsonToken.VALUE_STRING;
            }
            case BYTES, FIXED -> {
                readBytes(type);
                text = Base64.getEncoder().encodeToString(Arrays.copyOfRange(bytes, textFrom, textFrom + textLength));
                return JsonToken.VALUE_STRING;
            }
            case UUID -> {
                readBytes(type);
                ByteBuffer halves = ByteBuffer.wrap(bytes, textFrom, textLength);
                text = new UUID(halves.getLong(), halves.getLong()).toString();
                return JsonToken.VALUE_STRING;
            }
            case ENUM -> {
                int symbol = readInt();
                if (symbol < 0 || symbol >= type.names.length) {
                    throw new UnreadableValueException(
                            "an enum of " + type.names.length + " symbols has the index " + symbol);
                }
                text = type.names[symbol];
                return JsonToken.VALUE_STRING;
            }
            case DECIMAL -> {
                return readDecimal(type);
            }
            case RECORD, MAP -> {
                return push(type, JsonToken.START_OBJECT);
            }
            default -> {
                return push(type, JsonToken.START_ARRAY);
            }
        }
    }

    private JsonToken readDecimal(AvroType type) throws IOException {
        readBytes(type);
        if (textLength == 0 || textLength > MAX_DECIMAL_BYTES) {
            throw new UnreadableValueException(
                    "a decimal has " + textLength + " bytes; 1 to " + MAX_DECIMAL_BYTES + " can be read");
        }
        BigDecimal exact = new BigDecimal(new BigInteger(bytes, textFrom, textLength), type.scale);
        BigDecimal shortest = exact.stripTrailingZeros();
        boolean whole = shortest.scale() <= 0;
        decimal = whole ? exact.setScale(0) : exact;
        text = decimal.toPlainString();
        return whole ? JsonToken.VALUE_NUMBER_INT : JsonToken.VALUE_NUMBER_FLOAT;
    }

    private AvroType branch(AvroType union) throws IOException {
        int index = readInt();
        if (index < 0 || index >= union.types.length) {
            throw new UnreadableValueException("a union of " + union.types.length + " types has the index " + index);
        }
        return union.types[index];
    }

    @Override
    public AvroParser skipChildren() throws IOException {
        if (_currToken != JsonToken.START_OBJECT && _currToken != JsonToken.START_ARRAY) {
            return this;
        }
        AvroType type = open[depth - 1];
        if (type.kind == AvroType.Kind.RECORD) {
            for (int field = (int) progress[depth - 1]; field < type.types.length; field++) {
                skip(type.types[field], depth);
            }
        } else {
            skipItems(type, depth);
        }
        pop(_currToken);
        _currToken = _currToken == JsonToken.START_OBJECT ? JsonToken.END_OBJECT : JsonToken.END_ARRAY;
        return this;
    }

    private void skip(AvroType type, int level) throws IOException {
        if (level > MAX_DEPTH) {
            throw tooDeep();
        }
        switch (type.kind) {
            case NULL -> {}
            case BOOLEAN -> advance(1);
            case INT, LONG, TIME, ENUM -> readLong();
            case FLOAT -> advance(Float.BYTES);
            case DOUBLE -> advance(Double.BYTES);
            case TEXT -> advance(readLong());
            case BYTES, FIXED, DECIMAL, UUID -> advance(type.bytes < 0 ? readLong() : type.bytes);
            case RECORD -> {
                for (AvroType field : type.types) {
                    skip(field, level + 1);
                }
            }
            case ARRAY, MAP -> skipItems(type, level);
            case UNION -> skip(branch(type), level + 1);
        }
    }

    private void skipItems(AvroType type, int level) throws IOException {
        while (true) {
            long count = readLong();
            if (count == 0) {
                return;
            }
            if (count < 0) {
                // A block that says how long it is.
                advance(readLong());
                continue;
            }
            take(count);
            for (long i = 0; i < count; i++) {
                if (type.kind == AvroType.Kind.MAP) {
                    advance(readLong());
                }
                skip(type.types[0], level + 1);
            }
        }
    }

    private boolean hasNextItem() throws IOException {
        int level = depth - 1;
        if (progress[level] == 0) {
            long count = readLong();
            if (count < 0) {
                count = -count;
                readLong();
            }
            if (count == 0) {
                return false;
            }
            take(count);
            progress[level] = count;
        }
        progress[level]--;
        return true;
    }

    private void take(long count) throws IOException {
        if (count < 0 || count > itemsLeft) {
            throw new UnreadableValueException("it has more items than bytes");
        }
        itemsLeft -= (int) count;
    }

    // ------------------------------------------------------------------------------------------------ bytes

    private void advance(long count) throws IOException {
        if (count < 0 || count > end - at) {
            throw cut();
        }
        at += (int) count;
    }

    private static UnreadableValueException cut() {
        return new UnreadableValueException("it ends in the middle of a value, or was written by another schema");
    }

    private long readLong() throws IOException {
        long bits = 0;
        for (int shift = 0; shift <= MAX_VARINT_SHIFT; shift += 7) {
            if (at == end) {
                throw cut();
            }
            byte b = bytes[at++];
            bits |= (long) (b & 0x7f) << shift;
            if (b >= 0) {
                return bits >>> 1 ^ -(bits & 1);
            }
        }
        throw new UnreadableValueException("a number has more than 64 bits");
    }

    private int readInt() throws IOException {
        long wide = readLong();
        if (wide != (int) wide) {
            throw new UnreadableValueException("a number of 32 bits is " + wide);
        }
        return (int) wide;
    }

    private boolean readBoolean() throws IOException {
        advance(1);
        return switch (bytes[at - 1]) {
            case 0 -> false;
            case 1 -> true;
            default -> throw new UnreadableValueException("a boolean is neither 0 nor 1");
        };
    }

    private long littleEndian(int count) throws IOException {
        advance(count);
        long bits = 0;
        for (int i = 1; i <= count; i++) {
            bits = bits << 8 | bytes[at - i] & 0xff;
        }
        return bits;
    }

    private void readText() throws IOException {
        text = null;
        readBytes(readLong());
    }

    private void readBytes(AvroType type) throws IOException {
        readBytes(type.bytes < 0 ? readLong() : type.bytes);
    }

    private void readBytes(long length) throws IOException {
        textFrom = at;
        advance(length);
        textLength = (int) length;
    }

    // ------------------------------------------------------------------------------------------------ what a token
    // shows

    /** The text whose place is known; it must be UTF-8, as JSON must be. */
    private String decodedText() throws IOException {
        String decoded = new String(bytes, textFrom, textLength, StandardCharsets.UTF_8);
        if (decoded.indexOf('\uFFFD') >= 0) {
            // It may be that character itself.
            try {
                return StandardCharsets.UTF_8
                        .newDecoder()
                        .decode(ByteBuffer.wrap(bytes, textFrom, textLength))
                        .toString();
            } catch (CharacterCodingException e) {
                throw new UnreadableValueException("a text is not UTF-8", e);
            }
        }
        return decoded;
    }

    @Override
    public @Nullable String getText() throws IOException {
        if (_currToken == null) {
            return null;
        }
        return switch (_currToken) {
            case VALUE_STRING, VALUE_NUMBER_FLOAT, VALUE_NUMBER_INT, VALUE_EMBEDDED_OBJECT -> {
                String known = text;
                if (known == null) {
                    known = made();
                    text = known;
                }
                yield known;
            }
            case FIELD_NAME -> name;
            default -> _currToken.asString();
        };
    }

    private String made() throws IOException {
        return switch (kind()) {
            case DOUBLE -> Double.toString(real);
            case TIME -> {
                long micros = microsOrInvalid();
                yield micros == Timestamps.INVALID ? Long.toString(number) : Timestamps.format(micros);
            }
            case TEXT -> decodedText();
            default -> Long.toString(number);
        };
    }

    private AvroType.Kind kind() {
        AvroType type = value;
        return type == null ? AvroType.Kind.NULL : type.kind;
    }

    @Override
    public char[] getTextCharacters() throws IOException {
        if (_currToken == JsonToken.VALUE_NULL) {
            charCount = NULL.length;
            return NULL;
        }
        if (charCount < 0) {
            fillChars();
        }
        return chars;
    }

    private void fillChars() throws IOException {
        if (text == null && kind() == AvroType.Kind.TEXT && _currToken == JsonToken.VALUE_STRING) {
            if (chars.length < textLength) {
                chars = new char[2 * textLength];
            }
            int i = 0;
            while (i < textLength && bytes[textFrom + i] >= 0) {
                chars[i] = (char) bytes[textFrom + i];
                i++;
            }
            if (i == textLength) {
                charCount = textLength;
                return;
            }
        }
        String all = String.valueOf(getText());
        if (chars.length < all.length()) {
            chars = new char[2 * all.length()];
        }
        all.getChars(0, all.length(), chars, 0);
        charCount = all.length();
    }

    @Override
    public boolean hasTextCharacters() {
        return false;
    }

    @Override
    public int getTextLength() throws IOException {
        var unused = getTextCharacters();
        return charCount;
    }

    @Override
    public int getTextOffset() {
        return 0;
    }

    private long microsOrInvalid() {
        AvroType type = value;
        int unit = type == null ? 1 : type.micros;
        if (unit < 0) {
            return orInvalid(Math.floorDiv(number, -unit));
        }
        return number > Timestamps.MAX_MICROS / unit || number < Timestamps.MIN_MICROS / unit - 1
                ? Timestamps.INVALID
                : orInvalid(number * unit);
    }

    private static long orInvalid(long micros) {
        return Timestamps.isWithinRange(micros) ? micros : Timestamps.INVALID;
    }

    /** Of a time its microseconds since the epoch, {@link Timestamps#INVALID} outside years 1..9999. */
    @Override
    public long getLongValue() {
        return switch (kind()) {
            case TIME -> microsOrInvalid();
            case FLOAT, DOUBLE -> (long) real;
            case DECIMAL -> decimal().longValue();
            default -> number;
        };
    }

    @Override
    public int getIntValue() {
        return (int) getLongValue();
    }

    @Override
    public NumberType getNumberType() {
        return switch (kind()) {
            case FLOAT -> NumberType.FLOAT;
            case DOUBLE -> NumberType.DOUBLE;
            case DECIMAL -> {
                if (_currToken == JsonToken.VALUE_NUMBER_FLOAT) {
                    yield NumberType.BIG_DECIMAL;
                }
                int bits = decimal().unscaledValue().bitLength();
                yield bits < Integer.SIZE
                        ? NumberType.INT
                        : bits < Long.SIZE ? NumberType.LONG : NumberType.BIG_INTEGER;
            }
            default -> number == (int) number ? NumberType.INT : NumberType.LONG;
        };
    }

    private BigDecimal decimal() {
        BigDecimal exact = decimal;
        return exact == null ? BigDecimal.ZERO : exact;
    }

    @Override
    public Number getNumberValue() {
        return switch (getNumberType()) {
            case INT -> getIntValue();
            case LONG -> getLongValue();
            case BIG_INTEGER -> getBigIntegerValue();
            case FLOAT -> getFloatValue();
            case DOUBLE -> getDoubleValue();
            case BIG_DECIMAL -> getDecimalValue();
        };
    }

    @Override
    public BigInteger getBigIntegerValue() {
        return getDecimalValue().toBigInteger();
    }

    @Override
    public float getFloatValue() {
        return (float) getDoubleValue();
    }

    @Override
    public double getDoubleValue() {
        return switch (kind()) {
            case FLOAT, DOUBLE -> real;
            case DECIMAL -> decimal().doubleValue();
            default -> number;
        };
    }

    @Override
    public BigDecimal getDecimalValue() {
        return switch (kind()) {
            case FLOAT, DOUBLE -> BigDecimal.valueOf(real);
            case DECIMAL -> decimal();
            default -> BigDecimal.valueOf(number);
        };
    }

    /** Of a time its text. */
    @Override
    public @Nullable Object getEmbeddedObject() throws IOException {
        return getText();
    }

    @Override
    public byte[] getBinaryValue(Base64Variant variant) throws IOException {
        return variant.decode(String.valueOf(getText()));
    }

    // ------------------------------------------------------------------------------------------------ what Jackson
    // asks besides

    @Override
    public @Nullable String currentName() {
        return name;
    }

    @Override
    @SuppressWarnings("deprecation") // abstract in Jackson nevertheless
    public @Nullable String getCurrentName() {
        return name;
    }

    @Override
    @SuppressWarnings("deprecation") // abstract in Jackson nevertheless
    public void overrideCurrentName(@Nullable String other) {
        name = other;
    }

    @Override
    protected void _handleEOF() {}

    @Override
    public void close() {
        bytes = NO_BYTES;
        at = 0;
        end = 0;
        depth = 0;
        next = null;
    }

    @Override
    public boolean isClosed() {
        return bytes.length == 0;
    }

    @Override
    public @Nullable JsonStreamContext getParsingContext() {
        return null;
    }

    @Override
    public @Nullable ObjectCodec getCodec() {
        return null;
    }

    @Override
    public void setCodec(@Nullable ObjectCodec codec) {}

    @Override
    public Version version() {
        return Version.unknownVersion();
    }

    @Override
    @SuppressWarnings("deprecation") // abstract in Jackson nevertheless
    public JsonLocation getCurrentLocation() {
        return JsonLocation.NA;
    }

    @Override
    @SuppressWarnings("deprecation") // abstract in Jackson nevertheless
    public JsonLocation getTokenLocation() {
        return JsonLocation.NA;
    }
}
