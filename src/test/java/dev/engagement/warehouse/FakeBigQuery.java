package dev.engagement.warehouse;

import dev.engagement.rowstore.RowApi;
import dev.engagement.rowstore.StoreRequestException;
import com.google.cloud.bigquery.storage.v1.StorageError.StorageErrorCode;
import com.google.protobuf.ByteString;
import com.google.protobuf.CodedInputStream;
import io.grpc.Status;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;
import java.util.random.RandomGenerator;
import org.apache.flink.configuration.MemorySize;
import org.jspecify.annotations.Nullable;

/**
 * BigQuery as strict as the real one about what is used of it, on the test's thread: what is sent stands in a network of
 * first-in-first-out links until {@link #step} lets it arrive, and what an abandoned connection has sent may still arrive.
 * Each request asks the script what goes wrong with it.
 */
final class FakeBigQuery implements TableApi {

    static final WarehouseOptions OPTIONS = new WarehouseOptions(
            "p",
            "analytics",
            "events",
            WarehouseOptions.Endpoints.GOOGLE,
            null,
            new WarehouseOptions.Layout(WarehouseOptions.Partition.DAY, null, false),
            MemorySize.ofMebiBytes(16),
            MemorySize.ofMebiBytes(1),
            Duration.ofSeconds(1),
            Duration.ofMinutes(10),
            false,
            false,
            WarehouseOptions.JsonNumbers.EXACT);

    /** What is asked of it. */
    enum Request {
        OPEN,
        APPEND,
        FLUSH,
        GET,
        LABEL
    }

    /** What goes wrong with a request. */
    enum Fault {
        NONE,
        /** Refused, in-band for appends: the connection lives. */
        REFUSED,
        /** Not done, and the connection breaks with all that is on it. */
        BROKEN,
        /** Done, and the connection breaks before the answer. */
        ANSWER_LOST,
        /** Not done and never answered. */
        SILENT,
        /** The caller dies before. */
        CRASH_BEFORE,
        /** Done, and the caller dies. */
        CRASH_AFTER
    }

    /** The caller dies. */
    static final class Crash extends RuntimeException {
        private static final long serialVersionUID = 1L;

        Crash() {
            super("crash", null, false, false);
        }
    }

    /** A stream on the server. */
    static final class Stream {
        final List<Long> rows = new ArrayList<>();
        int flushed;
        boolean lost;
    }

    final Map<String, Stream> streams = new LinkedHashMap<>();
    /** Ids in the order in which they became visible. */
    final List<Long> visible = new ArrayList<>();

    /** Rows that it refuses. */
    final Set<Long> bad = new HashSet<>();

    /** As it came. */
    List<ByteString> lastAppend = List.of();

    final List<String> log = new ArrayList<>();
    Function<Request, Fault> script = request -> Fault.NONE;
    WarehouseFailure refusal = WarehouseFailure.of(Status.Code.UNAVAILABLE, "try later");
    boolean dropsWhatIsAbandoned = true;

    private final Map<String, String> labels = new HashMap<>();
    private final List<Link> links = new ArrayList<>();
    private final List<Link> held = new ArrayList<>();
    private int version = 1;
    private int appends;

    int appends() {
        return appends;
    }

    Map<String, String> labels() {
        return labels;
    }

    /** Lets one thing arrive; false if nothing is on its way. */
    boolean step(RandomGenerator random) {
        List<Link> busy = links.stream().filter(link -> !link.isEmpty()).toList();
        if (busy.isEmpty()) {
            links.clear();
            return false;
        }
        busy.get(random.nextInt(busy.size())).remove().run();
        return true;
    }

    /** What is on its way now stays on its way, and what is sent later overtakes it. */
    void hold() {
        held.addAll(links);
        links.clear();
    }

    /** What was held goes on. */
    void release() {
        links.addAll(held);
        held.clear();
    }

    RowApi connect() {
        return new Client();
    }

    private static final class Link extends ArrayDeque<Runnable> {
        private static final long serialVersionUID = 1L;
    }

    private Link link() {
        Link link = new Link();
        links.add(link);
        return link;
    }

