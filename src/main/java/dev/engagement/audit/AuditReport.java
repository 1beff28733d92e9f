package dev.engagement.audit;

import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What was found.
 *
 * @param from first event_ts that was compared
 * @param to end of what was compared
 * @param events rows of the source in it
 * @param durationMs sum of duration_ms of these
 * @param destinations each that was compared
 * @param notes what else there is to know, a sentence each
 */
public record AuditReport(
        Instant from, Instant to, long events, long durationMs, List<Destination> destinations, List<String> notes) {

    public AuditReport {
        destinations = List.copyOf(destinations);
        notes = List.copyOf(notes);
    }

    /** Whether every destination holds what the source holds, or says why not. */
    public boolean isEqual() {
        return destinations.stream()
                .flatMap(destination -> destination.findings().stream())
                .noneMatch(finding -> finding.kind().isDifference());
    }

    /** As a table for a terminal. */
    public String asText(boolean withRepairs) {
        return ReportText.of(this, withRepairs);
    }

    /** As one line of JSON. */
    public String asJson(boolean withRepairs) {
        return ReportJson.of(this, withRepairs);
    }

    /**
     * One destination.
     *
     * @param name what it is called in {@code destinations}
     * @param what {@code events} and {@code present} count
     * @param expected how many the source has
     * @param present how many are there as they should be
     * @param durationMs sum of duration_ms of all that is there, or null if it has none
     * @param findings what is not simply there
     */
    public record Destination(
            String name,
            String what,
            long expected,
            long present,
            @Nullable Long durationMs,
            List<Finding> findings) {

        public Destination {
            findings = List.copyOf(findings);
        }
    }

    /**
     * One kind of thing that was found.
     *
     * @param kind which
     * @param count how many
     * @param listed some of them, ascending
     * @param note what this kind means here, or null
     * @param repairs what mends it, a command each
     */
    public record Finding(
            Kind kind,
            long count,
            List<Item> listed,
            @Nullable String note,
            List<String> repairs) {

        public Finding {
            listed = List.copyOf(listed);
            repairs = List.copyOf(repairs);
        }
    }

    /**
     * One of them.
     *
     * @param id of an event or a content; of a cell its window's start and its key
     * @param detail when it happened, or what stands where
     */
    public record Item(String id, @Nullable String detail) {}
}
