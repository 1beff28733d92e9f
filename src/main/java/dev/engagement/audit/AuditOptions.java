package dev.engagement.audit;

import dev.engagement.connection.KafkaConnection;
import dev.engagement.connection.PostgresConnection;
import dev.engagement.event.EventIdKind;
import dev.engagement.liveview.LiveViewOptions;
import dev.engagement.rollup.definition.RollupDefinition;
import dev.engagement.source.SourceOptions;
import dev.engagement.warehouse.WarehouseOptions;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What is compared with what.
 *
 * @param from first event_ts
 * @param to end of event_ts, not part of it
 * @param settle how long a row may be on its way to a destination without being missing there
 * @param listed how many ids are named of each kind of difference; they are counted whatever it says
 * @param database the source
 * @param kafka where the topics are; asked only if delivery is compared, or something differs
 * @param eventsTopic what capture writes
 * @param deadLettersTopic what could not be processed
 * @param warehouse null to leave it out
 * @param liveView null to leave it out; its counts are of all time, and reading the source for them costs what it is old
 * @param delivery null to leave it out
 * @param rollups null to leave them out
 * @param eventIds what the ids of events are
 */
public record AuditOptions(
        Instant from,
        Instant to,
        Duration settle,
        int listed,
        Database database,
        KafkaConnection kafka,
        String eventsTopic,
        String deadLettersTopic,
        @Nullable WarehouseOptions warehouse,
        @Nullable LiveViewOptions liveView,
        @Nullable Delivery delivery,
        @Nullable Rollups rollups,
        EventIdKind eventIds) {

    /** Of events whose ids are numbers. */
    public AuditOptions(
            Instant from,
            Instant to,
            Duration settle,
            int listed,
            Database database,
            KafkaConnection kafka,
            String eventsTopic,
            String deadLettersTopic,
            @Nullable WarehouseOptions warehouse,
            @Nullable LiveViewOptions liveView,
            @Nullable Delivery delivery,
            @Nullable Rollups rollups) {
        this(
                from,
                to,
                settle,
                listed,
                database,
                kafka,
                eventsTopic,
                deadLettersTopic,
                warehouse,
                liveView,
                delivery,
                rollups,
                EventIdKind.LONG);
    }

    public AuditOptions {
        requireWithinYears("from", from);
        requireWithinYears("to", to);
        if (!from.isBefore(to)) {
            throw new IllegalArgumentException("from is " + from + " and to is " + to
                    + "; the range [from, to) is empty unless from is before to");
        }
        if (settle.isNegative()) {
            throw new IllegalArgumentException("audit.settle is " + settle + "; it must be 0 s or more");
        }
        if (listed < 0) {
            throw new IllegalArgumentException("audit.listed-ids is " + listed + "; it must be 0 or more");
        }
    }

    private static void requireWithinYears(String option, Instant time) {
        if (time.isBefore(Range.ALWAYS.from()) || !time.isBefore(Range.ALWAYS.to())) {
            throw new IllegalArgumentException(option + " is " + time + "; it must lie within years 1..9999");
        }
    }

    /**
     * The source.
     *
     * @param postgres the database, by a role with SELECT on the table
     * @param schema schema of the table
     * @param table table of events
     * @param publication what capture reads it by, or null to compare the whole table
     */
    public record Database(
            PostgresConnection postgres,
            String schema,
            String table,
            @Nullable Publication publication) {}

    /**
     * By what the table is captured.
     *
     * @param name of the publication
     * @param isFilteredMeant whether it may leave out rows and columns, which are not expected anywhere then
     */
    public record Publication(String name, boolean isFilteredMeant) {}

    /**
     * What delivery leaves behind.
     *
     * @param receiptsTopic what was delivered, by event id
     * @param retryTopic what was diverted
     * @param drainGroup consumer group under which the drain says how far it has read
     * @param includesSnapshot whether rows of a snapshot are delivered too
     */
    public record Delivery(String receiptsTopic, String retryTopic, String drainGroup, boolean includesSnapshot) {}

    /**
     * The rollups that are compared.
     *
     * @param definitions which
     * @param target the database with their tables, by a role with SELECT on these
     * @param source the tables of events and contents that they are computed from
     * @param allowedLateness how long after its window's end an event still corrects it
     * @param maxClockSkew how far ahead of its arrival an event may be stamped to be in a window
     */
    public record Rollups(
            List<RollupDefinition> definitions,
            PostgresConnection target,
            SourceOptions source,
            Duration allowedLateness,
            Duration maxClockSkew) {

        public Rollups {
            definitions = List.copyOf(definitions);
        }
    }
}
