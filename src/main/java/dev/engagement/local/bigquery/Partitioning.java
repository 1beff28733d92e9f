package dev.engagement.local.bigquery;

import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.time.temporal.ChronoUnit;
import java.util.Optional;

/**
 * By what a table is split.
 *
 * @param unit of time
 * @param column of that time, {@code TIMESTAMP} or {@code DATE}
 * @param expiration after a partition's begin; none to keep all
 */
record Partitioning(Unit unit, Column column, Optional<Duration> expiration) {

    /** BigQuery's limit of partitions in a table. */
    static final int MAX_PARTITIONS = 10_000;

    private static final long MICROS_PER_SECOND = 1_000_000;

    enum Unit {
        HOUR,
        DAY,
        MONTH,
        YEAR
    }

    /** The partition of a value of the column: units since the epoch. */
    long partitionOf(long value) {
        if (column.type() == ColumnType.DATE) {
            return ofDay(value);
        }
        long seconds = Math.floorDiv(value, MICROS_PER_SECOND);
        return unit == Unit.HOUR
                ? Math.floorDiv(seconds, Duration.ofHours(1).toSeconds())
                : ofDay(Math.floorDiv(seconds, Duration.ofDays(1).toSeconds()));
    }

    private long ofDay(long day) {
        return switch (unit) {
            case HOUR -> day * 24;
            case DAY -> day;
            case MONTH -> ChronoUnit.MONTHS.between(LocalDate.EPOCH, firstOfMonth(day));
            case YEAR -> LocalDate.ofEpochDay(day).getYear() - (long) LocalDate.EPOCH.getYear();
        };
    }

    private static LocalDate firstOfMonth(long day) {
        return LocalDate.ofEpochDay(day).withDayOfMonth(1);
    }

    /** When a partition begins. */
    Instant beginOf(long partition) {
        return switch (unit) {
            case HOUR -> Instant.ofEpochSecond(partition * Duration.ofHours(1).toSeconds());
            case DAY -> Instant.ofEpochSecond(partition * Duration.ofDays(1).toSeconds());
            case MONTH ->
                LocalDate.EPOCH
                        .plusMonths(partition)
                        .atStartOfDay(ZoneOffset.UTC)
                        .toInstant();
            case YEAR ->
                LocalDate.EPOCH
                        .plusYears(partition)
                        .atStartOfDay(ZoneOffset.UTC)
                        .toInstant();
        };
    }

    /** The begin of the first partition that is still there; partitions before it have expired. */
    Optional<Instant> firstKept(Instant now) {
        return expiration.map(kept -> {
            Instant limit = now.minus(kept);
            long partition = partitionOf(
                    column.type() == ColumnType.DATE
                            ? Math.floorDiv(
                                    limit.getEpochSecond(), Duration.ofDays(1).toSeconds())
                            : micros(limit));
            // A partition expires as a whole, when its begin lies that far back.
            return beginOf(partition).isBefore(limit) ? beginOf(partition + 1) : beginOf(partition);
        });
    }

    static long micros(Instant instant) {
        return Math.addExact(Math.multiplyExact(instant.getEpochSecond(), MICROS_PER_SECOND), instant.getNano() / 1000);
    }
}
