package dev.engagement.local;

import java.sql.Connection;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import redis.clients.jedis.AbstractTransaction;
import redis.clients.jedis.Jedis;
import redis.clients.jedis.Response;
import redis.clients.jedis.exceptions.JedisException;

/**
 * Reads counts and leaderboards all the while something else goes on, and notes what no reader may ever see: a count that
 * goes down, a leaderboard that goes back in time, changes without moving on, or is gone while its window has events.
 *
 * <p>While Redis does not answer it waits; that is an outage. A key of its own tells whether Redis still has what it had:
 * when that key is gone, all else may be, and what is read from then on is compared with nothing older.
 *
 * <p>Reads on a thread of its own; everything may be asked from any.
 */
public final class LiveViewWatch implements AutoCloseable {

    private static final long PAUSE_MILLIS = 2;
    private static final long STOP_LIMIT_SECONDS = 300;
    private static final int MAX_VIOLATIONS = 1_000;
    private static final String COUNT = "content:count:";

    /** Whether a leaderboard has to be there: its window has events. */
    public interface Due {
        boolean isDue(Leaderboard leaderboard, Instant slideEnd) throws Exception;
    }

    /** Something that no reader may see. */
    public record Violation(Instant at, String key, String what) {
        @Override
        public String toString() {
            return at + " " + key + ": " + what;
        }
    }

    /**
     * A time without an answer, or the loss of what Redis held.
     *
     * @param from the last answer before it
     * @param to the first answer after it; null as long as there is none
     * @param emptied whether Redis has lost what it held
     */
    public record Outage(Instant from, @Nullable Instant to, boolean emptied) {}

    /** What was last seen of a leaderboard; its slide end is the newest ever. */
    private static final class Seen {
        private long slideEnd = Long.MIN_VALUE;
        private Map<String, Double> scores = Map.of();
        private boolean strange;
    }

    private final RedisServer redis;
    private final String prefix;
    private final Supplier<? extends Collection<String>> contentIds;
    private final Due due;
    private final String mark = "live-view-watch:" + UUID.randomUUID();
    private final ScheduledExecutorService reading = Executors.newSingleThreadScheduledExecutor(task -> {
        Thread thread = new Thread(task, "live-view-watch");
        thread.setDaemon(true);
        return thread;
    });

    private final List<Violation> violations = new CopyOnWriteArrayList<>();
    private final List<Outage> outages = new CopyOnWriteArrayList<>();
    private volatile long reads;

    // Of the reading thread, but for the connection, which stop takes over after its end.
    private final Map<String, Long> counts = new HashMap<>();
    private final Map<Leaderboard, Seen> boards = new EnumMap<>(Leaderboard.class);
    private @Nullable Jedis jedis;
    private Instant answeredAt = Instant.now();
    private boolean down;

    private LiveViewWatch(
            RedisServer redis, String prefix, Supplier<? extends Collection<String>> contentIds, Due due) {
        this.redis = redis;
        this.prefix = prefix;
        this.contentIds = contentIds;
        this.due = due;
    }

    /**
     * Begins to read.
     *
     * @param redis which answers now
     * @param prefix {@code redis.key-prefix}, may be empty
     * @param contentIds whose counts are read; asked before each round
     * @param due asked only when a leaderboard that was there is not
     */
    public static LiveViewWatch start(
            RedisServer redis, String prefix, Supplier<? extends Collection<String>> contentIds, Due due) {
        LiveViewWatch watch = new LiveViewWatch(redis, prefix, contentIds, due);
        try (Jedis jedis = redis.connect()) {
            jedis.set(watch.mark, "1");
        }
        var rounds = watch.reading.scheduleWithFixedDelay(watch::round, 0, PAUSE_MILLIS, TimeUnit.MILLISECONDS);
        assert !rounds.isDone();
        return watch;
    }

    /** A leaderboard has to be there if SQL ranks a content in its window. */
    public static Due bySql(PostgresServer source) {
        return (leaderboard, slideEnd) -> {
            try (Connection connection = source.connect()) {
                return LeaderboardCheck.isDue(leaderboard, connection, slideEnd);
            }
        };
    }

    /** What was seen and may not be, oldest first; no more than the first thousand. */
    public List<Violation> violations() {
        return List.copyOf(violations);
    }

    /** When Redis did not answer or lost what it held, oldest first. */
    public List<Outage> outages() {
        return List.copyOf(outages);
    }

    /** Rounds read to their end. A round begun after now is over when this has risen by two. */
    public long reads() {
        return reads;
    }

