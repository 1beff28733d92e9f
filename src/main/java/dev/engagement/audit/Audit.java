package dev.engagement.audit;

import dev.engagement.audit.AuditOptions.Delivery;
import dev.engagement.connection.Pause;
import dev.engagement.connection.RefusedOptionException;
import dev.engagement.connection.TimeIndex;
import dev.engagement.event.EventIdNumbers;
import dev.engagement.event.Timestamps;
import dev.engagement.liveview.LiveViewOptions;
import dev.engagement.rollup.RollupWindows;
import dev.engagement.rollup.definition.RollupDefinition;
import dev.engagement.warehouse.WarehouseOptions;
import java.io.IOException;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.SortedMap;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Whether every destination holds what PostgreSQL holds of a range of event time.
 *
 * <pre>{@code
 * AuditReport report = Audit.run(options, Clock.systemUTC(), System.err::println);
 * System.out.println(report.asText(false));
 * }</pre>
 *
 * <p>Each store adds up its own rows, by minute; only minutes that differ are read by id, all of a day's at once. What differs is
 * looked at again after the settling margin, and only what differs both times is reported: rows are on their way for some
 * seconds, and none says since when. Then Kafka is asked for a reason. Where nothing differs none of that is needed, and the
 * answer comes at once.
 *
 * <p>Memory: the minutes of the range, a fetch of rows, some two bits for each id that differs and, if delivery is compared,
 * for each event of the range; the counts by content; and some cells of rollups, of those that differ. Of ids that are
 * texts some 150 bytes for each that is looked at, in place of the bits. Nothing is written
 * anywhere. Blocking.
 */
public final class Audit {

    /** The stream removes old rows by PostgreSQL's clock, while they are compared by this one's. */
    private static final Duration RETENTION_MARGIN = Duration.ofMinutes(10);

    private final AuditOptions options;
    private final Range range;
    private final Source source;
    private final EventLog log;
    private final Clock clock;
    private final Pause pause;
    private final Consumer<String> progress;

    Audit(
            AuditOptions options,
            Range range,
            Source source,
            EventLog log,
            Clock clock,
            Pause pause,
            Consumer<String> progress) {
        this.options = options;
        this.range = range;
        this.source = source;
        this.log = log;
        this.clock = clock;
        this.pause = pause;
        this.progress = progress;
    }

    /**
     * Compares.
     *
     * @param clock the wall clock
     * @param progress is told what takes long, a line each
     * @throws IOException if a store does not answer; the message says which, and what it said
     * @throws IllegalArgumentException if nothing of the range is older than the settling margin
     */
    public static AuditReport run(AuditOptions options, Clock clock, Consumer<String> progress)
            throws IOException, InterruptedException {
        Range range = settled(options, clock.instant());
        WarehouseOptions warehouse = options.warehouse();
        LiveViewOptions liveView = options.liveView();
        AuditOptions.Rollups rollups = options.rollups();
        EventIdNumbers numbers = new EventIdNumbers(options.eventIds());
        try (PostgresSource source = PostgresSource.connect(options.database(), numbers);
                KafkaLog log = new KafkaLog(options, clock, numbers);
                RedisCounts counts = liveView == null ? null : RedisCounts.connect(liveView);
                PostgresCells cells = rollups == null ? null : PostgresCells.connect(rollups)) {
            Audit audit = new Audit(options, range, source, log, clock, Pause.real(), progress);
            return audit.run(warehouse == null ? null : new WarehouseRows(warehouse, numbers), counts, cells);
        }
    }

    /**
     * What {@link #run} would cost, a line each: BigQuery's bytes by its dry runs, PostgreSQL's rows by its planner. Neither
     * costs anything.
     *
     * @throws IOException if a store does not answer
     * @throws IllegalArgumentException if nothing of the range is older than the settling margin
     */
    public static List<String> cost(AuditOptions options, Clock clock) throws IOException {
        Range range = settled(options, clock.instant());
        List<String> lines = new ArrayList<>();
        EventIdNumbers numbers = new EventIdNumbers(options.eventIds());
        try (PostgresSource source = PostgresSource.connect(options.database(), numbers)) {
            WarehouseRows rows = options.warehouse() == null ? null : new WarehouseRows(options.warehouse(), numbers);
            if (rows != null) {
                long parts = 1 + source.estimatedRows(range) / range.days() / WarehouseCheck.MAX_ROWS;
                lines.add(String.format(
                        Locale.ROOT,
                        "Cost: BigQuery reads %.3f GB for the totals, and for each of two looks at what differs up to %.3f GB"
                                + " (by its dry runs%s)",
                        rows.bytesToRead(range) / 1e9,
                        parts * rows.bytesOfRows(range) / 1e9,
                        parts == 1 ? "" : "; a day in " + parts + " parts, each of which reads the day"));
            }
            TimeIndex index = source.timeIndex();
            lines.add(
                    index.exists()
                            ? String.format(
                                    Locale.ROOT,
                                    "Cost: PostgreSQL reads some %,d rows of the range for each of these",
                                    source.estimatedRows(range))
                            : String.format(
                                    Locale.ROOT,
                                    "Cost: PostgreSQL reads the whole table, some %,d rows, for the totals, and once more"
                                            + " for each day that differs in each of the looks, as no index begins with"
                                            + " event_ts (%s)",
                                    source.estimatedRows(Range.ALWAYS),
                                    index.createSql()));
            if (options.liveView() != null) {
                lines.add(String.format(
                        Locale.ROOT,
                        "Cost: --counts are of all time: PostgreSQL reads all of some %,d rows, and twice more if one"
                                + " differs%s",
                        source.estimatedRows(Range.ALWAYS),
                        rows == null
                                ? ""
                                : String.format(
                                        Locale.ROOT,
                                        ", and BigQuery %.3f GB if one differs",
                                        rows.bytesOfCounts() / 1e9)));
            }
            AuditOptions.Rollups rollups = options.rollups();
            if (rollups != null) {
                lines.add(String.format(
                        Locale.ROOT,
                        "Cost: --rollups: PostgreSQL %s %d times, once for each rollup, with its contents, and twice more the"
                                + " windows of cells that differ",
                        index.isOrdered()
                                ? String.format(Locale.ROOT, "aggregates some %,d rows", source.estimatedRows(range))
                                : "reads the whole table",
                        rollups.definitions().size()));
            }
        }
        return lines;
    }

