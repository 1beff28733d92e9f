package dev.engagement.local;

import java.util.List;

/**
 * One destination against the source, for the self-check and the fault harness. A new destination is added by an
 * implementation of this and a line in {@link DestinationChecks#of}.
 */
public interface DestinationCheck {

    /** What the destination is called, for example {@code Redis}. */
    String destination();

    /** How many of the source's events have reached it; what the self-check watches for progress. */
    long arrived() throws Exception;

    /** Compares everything; to be asked when all events have arrived. */
    List<Comparison> compare() throws Exception;

    /**
     * One thing compared.
     *
     * @param what was compared
     * @param source what the source says, by SQL
     * @param destination what the destination says
     * @param differing what differs, by id and in words; empty if nothing does
     */
    record Comparison(String what, String source, String destination, List<String> differing) {

        /** Whether both sides agree. */
        public boolean isEqual() {
            return differing.isEmpty() && source.equals(destination);
        }
    }
}
