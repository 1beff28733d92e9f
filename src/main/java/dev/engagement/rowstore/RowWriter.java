package dev.engagement.rowstore;

import dev.engagement.connection.Backoff;
import dev.engagement.event.EngagementEvent;
import dev.engagement.event.EnrichedEvent;
import java.io.Serializable;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.DoubleSupplier;
import org.apache.flink.api.common.operators.MailboxExecutor;
import org.apache.flink.api.common.operators.ProcessingTimeService;
import org.apache.flink.metrics.MetricGroup;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Puts rows into streams of its own, in order, each at an offset that never means another row.
 *
 * <p>It keeps nothing over a restart: a restarted writer opens a stream of its own, and what an abandoned one (or a zombie)
 * still appends to the old stream is never shown, because nobody commits it. Rows are held until they are acknowledged, so
 * a connection that breaks is made anew and what is not acknowledged is sent again, to the same offsets: the store answers that it has them if it had. Where an offset would come to mean another row, because the store refused a row of an append and the others move up, they go into a new stream instead: a copy of the old append that is still on its way
 * cannot be taken for anything.
 *
 * <p>Everything happens on the task thread, so nothing is locked; what the store answers comes through the mailbox.
 */
public final class RowWriter implements AutoCloseable {

    private static final Logger LOG = LoggerFactory.getLogger(RowWriter.class);

    /** What an event takes in memory beside its row and its own copy of the row's texts, roughly. */
    private static final int EVENT_BYTES = 300;

    /** Appends on their way; more does not make a store faster. */
    private static final int MAX_REQUESTS = 64;

    /** Where refused rows go. */
    @FunctionalInterface
    interface Rejected {
        void reject(EnrichedEvent event, String why);
    }

    /** Rows of a stream that may be shown. */
    record Range(String stream, long lastOffset, byte[] detail) {}

    /**
     * How much a writer holds and how long it waits.
     *
     * @param maxInFlightBytes memory of rows that are not acknowledged
     * @param appendBytes size of an append
     * @param maxRowBytes largest row
     * @param linger longest time that a row waits for its append to fill
     * @param answerWithin after which a connection that says nothing is given up
     * @param timeout how long the store may refuse what passes by itself
     * @param streamEndsWithCheckpoint whether a stream holds rows of one checkpoint only
     */
    public record Limits(
            long maxInFlightBytes,
            long appendBytes,
            long maxRowBytes,
            Duration linger,
            Duration answerWithin,
            Duration timeout,
            boolean streamEndsWithCheckpoint)
            implements Serializable {

        private static final long serialVersionUID = 1L;
    }

    /** What the writer is given. */
    record Environment(
            StoreName name,
            String table,
            RowApi api,
            RowEncoder encoder,
            MailboxExecutor mailbox,
            ProcessingTimeService time,
            DoubleSupplier random,
            MetricGroup metrics,
            Rejected rejected) {}

    private enum State {
        /** No connection, and none is needed yet. */
        IDLE,
        OPENING,
        OPEN,
        /** An append failed: nothing is sent until all answers that are due are there. */
        SETTLING,
        /** The connection is given up and will be made anew. */
        BACKING_OFF,
        CLOSED
    }

    private final Limits limits;
    private final Backoff backoff;
    private final Environment environment;
    private final RowWriterMetrics metrics;

    private final OfEvent notes = new OfEvent();

    private Batch filling = new Batch();
    /** Full ones, in order; those at the front are or were on their way. */
    private final Deque<Batch> unacknowledged = new ArrayDeque<>();

    private State state = State.IDLE;
    /** Counts connections, so that answers of one that was given up are told from those of the next. */
    private int generation;

    private RowApi.@Nullable Appender appender;
    private @Nullable String stream;
    private long nextOffset;
    /** Rows of the stream that are acknowledged, and those of them that a checkpoint has. */
    private long acknowledged;

    private long covered;
    /** Of streams that were left since the last checkpoint. */
    private final List<Range> left = new ArrayList<>();

    private int requests;
    private int failures;
    private long failingSince;
    private long lastAnswer;
    private boolean lingering;
    private boolean watching;
    private long fillingSince;
    /** Read by metric reporters. */
    private volatile long heldBytes;

    RowWriter(Limits limits, Backoff backoff, Environment environment) {
        this.limits = limits;
        this.backoff = backoff;
        this.environment = environment;
        this.metrics = new RowWriterMetrics(environment.metrics(), () -> heldBytes);
    }

