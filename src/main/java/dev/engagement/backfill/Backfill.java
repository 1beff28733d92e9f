package dev.engagement.backfill;

import dev.engagement.connection.Pause;
import dev.engagement.connection.TimeIndex;
import dev.engagement.deadletter.Reason;
import dev.engagement.event.EngagementEvent;
import dev.engagement.event.EventId;
import dev.engagement.event.EventIdNumbers;
import dev.engagement.ingest.DecodedRecord;
import dev.engagement.source.EventRow;
import dev.engagement.source.RangeOptions;
import dev.engagement.source.RowCursor;
import dev.engagement.source.RowDecoder;
import dev.engagement.source.RowJson;
import dev.engagement.source.SourceOptions;
import dev.engagement.source.SourceTables;
import dev.engagement.warehouse.WarehouseIds;
import dev.engagement.warehouse.WarehouseOptions;
import java.io.IOException;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.LongConsumer;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;
import org.roaringbitmap.longlong.LongIterator;
import org.roaringbitmap.longlong.Roaring64Bitmap;
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
 * published, and the stream has completed a checkpoint behind the last of them.
 *
 * <p><b>Cost.</b> One pass, day by day of event_ts: the warehouse reads two columns of each day's partition once, and
 * PostgreSQL its rows once in the order of event_ts; with an index that begins with it in pages, each a transaction of its
 * own, without one in one statement that reads the whole table and sorts the range's rows. What was published is asked for
 * again when the stream has completed a checkpoint, day by day, and of a day no more once it is complete. Memory: for each
 * reader a fetch of rows and some two bits for each id that the warehouse has of its day; a bit or two for each row that is
 * missing; and the contents that the topic holds. Where ids are texts, some 150 bytes for each of the range as well. A row that is committed, and captured, while its day is read may count
 * as missing; it is published, and dropped by the dedupe.
 *
 * <pre>{@code
 * Outcome outcome = Backfill.of(options, warehouseOptions).run(report);
 * }</pre>
 */
public final class Backfill {

    private static final Logger LOG = LoggerFactory.getLogger(Backfill.class);

    /** Rows of a transaction, which keeps what vacuum may take away. */
    private static final int PAGE_ROWS = 50_000;

    /** Readers that are done take the next piece of a day. */
    private static final int PIECES_A_DAY = 24;

    private static final Duration REPORT_INTERVAL = Duration.ofMillis(500);
    private static final Duration LOG_INTERVAL = Duration.ofSeconds(10);
    private static final Duration PAUSE = Duration.ofMillis(500);
    /** Rows show when a checkpoint has completed, a moment before or after the stream says so. */
    private static final Duration SHOWN_AFTER = Duration.ofSeconds(1);
    /** How often to ask a warehouse whose stream does not say how far it is. */
    private static final Duration ASK_INTERVAL = Duration.ofSeconds(30);
    /** What the stream has taken in is in the warehouse by then, as a rule, and no letters need be read. */
    private static final Duration LETTERS_AFTER = Duration.ofSeconds(1);

    private final BackfillOptions options;
    private final @Nullable WarehouseLookup known;
    private final StreamFactory streams;
    private final Pause pause;
    private final LongSupplier nanoTime;
    private final SourceTables database;
    private final EventIdNumbers numbers;

    /** Opens the way to the stream. */
    @FunctionalInterface
    interface StreamFactory {
        StreamGateway open() throws IOException;
    }

    /** @param nanoTime as {@link System#nanoTime()}; what is waited for is waited for by it */
    Backfill(
            BackfillOptions options,
            @Nullable WarehouseLookup known,
            StreamFactory streams,
            Pause pause,
            LongSupplier nanoTime) {
        this(options, known, new EventIdNumbers(options.source().rules().ids()), streams, pause, nanoTime);
    }

