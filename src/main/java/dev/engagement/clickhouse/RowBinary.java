package dev.engagement.clickhouse;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** One row in ClickHouse's format RowBinary, written front to back: numbers little-endian, texts behind their length. */
final class RowBinary {

    private static final int MIN_BYTES = 1 << 10;
    private static final int SEVEN_BITS = 0x7f;
    private static final int MORE = 0x80;
    private static final int MAX_BYTES_OF_CHAR = 3;
    private static final int MAX_BYTES_OF_LENGTH = 5;

    private byte[] buffer = new byte[MIN_BYTES];
    private ByteBuffer out = ByteBuffer.wrap(buffer).order(ByteOrder.LITTLE_ENDIAN);

    /** Begins a row. */
    void clear() {
        out.clear();
    }

    /** The row. */
    byte[] toBytes() {
        return Arrays.copyOf(buffer, out.position());
    }

    /** Stands before the value of a nullable column. */
    void present(boolean isPresent) {
        room(1);
        out.put((byte) (isPresent ? 0 : 1));
    }

    void int32(int value) {
        room(Integer.BYTES);
        out.putInt(value);
    }

    void int64(long value) {
        room(Long.BYTES);
        out.putLong(value);
    }

    void text(String value) {
        room(MAX_BYTES_OF_LENGTH + MAX_BYTES_OF_CHAR * value.length());
        byte[] bytes = value.getBytes(StandardCharsets.UTF_8);
        int length = bytes.length;
        while (length > SEVEN_BITS) {
            out.put((byte) (length & SEVEN_BITS | MORE));
            length >>>= 7;
        }
        out.put((byte) length);
        out.put(bytes);
    }

    private void room(int bytes) {
        if (out.remaining() < bytes) {
            int position = out.position();
            buffer = Arrays.copyOf(buffer, Math.max(buffer.length * 2, position + bytes));
            out = ByteBuffer.wrap(buffer).order(ByteOrder.LITTLE_ENDIAN).position(position);
        }
    }
}