    private final class Client implements RowApi {

        @Override
        public CompletableFuture<Appender> open(@Nullable String stream) {
            CompletableFuture<Appender> future = new CompletableFuture<>();
            link().add(() -> {
                switch (script.apply(Request.OPEN)) {
                    case NONE -> future.complete(new Connection(stream == null ? create() : stream));
                    case ANSWER_LOST -> {
                        create();
                        future.completeExceptionally(WarehouseFailure.of(Status.Code.UNAVAILABLE, "answer lost"));
                    }
                    case SILENT -> {}
                    default -> future.completeExceptionally(refusal);
                }
            });
            return future;
        }

        private String create() {
            String name = OPTIONS.tablePath() + "/streams/s" + streams.size();
            streams.put(name, new Stream());
            return name;
        }

        @Override
        public CompletableFuture<Void> flush(String stream, long offset) {
            return switch (script.apply(Request.FLUSH)) {
                case NONE -> show(stream, offset);
                case ANSWER_LOST, BROKEN, SILENT -> {
                    var unused = show(stream, offset);
                    yield CompletableFuture.failedFuture(WarehouseFailure.of(Status.Code.UNAVAILABLE, "answer lost"));
                }
                case REFUSED -> CompletableFuture.failedFuture(refusal);
                case CRASH_BEFORE -> throw new Crash();
                case CRASH_AFTER -> {
                    var unused = show(stream, offset);
                    throw new Crash();
                }
            };
        }

        @Override
        public void close() {}
    }

    private CompletableFuture<Void> show(String name, long offset) {
        Stream stream = streams.get(name);
        if (stream == null || stream.lost) {
            return failed(Status.Code.NOT_FOUND, StorageErrorCode.STREAM_NOT_FOUND, "no stream " + name);
        }
        if (offset >= stream.rows.size()) {
            return failed(Status.Code.OUT_OF_RANGE, StorageErrorCode.OFFSET_OUT_OF_RANGE, "beyond the end");
        }
        if (offset < stream.flushed) {
            return CompletableFuture.failedFuture(WarehouseFailure.of(Status.Code.ALREADY_EXISTS, "flushed before"));
        }
        visible.addAll(stream.rows.subList(stream.flushed, (int) offset + 1));
        stream.flushed = (int) offset + 1;
        log.add("flush " + name.substring(name.lastIndexOf('/') + 1) + " " + offset);
        return CompletableFuture.completedFuture(null);
    }

    private static CompletableFuture<Void> failed(Status.Code status, StorageErrorCode error, String message) {
        return CompletableFuture.failedFuture(WarehouseFailure.of(status, error, message));
    }

    private final class Connection implements RowApi.Appender {

        private final String name;
        private final Link requests = link();
        private final Deque<CompletableFuture<Void>> waiting = new ArrayDeque<>();
        private boolean broken;

        Connection(String name) {
            this.name = name;
        }

        @Override
        public String stream() {
            return name;
        }

        @Override
        public CompletableFuture<Void> append(List<ByteString> rows, long offset) {
            CompletableFuture<Void> future = new CompletableFuture<>();
            if (broken) {
                return failed(Status.Code.FAILED_PRECONDITION, StorageErrorCode.UNRECOGNIZED, "closed");
            }
            waiting.add(future);
            if (!links.contains(requests)) {
                links.add(requests);
            }
            List<ByteString> copy = List.copyOf(rows);
            requests.add(() -> arrive(copy, offset, future));
            return future;
        }

        private void arrive(List<ByteString> rows, long offset, CompletableFuture<Void> future) {
            appends++;
            lastAppend = rows;
            switch (script.apply(Request.APPEND)) {
                case NONE, CRASH_BEFORE, CRASH_AFTER -> answer(future, apply(rows, offset));
                case REFUSED -> answer(future, refusal);
                case BROKEN -> breakDown();
                case ANSWER_LOST -> {
                    var unused = apply(rows, offset);
                    breakDown();
                }
                case SILENT -> waiting.remove(future);
            }
        }

