package dev.engagement.ranking;

import dev.engagement.event.types.Wire;
import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Comparator;
import java.util.UUID;
import org.apache.flink.core.memory.DataOutputSerializer;

/** Content ids as ranking writes and orders them. */
final class ContentIds {

    /** Ascending by the bytes of their UTF-8 form: the order of ties on a board. */
    static final Comparator<String> ORDER = ContentIds::compare;

    private static final int UUID_LENGTH = 36;

    /** Characters that decide most comparisons, and bits that hold each, or the end of the text. */
    private static final int START_LENGTH = 3;

    private static final int START_BITS = 17;

    /** In place of a text's length plus one. */
    private static final int IS_UUID = 0;

    /** By character the digit's value, or -1: once through each id is enough. */
    private static final byte[] DIGITS = digits();

    private ContentIds() {}

    /** 17 bytes for a UUID in its canonical form, lower-case; any other text as UTF-8 with its length. */
    static void write(String id, DataOutput out) throws IOException {
        if (id.length() != UUID_LENGTH || !writeUuid(id, out)) {
            byte[] bytes = id.getBytes(StandardCharsets.UTF_8);
            Wire.writeUnsigned(bytes.length + 1L, out);
            out.write(bytes);
        }
    }

    /** The bytes that {@link #write} writes. */
    static byte[] encoded(String id) {
        DataOutputSerializer out = new DataOutputSerializer(1 + 2 * Long.BYTES);
        try {
            write(id, out);
        } catch (IOException e) {
            throw new UncheckedIOException("Writing into memory failed", e);
        }
        return out.getCopyOfBuffer();
    }

    private static boolean writeUuid(String id, DataOutput out) throws IOException {
        if (id.charAt(8) != '-' || id.charAt(13) != '-' || id.charAt(18) != '-' || id.charAt(23) != '-') {
            return false;
        }
        long first = hex(id, 0, 8);
        long second = hex(id, 9, 13);
        long third = hex(id, 14, 18);
        long fourth = hex(id, 19, 23);
        long fifth = hex(id, 24, UUID_LENGTH);
        if ((first | second | third | fourth | fifth) < 0) {
            return false;
        }
        out.writeByte(IS_UUID);
        out.writeLong(first << 32 | second << 16 | third);
        out.writeLong(fourth << 48 | fifth);
        return true;
    }

    /** What {@link #write} wrote. */
    static String read(DataInput in) throws IOException {
        long length = Wire.readUnsigned(in) - 1;
        if (length < 0) {
            return new UUID(in.readLong(), in.readLong()).toString();
        }
        if (length > Integer.MAX_VALUE - 16) {
            throw new IOException("A content id of " + length + " bytes: the data is damaged");
        }
        byte[] bytes = new byte[(int) length];
        in.readFully(bytes);
        return new String(bytes, StandardCharsets.UTF_8);
    }

    /** Less than 16 digits as a number, or -1 if one of them is none. */
    private static long hex(String id, int from, int to) {
        long value = 0;
        int worst = 0;
        for (int i = from; i < to; i++) {
            char digit = id.charAt(i);
            int four = digit < DIGITS.length ? DIGITS[digit] : -1;
            worst |= four;
            value = value << 4 | four & 0xF;
        }
        return worst < 0 ? -1 : value;
    }

    private static byte[] digits() {
        byte[] digits = new byte['f' + 1];
        Arrays.fill(digits, (byte) -1);
        String inOrder = "0123456789abcdef";
        for (int i = 0; i < inOrder.length(); i++) {
            digits[inOrder.charAt(i)] = (byte) i;
        }
        return digits;
    }

    private static int compare(String left, String right) {
        int common = Math.min(left.length(), right.length());
        for (int i = 0; i < common; i++) {
            char a = left.charAt(i);
            char b = right.charAt(i);
            if (a != b) {
                return inUtf8(a) - inUtf8(b);
            }
        }
        return left.length() - right.length();
    }

    /** A number that grows with {@link #ORDER}, the same for all ids whose first characters are. */
    static long start(String id) {
        long start = 0;
        for (int i = 0; i < START_LENGTH; i++) {
            start = start << START_BITS | (i < id.length() ? inUtf8(id.charAt(i)) + 1 : 0);
        }
        return start;
    }

    /** Where two texts first differ, a surrogate stands for a code point beyond all that one char holds. */
    private static int inUtf8(char unit) {
        return Character.isSurrogate(unit) ? unit + 0x10000 : unit;
    }
}
