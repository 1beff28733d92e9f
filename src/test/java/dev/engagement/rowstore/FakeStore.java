package dev.engagement.rowstore;

import dev.engagement.connection.Backoff;
import dev.engagement.event.EnrichedEvent;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Function;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * A store as strict as the real ones about what is used of them, on the test's thread: what is sent stands in a network of
 * first-in-first-out links until {@link #step} lets it arrive, and what an abandoned connection has sent may still arrive.
 * Each request asks the script what goes wrong with it.
 */
final class FakeStore implements StoreTable {

    static final StoreName NAME = new StoreName("Store", "shop");

    static final String TABLE = "p.analytics.events";

    /** A store that shows what is not complete would show rows that nobody counted. */
    private static final String COMPLETE = "complete ";

    /** What it answers, and what that means. */
    static final class Failure extends RowFailure {

        private static final long serialVersionUID = 1L;

        private final RowVerdict verdict;

        Failure(RowVerdict verdict, SortedMap<Integer, String> rowErrors, String message) {
            super(message, rowErrors, null);
            this.verdict = verdict;
        }

        static Failure of(RowVerdict verdict, String message) {
            return new Failure(verdict, new TreeMap<>(), message);
        }

        @Override
        public RowVerdict verdict(RowVerdict.Operation operation) {
            return verdict;
        }

        @Override
        public String text() {
            return String.valueOf(getMessage());
        }
    }

    /** How a run is told of it. Found by its number, as plans are serialized. */
    record Store(int number, boolean acceptsDuplicates, RowWriter.Limits limits) implements RowStore {

        private static final long serialVersionUID = 1L;

        @Override
        public StoreName name() {
            return NAME;
        }

        @Override
        public String table() {
            return TABLE;
        }

        @Override
        public Backoff backoff() {
            return new Backoff(Duration.ofMillis(10), Duration.ofMillis(100));
        }

        @Override
        public Duration commitTimeout() {
            return Duration.ofMinutes(10);
        }

        @Override
        public RowApi connect() {
            return STORES.get(number).connect();
        }

        @Override
        public RowEncoder encoder() {
            return new Encoder();
        }

        @Override
        public String tableOf(String stream) {
            return stream.substring(0, stream.lastIndexOf('/'));
        }

        @Override
        public StoreTable open(String table) {
            return STORES.get(number);
        }

        @Override
        public String advice() {
            return "everything";
        }

        @Override
        public String lostStreamAdvice() {
            return "Rebuild what is missing";
        }
    }

    /** An id, and as many bytes as the payload has; {@code refuse} and {@code round} as payloads do what they say. */
    static final class Encoder implements RowEncoder {

        private static final int OTHER_BYTES = 162;

        @Override
        public byte @Nullable [] encode(EnrichedEvent event, Notes notes) {
            String payload = event.event().rawPayload();
            if ("refuse".equals(payload)) {
                notes.refused("it says so");
                return null;
            }
            if ("round".equals(payload)) {
                notes.rounded();
            }
            byte[] text = payload == null ? new byte[0] : payload.getBytes(StandardCharsets.UTF_8);
            return ByteBuffer.allocate(Long.BYTES + OTHER_BYTES + text.length)
                    .putLong(event.event().id())
                    .put(text)
                    .array();
        }
    }

    private static final List<FakeStore> STORES = new CopyOnWriteArrayList<>();

    private final int number;

    FakeStore() {
        synchronized (STORES) {
            number = STORES.size();
            STORES.add(this);
        }
    }

    Store store(boolean acceptsDuplicates, RowWriter.Limits limits) {
        return new Store(number, acceptsDuplicates, limits);
    }

    /** What is asked of it. */
    enum Request {
        OPEN,
        APPEND,
        COMPLETE,
        SHOW,
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
        int shown;
        boolean lost;
    }

    final Map<String, Stream> streams = new LinkedHashMap<>();
    /** Ids in the order in which they became visible. */
    final List<Long> visible = new ArrayList<>();

    /** Rows that it refuses. */
    final Set<Long> bad = new HashSet<>();

    /** As it came. */
    List<byte[]> lastAppend = List.of();

    final List<String> log = new ArrayList<>();
    Function<Request, Fault> script = request -> Fault.NONE;
    RowFailure refusal = Failure.of(RowVerdict.TRANSIENT, "try later");
    boolean dropsWhatIsAbandoned = true;
    boolean arrivesAtOnce;

    private CheckpointLineage.@Nullable FencingLabel label;
    private final List<Link> links = new ArrayList<>();
    private final List<Link> held = new ArrayList<>();
    private int version = 1;
    private int appends;

    int appends() {
        return appends;
    }

    CheckpointLineage.@Nullable FencingLabel label() {
        return label;
    }

    void labelled(String run, long checkpoint) {
        label = new CheckpointLineage.FencingLabel(run, checkpoint);
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

    private final class Link extends ArrayDeque<Runnable> {
        private static final long serialVersionUID = 1L;

        @Override
        public boolean add(Runnable sent) {
            if (arrivesAtOnce) {
                sent.run();
                return true;
            }
            return super.add(sent);
        }
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
                        future.completeExceptionally(Failure.of(RowVerdict.TRANSIENT, "answer lost"));
                    }
                    case SILENT -> {}
                    default -> future.completeExceptionally(refusal);
                }
            });
            return future;
        }

        private String create() {
            String name = TABLE + "/s" + streams.size();
            streams.put(name, new Stream());
            return name;
        }

        @Override
        public CompletableFuture<byte[]> complete(String stream, long rows) {
            CompletableFuture<byte[]> future = new CompletableFuture<>();
            link().add(() -> {
                switch (script.apply(Request.COMPLETE)) {
                    case NONE, CRASH_BEFORE, CRASH_AFTER ->
                        future.complete((COMPLETE + rows).getBytes(StandardCharsets.UTF_8));
                    default -> future.completeExceptionally(refusal);
                }
            });
            return future;
        }

        @Override
        public CompletableFuture<Void> show(Appended rows) {
            return switch (script.apply(Request.SHOW)) {
                case NONE -> reveal(rows);
                case ANSWER_LOST, BROKEN, SILENT -> {
                    var unused = reveal(rows);
                    yield CompletableFuture.failedFuture(Failure.of(RowVerdict.TRANSIENT, "answer lost"));
                }
                case REFUSED -> CompletableFuture.failedFuture(refusal);
                case CRASH_BEFORE -> throw new Crash();
                case CRASH_AFTER -> {
                    var unused = reveal(rows);
                    throw new Crash();
                }
            };
        }

        @Override
        public void close() {}
    }

    private CompletableFuture<Void> reveal(Appended rows) {
        long offset = rows.lastOffset();
        String name = rows.stream();
        Stream stream = streams.get(name);
        if (stream == null || stream.lost) {
            return failed(RowVerdict.STREAM_LOST, "no stream " + name);
        }
        String detail = new String(rows.detail(), StandardCharsets.UTF_8);
        if (offset >= stream.rows.size() || !detail.isEmpty() && !detail.equals(COMPLETE + (offset + 1))) {
            return failed(RowVerdict.TERMINAL, "beyond the end");
        }
        if (offset < stream.shown) {
            return failed(RowVerdict.DONE, "shown before");
        }
        visible.addAll(stream.rows.subList(stream.shown, (int) offset + 1));
        stream.shown = (int) offset + 1;
        log.add("show " + name.substring(name.lastIndexOf('/') + 1) + " " + offset);
        return CompletableFuture.completedFuture(null);
    }

    private static CompletableFuture<Void> failed(RowVerdict verdict, String message) {
        return CompletableFuture.failedFuture(Failure.of(verdict, message));
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
        public CompletableFuture<Void> append(List<byte[]> rows, long offset) {
            CompletableFuture<Void> future = new CompletableFuture<>();
            if (broken) {
                return failed(RowVerdict.TRANSIENT, "closed");
            }
            waiting.add(future);
            if (!links.contains(requests)) {
                links.add(requests);
            }
            List<byte[]> copy = List.copyOf(rows);
            requests.add(() -> arrive(copy, offset, future));
            return future;
        }

        private void arrive(List<byte[]> rows, long offset, CompletableFuture<Void> future) {
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

        private void answer(CompletableFuture<Void> future, @Nullable RowFailure failure) {
            waiting.remove(future);
            if (failure == null) {
                future.complete(null);
            } else {
                future.completeExceptionally(failure);
            }
        }

        private @Nullable RowFailure apply(List<byte[]> rows, long offset) {
            Stream stream = streams.get(name);
            if (stream == null || stream.lost) {
                return Failure.of(RowVerdict.STREAM_LOST, "gone");
            }
            if (offset < stream.rows.size()) {
                return Failure.of(RowVerdict.DONE, "there");
            }
            if (offset > stream.rows.size()) {
                return Failure.of(RowVerdict.GAP, "a gap");
            }
            SortedMap<Integer, String> errors = new TreeMap<>();
            List<Long> ids = rows.stream().map(FakeStore::id).toList();
            for (int i = 0; i < ids.size(); i++) {
                if (bad.contains(ids.get(i))) {
                    errors.put(i, "bad row " + ids.get(i));
                }
            }
            if (!errors.isEmpty()) {
                return new Failure(RowVerdict.RECORD, errors, "row errors");
            }
            stream.rows.addAll(ids);
            return null;
        }

        private void breakDown() {
            broken = true;
            requests.clear();
            List<CompletableFuture<Void>> all = new ArrayList<>(waiting);
            waiting.clear();
            all.forEach(future -> future.completeExceptionally(Failure.of(RowVerdict.TRANSIENT, "connection broke")));
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

    static long id(byte[] row) {
        return ByteBuffer.wrap(row).getLong();
    }

    @Override
    public String name() {
        return TABLE;
    }

    @Override
    public CheckpointLineage.@Nullable FencingLabel prepare() throws StoreRequestException {
        passing(Request.GET);
        return label;
    }

    @Override
    public Read read() throws StoreRequestException {
        passing(Request.GET);
        return new Read(version, label);
    }

    private void passing(Request request) throws StoreRequestException {
        switch (script.apply(request)) {
            case REFUSED, BROKEN, SILENT -> throw new StoreRequestException("HTTP 503", true, null);
            case CRASH_BEFORE -> throw new Crash();
            default -> {}
        }
    }

    @Override
    public boolean label(Read read, CheckpointLineage.FencingLabel wanted) throws StoreRequestException {
        Fault fault = script.apply(Request.LABEL);
        switch (fault) {
            case REFUSED, BROKEN, SILENT -> throw new StoreRequestException("HTTP 503", true, null);
            case CRASH_BEFORE -> throw new Crash();
            default -> {}
        }
        if (!read.version().equals(version)) {
            return false;
        }
        version++;
        label = wanted;
        log.add("label " + wanted.checkpoint());
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