        private void answer(CompletableFuture<Void> future, @Nullable WarehouseFailure failure) {
            waiting.remove(future);
            if (failure == null) {
                future.complete(null);
            } else {
                future.completeExceptionally(failure);
            }
        }

        private @Nullable WarehouseFailure apply(List<ByteString> rows, long offset) {
            Stream stream = streams.get(name);
            if (stream == null || stream.lost) {
                return WarehouseFailure.of(Status.Code.NOT_FOUND, StorageErrorCode.STREAM_NOT_FOUND, "gone");
            }
            if (offset < stream.rows.size()) {
                return WarehouseFailure.of(Status.Code.ALREADY_EXISTS, StorageErrorCode.OFFSET_ALREADY_EXISTS, "there");
            }
            if (offset > stream.rows.size()) {
                return WarehouseFailure.of(Status.Code.OUT_OF_RANGE, StorageErrorCode.OFFSET_OUT_OF_RANGE, "a gap");
            }
            Map<Integer, String> errors = new TreeMap<>();
            List<Long> ids = rows.stream().map(FakeBigQuery::id).toList();
            for (int i = 0; i < ids.size(); i++) {
                if (bad.contains(ids.get(i))) {
                    errors.put(i, "bad row " + ids.get(i));
                }
            }
            if (!errors.isEmpty()) {
                return new WarehouseFailure(
                        Status.Code.INVALID_ARGUMENT,
                        StorageErrorCode.STORAGE_ERROR_CODE_UNSPECIFIED,
                        errors,
                        "row errors",
                        null);
            }
            stream.rows.addAll(ids);
            return null;
        }

        private void breakDown() {
            broken = true;
            requests.clear();
            List<CompletableFuture<Void>> all = new ArrayList<>(waiting);
            waiting.clear();
            all.forEach(future ->
                    future.completeExceptionally(WarehouseFailure.of(Status.Code.UNAVAILABLE, "connection broke")));
        }

        @Override
        public void abandon() {
            waiting.clear();
            if (dropsWhatIsAbandoned) {
                broken = true;
                requests.clear();
            }
        }
    }

    static long id(ByteString row) {
        try {
            CodedInputStream in = row.newCodedInput();
            while (!in.isAtEnd()) {
                int tag = in.readTag();
                if (tag >>> 3 == 1) {
                    return in.readInt64();
                }
                in.skipField(tag);
            }
            throw new IllegalArgumentException("A row without an id");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public Table get() throws StoreRequestException {
        passing(Request.GET);
        return new Table(
                "etag" + version,
                Columns.ALL.stream()
                        .map(column -> new Table.Field(
                                column.name(), column.type().inRest(), column.required() ? "REQUIRED" : "NULLABLE"))
                        .toList(),
                "{}",
                labels);
    }

    private void passing(Request request) throws StoreRequestException {
        switch (script.apply(request)) {
            case REFUSED, BROKEN, SILENT -> throw new StoreRequestException("HTTP 503", true, null);
            case CRASH_BEFORE -> throw new Crash();
            default -> {}
        }
    }

    @Override
    public void create() {
        throw new AssertionError("The table is there");
    }

    @Override
    public boolean addColumns(Table table, List<Columns.Column> columns) {
        throw new AssertionError("No column is missing");
    }

    @Override
    public boolean label(Table table, Map<String, String> added) throws StoreRequestException {
        Fault fault = script.apply(Request.LABEL);
        switch (fault) {
            case REFUSED, BROKEN, SILENT -> throw new StoreRequestException("HTTP 503", true, null);
            case CRASH_BEFORE -> throw new Crash();
            default -> {}
        }
        if (!table.etag().equals("etag" + version)) {
            return false;
        }
        version++;
        labels.putAll(added);
        log.add("mark " + added.get(LineMarks.CHECKPOINT));
        switch (fault) {
            case ANSWER_LOST -> throw new StoreRequestException("answer lost", true, null);
            case CRASH_AFTER -> throw new Crash();
            default -> {}
        }
        return true;
    }

    @Override
    public boolean hasRows() {
        return !visible.isEmpty();
    }
}
