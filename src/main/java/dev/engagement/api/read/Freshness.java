package dev.engagement.api.read;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.engagement.event.Timestamps;
import dev.engagement.liveview.LiveViewKeys;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import redis.clients.jedis.Response;

/**
 * How soon the live view shows an event that the source has committed, measured from outside: by looking at both again
 * and again. What is said is what it took at most: from the look before it was seen, or from its event_ts where that lies
 * behind that look, as nothing is committed before it happens. Thread-safe.
 *
 * <p>An event shows when the last event of its content is that event, or a newer one. One that is dated before the last
 * event of its content never does, and one that became a dead letter does not either: it is waited for until a newer
 * one shows.
 */
final class Freshness {

    /** How often somebody should {@link #look} while nothing is waited for. */
    private static final long LOOK_EVERY_MILLIS = 1_000;

    /** How often while an event is, for the first seconds. */
    private static final long LOOK_AGAIN_MILLIS = 100;

    private static final long LOOK_AGAIN_FOR_MILLIS = 5_000;

    /** Events that a lag is counted among. */
    static final int MAX_LAG = 100;

    /** {@code LiveValue.LAST_IS_SHOWN_FOR}, which stands in a class that readers have no need of. */
    private static final long LAST_IS_SHOWN_FOR_MICROS = 3_600_000_000L;

    private final RedisStore redis;
    private final LiveViewKeys keys;
    private final PostgresStore source;
    private final String newestSql;

    private long lookedAtMillis = Long.MIN_VALUE;
    private long newestId = Long.MIN_VALUE;
    /** Written under the lock, read without it: who asks does not wait for a look. */
    private volatile @Nullable Waiting waiting;

    private volatile @Nullable Long measuredMillis;

    /** @param eventTsMicros microseconds since the epoch */
    private record Committed(long id, String contentId, long eventTsMicros) {}

    /** @param sinceMillis a moment at which it was not committed yet, or the first one at which it was seen */
    private record Waiting(Committed event, long sinceMillis) {}

    private enum Visibility {
        SHOWN,
        NOT_YET,
        /** It will not show. */
        NEVER
    }

    /**
     * Nothing was measured yet.
     *
     * @param schema of the table of events
     * @param table of events
     */
    Freshness(RedisStore redis, LiveViewKeys keys, PostgresStore source, String schema, String table) {
        this.redis = redis;
        this.keys = keys;
        this.source = source;
        this.newestSql = "SELECT id, content_id::text, (extract(epoch FROM event_ts) * 1000000)::bigint FROM "
                + RollupRows.quote(schema) + "." + RollupRows.quote(table)
                + " WHERE content_id IS NOT NULL AND event_ts > '0001-01-01T00:00:00Z'"
                + " AND event_ts < '9999-12-31T00:00:00Z' ORDER BY id DESC LIMIT ?";
    }

    /** Looks once. */
    synchronized void look(long nowMillis) throws UnavailableException {
        List<Committed> found = newest(1);
        if (!found.isEmpty()) {
            Committed newest = found.get(0);
            Waiting awaited = waiting;
            if (awaited == null && newest.id() > newestId) {
                boolean isFirstLook = lookedAtMillis == Long.MIN_VALUE;
                awaited = new Waiting(newest, isFirstLook ? nowMillis : notCommittedAt(newest, nowMillis));
                if (isFirstLook && visibility(List.of(newest), nowMillis).get(0) != Visibility.NOT_YET) {
                    // Nobody knows how long it has been there.
                    awaited = null;
                }
            }
            newestId = Math.max(newestId, newest.id());
            // Whatever comes of the next question, it is waited for.
            waiting = awaited;
            if (awaited != null) {
                waiting = stillWaiting(awaited, newest, nowMillis);
            }
        }
        lookedAtMillis = nowMillis;
    }

    /** A moment at which it was not committed yet. An event_ts that cannot be is not believed. */
    private long notCommittedAt(Committed event, long nowMillis) {
        long eventTsMillis = event.eventTsMicros() / 1_000;
        return eventTsMillis > lookedAtMillis && eventTsMillis <= nowMillis ? eventTsMillis : lookedAtMillis;
    }

