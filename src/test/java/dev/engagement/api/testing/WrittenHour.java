package dev.engagement.api.testing;

import dev.engagement.api.read.WrittenRollups;
import dev.engagement.event.Content;
import dev.engagement.event.Engagement;
import dev.engagement.event.EngagementEvent;
import dev.engagement.event.EnrichedEvent;
import dev.engagement.event.Position;
import dev.engagement.event.RollupRow;
import dev.engagement.event.Standings.Place;
import dev.engagement.liveview.EventCache;
import dev.engagement.liveview.LiveValue;
import dev.engagement.liveview.LiveViewKeys;
import dev.engagement.liveview.Tally;
import dev.engagement.rollup.definition.RollupDefinition;
import dev.engagement.rollup.definition.RollupDefinitions;
import java.math.BigDecimal;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import redis.clients.jedis.Jedis;

/**
 * An hour of a small media company as the job leaves it in Redis and PostgreSQL, made up: six contents, four event
 * types, the same time yesterday, the devices of some hours. Boards and windows may reach ahead of the clock, so that
 * what is shown neither ends nor changes by itself while a test looks at it.
 */
public final class WrittenHour implements AutoCloseable {

    /** The content that leads by events; {@link #EVENT} is its last event. */
    public static final String LEADER = "7c9e6679-7425-40de-944b-e07fc1f90ae7";

    /** The title of {@link #LEADER}. */
    public static final String LEADERS_TITLE = "The Secret Life of Rivers";

    /** An event in the event cache, the newest one of the source. */
    public static final long EVENT = 4_711;

    private static final LiveViewKeys KEYS = new LiveViewKeys("");
    private static final String USER = "0b5b3d6c-6f0c-4c8a-9d0e-6a3f1f6f0a11";

    private static final long SECOND = 1_000;
    private static final long MINUTE = 60 * SECOND;
    private static final long HOUR = 60 * MINUTE;
    private static final long DAY = 24 * HOUR;

    /** Windows of metrics_30s begin so often. */
    private static final long SLIDE = 10 * SECOND;

    /** Redis shows the hour; so much of it is enough, as the page asks the table for the rest. */
    private static final long SHOWN_OF_METRICS = 10 * MINUTE;

    private static final List<String> DEVICES = List.of("web", "ios", "android", "tv");
    private static final Map<String, Integer> EVENTS_OF_A_WINDOW =
            Map.of("play", 420, "pause", 160, "finish", 90, "click", 610);

    private record Sample(String id, String title, String type, int lengthSeconds, int weight) {}

    private static final List<Sample> CONTENTS = List.of(
            new Sample(LEADER, LEADERS_TITLE, "podcast", 1_800, 90),
            new Sample("3f333df6-90a4-4fda-8dd3-9485d27cee36", "Lighthouses after Dark", "video", 600, 70),
            new Sample("6ecd8c99-4036-403d-bf84-cf8400f67836", "What Bees Taught Us", "video", 900, 40),
            new Sample("aab32389-22bc-425a-af60-6eb525ffdc56", "Über-Hits, Explained", "newsletter", 240, 30),
            new Sample("c20ad4d7-6fe9-4759-aa27-a0c99bff6710", "Ten Minutes with Salt & Tea", "podcast", 600, 20),
            new Sample("c51ce410-c124-410e-8db5-e4b97fc2af39", "The Trouble with Maps", "video", 1_200, 10));

    /** What has few events an hour long and many in its last ten minutes. */
    private static final int RISEN = 2;

    private final Jedis redis;
    private final Connection tables;
    private long now;
    private final long ahead;

    private WrittenHour(Jedis redis, Connection tables, long now, long ahead) {
        this.redis = redis;
        this.tables = tables;
        this.now = now;
        this.ahead = ahead;
    }

    /**
     * Writes it.
     *
     * @param redis empty; closed with this
     * @param source a database with the source tables, empty; it stays open
     * @param tables the database of the rollups' tables, without any; closed with this
     * @param ahead how far windows and boards reach beyond the clock
     */
    public static WrittenHour write(Jedis redis, Connection source, Connection tables, Duration ahead)
            throws SQLException {
        WrittenHour hour = new WrittenHour(redis, tables, System.currentTimeMillis(), ahead.toMillis());
        for (RollupDefinition definition : RollupDefinitions.shipped()) {
            WrittenRollups.create(tables, definition);
        }
        hour.writeSource(source);
        hour.writeShown();
        return hour;
    }

    /** Once half of what reaches ahead of the clock is used up, everything shown is written anew from the clock. */
    public void keepAhead() throws SQLException {
        if (System.currentTimeMillis() < now + ahead / 2) {
            return;
        }
        now = System.currentTimeMillis();
        redis.flushAll();
        for (RollupDefinition definition : RollupDefinitions.shipped()) {
            WrittenRollups.clear(tables, definition);
        }
        writeShown();
    }

