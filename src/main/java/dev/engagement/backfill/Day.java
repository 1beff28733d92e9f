package dev.engagement.backfill;

import dev.engagement.source.RangeOptions;
import java.io.IOException;
import java.time.LocalDate;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeFormatterBuilder;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import org.roaringbitmap.longlong.LongIterator;
import org.roaringbitmap.longlong.Roaring64Bitmap;

/**
 * What a range has of one day of event_ts in UTC, which is a partition of the warehouse, or 24 of them: it is asked once for
 * the ids of a day, whoever reads the day's rows. Thread-safe.
 */
final class Day {

    static final long MICROS = 86_400_000_000L;

    /** As PostgreSQL's text of a time begins. */
    static final int TEXT_LENGTH = 10;

    private static final DateTimeFormatter TEXT =
            new DateTimeFormatterBuilder().appendPattern("uuuu-MM-dd").toFormatter(Locale.ROOT);

    private final RangeOptions range;
    private final Object asking = new Object();
    private volatile @Nullable Roaring64Bitmap there;
    private int readers;
    private boolean isRead;
    private final Roaring64Bitmap missing = new Roaring64Bitmap();
    private long firstMissing = Long.MAX_VALUE;
    private long lastMissing = Long.MIN_VALUE;

    /** @param range within one day */
    private Day(RangeOptions range) {
        this.range = range;
    }

    /** The day's part of a range. */
    static Day of(long epochDay, RangeOptions range) {
        return new Day(new RangeOptions(
                Math.max(range.fromMicros(), epochDay * MICROS), Math.min(range.toMicros(), (epochDay + 1) * MICROS)));
    }

    /** The day of a time that begins like {@code 2026-01-08}; days since the epoch. */
    static long of(String eventTs) {
        return LocalDate.parse(eventTs.substring(0, TEXT_LENGTH), TEXT).toEpochDay();
    }

    RangeOptions range() {
        return range;
    }

    /** Somebody is to read rows of it; its ids are kept until {@link #end}. */
    synchronized void begin() {
        readers++;
    }

    /** The ids that are there, which nobody changes; for who has begun. */
    Roaring64Bitmap ids(@Nullable WarehouseLookup known) throws IOException, InterruptedException {
        // Whoever begins or ends meanwhile does not wait for the answer.
        synchronized (asking) {
            Roaring64Bitmap ids = there;
            if (ids == null) {
                ids = ask(known, range);
                there = ids;
            }
            return ids;
        }
    }

    /** Who has begun has ended. */
    synchronized void end() {
        readers--;
        forget();
    }

    /** Nobody begins any more. */
    synchronized void close() {
        isRead = true;
        forget();
    }

    private void forget() {
        if (isRead && readers == 0) {
            there = null;
        }
    }

    private static Roaring64Bitmap ask(@Nullable WarehouseLookup known, RangeOptions range)
            throws IOException, InterruptedException {
        Roaring64Bitmap ids = new Roaring64Bitmap();
        if (known != null) {
            known.idsIn(range, ids::addLong);
            ids.runOptimize();
        }
        return ids;
    }

    /** A row that is to come. */
    synchronized void miss(long id, long eventTsMicros) {
        missing.addLong(id);
        firstMissing = Math.min(firstMissing, eventTsMicros);
        lastMissing = Math.max(lastMissing, eventTsMicros);
    }

    synchronized boolean isComplete() {
        return missing.isEmpty();
    }

    /** Asks once more for what was missing; what is there now is missing no more. */
    synchronized void look(WarehouseLookup known) throws IOException, InterruptedException {
        if (!missing.isEmpty()) {
            missing.andNot(ask(known, new RangeOptions(firstMissing, lastMissing + 1)));
        }
    }

    /** The ids that are missing still, ascending. */
    LongIterator missing() {
        return missing.getLongIterator();
    }

    /** {@code 2026-01-08}. */
    @Override
    public String toString() {
        return LocalDate.ofEpochDay(Math.floorDiv(range.fromMicros(), MICROS)).toString();
    }
}
