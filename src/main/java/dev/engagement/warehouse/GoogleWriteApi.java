package dev.engagement.warehouse;

import com.google.api.core.ApiFuture;
import com.google.api.core.ApiFutureCallback;
import com.google.api.core.ApiFutures;
import com.google.api.gax.core.CredentialsProvider;
import com.google.api.gax.core.FixedCredentialsProvider;
import com.google.api.gax.core.FixedExecutorProvider;
import com.google.api.gax.core.NoCredentialsProvider;
import com.google.api.gax.grpc.GrpcTransportChannel;
import com.google.api.gax.rpc.FixedTransportChannelProvider;
import com.google.api.gax.rpc.TransportChannelProvider;
import com.google.auth.oauth2.GoogleCredentials;
import com.google.cloud.bigquery.storage.v1.AppendRowsRequest;
import com.google.cloud.bigquery.storage.v1.AppendRowsResponse;
import com.google.cloud.bigquery.storage.v1.BigQueryWriteClient;
import com.google.cloud.bigquery.storage.v1.BigQueryWriteSettings;
import com.google.cloud.bigquery.storage.v1.CreateWriteStreamRequest;
import com.google.cloud.bigquery.storage.v1.FlushRowsRequest;
import com.google.cloud.bigquery.storage.v1.ProtoRows;
import com.google.cloud.bigquery.storage.v1.ProtoSchema;
import com.google.cloud.bigquery.storage.v1.StreamWriter;
import com.google.cloud.bigquery.storage.v1.WriteStream;
import com.google.common.util.concurrent.MoreExecutors;
import com.google.protobuf.ByteString;
import com.google.protobuf.Int64Value;
import com.google.protobuf.UnsafeByteOperations;
import dev.engagement.rowstore.Appended;
import dev.engagement.rowstore.RowApi;
import io.grpc.ManagedChannel;
import io.grpc.ManagedChannelBuilder;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/**
 * {@link RowApi} over Google's client. Repetitions are the caller's: neither a unary call nor a broken connection is
 * retried in here for longer than a moment, so that one place decides and counts.
 *
 * <p>Each connection has a channel of its own, which can be cut: the client's writer waits for minutes, when it is closed,
 * for a server that says nothing.
 */
final class GoogleWriteApi implements RowApi {

    private static final Duration CALL_TIMEOUT = Duration.ofSeconds(30);
    private static final Duration RECONNECTING_IS_OURS = Duration.ofMillis(1);
    private static final long GRACE_MILLIS = 200;
    private static final long CLOSE_SECONDS = 5;
    private static final int KEEP_ALIVE_SECONDS = 60;

    /** Above what is ever in flight: the writer bounds that itself, and never waits in here. */
    private static final int NO_BOUND_OF_REQUESTS = 100_000;

    private final WarehouseOptions options;
    private final ProtoSchema schema;
    private final CredentialsProvider credentials;
    private final ScheduledExecutorService executor;
    private final ManagedChannel channel;
    private final BigQueryWriteClient client;
    private final Set<Connection> connections = ConcurrentHashMap.newKeySet();

    GoogleWriteApi(WarehouseOptions options) {
        this.options = options;
        this.schema = ProtoSchema.newBuilder()
                .setProtoDescriptor(Columns.descriptor(options.eventIds()))
                .build();
        GoogleCredentials found = BigQueryCredentials.of(options);
        this.credentials = found == null ? NoCredentialsProvider.create() : FixedCredentialsProvider.create(found);
        this.executor = Executors.newScheduledThreadPool(2, runnable -> {
            Thread thread = new Thread(runnable, "warehouse-io");
            thread.setDaemon(true);
            return thread;
        });
        this.channel = channel();
        try {
            BigQueryWriteSettings.Builder settings = BigQueryWriteSettings.newBuilder()
                    .setTransportChannelProvider(over(channel))
                    .setCredentialsProvider(credentials)
                    .setBackgroundExecutorProvider(FixedExecutorProvider.create(executor));
            settings.createWriteStreamSettings().setSimpleTimeoutNoRetriesDuration(CALL_TIMEOUT);
            settings.flushRowsSettings().setSimpleTimeoutNoRetriesDuration(CALL_TIMEOUT);
            this.client = BigQueryWriteClient.create(settings.build());
        } catch (IOException e) {
            throw new UncheckedIOException("BigQuery's client does not start", e);
        }
    }

    private ManagedChannel channel() {
        ManagedChannelBuilder<?> builder = ManagedChannelBuilder.forTarget(
                        options.endpoints().grpcTarget())
                .keepAliveTime(KEEP_ALIVE_SECONDS, TimeUnit.SECONDS);
        return options.endpoints().isPlain() ? builder.usePlaintext().build() : builder.build();
    }

    private static TransportChannelProvider over(ManagedChannel channel) {
        return FixedTransportChannelProvider.create(GrpcTransportChannel.create(channel));
    }

