package dev.engagement.backfill;

import dev.engagement.connection.Pause;
import dev.engagement.deadletter.Reason;
import dev.engagement.event.EngagementEvent;
import dev.engagement.ingest.Arrival;
import dev.engagement.warehouse.WarehouseIds;
import dev.engagement.warehouse.WarehouseOptions;
import java.io.IOException;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Publishes rows that the stream never saw, beside it: reads a range, asks the warehouse which ids it has, and puts the
 * missing rows into the events topic as capture's snapshot would have, behind the contents of which the content topic has
 * not what the table holds. What becomes of them is the stream's affair: there is one path, and its dedupe makes harmless
 * whatever is published and not missing, be it in flight, of a run that broke off, or of another backfill beside this one.
 *
 * <p>No Flink job: it needs no slots beside the live one, runs where it is started, and ends.
 *
 * <p><b>Guarantee.</b> At least once: when it ends well, every row of the range that keeps the rules is in the warehouse,
 * as one of {@code skipped} or of {@code inserted}, or is told to be a dead letter. Without a warehouse every row is
 * published, and the stream has completed a checkpoint behind the last of them. Memory does not grow with the range: a reader
 * holds a fetch of rows and a bit for each of {@value #CHUNK_IDS} ids; before that there are the contents that the topic
 * holds, and after it a bit for each dead letter.
 *
 * <pre>{@code
 * Outcome outcome = Backfill.of(options, warehouseOptions).run(report);
 * }</pre>
 */
public final class Backfill {

    private static final Logger LOG = LoggerFactory.getLogger(Backfill.class);

    /** Ids that the warehouse is asked for at once: each question costs it a pass over the range's partitions. */
    static final int CHUNK_IDS = 200_000;

    private static final int MOST_GAPS = 4_096;
    private static final Duration REPORT_INTERVAL = Duration.ofMillis(500);
    private static final Duration LOG_INTERVAL = Duration.ofSeconds(10);
    private static final Duration ASK_INTERVAL = Duration.ofMillis(500);
    /** What the stream has taken in is in the warehouse by then, as a rule, and no letters need be read. */
    private static final Duration LETTERS_AFTER = Duration.ofSeconds(1);

    private final BackfillOptions options;
    private final @Nullable Known known;
    private final StreamFactory streams;
    private final Pause pause;
    private final LongSupplier nanoTime;
    private final SourceDatabase database;

    /** Opens the way to the stream. */
    @FunctionalInterface
    interface StreamFactory {
        Stream open();
    }

    /** @param nanoTime as {@link System#nanoTime()}; what is waited for is waited for by it */
    Backfill(
            BackfillOptions options, @Nullable Known known, StreamFactory streams, Pause pause, LongSupplier nanoTime) {
        this.options = options;
        this.known = known;
        this.streams = streams;
        this.pause = pause;
        this.nanoTime = nanoTime;
        this.database = new SourceDatabase(options.source());
    }

    /**
     * A backfill.
     *
     * @param warehouse what is asked for ids; null if the stream has none, and then every row is published
     */
    public static Backfill of(BackfillOptions options, @Nullable WarehouseOptions warehouse) {
        Known known = null;
        if (warehouse != null) {
            WarehouseIds ids = WarehouseIds.of(warehouse);
            known = (range, times, each) ->
                    ids.between(range.first(), range.last(), times.fromMicros(), times.toMicros(), each);
        }
        return new Backfill(options, known, () -> KafkaStream.open(options), Pause.real(), System::nanoTime);
    }

    /**
     * Does it; blocks until the stream has taken in what was published.
     *
     * @throws BackfillException if a store cannot be reached, or the stream did not take everything in within the patience;
     *     to run it again is harmless
     */
    public Outcome run(Report report) throws InterruptedException {
        try {
            SourceDatabase.Extent extent = extent();
            report.line(
                    extent.rows() == 0
                            ? "There are no rows with event_ts in " + options.range() + contentText()
                            : String.format(
                                    "Reading %,d rows with event_ts in %s%s",
                                    extent.rows(), options.range(), contentText()));
            Pass pass = new Pass(extent);
            Map<Integer, Long> ends;
            try (Stream stream = streams.open()) {
                bringContents(stream, report);
                if (extent.rows() == 0) {
                    return new Outcome(0, 0);
                }
                pass.run(options.dryRun() ? null : stream, report);
                ends = stream.flush();
                pass.tell(report);
                if (options.dryRun()) {
                    return new Outcome(0, pass.there.sum());
                }
                long letters = awaitIntake(stream, ends, pass, report);
                return known == null
                        ? new Outcome(pass.published.sum(), 0)
                        : new Outcome(pass.missing.sum() - letters, pass.there.sum());
            }
        } catch (SQLException e) {
            throw new BackfillException(database.explain(e, options.contentId()), e);
        } catch (IOException e) {
            throw new BackfillException(String.valueOf(e.getMessage()), e);
        } catch (IllegalStateException e) {
            // A secret that is not where it should be; its message says so.
            throw new BackfillException(String.valueOf(e.getMessage()), e);
        }
    }

    /**
     * How many rows a range has: for a rebuild to estimate by, and to be told what is wrong before it is submitted.
     *
     * @throws BackfillException if the table cannot be read
     */
    public static long rows(SourceOptions source, RangeOptions range) {
        SourceDatabase database = new SourceDatabase(source);
        try (Connection connection = database.connect()) {
            return database.extent(connection, range, null).rows();
        } catch (SQLException e) {
            throw new BackfillException(database.explain(e, null), e);
        } catch (IllegalStateException e) {
            throw new BackfillException(String.valueOf(e.getMessage()), e);
        }
    }

    private String contentText() {
        return options.contentId() == null ? "" : " of content " + options.contentId();
    }

    private SourceDatabase.Extent extent() throws SQLException {
        try (Connection connection = database.connect()) {
            return database.extent(connection, options.range(), options.contentId());
        }
    }

    /** What the stream is to know of contents is published before the first event that may refer to it. */
    private void bringContents(Stream stream, Report report) throws SQLException {
        report.progress("comparing " + options.contentTopic() + " with the content table");
        Contents contents =
                new Contents(database, decoder(), options.maxRowBytes().getBytes());
        Contents.Fate fate;
        try (Connection connection = database.connect()) {
            fate = options.dryRun()
                    ? Contents.Fate.DRY_RUN
                    : SourceDatabase.isStandby(connection) ? Contents.Fate.STANDBY : Contents.Fate.PUBLISHED;
            if (fate == Contents.Fate.PUBLISHED) {
                contents.settle(connection, stream, options.patience());
            } else {
                contents.compare(connection, stream);
            }
        }
        contents.tell(report, options.contentTopic(), fate);
    }

    /** One pass over the range, by some readers, each of which takes the next ids when it has done with its own. */
    private final class Pass {

        private final SourceDatabase.Extent extent;
        private final Gaps gaps = new Gaps(MOST_GAPS);
        private final LongAdder read = new LongAdder();
        private final LongAdder published = new LongAdder();
        private final LongAdder there = new LongAdder();
        private final LongAdder missing = new LongAdder();
        private final Samples invalid = new Samples();
        private final Samples tooLarge = new Samples();
        private IdRange left;

        Pass(SourceDatabase.Extent extent) {
            this.extent = extent;
            this.left = extent.ids();
        }

        private synchronized IdRange nextChunk(Connection connection) throws SQLException {
            left = database.fromNextId(connection, left);
            if (left.isEmpty()) {
                return IdRange.EMPTY;
            }
            IdRange chunk = left.head(CHUNK_IDS);
            left = left.after(chunk.last());
            return chunk;
        }

        private synchronized void stop() {
            left = IdRange.EMPTY;
        }

        /** @param stream null to publish nothing */
        void run(@Nullable Stream stream, Report report) throws SQLException, IOException, InterruptedException {
            long start = System.nanoTime();
            int readers = (int) Math.min(options.readers(), extent.ids().parts(CHUNK_IDS));
            ExecutorService threads = Executors.newFixedThreadPool(readers, task -> {
                Thread thread = new Thread(task, "backfill-reader");
                thread.setDaemon(true);
                return thread;
            });
            try {
                List<Future<?>> tasks = new ArrayList<>();
                for (int i = 0; i < readers; i++) {
                    tasks.add(threads.submit(() -> {
                        try {
                            read(stream);
                        } finally {
                            // Nobody reads on beside one that has failed; one that has not leaves nothing to read.
                            stop();
                        }
                        return null;
                    }));
                }
                long logged = start;
                for (Future<?> task : tasks) {
                    while (!done(task)) {
                        String text = progress(start).text();
                        report.progress(text);
                        if (System.nanoTime() - logged > LOG_INTERVAL.toNanos()) {
                            logged = System.nanoTime();
                            LOG.info("{}", text);
                        }
                    }
                }
                report.line(progress(start).text());
            } finally {
                stop();
                threads.shutdownNow();
                // Their connections and the producer are theirs until they are gone.
                boolean unused = threads.awaitTermination(REPORT_INTERVAL.toMillis() * 20, TimeUnit.MILLISECONDS);
            }
        }

        private Progress progress(long start) {
            return new Progress(read.sum(), extent.rows(), Duration.ofNanos(System.nanoTime() - start));
        }

        private boolean done(Future<?> task) throws SQLException, IOException, InterruptedException {
            try {
                task.get(REPORT_INTERVAL.toMillis(), TimeUnit.MILLISECONDS);
                return true;
            } catch (TimeoutException e) {
                return false;
            } catch (ExecutionException e) {
                Throwable cause = e.getCause();
                if (cause instanceof SQLException sql) {
                    throw sql;
                }
                if (cause instanceof IOException io) {
                    throw io;
                }
                if (cause instanceof BackfillException ours) {
                    throw ours;
                }
                throw new IllegalStateException("Reading broke off: " + cause, cause);
            }
        }

        private void read(@Nullable Stream stream) throws SQLException, IOException, InterruptedException {
            RowDecoder decoder = decoder();
            try (Connection connection = database.connect()) {
                SourceDatabase.begin(connection);
                for (IdRange chunk = nextChunk(connection); !chunk.isEmpty(); chunk = nextChunk(connection)) {
                    read(connection, chunk, decoder, stream);
                }
            }
        }

        private void read(Connection connection, IdRange chunk, RowDecoder decoder, @Nullable Stream stream)
                throws SQLException, IOException, InterruptedException {
            Arrival<EngagementEvent> arrival = new Arrival<>();
            try (RowCursor<EventRow> rows = database.events(connection, chunk, options.range(), options.contentId())) {
                EventRow row = rows.next();
                if (row == null) {
                    // The warehouse is asked for nothing that is not there.
                    return;
                }
                BitSet had = had(chunk);
                boolean gap = false;
                for (; row != null; row = rows.next()) {
                    if (Thread.interrupted()) {
                        throw new InterruptedException("Another reader has failed");
                    }
                    read.increment();
                    boolean isThere = had.get((int) (row.id() - chunk.first()));
                    if (isThere) {
                        there.increment();
                        if (!options.all()) {
                            continue;
                        }
                    }
                    byte[] envelope = RowJson.envelope(row);
                    if (envelope.length > options.maxRowBytes().getBytes()) {
                        tooLarge.add(row.id());
                        continue;
                    }
                    decoder.decode(row, arrival);
                    if (arrival.kind() != Arrival.Kind.VALUE) {
                        invalid.add(row.id());
                    } else if (!isThere) {
                        missing.increment();
                        gap = true;
                    }
                    if (stream != null) {
                        stream.publish(row.id(), envelope);
                        published.increment();
                    }
                }
                if (gap) {
                    synchronized (gaps) {
                        gaps.add(chunk);
                    }
                }
            }
        }

        /** What is worth knowing beside the counts. */
        void tell(Report report) {
            if (options.dryRun()) {
                report.line(String.format(
                        "Dry run: of %,d rows %,d are in the warehouse and %,d would be published; nothing was",
                        read.sum(), there.sum(), missing.sum() + invalid.count() + (options.all() ? there.sum() : 0)));
            } else if (published.sum() > 0) {
                report.line(String.format("%,d rows published to %s", published.sum(), options.eventsTopic()));
            }
            if (invalid.count() > 0) {
                report.line(String.format(
                        "%,d rows break a rule, and become dead letters instead of rows (%s)",
                        invalid.count(), invalid.ids()));
            }
            if (tooLarge.count() > 0) {
                report.line(String.format(
                        "%,d rows are larger than capture.max-row-bytes and are left out (%s)",
                        tooLarge.count(), tooLarge.ids()));
            }
        }
    }

    private RowDecoder decoder() {
        Clock clock = Clock.systemUTC();
        return new RowDecoder(
                options.eventsTopic(),
                options.contentTopic(),
                options.maxRecordBytes().getBytes(),
                clock.millis(),
                clock);
    }

    /** A bit for each id of a chunk that the warehouse has. */
    private BitSet had(IdRange chunk) throws IOException, InterruptedException {
        BitSet had = new BitSet();
        if (known != null) {
            known.idsOf(chunk, options.range(), id -> {
                if (chunk.contains(id)) {
                    had.set((int) (id - chunk.first()));
                }
            });
        }
        return had;
    }

    // ------------------------------------------------------------------------------------------------- the intake

    /** @return how many of the missing rows became dead letters */
    private long awaitIntake(Stream stream, Map<Integer, Long> ends, Pass pass, Report report)
            throws SQLException, IOException, InterruptedException {
        long until = nanoTime.getAsLong() + options.patience().toNanos();
        if (known == null || options.all()) {
            while (!hasPassed(stream.takenIn(), ends)) {
                if (nanoTime.getAsLong() - until >= 0) {
                    throw new BackfillException(
                            String.format(
                                    "The %,d published rows are in %s, but within backfill.wait (%s) no checkpoint of the"
                                            + " stream has passed them, by the offsets of the group %s. Does the stream"
                                            + " run, and is that its kafka.group-id?",
                                    pass.published.sum(), options.eventsTopic(), options.patience(), options.groupId()),
                            null);
                }
                report.progress("waiting until the stream has taken in what was published");
                pause(until);
            }
        }
        return known == null ? 0 : new Intake(stream, ends, pass, until, report).await();
    }

    static boolean hasPassed(Map<Integer, Long> takenIn, Map<Integer, Long> ends) {
        return ends.entrySet().stream().allMatch(end -> takenIn.getOrDefault(end.getKey(), 0L) >= end.getValue());
    }

    /**
     * Waits for the warehouse, range after range: what is there stays there, so that no range is asked for again once it is
     * complete.
     */
    private final class Intake {

        private final Stream stream;
        private final Map<Integer, Long> ends;
        private final Pass pass;
        private final long until;
        private final Report report;
        private final RowDecoder decoder = decoder();
        private final Letters letters = new Letters();
        private boolean isTakenIn;
        /** When the stream had taken everything in, or the last row came since then. */
        private long movedAt;
        /** Whether letters were read since then: before that nobody can say what does not come. */
        private boolean areLettersRead;

        /**
         * Nothing is asked yet.
         *
         * @param ends the offsets behind what was published
         * @param until of {@code nanoTime}
         */
        Intake(Stream stream, Map<Integer, Long> ends, Pass pass, long until, Report report) {
            this.stream = stream;
            this.ends = ends;
            this.pass = pass;
            this.until = until;
            this.report = report;
        }

        /** @return how many of the missing rows became dead letters */
        long await() throws SQLException, IOException, InterruptedException {
            Map<Reason, Samples> lost = new EnumMap<>(Reason.class);
            List<IdRange> ranges = pass.gaps.ranges();
            try (Connection connection = database.connect()) {
                SourceDatabase.begin(connection);
                for (int i = 0; i < ranges.size(); i++) {
                    Gap gap = await(connection, ranges.get(i));
                    if (gap.missing.count() > 0) {
                        for (IdRange rest : ranges.subList(i + 1, ranges.size())) {
                            gap.missing.addAll(look(connection, rest).missing);
                        }
                        throw new BackfillException(isSettled() ? known(gap.missing) : late(gap.missing), null);
                    }
                    gap.letters.forEach((reason, ids) ->
                            lost.computeIfAbsent(reason, any -> new Samples()).addAll(ids));
                }
            }
            long count = lost.values().stream().mapToLong(Samples::count).sum();
            if (count > 0) {
                report.line(String.format(
                        "%,d rows became dead letters instead of rows (%s); redrive puts them back when their cause is"
                                + " mended",
                        count, Letters.text(lost)));
            }
            return count;
        }

        /** What a range lacks when it lacks nothing any more, or when there is no use in waiting. */
        private Gap await(Connection connection, IdRange ids) throws SQLException, IOException, InterruptedException {
            Gap gap = look(connection, ids);
            while (gap.missing.count() > 0 && !isOver()) {
                report.progress(String.format(
                        "waiting for the warehouse: %,d rows of ids %d to %d are still missing",
                        gap.missing.count(), ids.first(), ids.last()));
                pause(until);
                if (isTakenIn && nanoTime.getAsLong() - movedAt > LETTERS_AFTER.toNanos()) {
                    stream.letters(letters::add);
                    areLettersRead = true;
                }
                Gap next = look(connection, ids);
                if (next.missing.count() != gap.missing.count()) {
                    moved();
                }
                gap = next;
            }
            return gap;
        }

        private void moved() {
            movedAt = nanoTime.getAsLong();
            areLettersRead = false;
        }

        private boolean isOver() {
            if (!isTakenIn && hasPassed(stream.takenIn(), ends)) {
                isTakenIn = true;
                moved();
            }
            return isSettled() || nanoTime.getAsLong() - until >= 0;
        }

        private boolean isSettled() {
            return areLettersRead
                    && nanoTime.getAsLong() - movedAt > options.settling().toNanos();
        }

        private String late(Samples missing) {
            return String.format(
                    "Of %,d missing rows, all of which are in %s now, %,d are not in the warehouse within backfill.wait"
                            + " (%s): %s. Does the stream run, with this warehouse, and complete checkpoints? To run it"
                            + " again is harmless",
                    pass.missing.sum(), options.eventsTopic(), missing.count(), options.patience(), missing.ids());
        }

        private String known(Samples missing) {
            return String.format(
                    "Of %,d missing rows, all of which the stream has taken in, %,d did not come to the warehouse, nor"
                            + " became dead letters, within %s since then: %s. It had them before, or its dedupe would not"
                            + " drop them; what only the warehouse lost is put back by a rebuild and a MERGE, which audit"
                            + " --repair prints",
                    pass.missing.sum(), missing.count(), options.settling(), missing.ids());
        }

        private Gap look(Connection connection, IdRange ids) throws SQLException, IOException, InterruptedException {
            Gap gap = new Gap(new Samples(), new EnumMap<>(Reason.class));
            Arrival<EngagementEvent> arrival = new Arrival<>();
            for (IdRange rest = database.fromNextId(connection, ids); !rest.isEmpty(); ) {
                IdRange chunk = rest.head(CHUNK_IDS);
                BitSet had = had(chunk);
                try (RowCursor<EventRow> rows =
                        database.events(connection, chunk, options.range(), options.contentId())) {
                    for (EventRow row = rows.next(); row != null; row = rows.next()) {
                        if (had.get((int) (row.id() - chunk.first()))) {
                            continue;
                        }
                        decoder.decode(row, arrival);
                        if (arrival.kind() == Arrival.Kind.VALUE) {
                            gap.add(row.id(), letters.reasonOf(row.id()));
                        }
                    }
                }
                rest = database.fromNextId(connection, rest.after(chunk.last()));
            }
            return gap;
        }
    }

    /**
     * What a range of ids has of rows that keep the rules and are not in the warehouse.
     *
     * @param missing those that may still come
     * @param letters those that became dead letters
     */
    private record Gap(Samples missing, Map<Reason, Samples> letters) {

        /** @param letter why it became a dead letter; null if it did not */
        void add(long id, @Nullable Reason letter) {
            (letter == null ? missing : letters.computeIfAbsent(letter, any -> new Samples())).add(id);
        }
    }

    private void pause(long until) throws InterruptedException {
        Duration left = Duration.ofNanos(until - nanoTime.getAsLong());
        pause.of(left.compareTo(ASK_INTERVAL) < 0 ? left : ASK_INTERVAL);
    }
}