    /** Takes an event; returns when there is room for the next one. */
    void write(EnrichedEvent event) throws RowStoreException, InterruptedException {
        notes.event = event;
        byte[] row = environment.encoder().encode(event, notes);
        if (row == null) {
            return;
        }
        if (row.length > limits.maxRowBytes()) {
            reject(
                    event,
                    "The row takes " + row.length + " bytes, more than "
                            + environment.name().product() + " takes in one request");
            return;
        }
        if (filling.rowBytes + row.length > limits.appendBytes() && !filling.rows.isEmpty()) {
            seal();
        }
        if (filling.rows.isEmpty()) {
            fillingSince = environment.time().getCurrentProcessingTime();
            linger();
        }
        filling.add(event, row);
        heldBytes = heldBytes + memoryOf(row);
        if (filling.rowBytes >= limits.appendBytes()) {
            seal();
        }
        if (heldBytes > limits.maxInFlightBytes()) {
            waitForRoom();
        }
    }

    private void waitForRoom() throws RowStoreException, InterruptedException {
        long since = environment.time().getCurrentProcessingTime();
        while (heldBytes > limits.maxInFlightBytes()) {
            if (unacknowledged.isEmpty()) {
                seal();
            }
            environment.mailbox().yield();
            // Each time, as one who looks during an outage must see it and not only who looks after it.
            long now = environment.time().getCurrentProcessingTime();
            metrics.blockedMillis.inc(Math.max(0, now - since));
            since = now;
        }
    }

    /** Waits until the store has all rows, and tells where those are that came since the last call. */
    List<Range> prepareCommit() throws RowStoreException, InterruptedException {
        seal();
        while (!unacknowledged.isEmpty()) {
            environment.mailbox().yield();
        }
        List<Range> ranges = new ArrayList<>(left);
        left.clear();
        if (stream != null && acknowledged > covered) {
            ranges.add(new Range(stream, acknowledged - 1, Appended.NO_DETAIL));
            covered = acknowledged;
        }
        if (!limits.streamEndsWithCheckpoint()) {
            return ranges;
        }
        leave();
        state = State.IDLE;
        List<Range> complete = new ArrayList<>();
        for (Range range : ranges) {
            complete.add(new Range(range.stream(), range.lastOffset(), detailOf(range)));
        }
        return complete;
    }

    /** Asks until it is told; what comes meanwhile waits with the checkpoint. */
    private byte[] detailOf(Range range) throws RowStoreException, InterruptedException {
        AtomicReference<byte @Nullable []> told = new AtomicReference<>();
        ask(range, told);
        byte[] detail = told.get();
        while (detail == null) {
            environment.mailbox().yield();
            detail = told.get();
        }
        return detail;
    }

    private void ask(Range range, AtomicReference<byte @Nullable []> told) {
        var unused = environment
                .api()
                .complete(range.stream(), range.lastOffset() + 1)
                .whenComplete((detail, problem) -> environment
                        .mailbox()
                        .execute(() -> told(range, told, detail, problem), "rows: stream complete"));
    }

    private void told(
            Range range, AtomicReference<byte @Nullable []> told, byte @Nullable [] detail, @Nullable Throwable problem)
            throws RowStoreException {
        if (detail != null) {
            failures = 0;
            told.set(detail);
            return;
        }
        RowFailure failure = failureOf(problem);
        if (failure.verdict(RowVerdict.Operation.COMPLETE) != RowVerdict.TRANSIENT) {
            throw failed("does not complete " + range.stream(), failure);
        }
        long delay = delayAfter(failure.text(), failure);
        at(environment.time().getCurrentProcessingTime() + delay, () -> ask(range, told));
    }

    private void linger() {
        if (lingering) {
            return;
        }
        lingering = true;
        at(fillingSince + limits.linger().toMillis(), () -> {
            lingering = false;
            if (filling.rows.isEmpty()) {
                return;
            }
            if (environment.time().getCurrentProcessingTime() - fillingSince
                    >= limits.linger().toMillis()) {
                seal();
            } else {
                linger();
            }
        });
    }

    private void seal() throws RowStoreException {
        if (filling.rows.isEmpty()) {
            return;
        }
        filling.offset = nextOffset;
        nextOffset += filling.rows.size();
        unacknowledged.add(filling);
        filling = new Batch();
        pump();
    }

    /** Opens a connection if there is none, or sends what may be sent. */
    private void pump() throws RowStoreException {
        if (state == State.IDLE && !unacknowledged.isEmpty()) {
            open();
        } else if (state == State.OPEN) {
            for (Batch batch : unacknowledged) {
                if (requests >= MAX_REQUESTS) {
                    break;
                }
                if (!batch.sent && !batch.acknowledged) {
                    send(batch);
                }
            }
        }
    }

    private void open() {
        state = State.OPENING;
        int opening = generation;
        lastAnswer = environment.time().getCurrentProcessingTime();
        watch();
        boolean fresh = stream == null;
        var unused = environment.api().open(stream).whenComplete((opened, problem) -> environment
                .mailbox()
                .execute(() -> opened(opening, fresh, opened, problem), "rows: stream opened"));
    }

