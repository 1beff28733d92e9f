package dev.engagement.local;

import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import redis.clients.jedis.AbstractTransaction;
import redis.clients.jedis.Jedis;
import redis.clients.jedis.Response;
import redis.clients.jedis.resps.Tuple;

/** A leaderboard as its readers find it in Redis. */
public enum Leaderboard {
    /** By events of the last ten minutes. */
    EVENTS("top:content:10m", "events", "count(*)"),

    /** By seconds of engagement in the last ten minutes. */
    ENGAGEMENT("top_engagement:10min", "engagement", "sum(e.duration_ms)::numeric / 1000");

    /** How long a leaderboard outlives its slide end. */
    static final Duration LIFE_AFTER_THE_SLIDE = Duration.ofSeconds(120);

    private final String key;
    private final String title;
    private final String score;

    Leaderboard(String key, String title, String score) {
        this.key = key;
        this.title = title;
        this.score = score;
    }

    /** Its key without a prefix. */
    public String key() {
        return key;
    }

    /** What it ranks by, in a word. */
    String title() {
        return title;
    }

    /** SQL: a content's score over its rows {@code e}; null for a content that is not ranked. */
    String score() {
        return score;
    }

    /**
     * The leaderboard at one moment: both keys are read at once.
     *
     * @param version the text beside it, null if there is none
     * @param expiresAtMillis as PEXPIRETIME says: negative if there is no board, or it does not expire
     * @param scores by content, in the order of Redis, which among equal scores is not that of the places; empty if there
     *     is no board
     */
    record Reading(@Nullable String version, long expiresAtMillis, Map<String, Double> scores) {

        /** The end of its window, milliseconds since the epoch; null if none stands beside it. */
        @Nullable
        Long slideEndMillis() {
            return version == null || !version.matches("\\d{1,18}") ? null : Long.valueOf(version);
        }

        boolean isEmpty() {
            return scores.isEmpty();
        }

        /** Whether a leaderboard of that slide end has expired, rightly, by that moment. */
        static boolean isExpired(long slideEndMillis, long nowMillis) {
            return nowMillis >= slideEndMillis + LIFE_AFTER_THE_SLIDE.toMillis();
        }
    }

    /** @param prefix {@code redis.key-prefix}, may be empty */
    Reading read(Jedis jedis, String prefix) {
        try (AbstractTransaction both = jedis.multi()) {
            Supplier<Reading> reading = read(both, prefix);
            both.exec();
            return reading.get();
        }
    }

    /** As part of a transaction, after whose execution the reading is there. */
    Supplier<Reading> read(AbstractTransaction transaction, String prefix) {
        Response<String> version = transaction.get(versionKey(prefix));
        Response<Long> expiry = transaction.pexpireTime(prefix + key);
        Response<List<Tuple>> places = transaction.zrevrangeWithScores(prefix + key, 0, -1);
        return () -> {
            Map<String, Double> scores = new LinkedHashMap<>();
            places.get().forEach(place -> scores.put(place.getElement(), place.getScore()));
            return new Reading(version.get(), expiry.get(), scores);
        };
    }

    /** The key beside it in the same slot of a Redis Cluster: by the name's own hash tag, or the whole name as one. */
    String versionKey(String prefix) {
        String board = prefix + key;
        int open = board.indexOf('{');
        boolean tagged = open >= 0 && board.indexOf('}', open) > open + 1;
        return prefix + "version:" + (tagged ? board : "{" + board + "}");
    }
}
