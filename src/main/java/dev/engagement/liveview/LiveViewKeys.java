package dev.engagement.liveview;

/**
 * The names of the live view's keys. Every name begins with the prefix, so that an access rule on {@code prefix*} covers
 * them all.
 *
 * @param prefix {@code redis.key-prefix}, may be empty
 */
public record LiveViewKeys(String prefix) {

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
    public String metaGrave(String contentId) {
        String meta = meta(contentId);
        return hasHashTag(meta) ? prefix + "gone:" + meta : prefix + "gone:{" + meta + "}";
    }

    /** Redis Cluster specification, "Hash tags": the text between the first brace and the next closing one, if any. */
    private static boolean hasHashTag(String key) {
        int open = key.indexOf('{');
        return open >= 0 && key.indexOf('}', open) > open + 1;
    }
}
