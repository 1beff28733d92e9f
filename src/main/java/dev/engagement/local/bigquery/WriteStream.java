package dev.engagement.local.bigquery;

import com.google.cloud.bigquery.storage.v1.ProtoRows;
import com.google.cloud.bigquery.storage.v1.StorageError.StorageErrorCode;
import com.google.protobuf.ByteString;
import com.google.protobuf.DescriptorProtos.DescriptorProto;
import io.grpc.Status;
import java.time.Instant;
import java.util.List;
import java.util.OptionalLong;
import java.util.concurrent.locks.ReentrantLock;

/** A BUFFERED stream: rows wait in it until they are flushed, in the order of their offsets. Thread safe. */
final class WriteStream implements AutoCloseable {

    private final String name;
    private final TableId table;
    private final Instant created;
    private final StreamLog log;
    /** One flush at a time; appends go on beside it. */
    private final ReentrantLock flushing = new ReentrantLock();

    private Instant used;
    /** The offset the next row gets. */
    private long end;
    /** The first offset that is not visible. */
    private long flushed;

    private boolean finalized;

    WriteStream(
            String name, TableId table, Instant created, Instant used, long flushed, boolean finalized, StreamLog log) {
        this.name = name;
        this.table = table;
        this.created = created;
        this.used = used;
        this.flushed = flushed;
        this.finalized = finalized;
        this.log = log;
        this.end = Math.max(flushed, log.end());
    }

    String name() {
        return name;
    }

    TableId table() {
        return table;
    }

    Instant created() {
        return created;
    }

    synchronized boolean isExpired(Instant now) {
        return !used.plus(WriteStreams.LIFE).isAfter(now);
    }

    synchronized void use(Instant now) {
        used = now;
    }

    /** What is done with rows whose offset fits; may refuse them. */
    interface Check {
        void check();
    }

    /**
     * Takes rows behind those it has.
     *
     * @param offset the client expects the first row to get; none for whatever comes next
     * @param keep whether to keep the rows; if not, only their offsets pass
     * @return the offset of the first row
     * @throws Refusal if it does not take them; none of them then
     */
    synchronized long append(OptionalLong offset, DescriptorProto schema, ProtoRows rows, boolean keep, Check check) {
        refuseIfFinalized("append");
        if (offset.isPresent() && offset.getAsLong() < end) {
            throw Refusal.of(
                    Status.Code.ALREADY_EXISTS,
                    StorageErrorCode.OFFSET_ALREADY_EXISTS,
                    name,
                    "The offset is within stream, expected offset " + end + ", received " + offset.getAsLong()
                            + " Entity: " + name);
        }
        if (offset.isPresent() && offset.getAsLong() > end) {
            throw Refusal.of(
                    Status.Code.OUT_OF_RANGE,
                    StorageErrorCode.OFFSET_OUT_OF_RANGE,
                    name,
                    "The offset is beyond stream, expected offset " + end + ", received " + offset.getAsLong()
                            + " Entity: " + name);
        }
        check.check();
        long first = end;
        if (keep) {
            log.append(first, schema, rows);
        }
        end += rows.getSerializedRowsCount();
        return first;
    }

    private void refuseIfFinalized(String what) {
        if (finalized) {
            throw Refusal.of(
                    Status.Code.INVALID_ARGUMENT,
                    StorageErrorCode.STREAM_FINALIZED,
                    name,
                    "Stream has been finalized and cannot be " + (what.equals("append") ? "appended" : "flushed")
                            + ". Entity: " + name);
        }
    }

    /** The form in which rows of the stream are stored: by message and table. */
    interface Layouts {
        RowLayout of(DescriptorProto schema);
    }

    /**
     * Makes all rows up to and including the offset visible.
     *
     * @return how many became visible
     * @throws Refusal if there is no such row, or it is visible already
     */
    long flush(long offset, Store store, Table definition, Layouts layouts) {
        flushing.lock();
        try {
            long from;
            List<StreamLog.Batch> batches;
            synchronized (this) {
                refuseIfFinalized("flush");
                if (offset < flushed) {
                    throw Refusal.of(
                            Status.Code.ALREADY_EXISTS,
                            StorageErrorCode.OFFSET_ALREADY_EXISTS,
                            name,
                            "Rows up to offset " + (flushed - 1) + " are already flushed, requested " + offset
                                    + ". Entity: " + name);
                }
                if (offset >= end) {
                    throw Refusal.of(
                            Status.Code.OUT_OF_RANGE,
                            StorageErrorCode.OFFSET_OUT_OF_RANGE,
                            name,
                            "The stream ends at offset " + end + ", rows up to " + offset
                                    + " cannot be flushed. Entity: " + name);
                }
                from = flushed;
                batches = log.batches(from, offset + 1);
            }
            store.flush(definition, name, offset + 1, reader -> {
                for (StreamLog.Batch batch : batches) {
                    RowLayout layout = layouts.of(batch.schema());
                    RowLayout.Row row = layout.newRow();
                    long next = batch.firstOffset();
                    for (ByteString message : log.read(batch)) {
                        if (next >= from && next <= offset) {
                            reader.read(layout, row, message);
                        }
                        next++;
                    }
                }
            });
            synchronized (this) {
                flushed = offset + 1;
                if (flushed == end) {
                    log.clear();
                }
            }
            return offset + 1 - from;
        } finally {
            flushing.unlock();
        }
    }

    /** Ends it; answers how many rows it got. */
    synchronized long finish() {
        finalized = true;
        return end;
    }

    void delete() {
        flushing.lock();
        try {
            synchronized (this) {
                log.delete();
            }
        } finally {
            flushing.unlock();
        }
    }

    @Override
    public void close() {
        flushing.lock();
        try {
            synchronized (this) {
                log.close();
            }
        } finally {
            flushing.unlock();
        }
    }
}