    /** Every window of an event type that is over since a moment, or not over yet, gets another number of events. */
    public void correct(String eventType, int count) {
        for (long start = first(now - MINUTE, SLIDE); start <= now + ahead; start += SLIDE) {
            show(rollup("metrics_30s"), metric(eventType, start, count, 2));
        }
    }

    /** Who leads changes places with the second one. */
    public void overtake() {
        List<Place> places = new ArrayList<>(places(1));
        places.set(0, new Place(CONTENTS.get(1).id(), 10_000));
        places.set(1, new Place(LEADER, 9_000));
        show(new LiveValue.Board(LiveValue.Board.Kind.EVENTS, now + ahead + SECOND, places));
    }

    /** And has its place again. */
    public void leadAgain() {
        show(new LiveValue.Board(LiveValue.Board.Kind.EVENTS, now + ahead + 2 * SECOND, places(1)));
    }

    /**
     * A window of an event type has so many events now.
     *
     * @param version greater than that of whatever it had before
     */
    public void window(String eventType, long startMillis, int count, long version) {
        show(rollup("metrics_30s"), metric(eventType, startMillis, count, version));
    }

    /** The ids of all contents. */
    public static List<String> contents() {
        return CONTENTS.stream().map(Sample::id).toList();
    }

    /** All event types. */
    public static List<String> eventTypes() {
        return EVENTS_OF_A_WINDOW.keySet().stream().sorted().toList();
    }

    // --------------------------------------------------------------------------------------------------- PostgreSQL

    private void writeSource(Connection source) throws SQLException {
        try (PreparedStatement insert = source.prepareStatement("INSERT INTO content VALUES (?, ?, ?, ?, ?, ?)")) {
            for (Sample each : CONTENTS) {
                insert.setObject(1, UUID.fromString(each.id()));
                insert.setString(2, slug(each));
                insert.setString(3, each.title());
                insert.setString(4, each.type());
                insert.setInt(5, each.lengthSeconds());
                insert.setObject(6, Instant.ofEpochMilli(now - 6 * DAY).atOffset(ZoneOffset.UTC));
                insert.executeUpdate();
            }
        }
        try (PreparedStatement insert = source.prepareStatement(
                "INSERT INTO engagement_events (id, content_id, event_type, event_ts) VALUES (?, ?, 'play', ?)")) {
            insert.setLong(1, EVENT);
            insert.setObject(2, UUID.fromString(LEADER));
            insert.setObject(3, Instant.ofEpochMilli(now - SECOND).atOffset(ZoneOffset.UTC));
            insert.executeUpdate();
        }
        try (PreparedStatement next = source.prepareStatement("SELECT setval('engagement_events_id_seq', ?)")) {
            next.setLong(1, EVENT);
            next.executeQuery();
        }
    }

    private void writeShown() throws SQLException {
        tables.setAutoCommit(false);
        writeMetrics();
        writeHours();
        tables.commit();
        tables.setAutoCommit(true);
        writeContents();
        writeBoards();
    }

    private void writeMetrics() throws SQLException {
        RollupDefinition metrics = rollup("metrics_30s");
        for (String type : EVENTS_OF_A_WINDOW.keySet()) {
            for (long start = first(now - HOUR, SLIDE); start <= now + ahead; start += SLIDE) {
                RollupRow row = metric(type, start, wave(type, start), 1);
                if (start > now - SHOWN_OF_METRICS) {
                    show(metrics, row);
                }
                // A row is there once its window has ended.
                if (row.windowEndMillis() <= now) {
                    WrittenRollups.insert(tables, metrics, row);
                }
            }
            for (long start = first(now - DAY - HOUR, SLIDE); start < now - DAY + HOUR / 2; start += SLIDE) {
                WrittenRollups.insert(tables, metrics, metric(type, start, wave(type, start) * 4 / 5, 1));
            }
        }
    }

    private void writeHours() throws SQLException {
        RollupDefinition hourly = rollup("hourly");
        long open = now / HOUR * HOUR;
        for (long start = open - 3 * HOUR; start <= open; start += HOUR) {
            for (String type : List.of("podcast", "newsletter", "video")) {
                for (String device : DEVICES) {
                    int count = 400 * (5 - DEVICES.indexOf(device)) + type.length() * 31;
                    RollupRow row = WrittenRollups.row(
                            hourly,
                            start,
                            List.of(type, device),
                            count < 1_000,
                            Integer.toString(count),
                            count * 13 + ".5",
                            Integer.toString(count / 3));
                    if (start == open) {
                        show(hourly, row);
                    } else {
                        WrittenRollups.insert(tables, hourly, row);
                    }
                }
            }
        }
    }

    // -------------------------------------------------------------------------------------------------------- Redis