    private void opened(int opening, boolean fresh, RowApi.@Nullable Appender opened, @Nullable Throwable problem)
            throws RowStoreException {
        if (opening != generation) {
            if (opened != null) {
                opened.abandon();
            }
            return;
        }
        if (opened == null) {
            RowFailure failure = failureOf(problem);
            switch (failure.verdict(RowVerdict.Operation.OPEN)) {
                case TRANSIENT -> retryLater(failure.text(), failure);
                default -> throw failed("refuses to open a stream", failure);
            }
            return;
        }
        if (fresh) {
            metrics.streams.inc();
        }
        lastAnswer = environment.time().getCurrentProcessingTime();
        appender = opened;
        stream = opened.stream();
        state = State.OPEN;
        pump();
    }

    private void send(Batch batch) {
        RowApi.Appender to = appender;
        if (to == null) {
            throw new IllegalStateException("There is no connection to append to");
        }
        int sending = generation;
        long now = environment.time().getCurrentProcessingTime();
        if (requests == 0) {
            lastAnswer = now;
        }
        requests++;
        batch.sent = true;
        batch.sentAt = now;
        watch();
        var unused = to.append(batch.rows, batch.offset).whenComplete((nothing, problem) -> environment
                .mailbox()
                .execute(() -> answered(sending, batch, problem), "rows: append answered"));
    }

    private void answered(int sending, Batch batch, @Nullable Throwable problem) throws RowStoreException {
        if (sending != generation) {
            return;
        }
        requests--;
        long now = environment.time().getCurrentProcessingTime();
        lastAnswer = now;
        batch.failure = problem == null ? null : failureOf(problem);
        if (batch.failure == null || verdict(batch.failure) == RowVerdict.DONE) {
            batch.acknowledged = true;
            failures = 0;
            metrics.appendLatencyMillis.update(now - batch.sentAt);
            release();
        } else {
            state = State.SETTLING;
        }
        if (state == State.OPEN) {
            pump();
        } else if (state == State.SETTLING && requests == 0) {
            settle();
        }
    }

    /** Answers may come through the mailbox in another order than the store gave them. */
    private void release() {
        while (!unacknowledged.isEmpty() && unacknowledged.element().acknowledged) {
            Batch done = unacknowledged.remove();
            acknowledged = done.offset + done.rows.size();
            heldBytes = heldBytes - done.heldBytes;
            metrics.rows.inc(done.rows.size());
            metrics.bytes.inc(done.rowBytes);
            written(done);
        }
    }

    /** One event of each append tells its latency: the first, which waited longest. */
    private void written(Batch done) {
        long committedAt = done.events.get(0).event().committedAtMillis();
        if (committedAt != EngagementEvent.UNKNOWN_TIME) {
            metrics.commitToWrittenMillis.update(environment.time().getCurrentProcessingTime() - committedAt);
        }
    }

    /** All answers are there: the first append that was not taken decides, as those behind it only follow. */
    private void settle() throws RowStoreException {
        Batch first = unacknowledged.element();
        RowFailure failure = first.failure;
        if (failure == null) {
            throw new IllegalStateException("The first append that was not taken has no failure");
        }
        switch (verdict(failure)) {
            case TRANSIENT -> retryLater(failure.text(), failure);
            case RECORD -> {
                putAside(first, failure.rowErrors());
                moveOn();
            }
            case STREAM_LOST -> {
                if (acknowledged > covered) {
                    // Rows that no checkpoint has yet went with it; the last checkpoint brings them again.
                    throw failed("has lost the stream " + stream, failure);
                }
                LOG.info(
                        "The stream {} takes no more rows; those not acknowledged go into a new one: {}",
                        stream,
                        failure.text());
                moveOn();
            }
            case GAP -> throw failed("misses rows of " + stream + " that it had acknowledged", failure);
            case DONE, TERMINAL -> throw failed("refuses rows", failure);
        }
    }

    private void putAside(Batch batch, Map<Integer, String> errors) {
        Batch others = new Batch();
        for (int i = 0; i < batch.rows.size(); i++) {
            String why = errors.get(i);
            if (why == null) {
                others.add(batch.events.get(i), batch.rows.get(i));
            } else {
                reject(batch.events.get(i), why);
                heldBytes = heldBytes - memoryOf(batch.rows.get(i));
            }
        }
        if (others.rows.size() == batch.rows.size()) {
            throw new IllegalStateException(product() + " refused rows that were not in the append: " + errors.keySet()
                    + " of " + batch.rows.size());
        }
        unacknowledged.remove();
        if (!others.rows.isEmpty()) {
            unacknowledged.addFirst(others);
        }
    }

