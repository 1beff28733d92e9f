package dev.engagement.clickhouse;

import dev.engagement.rowstore.Appended;
import dev.engagement.rowstore.RowApi;
import dev.engagement.rowstore.RowVerdict;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Rows of a checkpoint go into a staging table, and from there into the table: a stream is a staging table, made for one
 * writer and one checkpoint, of a name that nobody had before.
 *
 * <p><b>Appending.</b> An insert carries its offset as ClickHouse's deduplication token, and the staging table keeps the
 * tokens of more inserts than it will ever have: whether the answer was lost, the insert is on its way twice or comes late
 * from a writer that was given up, each is there once. It is refused whole or taken whole, as it is below the size of a
 * block.
 *
 * <p><b>Completing.</b> When all rows are there, each partition is merged into one part, so that its move is the renaming
 * of one directory, and counted. Fewer or more rows than were sent fail the job.
 *
 * <p><b>Showing.</b> {@code MOVE PARTITION} is not atomic: a server that is killed in it can have the part in both tables
 * when it comes back. So a partition is moved only if none of its sampled rows is in the table; if all are, it was moved
 * before, and what is left of it in the staging table goes with that. Event ids are in the stream once, so nobody else
 * brings these rows. A staging table that is not there although its rows are not in the table either was dropped by
 * somebody: the job stops and names it.
 */
final class StagingTables implements RowApi {

    private static final int THREADS = 4;
    private static final long CLOSE_SECONDS = 5;

    /** Of a partition; enough that deleting a few rows by hand does not hide that it was moved. */
    private static final int SAMPLES = 8;

    /** A JSON column is written as its text. */
    private static final String JSON_IS_TEXT = "input_format_binary_read_json_as_string";

    private static final String STAGING = "_staging_";

    private static final long NONE_SHOWN = -1;
    private static final int SHOWN_BETWEEN_SWEEPS = 1_000;

    /** The tasks of one attempt begin within less than that. */
    private static final long START_SECONDS = 3_600;

    private final ClickHouseOptions options;
    private final long begun = System.nanoTime();
    private final AtomicLong firstShown = new AtomicLong(NONE_SHOWN);
    private final AtomicInteger shownAfterFirst = new AtomicInteger();
    private final ClickHouseHttp http;
    private final String columns;
    private final ExecutorService threads = Executors.newFixedThreadPool(THREADS, runnable -> {
        Thread thread = new Thread(runnable, "clickhouse-io");
        thread.setDaemon(true);
        return thread;
    });

    StagingTables(ClickHouseOptions options) {
        this.options = options;
        this.http = new ClickHouseHttp(options);
        this.columns = ClickHouseColumns.of(options).stream()
                .map(ClickHouseColumns.Column::name)
                .collect(Collectors.joining(", "));
    }

    /** The table whose rows a staging table has, as both are named in full. */
    static String tableOf(String staging) {
        return staging.substring(0, staging.lastIndexOf(STAGING));
    }

    @Override
    public CompletableFuture<Appender> open(@Nullable String stream) {
        return asked(() -> {
            String staging = stream == null ? make() : stream;
            return new Inserts(staging);
        });
    }

    private String make() throws ClickHouseFailure, InterruptedException {
        String name = options.tableName()
                + STAGING
                + UUID.randomUUID().toString().replace("-", "").toLowerCase(Locale.ROOT);
        http.run("CREATE TABLE " + name + " AS " + options.tableName());
        // Inserts of one checkpoint, beyond any number of them; it costs what there are.
        http.run("ALTER TABLE " + name + " MODIFY SETTING non_replicated_deduplication_window = 1000000");
        return name;
    }

    private final class Inserts implements Appender {

        private final String staging;

        Inserts(String staging) {
            this.staging = staging;
        }

        @Override
        public String stream() {
            return staging;
        }

        @Override
        public CompletableFuture<Void> append(List<byte[]> rows, long offset) {
            List<byte[]> sent = List.copyOf(rows);
            return asked(() -> {
                insert(staging, sent, offset);
                return null;
            });
        }

        @Override
        public void abandon() {
            // A request that is on its way may still arrive: it is there once, however often it comes.
        }
    }

    private void insert(String staging, List<byte[]> rows, long offset) throws ClickHouseFailure, InterruptedException {
        try {
            http.insert(
                    "INSERT INTO " + staging + " (" + columns + ") FORMAT RowBinary",
                    Map.of(
                            "async_insert",
                            "0",
                            "insert_deduplicate",
                            "1",
                            "insert_deduplication_token",
                            Long.toString(offset),
                            "max_partitions_per_insert_block",
                            "0",
                            JSON_IS_TEXT,
                            "1"),
                    rows);
        } catch (ClickHouseFailure e) {
            if (ClickHouseVerdict.of(RowVerdict.Operation.APPEND, e.code()) != RowVerdict.RECORD) {
                throw e;
            }
            SortedMap<Integer, String> errors = new TreeMap<>();
            findRefused(rows, 0, errors);
            // If each is good for itself, something else is wrong with all of them.
            throw errors.isEmpty() ? e : ClickHouseFailure.ofRows(errors);
        }
    }

