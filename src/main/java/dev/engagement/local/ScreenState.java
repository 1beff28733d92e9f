package dev.engagement.local;

import java.time.Duration;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * Everything the screen shows, at one moment. What is not known, or not yet, is null.
 *
 * @param uptime since the stack's start
 * @param jobs the jobs and how they are
 * @param in events in the source table
 * @param out events counted in Redis
 * @param warehouse rows that BigQuery shows
 * @param delivery what became of deliveries
 * @param deadLetters letters in the dead-letter topic
 * @param duplicates second arrivals that the stream dropped
 * @param p50Millis median of commit to visible in Redis
 * @param p99Millis 99th percentile of the same
 * @param leaderboards what Redis ranks now
 * @param places where each server listens
 * @param notes what else the reader should know, such as a server that does not answer
 */
record ScreenState(
        Duration uptime,
        List<Job> jobs,
        Flow in,
        Flow out,
        Flow warehouse,
        Delivery delivery,
        @Nullable Long deadLetters,
        @Nullable Long duplicates,
        @Nullable Double p50Millis,
        @Nullable Double p99Millis,
        Leaderboards leaderboards,
        List<Place> places,
        List<String> notes) {

    /** A job and its state as Flink calls it. */
    record Job(String name, String state) {}

    /** A counted flow. */
    record Flow(@Nullable Long total, @Nullable Double perSecond) {}

    /**
     * Deliveries to the receiver.
     *
     * @param received events that the receiver got, each counted once
     * @param aside records of the retry topic that the drain had not taken at the last checkpoint
     * @param diverted events that went there since the job's last start
     * @param undeliverable events that became dead letters since then
     */
    record Delivery(
            Flow received,
            @Nullable Long aside,
            @Nullable Long diverted,
            @Nullable Long undeliverable,
            @Nullable Circuit circuit) {}

    /** The worst state of the job's circuits, in the order of its metric's values. */
    enum Circuit {
        CLOSED,
        HALF_OPEN,
        OPEN;

        static @Nullable Circuit of(@Nullable Double metric) {
            return metric == null || metric < 0 || metric >= values().length ? null : values()[metric.intValue()];
        }

        /** What the screen calls it. */
        String text() {
            return name().toLowerCase(Locale.ROOT).replace('_', ' ');
        }
    }

    /**
     * Both leaderboards as they stand in Redis.
     *
     * @param ageMillis since the slide end of the older one
     * @param byEvents scores are events, the first first
     * @param byEngagement scores are seconds, the first first
     */
    record Leaderboards(@Nullable Double ageMillis, List<Ranked> byEvents, List<Ranked> byEngagement) {}

    /** A place: a content, by its title or, as long as that is unknown, its id. */
    record Ranked(String title, double score) {}

    /** A server and how to reach it, ready to be copied. */
    record Place(String server, String how) {}
}