    private void writeContents() {
        RollupDefinition audience = rollup("audience");
        RollupDefinition completion = rollup("completion");
        for (int i = 0; i < CONTENTS.size(); i++) {
            Sample each = CONTENTS.get(i);
            EnrichedEvent last = last(each, i);
            show(new LiveValue.Meta(last.content(), 1));
            show(new LiveValue.Last(last));
            new ShownValues(redis, KEYS).evaluate(EventCache.write(last, KEYS, now));
            show(tally(each, i == RISEN));
            for (long end = first(now - MINUTE, 30 * SECOND); end <= now + ahead + MINUTE; end += 30 * SECOND) {
                show(
                        audience,
                        WrittenRollups.row(
                                audience,
                                end - audience.windowMillis(),
                                List.of(each.id()),
                                i != 0,
                                Integer.toString(each.weight() * 17),
                                each.weight() * 170 + ".5"));
            }
            int started = each.weight() * 100;
            show(
                    completion,
                    WrittenRollups.row(
                            completion,
                            now / HOUR * HOUR,
                            List.of(each.id()),
                            started < 5_000,
                            Integer.toString(started),
                            Integer.toString(started * 3 / 4),
                            Integer.toString(started / 2),
                            Integer.toString(started * 2 / 5),
                            Integer.toString(started / 3)));
        }
    }

    private void writeBoards() {
        show(new LiveValue.Board(LiveValue.Board.Kind.EVENTS, now + ahead, places(1)));
        show(new LiveValue.Board(LiveValue.Board.Kind.ENGAGEMENT, now + ahead, places(9_753)));
    }

    private static List<Place> places(int factor) {
        return CONTENTS.stream()
                .map(each -> new Place(each.id(), (long) each.weight() * 29 * factor))
                .toList();
    }

    private Tally tally(Sample each, boolean risen) {
        int shown = 15;
        int rising = 10;
        int all = shown + (int) (ahead / MINUTE);
        long[] minutes = new long[all];
        long[] events = new long[all];
        long newest = now / MINUTE;
        for (int i = 0; i < all; i++) {
            minutes[i] = newest - shown + 1 + i;
            boolean before = i < shown - rising;
            // More and more ahead of the clock, so that it is above its usual however long a test takes.
            int more = 20 * Math.max(0, i - shown + 1);
            events[i] = risen ? (before ? 2 : 60 + more) : each.weight() * 3L + i % 4;
        }
        return Tally.of(each.id(), each.weight() * 1_371L, minutes, events);
    }

    private EnrichedEvent last(Sample each, int back) {
        long micros = (now - SECOND - back * 7 * SECOND) * 1_000;
        EngagementEvent event = new EngagementEvent(
                EVENT - back,
                each.id(),
                USER,
                List.of("play", "click", "finish", "pause").get(back % 4),
                micros,
                45_000,
                DEVICES.get(back % DEVICES.size()),
                "{\"value\": 4.50}",
                false,
                now - SECOND,
                new Position(0, EVENT - back, now));
        Content content = new Content(
                each.id(), slug(each), each.title(), each.type(), each.lengthSeconds(), (now - 6 * DAY) * 1_000);
        return new EnrichedEvent(event, content, new Engagement(45_000, 45_000 * 10 / each.lengthSeconds(), (byte) 2));
    }

    private static String slug(Sample each) {
        return "content-" + CONTENTS.indexOf(each);
    }

    // ------------------------------------------------------------------------------------------------------ helpers

    /** The first full step at or after a moment. */
    private static long first(long millis, long step) {
        return (millis + step - 1) / step * step;
    }

    /** The same number for the same window, however often it is asked for. */
    private static int wave(String type, long start) {
        double phase = start / (double) HOUR * 2 * Math.PI;
        int usual = EVENTS_OF_A_WINDOW.get(type);
        return (int) (usual * (1 + 0.25 * Math.sin(phase * 3) + 0.08 * Math.sin(phase * 41)));
    }

    private static RollupRow metric(String type, long start, int count, long version) {
        RollupDefinition metrics = rollup("metrics_30s");
        return new RollupRow(
                metrics.name(),
                start,
                start + metrics.windowMillis(),
                List.of(type),
                List.of(BigDecimal.valueOf(count), BigDecimal.valueOf(count * 425L, 2), BigDecimal.valueOf(count / 2)),
                true,
                0,
                version,
                true);
    }

    private static RollupDefinition rollup(String name) {
        return RollupDefinitions.shipped().stream()
                .filter(rollup -> rollup.name().equals(name))
                .findFirst()
                .orElseThrow();
    }

    private void show(RollupDefinition definition, RollupRow row) {
        show(WrittenRollups.cell(definition, row));
    }

    private void show(LiveValue value) {
        new ShownValues(redis, KEYS).show(value);
    }

    @Override
    public void close() throws SQLException {
        redis.close();
        tables.close();
    }
}
