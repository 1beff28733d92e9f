package dev.engagement.local.bigquery;

import com.google.cloud.bigquery.storage.v1.AppendRowsRequest;
import com.google.cloud.bigquery.storage.v1.AppendRowsResponse;
import com.google.cloud.bigquery.storage.v1.BatchCommitWriteStreamsRequest;
import com.google.cloud.bigquery.storage.v1.BatchCommitWriteStreamsResponse;
import com.google.cloud.bigquery.storage.v1.BigQueryWriteGrpc;
import com.google.cloud.bigquery.storage.v1.CreateWriteStreamRequest;
import com.google.cloud.bigquery.storage.v1.FinalizeWriteStreamRequest;
import com.google.cloud.bigquery.storage.v1.FinalizeWriteStreamResponse;
import com.google.cloud.bigquery.storage.v1.FlushRowsRequest;
import com.google.cloud.bigquery.storage.v1.FlushRowsResponse;
import com.google.cloud.bigquery.storage.v1.GetWriteStreamRequest;
import com.google.cloud.bigquery.storage.v1.ProtoRows;
import com.google.cloud.bigquery.storage.v1.RowError;
import com.google.cloud.bigquery.storage.v1.WriteStream.Type;
import com.google.cloud.bigquery.storage.v1.WriteStreamView;
import com.google.protobuf.ByteString;
import com.google.protobuf.DescriptorProtos.DescriptorProto;
import com.google.protobuf.Int64Value;
import com.google.protobuf.Timestamp;
import io.grpc.Status;
import io.grpc.stub.StreamObserver;
import java.time.Clock;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** {@code google.cloud.bigquery.storage.v1.BigQueryWrite}: BUFFERED streams, rows as protocol buffers. */
final class WriteService extends BigQueryWriteGrpc.BigQueryWriteImplBase implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(WriteService.class);
    private static final String ROW_ID = "event_id";

    private final Tables tables;
    private final WriteStreams streams;
    private final Store store;
    private final Faults faults;
    private final Counters counters;
    private final Clock clock;
    private final int maxRequestBytes;
    private final ScheduledExecutorService later;
    /** What waits for the end of a black hole. */
    private final Set<Runnable> swallowed = ConcurrentHashMap.newKeySet();

    WriteService(
            Tables tables,
            WriteStreams streams,
            Store store,
            Faults faults,
            Counters counters,
            Clock clock,
            int maxRequestBytes) {
        this.tables = tables;
        this.streams = streams;
        this.store = store;
        this.faults = faults;
        this.counters = counters;
        this.clock = clock;
        this.maxRequestBytes = maxRequestBytes;
        this.later = Executors.newSingleThreadScheduledExecutor(task -> {
            Thread thread = new Thread(task, "bigquery-later");
            thread.setDaemon(true);
            return thread;
        });
        faults.onBlackHoleEnd(() -> {
            List<Runnable> waiting = List.copyOf(swallowed);
            swallowed.clear();
            waiting.forEach(Runnable::run);
        });
    }

    @Override
    public void createWriteStream(
            CreateWriteStreamRequest request, StreamObserver<com.google.cloud.bigquery.storage.v1.WriteStream> to) {
        answer(to, () -> {
            faults.refuse(Faults.Call.CREATE);
            Table table = tables.forWriting(TableId.ofPath(request.getParent()));
            denyIfFresh(table);
            Type type = request.getWriteStream().getType();
            if (type != Type.BUFFERED) {
                throw Refusal.invalidArgument("The emulator has BUFFERED streams only, not " + type);
            }
            counters.streamsCreated.increment();
            return describe(streams.create(table.id()), table, true);
        });
    }

    @Override
    public void getWriteStream(
            GetWriteStreamRequest request, StreamObserver<com.google.cloud.bigquery.storage.v1.WriteStream> to) {
        answer(to, () -> {
            WriteStream stream = streams.get(request.getName());
            return describe(stream, tables.forWriting(stream.table()), request.getView() == WriteStreamView.FULL);
        });
    }

    private static com.google.cloud.bigquery.storage.v1.WriteStream describe(
            WriteStream stream, Table table, boolean withSchema) {
        Instant created = stream.created();
        var answer = com.google.cloud.bigquery.storage.v1.WriteStream.newBuilder()
                .setName(stream.name())
                .setType(Type.BUFFERED)
                .setWriteMode(com.google.cloud.bigquery.storage.v1.WriteStream.WriteMode.INSERT)
                .setCreateTime(Timestamp.newBuilder()
                        .setSeconds(created.getEpochSecond())
                        .setNanos(created.getNano()))
                .setLocation("us");
        if (withSchema) {
            answer.setTableSchema(table.toProto());
        }
        return answer.build();
    }

    @Override
    public void flushRows(FlushRowsRequest request, StreamObserver<FlushRowsResponse> to) {
        answer(to, () -> {
            try {
                faults.refuse(Faults.Call.FLUSH);
                WriteStream stream = streams.get(request.getWriteStream());
                Table table = tables.forWriting(stream.table());
                denyIfFresh(table);
                if (!request.hasOffset()) {
                    throw Refusal.invalidArgument("The offset to flush up to is missing. Entity: " + stream.name());
                }
                long offset = request.getOffset().getValue();
                counters.rowsFlushed.add(stream.flush(offset, store, table, schema -> RowLayout.of(schema, table)));
                counters.flushes.increment();
                if (faults.takeLostFlushReply()) {
                    throw Refusal.of(Status.Code.UNAVAILABLE, "A fault of the emulator: the reply was lost");
                }
                return FlushRowsResponse.newBuilder().setOffset(offset).build();
            } catch (Refusal e) {
                counters.flushesRefused.increment();
                throw e;
            }
        });
    }

    @Override
    public void finalizeWriteStream(
            FinalizeWriteStreamRequest request, StreamObserver<FinalizeWriteStreamResponse> to) {
        answer(to, () -> {
            WriteStream stream = streams.get(request.getName());
            store.finalizeStream(stream.name());
            return FinalizeWriteStreamResponse.newBuilder()
                    .setRowCount(stream.finish())
                    .build();
        });
    }

    @Override
    public void batchCommitWriteStreams(
            BatchCommitWriteStreamsRequest request, StreamObserver<BatchCommitWriteStreamsResponse> to) {
        answer(to, () -> {
            throw Refusal.of(Status.Code.UNIMPLEMENTED, "The emulator has no PENDING streams to commit");
        });
    }

    private <T> void answer(StreamObserver<T> to, Supplier<T> work) {
        if (faults.isBlackHole()) {
            swallow(() -> to.onError(blackHoleEnded().toException()));
            return;
        }
        T result;
        try {
            result = work.get();
        } catch (Refusal e) {
            to.onError(e.toException());
            return;
        } catch (RuntimeException e) {
            LOG.error("A call failed", e);
            to.onError(Refusal.of(Status.Code.INTERNAL, String.valueOf(e)).toException());
            return;
        }
        to.onNext(result);
        to.onCompleted();
    }

    private void swallow(Runnable atTheEnd) {
        swallowed.add(atTheEnd);
        // It may have ended meanwhile.
        if (!faults.isBlackHole() && swallowed.remove(atTheEnd)) {
            atTheEnd.run();
        }
    }

    private static Refusal blackHoleEnded() {
        return Refusal.of(Status.Code.UNAVAILABLE, "A fault of the emulator: the black hole ended");
    }

    private void denyIfFresh(Table table) {
        if (clock.instant().isBefore(table.created().plus(faults.freshTableDenial()))) {
            throw Refusal.of(
                    Status.Code.PERMISSION_DENIED,
                    "Permission 'TABLES_UPDATE_DATA' denied on resource '"
                            + table.id().path() + "' (or it may not exist).");
        }
    }

    @Override
    public StreamObserver<AppendRowsRequest> appendRows(StreamObserver<AppendRowsResponse> to) {
        counters.connections.incrementAndGet();
        return new AppendConnection(to);
    }

    /** One AppendRows call: appends to one stream, answered in their order. gRPC calls it from one thread at a time. */
    private final class AppendConnection implements StreamObserver<AppendRowsRequest> {

        private final StreamObserver<AppendRowsResponse> to;
        private final Object answers = new Object();
        private long lastDue;
        private int waiting;
        /** Ended, or swallowed by a black hole. */
        private volatile boolean over;

        private final AtomicBoolean counted = new AtomicBoolean(true);

        private String streamName = "";
        private @Nullable DescriptorProto schema;
        private @Nullable RowLayout layout;
        private long tableVersion;
        private int answered;

        AppendConnection(StreamObserver<AppendRowsResponse> to) {
            this.to = to;
        }

        @Override
        public void onNext(AppendRowsRequest request) {
            if (over) {
                return;
            }
            if (faults.isBlackHole()) {
                over = true;
                swallow(() -> {
                    leave();
                    answer(() -> to.onError(blackHoleEnded().toException()));
                });
                return;
            }
            int limit = faults.disconnectLimit();
            if (limit > 0 && answered >= limit) {
                end(Refusal.of(Status.Code.UNAVAILABLE, "A fault of the emulator: disconnected"));
                return;
            }
            answered++;
            try {
                append(request);
            } catch (Refusal e) {
                end(e);
            } catch (RuntimeException e) {
                LOG.error("An append failed", e);
                end(Refusal.of(Status.Code.INTERNAL, String.valueOf(e)));
            }
        }

        /**
         * @throws Refusal with which the connection ends; others stand in the answer
         */
        private void append(AppendRowsRequest request) {
            faults.refuse(Faults.Call.CONNECTION);
            int bytes = request.getSerializedSize();
            if (bytes > maxRequestBytes) {
                throw Refusal.invalidArgument("AppendRows request too large: " + bytes + " limit " + maxRequestBytes);
            }
            WriteStream stream = stream(request);
            if (request.getProtoRows().hasWriterSchema()) {
                // Also of a request that is refused: the client does not send it again.
                schema = request.getProtoRows().getWriterSchema().getProtoDescriptor();
                layout = null;
            }
            Table table = tables.forWriting(stream.table());
            denyIfFresh(table);
            boolean keep = !faults.isDiscarding();
            long first;
            try {
                faults.refuse(Faults.Call.APPEND);
                first = append(request, stream, table, keep);
            } catch (Refusal e) {
                refuse(stream, e);
                return;
            }
            int rows = request.getProtoRows().getRows().getSerializedRowsCount();
            counters.appends.increment();
            counters.bytes.add(bytes);
            counters.rowsAppended.add(rows);
            if (!keep) {
                counters.rowsDiscarded.add(rows);
            }
            if (faults.takeLostAcknowledgement()) {
                leave();
                answer(() -> to.onError(
                        Refusal.of(Status.Code.UNAVAILABLE, "A fault of the emulator: the acknowledgement was lost")
                                .toException()));
                return;
            }
            AppendRowsResponse.Builder response = AppendRowsResponse.newBuilder()
                    .setWriteStream(stream.name())
                    .setAppendResult(
                            AppendRowsResponse.AppendResult.newBuilder().setOffset(Int64Value.of(first)));
            if (tableVersion != 0 && tableVersion != table.version()) {
                response.setUpdatedSchema(table.toProto());
            }
            tableVersion = table.version();
            answer(() -> to.onNext(response.build()));
        }

        private WriteStream stream(AppendRowsRequest request) {
            String named = request.getWriteStream();
            if (!named.isEmpty()) {
                if (named.endsWith("/_default")) {
                    throw Refusal.of(Status.Code.UNIMPLEMENTED, "The emulator has no default streams");
                }
                if (!streamName.isEmpty() && !streamName.equals(named)) {
                    throw Refusal.invalidArgument(
                            "A connection writes to one stream: " + streamName + ", not also " + named);
                }
                streamName = named;
            }
            if (streamName.isEmpty()) {
                throw Refusal.invalidArgument("The first request of a connection has to name the stream");
            }
            return streams.get(streamName);
        }

        private long append(AppendRowsRequest request, WriteStream stream, Table table, boolean keep) {
            if (!request.hasProtoRows()) {
                throw Refusal.invalidArgument(
                        "The emulator takes rows as protocol buffers only. Entity: " + streamName);
            }
            if (schema == null) {
                throw Refusal.invalidArgument("The first request of a connection has to bring the writer's schema."
                        + " Entity: " + streamName);
            }
            if (layout == null || tableVersion != table.version()) {
                layout = RowLayout.of(schema, table);
            }
            ProtoRows rows = request.getProtoRows().getRows();
            if (rows.getSerializedRowsCount() == 0) {
                throw Refusal.invalidArgument("No rows in the request. Entity: " + streamName);
            }
            OptionalLong offset =
                    request.hasOffset() ? OptionalLong.of(request.getOffset().getValue()) : OptionalLong.empty();
            RowLayout form = layout;
            return stream.append(offset, schema, rows, keep, () -> {
                if (keep) {
                    check(rows, form, stream, table);
                }
            });
        }

        private void refuse(WriteStream stream, Refusal refusal) {
            counters.appendsRefused.increment();
            counters.rowsRefused.add(refusal.rowErrors().size());
            AppendRowsResponse response = AppendRowsResponse.newBuilder()
                    .setWriteStream(stream.name())
                    .setError(refusal.toStatus())
                    .addAllRowErrors(refusal.rowErrors())
                    .build();
            answer(() -> to.onNext(response));
        }

        private void end(Refusal refusal) {
            leave();
            counters.appendsRefused.increment();
            answer(() -> to.onError(refusal.toException()));
        }

        /** Behind all earlier answers, and as much later as the faults say. */
        private void answer(Runnable answer) {
            long delay = faults.appendDelay().toNanos();
            synchronized (answers) {
                if (delay == 0 && waiting == 0) {
                    send(answer);
                    return;
                }
                long now = System.nanoTime();
                lastDue = waiting == 0 ? now + delay : Math.max(lastDue, now + delay);
                waiting++;
                try {
                    var unused = later.schedule(() -> sendLater(answer), lastDue - now, TimeUnit.NANOSECONDS);
                } catch (RejectedExecutionException e) {
                    // The emulator is stopping; the connection ends with it.
                    over = true;
                }
            }
        }

        private void sendLater(Runnable answer) {
            synchronized (answers) {
                waiting--;
                send(answer);
            }
        }

        private void send(Runnable answer) {
            try {
                answer.run();
            } catch (RuntimeException e) {
                // The client has gone; whatever it did not hear it asks for again.
                over = true;
                LOG.debug("A client has gone", e);
            }
        }

        /** Counts it out, once: gRPC tells of an end by the client only. */
        private void leave() {
            over = true;
            if (counted.compareAndSet(true, false)) {
                counters.connections.decrementAndGet();
            }
        }

        @Override
        public void onError(Throwable t) {
            leave();
        }

        @Override
        public void onCompleted() {
            if (!over) {
                answer(to::onCompleted);
            }
            leave();
        }
    }

    /**
     * @throws Refusal naming all rows that cannot be stored
     */
    private void check(ProtoRows rows, RowLayout layout, WriteStream stream, Table table) {
        Set<Long> refused = faults.refusedRows();
        int id = indexOf(table, ROW_ID);
        Optional<Partitioning> partitioning = table.partitioning();
        int time = partitioning.map(p -> table.columns().indexOf(p.column())).orElse(-1);
        Set<Long> partitions = new HashSet<>();
        List<RowError> errors = new ArrayList<>();
        RowLayout.Row row = layout.newRow();
        long lastPartition = Long.MIN_VALUE;
        for (int i = 0; i < rows.getSerializedRowsCount(); i++) {
            ByteString message = rows.getSerializedRows(i);
            Optional<String> violation = layout.read(message, row);
            if (violation.isEmpty() && id >= 0 && row.present[id] && refused.contains(row.bits[id])) {
                violation = Optional.of("A fault of the emulator: the row was refused");
            }
            if (violation.isPresent()) {
                errors.add(RowError.newBuilder()
                        .setIndex(i)
                        .setCode(RowError.RowErrorCode.FIELDS_ERROR)
                        .setMessage(violation.get())
                        .build());
            } else if (time >= 0 && row.present[time]) {
                long partition = partitioning.get().partitionOf(row.bits[time]);
                if (partition != lastPartition) {
                    partitions.add(partition);
                    lastPartition = partition;
                }
            }
        }
        if (!errors.isEmpty()) {
            throw Refusal.ofRows(stream.name(), errors);
        }
        tables.addPartitions(table, partitions);
    }

    private static int indexOf(Table table, String column) {
        for (int i = 0; i < table.columns().size(); i++) {
            if (table.columns().get(i).name().toLowerCase(Locale.ROOT).equals(column)
                    && table.columns().get(i).type() == ColumnType.INT64) {
                return i;
            }
        }
        return -1;
    }

    @Override
    public void close() {
        later.shutdownNow();
    }
}