    /** Ends the reading; the round in progress is read to its end. */
    public void stop() {
        reading.shutdown();
        try {
            if (!reading.awaitTermination(STOP_LIMIT_SECONDS, TimeUnit.SECONDS)) {
                reading.shutdownNow();
                throw new IllegalStateException("The watch does not end within " + STOP_LIMIT_SECONDS + " s");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return;
        }
        Jedis open = jedis;
        jedis = null;
        if (open != null) {
            try (open) {
                open.del(mark);
            } catch (JedisException gone) {
                assert !violations.contains(null);
            }
        }
    }

    @Override
    public void close() {
        stop();
    }

    // ------------------------------------------------------------------------------------------------- reading

    private void round() {
        try {
            Jedis open = jedis;
            if (open == null) {
                open = redis.connect();
                jedis = open;
            }
            List<String> ids = List.copyOf(contentIds.get());
            for (int from = 0; from < ids.size(); from += KeyCheck.CHUNK) {
                readCounts(open, ids.subList(from, Math.min(ids.size(), from + KeyCheck.CHUNK)));
            }
            readBoards(open);
            reads++;
        } catch (JedisException e) {
            down();
        } catch (RuntimeException e) {
            // Thrown on, it would end the watch without a word.
            note("the watch", "has failed: " + e);
        }
    }

    private void readCounts(Jedis open, List<String> ids) {
        try (AbstractTransaction all = open.multi()) {
            Response<Boolean> marked = all.exists(mark);
            Response<List<String>> values =
                    all.mget(ids.stream().map(id -> prefix + COUNT + id).toArray(String[]::new));
            all.exec();
            answered(open, marked.get());
            for (int i = 0; i < ids.size(); i++) {
                seen(ids.get(i), values.get().get(i));
            }
        }
    }

    private void seen(String id, @Nullable String value) {
        Long before = counts.get(id);
        if (value == null) {
            if (before != null) {
                note(COUNT + id, "was " + before + " and is gone");
                counts.remove(id);
            }
            return;
        }
        long count = Long.parseLong(value);
        if (before != null && count < before) {
            note(COUNT + id, "went down from " + before + " to " + count);
        }
        counts.put(id, count);
    }

    private void readBoards(Jedis open) {
        Map<Leaderboard, Supplier<Leaderboard.Reading>> readings = new EnumMap<>(Leaderboard.class);
        try (AbstractTransaction all = open.multi()) {
            Response<Boolean> marked = all.exists(mark);
            for (Leaderboard board : Leaderboard.values()) {
                readings.put(board, board.read(all, prefix));
            }
            all.exec();
            long now = System.currentTimeMillis();
            answered(open, marked.get());
            readings.forEach((board, reading) ->
                    seen(board, reading.get(), boards.computeIfAbsent(board, first -> new Seen()), now));
        }
    }

    private void seen(Leaderboard board, Leaderboard.Reading found, Seen before, long now) {
        List<String> strange = strange(board, found, before, now);
        // Once, until it is well again.
        if (!before.strange) {
            strange.forEach(what -> note(board.key(), what));
        }
        before.strange = !strange.isEmpty();
        Long slideEnd = found.slideEndMillis();
        if (slideEnd != null && slideEnd >= before.slideEnd) {
            before.slideEnd = slideEnd;
        }
        // One that is gone keeps what it had, until it has expired.
        if (!found.isEmpty() || Leaderboard.Reading.isExpired(before.slideEnd, now) || strange.isEmpty()) {
            before.scores = found.scores();
        }
    }

    private List<String> strange(Leaderboard board, Leaderboard.Reading found, Seen before, long now) {
        List<String> strange = new ArrayList<>();
        Long slideEnd = found.slideEndMillis();
        if (slideEnd == null && !found.isEmpty()) {
            strange.add("stands without a slide end; beside it stands " + found.version());
        }
        if (slideEnd != null && slideEnd < before.slideEnd) {
            strange.add("went back from " + Instant.ofEpochMilli(before.slideEnd) + " to "
                    + Instant.ofEpochMilli(slideEnd));
        } else if (!found.isEmpty()
                && slideEnd != null
                && slideEnd == before.slideEnd
                && !found.scores().equals(before.scores)) {
            strange.add("changed while its slide end stood still at " + Instant.ofEpochMilli(slideEnd) + ": "
                    + before.scores + " became " + found.scores());
        }
        if (found.isEmpty() && !before.scores.isEmpty()) {
            long end = slideEnd == null ? before.slideEnd : slideEnd;
            if (!Leaderboard.Reading.isExpired(end, now) && isDue(board, end)) {
                strange.add("is gone, though the ten minutes before " + Instant.ofEpochMilli(end) + " have events");
            }
        }
        return strange;
    }

    private boolean isDue(Leaderboard board, long slideEnd) {
        try {
            return due.isDue(board, Instant.ofEpochMilli(slideEnd));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        } catch (Exception e) {
            note(board.key(), "is gone, and whether it is due cannot be told: " + e);
            return false;
        }
    }

    // ------------------------------------------------------------------------------------------------- outages

    private void answered(Jedis open, boolean marked) {
        Instant now = Instant.now();
        if (!marked) {
            counts.clear();
            boards.clear();
            open.set(mark, "1");
        }
        if (down) {
            outages.set(outages.size() - 1, new Outage(outages.get(outages.size() - 1).from, now, !marked));
            down = false;
        } else if (!marked) {
            outages.add(new Outage(answeredAt, now, true));
        }
        answeredAt = now;
    }

    private void down() {
        if (!down) {
            down = true;
            outages.add(new Outage(answeredAt, null, false));
        }
        Jedis broken = jedis;
        jedis = null;
        if (broken != null) {
            try {
                broken.close();
            } catch (JedisException alreadyGone) {
                assert down;
            }
        }
    }

    private void note(String key, String what) {
        if (violations.size() < MAX_VIOLATIONS) {
            violations.add(new Violation(Instant.now(), key, what));
        }
    }
}
