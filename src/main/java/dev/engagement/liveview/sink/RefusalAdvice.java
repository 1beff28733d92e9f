package dev.engagement.liveview.sink;

/** What to tell the person who has to do something. */
final class RefusalAdvice {

    /** What the scripts and the connection use. */
    static final String RIGHTS =
            "EVALSHA, SCRIPT LOAD, TIME, TYPE, EXISTS, GET, SET, HGET, HSET, HLEN, ZADD, PEXPIREAT and DEL on keys"
                    + " beginning with the prefix; for rollups HDEL, ZRANGE, ZREM and ZREMRANGEBYSCORE too, and PUBLISH on"
                    + " channels beginning with it; INFO too if it may, and CLUSTER SLOTS with a Redis Cluster";

    private RefusalAdvice() {}

    /**
     * One line: where, what Redis said, the way out.
     *
     * @param server {@code host:port/database}
     * @param keyPrefix {@code redis.key-prefix}
     * @param failure what Redis or the way to it said
     */
    static String text(String server, String keyPrefix, Throwable failure) {
        String said = String.valueOf(failure.getMessage());
        if (failure instanceof LiveViewRefusedException || failure instanceof IllegalStateException) {
            // In our own words, the way out included.
            return said;
        }
        String wayOut = RedisVerdict.isAboutACertificate(failure)
                ? "give the server a certificate for the host in redis.url, of an authority that the machines' Java trusts"
                : wayOut(said, keyPrefix);
        return "Redis at " + server + " refuses the live view (" + said + "). The way out: " + wayOut;
    }

    /** As {@link #text(String, String, Throwable)}, of an error that Redis answered. */
    static String text(String server, String keyPrefix, String error) {
        return "Redis at " + server + " refuses the live view (" + error + "). The way out: "
                + wayOut(error, keyPrefix);
    }

    private static String wayOut(String error, String keyPrefix) {
        if (RedisVerdict.isAboutARight(error)) {
            return "give the user of redis.url the right to " + RIGHTS + " ('" + keyPrefix + "')";
        }
        if (RedisVerdict.ofError(error) == RedisVerdict.REFUSED) {
            return "check the user in redis.url, and redis.password or the file that redis.password.secret-file names; a"
                    + " file is read again at every try";
        }
        return "check redis.url; the live view needs Redis 6.2 or later, and the right to " + RIGHTS + " ('" + keyPrefix
                + "')";
    }
}
