package dev.engagement.redrive;

import dev.engagement.connection.KafkaConnection;
import dev.engagement.deadletter.Reason;
import dev.engagement.event.EventId;
import dev.engagement.event.EventIdKind;
import dev.engagement.ingest.IngestFormat;
import dev.engagement.source.SourceOptions;
import java.time.Instant;
import java.util.Arrays;
import java.util.Collections;
import java.util.EnumSet;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Collectors;
import org.apache.flink.configuration.MemorySize;
import org.jspecify.annotations.Nullable;

/**
 * Which letters are put back, and how.
 *
 * @param kafka how to reach Kafka
 * @param topics where the letters are and where they belong
 * @param selection which letters
 * @param dryRun whether to say only what would be done
 * @param again whether those are put back too that were before
 * @param maxRecordBytes largest value that the stream accepts
 * @param format what the values of the events topic are
 * @param database where the rows of OVERSIZE letters are, or null if they are not to be read
 * @param eventIds what the ids of events are
 */
public record RedriveOptions(
        KafkaConnection kafka,
        Topics topics,
        Selection selection,
        boolean dryRun,
        boolean again,
        MemorySize maxRecordBytes,
        IngestFormat format,
        @Nullable SourceOptions database,
        EventIdKind eventIds) {

    /** Whether the warehouse is needed. */
    public boolean needsWarehouse() {
        return selection.reasons().contains(Reason.REJECTED);
    }

    /**
     * Names of topics.
     *
     * @param events engagement events
     * @param content contents
     * @param deadLetters the letters
     * @param redriven the marks of those that were put back
     * @param deliveryRetry deliveries that wait for another attempt
     */
    public record Topics(String events, String content, String deadLetters, String redriven, String deliveryRetry) {}

    /**
     * Which letters.
     *
     * @param reasons of these reasons
     * @param from that failed at this time or later; null for any
     * @param to that failed before this time; null for any
     * @param eventId of this event; null for any and for letters without one
     * @param limit at most so many are put back; null for all
     */
    public record Selection(
            Set<Reason> reasons,
            @Nullable Instant from,
            @Nullable Instant to,
            @Nullable EventId eventId,
            @Nullable Integer limit) {

        public Selection {
            if (from != null && to != null && !from.isBefore(to)) {
                throw new IllegalArgumentException(
                        "from is " + from + " and to is " + to + "; from must be before to, which is not in the range");
            }
            reasons = Collections.unmodifiableSet(EnumSet.copyOf(reasons));
        }

        boolean has(Reason reason, long failedAtMillis, @Nullable EventId event) {
            return reasons.contains(reason)
                    && (from == null || failedAtMillis >= from.toEpochMilli())
                    && (to == null || failedAtMillis < to.toEpochMilli())
                    && (eventId == null || eventId.equals(event));
        }
    }

    /** The reasons on the command line. */
    public record Reasons(Set<Reason> reasons) {

        /**
         * Reads reasons, comma separated.
         *
         * @throws IllegalArgumentException with what the text must be
         */
        public static Reasons parse(String text) {
            EnumSet<Reason> chosen = EnumSet.noneOf(Reason.class);
            for (String part : text.split(",", -1)) {
                String word = part.trim().toUpperCase(Locale.ROOT);
                Reason reason = Arrays.stream(Reason.values())
                        .filter(known -> known.name().equals(word))
                        .findFirst()
                        .orElseThrow(() -> new IllegalArgumentException("'" + part.trim() + "' is no reason; there are "
                                + Arrays.stream(Reason.values())
                                        .map(Reason::name)
                                        .collect(Collectors.joining(", "))
                                + ", comma separated"));
                if (!chosen.add(reason)) {
                    throw new IllegalArgumentException("it names " + reason + " twice");
                }
            }
            return new Reasons(chosen);
        }
    }
}
