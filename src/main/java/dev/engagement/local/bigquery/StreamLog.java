package dev.engagement.local.bigquery;

import com.google.cloud.bigquery.storage.v1.ProtoRows;
import com.google.protobuf.ByteString;
import com.google.protobuf.CodedOutputStream;
import com.google.protobuf.DescriptorProtos.DescriptorProto;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The rows of one stream that are not yet in the table, in a file, as they came: what was acknowledged survives a killed
 * process. A batch is written at once, so that at most the last one can be torn, and that one was never acknowledged.
 *
 * <p>Not thread safe, but {@link #read} of batches that are there may run beside {@link #append}.
 */
final class StreamLog implements AutoCloseable {

    private static final byte SCHEMA = 1;
    private static final byte ROWS = 2;
    /** Kind, first offset, number of rows, bytes that follow. */
    private static final int HEADER = Byte.BYTES + Long.BYTES + Integer.BYTES + Integer.BYTES;

    /** Where rows stand in the file, and in which form. */
    record Batch(long position, int bytes, long firstOffset, int rows, DescriptorProto schema) {

        long end() {
            return firstOffset + rows;
        }
    }

    private final Path file;
    private final FileChannel channel;
    private final List<Batch> batches = new ArrayList<>();
    private @Nullable DescriptorProto lastSchema;
    private long length;

    private StreamLog(Path file) throws IOException {
        this.file = file;
        this.channel =
                FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
    }

    /** Opens the file, or makes it; a torn end is cut off. */
    static StreamLog open(Path file) {
        try {
            StreamLog log = new StreamLog(file);
            log.recover();
            return log;
        } catch (IOException e) {
            throw new UncheckedIOException("The rows in " + file + " cannot be read", e);
        }
    }

    private void recover() throws IOException {
        long size = channel.size();
        long position = 0;
        while (position + HEADER <= size) {
            ByteBuffer header = readAt(position, HEADER);
            byte kind = header.get();
            long firstOffset = header.getLong();
            int rows = header.getInt();
            int bytes = header.getInt();
            if (position + HEADER + bytes > size) {
                break;
            }
            if (kind == SCHEMA) {
                lastSchema = DescriptorProto.parseFrom(
                        readAt(position + HEADER, bytes).array());
            } else if (lastSchema != null) {
                batches.add(new Batch(position + HEADER, bytes, firstOffset, rows, lastSchema));
            }
            position += HEADER + bytes;
        }
        length = position;
        channel.truncate(length);
    }

    private ByteBuffer readAt(long position, int bytes) throws IOException {
        ByteBuffer buffer = ByteBuffer.allocate(bytes);
        while (buffer.hasRemaining()) {
            if (channel.read(buffer, position + buffer.position()) < 0) {
                throw new IOException(file + " ends before " + (position + bytes));
            }
        }
        return buffer.flip();
    }

    void append(long firstOffset, DescriptorProto schema, ProtoRows rows) {
        try {
            if (!schema.equals(lastSchema)) {
                byte[] form = schema.toByteArray();
                write(SCHEMA, firstOffset, 0, form.length, out -> out.writeRawBytes(form));
                lastSchema = schema;
            }
            int bytes = rows.getSerializedSize();
            long begin = length;
            write(ROWS, firstOffset, rows.getSerializedRowsCount(), bytes, rows::writeTo);
            batches.add(new Batch(begin + HEADER, bytes, firstOffset, rows.getSerializedRowsCount(), schema));
        } catch (IOException e) {
            throw new UncheckedIOException("The rows cannot be written to " + file, e);
        }
    }

    private interface Content {
        void writeTo(CodedOutputStream out) throws IOException;
    }

    private void write(byte kind, long firstOffset, int rows, int bytes, Content content) throws IOException {
        ByteBuffer buffer = ByteBuffer.allocate(HEADER + bytes);
        buffer.put(kind).putLong(firstOffset).putInt(rows).putInt(bytes);
        content.writeTo(CodedOutputStream.newInstance(buffer.array(), HEADER, bytes));
        buffer.clear();
        while (buffer.hasRemaining()) {
            channel.write(buffer, length + buffer.position());
        }
        length += buffer.capacity();
    }

    /** All batches with rows in {@code [from, to)}. */
    List<Batch> batches(long from, long to) {
        return batches.stream()
                .filter(batch -> batch.firstOffset() < to && batch.end() > from)
                .toList();
    }

    List<ByteString> read(Batch batch) {
        try {
            return ProtoRows.parseFrom(readAt(batch.position(), batch.bytes())).getSerializedRowsList();
        } catch (IOException e) {
            throw new UncheckedIOException("The rows in " + file + " cannot be read", e);
        }
    }

    /** The offset behind the last row; 0 without rows. */
    long end() {
        return batches.isEmpty() ? 0 : batches.get(batches.size() - 1).end();
    }

    /** Forgets everything. */
    void clear() {
        try {
            channel.truncate(0);
        } catch (IOException e) {
            throw new UncheckedIOException(file + " cannot be emptied", e);
        }
        length = 0;
        lastSchema = null;
        batches.clear();
    }

    void delete() {
        close();
        try {
            Files.deleteIfExists(file);
        } catch (IOException e) {
            throw new UncheckedIOException(file + " cannot be deleted", e);
        }
    }

    @Override
    public void close() {
        try {
            channel.close();
        } catch (IOException e) {
            throw new UncheckedIOException(file + " cannot be closed", e);
        }
    }
}
