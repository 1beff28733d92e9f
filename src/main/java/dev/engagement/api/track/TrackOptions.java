package dev.engagement.api.track;

import dev.engagement.connection.PostgresConnection;
import java.time.Duration;
import java.util.List;
import java.util.regex.Pattern;

/**
 * Where events go, and how many at once.
 *
 * @param source the database of the source tables
 * @param schema of the table of events, and of {@code engagement_track_keys}
 * @param eventsTable without the schema
 * @param eventTypes that are taken
 * @param maxBodyBytes of a request
 * @param maxEventBytes of one event in it
 * @param maxEvents of a request
 * @param connections that write, each a group of requests at a time
 * @param maxWaitingEvents for a connection; beyond, requests are told to come back
 * @param maxGroupEvents of one transaction, unless one request has more
 * @param timeout of a statement, of an answer of PostgreSQL, and of waiting for a connection
 * @param keysKeptFor how long a repetition is known; keys are removed after it
 * @param maxAhead how far ahead of the API's clock an event may be stamped: beyond, the job would count it in no window
 */
public record TrackOptions(
        PostgresConnection source,
        String schema,
        String eventsTable,
        List<String> eventTypes,
        int maxBodyBytes,
        int maxEventBytes,
        int maxEvents,
        int connections,
        int maxWaitingEvents,
        int maxGroupEvents,
        Duration timeout,
        Duration keysKeptFor,
        Duration maxAhead) {

    private static final Pattern NAME = Pattern.compile("[A-Za-z_][A-Za-z0-9_]{0,62}");

    public TrackOptions {
        eventTypes = List.copyOf(eventTypes);
        name("postgres.schema", schema);
        name("postgres.events-table", eventsTable);
        if (eventTypes.isEmpty()) {
            throw new IllegalArgumentException("track.event-types is empty; name what the events table allows");
        }
        between("track.max-body-bytes", maxBodyBytes, 1_000, 64_000_000);
        between("track.max-event-bytes", maxEventBytes, 1_000, maxBodyBytes);
        between("track.max-events", maxEvents, 1, 100_000);
        between("track.connections", connections, 1, 64);
        between("track.max-waiting-events", maxWaitingEvents, 1, 1_000_000);
        between("track.max-group-events", maxGroupEvents, 1, 100_000);
        between("track.timeout", timeout, Duration.ofSeconds(1), Duration.ofHours(1));
        between("track.keys-kept-for", keysKeptFor, Duration.ofMinutes(1), Duration.ofDays(366));
        between("track.max-ahead", maxAhead, Duration.ZERO, Duration.ofDays(366));
    }

    /** The source tables as they are shipped. */
    public static TrackOptions of(PostgresConnection source) {
        return new TrackOptions(
                source,
                "public",
                "engagement_events",
                List.of("play", "pause", "finish", "click"),
                1 << 20,
                64 << 10,
                1_000,
                2,
                20_000,
                2_000,
                Duration.ofSeconds(10),
                Duration.ofDays(1),
                Duration.ofMinutes(1));
    }

    private static void name(String option, String value) {
        if (!NAME.matcher(value).matches()) {
            throw new IllegalArgumentException(option + " is '" + value
                    + "'; it must be letters, digits and underscores, 1 to 63 of them, not beginning with a digit");
        }
    }

    private static void between(String option, int value, int min, int max) {
        if (value < min || value > max) {
            throw new IllegalArgumentException(option + " is " + value + "; it must be from " + min + " to " + max);
        }
    }

    private static void between(String option, Duration value, Duration min, Duration max) {
        if (value.compareTo(min) < 0 || value.compareTo(max) > 0) {
            throw new IllegalArgumentException(option + " is " + value + "; it must be from " + min + " to " + max);
        }
    }
}