    /** To a new stream, with all that is not acknowledged. */
    private void moveOn() throws RowStoreException {
        if (stream != null && acknowledged > covered) {
            left.add(new Range(stream, acknowledged - 1, Appended.NO_DETAIL));
        }
        leave();
        for (Batch batch : unacknowledged) {
            if (batch.acknowledged) {
                throw new IllegalStateException(product() + " took rows behind such that it did not take");
            }
            batch.offset = nextOffset;
            nextOffset += batch.rows.size();
        }
        state = State.IDLE;
        pump();
    }

    private void leave() {
        disconnect();
        stream = null;
        acknowledged = 0;
        covered = 0;
        nextOffset = 0;
    }

    /** Milliseconds until the next attempt, or the end of all attempts. */
    private long delayAfter(String why, @Nullable Throwable cause) throws RowStoreException {
        long now = environment.time().getCurrentProcessingTime();
        if (failures++ == 0) {
            failingSince = now;
            LOG.warn(
                    "{} does not take rows of {}; they wait and are sent again until it does: {}",
                    product(),
                    environment.table(),
                    why);
        }
        if (now - failingSince > limits.timeout().toMillis()) {
            throw new RowStoreException(
                    product() + " has not taken rows of " + environment.table() + " for "
                            + limits.timeout().toSeconds() + " s ("
                            + environment.name().option("commit-timeout")
                            + "); the job goes on from its last checkpoint. Last answer: "
                            + why,
                    cause);
        }
        metrics.retries.inc();
        return backoff.delayMillis(failures, environment.random().getAsDouble());
    }

    private void retryLater(String why, @Nullable Throwable cause) throws RowStoreException {
        long delay = delayAfter(why, cause);
        disconnect();
        state = State.BACKING_OFF;
        at(environment.time().getCurrentProcessingTime() + delay, () -> {
            if (state == State.BACKING_OFF) {
                state = State.IDLE;
                pump();
            }
        });
    }

    private void disconnect() {
        generation++;
        requests = 0;
        if (appender != null) {
            appender.abandon();
            appender = null;
        }
        for (Batch batch : unacknowledged) {
            batch.sent = false;
            batch.failure = null;
        }
    }

    /** One timer for all requests, not one each. */
    private void watch() {
        if (watching) {
            return;
        }
        watching = true;
        at(lastAnswer + limits.answerWithin().toMillis(), () -> {
            watching = false;
            if (state != State.OPENING && requests == 0) {
                return;
            }
            long now = environment.time().getCurrentProcessingTime();
            if (now - lastAnswer >= limits.answerWithin().toMillis()) {
                retryLater("no answer within " + limits.answerWithin().toSeconds() + " s", null);
            } else {
                watch();
            }
        });
    }

    private interface Action {
        void run() throws Exception;
    }

    private void at(long millis, Action action) {
        ScheduledFuture<?> unused = environment.time().registerTimer(millis, time -> {
            if (state != State.CLOSED) {
                action.run();
            }
        });
    }

    /** What the encoder says is said of this event. */
    private final class OfEvent implements RowEncoder.Notes {

        private @Nullable EnrichedEvent event;

        @Override
        public void refused(String why) {
            if (event != null) {
                reject(event, why);
            }
        }

        @Override
        public void rounded() {
            metrics.rounded.inc();
        }
    }

    private void reject(EnrichedEvent event, String why) {
        metrics.rejected.inc();
        environment.rejected().reject(event, why);
    }

    private static RowVerdict verdict(RowFailure failure) {
        return failure.verdict(RowVerdict.Operation.APPEND);
    }

    private RowStoreException failed(String what, RowFailure failure) {
        return new RowStoreException(
                product() + " " + what + " (" + environment.table() + "): " + failure.text()
                        + ". The job goes on from its last checkpoint",
                failure);
    }

    private static RowFailure failureOf(@Nullable Throwable problem) {
        Throwable cause = problem;
        while (cause != null) {
            if (cause instanceof RowFailure failure) {
                return failure;
            }
            cause = cause.getCause();
        }
        throw new IllegalStateException("A store's client failed in a way that it should not", problem);
    }

    private String product() {
        return environment.name().product();
    }

    private static int memoryOf(byte[] row) {
        return 2 * row.length + EVENT_BYTES;
    }

    @Override
    public void close() {
        if (state != State.CLOSED) {
            disconnect();
            state = State.CLOSED;
            environment.api().close();
        }
    }

    /** Rows of one append. */
    private static final class Batch {

        private final List<EnrichedEvent> events = new ArrayList<>();
        private final List<byte[]> rows = new ArrayList<>();
        private long rowBytes;
        private long heldBytes;
        private long offset;
        private boolean sent;
        private boolean acknowledged;
        private long sentAt;
        private @Nullable RowFailure failure;

        void add(EnrichedEvent event, byte[] row) {
            events.add(event);
            rows.add(row);
            rowBytes += row.length;
            heldBytes += memoryOf(row);
        }
    }
}