    private Backfill(
            BackfillOptions options,
            @Nullable WarehouseLookup known,
            EventIdNumbers numbers,
            StreamFactory streams,
            Pause pause,
            LongSupplier nanoTime) {
        this.options = options;
        this.known = known;
        this.streams = streams;
        this.pause = pause;
        this.nanoTime = nanoTime;
        this.database = new SourceTables(options.source(), "engagement-backfill");
        this.numbers = numbers;
    }

    /**
     * A backfill.
     *
     * @param warehouse what is asked for ids; null if the stream has none, and then every row is published
     */
    public static Backfill of(BackfillOptions options, @Nullable WarehouseOptions warehouse) {
        EventIdNumbers numbers = new EventIdNumbers(options.source().rules().ids());
        WarehouseLookup known = null;
        if (warehouse != null) {
            WarehouseIds ids = WarehouseIds.of(warehouse);
            known = new WarehouseLookup() {
                @Override
                public void idsIn(RangeOptions range, LongConsumer each) throws IOException, InterruptedException {
                    ids.between(
                            range.fromMicros(), range.toMicros(), numbers.kind(), id -> each.accept(numbers.of(id)));
                }

                @Override
                public long bytesToRead(RangeOptions range) throws IOException, InterruptedException {
                    return ids.bytesToRead(range.fromMicros(), range.toMicros());
                }
            };
        }
        return new Backfill(options, known, numbers, () -> KafkaStream.open(options), Pause.real(), System::nanoTime);
    }