    @Override
    public CompletableFuture<Appender> open(@Nullable String stream) {
        if (stream != null) {
            return completed(CompletableFuture.completedFuture(stream).thenApplyAsync(this::connect, executor));
        }
        CompletableFuture<WriteStream> created = of(client.createWriteStreamCallable()
                .futureCall(CreateWriteStreamRequest.newBuilder()
                        .setParent(options.tablePath())
                        .setWriteStream(WriteStream.newBuilder().setType(WriteStream.Type.BUFFERED))
                        .build()));
        return completed(created.thenApplyAsync(made -> connect(made.getName()), executor));
    }

    private Appender connect(String stream) {
        loadClassesOfAppends(stream);
        ManagedChannel own = channel();
        try {
            StreamWriter writer = StreamWriter.newBuilder(stream)
                    .setWriterSchema(schema)
                    .setChannelProvider(over(own))
                    .setCredentialsProvider(credentials)
                    .setExecutorProvider(FixedExecutorProvider.create(executor))
                    .setMaxInflightRequests(NO_BOUND_OF_REQUESTS)
                    .setMaxInflightBytes(Long.MAX_VALUE)
                    .setMaxRetryDuration(RECONNECTING_IS_OURS)
                    .build();
            Connection connection = new Connection(stream, writer, own);
            connections.add(connection);
            return connection;
        } catch (IOException e) {
            own.shutdownNow();
            throw new UncheckedIOException("BigQuery's client does not start", e);
        }
    }

    /** On this thread: the first append is made by a task's, which would load them for seconds on a cold and busy machine. */
    private void loadClassesOfAppends(String stream) {
        ByteString unused = AppendRowsRequest.newBuilder()
                .setWriteStream(stream)
                .setOffset(Int64Value.of(0))
                .setProtoRows(AppendRowsRequest.ProtoData.newBuilder()
                        .setWriterSchema(schema)
                        .setRows(ProtoRows.newBuilder().addSerializedRows(ByteString.EMPTY)))
                .build()
                .toByteString();
    }

    @Override
    public CompletableFuture<Void> show(Appended rows) {
        FlushRowsRequest request = FlushRowsRequest.newBuilder()
                .setWriteStream(rows.stream())
                .setOffset(Int64Value.of(rows.lastOffset()))
                .build();
        return completed(of(client.flushRowsCallable().futureCall(request)).thenAccept(response -> {}));
    }

    @Override
    public void close() {
        connections.forEach(Connection::abandon);
        client.close();
        channel.shutdownNow();
        // What was scheduled to cut connections still runs.
        executor.shutdown();
        try {
            // A thread that outlives its task would keep the job's class loader alive.
            boolean ended = executor.awaitTermination(CLOSE_SECONDS, TimeUnit.SECONDS);
            if (!ended) {
                executor.shutdownNow();
            }
        } catch (InterruptedException e) {
            executor.shutdownNow();
            Thread.currentThread().interrupt();
        }
    }

    private static <T> CompletableFuture<T> of(ApiFuture<T> call) {
        CompletableFuture<T> future = new CompletableFuture<>();
        ApiFutures.addCallback(
                call,
                new ApiFutureCallback<T>() {
                    @Override
                    public void onFailure(Throwable problem) {
                        future.completeExceptionally(problem);
                    }

                    @Override
                    public void onSuccess(T result) {
                        future.complete(result);
                    }
                },
                MoreExecutors.directExecutor());
        return future;
    }

    /** Failures as the caller knows them. */
    private static <T> CompletableFuture<T> completed(CompletableFuture<T> call) {
        CompletableFuture<T> future = new CompletableFuture<>();
        var unused = call.whenComplete((result, problem) -> {
            if (problem == null) {
                future.complete(result);
            } else {
                future.completeExceptionally(GoogleFailures.of(problem));
            }
        });
        return future;
    }

    private final class Connection implements Appender {

        private final String stream;
        private final StreamWriter writer;
        private final ManagedChannel own;
        private final AtomicBoolean abandoned = new AtomicBoolean();

        Connection(String stream, StreamWriter writer, ManagedChannel own) {
            this.stream = stream;
            this.writer = writer;
            this.own = own;
        }

        @Override
        public String stream() {
            return stream;
        }

        @Override
        public CompletableFuture<Void> append(List<byte[]> rows, long offset) {
            ProtoRows.Builder data = ProtoRows.newBuilder();
            // Nobody changes a row that was made.
            rows.forEach(row -> data.addSerializedRows(UnsafeByteOperations.unsafeWrap(row)));
            return completed(of(writer.append(data.build(), offset)).thenAccept(response -> check(response, offset)));
        }

        private void check(AppendRowsResponse response, long offset) {
            if (response.getAppendResult().hasOffset()
                    && response.getAppendResult().getOffset().getValue() != offset) {
                throw new IllegalStateException("Rows for offset " + offset + " of " + stream + " were put at "
                        + response.getAppendResult().getOffset().getValue());
            }
        }

        @Override
        public void abandon() {
            if (!abandoned.compareAndSet(false, true)) {
                return;
            }
            connections.remove(this);
            try {
                executor.execute(writer::close);
                ScheduledFuture<?> unused = executor.schedule(own::shutdownNow, GRACE_MILLIS, TimeUnit.MILLISECONDS);
            } catch (RejectedExecutionException e) {
                // Opened while everything was being closed.
                own.shutdownNow();
            }
        }
    }
}