    /** Tries halves, where nothing is kept, until it has found the rows that ClickHouse refuses. */
    private void findRefused(List<byte[]> rows, int first, SortedMap<Integer, String> errors)
            throws ClickHouseFailure, InterruptedException {
        try {
            http.insert(
                    "INSERT INTO FUNCTION null('"
                            + ClickHouseColumns.of(options).stream()
                                    .map(column ->
                                            column.name() + " " + column.type().replace("'", "\\'"))
                                    .collect(Collectors.joining(", "))
                            + "') FORMAT RowBinary",
                    Map.of("async_insert", "0", JSON_IS_TEXT, "1"),
                    rows);
        } catch (ClickHouseFailure e) {
            if (ClickHouseVerdict.of(RowVerdict.Operation.APPEND, e.code()) != RowVerdict.RECORD) {
                throw e;
            }
            if (rows.size() == 1) {
                errors.put(first, e.text());
                return;
            }
            int half = rows.size() / 2;
            findRefused(rows.subList(0, half), first, errors);
            findRefused(rows.subList(half, rows.size()), first + half, errors);
        }
    }

    @Override
    public CompletableFuture<byte[]> complete(String stream, long rows) {
        return asked(() -> {
            // One part for each partition; a partition that has one already is left as it is.
            http.run("OPTIMIZE TABLE " + stream + " FINAL SETTINGS optimize_throw_if_noop = 1,"
                    + " optimize_skip_merged_partitions = 1");
            List<StagedPartition> partitions = partitions(stream);
            long found = partitions.stream().mapToLong(StagedPartition::rows).sum();
            if (found != rows) {
                throw ClickHouseFailure.answered(
                        ClickHouseVerdict.UNKNOWN_TABLE,
                        "The staging table " + stream + " has " + found + " rows of " + rows + " that it acknowledged");
            }
            return StagedPartition.write(partitions);
        });
    }

    private List<StagedPartition> partitions(String staging) throws ClickHouseFailure, InterruptedException {
        List<StagedPartition> partitions = new ArrayList<>();
        for (List<String> row : http.rows("SELECT _partition_id, count(), arrayStringConcat(groupArraySample(" + SAMPLES
                + ")(event_id), ',') FROM " + staging + " GROUP BY _partition_id ORDER BY _partition_id")) {
            partitions.add(new StagedPartition(
                    row.get(0),
                    Long.parseLong(row.get(1)),
                    Arrays.asList(row.get(2).split(","))));
        }
        return partitions;
    }

    @Override
    public CompletableFuture<Void> show(Appended rows) {
        return asked(() -> {
            String staging = rows.stream();
            String table = tableOf(staging);
            for (StagedPartition partition : StagedPartition.read(rows.detail())) {
                move(staging, table, partition);
            }
            http.run("DROP TABLE IF EXISTS " + staging + " SYNC");
            sweep(rows.checkpoint());
            return null;
        });
    }

    /**
     * Drops what attempts before this one left behind: staging tables that are older than the retention, and were made
     * before this attempt began, as its own may be wanted however long their checkpoint takes. Not with the first checkpoint
     * that is shown here: it may be the one that the job was started from, and others are still showing their part of it, of
     * any age. When a later one is complete, all have.
     */
    private void sweep(long checkpoint) throws ClickHouseFailure, InterruptedException {
        if (firstShown.compareAndSet(NONE_SHOWN, checkpoint) || checkpoint <= firstShown.get()) {
            return;
        }
        if (shownAfterFirst.getAndIncrement() % SHOWN_BETWEEN_SWEEPS != 0) {
            return;
        }
        long beforeAttempt = TimeUnit.NANOSECONDS.toSeconds(System.nanoTime() - begun) + START_SECONDS;
        long age = Math.max(options.limits().stagingRetention().toSeconds(), beforeAttempt);
        for (List<String> row : http.rows("SELECT name FROM system.tables WHERE database = '" + options.database()
                + "' AND match(name, '^" + options.table() + STAGING + "[0-9a-f]{32}$')"
                + " AND metadata_modification_time < now() - " + age)) {
            http.run("DROP TABLE IF EXISTS " + options.database() + "." + row.get(0) + " SYNC");
        }
    }

    private void move(String staging, String table, StagedPartition partition)
            throws ClickHouseFailure, InterruptedException {
        // Of both kinds: ClickHouse reads a number out of a literal of text where it compares with numbers.
        String ids = partition.samples().stream().map(id -> "'" + id + "'").collect(Collectors.joining(", "));
        long shown = Long.parseLong(http.value("SELECT uniqExact(event_id) FROM " + table + " WHERE _partition_id = '"
                + partition.id() + "' AND event_id IN (" + ids + ")"));
        if (shown > 0) {
            return;
        }
        http.run("ALTER TABLE " + staging + " MOVE PARTITION ID '" + partition.id() + "' TO TABLE " + table);
    }

    @Override
    public void close() {
        threads.shutdownNow();
        try {
            // A thread that outlives its task would keep the job's class loader alive.
            boolean unused = threads.awaitTermination(CLOSE_SECONDS, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @FunctionalInterface
    private interface Question<T> {
        T ask() throws ClickHouseFailure, InterruptedException;
    }

    private <T> CompletableFuture<T> asked(Question<T> question) {
        CompletableFuture<T> answer = new CompletableFuture<>();
        threads.execute(() -> {
            try {
                answer.complete(question.ask());
            } catch (ClickHouseFailure e) {
                answer.completeExceptionally(e);
            } catch (InterruptedException e) {
                answer.completeExceptionally(ClickHouseFailure.unanswered("The client is closing", null));
            }
        });
        return answer;
    }
}