    /**
     * Does it; blocks until the stream has taken in what was published.
     *
     * @throws BackfillException if a store cannot be reached, or the stream did not take everything in within the timeout;
     *     to run it again is harmless
     */
    public Outcome run(ProgressReport report) throws InterruptedException {
        try {
            SourceTables.Extent extent = extent();
            if (options.dryRun()) {
                tellCost(extent, report);
            }
            report.line(
                    extent.rows() == 0
                            ? "There are no rows with event_ts in " + options.range() + contentText()
                            : String.format(
                                    "Reading %,d rows with event_ts in %s%s",
                                    extent.rows(), options.range(), contentText()));
            Pass pass = new Pass(extent, report);
            Map<Integer, Long> ends;
            try (StreamGateway stream = streams.open()) {
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
        SourceTables database = new SourceTables(source, "engagement-backfill");
        try (Connection connection = database.connect()) {
            return database.extent(connection, range, null).rows();
        } catch (SQLException e) {
            throw new BackfillException(database.explain(e, null), e);
        } catch (IllegalStateException e) {
            throw new BackfillException(String.valueOf(e.getMessage()), e);
        }
    }

    /** What this would cost if it was no dry run, before it is waited for. */
    private void tellCost(SourceTables.Extent extent, ProgressReport report)
            throws SQLException, IOException, InterruptedException {
        String warehouse = known == null
                ? "the warehouse is not asked"
                : String.format(
                        Locale.ROOT,
                        "BigQuery reads %.3f GB (by its dry run), and as much of the days with missing rows after each"
                                + " checkpoint until they are there",
                        known.bytesToRead(options.range()) / 1e9);
        String source;
        try (Connection connection = database.connect()) {
            source = database.timeIndex(connection).isOrdered()
                    ? String.format(Locale.ROOT, "PostgreSQL reads %,d rows twice", extent.rows())
                    : String.format(
                            Locale.ROOT,
                            "PostgreSQL reads its whole table twice, some %,d rows each time",
                            Math.max(extent.rows(), database.estimatedRows(connection)));
        }
        report.line("Cost: " + warehouse + "; " + source);
    }

    private String contentText() {
        return options.contentId() == null ? "" : " of content " + options.contentId();
    }

    private SourceTables.Extent extent() throws SQLException {
        try (Connection connection = database.connect()) {
            return database.extent(connection, options.range(), options.contentId());
        }
    }

    /** What the stream is to know of contents is published before the first event that may refer to it. */
    private void bringContents(StreamGateway stream, ProgressReport report) throws SQLException, IOException {
        report.progress("comparing " + options.contentTopic() + " with the content table");
        Contents contents =
                new Contents(database, decoder(), options.maxRowBytes().getBytes());
        Contents.Fate fate;
        try (Connection connection = database.connect()) {
            fate = options.dryRun()
                    ? Contents.Fate.DRY_RUN
                    : SourceTables.isStandby(connection) ? Contents.Fate.STANDBY : Contents.Fate.PUBLISHED;
            if (fate == Contents.Fate.PUBLISHED) {
                contents.settle(connection, stream, options.timeout());
            } else {
                contents.compare(connection, stream);
            }
        }
        contents.tell(report, options.contentTopic(), fate);
    }

    /**
     * What a reader reads at once.
     *
     * @param day of all of it, which has begun; null if there are several
     */
    private record Piece(RangeOptions range, @Nullable Day day) {}

    /** One pass over the range, by some readers, each of which takes the next piece when it has done with its own. */
    private final class Pass {

        private final SourceTables.Extent extent;
        private final ProgressReport report;
        private final TreeMap<Long, Day> days = new TreeMap<>();
        private final LongAdder read = new LongAdder();
        private final LongAdder published = new LongAdder();
        private final LongAdder there = new LongAdder();
        private final LongAdder missing = new LongAdder();
        private final Samples invalid = new Samples();
        private final Samples tooLarge = new Samples();
        private boolean isIndexed;
        /** Where the next piece begins; null when there is none. */
        private @Nullable Long left = options.range().fromMicros();

        Pass(SourceTables.Extent extent, ProgressReport report) {
            this.extent = extent;
            this.report = report;
        }

        /** The next piece, within a day and with rows, or all that is left if there is no index; null at the end. */
        private synchronized @Nullable Piece nextPiece(Connection connection) throws SQLException {
            Long from = left;
            long to = options.range().toMicros();
            if (from == null || from >= to) {
                return null;
            }
            if (!isIndexed) {
                left = null;
                return new Piece(options.range(), null);
            }
            Long first = database.firstTime(connection, new RangeOptions(from, to), options.contentId());
            connection.rollback();
            if (first == null) {
                left = null;
                closeBefore(Long.MAX_VALUE);
                return null;
            }
            long day = Math.floorDiv(first, Day.MICROS);
            long length = Math.min(Day.MICROS, to - options.range().fromMicros()) / PIECES_A_DAY + 1;
            long end = Math.min(Math.min(to, (day + 1) * Day.MICROS), first + length);
            left = end;
            Day begun = day(day);
            begun.begin();
            closeBefore(day);
            return new Piece(new RangeOptions(first, end), begun);
        }

        private synchronized Day day(long epochDay) {
            return days.computeIfAbsent(epochDay, any -> Day.of(epochDay, options.range()));
        }

        private synchronized void closeBefore(long epochDay) {
            days.headMap(epochDay).values().forEach(Day::close);
        }

        private synchronized void stop() {
            left = null;
        }

        /** In their order; nobody reads any more. */
        synchronized List<Day> open() {
            return days.values().stream().filter(day -> !day.isComplete()).toList();
        }

        /** @param stream null to publish nothing */
        void run(@Nullable StreamGateway stream, ProgressReport report)
                throws SQLException, IOException, InterruptedException {
            long start = System.nanoTime();
            int readers = readers();
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

        /** Without an index there is one order only, and one who reads in it. */
        private int readers() throws SQLException {
            try (Connection connection = database.connect()) {
                TimeIndex index = database.timeIndex(connection);
                isIndexed = index.isOrdered();
                if (!isIndexed) {
                    report.line(String.format(
                            Locale.ROOT,
                            "%s has no index that begins with event_ts, so PostgreSQL reads the whole table, some %,d"
                                    + " rows, and sorts the range's on its disk. %s makes it read the range alone",
                            options.source().quotedEvents(),
                            Math.max(extent.rows(), database.estimatedRows(connection)),
                            index.advice()));
                }
            }
            return isIndexed ? options.readers() : 1;
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

        private void read(@Nullable StreamGateway stream) throws SQLException, IOException, InterruptedException {
            RowDecoder decoder = decoder();
            try (Connection connection = database.connect()) {
                SourceTables.begin(connection);
                for (Piece piece = nextPiece(connection); piece != null; piece = nextPiece(connection)) {
                    read(connection, piece, decoder, stream);
                }
            }
        }

        private void read(Connection connection, Piece piece, RowDecoder decoder, @Nullable StreamGateway stream)
                throws SQLException, IOException, InterruptedException {
            Integer limit = isIndexed ? (Integer) PAGE_ROWS : null;
            DecodedRecord<EngagementEvent> decoded = new DecodedRecord<>();
            SourceTables.Position position = null;
            String text = "";
            Day day = piece.day;
            Roaring64Bitmap had = new Roaring64Bitmap();
            try {
                if (day != null) {
                    // Before there is a snapshot, which keeps what vacuum may take away: the answer may take minutes.
                    had = day.ids(known);
                }
                int rowsOfPage;
                do {
                    rowsOfPage = 0;
                    EventRow last = null;
                    try (RowCursor<EventRow> rows =
                            database.eventsByTime(connection, piece.range, position, limit, options.contentId())) {
                        for (EventRow row = rows.next(); row != null; row = rows.next()) {
                            if (Thread.interrupted()) {
                                throw new InterruptedException("Another reader has failed");
                            }
                            last = row;
                            rowsOfPage++;
                            if (day == null || text.isEmpty() || !row.eventTs().startsWith(text)) {
                                Day next = day(Day.of(row.eventTs()));
                                if (!next.equals(day)) {
                                    next.begin();
                                    if (day != null) {
                                        day.end();
                                        closeBefore(Day.of(row.eventTs()));
                                    }
                                }
                                day = next;
                                text = row.eventTs().substring(0, Day.TEXT_LENGTH);
                                had = day.ids(known);
                            }
                            read(row, day, had.contains(numbers.of(row.eventId())), decoder, decoded, stream);
                        }
                    }
                    position = last == null ? null : new SourceTables.Position(last.eventTs(), last.eventId());
                } while (limit != null && rowsOfPage == limit);
            } finally {
                if (day != null) {
                    day.end();
                }
            }
        }

        private void read(
                EventRow row,
                Day day,
                boolean isThere,
                RowDecoder decoder,
                DecodedRecord<EngagementEvent> decoded,
                @Nullable StreamGateway stream) {
            read.increment();
            if (isThere) {
                there.increment();
                if (!options.all()) {
                    return;
                }
            }
            byte[] envelope = RowJson.envelope(row);
            if (envelope.length > options.maxRowBytes().getBytes()) {
                tooLarge.add(row.eventId());
                return;
            }
            decoder.decode(row, decoded);
            if (decoded.kind() != DecodedRecord.Kind.VALUE) {
                invalid.add(row.eventId());
            } else if (!isThere) {
                missing.increment();
                if (known != null) {
                    day.miss(numbers.of(row.eventId()), decoded.value().eventTsMicros());
                }
            }
            if (stream != null) {
                stream.publish(row.eventId(), envelope);
                published.increment();
            }
        }

        /** What is worth knowing beside the counts. */
        void tell(ProgressReport report) {
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
                options.source().rules().contentRequired(),
                clock.millis(),
                clock);
    }

    // ------------------------------------------------------------------------------------------------- the intake

    /** @return how many of the missing rows became dead letters */
    private long awaitIntake(StreamGateway stream, Map<Integer, Long> ends, Pass pass, ProgressReport report)
            throws SQLException, IOException, InterruptedException {
        long until = nanoTime.getAsLong() + options.timeout().toNanos();
        if (known == null || options.all()) {
            while (!hasPassed(stream.takenIn(), ends)) {
                if (nanoTime.getAsLong() - until >= 0) {
                    throw new BackfillException(
                            String.format(
                                    "The %,d published rows are in %s, but within backfill.wait (%s) no checkpoint of the"
                                            + " stream has passed them, by the offsets of the group %s. Does the stream"
                                            + " run, and is that its kafka.group-id?",
                                    pass.published.sum(), options.eventsTopic(), options.timeout(), options.groupId()),
                            null);
                }
                report.progress("waiting until the stream has taken in what was published");
                pause(until);
            }
        }
        return known == null ? 0 : new Intake(known, stream, ends, pass, until, report).await();
    }

    static boolean hasPassed(Map<Integer, Long> takenIn, Map<Integer, Long> ends) {
        return ends.entrySet().stream().allMatch(end -> takenIn.getOrDefault(end.getKey(), 0L) >= end.getValue());
    }

    /**
     * Waits for the warehouse, day after day: what is there stays there, so that no day is asked for again once it is
     * complete. A day is asked for when rows may have come: a moment after the stream said that a checkpoint has completed.
     */
    private final class Intake {

        private final WarehouseLookup known;
        private final StreamGateway stream;
        private final Map<Integer, Long> ends;
        private final Pass pass;
        private final long until;
        private final ProgressReport report;
        private final LetterReasons letters = new LetterReasons();
        private boolean isTakenIn;
        /** When the stream had taken everything in, or the last row came since then. */
        private long movedAt;
        /** Whether letters were read since then: before that nobody can say what does not come. */
        private boolean areLettersRead;

        private Map<Integer, Long> takenIn;
        /** When rows show of the first checkpoint since the warehouse was asked; null if there was none. */
        private @Nullable Long shownAt;

        private long askedAt;

        /**
         * Nothing is asked yet.
         *
         * @param ends the offsets behind what was published
         * @param until of {@code nanoTime}
         */
        Intake(
                WarehouseLookup known,
                StreamGateway stream,
                Map<Integer, Long> ends,
                Pass pass,
                long until,
                ProgressReport report)
                throws IOException {
            this.known = known;
            this.stream = stream;
            this.ends = ends;
            this.pass = pass;
            this.until = until;
            this.report = report;
            this.takenIn = stream.takenIn();
            this.askedAt = nanoTime.getAsLong();
            this.shownAt = askedAt + SHOWN_AFTER.toNanos();
        }

        /** @return how many of the missing rows became dead letters */
        long await() throws IOException, InterruptedException {
            Map<Reason, Samples> lost = new EnumMap<>(Reason.class);
            List<Day> days = pass.open();
            for (int i = 0; i < days.size(); i++) {
                // The checkpoint that brought the one day has brought rows of the next as well.
                Gap gap = await(days.get(i), i > 0);
                if (gap.missing.count() > 0) {
                    for (Day rest : days.subList(i + 1, days.size())) {
                        gap.missing.addAll(look(rest).missing);
                    }
                    throw new BackfillException(isSettled() ? known(gap.missing) : late(gap.missing), null);
                }
                gap.letters.forEach((reason, ids) ->
                        lost.computeIfAbsent(reason, any -> new Samples()).addAll(ids));
            }
            long count = lost.values().stream().mapToLong(Samples::count).sum();
            if (count > 0) {
                report.line(String.format(
                        "%,d rows became dead letters instead of rows (%s); redrive puts them back when their cause is"
                                + " mended",
                        count, LetterReasons.text(lost)));
            }
            return count;
        }

        /**
         * What a day lacks when it lacks nothing any more, or when there is no use in waiting.
         *
         * @param isShown whether rows of it may be there already
         */
        private Gap await(Day day, boolean isShown) throws IOException, InterruptedException {
            Gap gap = gap(day);
            if (isShown && gap.missing.count() > 0) {
                gap = lookAgain(day, gap);
            }
            while (gap.missing.count() > 0) {
                boolean isOver = isOver();
                if (!isOver) {
                    report.progress(String.format(
                            "waiting for the warehouse: %,d rows of %s are still missing", gap.missing.count(), day));
                    pause(until);
                }
                if (isTakenIn && nanoTime.getAsLong() - movedAt > LETTERS_AFTER.toNanos()) {
                    boolean[] any = {false};
                    stream.letters((id, reason) -> {
                        letters.add(numbers.of(id), reason);
                        any[0] = true;
                    });
                    areLettersRead = true;
                    gap = any[0] ? gap(day) : gap;
                }
                if (isOver || mayHaveCome()) {
                    long before = gap.missing.count();
                    gap = lookAgain(day, gap);
                    boolean came = gap.missing.count() != before;
                    // The last word is the warehouse's.
                    if (isOver && (!came || nanoTime.getAsLong() - until >= 0)) {
                        return gap;
                    }
                }
            }
            return gap;
        }

        private Gap lookAgain(Day day, Gap before) throws IOException, InterruptedException {
            Gap gap = look(day);
            if (gap.missing.count() != before.missing.count()) {
                moved();
            }
            return gap;
        }

        /** Whether something may be there that was not when the warehouse was asked the last time. */
        private boolean mayHaveCome() throws IOException {
            long now = nanoTime.getAsLong();
            Map<Integer, Long> next = stream.takenIn();
            if (!next.equals(takenIn)) {
                takenIn = next;
                // The first of several counts, or a stream with many checkpoints would never be asked.
                shownAt = shownAt == null ? (Long) (now + SHOWN_AFTER.toNanos()) : shownAt;
            }
            return shownAt != null && now - shownAt >= 0
                    || takenIn.isEmpty() && now - askedAt >= ASK_INTERVAL.toNanos();
        }

        private void moved() {
            movedAt = nanoTime.getAsLong();
            areLettersRead = false;
        }

        private boolean isOver() throws IOException {
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
                    pass.missing.sum(), options.eventsTopic(), missing.count(), options.timeout(), missing.ids());
        }

        private String known(Samples missing) {
            return String.format(
                    "Of %,d missing rows, all of which the stream has taken in, %,d did not come to the warehouse, nor"
                            + " became dead letters, within %s since then: %s. It had them before, or its dedupe would not"
                            + " drop them; what only the warehouse lost is put back by a rebuild and a MERGE, which audit"
                            + " --repair prints",
                    pass.missing.sum(), missing.count(), options.settling(), missing.ids());
        }

        private Gap look(Day day) throws IOException, InterruptedException {
            askedAt = nanoTime.getAsLong();
            // Of a checkpoint that has just completed the rows are still to show.
            shownAt = shownAt != null && askedAt - shownAt < 0 ? shownAt : null;
            day.look(known);
            return gap(day);
        }

        private Gap gap(Day day) {
            Gap gap = new Gap(new Samples(), new EnumMap<>(Reason.class));
            for (LongIterator ids = day.missing(); ids.hasNext(); ) {
                long id = ids.next();
                gap.add(numbers.id(id), letters.reasonOf(id));
            }
            return gap;
        }
    }

    /**
     * What a day has of rows that keep the rules and are not in the warehouse.
     *
     * @param missing those that may still come
     * @param letters those that became dead letters
     */
    private record Gap(Samples missing, Map<Reason, Samples> letters) {

        /** @param letter why it became a dead letter; null if it did not */
        void add(EventId id, @Nullable Reason letter) {
            (letter == null ? missing : letters.computeIfAbsent(letter, any -> new Samples())).add(id);
        }
    }

    private void pause(long until) throws InterruptedException {
        Duration left = Duration.ofNanos(until - nanoTime.getAsLong());
        pause.of(left.compareTo(PAUSE) < 0 ? left : PAUSE);
    }
}
