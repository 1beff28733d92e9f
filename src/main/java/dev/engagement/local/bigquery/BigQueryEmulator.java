package dev.engagement.local.bigquery;

import com.fasterxml.jackson.databind.JsonNode;
import com.sun.net.httpserver.HttpServer;
import io.grpc.Server;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * BigQuery's Storage Write API over gRPC and its REST, inside this JVM, on the loopback interface unless told otherwise,
 * and without any authentication. What was flushed, and what was acknowledged and waits for a flush, is in the folder: it survives {@link
 * #close}, and a kill -9 of the JVM, and a later {@link #start} on it. One emulator a folder.
 *
 * <pre>{@code
 * try (BigQueryEmulator bigQuery = BigQueryEmulator.start(Path.of("target/it/my-test/bigquery"), 0, 0)) {
 *     bigQuery.createDataset("local", "analytics");
 *     … bigQuery.grpc() … bigQuery.rest() …
 *     bigQuery.faults().loseAppendAcknowledgements(2);
 *     … bigQuery.query("local", "SELECT COUNT(*) FROM analytics.engagement_events") …
 * }
 * }</pre>
 *
 * <p>Strict: offsets, schemas, row errors, partition limits and sizes are checked as BigQuery does. Not there: PENDING,
 * COMMITTED and default streams, Arrow rows, DDL, DML other than DELETE
 * and a MERGE that inserts, nested and repeated columns, IAM and quotas.
 *
 * <p>Thread safe.
 */
public final class BigQueryEmulator implements AutoCloseable {

    /** The most an AppendRows request may hold, in bytes. */
    public static final int MAX_REQUEST_BYTES = 10 * 1024 * 1024;

    /** The loopback interface. */
    public static final String HOST = "127.0.0.1";

    /** Larger requests are read to be refused in BigQuery's words. */
    private static final int MAX_MESSAGE_BYTES = 4 * MAX_REQUEST_BYTES;

    private static final int STOP_SECONDS = 5;

    private final Store store;
    private final WriteStreams streams;
    private final Tables tables;
    private final Queries queries;
    private final WriteService writes;
    private final EmulatorClock clock;
    private final Faults faults;
    private final Counters counters = new Counters();
    private final ExecutorService workers;
    private final Server grpc;
    private final HttpServer rest;

    private BigQueryEmulator(Path directory, String host, int restPort, int grpcPort, Clock base) throws IOException {
        Files.createDirectories(directory);
        clock = new EmulatorClock(base);
        store = new Store(directory.resolve("bigquery.duckdb"));
        tables = new Tables(store, clock);
        streams = new WriteStreams(store, directory.resolve("streams"), clock);
        queries = new Queries(tables, store, clock, counters);
        faults = new Faults(streams::finalizeAll);
        writes = new WriteService(tables, streams, store, faults, counters, clock, MAX_REQUEST_BYTES);
        AtomicInteger number = new AtomicInteger();
        workers = Executors.newCachedThreadPool(task -> {
            Thread thread = new Thread(task, "bigquery-" + number.incrementAndGet());
            thread.setDaemon(true);
            return thread;
        });
        grpc = NettyServerBuilder.forAddress(new InetSocketAddress(InetAddress.getByName(host), grpcPort))
                .maxInboundMessageSize(MAX_MESSAGE_BYTES)
                .flowControlWindow(MAX_REQUEST_BYTES)
                .executor(workers)
                .addService(writes)
                .build()
                .start();
        rest = HttpServer.create(new InetSocketAddress(InetAddress.getByName(host), restPort), 0);
        rest.setExecutor(workers);
        rest.createContext("/", new RestService(this, tables, streams, queries, store));
        rest.start();
    }

    /**
     * Starts it with what the folder holds; empty if it has nothing yet.
     *
     * @param directory of this emulator alone; created if missing
     * @param restPort where REST listens; 0 takes a free one
     * @param grpcPort where gRPC listens; 0 takes a free one
     * @throws EmulatorException if it does not start
     */
    public static BigQueryEmulator start(Path directory, int restPort, int grpcPort) {
        return start(directory, HOST, restPort, grpcPort);
    }

    /**
     * As {@link #start(Path, int, int)}, where others reach it too: nothing asks who they are.
     *
     * @param host address to listen at
     */
    public static BigQueryEmulator start(Path directory, String host, int restPort, int grpcPort) {
        return start(directory, host, restPort, grpcPort, Clock.systemUTC());
    }

    /** As {@link #start(Path, int, int)}, with a clock of the test's. */
    static BigQueryEmulator start(Path directory, int restPort, int grpcPort, Clock base) {
        return start(directory, HOST, restPort, grpcPort, base);
    }

    private static BigQueryEmulator start(Path directory, String host, int restPort, int grpcPort, Clock base) {
        try {
            return new BigQueryEmulator(directory, host, restPort, grpcPort, base);
        } catch (IOException | UncheckedIOException e) {
            throw new EmulatorException(
                    "The BigQuery emulator did not start in " + directory + ", REST on port " + restPort + ", gRPC on "
                            + grpcPort + ": " + e.getMessage(),
                    e);
        }
    }

    /** Where REST answers: {@code http://host:port}, without the path {@code /bigquery/v2}. */
    public String rest() {
        return "http://" + HOST + ":" + rest.getAddress().getPort();
    }

    /** Where gRPC listens, in plain text: {@code host:port}. */
    public String grpc() {
        return HOST + ":" + grpc.getPort();
    }

    /** What it does wrong on purpose: nothing, at first. */
    public Faults faults() {
        return faults;
    }

    /** Its time: of streams, fresh tables, expired partitions and CURRENT_TIMESTAMP. */
    public EmulatorClock clock() {
        return clock;
    }

    public EmulatorStats stats() {
        return new EmulatorStats(
                counters.rowsAppended.sum(),
                counters.rowsDiscarded.sum(),
                counters.rowsFlushed.sum(),
                counters.rowsRefused.sum(),
                counters.appends.sum(),
                counters.appendsRefused.sum(),
                counters.flushes.sum(),
                counters.flushesRefused.sum(),
                counters.bytes.sum(),
                counters.streamsCreated.sum(),
                counters.queries.sum(),
                counters.bytesProcessed.sum(),
                streams.size(),
                counters.connections.get());
    }

    /**
     * @throws RestException if it is there already
     */
    public void createDataset(String project, String dataset) {
        tables.createDataset(project, dataset);
    }

    /**
     * Creates a table as {@code tables.insert} does.
     *
     * @param resource its JSON, such as <code>{"schema": {"fields": [{"name": "event_id", "type": "INT64", "mode":
     *     "REQUIRED"}]}}</code>
     * @throws RestException if it is there already, or no such table can be
     */
    public void createTable(String project, String dataset, String table, String resource) {
        tables.create(new TableId(project, dataset, table), Json.parse(resource));
    }

    /**
     * Answers a query in GoogleSQL as {@code jobs.query} does: a row is a list of texts, null for NULL.
     *
     * @throws RestException if BigQuery would refuse it, or the emulator cannot answer it
     */
    public List<List<@Nullable String>> query(String project, String sql) {
        JsonNode answer =
                queries.answer(project, Json.object().put("query", sql).put("useLegacySql", false));
        List<List<@Nullable String>> rows = new ArrayList<>();
        for (JsonNode row : answer.path("rows")) {
            List<@Nullable String> cells = new ArrayList<>();
            for (JsonNode cell : row.path("f")) {
                JsonNode value = cell.path("v");
                cells.add(value.isNull() ? null : value.isTextual() ? value.asText() : value.toString());
            }
            rows.add(cells);
        }
        return rows;
    }

    /** Stops in order; connections break, what was acknowledged stays. */
    @Override
    public void close() {
        faults.blackHole(false);
        writes.close();
        grpc.shutdownNow();
        rest.stop(0);
        workers.shutdownNow();
        try {
            boolean unused = grpc.awaitTermination(STOP_SECONDS, TimeUnit.SECONDS)
                    && workers.awaitTermination(STOP_SECONDS, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        streams.close();
        store.close();
    }
}
