package dev.engagement.liveview.sink;

import java.security.GeneralSecurityException;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.net.ssl.SSLPeerUnverifiedException;
import redis.clients.jedis.exceptions.JedisDataException;
import redis.clients.jedis.exceptions.JedisException;

/**
 * What a failure of Redis means: the one place that decides it. Nothing that Redis answers, or does not, fails the job:
 * the live view never holds the other destinations back.
 *
 * <table>
 * <caption>Verdicts</caption>
 * <tr><th>failure</th><th>verdict</th><th>why</th></tr>
 * <tr><td>no connection, timeout, broken connection or TLS handshake, unknown host</td><td>TRANSIENT</td>
 *   <td>the usual outage; whoever ends it does not have to touch the job</td></tr>
 * <tr><td>LOADING, MASTERDOWN, NOREPLICAS, BUSY, MISCONF, max number of clients</td>
 *   <td>TRANSIENT</td><td>Redis says itself that it cannot now</td></tr>
 * <tr><td>READONLY, UNBLOCKED</td><td>TRANSIENT</td><td>a failover: the same address leads to the new master soon, and
 *   each retry connects anew</td></tr>
 * <tr><td>MOVED, ASK, TRYAGAIN, CLUSTERDOWN, NODEDOWN (of {@link ClusterConnection}: a master cannot be reached)</td>
 *   <td>TRANSIENT</td><td>slots move and masters change; each retry asks first where the slots are</td></tr>
 * <tr><td>OOM</td><td>OUT_OF_MEMORY</td><td>with noeviction: memory is freed by expiry or by people, and newer values of
 *   the same keys replace what waits</td></tr>
 * <tr><td>NOSCRIPT</td><td>SCRIPT_LOST</td><td>SCRIPT FLUSH or a failover: load and repeat at once</td></tr>
 * <tr><td>WRONGPASS, NOAUTH, NOPERM, "invalid password", "without any password configured", a
 *   right that a script misses</td><td>REFUSED</td>
 *   <td>only a person heals it, in Redis or in the secret, which is read anew at every connect: no restart is needed</td></tr>
 * <tr><td>a secret that is not where it should be</td><td>REFUSED</td><td>as above: a file can still be put there</td></tr>
 * <tr><td>a TLS certificate that nobody vouches for, or of another host</td><td>REFUSED</td><td>a server did answer, and
 *   not one to be trusted; most often it is the server's certificate that is replaced</td></tr>
 * <tr><td>any other failure while connecting: no such database, a database of a Redis Cluster, a command that Redis does
 *   not know</td><td>REFUSED</td><td>the configuration is wrong for all writes alike, whatever it is</td></tr>
 * <tr><td>CROSSSLOT, WRONGTYPE, errors of a script, and anything else that Redis answers to a write</td>
 *   <td>UNUSABLE</td><td>a fault of ours in this one write: repeating it would repeat it, and would hold up nothing but
 *   the others</td></tr>
 * </table>
 */
enum RedisVerdict {
    /** Retry with backoff for as long as it takes, on a new connection. */
    TRANSIENT,
    /** Retry as with {@link #TRANSIENT}, and count it apart. */
    OUT_OF_MEMORY,
    /** Load the scripts and repeat. */
    SCRIPT_LOST,
    /** Retry for as long as it takes, more slowly, on a new connection, and say loudly what somebody has to do. */
    REFUSED,
    /** Give this write up, count it and name its key; the value is written again when everything is. */
    UNUSABLE;

    /** What {@link ClusterConnection} answers in place of a master that does not answer. */
    static final String NODE_DOWN = "NODEDOWN";

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
            "ASK",
            NODE_DOWN);

    private static final Set<String> REFUSING = Set.of("WRONGPASS", "NOAUTH");

    private static final String TOO_MANY_CLIENTS = "max number of clients";

    /** Redis 5 and before said these with the code ERR, and 7 still says the second one so. */
    private static final Pattern REFUSING_TEXT = Pattern.compile("invalid password|without any password configured");

    /** Redis 6 wraps what a command inside a script answered; Redis 7 does not. */
    private static final Pattern IN_SCRIPT =
            Pattern.compile("^ERR Error running script.*@user_script:\\s?\\d+: -?([A-Z]+) ");

    /** Of a command or key inside a script that the user has no right to: Redis 6 to 7.0, and later ones. */
    private static final Pattern NO_RIGHT_IN_SCRIPT =
            Pattern.compile("^ERR .*(The user executing the script can't|ACL failure in script)");

    /** The verdict on an error that Redis answered to a write. */
    static RedisVerdict ofError(String error) {
        Matcher wrapped = IN_SCRIPT.matcher(error);
        String code = wrapped.find() ? wrapped.group(1) : error.split(" ", 2)[0];
        if (code.equals("NOSCRIPT")) {
            return SCRIPT_LOST;
        }
        if (code.equals("OOM")) {
            return OUT_OF_MEMORY;
        }
        if (PASSING.contains(code) || error.contains(TOO_MANY_CLIENTS)) {
            return TRANSIENT;
        }
        return REFUSING.contains(code) || REFUSING_TEXT.matcher(error).find() || isAboutARight(error)
                ? REFUSED
                : UNUSABLE;
    }

    /** Whether the user is known and may not do that. */
    static boolean isAboutARight(String error) {
        return error.contains("NOPERM ") || NO_RIGHT_IN_SCRIPT.matcher(error).find();
    }

    /** The verdict on what a connection threw: never {@link #UNUSABLE}, since it is about no single write. */
    static RedisVerdict of(RuntimeException failure) {
        if (failure instanceof JedisDataException answered) {
            RedisVerdict verdict = ofError(String.valueOf(answered.getMessage()));
            return verdict == UNUSABLE ? REFUSED : verdict;
        }
        // A secret that is not where it should be is no failure of Redis.
        return failure instanceof JedisException && !isAboutACertificate(failure) ? TRANSIENT : REFUSED;
    }

    /** Whether the server's certificate was read and not accepted. */
    static boolean isAboutACertificate(Throwable failure) {
        for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
            // CertificateException, CertPathException: who vouches for it, whose it is, until when.
            if (cause instanceof GeneralSecurityException || cause instanceof SSLPeerUnverifiedException) {
                return true;
            }
        }
        return false;
    }
}