    /** The range without what is too young to have arrived. */
    static Range settled(AuditOptions options, Instant now) {
        Instant newest = now.minus(options.settle());
        if (!options.from().isBefore(newest)) {
            throw new RefusedOptionException("from is " + options.from() + " and audit.settle "
                    + options.settle().toMillis() + " ms; nothing that is so young can be expected to have arrived."
                    + " Choose an earlier range, or wait");
        }
        return Range.of(options.from(), options.to().isAfter(newest) ? newest : options.to());
    }

    AuditReport run(@Nullable RowStore warehouse, @Nullable Counts counts, @Nullable Cells cells)
            throws IOException, InterruptedException {
        if (counts != null) {
            progress.accept("Counts are of all time: the whole table of events is read, whatever the range");
        }
        SortedMap<Long, MinuteTotals> minutes = source.minutes(range);
        MinuteTotals totals = minutes.values().stream().reduce(MinuteTotals.NONE, MinuteTotals::plus);
        List<String> notes = notes();
        List<Check> checks = checks(minutes, warehouse, counts);
        if (cells != null) {
            checks.addAll(rollupChecks(cells, notes));
        }
        boolean differ = false;
        for (Check check : checks) {
            differ |= check.differs();
        }
        Evidence evidence = differ ? evidence(checks) : Evidence.none();
        List<AuditReport.Destination> destinations = new ArrayList<>();
        for (Check check : checks) {
            destinations.add(check.report(evidence));
        }
        return new AuditReport(range.from(), range.to(), totals.rows(), totals.durationMs(), destinations, notes);
    }

    private List<Check> checks(
            SortedMap<Long, MinuteTotals> minutes, @Nullable RowStore warehouse, @Nullable Counts counts) {
        Repairs repairs = new Repairs(range, source, options.warehouse(), options.liveView(), options.listed());
        Findings findings = new Findings(options.listed(), repairs, source.numbers());
        List<Check> checks = new ArrayList<>();
        if (warehouse != null) {
            checks.add(new WarehouseCheck(range, minutes, source, warehouse, findings, repairs));
        }
        Delivery delivery = options.delivery();
        if (delivery != null) {
            checks.add(new DeliveryCheck(range, source, log, delivery.includesSnapshot(), findings, repairs));
        }
        if (counts != null) {
            checks.add(new CountCheck(range, source, counts, warehouse, options.listed(), repairs));
        }
        return checks;
    }

    /** @param notes takes what is not compared */
    private List<Check> rollupChecks(Cells cells, List<String> notes) {
        AuditOptions.Rollups rollups = options.rollups();
        if (rollups == null) {
            return List.of();
        }
        Instant now = clock.instant();
        Repairs repairs = new Repairs(range, source, options.warehouse(), options.liveView(), options.listed());
        List<Check> checks = new ArrayList<>();
        for (RollupDefinition rollup : rollups.definitions()) {
            RollupWindows within = RollupWindows.within(rollup, range.fromMicros(), range.toMicros());
            Instant kept = now.minus(rollup.retention()).plus(RETENTION_MARGIN);
            RollupWindows windows = within.notBefore(Timestamps.microsOf(kept));
            if (within.isEmpty()) {
                notes.add("No window of " + rollup.name() + " (" + rollup.windowSizeText() + ") lies within the range");
            } else if (windows.count() < within.count()) {
                notes.add("Windows of " + rollup.name() + " that begin before " + kept
                        + " are not compared: their rows go after rollup." + rollup.name() + ".retention");
            }
            checks.add(
                    new RollupCheck(windows, cells, source, options.listed(), repairs, rollups.allowedLateness(), now));
        }
        return checks;
    }

    private Evidence evidence(List<Check> checks) throws IOException, InterruptedException {
        Instant settled = clock.instant().plus(options.settle());
        progress.accept(
                "Something differs; it is looked at again at " + settled + ", as it may be on its way (audit.settle)");
        pause.of(options.settle());
        IdSet questions = new IdSet();
        for (Check check : checks) {
            questions.addAll(check.lookAgain());
        }
        if (questions.isEmpty()) {
            return Evidence.none();
        }
        progress.accept("Reading the topics for what became of " + questions.size() + " events");
        EventLog.Letters letters = log.letters(questions);
        EventLog.Retries retries =
                options.delivery() == null ? new EventLog.Retries(new IdSet(), new IdSet()) : log.retries(questions);
        IdSet open = new IdSet();
        checks.forEach(check -> open.addAll(check.unexplained(letters, retries)));
        return new Evidence(letters, retries, open.isEmpty() ? Evidence.none().captured() : log.captured(open, range));
    }

    private List<String> notes() {
        List<String> notes = new ArrayList<>(source.notes());
        if (range.toMicros() < Timestamps.microsOf(options.to())) {
            notes.add("Compared up to " + range.to() + ": what is younger than audit.settle may be on its way");
        }
        return notes;
    }
}