    /** How long until the next {@link #look} is worth it. */
    long nextLookMillis(long nowMillis) {
        Waiting awaited = waiting;
        return awaited != null && nowMillis - awaited.sinceMillis() < LOOK_AGAIN_FOR_MILLIS
                ? LOOK_AGAIN_MILLIS
                : LOOK_EVERY_MILLIS;
    }

    /** What is waited for from now on. */
    private @Nullable Waiting stillWaiting(Waiting awaited, Committed newest, long nowMillis)
            throws UnavailableException {
        List<Visibility> seen = visibility(List.of(awaited.event(), newest), nowMillis);
        if (seen.get(0) == Visibility.SHOWN) {
            measuredMillis = Math.max(0, nowMillis - awaited.sinceMillis());
            return null;
        }
        boolean wasOvertaken = newest.id() > awaited.event().id() && seen.get(1) == Visibility.SHOWN;
        return seen.get(0) == Visibility.NEVER || wasOvertaken ? null : awaited;
    }

    /**
     * What it took the newest event to show, or if longer what it has been taking, milliseconds; null if nothing was
     * measured yet.
     */
    @Nullable
    Long millis(long nowMillis) {
        Waiting awaited = waiting;
        Long measured = measuredMillis;
        if (awaited == null) {
            return measured;
        }
        long soFar = Math.max(0, nowMillis - awaited.sinceMillis());
        return measured == null ? soFar : Math.max(measured, soFar);
    }

    /** How many events were committed behind the newest one that shows, {@value #MAX_LAG} at most. */
    long lag(long nowMillis) throws UnavailableException {
        List<Visibility> seen = visibility(newest(MAX_LAG), nowMillis);
        long lag = 0;
        for (Visibility each : seen) {
            if (each == Visibility.SHOWN) {
                return lag;
            }
            lag += each == Visibility.NOT_YET ? 1 : 0;
        }
        return lag;
    }

    private List<Committed> newest(int count) throws UnavailableException {
        return source.query(newestSql, List.of(count), Freshness::committed);
    }

    private static Committed committed(ResultSet row) throws SQLException {
        return new Committed(row.getLong(1), row.getString(2), row.getLong(3));
    }

    private List<Visibility> visibility(List<Committed> events, long nowMillis) throws UnavailableException {
        List<String> contents =
                events.stream().map(Committed::contentId).distinct().toList();
        if (contents.isEmpty()) {
            return List.of();
        }
        List<String> last = redis.ask(pipeline -> {
            List<Response<String>> answers = new ArrayList<>();
            contents.forEach(id -> answers.add(pipeline.get(keys.last(id))));
            return () -> answers.stream().map(Response::get).toList();
        });
        Map<String, Committed> lastByContent = new HashMap<>();
        for (int i = 0; i < contents.size(); i++) {
            Committed shown = shown(contents.get(i), last.get(i));
            if (shown != null) {
                lastByContent.put(contents.get(i), shown);
            }
        }
        return events.stream()
                .map(event -> visibility(event, lastByContent.get(event.contentId()), nowMillis))
                .toList();
    }

    private static @Nullable Committed shown(String contentId, @Nullable String json) {
        ObjectNode last = AnswerJson.object(json);
        if (last == null) {
            return null;
        }
        long eventTs = Timestamps.parse(last.path("event_ts").asText());
        return eventTs == Timestamps.INVALID
                ? null
                : new Committed(last.path("event_id").asLong(), contentId, eventTs);
    }

    private static Visibility visibility(Committed event, @Nullable Committed last, long nowMillis) {
        if (last != null && last.id() >= event.id()) {
            return Visibility.SHOWN;
        }
        boolean isOver = event.eventTsMicros() + LAST_IS_SHOWN_FOR_MICROS <= nowMillis * 1_000;
        return isOver || (last != null && last.eventTsMicros() > event.eventTsMicros())
                ? Visibility.NEVER
                : Visibility.NOT_YET;
    }
}
