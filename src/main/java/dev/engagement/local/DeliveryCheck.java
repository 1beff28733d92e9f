package dev.engagement.local;

import com.fasterxml.jackson.databind.JsonNode;
import dev.engagement.event.EventId;
import dev.engagement.event.EventIdKind;
import java.io.IOException;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * What the receiver got against plain SQL: every event of the source was delivered at least once or is a dead letter
 * {@code UNDELIVERABLE}, nothing else was, each under the {@code webhook-id} that is its own alone, which is what makes
 * duplicates harmless, and nothing came that a receiver would turn away.
 */
public final class DeliveryCheck implements DestinationCheck {

    private static final int MAX_NAMED = 1_000;
    private static final int FETCH_ROWS = 10_000;

    /** Asks the receiver. */
    @FunctionalInterface
    interface Receiver {
        /** @param path such as {@code /stats} */
        JsonNode get(String path);
    }

    /** Ids of events that are dead letters UNDELIVERABLE. */
    @FunctionalInterface
    interface Undeliverable {
        Set<EventId> eventIds() throws IOException;
    }

    private final PostgresServer postgres;
    private final Receiver receiver;
    private final Undeliverable undeliverable;

    /**
     * A check of one receiver against one database.
     *
     * @param postgres with {@link Schema}
     * @param undeliverable asked only if something was not delivered
     */
    DeliveryCheck(PostgresServer postgres, Receiver receiver, Undeliverable undeliverable) {
        this.postgres = postgres;
        this.receiver = receiver;
        this.undeliverable = undeliverable;
    }

    @Override
    public String destination() {
        return "receiver";
    }

    /** Events delivered, once or more often; without dead letters. */
    @Override
    public long arrived() {
        return receiver.get("/stats").path("distinctEvents").asLong();
    }

    @Override
    public List<Comparison> compare() throws SQLException, IOException {
        Sides sides;
        try (Connection connection = postgres.connect()) {
            boolean areTexts = Schema.eventIds(connection) == EventIdKind.TEXT;
            sides = areTexts ? new TextSides(deliveredTexts()) : new NumberSides(delivered());
            connection.setAutoCommit(false);
            try (Statement statement = connection.createStatement()) {
                statement.setFetchSize(FETCH_ROWS);
                try (ResultSet rows = statement.executeQuery("SELECT id FROM " + Schema.EVENTS + " ORDER BY id")) {
                    while (rows.next()) {
                        sides.source(areTexts ? EventId.of(rows.getString(1)) : EventId.of(rows.getLong(1)));
                    }
                }
            }
        }
        sides.end();
        if (!sides.missing.isEmpty()) {
            Set<EventId> letters = undeliverable.eventIds();
            sides.missing.removeIf(letters::contains);
        }
        List<String> differing = new ArrayList<>();
        sides.missing.stream()
                .limit(MAX_NAMED)
                .forEach(id -> differing.add("event " + id + " was not delivered and is no dead letter"));
        sides.extra.stream()
                .limit(MAX_NAMED)
                .forEach(id -> differing.add("event " + id + " was delivered and is not in the source"));
        JsonNode stats = receiver.get("/stats");
        return List.of(
                new Comparison(
                        "events delivered, or UNDELIVERABLE",
                        Long.toString(sides.events),
                        Long.toString(sides.events - sides.missing.size() + sides.extra.size()),
                        differing),
                none("posts under a webhook-id not their own", stats, "misnamed"),
                none("posts with a bad signature", stats, "badSignatures"),
                none("posts that are malformed", stats, "malformed"),
                none("redirects followed", stats, "redirected"));
    }

    private static Comparison none(String what, JsonNode stats, String name) {
        return new Comparison(what, "0", Long.toString(stats.path(name).asLong(-1)), List.of());
    }

    private List<long[]> delivered() {
        List<long[]> runs = new ArrayList<>();
        JsonNode page = receiver.get("/received/ids");
        while (true) {
            page.path("ids")
                    .forEach(run -> runs.add(
                            new long[] {run.path(0).asLong(), run.path(1).asLong()}));
            if (page.path("next").isNull()) {
                return runs;
            }
            page = receiver.get("/received/ids?from=" + page.path("next").asLong());
        }
    }

    /** Of events whose ids are texts: post by post, as texts make no runs. */
    private Set<EventId> deliveredTexts() {
        Set<EventId> ids = new HashSet<>();
        long after = 0;
        while (true) {
            JsonNode page = receiver.get("/received?limit=10000&after=" + after);
            page.path("received")
                    .forEach(post -> post.path("event_ids").forEach(id -> ids.add(EventId.of(id.asText()))));
            if (page.path("received").isEmpty()) {
                return ids;
            }
            after = page.path("next").asLong();
        }
    }

    /** What is on one side only. */
    private abstract static class Sides {

        long events;
        final List<EventId> missing = new ArrayList<>();
        final List<EventId> extra = new ArrayList<>();

        abstract void source(EventId id);

        abstract void end();
    }

    /** In no order. */
    private static final class TextSides extends Sides {

        private final Set<EventId> delivered;

        private TextSides(Set<EventId> delivered) {
            this.delivered = delivered;
        }

        @Override
        void source(EventId id) {
            events++;
            if (!delivered.remove(id)) {
                missing.add(id);
            }
        }

        @Override
        void end() {
            extra.addAll(delivered);
        }
    }

    /** Both sides in the order of ids, one beside the other. */
    private static final class NumberSides extends Sides {

        private final List<long[]> runs;
        private int run;
        /** The least delivered id that has not been compared yet. */
        private long next;

        private NumberSides(List<long[]> runs) {
            this.runs = runs;
            next = runs.isEmpty() ? 0 : runs.get(0)[0];
        }

        @Override
        void source(EventId eventId) {
            long id = eventId.number();
            events++;
            while (run < runs.size() && next < id) {
                extra.add(EventId.of(next));
                advance();
            }
            if (run < runs.size() && next == id) {
                advance();
            } else {
                missing.add(eventId);
            }
        }

        @Override
        void end() {
            while (run < runs.size()) {
                extra.add(EventId.of(next));
                advance();
            }
        }

        private void advance() {
            if (next < runs.get(run)[1]) {
                next++;
            } else if (++run < runs.size()) {
                next = runs.get(run)[0];
            }
        }
    }
}
