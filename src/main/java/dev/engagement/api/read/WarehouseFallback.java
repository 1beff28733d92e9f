package dev.engagement.api.read;

import dev.engagement.api.definition.InvalidParameterException;
import java.time.Clock;
import java.time.OffsetDateTime;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Where an event is looked for that the event cache has not got: in the warehouse, for which the source says when the
 * event happened, so that one partition is read and not the whole table. Thread-safe.
 */
final class WarehouseFallback {

    private final @Nullable WarehouseRow warehouse;
    private final @Nullable PostgresStore source;
    private final String missingKey;
    private final String timeOfEvent;

    /** Connects to nobody yet. */
    WarehouseFallback(ReadOptions options, @Nullable PostgresStore source, Clock clock) {
        WarehouseReadOptions given = options.warehouse();
        boolean lacksCredentials = given != null && !given.isPlain() && given.credentialsFile() == null;
        this.warehouse = given == null || lacksCredentials ? null : WarehouseRow.of(given, clock);
        this.missingKey = lacksCredentials ? "warehouse.credentials-file" : "warehouse.project";
        this.source = source;
        this.timeOfEvent = "SELECT event_ts FROM " + RollupRows.quote(options.schema()) + "."
                + RollupRows.quote(options.eventsTable()) + " WHERE id = ? AND event_ts IS NOT NULL";
    }

    /**
     * Returns if there is a warehouse to ask.
     *
     * @throws InvalidParameterException if this program was not told of one; names the option
     */
    void check() {
        known();
    }

    private WarehouseRow known() {
        if (warehouse == null) {
            throw new InvalidParameterException(
                    "fallback",
                    "warehouse",
                    "leave it out, or have " + missingKey + " set, without which this server looks into no warehouse");
        }
        return warehouse;
    }

    /** The event's fields, as texts, without those that are null; none if the warehouse has not got it. */
    Map<String, String> find(long eventId) throws UnavailableException {
        WarehouseRow known = known();
        Map<String, String> row = known.find(eventId, source == null ? null : eventTsMicros(source, eventId));
        return row == null ? Map.of() : row;
    }

    /** Null if the source has not got the event any more, and then it may be anywhere in the table. */
    private @Nullable Long eventTsMicros(PostgresStore events, long eventId) throws UnavailableException {
        List<OffsetDateTime> times =
                events.query(timeOfEvent, List.of(eventId), row -> row.getObject(1, OffsetDateTime.class));
        return times.isEmpty() ? null : WarehouseRow.micros(times.get(0).toInstant());
    }
}
