package dev.engagement.liveview;

import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Locale;

/**
 * The names of the live view's keys. Every name begins with the prefix, so that an access rule on {@code prefix*} covers
 * them all.
 *
 * @param prefix {@code redis.key-prefix}, may be empty
 */
public record LiveViewKeys(String prefix) {

    private static final DateTimeFormatter MINUTE =
            DateTimeFormatter.ofPattern("uuuuMMddHHmm", Locale.ROOT).withZone(ZoneOffset.UTC);

    public LiveViewKeys {
        if ((prefix.indexOf('{') >= 0 || prefix.indexOf('}') >= 0) && !hasHashTag(prefix)) {
            throw new IllegalArgumentException("redis.key-prefix is " + prefix
                    + "; braces in it must enclose a hash tag of Redis Cluster, as in {stage}:");
        }
    }

    /** String: the enriched JSON of the content's last event. */
    public String last(String contentId) {
        return prefix + "content:last:" + contentId;
    }

    /** String, an integer: how many distinct events the content has. */
    public String count(String contentId) {
        return prefix + "content:count:" + contentId;
    }

    /** Hash: the content itself, and the field {@value LiveValue#VERSION_FIELD}. */
    public String meta(String contentId) {
        return prefix + "content:meta:" + contentId;
    }

    /**
     * String: the version that deleted the content's {@link #meta}, for a while. It hashes to the same slot of a Redis
     * Cluster as {@code meta}, so that one script may touch both.
     *
     * <p>The one exception: a content id that holds a <code>}</code> and makes no hash tag of its own, where no name can
     * be found by braces; a Redis Cluster answers CROSSSLOT for it.
     */
    public String metaTombstone(String contentId) {
        String meta = meta(contentId);
        return hasHashTag(meta) ? prefix + "gone:" + meta : prefix + "gone:{" + meta + "}";
    }

    /**
     * Sorted set: distinct events per content in a minute of event time.
     *
     * @param minute since the epoch
     */
    public String bucket(long minute) {
        return prefix + "top:content:bucket:" + MINUTE.format(Instant.ofEpochSecond(minute * 60));
    }

    /** Sorted set: the contents of most events. */
    public String topByEvents() {
        return prefix + "top:content:10m";
    }

    /** Sorted set: the contents of most engagement. */
    public String topByEngagement() {
        return prefix + "top_engagement:10min";
    }

    /** String: the slide end of a leaderboard, in the same slot of a Redis Cluster. */
    public String boardVersion(String board) {
        return hasHashTag(board) ? prefix + "version:" + board : prefix + "version:{" + board + "}";
    }

    /** Hash: one enriched event. */
    public String event(long eventId) {
        return prefix + "engagement_events:event:" + eventId;
    }

    /**
     * String: a random text, made with the first write and gone with all others, by which an emptied Redis is told from
     * one that still has everything. It never expires.
     *
     * @param tag empty for a single Redis; in a Redis Cluster a hash tag, which leads to one of the masters unless the
     *     prefix has a hash tag of its own
     */
    public String epoch(String tag) {
        return prefix + (tag.isEmpty() ? "live-view:epoch" : "live-view:epoch:{" + tag + "}");
    }

    /** Redis Cluster specification, "Hash tags": the text between the first brace and the next closing one, if any. */
    private static boolean hasHashTag(String key) {
        int open = key.indexOf('{');
        return open >= 0 && key.indexOf('}', open) > open + 1;
    }
}
