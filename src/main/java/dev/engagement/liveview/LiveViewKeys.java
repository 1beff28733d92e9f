package dev.engagement.liveview;

import dev.engagement.event.RollupShape;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;

/**
 * The names of the live view's keys and of its channel. Every name begins with the prefix, so that access rules on
 * {@code prefix*} cover them all.
 *
 * @param prefix {@code redis.key-prefix}, may be empty
 */
public record LiveViewKeys(String prefix) {

    private static final DateTimeFormatter MINUTE =
            DateTimeFormatter.ofPattern("uuuuMMddHHmm", Locale.ROOT).withZone(ZoneOffset.UTC);

    /** Of a part of a rollup's key, escaped, before it is cut short. */
    private static final int MAX_PART_CHARS = 256;

    private static final HexFormat ESCAPES = HexFormat.of().withUpperCase();

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
        return inSlotOf(meta(contentId), "gone:");
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
        return inSlotOf(board, "version:");
    }

    /**
     * Sorted set: the windows of one key of a rollup, {@code metric:{event_type}:{window_size}} if the rollup is a
     * {@linkplain RollupShape#isMetric metric}, otherwise {@code rollup:{name}:{key}}. The score is a window's end in
     * milliseconds since the epoch, the member its JSON.
     *
     * <p>Parts of the key come from events, hence from anybody. So <code>%</code>, <code>:</code>, braces and control
     * characters in them are written as in a URL, <code>%3A</code>; <code>:</code> is between them; and a part that is
     * longer than {@value #MAX_PART_CHARS} characters is its beginning, <code>~</code> and its SHA-256. Two keys never have
     * one name.
     *
     * @param key the parts, in the shape's order
     */
    public String windows(RollupShape shape, List<String> key) {
        StringBuilder name = new StringBuilder(prefix);
        if (shape.isMetric()) {
            return name.append("metric:")
                    .append(part(key.get(0)))
                    .append(':')
                    .append(shape.windowSizeText())
                    .toString();
        }
        name.append("rollup:").append(shape.rollup()).append(':');
        for (int i = 0; i < key.size(); i++) {
            name.append(i == 0 ? "" : ":").append(part(key.get(i)));
        }
        return name.toString();
    }

    /** Hash: of each window in that sorted set, by its end, the version; in the same slot of a Redis Cluster. */
    public String windowVersions(String windows) {
        return inSlotOf(windows, "version:");
    }

    /** Channel: the JSON of each window of a rollup that has changed. */
    public String metricsUpdates() {
        return prefix + "metrics_updates";
    }

    /** Hash: one enriched event. */
    public String event(long eventId) {
        return event(Long.toString(eventId));
    }

    /** The same of an id as it stands in names. */
    public String event(String eventId) {
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

    /** A key that belongs to another one, and hashes to the same slot of a Redis Cluster. */
    private String inSlotOf(String key, String kind) {
        return hasHashTag(key) ? prefix + kind + key : prefix + kind + "{" + key + "}";
    }

    private static String part(String text) {
        String escaped = escaped(text);
        if (escaped.length() <= MAX_PART_CHARS) {
            return escaped;
        }
        int end = Character.isHighSurrogate(escaped.charAt(MAX_PART_CHARS - 1)) ? MAX_PART_CHARS - 1 : MAX_PART_CHARS;
        // Longer than anything that is not cut, hence never the name of another part.
        return escaped.substring(0, end) + "~" + sha256(escaped);
    }

    private static String escaped(String text) {
        StringBuilder escaped = new StringBuilder(text.length() + 16);
        int c;
        for (int i = 0; i < text.length(); i += Character.charCount(c)) {
            c = text.codePointAt(i);
            if (isEscaped(c)) {
                escape(c, escaped);
            } else {
                escaped.appendCodePoint(c);
            }
        }
        return escaped.toString();
    }

    /** Half of a surrogate pair has no form in UTF-8: all of them would be one. */
    private static boolean isEscaped(int c) {
        return c == '%'
                || c == ':'
                || c == '{'
                || c == '}'
                || Character.isISOControl(c)
                || c >= Character.MIN_SURROGATE && c <= Character.MAX_SURROGATE;
    }

    /** RFC 3986, section 2.1: the character's bytes in UTF-8; half of a surrogate pair as if it had any. */
    private static void escape(int c, StringBuilder out) {
        if (c < 0x80) {
            octet(c, out);
        } else if (c < 0x800) {
            octet(0xC0 | c >> 6, out);
            octet(0x80 | c & 0x3F, out);
        } else {
            octet(0xE0 | c >> 12, out);
            octet(0x80 | c >> 6 & 0x3F, out);
            octet(0x80 | c & 0x3F, out);
        }
    }

    private static void octet(int octet, StringBuilder out) {
        out.append('%').append(ESCAPES.toHexDigits((byte) octet));
    }

    private static String sha256(String text) {
        try {
            return HexFormat.of()
                    .formatHex(MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.UTF_8)));
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("Every Java platform has SHA-256", e);
        }
    }

    /** Redis Cluster specification, "Hash tags": the text between the first brace and the next closing one, if any. */
    private static boolean hasHashTag(String key) {
        int open = key.indexOf('{');
        return open >= 0 && key.indexOf('}', open) > open + 1;
    }
}
