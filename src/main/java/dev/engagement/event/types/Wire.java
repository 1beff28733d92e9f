package dev.engagement.event.types;

import java.io.DataInput;
import java.io.DataOutput;
import java.io.EOFException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/** The primitive forms that our serializers share: variable-length numbers, nullable texts and bytes. */
public final class Wire {

    private Wire() {}

    /** Seven bits a byte, least significant first: small non-negative numbers take one byte. */
    public static void writeUnsigned(long value, DataOutput out) throws IOException {
        long rest = value;
        while ((rest & ~0x7FL) != 0) {
            out.writeByte((int) (rest & 0x7F | 0x80));
            rest >>>= 7;
        }
        out.writeByte((int) rest);
    }

    /** What {@link #writeUnsigned} wrote. */
    public static long readUnsigned(DataInput in) throws IOException {
        long value = 0;
        for (int shift = 0; shift < 64; shift += 7) {
            byte next = in.readByte();
            value |= (long) (next & 0x7F) << shift;
            if (next >= 0) {
                return value;
            }
        }
        throw new IOException("A variable-length number is longer than 10 bytes: the data is damaged");
    }

    /** UTF-8 with its length, or null. */
    public static void writeText(@Nullable String text, DataOutput out) throws IOException {
        writeBytes(text == null ? null : text.getBytes(StandardCharsets.UTF_8), out);
    }

    /** What {@link #writeText} wrote. */
    public static @Nullable String readText(DataInput in) throws IOException {
        byte[] bytes = readBytes(in);
        return bytes == null ? null : new String(bytes, StandardCharsets.UTF_8);
    }

    /** Text that is never null. */
    public static String readRequiredText(DataInput in) throws IOException {
        String text = readText(in);
        if (text == null) {
            throw new EOFException("A text that is never null is missing: the data is damaged");
        }
        return text;
    }

    /** Bytes with their length, or null. */
    public static void writeBytes(byte @Nullable [] bytes, DataOutput out) throws IOException {
        if (bytes == null) {
            out.writeByte(0);
        } else {
            writeUnsigned(bytes.length + 1L, out);
            out.write(bytes);
        }
    }

    /** What {@link #writeBytes} wrote. */
    public static byte @Nullable [] readBytes(DataInput in) throws IOException {
        long length = readUnsigned(in) - 1;
        if (length < 0) {
            return null;
        }
        if (length > Integer.MAX_VALUE - 16) {
            throw new IOException("A length of " + length + " bytes: the data is damaged");
        }
        byte[] bytes = new byte[(int) length];
        in.readFully(bytes);
        return bytes;
    }
}
