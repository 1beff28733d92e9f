package dev.engagement.liveview;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * How many distinct events a content has: since the beginning, and in each minute of event time whose bucket is alive.
 * Immutable. Counts only grow, so each is its own version.
 *
 * <p>Its parts are the total and each minute.
 */
public final class Tally implements LiveValue {

    /** The part {@code content:count}. */
    public static final long TOTAL_PART = 1L << 62;

    /** The parts of all minutes. */
    public static final long MINUTE_PARTS = (1L << 60) - 1;

    /** How long after its end a minute's bucket is shown. */
    public static final Duration BUCKET_IS_SHOWN_FOR = Duration.ofMinutes(15);

    /** A minute is counted a little longer than it is shown, as Redis has a clock of its own. */
    private static final long KEPT_LONGER_MILLIS = 60_000;

    static final long MINUTE_MILLIS = 60_000;

    private static final long[] NONE = {};

    private final String contentId;
    private final long total;

    /** Minutes since the epoch, ascending. */
    private final long[] minutes;

    private final long[] events;

    private Tally(String contentId, long total, long[] minutes, long[] events) {
        this.contentId = contentId;
        this.total = total;
        this.minutes = minutes;
        this.events = events;
    }

    /** Of a content without an event. */
    public static Tally none(String contentId) {
        return new Tally(contentId, 0, NONE, NONE);
    }

    /**
     * As it was: of arrays that nobody changes any more.
     *
     * @param minutes since the epoch, ascending
     * @param events of each of the minutes
     */
    public static Tally of(String contentId, long total, long[] minutes, long[] events) {
        return new Tally(contentId, total, minutes, events);
    }

    /** More events, of no minute that is shown. */
    public Tally plus(long moreEvents) {
        return new Tally(contentId, Math.addExact(total, moreEvents), minutes, events);
    }

    /** More events of a minute, the total apart. */
    public Tally plusInMinute(long minute, long moreEvents) {
        int at = Arrays.binarySearch(minutes, minute);
        if (at >= 0) {
            long[] more = events.clone();
            more[at] = Math.addExact(more[at], moreEvents);
            return new Tally(contentId, total, minutes, more);
        }
        int insertAt = -at - 1;
        long[] moreMinutes = inserted(minutes, insertAt, minute);
        long[] more = inserted(events, insertAt, moreEvents);
        return new Tally(contentId, total, moreMinutes, more);
    }

    private static long[] inserted(long[] values, int at, long value) {
        long[] more = new long[values.length + 1];
        System.arraycopy(values, 0, more, 0, at);
        more[at] = value;
        System.arraycopy(values, at, more, at + 1, values.length - at);
        return more;
    }

    /** The minute of an event, since the epoch. */
    public static long minuteOf(long eventTsMicros) {
        return Math.floorDiv(eventTsMicros, MINUTE_MILLIS * 1_000);
    }

    /** The part of a minute; minutes an hour apart share one, which costs a needless write and no more. */
    public static long partOf(long minute) {
        return 1L << Math.floorMod(minute, 60L);
    }

    /** When a minute's bucket is no longer shown, milliseconds since the epoch. */
    public static long expiresAtMillis(long minute) {
        return (minute + 1) * MINUTE_MILLIS + BUCKET_IS_SHOWN_FOR.toMillis();
    }

    /** Whether events of that minute are still counted. */
    public static boolean isKeptAt(long minute, long nowMillis) {
        return expiresAtMillis(minute) + KEPT_LONGER_MILLIS > nowMillis;
    }

    @Override
    public String id() {
        return contentId;
    }

    /** Distinct events since the beginning. */
    public long total() {
        return total;
    }

    /** Minutes since the epoch, ascending; nobody changes the array. */
    public long[] minutes() {
        return minutes;
    }

    /** Distinct events of each of the {@link #minutes}; nobody changes the array. */
    public long[] events() {
        return events;
    }

    @Override
    public void writeTo(Writes out, LiveViewKeys keys, long parts, long nowMillis) {
        for (int i = 0; i < minutes.length; i++) {
            long part = partOf(minutes[i]);
            if ((parts & part) != 0) {
                if (expiresAtMillis(minutes[i]) <= nowMillis) {
                    out.expired();
                } else {
                    out.addToBucket(minutes[i], contentId, events[i], part);
                }
            }
        }
        if ((parts & TOTAL_PART) != 0) {
            out.add(
                    new ScriptedWrite(
                            LiveViewScript.COUNT,
                            List.of(keys.count(contentId).getBytes(StandardCharsets.UTF_8)),
                            List.of(Long.toString(total).getBytes(StandardCharsets.US_ASCII))),
                    TOTAL_PART);
        }
    }

    @Override
    public boolean has(long parts) {
        return minutes.length > 0 || (parts & TOTAL_PART) != 0;
    }

    @Override
    public Tally aliveAt(long nowMillis) {
        int over = 0;
        while (over < minutes.length && !isKeptAt(minutes[over], nowMillis)) {
            over++;
        }
        return over == 0
                ? this
                : new Tally(
                        contentId,
                        total,
                        Arrays.copyOfRange(minutes, over, minutes.length),
                        Arrays.copyOfRange(events, over, events.length));
    }

    @Override
    public int estimatedBytes() {
        return 160 + 2 * contentId.length() + 16 * minutes.length;
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof Tally that
                && that.contentId.equals(contentId)
                && that.total == total
                && Arrays.equals(that.minutes, minutes)
                && Arrays.equals(that.events, events);
    }

    @Override
    public int hashCode() {
        return 31 * contentId.hashCode() + Long.hashCode(total);
    }

    @Override
    public String toString() {
        return "Tally[" + contentId + ", total " + total + ", minutes " + Arrays.toString(minutes) + ", events "
                + Arrays.toString(events) + "]";
    }
}
