package dev.engagement.liveview.sink;

import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import redis.clients.jedis.exceptions.JedisDataException;
import redis.clients.jedis.exceptions.JedisException;

/**
 * What a failure of Redis means: the one place that decides it.
 *
 * <table>
 * <caption>Verdicts</caption>
 * <tr><th>failure</th><th>verdict</th><th>why</th></tr>
 * <tr><td>no connection, timeout, broken connection, TLS handshake, unknown host</td><td>TRANSIENT</td>
 *   <td>the usual outage; whoever ends it does not have to touch the job</td></tr>
 * <tr><td>LOADING, MASTERDOWN, CLUSTERDOWN, TRYAGAIN, NOREPLICAS, BUSY, MISCONF, max number of clients</td>
 *   <td>TRANSIENT</td><td>Redis says itself that it cannot now</td></tr>
 * <tr><td>READONLY, UNBLOCKED, MOVED, ASK</td><td>TRANSIENT</td><td>a failover: the same address leads to the new master
 *   soon, and each retry connects anew</td></tr>
 * <tr><td>OOM</td><td>TRANSIENT, counted apart</td><td>memory is freed by expiry or by people; newer values of the same
 *   keys replace what waits</td></tr>
 * <tr><td>NOSCRIPT</td><td>SCRIPT_LOST</td><td>SCRIPT FLUSH or a failover: load and repeat at once</td></tr>
 * <tr><td>WRONGPASS, NOAUTH, NOPERM, "invalid password", "without any password configured"</td><td>TERMINAL</td>
 *   <td>nothing heals it but a person, who sees a failed job sooner than a stale view; the secret is read anew at every
 *   connect</td></tr>
 * <tr><td>CROSSSLOT and anything else that Redis answers</td><td>TERMINAL</td><td>a fault of ours or of the
 *   configuration; repeating it would repeat it</td></tr>
 * </table>
 *
 * There is no verdict on a single record: what cannot be shown beside a foreign value (WRONGTYPE) replaces it, and no
 * value reaches the sizes that Redis refuses.
 */
enum RedisVerdict {
    /** Retry, on a new connection, for as long as it takes. */
    TRANSIENT,
    /** Retry as with {@link #TRANSIENT}, and count it. */
    OUT_OF_MEMORY,
    /** Load the scripts and repeat. */
    SCRIPT_LOST,
    /** Fail the job. */
    TERMINAL;

    private static final Set<String> PASSING = Set.of(
            "LOADING",
            "MASTERDOWN",
            "CLUSTERDOWN",
            "TRYAGAIN",
            "NOREPLICAS",
            "BUSY",
            "MISCONF",
            "READONLY",
            "UNBLOCKED",
            "MOVED",
            "ASK");

    private static final String TOO_MANY_CLIENTS = "max number of clients";

    /** Redis 6 wraps what a command inside a script answered; Redis 7 does not. */
    private static final Pattern IN_SCRIPT =
            Pattern.compile("^ERR Error running script.*@user_script:\\s?\\d+: -?([A-Z]+) ");

    /** The verdict on an error that Redis answered. */
    static RedisVerdict ofError(String error) {
        Matcher wrapped = IN_SCRIPT.matcher(error);
        String code = wrapped.find() ? wrapped.group(1) : error.split(" ", 2)[0];
        if (code.equals("NOSCRIPT")) {
            return SCRIPT_LOST;
        }
        if (code.equals("OOM")) {
            return OUT_OF_MEMORY;
        }
        return PASSING.contains(code) || error.contains(TOO_MANY_CLIENTS) ? TRANSIENT : TERMINAL;
    }

    /** The verdict on what a connection threw. */
    static RedisVerdict of(RuntimeException failure) {
        if (failure instanceof JedisDataException answered) {
            return ofError(String.valueOf(answered.getMessage()));
        }
        // A secret that is not where it should be, or a bug of ours, is no failure of Redis.
        return failure instanceof JedisException ? TRANSIENT : TERMINAL;
    }
}
